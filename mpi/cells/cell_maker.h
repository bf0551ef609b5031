/** Making the cells of one combination of a plan after the other: their mean, their templates and
 *  donors, and then any of them. `predict` writes them, a screen with screen.de tests them.
 *
 *      SCS_TRY(scs_cell_maker_create(session, &method, &maker));
 *      ... a plan whose rows have donors (scs_cell_maker_donors)
 *      SCS_TRY(scs_cell_maker_open(maker, plan, control_z));
 *      for each row: SCS_TRY(scs_cell_maker_row(maker, i, &row));
 *                    SCS_TRY(scs_cell_maker_prepare(maker, &row));
 *                    SCS_TRY(scs_cell_maker_make(maker, first, n)): maker->cells
 *      scs_cell_maker_destroy(&maker);
 */
#ifndef SCS_CELL_MAKER_H
#define SCS_CELL_MAKER_H

#include "mpi/cells/own_cells.h"
#include "mpi/screen/row.h"
#include "src/cells/donors.h"
#include "src/cells/recipe.h"

/** Cells that are made at once, at most. */
enum { SCS_CELL_MAKER_MOST = 4096 };

/** One combination's cells. */
typedef struct scs_cell_row {
    int64_t at;                  /**< row of the plan */
    const scs_combination *item; /**< borrowed */
    int64_t n;                   /**< predicted cells */
    uint64_t key;                /**< of their random numbers */
    int64_t *control;            /**< [n_control] numbers of its control cells among all of the
                                    inputs', or of predict.from; owned */
    int64_t n_control;
} scs_cell_row;

/** What the cells of the combination in hand are made of, in the order in which it comes to be. */
typedef struct scs_cell_parts {
    const scs_cell_row *row;
    scs_donors donors;
    const scs_count_group *control;
    int32_t *group;                 /**< donors, then control unless it is the user's own */
    const double **cpm;             /**< [2 donors.n] of donors, then of their controls */
    double *control_cpm;            /**< [donors.n, n_gene] */
    const scs_count_group **counts; /**< [donors.n] */
    double *mean, *made_with;       /**< [n_gene] wanted; what cells are made with to have it */
    int64_t *sum;                   /**< [n_gene + 1] of cells made on trial, and their counts */
    scs_recipe *recipe;
} scs_cell_parts;

typedef struct scs_cell_maker {
    const scs_session *session; /**< borrowed, as method and plan */
    const scs_method *method;
    scs_method closeness; /**< by which donors are chosen, and a change's noise is judged */
    scs_sources *sources;
    const scs_plan *plan;
    bool observed; /**< cells have the mean of the combination's own (predict.mean) */
    scs_counts counts;
    bool borrowed;             /**< counts are the caller's */
    scs_own_cells own;         /**< where predict.from names some */
    scs_count_group own_group; /**< those of the combination in hand, or of the one before */
    float *own_mean;           /**< [n_gene] of these */
    scs_row_job job;
    scs_row_block block;   /**< rank 0 */
    scs_result_rows rows;  /**< one row; its shift on all ranks */
    scs_count_group *kept; /**< [n_kept] counts of the combination in hand, or the one before */
    int32_t n_kept;
    scs_cell_parts now;
    scs_cell_block cells; /**< that were made last */
} scs_cell_maker;

/** What needs no plan. SCS_ENOMEM. Local. @param[out] maker caller destroys, also after a failure
 */
SCS_MUST_USE scs_status scs_cell_maker_create(const scs_session *session, const scs_method *method,
                                              scs_cell_maker **maker);
/** Sources of a combination's shift, and those of them whose cells can be taken from: n = 0: there
 *  are none, or with predict.mean: observed its own cells are not there. SCS_ENOMEM. Local, alike
 *  on all ranks. @param[out] donors caller clears, also after a failure */
SCS_MUST_USE scs_status scs_cell_maker_donors(scs_cell_maker *maker, const scs_combination *item,
                                              scs_donors *donors);
/** Read the counts. SCS_EDATA: there are none; SCS_EIO, SCS_ENOMEM. Collective.
 *  @param counts read already and borrowed, or NULL
 *  @param plan, control_z borrowed: latent cells of each control group [n_group], on rank 0 */
SCS_MUST_USE scs_status scs_cell_maker_open(scs_cell_maker *maker, const scs_plan *plan,
                                            scs_real *const *control_z, const scs_counts *counts);
/** How many cells, with which numbers, from which controls. SCS_EDATA: predict.from has none of the
 *  type. Local, alike on all ranks. @param[out] row caller frees row->control */
SCS_MUST_USE scs_status scs_cell_maker_row(const scs_cell_maker *maker, int64_t i,
                                           scs_cell_row *row);
/** Take a combination in hand. SCS_EIO, SCS_ENOMEM. Collective. @param row borrowed until the next
 */
SCS_MUST_USE scs_status scs_cell_maker_prepare(scs_cell_maker *maker, const scs_cell_row *row);
/** This rank's part of cells [at, at + n) of the combination in hand, n at most
 *  SCS_CELL_MAKER_MOST: ranks' parts follow each other and begin at multiples of
 *  SCS_CELL_VALUES_TILE from `at`. SCS_ENOMEM, SCS_EDATA. Local. */
SCS_MUST_USE scs_status scs_cell_maker_share(scs_cell_maker *maker, int64_t at, int64_t n);
/** Cells [first, first + n) of the combination in hand on this rank. Errors likewise. Local. */
SCS_MUST_USE scs_status scs_cell_maker_make(scs_cell_maker *maker, int64_t first, int64_t n);
/** Free all; NULL is let through. */
void scs_cell_maker_destroy(scs_cell_maker **maker);

#endif
