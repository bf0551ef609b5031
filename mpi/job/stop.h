/** What asks a job to end, and how it is noticed: signals (each rank its own), and for rank 0 the
 * clock, the end of the Slurm job and a file STOP. Whoever works in steps asks
 * scs_stop_request_reason between them and then saves; nothing is interrupted. All functions are
 * Local.
 */
#ifndef SCS_STOP_H
#define SCS_STOP_H

#include "mpi/job/session.h"

/* Order of use: scs_stop_signals_open once, first of all; around work that can be stopped
 * scs_stop_signals_catch and _release; within it scs_stop_request_reason between two steps, and
 * scs_stop_request_done once the work has been saved because of it. */

/** SIGUSR1, which ends a process by default, from now on asks for an end. Before MPI_Init, so that
 * none is lost. */
void scs_stop_signals_open(void);
/** SIGTERM and SIGINT ask as well, while there is something to save; a second SIGINT ends the
 * process at once. So does the SIGCONT with which Open MPI's mpirun begins to end a job: SIGTERM
 * and SIGKILL follow. */
void scs_stop_signals_catch(void);
/** They do again what they do by default. */
void scs_stop_signals_release(void);

/** One line on stderr on how to end the job and go on. */
void scs_stop_say_how(const scs_session *session);

/** What a job looks at. */
typedef struct scs_stop_request {
    const scs_session *session; /**< borrowed */
    char stop_file[4096];       /**< output.dir/STOP */
    double looked;              /**< for the STOP file, last; by scs_clock */
} scs_stop_request;

/** SCS_EARG where output.dir is too long.
 *  @param[out] request nothing to free */
SCS_MUST_USE scs_status scs_stop_request_open(const scs_session *session,
                                              scs_stop_request *request);
/** "SIGTERM" and the like, for the message; "" where nothing asks for an end. Rank 0 looks at clock
 * and file as well, every rank at its signals: so ranks may differ, and must agree before they
 * act. Static text.
 *  @param margin seconds that stopping itself may take; a Slurm job is ended a minute and these
 *    before its end
 */
const char *scs_stop_request_reason(scs_stop_request *request, double margin);
/** The file STOP has been obeyed and is removed: the same command shall not stop again. Rank 0;
 * nothing elsewhere. */
void scs_stop_request_done(const scs_stop_request *request);

#endif
