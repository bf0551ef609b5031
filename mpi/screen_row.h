/** One row of the screen, in place. */
#ifndef SCS_SCREEN_ROW_H
#define SCS_SCREEN_ROW_H

#include "mpi/session.h"
#include "scscreen/trust.h"

/** Means and variances (NULL where not wanted) over genes. */
typedef struct scs_moment_pair {
    double *mean, *variance; /**< owned */
} scs_moment_pair;
void scs_moment_pair_clear(scs_moment_pair *m);

/** The rows of one rank, and what they are made from. */
typedef struct scs_row_job {
    const scs_session *session;
    const scs_method *method;
    const scs_plan *plan;
    scs_real *const *control_z;      /**< [n_group] */
    int64_t top_genes;               /**< to list, 0: none */
    int64_t bootstrap;               /**< replicates for errors, 0: none */
    const scs_gene_sets *gene_sets;  /**< to score, or NULL */
    const double *p_value, *q_value; /**< [plan->n], or NULL: none */
    scs_result_rows *rows;
    scs_moment_pair *still; /**< [n_group] decoded controls, where rows need them (edit, blend) */
} scs_row_job;

/** Decode a group's control cells, moved by delta (NULL: as they are). @param[out] out allocated
 * here */
SCS_MUST_USE scs_status scs_row_decode(const scs_row_job *job, int32_t group, const double *delta,
                                       scs_moment_pair *out);
/** Fill row i of job->rows; rows that cannot be predicted hold NaN. Local. */
SCS_MUST_USE scs_status scs_row_fill(const scs_row_job *job, int64_t i);

#endif
