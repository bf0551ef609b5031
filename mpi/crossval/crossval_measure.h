/** The rows of one model: what every predictor makes of the combinations that it holds out, and
 * what that is worth.
 *
 *  v->value and v->source lie [combination, predictor] over all predictors of
 *  src/crossval/report.h, so each kind of model fills its own places; those of predictors that are
 *  not made stay 0 and "". */
#ifndef SCS_CROSSVAL_MEASURE_H
#define SCS_CROSSVAL_MEASURE_H

#include "mpi/crossval/crossval.h"

/** Room for a model's values and sources: v->value and v->source, replacing the last model's.
 * SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_crossval_measure_reserve(scs_validation *v, int64_t model);

/** Predict the model's combinations by the baselines and by what the session's model, of this kind,
 * makes, and measure them: their part of v->value (on the group's first rank) and v->source.
 * SCS_ENOMEM, SCS_EIO, SCS_ENUMERIC. Collective over the group.
 *  @param kind scs_model_kind of the session's model
 */
SCS_MUST_USE scs_status scs_crossval_measure(scs_validation *v, int64_t model, int kind);

#endif
