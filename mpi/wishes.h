/** Whether somebody wants the job to end: a signal, the clock, the end of the Slurm job, a file
 * STOP. All functions are Local. */
#ifndef SCS_WISHES_H
#define SCS_WISHES_H

#include "mpi/session.h"

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
