/* Measures of one model's combinations. Two spaces: baselines are arithmetic in gene space, as
 * scs_atlas_gene_space_view makes it a latent space; the model's predictors go through the same
 * rows as a screen (mpi/screen/row.h).
 *
 *  Each row has SCS_N_MEASURE values (src/screen/score.h): of means and variances in gene space for
 *  every predictor, of latent cells only where there are any: for the model's own predictors, and
 *  for `no change`, which is what they have to beat.
 *
 *  Time: baselines are O(sources n_gene) a row; a model's rows are those of a screen; the measures
 *  of cells go over all pairs of control and observed cells of a row.
 *
 *  Rows are divided over the group's ranks and each row is measured on one, whose values are then
 *  summed with the others' zeros on the first rank: exact in any order. A row is a block of its
 *  own, so that its bits do not show how rows are divided. Latent cells of control and observed
 *  groups travel to the ranks of their rows only. */
#include "mpi/crossval/crossval_measure.h"
#include "mpi/screen/screen_method.h"
#include "mpi/job/session_model.h"
#include "mpi/crossval/crossval.h"
#include "mpi/screen/row.h"
#include "src/crossval/audit.h"
#include "src/crossval/baseline.h"
#include "src/crossval/ridge.h"
#include "src/screen/predict.h"
#include "src/atlas/atlas.h"
#include "src/base/collective.h"
#include "src/base/text.h"
#include "src/screen/cell_distance.h"
#include "src/screen/correction.h"
#include "src/screen/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct work {
    scs_validation *v;
    int kind;          /* of the model in hand */
    scs_plan plan;     /* the model's combinations */
    scs_plan observed; /* the same with the observed groups in the place of the controls */
    int64_t model;
    int64_t *first;                 /* [n_rank + 1] rows of each rank */
    scs_real **control_z;           /* [n_group] latent cells, where there is a network */
    scs_real **observed_z;          /* [n_group] */
    scs_atlas genes;                /* gene space as a latent space */
    scs_method *method;             /* [predictors] */
    scs_sources *sources;           /* scratch */
    double *scratch;                /* [2 n_gene + n_latent] */
    float *mean, *shift, *variance; /* [n_gene] scratch */
    const int32_t *held;            /* [n_held] groups that the model holds out */
    int64_t n_held;
    scs_cell_spread *spread;    /* [plan.n] of the observed cells */
    double *moved_by;           /* [plan.n, n_latent] the last shift of its controls */
    scs_cell_difference *moved; /* [plan.n] what they differ by, so moved */
    bool *is_moved;             /* [plan.n] both are there */
    double *value;              /* [plan.n, predictors, SCS_N_MEASURE]; 0 in other ranks' rows */
} work;

/* [SCS_N_MEASURE] of a row and predictor. */
static double *value_of(const work *w, int64_t row, int predictor)
{
    return w->value + (row * scs_report_predictor_count() + predictor) * SCS_N_MEASURE;
}

/* The model's combinations as rows to be predicted, and the same with the observed groups in the
 * place of the controls: so that one function sends the cells of either. */
static void list_rows(work *w, int64_t model)
{
    for (int64_t k = 0; k < w->plan.n; k++) {
        scs_combination *c = &w->plan.item[k];

        *c = *scs_grid_item(w->v->grid, model, k);
        c->held_out = true;
        c->cost = 1;
        w->observed.item[k] = *c;
        w->observed.item[k].control_group = c->observed_group;
    }
}

/* Local, alike on all ranks of the group; closed even after a failure. */
static scs_status open_work(work *w, int64_t model)
{
    const scs_atlas *a = w->v->session->atlas;
    int64_t n_rank = scs_comm_size(w->v->group), genes = a->n_gene, latent = a->n_latent;

    w->held = scs_grid_held(w->v->grid, model, &w->n_held);
    w->plan.n = w->observed.n = scs_grid_size(w->v->grid, model);
    SCS_TRY(SCS_ALLOC(w->plan.item, w->plan.n));
    SCS_TRY(SCS_ALLOC(w->observed.item, w->plan.n));
    SCS_TRY(SCS_ALLOC(w->first, n_rank + 1));
    SCS_TRY(SCS_ALLOC(w->control_z, a->n_group));
    SCS_TRY(SCS_ALLOC(w->observed_z, a->n_group));
    SCS_TRY(SCS_ALLOC(w->method, scs_report_predictor_count()));
    SCS_TRY(scs_shift_sources_create(a, &w->sources));
    SCS_TRY(SCS_ALLOC(w->scratch, 2 * genes + latent));
    SCS_TRY(SCS_ALLOC(w->mean, genes));
    SCS_TRY(SCS_ALLOC(w->shift, genes));
    SCS_TRY(SCS_ALLOC(w->variance, genes));
    SCS_TRY(SCS_ALLOC(w->spread, w->plan.n));
    SCS_TRY(SCS_ALLOC(w->moved_by, w->plan.n * latent));
    SCS_TRY(SCS_ALLOC(w->moved, w->plan.n));
    SCS_TRY(SCS_ALLOC(w->is_moved, w->plan.n));
    SCS_TRY(SCS_ALLOC(w->value, w->plan.n * scs_report_predictor_count() * SCS_N_MEASURE));
    list_rows(w, model);
    scs_plan_split(&w->plan, (int32_t)n_rank, w->first);
    return scs_atlas_gene_space_view(a, &w->genes);
}

/* Whatever is there. */
static void close_work(work *w)
{
    int32_t n_group = w->v->session->atlas->n_group;

    for (int32_t g = 0; g < n_group; g++) {
        if (w->control_z)
            free(w->control_z[g]);
        if (w->observed_z)
            free(w->observed_z[g]);
    }
    scs_plan_clear(&w->plan);
    scs_plan_clear(&w->observed);
    free(w->first);
    free(w->control_z);
    free(w->observed_z);
    free(w->method);
    scs_shift_sources_destroy(&w->sources);
    free(w->scratch);
    free(w->mean);
    free(w->shift);
    free(w->variance);
    free(w->spread);
    free(w->moved_by);
    free(w->moved);
    free(w->is_moved);
    free(w->value);
    scs_atlas_gene_space_clear(&w->genes);
}

/* Collective over the group. */
static scs_status send_cells(work *w)
{
    const scs_session *s = w->v->session;

    SCS_TRY(scs_redistribute_cells(w->v->group, s->dataset, s->atlas, &w->plan, false, w->first,
                                   s->shard, &s->team, s->z, w->control_z));
    return scs_redistribute_cells(w->v->group, s->dataset, s->atlas, &w->observed, false, w->first,
                                  s->shard, &s->team, s->z, w->observed_z);
}

/* How far the latent cells, moved by delta, are from the observed ones: energy distance and MMD.
 * Decode modes have the shift in common, and with it these. @param delta [n_latent], NULL: not
 * moved
 */
static scs_status measure_cells(work *w, int64_t row, const double *delta, double *value)
{
    const scs_atlas *a = w->v->session->atlas;
    const scs_combination *c = &w->plan.item[row];
    scs_sample moved = {w->control_z[c->control_group], a->group[c->control_group].count, delta};
    scs_sample real = {w->observed_z[c->observed_group], a->group[c->observed_group].count, NULL};
    double *last = w->moved_by + row * a->n_latent;
    size_t size = (size_t)a->n_latent * sizeof *last;
    scs_cell_difference out = w->moved[row];

    if (!delta || !w->is_moved[row] || memcmp(last, delta, size) != 0)
        SCS_TRY(scs_cell_distance_compare(&moved, &real, a->n_latent, &w->spread[row], &out));
    if (delta) {
        memcpy(last, delta, size);
        w->moved[row] = out;
        w->is_moved[row] = true;
    }
    value[SCS_ENERGY_LATENT] = out.energy;
    value[SCS_MMD_LATENT] = out.mmd2;
    return SCS_OK;
}

/* Where a row's shift comes from, into w->sources; none of them may be held out.
 *  @param[out] any false: it is no change, or has no prediction */
static scs_status find_sources(work *w, int64_t row, int predictor, bool *any)
{
    const scs_predictor *p = scs_report_predictor_at(predictor);
    const scs_combination *c = &w->plan.item[row];
    const scs_atlas *a = p->space == SCS_PREDICT_GENES && p->shift != SCS_SHIFT_AS_CONFIG
                             ? &w->genes
                             : w->v->session->atlas;

    *any = false;
    if (p->space == SCS_PREDICT_NOTHING || p->space == SCS_PREDICT_REPLICATE)
        return SCS_OK;
    if (p->baseline == SCS_BASELINE_RIDGE)
        scs_ridge_columns(a, c, w->sources);
    else if (p->baseline != SCS_BASELINE_NONE)
        SCS_TRY(scs_baseline_find(a, p->baseline, c, w->sources));
    else
        SCS_TRY(scs_shift_sources_find(a, &w->method[predictor], c, w->sources));
    *any = w->sources->kind != SCS_SOURCE_NONE;
    return scs_audit_sources(c, w->sources, w->held, w->n_held, p->name);
}

/* A row without a prediction: every measure is undefined. */
static void measure_none(double *value)
{
    for (int m = 0; m < SCS_N_MEASURE; m++)
        value[m] = NAN;
}

/* A baseline's row: control + the sources' own change. The truth is the base's: in the session's
 * atlas it is hidden. */
static scs_status measure_genes(work *w, int64_t row, int predictor)
{
    const scs_session *s = w->v->session;
    const scs_predictor *p = scs_report_predictor_at(predictor);
    const scs_atlas *a = s->atlas;
    const scs_combination *c = &w->plan.item[row];
    int64_t genes = a->n_gene;
    scs_prediction out = {w->mean, w->shift, w->method[predictor].variance ? w->variance : NULL};
    scs_evidence from = {.control_mean = scs_atlas_group_gene_mean(a, c->control_group),
                         .control_variance = scs_atlas_group_gene_variance(a, c->control_group),
                         .change = {w->scratch, w->scratch + genes},
                         .scale = 1};
    double *value = value_of(w, row, predictor);
    bool any;

    memset(w->scratch, 0, 2 * (size_t)genes * sizeof *w->scratch);
    SCS_TRY(find_sources(w, row, predictor, &any));
    if (!any && p->space != SCS_PREDICT_NOTHING) {
        measure_none(value);
        return SCS_OK;
    }
    if (any && p->baseline == SCS_BASELINE_RIDGE) {
        SCS_TRY(scs_ridge_change(a, c, w->sources, w->scratch));
        SCS_TRY(scs_audit_finite(w->scratch, genes, p->name));
        out.variance = NULL; /* it says nothing of variances */
    } else if (any) {
        SCS_TRY(scs_shift_sources_change(a, w->sources, w->scratch));
        scs_shift_sources_genes(a, w->sources, a->gene_variance, w->scratch + genes);
        SCS_TRY(
            scs_correction_apply(w->method[predictor].correction, a, c, w->sources, w->scratch));
        SCS_TRY(scs_audit_finite(w->scratch, 2 * genes, p->name));
    }
    scs_predict(&w->method[predictor], a->n_gene, &from, &out);
    SCS_TRY(scs_score_measure_means(w->v->base, c, &out, NULL, value));
    return !any && scs_session_model_has_latent(s) ? measure_cells(w, row, NULL, value) : SCS_OK;
}

/* A row that was made in latent space. */
static scs_status measure_row(work *w, const scs_result_rows *rows, int predictor)
{
    const scs_session *s = w->v->session;
    const char *name = scs_report_predictor_at(predictor)->name;
    int64_t row = rows->first;
    const scs_combination *c = &w->plan.item[row];
    scs_prediction out = {rows->x, rows->shift, rows->variance};
    double *value = value_of(w, row, predictor);
    bool any;

    SCS_TRY(find_sources(w, row, predictor, &any));
    if (!any) {
        measure_none(value);
        return SCS_OK;
    }
    SCS_TRY(scs_shift_sources_change(s->atlas, w->sources, w->scratch));
    SCS_TRY(scs_audit_finite(w->scratch, s->atlas->n_gene, name));
    scs_shift_sources_latent(s->atlas, w->sources, w->scratch);
    SCS_TRY(scs_audit_finite(w->scratch, s->atlas->n_latent, name));
    SCS_TRY(scs_score_measure_means(w->v->base, c, &out, NULL, value));
    return measure_cells(w, row, w->scratch, value);
}

/* The model's rows, decoded as this predictor does. Each is a block of its own: how rows are
 * divided over ranks must not show. */
static scs_status measure_latent(work *w, int64_t first, int64_t n, int predictor)
{
    const scs_session *s = w->v->session;
    const scs_method *method = &w->method[predictor];
    scs_result_rows rows = {.n = 1};
    scs_row_job job = {.session = s, .method = method, .plan = &w->plan, .control_z = w->control_z};
    scs_row_block block = {0};
    scs_status st;

    SCS_GO(st, scs_plan_resolve(s->atlas, method, &w->plan));
    SCS_GO(st, scs_row_results_alloc(&job, &rows));
    SCS_GO(st, scs_row_block_make(&job, 1, &block));
    for (rows.first = first; rows.first < first + n; rows.first++) {
        SCS_GO(st, scs_row_make_all(&block, &rows));
        SCS_GO(st, scs_audit_finite(&method->blend, 1, scs_report_predictor_at(predictor)->name));
        SCS_GO(st, measure_row(w, &rows, predictor));
    }
done:
    scs_row_results_clear(&rows);
    scs_row_block_clear(&block);
    return st;
}

/* Whether this kind of model makes the predictor; baselines go with the config's own kind. */
static bool is_made(const work *w, int predictor)
{
    return scs_report_predictor_is_made_by(scs_report_predictor_at(predictor),
                                           w->v->session->config, w->kind);
}

/* Measured already, for all of the grid. */
static void measure_replicate(work *w, int64_t row, int predictor)
{
    int64_t at = scs_grid_row(w->v->grid, w->model, row);

    memcpy(value_of(w, row, predictor), w->v->replicate + at * SCS_N_MEASURE,
           SCS_N_MEASURE * sizeof *w->v->replicate);
}

/* A row that no model makes. */
static scs_status measure_one(work *w, int64_t row, int predictor)
{
    if (scs_report_predictor_at(predictor)->space != SCS_PREDICT_REPLICATE)
        return measure_genes(w, row, predictor);
    measure_replicate(w, row, predictor);
    return SCS_OK;
}

/* This rank's rows, by every predictor that this kind of model makes. Local. */
static scs_status measure(work *w)
{
    int32_t me = scs_comm_rank(w->v->group);
    int64_t first = w->first[me], last = w->first[me + 1];

    for (int p = 0; p < scs_report_predictor_count() && first < last; p++) {
        if (!is_made(w, p))
            continue;
        if (scs_report_predictor_at(p)->space == SCS_PREDICT_LATENT)
            SCS_TRY(measure_latent(w, first, last - first, p));
        else
            for (int64_t i = first; i < last; i++)
                SCS_TRY(measure_one(w, i, p));
    }
    return SCS_OK;
}

/* The predictor's decode mode, or the config's. */
static int decode_of(const scs_session *s, const scs_predictor *p)
{
    return p->decode == SCS_DECODE_AS_CONFIG ? s->config->screen.decode : p->decode;
}

/* A method for each predictor; baselines never use `auto`. Collective: `auto` looks at all cells.
 */
static scs_status make_methods(work *w)
{
    scs_session *s = w->v->session;

    for (int i = 0; i < scs_report_predictor_count(); i++) {
        const scs_predictor *p = scs_report_predictor_at(i);

        w->method[i] = scs_predict_in_gene_space(scs_shift_method_from_config(s->config));
        if (p->space == SCS_PREDICT_GENES && p->shift == SCS_SHIFT_AS_CONFIG && is_made(w, i)) {
            SCS_TRY(scs_screen_method(s, SCS_DECODE_EDIT, &w->method[i]));
            w->method[i] = scs_predict_in_gene_space(w->method[i]);
        } else if (p->space == SCS_PREDICT_GENES) {
            w->method[i].shift = p->shift;
            w->method[i].power = scs_choose_shift_power_tried(SCS_USUAL_POWER);
        }
        if (p->space == SCS_PREDICT_LATENT && is_made(w, i))
            SCS_TRY(scs_screen_method(s, decode_of(s, p), &w->method[i]));
    }
    return scs_collective_ok();
}

/* "type_1, type_2, ...": where a row's shift comes from. Rows are not divided here: every rank
 * names all of them. */
static scs_status name_source(work *w, int64_t row, int predictor)
{
    char **name = &w->v->source.name[row * scs_report_predictor_count() + predictor];
    bool any;

    SCS_TRY(find_sources(w, row, predictor, &any));
    free(*name);
    return scs_text_copy(any ? w->sources->text : "", name);
}

/* In words, for all rows. */
static scs_status name_sources(work *w)
{
    for (int64_t i = 0; i < w->plan.n; i++)
        for (int p = 0; p < scs_report_predictor_count(); p++)
            if (is_made(w, p))
                SCS_TRY(name_source(w, i, p));
    return SCS_OK;
}

/* Only what this kind of model has made: the same rows hold other kinds' values too. */
static void keep_values(const work *w, const double *all)
{
    for (int64_t i = 0; i < w->plan.n * scs_report_predictor_count(); i++)
        if (is_made(w, (int)(i % scs_report_predictor_count())))
            memcpy(w->v->value + i * SCS_N_MEASURE, all + i * SCS_N_MEASURE,
                   SCS_N_MEASURE * sizeof *all);
}

/* Each value is one rank's; the others have 0 there. Collective over the group. */
static scs_status gather(work *w)
{
    int n = (int)(w->plan.n * scs_report_predictor_count() * SCS_N_MEASURE);
    MPI_Comm group = scs_comm_mpi(w->v->group);
    double *all = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(w->v->group, SCS_ALLOC(all, n)));
    SCS_GO(st, scs_comm_mpi_status(MPI_Reduce(w->value, all, n, MPI_DOUBLE, MPI_SUM, 0, group),
                                   "MPI_Reduce"));
    keep_values(w, all);
done:
    free(all);
    return st;
}

/* [combinations, predictors, SCS_N_MEASURE] values, and a text for each row, empty at first. */
scs_status scs_crossval_measure_reserve(scs_validation *v, int64_t model)
{
    int64_t n = scs_grid_size(v->grid, model) * scs_report_predictor_count();

    free(v->value);
    scs_names_clear(&v->source);
    SCS_TRY(SCS_ALLOC(v->value, n * SCS_N_MEASURE));
    for (int64_t i = 0; i < n; i++)
        SCS_TRY(scs_names_add(&v->source, ""));
    return SCS_OK;
}

/* Cells travel only where there is a latent space. Collective over the group. */
static scs_status run(work *w, int64_t model)
{
    SCS_TRY(scs_comm_agree(w->v->group, open_work(w, model)));
    if (scs_session_model_has_latent(w->v->session))
        SCS_TRY(send_cells(w));
    SCS_TRY(make_methods(w));
    SCS_TRY(scs_comm_agree(w->v->group, measure(w)));
    SCS_TRY(scs_comm_agree(w->v->group, name_sources(w)));
    return gather(w);
}

/* The session's atlas, z and model are those of this kind; all that is made here is freed again. */
scs_status scs_crossval_measure(scs_validation *v, int64_t model, int kind)
{
    work w = {.v = v, .kind = kind, .model = model};
    scs_status st = run(&w, model);

    close_work(&w);
    return st;
}
