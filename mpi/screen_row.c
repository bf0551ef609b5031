#include "mpi/screen_row.h"

#include "src/cell_distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One row in the making. */
typedef struct row {
    const scs_row_job *job;
    int64_t i; /* within the rank's rows */
    const scs_combination *target;
    scs_sources *sources;
    double *delta;     /* [n_latent] */
    double *replicate; /* [bootstrap, n_latent] or NULL */
    scs_evidence from;
} row;

static scs_status moments_alloc(scs_moment_pair *m, int32_t n_gene, bool variance)
{
    SCS_TRY(SCS_ALLOC(m->mean, n_gene));
    if (variance)
        SCS_TRY(SCS_ALLOC(m->variance, n_gene));
    return SCS_OK;
}

void scs_moment_pair_clear(scs_moment_pair *m)
{
    free(m->mean);
    free(m->variance);
    *m = (scs_moment_pair){0};
}

scs_status scs_row_decode(const scs_row_job *job, int32_t group, const double *delta,
                          scs_moment_pair *out)
{
    const scs_session *s = job->session;

    SCS_TRY(moments_alloc(out, s->atlas->n_gene, s->config->screen.variance));
    return scs_session_decode(s, job->control_z[group], s->atlas->group[group].count, delta,
                              out->mean, out->variance);
}

static scs_moments view(const scs_moment_pair *m)
{
    return (scs_moments){m->mean, m->variance};
}

/* The sources' own change of means and variances. */
static scs_status gene_change(const row *r, scs_moment_pair *out)
{
    const scs_atlas *a = r->job->session->atlas;

    SCS_TRY(moments_alloc(out, a->n_gene, r->job->session->config->screen.variance));
    scs_sources_genes(a, r->sources, a->gene_mean, out->mean);
    if (out->variance)
        scs_sources_genes(a, r->sources, a->gene_variance, out->variance);
    return SCS_OK;
}

static double keep(const double *x, int32_t n, float *out)
{
    double square = 0;

    for (int32_t k = 0; k < n; k++) {
        out[k] = (float)x[k];
        square += x[k] * x[k];
    }
    return sqrt(square);
}

/* Shift and error of every gene. @param change the sources' own, blend only */
static scs_status predict(row *r, const scs_moment_pair *moved, const scs_moment_pair *change)
{
    const scs_row_job *j = r->job;
    const scs_atlas *a = j->session->atlas;
    scs_result_rows *rows = j->rows;
    int64_t at = r->i * a->n_gene;
    int32_t group = r->target->control_group;
    scs_prediction out = {.mean = rows->x + at,
                          .shift = rows->shift + at,
                          .variance = rows->variance ? rows->variance + at : NULL};
    scs_decoder decoder = scs_session_decoder(j->session);

    r->from.moved = view(moved);
    r->from.change = view(change);
    scs_predict(j->method, a->n_gene, &r->from, &out);
    rows->score[r->i] = scs_score(a, r->target, &out);
    if (!rows->shift_se)
        return SCS_OK;
    return scs_shift_error(a, &decoder, j->method, r->sources, j->control_z[group],
                           a->group[group].count, r->replicate, r->replicate ? j->bootstrap : 0,
                           &r->from, rows->shift_se + at);
}

/* From the shift and what the cells of its groups look like. */
static scs_status decode(row *r)
{
    const scs_row_job *j = r->job;
    const scs_atlas *a = j->session->atlas;
    int64_t genes = a->n_gene;
    int32_t group = r->target->control_group;
    scs_moment_pair moved = {0}, change = {0};
    scs_status status;

    r->from = (scs_evidence){.control_mean = a->gene_mean + group * genes,
                             .control_variance = a->gene_variance + group * genes,
                             .still = view(&j->still[group])};
    memcpy(j->rows->control + r->i * genes, r->from.control_mean, (size_t)genes * sizeof(float));
    if (scs_session_has_latent(j->session))
        SCS_GO(status, scs_row_decode(j, group, r->delta, &moved));
    if (j->method->decode == SCS_DECODE_BLEND)
        SCS_GO(status, gene_change(r, &change));
    SCS_GO(status, predict(r, &moved, &change));
done:
    scs_moment_pair_clear(&change);
    scs_moment_pair_clear(&moved);
    return status;
}

/* delta over replicates of the groups' means. */
static scs_status bootstrap(row *r)
{
    const scs_row_job *j = r->job;
    const scs_atlas *a = j->session->atlas;
    int64_t n = j->bootstrap;
    scs_bootstrap *b = NULL;
    double *se = NULL;
    scs_status status;

    SCS_GO(status, SCS_ALLOC(se, a->n_latent));
    SCS_GO(status, SCS_ALLOC(r->replicate, n * a->n_latent));
    SCS_GO(status, scs_bootstrap_create(a, r->sources, j->session->config->train.seed, &b));
    SCS_GO(status,
           scs_replicate(a, j->method, &r->target, 1, n, scs_bootstrap_draw, b, r->replicate));
    scs_replicate_error(r->replicate, n, a->n_latent, se);
    j->rows->trust[r->i].delta_se = keep(se, a->n_latent, j->rows->delta_se + r->i * a->n_latent);
done:
    scs_bootstrap_destroy(&b);
    free(se);
    return status;
}

static scs_status measure_trust(const row *r)
{
    const scs_row_job *j = r->job;
    const scs_atlas *a = j->session->atlas;
    int64_t at = j->rows->first + r->i;
    int32_t group = r->target->control_group;
    scs_trust *t = &j->rows->trust[r->i];

    SCS_TRY(scs_support(a, r->target, r->sources, &t->support));
    t->support_flag = t->support > 99;
    t->agreement = scs_agreement(a, r->sources);
    if (scs_session_has_latent(j->session))
        SCS_TRY(
            scs_moved_energy(&(scs_sample){j->control_z[group], a->group[group].count, r->delta},
                             a->n_latent, &t->energy_distance));
    if (j->p_value) {
        t->p_value = j->p_value[at];
        t->q_value = j->q_value[at];
    }
    return SCS_OK;
}

/* Row i of a matrix that may not be there. */
static void fill_nan(float *matrix, int64_t i, int64_t n)
{
    for (int64_t g = 0; matrix && g < n; g++)
        matrix[i * n + g] = NAN;
}

static scs_status fill(row *r)
{
    const scs_row_job *j = r->job;
    const scs_atlas *a = j->session->atlas;
    int64_t latent = a->n_latent;

    SCS_TRY(scs_sources_create(a, &r->sources));
    SCS_TRY(SCS_ALLOC(r->delta, latent));
    SCS_TRY(scs_sources_find(a, j->method, r->target, r->sources));
    scs_sources_shift(a, r->sources, r->delta);
    j->rows->delta_norm[r->i] = keep(r->delta, a->n_latent, j->rows->delta + r->i * latent);
    SCS_TRY(measure_trust(r));
    if (j->rows->shift_se && scs_session_has_latent(j->session))
        SCS_TRY(bootstrap(r));
    else
        fill_nan(j->rows->delta_se, r->i, latent);
    return decode(r);
}

/* Nothing is guessed; the controls are shown where there are any. */
static void leave(const row *r)
{
    const scs_atlas *a = r->job->session->atlas;
    scs_result_rows *rows = r->job->rows;
    int64_t genes = a->n_gene;

    fill_nan(rows->x, r->i, genes);
    fill_nan(rows->shift, r->i, genes);
    fill_nan(rows->control, r->i, genes);
    fill_nan(rows->variance, r->i, genes);
    fill_nan(rows->shift_se, r->i, genes);
    fill_nan(rows->delta, r->i, a->n_latent);
    fill_nan(rows->delta_se, r->i, a->n_latent);
    if (r->target->control_group >= 0)
        memcpy(rows->control + r->i * genes, a->gene_mean + r->target->control_group * genes,
               (size_t)genes * sizeof(float));
    rows->delta_norm[r->i] = NAN;
}

static scs_status list_genes(const row *r)
{
    const scs_row_job *j = r->job;
    const scs_result_rows *rows = j->rows;
    int32_t n_gene = j->session->atlas->n_gene;
    const float *shift = rows->shift + r->i * n_gene;
    int64_t n = j->top_genes, at = r->i * n;

    if (n == 0)
        return SCS_OK;
    SCS_TRY(scs_top_shift(shift, n_gene, 1, n, rows->top_up + at, rows->top_up_shift + at));
    return scs_top_shift(shift, n_gene, -1, n, rows->top_down + at, rows->top_down_shift + at);
}

static void score_sets(const row *r)
{
    const scs_gene_sets *sets = r->job->gene_sets;
    const scs_result_rows *rows = r->job->rows;
    int32_t n_gene = r->job->session->atlas->n_gene;

    if (sets)
        scs_gene_sets_score(sets, rows->shift + r->i * n_gene, n_gene,
                            rows->set_score + r->i * sets->name.n,
                            rows->set_z + r->i * sets->name.n);
}

scs_status scs_row_fill(const scs_row_job *job, int64_t i)
{
    row r = {.job = job, .i = i, .target = &job->plan->item[job->rows->first + i]};
    scs_status status = SCS_OK;

    job->rows->score[i] = scs_no_scores();
    job->rows->trust[i] = scs_no_trust();
    if (r.target->status == SCS_ROW_OK)
        status = fill(&r);
    else
        leave(&r);
    if (status == SCS_OK)
        status = list_genes(&r);
    if (status == SCS_OK)
        score_sets(&r);
    free(r.delta);
    free(r.replicate);
    scs_sources_destroy(&r.sources);
    return status;
}
