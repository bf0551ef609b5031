/* A signal handler only sets a flag; all else happens between steps of work. Slurm sends SIGUSR1
 * before a time limit where it is asked to (--signal), and SIGTERM before it kills a preempted
 * job; mpirun passes SIGUSR1 on and kills ranks a second after SIGTERM unless told otherwise
 * (doc/cluster.md).
 *
 *      asked by               seen by        from
 *      SIGUSR1                its rank       the start of the program
 *      SIGTERM, SIGINT        its rank       training and screening; elsewhere they end the process
 *      file STOP              rank 0         once a second
 *      train.max_hours        rank 0         the session's opening
 *      SLURM_JOB_END_TIME     rank 0         60 s, and what stopping takes, before it
 *
 *  Ranks that see nothing learn of it from those that do: by the counts that a training step sums
 *  anyway, or by the queue of a screen. */
#include "mpi/job/stop.h"

#include "mpi/job/session.h"
#include "src/base/clock.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Number of the last signal, and whether the process was ever suspended. A handler can safely reach
 * nothing else. */
static volatile sig_atomic_t seen, suspended;
static bool has_mpirun; /* this process was started by that of Open MPI */

/* All that a handler may do. */
static void note(int number)
{
    seen = number;
}

/* SA_RESTART: system calls in progress go on, so that no library meets EINTR. */
static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | flags};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

/* Open MPI's mpirun, asked to end, sends SIGCONT at once, and SIGTERM when a second is over (a
 * quarter of one from version 5 on). Somebody else's SIGCONT wakes a process that was suspended. */
static void note_notice(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!suspended && info->si_pid == getppid())
        seen = number;
}

/* Who is suspended will be woken, by mpirun as well: from then on SIGCONT says nothing. */
static void suspend(int number)
{
    (void)number;
    suspended = 1;
    (void)raise(SIGSTOP);
}

static void catch_notice(void)
{
    struct sigaction action = {.sa_sigaction = note_notice, .sa_flags = SA_RESTART | SA_SIGINFO};

    if (!has_mpirun)
        return;
    (void)sigemptyset(&action.sa_mask);
    handle(SIGTSTP, suspend, 0);
    (void)sigaction(SIGCONT, &action, NULL);
}

/* Its handler stays for the whole job. */
void scs_stop_signals_open(void)
{
    has_mpirun = getenv("OMPI_COMM_WORLD_SIZE") != NULL; /* MPI_Init sets it, too */
    handle(SIGUSR1, note, 0);
}

/* Slurm and srun both send SIGTERM to a preempted rank, so a second one must not cut the save
 * short; a second Ctrl-C may. */
void scs_stop_signals_catch(void)
{
    handle(SIGTERM, note, 0);
    handle(SIGINT, note, (int)SA_RESETHAND);
    catch_notice();
}

/* After training or screening a job has nothing to save: these signals end it as they end others.
 */
void scs_stop_signals_release(void)
{
    handle(SIGTERM, SIG_DFL, 0);
    handle(SIGINT, SIG_DFL, 0);
    handle(SIGCONT, SIG_DFL, 0);
    handle(SIGTSTP, SIG_DFL, 0);
}

/* The name of the signal that asked, or NULL. */
static const char *signals_seen(void)
{
    switch (seen) {
    case SIGUSR1:
        return "SIGUSR1";
    case SIGTERM:
        return "SIGTERM";
    case SIGINT:
        return "SIGINT";
    case SIGCONT:
        return "the end of mpirun (SIGCONT)";
    default:
        return NULL;
    }
}

void scs_stop_say_how(const scs_session *session)
{
    scs_session_say(session,
                    "to stop: Ctrl-C, or touch %s/STOP; the same command then goes on from there",
                    session->config->output.dir);
}

/* Seconds before the end of a Slurm job in which all must be over. */
static const double slurm_margin = 60;

/* Nothing is looked at yet. */
scs_status scs_stop_request_open(const scs_session *session, scs_stop_request *request)
{
    *request = (scs_stop_request){.session = session};
    return scs_session_path(session, "STOP", request->stop_file, sizeof request->stop_file);
}

/* Once a second: a look at a shared file system may take a while. */
static bool stop_file_is_there(scs_stop_request *w, double t)
{
    if (w->looked > 0 && t - w->looked < 1)
        return false;
    w->looked = t;
    return access(w->stop_file, F_OK) == 0;
}

/* Slurm gives the end of a job in seconds since 1970. */
static bool slurm_ends(double margin)
{
    const char *text = getenv("SLURM_JOB_END_TIME");
    double end = text ? strtod(text, NULL) : 0;

    return end > 0 && (double)time(NULL) + slurm_margin + margin >= end;
}

/* Signals first: they cost nothing and are the most urgent. */
const char *scs_stop_request_reason(scs_stop_request *w, double margin)
{
    double hours = w->session->config->train.max_hours, t = scs_clock();

    if (signals_seen())
        return signals_seen();
    if (!scs_session_leads(w->session))
        return "";
    if (stop_file_is_there(w, t))
        return "the file STOP";
    if (hours > 0 && t - w->session->opened >= 3600 * hours)
        return "train.max_hours";
    return slurm_ends(margin) ? "the end of the Slurm job" : "";
}

/* By rank 0, which saw it. */
void scs_stop_request_done(const scs_stop_request *w)
{
    if (scs_session_leads(w->session))
        (void)unlink(w->stop_file);
}
