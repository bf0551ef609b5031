/** The control cells that a screen's rows start from, made ready for many shifts. */
#ifndef SCS_SCREEN_CONTROLS_H
#define SCS_SCREEN_CONTROLS_H

#include "mpi/session.h"
#include "src/cell_distance.h"
#include "src/moving.h"

/** Those of a species and cell type. */
typedef struct scs_row_controls {
    int32_t group;
    scs_moving *moving;      /**< where means go through the network's output layer, or NULL */
    scs_moved_cells cells;   /**< where there is a latent space */
    double *mean, *variance; /**< [n_gene] decoded without a shift, by the caller; or NULL */
    bool decoded;            /**< whether they hold something */
} scs_row_controls;

/** Of a block of rows; what the next block needs as well is kept. */
typedef struct scs_controls_list {
    scs_row_controls *item; /**< [n] */
    int32_t n;
} scs_controls_list;

/** What a group's cells are made ready for. */
typedef struct scs_controls_want {
    const scs_session *session;
    scs_real *const *control_z; /**< [n_group] */
    bool linear;                /**< moving */
    int products;               /**< of it: scs_products */
    bool variance;              /**< room for it, as for the mean */
} scs_controls_want;

/** The list becomes that of these groups: cells that it has stay as they are, the others are made
 * ready or dropped. Local. @param group [n] */
SCS_MUST_USE scs_status scs_controls_change(scs_controls_list *list, const scs_controls_want *want,
                                            const int32_t *group, int32_t n);
void scs_controls_clear(scs_controls_list *list);

#endif
