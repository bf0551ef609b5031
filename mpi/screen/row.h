/** The control cells that a screen's rows start from, made ready for many shifts. */
#ifndef SCS_ROW_H
#define SCS_ROW_H

#include "mpi/job/session.h"
#include "src/screen/cell_distance.h"
#include "src/screen/confidence.h"
#include "src/screen/decode_mean.h"

/** Those of a species and cell type. */
typedef struct scs_row_controls {
    int32_t group;
    scs_decode_mean_hidden
        *moving;             /**< where means go through the network's output layer, or NULL */
    scs_shifted_cells cells; /**< where there is a latent space */
    double *mean, *variance; /**< [n_gene] decoded without a shift, by the caller; or NULL */
    bool decoded;            /**< whether they hold something */
} scs_row_controls;

/** Of a block of rows; what the next block needs as well is kept. */
typedef struct scs_controls_list {
    scs_row_controls *item; /**< [n] */
    int32_t n;
} scs_controls_list;

/* One row of the screen, in place, in two steps: the shift, and what it means for the genes. */

/** Of one thread. */
typedef struct scs_row_work {
    scs_sources *sources;
    double *delta;     /**< [n_latent] */
    double *along;     /**< [SCS_MOST_SHIFTED] */
    scs_real *scratch; /**< of scs_decode_mean_hidden_run, or NULL */
    double *panel;     /**< of scs_decode_mean_genes_run, or NULL */
    double *change;    /**< [2, n_gene] the sources' own, of means and variances; or NULL */
} scs_row_work;

/** What rows are made from. */
typedef struct scs_row_job {
    const scs_session *session;
    const scs_method *method;
    const scs_plan *plan;
    scs_real *const *control_z;     /**< [n_group] */
    int64_t top_genes;              /**< to list, 0: none */
    int64_t bootstrap;              /**< replicates for errors, 0: none */
    const scs_gene_sets *gene_sets; /**< to score, or NULL */
    void (*idle)(void *ctx);        /**< called by the first thread now and then, or NULL */
    void *idle_ctx;
} scs_row_job;

/** Where a block's rows come together before they are results: one block after the other. */
typedef struct scs_row_block {
    const scs_row_job *job;
    int64_t most;       /**< rows of a block */
    scs_row_work *work; /**< [n_work] of each thread */
    int n_work;
    scs_decode_mean_genes *decoder; /**< NULL: rows are decoded one by one */
    scs_controls_list controls;     /**< of the rows in hand */
    scs_sources **sources;          /**< [most] of the rows in hand, once their shift is made; NULL
                                       where scs_row_finish asks for none */
    int32_t *of;                    /**< [most] into controls, -1: no prediction */
    int32_t *fresh;                 /**< [most] controls that are decoded with the rows */
    int32_t n_fresh;
    double *hidden;          /**< [2 most, n_hidden] mean hidden activations of rows, then of fresh
                                controls; or NULL */
    double *mean, *variance; /**< [2 most, n_gene] decoded; NULL where not wanted */
    scs_result_rows *rows;   /**< in hand */
} scs_row_block;

/* A block of rows of the screen. */

/** Arrays for rows->n rows of every field. Clear them even after a failure. Local. */
SCS_MUST_USE scs_status scs_row_results_alloc(const scs_row_job *job, scs_result_rows *rows);
void scs_row_results_clear(scs_result_rows *rows);
/** Room for blocks of at most so many rows, and for every thread. Clear it even after a failure.
 * Local. @param job borrowed */
SCS_MUST_USE scs_status scs_row_block_make(const scs_row_job *job, int64_t most,
                                           scs_row_block *block);
void scs_row_block_clear(scs_row_block *block);
/** Predict, score and judge rows [rows->first, + n) of the plan, one row a thread at a time; no
 * number depends on which, nor on what else is in the block. Local. */
SCS_MUST_USE scs_status scs_row_make_all(scs_row_block *block, scs_result_rows *rows);

#endif
