/** screen.h5ad: the result as an AnnData (see README, "The result file"). All functions here are
 * Local; mpi/ writes the rows of all ranks collectively into the skeleton. */
#ifndef SCSCREEN_RESULT_H
#define SCSCREEN_RESULT_H

#include "scscreen/screen.h"

/** One entry of uns/scscreen. */
typedef struct scs_fact {
    const char *key;
    const char *text; /**< NULL: a number */
    double number;
} scs_fact;

/** Everything the skeleton needs; borrowed. */
typedef struct scs_result_head {
    const scs_atlas *atlas;
    const scs_plan *plan;
    bool variance;        /**< layers/variance is there */
    const scs_fact *fact; /**< [n_fact] provenance */
    int32_t n_fact;
} scs_result_head;

/** A numeric dataset that rows are written into. */
typedef struct scs_result_field {
    const char *path; /**< "X", "layers/control", "obsm/delta", "obs/r2_all", ... */
    bool is_double;   /**< float64, else float32 */
    int64_t cols;     /**< 0: a vector over rows */
} scs_result_field;

/** One rank's rows of every field. */
typedef struct scs_result_rows {
    int64_t first, n;                      /**< rows [first, first + n) of the plan */
    float *x, *control, *shift, *variance; /**< [n, n_gene]; variance may be NULL */
    float *delta;                          /**< [n, n_latent] */
    double *delta_norm;                    /**< [n] Euclidean norm */
    scs_scores *score;                     /**< [n] */
} scs_result_rows;

/** The fields of a result, in writing order. @param[out] field [SCS_RESULT_FIELDS]  @return how
 * many */
enum { SCS_RESULT_FIELDS = 16 };
int32_t scs_result_fields(const scs_result_head *head, scs_result_field *field);
/** Pointer to row `row` (0 .. rows->n) of a field as it is written; scores are gathered into
 * scratch [n] when needed. */
const void *scs_result_data(const scs_result_rows *rows, const scs_result_field *field,
                            double *scratch);

/** Write the skeleton to `temp` (created with O_EXCL): strings, categories, obs keys, n_control,
 * n_observed, held_out, uns; numeric fields contiguous, allocated early, never filled; then the
 * file's full size is reserved (posix_fallocate). SCS_ECREATE on a full disk, nothing is left
 * behind. */
SCS_MUST_USE scs_status scs_result_skeleton(const char *temp, const scs_result_head *head);
/** fsync, rename temp to path, fsync the folder. */
SCS_MUST_USE scs_status scs_result_commit(const char *temp, const char *path);

/** The table of held-out combinations (or of all scored ones) on `out`, scores beside the no-change
 * baseline.
 *  @param score [plan->n] */
void scs_result_table(FILE *out, const scs_atlas *atlas, const scs_plan *plan,
                      const scs_scores *score, bool held_out_only);

#endif
