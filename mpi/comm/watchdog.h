/** A deadline for writing: a file system that hangs ends the job with exit code 74 and one line,
 * instead of holding its nodes until the time limit.
 *
 *  Collective writes of MPI-IO hang where one rank's part fails: seen with a full disk under both
 *  of Open MPI's implementations. A rank that waits in them cannot be told, so the process as a
 *  whole ends; files are complete only under their final name, so nothing is lost but the step.
 *
 *      scs_watchdog_begin(comm, path);
 *      st = write_together(...);
 *      scs_watchdog_step(comm, "flushing");
 *      st = flush(...);
 *      scs_watchdog_end(comm);             also after a failure
 *
 *  At most one deadline at a time in a communicator. All functions are Local, but (unless one rank
 *  writes alone) called alike on every rank.
 */
#ifndef SCS_WATCHDOG_H
#define SCS_WATCHDOG_H

#include "scscreen/comm.h"

/** From now until scs_watchdog_end each step must end within the communicator's deadline
 * (scs_comm_set_deadline), or the process ends with exit code 74; rank 0's line comes first, the
 * others end five seconds later without one. Nothing happens where the deadline is 0.
 *  @param file what is written, for the message
 */
void scs_watchdog_begin(scs_comm *comm, const char *file);
/** The same for what one rank writes while the others do something else: its line is its own. */
void scs_watchdog_begin_alone(scs_comm *comm, const char *file);
/** The step before is over, this one begins and has the whole time again.
 *  @param step "writing X", for the message */
void scs_watchdog_step(scs_comm *comm, const char *step);
/** All is written; waits for the thread, which ends at once. */
void scs_watchdog_end(scs_comm *comm);

#endif
