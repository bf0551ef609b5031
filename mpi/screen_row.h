/** One row of the screen, in place, in two steps: the shift, and what it means for the genes. */
#ifndef SCS_SCREEN_ROW_H
#define SCS_SCREEN_ROW_H

#include "mpi/screen_controls.h"
#include "src/trust.h"
#include "src/mean_decoder.h"

/** Of one thread. */
typedef struct scs_row_work {
    scs_sources *sources;
    double *delta;     /**< [n_latent] */
    double *along;     /**< [SCS_MOST_MOVED] */
    scs_real *scratch; /**< of scs_moving_mean, or NULL */
    double *panel;     /**< of scs_mean_decoder_run, or NULL */
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
    scs_mean_decoder *decoder;  /**< NULL: rows are decoded one by one */
    scs_controls_list controls; /**< of the rows in hand */
    scs_sources **sources;      /**< [most] of the rows in hand, once their shift is made; NULL
                                   where scs_row_finish asks for none */
    int32_t *of;                /**< [most] into controls, -1: no prediction */
    int32_t *fresh;             /**< [most] controls that are decoded with the rows */
    int32_t n_fresh;
    double *hidden;          /**< [2 most, n_hidden] mean hidden activations of rows, then of fresh
                                controls; or NULL */
    double *mean, *variance; /**< [2 most, n_gene] decoded; NULL where not wanted */
    scs_result_rows *rows;   /**< in hand */
} scs_row_block;

SCS_MUST_USE scs_status scs_row_work_make(const scs_row_job *job, scs_row_work *work);
void scs_row_work_clear(scs_row_work *work);

/** Whether rows need the sources of their shift once more after they are decoded. */
bool scs_row_keeps_sources(const scs_row_job *job);
/** Whether means go through the output layer for a whole block at once. */
bool scs_row_is_linear(const scs_row_job *job);
/** Row i of the block: its shift and how far to trust it; its hidden mean, or its decoded mean and
 * variance. Local. */
SCS_MUST_USE scs_status scs_row_shift(const scs_row_block *block, int64_t i, scs_row_work *work);
/** Once its mean is decoded: prediction, scores, errors, lists. A row that cannot be predicted
 * holds NaN. Local. */
SCS_MUST_USE scs_status scs_row_finish(const scs_row_block *block, int64_t i, scs_row_work *work);

#endif
