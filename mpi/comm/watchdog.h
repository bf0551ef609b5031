/** A deadline around writing together: a file system that hangs ends the job with one line instead
 * of holding it until its time is over. All functions are Local, but (unless one
 * writes alone) called alike on every rank. */
#ifndef SCS_WATCHDOG_H
#define SCS_WATCHDOG_H

#include "scscreen/comm.h"

/** From now until scs_watchdog_end each step must end within the communicator's deadline
 * (scs_comm_set_deadline), or the process ends with exit code 74; rank 0 says so first.
 *  @param file what is written, for the message */
void scs_watchdog_begin(scs_comm *comm, const char *file);
/** The same for what a rank writes while the others do something else: it speaks for itself. */
void scs_watchdog_begin_alone(scs_comm *comm, const char *file);
/** The step before is over, this one begins. @param step "writing X" */
void scs_watchdog_step(scs_comm *comm, const char *step);
void scs_watchdog_end(scs_comm *comm);

#endif
