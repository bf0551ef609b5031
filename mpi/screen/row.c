/* A block of rows in three steps, each over all rows, in parallel over rows or genes:
 *
 *    1. sum_rows      where sources are thousands of groups: their sums of means and variances, of
 *      all rows at once
 *       shift_rows    sources -> latent shift delta -> confidence -> mean hidden activations of the
 *      moved controls, h(delta) [n_hidden]
 *    2. decode_rows   all h, and those of controls without a shift, through the output layer: W h +
 *      b, cut into tasks over genes
 *    3. finish_rows   control mean + decoded change (+ the sources' own change) -> prediction,
 *      scores, errors, lists
 *
 *  before which the block's controls are made ready. Where sources are thousands, the rows go
 *  through all this in slices of SLICE, in whose memory there is room for their weights. Where
 * means are not linear in h (a ReLU at the output, or variances are asked for, or principal
 * components) each row is decoded by itself in step 1, and step 2 does nothing.
 *
 *  Memory of a block of n rows, beside the result's own arrays: 2 n (n_hidden + n_gene) doubles (2
 *  n as each row may need controls of its own), and again n_gene for each kept group of controls;
 *  scratch of each thread is a few vectors.
 *
 *  Each step's rows are dealt to threads dynamically; each row writes only its own places, and a
 *  failure is that of the lowest row (src/base/parallel.h), so neither numbers nor messages depend
 *  on threads. */
#include "mpi/screen/row.h"

#include "mpi/job/session_model.h"
#include "mpi/job/session.h"
#include "src/base/parallel.h"
#include "src/base/vector.h"
#include "src/config/rule.h"
#include "src/kernels/row_sums.h"
#include "src/result/gene_sets.h"
#include "src/screen/cell_distance.h"
#include "src/screen/confidence.h"
#include "src/screen/correction.h"
#include "src/screen/decode_mean.h"
#include "src/screen/mixed_atlas.h"
#include "src/screen/mixed_sums.h"
#include "src/screen/predict.h"
#include "src/screen/shift.h"
#include "src/screen/shift_error.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- Control cells, made ready and kept ---- */

/* What a group's cells are made ready for. */
typedef struct controls_request {
    const scs_session *session;
    scs_real *const *control_z; /* [n_group] */
    bool linear;                /* make `hidden` */
    int products;               /* of `hidden`: scs_products */
    bool variance;              /* whether there is room for it beside the mean */
} controls_request;

/* The place is empty afterwards (group -1). */
static void clear_one(scs_row_controls *c)
{
    scs_decode_mean_hidden_destroy(&c->hidden);
    scs_cell_distance_shifted_clear(&c->cells);
    free(c->mean);
    free(c->variance);
    *c = (scs_row_controls){.group = -1};
}

/* Empty places (group -1) among them. */
static void controls_clear(scs_controls_list *list)
{
    for (int32_t i = 0; i < list->n; i++)
        clear_one(&list->item[i]);
    free(list->item);
    *list = (scs_controls_list){0};
}

/* Everything about a group's cells that no shift changes: O(cells n_latent n_hidden) where linear.
 */
static scs_status make_controls(const controls_request *request, int32_t group, scs_row_controls *c)
{
    const scs_session *s = request->session;
    const scs_atlas *a = s->atlas;
    const scs_real *z = request->control_z[group];
    int64_t n = a->group[group].count;

    c->group = group;
    if (!scs_session_model_has_latent(s))
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(c->mean, a->n_gene));
    if (request->variance)
        SCS_TRY(SCS_ALLOC(c->variance, a->n_gene));
    SCS_TRY(scs_cell_distance_shifted_make(&(scs_sample){z, n, NULL}, a->n_latent, &c->cells));
    if (!request->linear)
        return SCS_OK;
    return scs_decode_mean_hidden_create(s->model, z, n, request->products == SCS_PRODUCTS_AUTO,
                                         &c->hidden);
}

/* Take a group's controls out of the old list, if they are there. */
static bool take_controls(scs_controls_list *old, int32_t group, scs_row_controls *c)
{
    for (int32_t i = 0; i < old->n; i++)
        if (old->item[i].group == group) {
            *c = old->item[i];
            old->item[i] = (scs_row_controls){.group = -1};
            return true;
        }
    return false;
}

/* The list becomes that of these groups: cells that it has stay as they are, the others are made
 * ready or dropped; dropped first, so that there is room. @param group [n] */
static scs_status controls_replace(scs_controls_list *list, const controls_request *request,
                                   const int32_t *group, int32_t n)
{
    scs_controls_list old = *list;
    scs_status st;

    *list = (scs_controls_list){.n = n};
    st = SCS_ALLOC(list->item, n);
    if (st != SCS_OK)
        list->n = 0;
    for (int32_t i = 0; i < list->n; i++)
        if (!take_controls(&old, group[i], &list->item[i]))
            list->item[i].group = -1;
    controls_clear(&old);
    for (int32_t i = 0; i < list->n && st == SCS_OK; i++)
        if (list->item[i].group < 0)
            st = make_controls(request, group[i], &list->item[i]);
    return st;
}

/* ---- One row ---- */

/* One row in the making: what a step of it reads and where it writes. */
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

/* Everything that the steps need, looked up once. */
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
                 .sources = b->sources ? b->sources[i - b->from] : NULL};
}

/* Whether means go through the output layer for a whole block at once. */
static bool row_is_linear(const scs_row_job *job)
{
    const scs_model *model = job->session->model;

    return model && !model->arch.output_relu && !job->method->variance;
}

/* Whether rows need the sources of their shift once more after they are decoded. */
static bool row_keeps_sources(const scs_row_job *job)
{
    return scs_predict_needs_change(job->method) || job->errors;
}

/* Whether a row's sources are all groups, thousands: their sums are made of many rows at once. */
static bool row_weighs_all(const scs_row_job *job)
{
    return row_keeps_sources(job) && scs_shift_rule_mixed_share(job->method) > 0 &&
           job->method->mixed && scs_mixed_atlas_weighs_all(job->method->mixed);
}

/* What a thread needs whatever its rows are; SCS_ENOMEM, clear it even then. */
static scs_status row_work_make(const scs_row_job *job, scs_row_work *work)
{
    const scs_session *s = job->session;

    *work = (scs_row_work){0};
    SCS_TRY(scs_shift_sources_create(s->atlas, &work->sources));
    SCS_TRY(SCS_ALLOC(work->delta, s->atlas->n_latent));
    SCS_TRY(SCS_ALLOC(work->along, SCS_MOST_SHIFTED));
    if (scs_predict_needs_change(job->method))
        SCS_TRY(SCS_ALLOC(work->change, 2 * (int64_t)s->atlas->n_gene));
    if (!row_is_linear(job))
        return SCS_OK;
    return SCS_ALLOC(work->scratch, scs_decode_mean_hidden_scratch(s->model));
}

/* Also one that was made in part. */
static void row_work_clear(scs_row_work *work)
{
    scs_shift_sources_destroy(&work->sources);
    free(work->delta);
    free(work->along);
    free(work->scratch);
    free(work->panel);
    free(work->change);
    *work = (scs_row_work){0};
}

/* A vector as floats into the result. @return its length, from the doubles */
static double store_vector(const double *x, int32_t n, float *out)
{
    for (int32_t k = 0; k < n; k++)
        out[k] = (float)x[k];
    return sqrt(scs_vector_dot(x, x, n));
}

/* For step 3, where it wants them: the thread's own are overwritten by its next row. */
static scs_status copy_sources(const row *r)
{
    scs_sources **copy = r->block->sources ? &r->block->sources[r->i - r->block->from] : NULL;

    if (!copy)
        return SCS_OK;
    scs_shift_sources_destroy(copy);
    return scs_shift_sources_copy(r->work->sources, copy);
}

/* Needs the sources and the shift only. */
static scs_status measure_confidence(const row *r, const scs_sources *sources)
{
    scs_confidence *t = &r->rows->confidence[r->i];

    SCS_TRY(scs_confidence_support(r->atlas, r->target, sources, &t->support));
    t->support_flag = t->support > 99;
    SCS_TRY(scs_confidence_agreement(r->atlas, r->target, sources, &t->agreement));
    if (scs_session_model_has_latent(r->job->session))
        t->energy_distance =
            scs_cell_distance_shifted_energy(&r->controls->cells, r->work->delta, r->work->along);
    return SCS_OK;
}

/* The row's mean hidden activations, to be decoded with the others'; or its moments at once. */
static scs_status prepare_mean(const row *r)
{
    const scs_row_block *b = r->block;
    const scs_session *s = r->job->session;
    int32_t group = r->target->control_group;
    int64_t at = r->i * r->atlas->n_gene;

    if (!scs_session_model_has_latent(s))
        return SCS_OK;
    if (!b->hidden)
        return scs_session_model_decode(s, r->job->control_z[group], r->atlas->group[group].count,
                                        r->work->delta, b->mean + at,
                                        b->variance ? b->variance + at : NULL);
    scs_decode_mean_hidden_run(r->controls->hidden, r->work->delta, r->work->scratch,
                               b->hidden + r->i * s->model->arch.n_hidden);
    return SCS_OK;
}

/* The first half of step 1 where sources are thousands: the other half takes the shifts of many
 * rows, made at once. */
static scs_status row_find(const scs_row_block *block, int64_t i, scs_row_work *work)
{
    row r = row_of(block, i, work);
    scs_mixed_split *split = &block->split[i - block->from];

    if (!r.controls) {
        scs_mixed_sums_clear_split(split);
        return SCS_OK;
    }
    SCS_TRY(scs_shift_sources_find(r.atlas, r.job->method, r.target, work->sources));
    SCS_TRY(scs_mixed_sums_split(r.job->method->mixed, r.atlas, r.target, work->sources, split));
    return copy_sources(&r);
}

/* Step 1 of row i: its shift and confidence; its hidden mean, or its decoded mean and
 * variance. A row without prediction has NaN scores. */
static scs_status row_shift(const scs_row_block *block, int64_t i, scs_row_work *work)
{
    row r = row_of(block, i, work);
    int64_t latent = r.atlas->n_latent;

    r.rows->score[i] = scs_score_none();
    r.rows->confidence[i] = scs_confidence_none();
    if (!r.controls)
        return SCS_OK;
    if (block->split) {
        memcpy(work->delta, block->delta + (i - block->from) * latent,
               (size_t)latent * sizeof *work->delta);
    } else {
        SCS_TRY(scs_shift_sources_find(r.atlas, r.job->method, r.target, work->sources));
        scs_shift_sources_latent(r.atlas, work->sources, work->delta);
        SCS_TRY(copy_sources(&r));
    }
    r.rows->delta_norm[i] =
        store_vector(work->delta, r.atlas->n_latent, r.rows->delta + i * latent);
    SCS_TRY(measure_confidence(&r, block->split ? r.sources : work->sources));
    return prepare_mean(&r);
}

/* delta over replicates of the groups' means (parametric bootstrap): the standard error of each
 * coordinate, and of the whole as delta_se. */
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
    SCS_GO(status,
           scs_resample_bootstrap_create(a, r->sources, j->session->config->train.seed, &b));
    SCS_GO(status, scs_resample_replicate(a, j->method, &r->target, 1, n,
                                          scs_resample_bootstrap_draw, b, r->replicate));
    scs_resample_replicate_error(r->replicate, n, a->n_latent, se);
    r->rows->confidence[r->i].delta_se =
        store_vector(se, a->n_latent, r->rows->delta_se + r->i * a->n_latent);
done:
    scs_resample_bootstrap_destroy(&b);
    free(se);
    return status;
}

/* Row i of a matrix, which may be absent. */
static void fill_nan(float *matrix, int64_t i, int64_t n)
{
    for (int64_t g = 0; matrix && g < n; g++)
        matrix[i * n + g] = NAN;
}

/* The row's sums of step 1, NULL where they are not made so. */
static double *row_sums_of(const row *r, double *sums)
{
    return sums ? sums + (r->i - r->block->from) * r->atlas->n_gene : NULL;
}

/* The sources' own change of means and variances in gene space, in the thread's memory unless step
 * 1 has made it. */
static scs_status gene_change(const row *r, scs_moments *change)
{
    const scs_atlas *a = r->atlas;
    double *mean = r->work->change, *variance = r->rows->variance ? mean + a->n_gene : NULL;

    if (r->block->split) {
        mean = row_sums_of(r, r->block->change);
        variance = row_sums_of(r, r->block->variance_change);
    } else {
        SCS_TRY(scs_shift_sources_change(a, r->sources, mean));
        if (variance)
            scs_shift_sources_genes(a, r->sources, a->gene_variance, variance);
    }
    *change = (scs_moments){mean, variance};
    if (!scs_rule_decode_at(r->job->method->decode)->uses_share)
        return SCS_OK; /* it only gives the decoder's change its size */
    return scs_correction_apply(r->job->method->correction, a, r->target, r->sources, mean);
}

/* Where step 2 has put row i's decoded moments. */
static scs_moments row_moments(const scs_row_block *b, int64_t i, int64_t n_gene)
{
    return (scs_moments){b->mean ? b->mean + i * n_gene : NULL,
                         b->variance ? b->variance + i * n_gene : NULL};
}

/* Standard error of the shift of each gene: the mixed model's, or by the bootstrap; without a
 * latent space from the sources' changes alone. */
static scs_status estimate_error(row *r, const scs_evidence *from)
{
    const scs_row_job *j = r->job;
    int32_t group = r->target->control_group;
    scs_decoder decoder = scs_session_model_decoder(j->session);

    if (j->bootstrap == 0) {
        double variance;

        SCS_TRY(scs_shift_error_variance(r->atlas, j->method, r->target, r->sources, &variance));
        return scs_mixed_atlas_error(j->method->mixed, r->atlas, group, r->target->observed_group,
                                     r->sources, variance, r->rows->shift + r->i * r->atlas->n_gene,
                                     row_sums_of(r, r->block->sampled),
                                     r->rows->shift_se + r->i * r->atlas->n_gene);
    }
    if (scs_session_model_has_latent(j->session))
        SCS_TRY(bootstrap(r));
    else
        fill_nan(r->rows->delta_se, r->i, r->atlas->n_latent);
    return scs_resample_shift_error(r->atlas, &decoder, j->method, r->sources, j->control_z[group],
                                    r->atlas->group[group].count, r->replicate,
                                    r->replicate ? j->bootstrap : 0, from,
                                    r->rows->shift_se + r->i * r->atlas->n_gene);
}

/* What the decode mode makes of control, decoded change and the sources' own change, and its
 * scores.
 *  @param change the sources' own, where the method needs it */
static scs_status predict(row *r, const scs_moments *change)
{
    const scs_atlas *a = r->atlas;
    scs_result_rows *rows = r->rows;
    int32_t group = r->target->control_group;
    int64_t genes = a->n_gene, at = r->i * genes;
    scs_evidence from = {.control_mean = scs_atlas_group_gene_mean(a, group),
                         .control_variance = scs_atlas_group_gene_variance(a, group),
                         .shifted = row_moments(r->block, r->i, genes),
                         .baseline = {r->controls->mean, r->controls->variance},
                         .change = *change};
    scs_prediction out = {.mean = rows->x + at,
                          .shift = rows->shift + at,
                          .variance = rows->variance ? rows->variance + at : NULL};

    memcpy(rows->control + at, from.control_mean, (size_t)genes * sizeof(float));
    scs_predict_fit_change(r->job->method, a->n_gene, &from);
    scs_predict(r->job->method, a->n_gene, &from, &out);
    rows->score[r->i] = scs_score(a, r->target, &out);
    return rows->shift_se ? estimate_error(r, &from) : SCS_OK;
}

/* Step 3 of a row with a prediction. */
static scs_status finish(row *r)
{
    scs_moments change = {0};

    if (scs_predict_needs_change(r->job->method))
        SCS_TRY(gene_change(r, &change));
    return predict(r, &change);
}

/* A row without prediction: NaN, nothing is guessed; the controls' mean where there are any. */
static void leave_empty(const row *r)
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
        memcpy(rows->control + r->i * genes, scs_atlas_group_gene_mean(a, r->target->control_group),
               (size_t)genes * sizeof(float));
    rows->delta_norm[r->i] = NAN;
}

/* The genes with the largest shifts up and down, where lists are asked for. */
static scs_status list_genes(const row *r)
{
    const scs_result_rows *rows = r->rows;
    int32_t n_gene = r->atlas->n_gene;
    const float *shift = rows->shift + r->i * n_gene;
    int64_t n = r->job->top_genes, at = r->i * n;

    if (n == 0)
        return SCS_OK;
    SCS_TRY(scs_deg_top_shift(shift, n_gene, 1, n, rows->top_up + at, rows->top_up_shift + at));
    return scs_deg_top_shift(shift, n_gene, -1, n, rows->top_down + at, rows->top_down_shift + at);
}

/* From the row's shift: mean and z of each set's genes. */
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

/* Step 3 of row i, once its mean is decoded: prediction, scores, errors, lists. */
static scs_status row_finish(const scs_row_block *block, int64_t i, scs_row_work *work)
{
    row r = row_of(block, i, work);
    scs_status status = SCS_OK;

    if (r.controls)
        status = finish(&r);
    else
        leave_empty(&r);
    free(r.replicate);
    score_sets(&r);
    return status == SCS_OK ? list_genes(&r) : status;
}

/* ---- Arrays of results ---- */

/* [rows, n_gene] each; an array that the job does not want stays NULL, and the result has no such
 * field. */
static scs_status alloc_matrices(const scs_row_job *job, scs_result_rows *rows)
{
    int64_t cells = rows->n * job->session->atlas->n_gene;

    SCS_TRY(SCS_ALLOC(rows->x, cells));
    SCS_TRY(SCS_ALLOC(rows->control, cells));
    SCS_TRY(SCS_ALLOC(rows->shift, cells));
    if (job->method->variance)
        SCS_TRY(SCS_ALLOC(rows->variance, cells));
    if (job->errors)
        SCS_TRY(SCS_ALLOC(rows->shift_se, cells));
    return SCS_OK;
}

/* [rows, top_genes] each: genes and shifts, up and down. */
static scs_status alloc_top(scs_result_rows *rows, int64_t top_genes)
{
    SCS_TRY(SCS_ALLOC(rows->top_up, rows->n * top_genes));
    SCS_TRY(SCS_ALLOC(rows->top_down, rows->n * top_genes));
    SCS_TRY(SCS_ALLOC(rows->top_up_shift, rows->n * top_genes));
    return SCS_ALLOC(rows->top_down_shift, rows->n * top_genes);
}

/* [rows, sets] each. */
static scs_status alloc_sets(scs_result_rows *rows, int64_t n_set)
{
    SCS_TRY(SCS_ALLOC(rows->set_score, rows->n * n_set));
    return SCS_ALLOC(rows->set_z, rows->n * n_set);
}

/* Which arrays there are decides which fields the result has (src/result/result_fields.h). */
scs_status scs_row_results_alloc(const scs_row_job *job, scs_result_rows *rows)
{
    int64_t latent = rows->n * job->session->atlas->n_latent;

    SCS_TRY(alloc_matrices(job, rows));
    SCS_TRY(SCS_ALLOC(rows->delta, latent));
    if (job->bootstrap > 0)
        SCS_TRY(SCS_ALLOC(rows->delta_se, latent));
    if (job->top_genes > 0)
        SCS_TRY(alloc_top(rows, job->top_genes));
    if (job->gene_sets)
        SCS_TRY(alloc_sets(rows, job->gene_sets->name.n));
    SCS_TRY(SCS_ALLOC(rows->delta_norm, rows->n));
    SCS_TRY(SCS_ALLOC(rows->confidence, rows->n));
    return SCS_ALLOC(rows->score, rows->n);
}

void scs_row_results_clear(scs_result_rows *rows)
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
    free(rows->confidence);
    *rows = (scs_result_rows){0};
}

/* ---- The block ---- */

/* Room for as many controls as rows: each row may need another one. */
static scs_status alloc_decoded(scs_row_block *b)
{
    const scs_session *s = b->job->session;
    int64_t cells = 2 * b->most * s->atlas->n_gene;

    if (!scs_session_model_has_latent(s))
        return SCS_OK;
    if (row_is_linear(b->job)) {
        SCS_TRY(scs_decode_mean_genes_create(s->model, &b->decoder));
        for (int i = 0; i < b->n_work; i++)
            SCS_TRY(SCS_ALLOC(b->work[i].panel, scs_decode_mean_genes_work(b->decoder)));
        SCS_TRY(SCS_ALLOC(b->hidden, 2 * b->most * s->model->arch.n_hidden));
    }
    SCS_TRY(SCS_ALLOC(b->mean, cells));
    return b->job->method->variance ? SCS_ALLOC(b->variance, cells) : SCS_OK;
}

/* Room for a slice's weights, and for the sums that they make. In gene space shifts are the change
 * of the means. */
static scs_status alloc_sums(scs_row_block *b)
{
    const scs_row_job *j = b->job;
    const scs_atlas *a = j->session->atlas;
    const scs_mixed_atlas *mixed = j->method->mixed;
    const scs_group_values latent = {.d = a->mean, .n_column = a->n_latent};
    const scs_group_values mean = {.f = a->gene_mean, .n_column = a->n_gene};
    const scs_group_values variance = {.f = a->gene_variance, .n_column = a->n_gene};
    bool in_latent = scs_session_model_has_latent(j->session);
    bool change = scs_predict_needs_change(j->method);
    int64_t sums = b->slice * a->n_gene;

    SCS_TRY(SCS_ALLOC(b->split, b->slice));
    SCS_TRY(SCS_ALLOC(b->delta, b->slice * a->n_latent));
    if (in_latent)
        SCS_TRY(scs_mixed_sums_create(mixed, &latent, &b->of_latent));
    if (change || !in_latent) {
        SCS_TRY(SCS_ALLOC(b->change, sums));
        SCS_TRY(scs_mixed_sums_create(mixed, &mean, &b->of_mean));
    }
    if (change && j->method->variance) {
        SCS_TRY(SCS_ALLOC(b->variance_change, sums));
        SCS_TRY(scs_mixed_sums_create(mixed, &variance, &b->of_variance));
    }
    if (!j->errors || j->bootstrap > 0)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(b->weight, b->slice * a->n_group));
    return SCS_ALLOC(b->sampled, sums);
}

enum { SLICE = 64 }; /* rows whose weights of all groups are held at a time */

/* As many works as threads may run now. */
scs_status scs_row_block_make(const scs_row_job *job, int64_t most, scs_row_block *block)
{
    bool weighs_all = row_weighs_all(job);

    *block = (scs_row_block){.job = job,
                             .most = most,
                             .slice = weighs_all && most > SLICE ? SLICE : most,
                             .n_work = omp_get_max_threads()};
    SCS_TRY(SCS_ALLOC(block->work, block->n_work));
    for (int i = 0; i < block->n_work; i++)
        SCS_TRY(row_work_make(job, &block->work[i]));
    if (row_keeps_sources(job))
        SCS_TRY(SCS_ALLOC(block->sources, block->slice));
    if (weighs_all)
        SCS_TRY(alloc_sums(block));
    SCS_TRY(SCS_ALLOC(block->of, most));
    SCS_TRY(SCS_ALLOC(block->fresh, most));
    return alloc_decoded(block);
}

/* Sources of rows that were not finished among it. */
void scs_row_block_clear(scs_row_block *block)
{
    for (int i = 0; block->work && i < block->n_work; i++)
        row_work_clear(&block->work[i]);
    free(block->work);
    for (int64_t i = 0; block->sources && i < block->slice; i++)
        scs_shift_sources_destroy(&block->sources[i]);
    free(block->sources);
    for (int64_t i = 0; block->split && i < block->slice; i++)
        scs_mixed_sums_clear_split(&block->split[i]);
    free(block->split);
    scs_mixed_sums_destroy(&block->of_latent);
    scs_mixed_sums_destroy(&block->of_mean);
    scs_mixed_sums_destroy(&block->of_variance);
    free(block->weight);
    free(block->delta);
    free(block->change);
    free(block->variance_change);
    free(block->sampled);
    scs_decode_mean_genes_destroy(&block->decoder);
    controls_clear(&block->controls);
    free(block->of);
    free(block->fresh);
    free(block->hidden);
    free(block->mean);
    free(block->variance);
    *block = (scs_row_block){0};
}

/* Rows are ordered by species and type, so that a block has few groups, one after the other.
 *  @param[out] group [rows] of which n are set */
static void find_groups(scs_row_block *b, int32_t *group, int32_t *n)
{
    *n = 0;
    for (int64_t i = 0; i < b->rows->n; i++) {
        const scs_combination *c = &b->job->plan->item[b->rows->first + i];

        b->of[i] = -1;
        if (c->status != SCS_ROW_OK)
            continue;
        if (*n == 0 || group[*n - 1] != c->control_group)
            group[(*n)++] = c->control_group;
        b->of[i] = *n - 1;
    }
}

/* Controls that are decoded with the rows: the method asks for them, and they are not yet. */
static void find_fresh(scs_row_block *b)
{
    bool wanted = scs_rule_decode_at(b->job->method->decode)->needs_baseline && b->mean;

    b->n_fresh = 0;
    for (int32_t k = 0; k < b->controls.n && wanted; k++)
        if (!b->controls.item[k].decoded)
            b->fresh[b->n_fresh++] = k;
}

/* Controls of these rows, and which of them are decoded along with the rows. */
static scs_status begin_block(scs_row_block *b)
{
    const controls_request request = {.session = b->job->session,
                                      .control_z = b->job->control_z,
                                      .linear = b->hidden != NULL,
                                      .products = b->job->method->products,
                                      .variance = b->variance != NULL};
    int32_t n, *group = b->fresh; /* as scratch */

    find_groups(b, group, &n);
    SCS_TRY(controls_replace(&b->controls, &request, group, n));
    find_fresh(b);
    return SCS_OK;
}

/* ---- The steps, each over all rows ---- */

/* The k-th fresh controls without a shift: their hidden mean behind those of the rows, or their
 * moments at once. */
static scs_status decode_baseline(const scs_row_block *b, int32_t k, scs_row_work *w)
{
    const scs_session *s = b->job->session;
    const scs_row_controls *c = &b->controls.item[b->fresh[k]];

    if (!b->hidden)
        return scs_session_model_decode(s, b->job->control_z[c->group],
                                        s->atlas->group[c->group].count, NULL, c->mean,
                                        c->variance);
    scs_decode_mean_hidden_run(c->hidden, NULL, w->scratch,
                               b->hidden + (b->to + k) * s->model->arch.n_hidden);
    return SCS_OK;
}

/* From one thread only: MPI is not called by several. */
static void call_idle(const scs_row_job *j)
{
    if (omp_get_thread_num() == 0 && j->idle)
        j->idle(j->idle_ctx);
}

/* Sources of the slice's rows. */
static scs_status find_rows(const scs_row_block *b)
{
    scs_parallel_error failed = {0};

#pragma omp parallel for schedule(dynamic)
    for (int64_t i = b->from; i < b->to; i++) {
        scs_parallel_error_note(&failed, i, row_find(b, i, &b->work[omp_get_thread_num()]));
        call_idle(b->job);
    }
    return scs_parallel_error_raise(&failed);
}

/* Of the slice's rows the weights of all groups' variances by which the means are sampled; 0 where
 * there is no prediction. */
static void fill_weights(const scs_row_block *b)
{
    const scs_atlas *a = b->job->session->atlas;

#pragma omp parallel for schedule(dynamic)
    for (int64_t i = b->from; i < b->to; i++) {
        float *weight = b->weight + (i - b->from) * a->n_group;

        memset(weight, 0, sizeof *weight * (size_t)a->n_group);
        if (b->of[i] >= 0)
            scs_mixed_atlas_sampling_floats(a, b->job->plan->item[b->rows->first + i].control_group,
                                            b->sources[i - b->from], weight);
    }
}

/* Everything that is a sum over thousands of sources, of all the slice's rows at once. */
static scs_status sum_rows(const scs_row_block *b)
{
    const scs_atlas *a = b->job->session->atlas;
    int64_t n = b->to - b->from;

    SCS_TRY(find_rows(b));
    if (b->of_latent)
        SCS_TRY(scs_mixed_sums_make(b->of_latent, b->split, n, b->delta));
    if (b->of_mean)
        SCS_TRY(scs_mixed_sums_make(b->of_mean, b->split, n, b->change));
    if (b->of_variance)
        SCS_TRY(scs_mixed_sums_make(b->of_variance, b->split, n, b->variance_change));
    if (!b->of_latent)
        memcpy(b->delta, b->change, sizeof *b->delta * (size_t)(n * a->n_gene));
    if (!b->sampled)
        return SCS_OK;
    fill_weights(b);
    return scs_row_sums(b->weight, n, a->gene_variance, a->n_group, a->n_gene, b->sampled);
}

/* Step 1, over rows and then fresh controls; dynamic, as rows differ in sources and cells. */
static scs_status shift_rows(const scs_row_block *b)
{
    scs_parallel_error failed = {0};

    if (b->split)
        SCS_TRY(sum_rows(b));
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = b->from; i < b->to + b->n_fresh; i++) {
        scs_row_work *w = &b->work[omp_get_thread_num()];

        scs_parallel_error_note(&failed, i,
                                i < b->to ? row_shift(b, i, w)
                                          : decode_baseline(b, (int32_t)(i - b->to), w));
        call_idle(b->job);
    }
    return scs_parallel_error_raise(&failed);
}

/* Step 2: one product for rows and fresh controls; controls then keep their own mean for later
 * slices and blocks. */
static void decode_rows(scs_row_block *b)
{
    const scs_session *s = b->job->session;
    int64_t genes = s->atlas->n_gene, n = b->to - b->from + b->n_fresh;
    int n_task = b->decoder ? scs_decode_mean_genes_tasks(b->decoder) : 0;

#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < n_task; task++)
        scs_decode_mean_genes_run(b->decoder, task, b->hidden + b->from * s->model->arch.n_hidden,
                                  n, b->work[omp_get_thread_num()].panel,
                                  b->mean + b->from * genes);
    for (int32_t k = 0; k < b->n_fresh; k++) {
        scs_row_controls *c = &b->controls.item[b->fresh[k]];

        if (b->decoder)
            memcpy(c->mean, b->mean + (b->to + k) * genes, (size_t)genes * sizeof *c->mean);
        c->decoded = true;
    }
    b->n_fresh = 0;
}

/* Step 3. */
static scs_status finish_rows(const scs_row_block *b)
{
    scs_parallel_error failed = {0};

#pragma omp parallel for schedule(dynamic)
    for (int64_t i = b->from; i < b->to; i++) {
        scs_parallel_error_note(&failed, i, row_finish(b, i, &b->work[omp_get_thread_num()]));
        call_idle(b->job);
    }
    return scs_parallel_error_raise(&failed);
}

/* Begin, then the steps, slice by slice; each ends for all its rows before the next begins. */
scs_status scs_row_make_all(scs_row_block *block, scs_result_rows *rows)
{
    block->rows = rows;
    block->from = block->to = 0;
    SCS_TRY(begin_block(block));
    while (block->from < rows->n) {
        block->to = block->from + block->slice;
        block->to = block->to < rows->n ? block->to : rows->n;
        SCS_TRY(shift_rows(block));
        decode_rows(block);
        SCS_TRY(finish_rows(block));
        block->from = block->to;
    }
    return SCS_OK;
}
