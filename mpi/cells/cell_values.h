/** What follows from the counts of predicted cells: values scaled and logged as the inputs', and
 *  latent coordinates. All functions are Local. */
#ifndef SCS_CELL_VALUES_H
#define SCS_CELL_VALUES_H

#include "mpi/job/session.h"
#include "src/cells/recipe.h"

/** Cells that are encoded at once. Products of matrices round by their shape, so ranks' parts of a
 *  combination begin at multiples of this: latent coordinates are then the same on any number. */
enum { SCS_CELL_VALUES_TILE = 64 };

/** log1p(count x scaled_to / library). @param[out] value [nnz of the block] */
void scs_cell_values_log(const scs_session *session, const scs_cell_block *block, float *value);
/** Posterior means, or coordinates of principal components. SCS_ENOMEM.
 *  @param      block first is a multiple of SCS_CELL_VALUES_TILE
 *  @param[out] z     [block->n, scs_session_model_n_latent] */
SCS_MUST_USE scs_status scs_cell_values_latent(const scs_session *session,
                                               const scs_cell_block *block, scs_real *z);

#endif
