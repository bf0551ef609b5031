/** Signals that ask training to save its state and end. All functions are Local. */
#ifndef SCS_STOP_H
#define SCS_STOP_H

#include "mpi/job/session.h"

/** SIGUSR1 no longer ends the process: from now on it asks for an end. */
void scs_signals_open(void);
/** SIGTERM and SIGINT ask as well; a second SIGINT ends the process at once. */
void scs_signals_catch(void);
/** SIGTERM and SIGINT end the process again, as they do by default. */
void scs_signals_release(void);

/* Whether somebody wants the job to end: a signal, the clock, the end of the Slurm job, a file
 * STOP. */

typedef struct scs_wishes {
    const scs_session *session;
    char stop_file[4096];
    double looked; /**< for the STOP file, last; by scs_clock */
} scs_wishes;

SCS_MUST_USE scs_status scs_wishes_open(const scs_session *session, scs_wishes *wishes);
/** "SIGTERM" and the like; "" where nobody wants anything. Rank 0 looks at clock and file as well,
 * every rank at its signals.
 *  @param margin seconds that stopping itself may take, beside a minute before the end of a Slurm
 * job */
const char *scs_wishes_reason(scs_wishes *wishes, double margin);
/** The file STOP has been obeyed: the same command shall not stop again. */
void scs_wishes_obeyed(const scs_wishes *wishes);

#endif
