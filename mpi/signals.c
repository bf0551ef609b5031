#include "mpi/signals.h"

#include <signal.h>
#include <stddef.h>

/* A handler can reach nothing else. */
static volatile sig_atomic_t seen;

static void note(int number)
{
    seen = number;
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | flags};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

void scs_signals_open(void)
{
    handle(SIGUSR1, note, 0);
}

/* Slurm and srun both send SIGTERM to a preempted rank, so a second one must not cut the save
 * short; a second Ctrl-C may. */
void scs_signals_catch(void)
{
    handle(SIGTERM, note, 0);
    handle(SIGINT, note, (int)SA_RESETHAND);
}

void scs_signals_release(void)
{
    handle(SIGTERM, SIG_DFL, 0);
    handle(SIGINT, SIG_DFL, 0);
}

const char *scs_signals_seen(void)
{
    switch (seen) {
    case SIGUSR1:
        return "SIGUSR1";
    case SIGTERM:
        return "SIGTERM";
    case SIGINT:
        return "SIGINT";
    default:
        return NULL;
    }
}
