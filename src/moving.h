/** Cells made ready to be moved by many shifts: what no shift changes is computed once. Local. */
#ifndef SCS_MOVING_H
#define SCS_MOVING_H

#include "scscreen/model.h"

typedef struct scs_moving scs_moving;

/** @param z [n, n_latent], n > 0 (SCS_EARG); borrowed, as model
 *  @param tiles products of hidden layers by src/tiles.h where the processor has them, else BLAS */
SCS_MUST_USE scs_status scs_moving_create(const scs_model *model, const scs_real *z, int64_t n,
                                          bool tiles, scs_moving **moving);
void scs_moving_destroy(scs_moving **moving);
/** Mean over the cells of the decoder's last hidden activations at z + delta. The same for many
 * threads at once, each with a scratch of its own.
 *  @param delta [n_latent] or NULL  @param scratch [scs_moving_scratch]
 *  @param[out] mean [n_hidden] */
void scs_moving_mean(const scs_moving *moving, const double *delta, scs_real *scratch,
                     double *mean);
int64_t scs_moving_scratch(const scs_model *model);

#endif
