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
    const scs_plan *plan;
    scs_real *const *control_z;
    scs_result_rows *rows;
    double *delta;  /* [n, n_latent] */
    moments *still; /* [n_group] decoded controls, where rows need them (edit) */
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
    return scs_decoded_moments(s->model, j->control_z[group], s->atlas->group[group].count, delta,
                               out->mean, out->variance);
}

static scs_status find_shift(const job *j, int64_t i)
{
    int32_t n_latent = j->session->atlas->n_latent;
    double *delta = j->delta + i * n_latent, norm = 0;
    char source[SCS_SOURCE_MAX];

    SCS_TRY(scs_shift(j->session->atlas, j->session->config->screen.shift,
                      &j->plan->item[j->rows->first + i], delta, source));
    for (int32_t k = 0; k < n_latent; k++) {
        j->rows->delta[i * n_latent + k] = (float)delta[k];
        norm += delta[k] * delta[k];
    }
    j->rows->delta_norm[i] = sqrt(norm);
    return SCS_OK;
}

static scs_status predict_row(const job *j, int64_t i)
{
    const scs_session *s = j->session;
    const scs_atlas *a = s->atlas;
    scs_result_rows *rows = j->rows;
    const scs_combination *target = &j->plan->item[rows->first + i];
    int32_t group = target->control_group;
    int64_t genes = a->n_gene;
    const float *control = a->gene_mean + group * genes;
    const moments *still = &j->still[group];
    moments moved = {0};
    scs_prediction out = {.mean = rows->x + i * genes,
                          .shift = rows->shift + i * genes,
                          .variance = rows->variance ? rows->variance + i * genes : NULL};
    scs_status status;

    SCS_GO(status, decode_controls(j, group, j->delta + i * a->n_latent, &moved));
    memcpy(rows->control + i * genes, control, (size_t)genes * sizeof *control);
    scs_predict(s->config->screen.decode, a->n_gene, control, a->gene_variance + group * genes,
                moved.mean, moved.variance, still->mean, still->variance, &out);
    rows->score[i] = scs_score(a, target, &out);
done:
    moments_clear(&moved);
    return status;
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

    if (j->session->config->screen.decode != SCS_DECODE_EDIT)
        return SCS_OK;
#pragma omp parallel for schedule(dynamic)
    for (int32_t g = 0; g < n_group; g++)
        if (j->control_z[g])
            scs_failure_note(&failed, g, decode_controls(j, g, NULL, &j->still[g]));
    return scs_failure_raise(&failed);
}

static scs_status predict_rows(const job *j)
{
    scs_failure failed = {0};

    for (int64_t i = 0; i < j->rows->n; i++)
        SCS_TRY(find_shift(j, i));
    SCS_TRY(decode_still(j));
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < j->rows->n; i++)
        scs_failure_note(&failed, i, predict_row(j, i));
    return scs_failure_raise(&failed);
}

scs_status scs_screen_rows(const scs_session *session, const scs_plan *plan, int64_t first,
                           int64_t n, scs_real *const *control_z, scs_result_rows *rows)
{
    const scs_atlas *a = session->atlas;
    job j = {.session = session, .plan = plan, .control_z = control_z, .rows = rows};
    scs_status status;

    *rows = (scs_result_rows){.first = first, .n = n};
    SCS_GO(status, rows_alloc(rows, a, session->config->screen.variance));
    SCS_GO(status, SCS_ALLOC(j.delta, n * a->n_latent));
    SCS_GO(status, SCS_ALLOC(j.still, a->n_group));
    SCS_GO(status, predict_rows(&j));
done:
    for (int32_t g = 0; j.still && g < a->n_group; g++)
        moments_clear(&j.still[g]);
    free(j.still);
    free(j.delta);
    return status;
}
