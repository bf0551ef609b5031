/** Rows of the screen: predicted, scored and judged, a block at a time, by the threads of one rank.
 *
 *  Every row is made in two steps, the shift and what it means for the genes, with one product
 *  between them for the whole block: the hidden means of all rows through the output layer ([2
 *  rows, n_hidden] x [n_hidden, n_gene]), instead of a product for each row. No cell is decoded.
 *  What does not depend on the shift is kept from block to block: the control cells made ready, and
 *  their decoded means; plans order rows by species and type, so that a block has few of them.
 *
 *      SCS_TRY(scs_row_block_make(&job, most, &block));
 *      SCS_TRY(scs_row_results_alloc(&job, &rows));           rows.n = most
 *      for each block of rows: rows.first, rows.n = ...; SCS_TRY(scs_row_make_all(&block, &rows));
 *      scs_row_results_clear(&rows);
 *      scs_row_block_clear(&block);
 *
 *  No number of a row depends on the thread, on the rank, or on what else is in the block (but for
 *  last bits, where sources are thousands of groups and many rows' are summed at once). All
 *  functions are Local.
 */
#ifndef SCS_ROW_H
#define SCS_ROW_H

#include "mpi/job/session.h"
#include "src/screen/cell_distance.h"
#include "src/screen/confidence.h"
#include "src/screen/decode_mean.h"
#include "src/screen/mixed_sums.h"

/** The control cells of a species and type, made ready for many shifts. */
typedef struct scs_row_controls {
    int32_t group;                  /**< in the atlas; -1: none */
    scs_decode_mean_hidden *hidden; /**< mean hidden activations under a shift, where means go
                                       through the network's output layer at once; or NULL */
    scs_shifted_cells cells;        /**< where there is a latent space */
    double *mean, *variance;        /**< [n_gene] decoded without a shift, by the caller; or NULL */
    bool decoded;                   /**< whether they hold something */
} scs_row_controls;

/** Those of a block of rows, in the order in which the rows need them. */
typedef struct scs_controls_list {
    scs_row_controls *item; /**< [n] */
    int32_t n;
} scs_controls_list;

/** Scratch of one thread, reused from row to row. */
typedef struct scs_row_work {
    scs_sources *sources;
    double *delta;     /**< [n_latent] */
    double *along;     /**< [SCS_MOST_MOVED] scratch of the energy distance */
    scs_real *scratch; /**< of scs_decode_mean_hidden_run, or NULL */
    double *panel;     /**< of scs_decode_mean_genes_run, or NULL */
    double *change;    /**< [2, n_gene] the sources' own, of means and variances; or NULL */
} scs_row_work;

/** What rows are made from. Everything is borrowed and not changed while rows are made. */
typedef struct scs_row_job {
    const scs_session *session;
    const scs_method *method;
    const scs_plan *plan;
    scs_real *const
        *control_z;    /**< [n_group] latent cells of each control group that a row needs */
    int64_t top_genes; /**< to list, 0: none */
    int64_t bootstrap; /**< replicates for errors, 0: none */
    bool errors;       /**< shift_se is wanted: by the bootstrap, else by the mixed model */
    const scs_gene_sets *gene_sets; /**< to score, or NULL */
    void (*idle)(void *ctx); /**< called by the first thread between rows, or NULL: rank 0 lets
                                others' requests through */
    void *idle_ctx;
} scs_row_job;

/** Where a block's rows are in work, before they are results: one block after the other. */
typedef struct scs_row_block {
    const scs_row_job *job;
    int64_t most;       /**< rows of a block, at most */
    scs_row_work *work; /**< [n_work] of each thread */
    int n_work;
    scs_decode_mean_genes *decoder; /**< NULL: rows are decoded one by one */
    scs_controls_list controls;     /**< of the rows in hand */
    int64_t slice;                  /**< rows that go through all steps together, at most */
    int64_t from, to;               /**< of the block's rows those in hand */
    scs_sources **sources;          /**< [slice] of the rows in hand, once their shift is made; NULL
                                       where scs_row_finish asks for none */
    int32_t *of;                    /**< [most] index into controls, -1: no prediction */
    int32_t *fresh;                 /**< [most] controls that are decoded with the rows */
    int32_t n_fresh;
    double *hidden;          /**< [2 most, n_hidden] mean hidden activations of rows, then of fresh
                                controls; or NULL */
    double *mean, *variance; /**< [2 most, n_gene] decoded; NULL where not wanted */
    scs_mixed_split *split;  /**< [slice] of the sources' weights, or NULL: these are few */
    scs_mixed_sums *of_latent, *of_mean, *of_variance; /**< what sums are made by; NULL where not
                                                          wanted, of_latent in gene space too */
    double *delta;                                     /**< [slice, n_latent] shifts, or NULL */
    double *change, *variance_change; /**< [slice, n_gene] sums of means and variances, or NULL */
    float *weight;                    /**< [slice, n_group] of variances, for `sampled`; or NULL */
    double *sampled;                  /**< [slice, n_gene] their sums: sampling variance, or NULL */
    scs_result_rows *rows;            /**< in hand */
} scs_row_block;

/** Arrays for rows->n rows of every field that the job fills; shapes as in scs_result_rows.
 * SCS_ENOMEM; clear them even then. */
SCS_MUST_USE scs_status scs_row_results_alloc(const scs_row_job *job, scs_result_rows *rows);
/** Free what alloc has made. */
void scs_row_results_clear(scs_result_rows *rows);
/** Room for blocks of at most so many rows, and for every thread. SCS_ENOMEM; clear it even then.
 * @param job borrowed */
SCS_MUST_USE scs_status scs_row_block_make(const scs_row_job *job, int64_t most,
                                           scs_row_block *block);
/** Free all, controls that were kept among it. */
void scs_row_block_clear(scs_row_block *block);
/** Predict, score and judge rows [rows->first, + n) of the plan, one row a thread at a time.
 * SCS_ENOMEM, SCS_ENUMERIC; of several rows' failures the lowest row's.
 *  @param[in,out] rows first and n are set, n <= block->most; arrays of scs_row_results_alloc are
 *    filled
 */
SCS_MUST_USE scs_status scs_row_make_all(scs_row_block *block, scs_result_rows *rows);

#endif
