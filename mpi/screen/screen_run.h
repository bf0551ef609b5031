/** screen_run */
#ifndef SCS_SCREEN_RUN_H
#define SCS_SCREEN_RUN_H

#include "mpi/job/session.h"

/** Whether the screen section selects rows of these data (names, globs, the file of combinations):
 * before training. Collective. */
SCS_MUST_USE scs_status scs_screen_run_check(const scs_session *session);

/** Predict, write output.dir/screen.h5ad, print the table. Collective. */
SCS_MUST_USE scs_status scs_screen_run(scs_session *session);

#endif
