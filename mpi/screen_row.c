#include "mpi/screen_row.h"

#include "src/gene_sets.h"
#include "src/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One row in the making. */
typedef struct row {
    const scs_row_block *block;
    const scs_row_job *job;
    const scs_atlas *atlas;
    scs_result_rows *rows;
    int64_t i; /* within the block */
    const scs_combination *target;
    const scs_row_controls *controls; /* NULL: no prediction */
    scs_row_work *work;
    const scs_sources *sources; /* once it is decoded; NULL where they are not kept */
    double *replicate;          /* [bootstrap, n_latent] or NULL */
} row;

static row row_of(const scs_row_block *b, int64_t i, scs_row_work *work)
{
    return (row){.block = b,
                 .job = b->job,
                 .atlas = b->job->session->atlas,
                 .rows = b->rows,
                 .i = i,
                 .target = &b->job->plan->item[b->rows->first + i],
                 .controls = b->of[i] >= 0 ? &b->controls.item[b->of[i]] : NULL,
                 .work = work,
                 .sources = b->sources ? b->sources[i] : NULL};
}

bool scs_row_is_linear(const scs_row_job *job)
{
    const scs_model *model = job->session->model;

    return model && !model->arch.output_relu && !job->method->variance;
}

bool scs_row_keeps_sources(const scs_row_job *job)
{
    return scs_method_needs_change(job->method) || job->bootstrap > 0;
}

scs_status scs_row_work_make(const scs_row_job *job, scs_row_work *work)
{
    const scs_session *s = job->session;

    *work = (scs_row_work){0};
    SCS_TRY(scs_sources_create(s->atlas, &work->sources));
    SCS_TRY(SCS_ALLOC(work->delta, s->atlas->n_latent));
    SCS_TRY(SCS_ALLOC(work->along, SCS_MOST_MOVED));
    if (scs_method_needs_change(job->method))
        SCS_TRY(SCS_ALLOC(work->change, 2 * (int64_t)s->atlas->n_gene));
    if (!scs_row_is_linear(job))
        return SCS_OK;
    return SCS_ALLOC(work->scratch, scs_moving_scratch(s->model));
}

void scs_row_work_clear(scs_row_work *work)
{
    scs_sources_destroy(&work->sources);
    free(work->delta);
    free(work->along);
    free(work->scratch);
    free(work->panel);
    free(work->change);
    *work = (scs_row_work){0};
}

static double keep(const double *x, int32_t n, float *out)
{
    for (int32_t k = 0; k < n; k++)
        out[k] = (float)x[k];
    return sqrt(scs_vector_dot(x, x, n));
}

/* The thread's own go to its next row. */
static scs_status keep_sources(const row *r)
{
    scs_sources **kept = r->block->sources ? &r->block->sources[r->i] : NULL;

    if (!kept)
        return SCS_OK;
    scs_sources_destroy(kept);
    return scs_sources_copy(r->work->sources, kept);
}

static scs_status measure_trust(const row *r)
{
    scs_trust *t = &r->rows->trust[r->i];

    SCS_TRY(scs_support(r->atlas, r->target, r->work->sources, &t->support));
    t->support_flag = t->support > 99;
    t->agreement = scs_agreement(r->atlas, r->work->sources);
    if (scs_session_has_latent(r->job->session))
        t->energy_distance = scs_moved_energy(&r->controls->cells, r->work->delta, r->work->along);
    return SCS_OK;
}

/* Its hidden mean, to be decoded with the others; or decoded at once. */
static scs_status move(const row *r)
{
    const scs_row_block *b = r->block;
    const scs_session *s = r->job->session;
    int32_t group = r->target->control_group;
    int64_t at = r->i * r->atlas->n_gene;

    if (!scs_session_has_latent(s))
        return SCS_OK;
    if (!b->hidden)
        return scs_session_decode(s, r->job->control_z[group], r->atlas->group[group].count,
                                  r->work->delta, b->mean + at,
                                  b->variance ? b->variance + at : NULL);
    scs_moving_mean(r->controls->moving, r->work->delta, r->work->scratch,
                    b->hidden + r->i * s->model->arch.n_hidden);
    return SCS_OK;
}

scs_status scs_row_shift(const scs_row_block *block, int64_t i, scs_row_work *work)
{
    row r = row_of(block, i, work);
    int64_t latent = r.atlas->n_latent;

    r.rows->score[i] = scs_no_scores();
    r.rows->trust[i] = scs_no_trust();
    if (!r.controls)
        return SCS_OK;
    SCS_TRY(scs_sources_find(r.atlas, r.job->method, r.target, work->sources));
    scs_sources_shift(r.atlas, work->sources, work->delta);
    r.rows->delta_norm[i] = keep(work->delta, r.atlas->n_latent, r.rows->delta + i * latent);
    SCS_TRY(measure_trust(&r));
    SCS_TRY(keep_sources(&r));
    return move(&r);
}

/* ---- once it is decoded ---- */

/* delta over replicates of the groups' means. */
static scs_status bootstrap(row *r)
{
    const scs_row_job *j = r->job;
    const scs_atlas *a = r->atlas;
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
    r->rows->trust[r->i].delta_se = keep(se, a->n_latent, r->rows->delta_se + r->i * a->n_latent);
done:
    scs_bootstrap_destroy(&b);
    free(se);
    return status;
}

/* Row i of a matrix that may not be there. */
static void fill_nan(float *matrix, int64_t i, int64_t n)
{
    for (int64_t g = 0; matrix && g < n; g++)
        matrix[i * n + g] = NAN;
}

/* The sources' own change of means and variances, in the thread's memory. */
static scs_moments gene_change(const row *r)
{
    const scs_atlas *a = r->atlas;
    double *mean = r->work->change, *variance = r->rows->variance ? mean + a->n_gene : NULL;

    scs_sources_genes(a, r->sources, a->gene_mean, mean);
    if (variance)
        scs_sources_genes(a, r->sources, a->gene_variance, variance);
    return (scs_moments){mean, variance};
}

static scs_moments row_moments(const scs_row_block *b, int64_t i, int64_t n_gene)
{
    return (scs_moments){b->mean ? b->mean + i * n_gene : NULL,
                         b->variance ? b->variance + i * n_gene : NULL};
}

static scs_status estimate_error(row *r, const scs_evidence *from)
{
    const scs_row_job *j = r->job;
    int32_t group = r->target->control_group;
    scs_decoder decoder = scs_session_decoder(j->session);

    if (scs_session_has_latent(j->session))
        SCS_TRY(bootstrap(r));
    else
        fill_nan(r->rows->delta_se, r->i, r->atlas->n_latent);
    return scs_shift_error(r->atlas, &decoder, j->method, r->sources, j->control_z[group],
                           r->atlas->group[group].count, r->replicate,
                           r->replicate ? j->bootstrap : 0, from,
                           r->rows->shift_se + r->i * r->atlas->n_gene);
}

/* @param change the sources' own, where the method needs it */
static scs_status predict(row *r, const scs_moments *change)
{
    const scs_atlas *a = r->atlas;
    scs_result_rows *rows = r->rows;
    int32_t group = r->target->control_group;
    int64_t genes = a->n_gene, at = r->i * genes;
    scs_evidence from = {.control_mean = scs_group_gene_mean(a, group),
                         .control_variance = scs_group_gene_variance(a, group),
                         .moved = row_moments(r->block, r->i, genes),
                         .still = {r->controls->mean, r->controls->variance},
                         .change = *change};
    scs_prediction out = {.mean = rows->x + at,
                          .shift = rows->shift + at,
                          .variance = rows->variance ? rows->variance + at : NULL};

    memcpy(rows->control + at, from.control_mean, (size_t)genes * sizeof(float));
    from.scale = scs_change_scale(r->job->method, a->n_gene, &from);
    scs_predict(r->job->method, a->n_gene, &from, &out);
    rows->score[r->i] = scs_score(a, r->target, &out);
    return rows->shift_se ? estimate_error(r, &from) : SCS_OK;
}

static scs_status finish(row *r)
{
    scs_moments change = {0};

    if (scs_method_needs_change(r->job->method))
        change = gene_change(r);
    return predict(r, &change);
}

/* Nothing is guessed; the controls are shown where there are any. */
static void leave(const row *r)
{
    const scs_atlas *a = r->atlas;
    scs_result_rows *rows = r->rows;
    int64_t genes = a->n_gene;

    fill_nan(rows->x, r->i, genes);
    fill_nan(rows->shift, r->i, genes);
    fill_nan(rows->control, r->i, genes);
    fill_nan(rows->variance, r->i, genes);
    fill_nan(rows->shift_se, r->i, genes);
    fill_nan(rows->delta, r->i, a->n_latent);
    fill_nan(rows->delta_se, r->i, a->n_latent);
    if (r->target->control_group >= 0)
        memcpy(rows->control + r->i * genes, scs_group_gene_mean(a, r->target->control_group),
               (size_t)genes * sizeof(float));
    rows->delta_norm[r->i] = NAN;
}

static scs_status list_genes(const row *r)
{
    const scs_result_rows *rows = r->rows;
    int32_t n_gene = r->atlas->n_gene;
    const float *shift = rows->shift + r->i * n_gene;
    int64_t n = r->job->top_genes, at = r->i * n;

    if (n == 0)
        return SCS_OK;
    SCS_TRY(scs_top_shift(shift, n_gene, 1, n, rows->top_up + at, rows->top_up_shift + at));
    return scs_top_shift(shift, n_gene, -1, n, rows->top_down + at, rows->top_down_shift + at);
}

static void score_sets(const row *r)
{
    const scs_gene_sets *sets = r->job->gene_sets;
    const scs_result_rows *rows = r->rows;
    int32_t n_gene = r->atlas->n_gene;

    if (sets)
        scs_gene_sets_score(sets, rows->shift + r->i * n_gene, n_gene,
                            rows->set_score + r->i * sets->name.n,
                            rows->set_z + r->i * sets->name.n);
}

scs_status scs_row_finish(const scs_row_block *block, int64_t i, scs_row_work *work)
{
    row r = row_of(block, i, work);
    scs_status status = SCS_OK;

    if (r.controls)
        status = finish(&r);
    else
        leave(&r);
    free(r.replicate);
    score_sets(&r);
    return status == SCS_OK ? list_genes(&r) : status;
}
