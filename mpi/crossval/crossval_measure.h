/** crossval_measure */
#ifndef SCS_CROSSVAL_MEASURE_H
#define SCS_CROSSVAL_MEASURE_H

#include "mpi/crossval/crossval.h"

/** Room for a model's values and sources. Local. */
SCS_MUST_USE scs_status scs_crossval_measure_reserve(scs_validation *v, int64_t model);

/** Predict and measure them, by the baselines and what the session's model, of this kind, makes:
 * their part of v->value and v->source. Collective over the group. */
SCS_MUST_USE scs_status scs_crossval_measure(scs_validation *v, int64_t model, int kind);

#endif
