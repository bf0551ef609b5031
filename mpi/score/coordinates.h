/** Where every cell of a panel stands among its real cells: src/score/cell_space.h, with the genes
 *  that each rank has.
 */
#ifndef SCS_COORDINATES_H
#define SCS_COORDINATES_H

#include "scscreen/comm.h"
#include "src/score/cell_space.h"
#include "src/score/gene_stats.h"

/** What coordinates are made from. Borrowed. */
typedef struct scs_coordinates_input {
    scs_comm *comm;
    const scs_panel *panel;
    const scs_packed *share;     /**< [panel->n_cell, genes of this rank] counts */
    const scs_levels *levels;    /**< of them */
    const int64_t *gene0;        /**< [n_rank + 1] genes of each rank */
    const scs_contrast *real;    /**< the panel's own groups ... */
    const scs_gene_stats *stats; /**< ... and their numbers, of the genes of this rank */
} scs_coordinates_input;

/** SCS_ENUMERIC, SCS_ENOMEM, SCS_EIO. Collective.
 *  @param wanted components, > 0
 *  @param[out] space caller clears, also after a failure; without components where there is none
 *  @param[out] at [panel->n_cell, components] alike on all ranks, malloc'ed; cells that are in no
 *              group are left out. NULL where there is no space */
SCS_MUST_USE scs_status scs_coordinates_make(const scs_coordinates_input *input, int32_t wanted,
                                             scs_cell_space *space, double **at);

#endif
