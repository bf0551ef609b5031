/** Signals that ask training to save its state and end. All functions are Local. */
#ifndef SCS_STOP_H
#define SCS_STOP_H

#include "mpi/job/session.h"

/** SIGUSR1 no longer ends the process: from now on it asks for an end. */
void scs_stop_signals_open(void);
/** SIGTERM and SIGINT ask as well; a second SIGINT ends the process at once. */
void scs_stop_signals_catch(void);
/** SIGTERM and SIGINT end the process again, as they do by default. */
void scs_stop_signals_release(void);

/* Whether somebody wants the job to end: a signal, the clock, the end of the Slurm job, a file
 * STOP. */

typedef struct scs_stop_request {
    const scs_session *session;
    char stop_file[4096];
    double looked; /**< for the STOP file, last; by scs_clock */
} scs_stop_request;

SCS_MUST_USE scs_status scs_stop_request_open(const scs_session *session, scs_stop_request *wishes);
/** "SIGTERM" and the like; "" where nobody wants anything. Rank 0 looks at clock and file as well,
 * every rank at its signals.
 *  @param margin seconds that stopping itself may take, beside a minute before the end of a Slurm
 * job */
const char *scs_stop_request_reason(scs_stop_request *wishes, double margin);
/** The file STOP has been obeyed: the same command shall not stop again. */
void scs_stop_request_done(const scs_stop_request *wishes);

#endif
