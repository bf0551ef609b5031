#include "mpi/screen_rows.h"

#include "src/failure.h"
#include "src/gene_sets.h"
#include "src/predict.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

static scs_status alloc_matrices(const scs_row_job *job, scs_result_rows *rows, bool errors)
{
    int64_t cells = rows->n * job->session->atlas->n_gene;

    SCS_TRY(SCS_ALLOC(rows->x, cells));
    SCS_TRY(SCS_ALLOC(rows->control, cells));
    SCS_TRY(SCS_ALLOC(rows->shift, cells));
    if (job->method->variance)
        SCS_TRY(SCS_ALLOC(rows->variance, cells));
    if (errors)
        SCS_TRY(SCS_ALLOC(rows->shift_se, cells));
    return SCS_OK;
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

scs_status scs_screen_rows_alloc(const scs_row_job *job, scs_result_rows *rows)
{
    bool errors = job->bootstrap > 0;
    int64_t latent = rows->n * job->session->atlas->n_latent;

    SCS_TRY(alloc_matrices(job, rows, errors));
    SCS_TRY(SCS_ALLOC(rows->delta, latent));
    if (errors)
        SCS_TRY(SCS_ALLOC(rows->delta_se, latent));
    if (job->top_genes > 0)
        SCS_TRY(alloc_top(rows, job->top_genes));
    if (job->gene_sets)
        SCS_TRY(alloc_sets(rows, job->gene_sets->name.n));
    SCS_TRY(SCS_ALLOC(rows->delta_norm, rows->n));
    SCS_TRY(SCS_ALLOC(rows->trust, rows->n));
    return SCS_ALLOC(rows->score, rows->n);
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

/* ---- the block ---- */

static scs_status alloc_decoded(scs_row_block *b)
{
    const scs_session *s = b->job->session;
    int64_t cells = 2 * b->most * s->atlas->n_gene;

    if (!scs_session_has_latent(s))
        return SCS_OK;
    if (scs_row_is_linear(b->job)) {
        SCS_TRY(scs_mean_decoder_create(s->model, &b->decoder));
        for (int i = 0; i < b->n_work; i++)
            SCS_TRY(SCS_ALLOC(b->work[i].panel, scs_mean_decoder_work(b->decoder)));
        SCS_TRY(SCS_ALLOC(b->hidden, 2 * b->most * s->model->arch.n_hidden));
    }
    SCS_TRY(SCS_ALLOC(b->mean, cells));
    return b->job->method->variance ? SCS_ALLOC(b->variance, cells) : SCS_OK;
}

scs_status scs_row_block_make(const scs_row_job *job, int64_t most, scs_row_block *block)
{
    *block = (scs_row_block){.job = job, .most = most, .n_work = omp_get_max_threads()};
    SCS_TRY(SCS_ALLOC(block->work, block->n_work));
    for (int i = 0; i < block->n_work; i++)
        SCS_TRY(scs_row_work_make(job, &block->work[i]));
    if (scs_row_keeps_sources(job))
        SCS_TRY(SCS_ALLOC(block->sources, most));
    SCS_TRY(SCS_ALLOC(block->of, most));
    SCS_TRY(SCS_ALLOC(block->fresh, most));
    return alloc_decoded(block);
}

void scs_row_block_clear(scs_row_block *block)
{
    for (int i = 0; block->work && i < block->n_work; i++)
        scs_row_work_clear(&block->work[i]);
    free(block->work);
    for (int64_t i = 0; block->sources && i < block->most; i++)
        scs_sources_destroy(&block->sources[i]);
    free(block->sources);
    scs_mean_decoder_destroy(&block->decoder);
    scs_controls_clear(&block->controls);
    free(block->of);
    free(block->fresh);
    free(block->hidden);
    free(block->mean);
    free(block->variance);
    *block = (scs_row_block){0};
}

/* Rows are ordered by species and type, so that a block has few groups, one after the other.
 * @param[out] group [rows] of which n are set */
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
    bool wanted = scs_decode_mode_at(b->job->method->decode)->needs_baseline && b->mean;

    b->n_fresh = 0;
    for (int32_t k = 0; k < b->controls.n && wanted; k++)
        if (!b->controls.item[k].decoded)
            b->fresh[b->n_fresh++] = k;
}

static scs_status begin_block(scs_row_block *b)
{
    const scs_controls_want want = {.session = b->job->session,
                                    .control_z = b->job->control_z,
                                    .linear = b->hidden != NULL,
                                    .products = b->job->method->products,
                                    .variance = b->variance != NULL};
    int32_t n, *group = b->fresh; /* as scratch */

    find_groups(b, group, &n);
    SCS_TRY(scs_controls_change(&b->controls, &want, group, n));
    find_fresh(b);
    return SCS_OK;
}

/* ---- the steps, each over all rows ---- */

/* The controls themselves, after the rows. */
static scs_status keep_still(const scs_row_block *b, int32_t k, scs_row_work *w)
{
    const scs_session *s = b->job->session;
    const scs_row_controls *c = &b->controls.item[b->fresh[k]];

    if (!b->hidden)
        return scs_session_decode(s, b->job->control_z[c->group], s->atlas->group[c->group].count,
                                  NULL, c->mean, c->variance);
    scs_moving_mean(c->moving, NULL, w->scratch,
                    b->hidden + (b->rows->n + k) * s->model->arch.n_hidden);
    return SCS_OK;
}

static void be_idle(const scs_row_job *j)
{
    if (omp_get_thread_num() == 0 && j->idle)
        j->idle(j->idle_ctx);
}

static scs_status shift_rows(const scs_row_block *b)
{
    int64_t n = b->rows->n, all = n + b->n_fresh;
    scs_failure failed = {0};

#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < all; i++) {
        scs_row_work *w = &b->work[omp_get_thread_num()];

        scs_failure_note(&failed, i,
                         i < n ? scs_row_shift(b, i, w) : keep_still(b, (int32_t)(i - n), w));
        be_idle(b->job);
    }
    return scs_failure_raise(&failed);
}

static void decode_rows(const scs_row_block *b)
{
    int64_t genes = b->job->session->atlas->n_gene, n = b->rows->n;
    int n_task = b->decoder ? scs_mean_decoder_tasks(b->decoder) : 0;

#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < n_task; task++)
        scs_mean_decoder_run(b->decoder, task, b->hidden, n + b->n_fresh,
                             b->work[omp_get_thread_num()].panel, b->mean);
    for (int32_t k = 0; k < b->n_fresh; k++) {
        scs_row_controls *c = &b->controls.item[b->fresh[k]];

        if (b->decoder)
            memcpy(c->mean, b->mean + (n + k) * genes, (size_t)genes * sizeof *c->mean);
        c->decoded = true;
    }
}

static scs_status finish_rows(const scs_row_block *b)
{
    scs_failure failed = {0};

#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < b->rows->n; i++) {
        scs_failure_note(&failed, i, scs_row_finish(b, i, &b->work[omp_get_thread_num()]));
        be_idle(b->job);
    }
    return scs_failure_raise(&failed);
}

scs_status scs_screen_rows(scs_row_block *block, scs_result_rows *rows)
{
    block->rows = rows;
    SCS_TRY(begin_block(block));
    SCS_TRY(shift_rows(block));
    decode_rows(block);
    return finish_rows(block);
}
