#include "mpi/screen_rows.h"

#include "src/failure.h"

#include <stdlib.h>

static scs_status alloc_matrices(scs_result_rows *rows, const scs_session *s, bool errors)
{
    int64_t cells = rows->n * s->atlas->n_gene;

    SCS_TRY(SCS_ALLOC(rows->x, cells));
    SCS_TRY(SCS_ALLOC(rows->control, cells));
    SCS_TRY(SCS_ALLOC(rows->shift, cells));
    if (s->config->screen.variance)
        SCS_TRY(SCS_ALLOC(rows->variance, cells));
    if (errors)
        SCS_TRY(SCS_ALLOC(rows->shift_se, cells));
    return SCS_OK;
}

static scs_status rows_alloc(scs_result_rows *rows, const scs_session *s, bool errors)
{
    SCS_TRY(alloc_matrices(rows, s, errors));
    SCS_TRY(SCS_ALLOC(rows->delta, rows->n * s->atlas->n_latent));
    if (errors)
        SCS_TRY(SCS_ALLOC(rows->delta_se, rows->n * s->atlas->n_latent));
    SCS_TRY(SCS_ALLOC(rows->delta_norm, rows->n));
    SCS_TRY(SCS_ALLOC(rows->trust, rows->n));
    return SCS_ALLOC(rows->score, rows->n);
}

static scs_status alloc_top(scs_result_rows *rows, int64_t top_genes)
{
    SCS_TRY(SCS_ALLOC(rows->top_up, rows->n * top_genes));
    SCS_TRY(SCS_ALLOC(rows->top_down, rows->n * top_genes));
    SCS_TRY(SCS_ALLOC(rows->top_up_shift, rows->n * top_genes));
    return SCS_ALLOC(rows->top_down_shift, rows->n * top_genes);
}

static scs_status alloc_sets(scs_result_rows *rows, int64_t n_set)
{
    SCS_TRY(SCS_ALLOC(rows->set_score, rows->n * n_set));
    return SCS_ALLOC(rows->set_z, rows->n * n_set);
}

void scs_screen_rows_clear(scs_result_rows *rows)
{
    free(rows->x);
    free(rows->control);
    free(rows->shift);
    free(rows->variance);
    free(rows->shift_se);
    free(rows->delta);
    free(rows->delta_se);
    free(rows->top_up);
    free(rows->top_down);
    free(rows->top_up_shift);
    free(rows->top_down_shift);
    free(rows->set_score);
    free(rows->set_z);
    free(rows->delta_norm);
    free(rows->score);
    free(rows->trust);
    *rows = (scs_result_rows){0};
}

/* Controls decoded without a shift, once a group. */
static scs_status decode_still(const scs_row_job *j)
{
    int32_t n_group = j->session->atlas->n_group;
    scs_failure failed = {0};

    if (j->method->decode == SCS_DECODE_DECODE || !scs_session_has_latent(j->session))
        return SCS_OK;
#pragma omp parallel for schedule(dynamic)
    for (int32_t g = 0; g < n_group; g++)
        if (j->control_z[g])
            scs_failure_note(&failed, g, scs_row_decode(j, g, NULL, &j->still[g]));
    return scs_failure_raise(&failed);
}

static scs_status fill_rows(const scs_row_job *j)
{
    scs_failure failed = {0};

    SCS_TRY(decode_still(j));
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < j->rows->n; i++)
        scs_failure_note(&failed, i, scs_row_fill(j, i));
    return scs_failure_raise(&failed);
}

scs_status scs_screen_rows(const scs_row_job *job, int64_t first, int64_t n, scs_result_rows *rows)
{
    const scs_session *s = job->session;
    scs_row_job j = *job;
    scs_status status;

    j.rows = rows;
    j.still = NULL;
    *rows = (scs_result_rows){.first = first, .n = n};
    SCS_GO(status, rows_alloc(rows, s, job->bootstrap > 0));
    if (job->top_genes > 0)
        SCS_GO(status, alloc_top(rows, job->top_genes));
    if (job->gene_sets)
        SCS_GO(status, alloc_sets(rows, job->gene_sets->name.n));
    SCS_GO(status, SCS_ALLOC(j.still, s->atlas->n_group));
    SCS_GO(status, fill_rows(&j));
done:
    for (int32_t g = 0; j.still && g < s->atlas->n_group; g++)
        scs_moment_pair_clear(&j.still[g]);
    free(j.still);
    return status;
}
