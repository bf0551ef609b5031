/** The ceiling of a validation: what a repeat of the experiment would score on every combination
 *  (src/crossval/replicate.h). */
#ifndef SCS_CROSSVAL_REPLICATE_H
#define SCS_CROSSVAL_REPLICATE_H

#include "mpi/crossval/crossval.h"

/** Fill v->replicate unless it is there: only a group that makes rows needs it. The session's
 * shards are read, however they are dealt. SCS_ENOMEM. Collective over the group. */
SCS_MUST_USE scs_status scs_crossval_replicate(scs_validation *v);

#endif
