#include "mpi/screen_rows.h"

#include "src/failure.h"

#include <omp.h>
#include <stdlib.h>

static scs_status alloc_matrices(const scs_row_job *job, scs_result_rows *rows, bool errors)
{
    int64_t cells = rows->n * job->session->atlas->n_gene;

    SCS_TRY(SCS_ALLOC(rows->x, cells));
    SCS_TRY(SCS_ALLOC(rows->control, cells));
    SCS_TRY(SCS_ALLOC(rows->shift, cells));
    if (job->session->config->screen.variance)
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

static scs_status alloc_work(scs_row_job *job)
{
    job->n_work = omp_get_max_threads();
    SCS_TRY(SCS_ALLOC(job->work, job->n_work));
    for (int i = 0; i < job->n_work; i++)
        SCS_TRY(scs_row_work_make(job, &job->work[i]));
    return SCS_OK;
}

scs_status scs_screen_rows_alloc(scs_row_job *job)
{
    scs_result_rows *rows = job->rows;
    bool errors = job->bootstrap > 0;
    int64_t latent = rows->n * job->session->atlas->n_latent;

    SCS_TRY(alloc_work(job));
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

void scs_screen_rows_clear(scs_row_job *job)
{
    scs_result_rows *rows = job->rows;

    for (int i = 0; job->work && i < job->n_work; i++)
        scs_row_work_clear(&job->work[i]);
    free(job->work);
    job->work = NULL;
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

/* ---- control cells of the block ---- */

/* Rows are ordered by species and type, so that a block has few groups, one after the other. */
static scs_status find_controls(scs_row_block *b)
{
    const scs_row_job *j = b->job;
    int64_t n = j->rows->n;

    SCS_TRY(SCS_ALLOC(b->of, n));
    SCS_TRY(SCS_ALLOC(b->controls, n));
    for (int64_t i = 0; i < n; i++) {
        const scs_combination *c = &j->plan->item[j->rows->first + i];

        b->of[i] = -1;
        if (c->status != SCS_ROW_OK)
            continue;
        if (b->n_controls == 0 || b->controls[b->n_controls - 1].group != c->control_group)
            b->controls[b->n_controls++].group = c->control_group;
        b->of[i] = b->n_controls - 1;
    }
    return SCS_OK;
}

static scs_status prepare_controls(const scs_row_block *b, scs_row_controls *c)
{
    const scs_session *s = b->job->session;
    const scs_real *z = b->job->control_z[c->group];
    int64_t n = s->atlas->group[c->group].count;

    SCS_TRY(scs_moved_cells_make(&(scs_sample){z, n, NULL}, s->atlas->n_latent, &c->cells));
    return b->hidden
               ? scs_moving_create(s->model, z, n, s->config->screen.products == SCS_PRODUCTS_AUTO,
                                   &c->moving)
               : SCS_OK;
}

static void clear_block(scs_row_block *b)
{
    for (int32_t k = 0; b->controls && k < b->n_controls; k++) {
        scs_moving_destroy(&b->controls[k].moving);
        scs_moved_cells_clear(&b->controls[k].cells);
    }
    free(b->controls);
    free(b->of);
    free(b->hidden);
    free(b->mean);
    free(b->variance);
}

static scs_status make_block(scs_row_block *b)
{
    const scs_session *s = b->job->session;
    int64_t n, genes = s->atlas->n_gene;

    SCS_TRY(find_controls(b));
    n = b->job->rows->n + b->n_controls;
    if (!scs_session_has_latent(s))
        return SCS_OK;
    if (scs_row_is_linear(b->job))
        SCS_TRY(SCS_ALLOC(b->hidden, n * s->model->arch.n_hidden));
    SCS_TRY(SCS_ALLOC(b->mean, n * genes));
    if (s->config->screen.variance)
        SCS_TRY(SCS_ALLOC(b->variance, n * genes));
    for (int32_t k = 0; k < b->n_controls; k++) {
        int64_t at = (b->job->rows->n + k) * genes;

        b->controls[k].mean = b->mean + at;
        b->controls[k].variance = b->variance ? b->variance + at : NULL;
        SCS_TRY(prepare_controls(b, &b->controls[k]));
    }
    return SCS_OK;
}

/* ---- the steps, each over all rows ---- */

/* The controls themselves, where the method asks for them: a row of their own. */
static scs_status keep_still(const scs_row_block *b, int32_t k, scs_row_work *w)
{
    const scs_session *s = b->job->session;
    const scs_row_controls *c = &b->controls[k];

    if (b->job->method->decode == SCS_DECODE_DECODE || !scs_session_has_latent(s))
        return SCS_OK;
    if (!b->hidden)
        return scs_session_decode(s, b->job->control_z[c->group], s->atlas->group[c->group].count,
                                  NULL, c->mean, c->variance);
    scs_moving_mean(c->moving, NULL, w->scratch,
                    b->hidden + (b->job->rows->n + k) * s->model->arch.n_hidden);
    return SCS_OK;
}

static void be_idle(const scs_row_job *j)
{
    if (omp_get_thread_num() == 0 && j->idle)
        j->idle(j->idle_ctx);
}

static scs_status shift_rows(const scs_row_block *b)
{
    int64_t n = b->job->rows->n, all = n + b->n_controls;
    scs_failure failed = {0};

#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < all; i++) {
        scs_row_work *w = &b->job->work[omp_get_thread_num()];

        scs_failure_note(&failed, i,
                         i < n ? scs_row_shift(b, i, w) : keep_still(b, (int32_t)(i - n), w));
        be_idle(b->job);
    }
    return scs_failure_raise(&failed);
}

static void decode_rows(const scs_row_block *b)
{
    const scs_model *model = b->job->session->model;
    int n_task = b->hidden ? scs_output_tasks(model) : 0;

#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < n_task; task++)
        scs_output_means(model, task, b->hidden, b->job->rows->n + b->n_controls,
                         b->job->work[omp_get_thread_num()].output, b->mean);
}

static scs_status finish_rows(const scs_row_block *b)
{
    scs_failure failed = {0};

#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < b->job->rows->n; i++) {
        scs_failure_note(&failed, i, scs_row_finish(b, i, &b->job->work[omp_get_thread_num()]));
        be_idle(b->job);
    }
    return scs_failure_raise(&failed);
}

scs_status scs_screen_rows(const scs_row_job *job)
{
    scs_row_block b = {.job = job};
    scs_status status;

    SCS_GO(status, make_block(&b));
    SCS_GO(status, shift_rows(&b));
    decode_rows(&b);
    SCS_GO(status, finish_rows(&b));
done:
    clear_block(&b);
    return status;
}
