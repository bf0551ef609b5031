/** Measures of predicted cells, where validate.cells asks for them: cells of each held-out
 *  combination are made as `predict` makes them and scored by the real ones as `score` does. */
#ifndef SCS_CROSSVAL_CELLS_H
#define SCS_CROSSVAL_CELLS_H

#include "mpi/crossval/crossval.h"

/** The rows of model `model`: of the predictor that a screen with this config would use, and of no
 *  change, whose cells are the controls. The others have no cells. Nothing where validate.cells is
 *  off. After scs_crossval_measure of the config's own kind, whose atlas and latent cells are
 *  there. Collective over the group. */
SCS_MUST_USE scs_status scs_crossval_cells(scs_validation *v, int64_t model);

#endif
