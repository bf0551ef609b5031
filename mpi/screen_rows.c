#include "mpi/screen_rows.h"

#include "src/failure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Means and variances (NULL where not wanted) of decoded cells. */
typedef struct moments {
    double *mean, *variance;
} moments;

typedef struct job {
    const scs_session *session;
    const scs_method *method;
    const scs_plan *plan;
    scs_real *const *control_z;
    scs_result_rows *rows;
    moments *still; /* [n_group] decoded controls, where rows need them (edit, blend) */
} job;

static scs_status moments_alloc(moments *m, int32_t n_gene, bool variance)
{
    SCS_TRY(SCS_ALLOC(m->mean, n_gene));
    if (variance)
        SCS_TRY(SCS_ALLOC(m->variance, n_gene));
    return SCS_OK;
}

static void moments_clear(moments *m)
{
    free(m->mean);
    free(m->variance);
    *m = (moments){0};
}

static scs_status decode_controls(const job *j, int32_t group, const double *delta, moments *out)
{
    const scs_session *s = j->session;

    SCS_TRY(moments_alloc(out, s->atlas->n_gene, s->config->screen.variance));
    return scs_session_decode(s, j->control_z[group], s->atlas->group[group].count, delta,
                              out->mean, out->variance);
}

static scs_moments view(const moments *m)
{
    return (scs_moments){m->mean, m->variance};
}

/* The sources' own change of means and variances. */
static scs_status gene_change(const job *j, const scs_sources *sources, moments *out)
{
    const scs_atlas *a = j->session->atlas;

    SCS_TRY(moments_alloc(out, a->n_gene, j->session->config->screen.variance));
    scs_sources_genes(a, sources, a->gene_mean, out->mean);
    if (out->variance)
        scs_sources_genes(a, sources, a->gene_variance, out->variance);
    return SCS_OK;
}

static void keep_delta(const job *j, int64_t i, const double *delta)
{
    int32_t n_latent = j->session->atlas->n_latent;
    double norm = 0;

    for (int32_t k = 0; k < n_latent; k++) {
        j->rows->delta[i * n_latent + k] = (float)delta[k];
        norm += delta[k] * delta[k];
    }
    j->rows->delta_norm[i] = sqrt(norm);
}

/* A row from its shift and what the cells of its groups look like. */
static scs_status decode_row(const job *j, int64_t i, const scs_sources *sources,
                             const double *delta)
{
    const scs_session *s = j->session;
    const scs_atlas *a = s->atlas;
    scs_result_rows *rows = j->rows;
    const scs_combination *target = &j->plan->item[rows->first + i];
    int32_t group = target->control_group;
    int64_t genes = a->n_gene;
    moments moved = {0}, change = {0};
    scs_evidence from = {.control_mean = a->gene_mean + group * genes,
                         .control_variance = a->gene_variance + group * genes,
                         .still = view(&j->still[group])};
    scs_prediction out = {.mean = rows->x + i * genes,
                          .shift = rows->shift + i * genes,
                          .variance = rows->variance ? rows->variance + i * genes : NULL};
    scs_status status;

    if (scs_session_has_latent(s))
        SCS_GO(status, decode_controls(j, group, delta, &moved));
    if (j->method->decode == SCS_DECODE_BLEND)
        SCS_GO(status, gene_change(j, sources, &change));
    from.moved = view(&moved);
    from.change = view(&change);
    memcpy(rows->control + i * genes, from.control_mean, (size_t)genes * sizeof(float));
    scs_predict(j->method, a->n_gene, &from, &out);
    rows->score[i] = scs_score(a, target, &out);
done:
    moments_clear(&change);
    moments_clear(&moved);
    return status;
}

static scs_status predict_row(const job *j, int64_t i)
{
    const scs_atlas *a = j->session->atlas;
    scs_sources *sources = NULL;
    double *delta = NULL;
    scs_status status;

    SCS_GO(status, scs_sources_create(a, &sources));
    SCS_GO(status, SCS_ALLOC(delta, a->n_latent));
    SCS_GO(status, scs_sources_find(a, j->method, &j->plan->item[j->rows->first + i], sources));
    scs_sources_shift(a, sources, delta);
    keep_delta(j, i, delta);
    SCS_GO(status, decode_row(j, i, sources, delta));
done:
    free(delta);
    scs_sources_destroy(&sources);
    return status;
}

static void fill_nan(float *row, int64_t n)
{
    for (int64_t g = 0; row && g < n; g++)
        row[g] = NAN;
}

/* Nothing is guessed; the controls are shown where there are any. */
static void leave_row(const job *j, int64_t i)
{
    const scs_atlas *a = j->session->atlas;
    const scs_combination *target = &j->plan->item[j->rows->first + i];
    int64_t genes = a->n_gene;

    fill_nan(j->rows->x + i * genes, genes);
    fill_nan(j->rows->shift + i * genes, genes);
    fill_nan(j->rows->control + i * genes, genes);
    if (j->rows->variance)
        fill_nan(j->rows->variance + i * genes, genes);
    if (target->control_group >= 0)
        memcpy(j->rows->control + i * genes, a->gene_mean + target->control_group * genes,
               (size_t)genes * sizeof(float));
    fill_nan(j->rows->delta + i * a->n_latent, a->n_latent);
    j->rows->delta_norm[i] = NAN;
    j->rows->score[i] = scs_no_scores();
}

static scs_status rows_alloc(scs_result_rows *rows, const scs_atlas *a, bool variance)
{
    int64_t cells = rows->n * a->n_gene;

    SCS_TRY(SCS_ALLOC(rows->x, cells));
    SCS_TRY(SCS_ALLOC(rows->control, cells));
    SCS_TRY(SCS_ALLOC(rows->shift, cells));
    if (variance)
        SCS_TRY(SCS_ALLOC(rows->variance, cells));
    SCS_TRY(SCS_ALLOC(rows->delta, rows->n * a->n_latent));
    SCS_TRY(SCS_ALLOC(rows->delta_norm, rows->n));
    return SCS_ALLOC(rows->score, rows->n);
}

void scs_screen_rows_clear(scs_result_rows *rows)
{
    free(rows->x);
    free(rows->control);
    free(rows->shift);
    free(rows->variance);
    free(rows->delta);
    free(rows->delta_norm);
    free(rows->score);
    *rows = (scs_result_rows){0};
}

/* Controls decoded without a shift, once a group. */
static scs_status decode_still(const job *j)
{
    int32_t n_group = j->session->atlas->n_group;
    scs_failure failed = {0};

    if (j->method->decode == SCS_DECODE_DECODE)
        return SCS_OK;
#pragma omp parallel for schedule(dynamic)
    for (int32_t g = 0; g < n_group; g++)
        if (j->control_z[g])
            scs_failure_note(&failed, g, decode_controls(j, g, NULL, &j->still[g]));
    return scs_failure_raise(&failed);
}

static scs_status fill_row(const job *j, int64_t i)
{
    if (j->plan->item[j->rows->first + i].status == SCS_ROW_OK)
        return predict_row(j, i);
    leave_row(j, i);
    return SCS_OK;
}

static scs_status fill_rows(const job *j)
{
    scs_failure failed = {0};

    SCS_TRY(decode_still(j));
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < j->rows->n; i++)
        scs_failure_note(&failed, i, fill_row(j, i));
    return scs_failure_raise(&failed);
}

scs_status scs_screen_rows(const scs_session *session, const scs_method *method,
                           const scs_plan *plan, int64_t first, int64_t n,
                           scs_real *const *control_z, scs_result_rows *rows)
{
    const scs_atlas *a = session->atlas;
    job j = {
        .session = session, .method = method, .plan = plan, .control_z = control_z, .rows = rows};
    scs_status status;

    *rows = (scs_result_rows){.first = first, .n = n};
    SCS_GO(status, rows_alloc(rows, a, session->config->screen.variance));
    SCS_GO(status, SCS_ALLOC(j.still, a->n_group));
    SCS_GO(status, fill_rows(&j));
done:
    for (int32_t g = 0; j.still && g < a->n_group; g++)
        moments_clear(&j.still[g]);
    free(j.still);
    return status;
}
