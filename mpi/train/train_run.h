/** train_run */
#ifndef SCS_TRAIN_RUN_H
#define SCS_TRAIN_RUN_H

#include "mpi/job/session.h"

/** Train unless the weights were loaded. SCS_ESTOP: as asked, with the state saved. Collective. */
SCS_MUST_USE scs_status scs_train_run(scs_session *session);

/** The state of training is not needed any more. Collective. */
SCS_MUST_USE scs_status scs_train_run_drop_state(scs_session *session);

#endif
