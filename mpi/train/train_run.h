/** Training as a step of a job: from the start or from a saved state, with progress, events.jsonl,
 * saves and stops around scs_train (scscreen/train.h). */
#ifndef SCS_TRAIN_RUN_H
#define SCS_TRAIN_RUN_H

#include "mpi/job/session.h"

/** Train session->model on session->shard, unless the weights were loaded (then nothing is done).
 * Collective.
 *  @return SCS_OK; SCS_ESTOP: stopped as asked, with the state saved; SCS_EDATA: session->state
 *    belongs to other data; SCS_ECREATE, SCS_EIO: events.jsonl, or the state of a stop, could not
 *    be written; SCS_ENUMERIC: NaN or Inf, the last state stays
 */
SCS_MUST_USE scs_status scs_train_run(scs_session *session);

/** Whether training could begin: batch, shards and cells fit, and session->state belongs to these
 * data. Nothing is written. SCS_EARG, SCS_EDATA. Collective. */
SCS_MUST_USE scs_status scs_train_run_check(const scs_session *session);
/** Train some steps for some seconds, to see what they cost; the model's weights change, nothing is
 * written. Errors of scs_train. Collective.
 *  @param[out] seconds a step took, by this rank's clock; NaN: a single step is all there is
 *  @param[out] tried, steps that were made; steps of an epoch */
SCS_MUST_USE scs_status scs_train_run_try(scs_session *session, double *seconds, int64_t *tried,
                                          int64_t *steps);

/** A line where train.batch is more than there are cells to train on; session->deal is there.
 * Local, called anywhere. */
void scs_train_run_note_batch(const scs_session *session);

/** The state of training is not needed any more: rank 0 removes both files. SCS_EIO. Collective. */
SCS_MUST_USE scs_status scs_train_run_drop_state(scs_session *session);

#endif
