/* A panel of one perturbation: the predicted cells, then the real ones of the combination, then the
 * controls. All of them are on every rank for a moment (at most SCS_CELL_MAKER_MOST predicted
 * ones, packed), so that each takes its part in an order that does not depend on how many ranks
 * there are.
 *
 * Time of a combination: making the cells, a pass through its genes and one for each split of the
 * replicate, and the components of at most SCS_CELL_SPACE_GENES genes (half a second at 2,000). The
 * inputs' counts are read once more by each group of ranks and kept. */
#include "mpi/crossval/crossval_cells.h"

#include "mpi/cells/cell_maker.h"
#include "mpi/cells/cells_run.h"
#include "mpi/data/packed_gather.h"
#include "mpi/job/session_model.h"
#include "mpi/score/score_panel.h"
#include "src/crossval/replicate.h"
#include "src/screen/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Measure of a row, and where it stands among a panel's. */
static const struct {
    int measure, card;
} measured[] = {
    {SCS_CELLS_JACCARD, SCS_CARD_JACCARD},
    {SCS_CELLS_TOP_100, SCS_CARD_TOP},
    {SCS_CELLS_FIDELITY, SCS_CARD_FIDELITY},
    {SCS_CELLS_LFC_NMAE, SCS_CARD_NMAE},
    {SCS_CELLS_R2_MEAN, SCS_CARD_R2_MEAN},
    {SCS_CELLS_R2_VARIANCE, SCS_CARD_R2_VARIANCE},
    {SCS_CELLS_E_DISTANCE, SCS_CARD_E_DISTANCE},
    {SCS_CELLS_ENERGY, SCS_CARD_ENERGY_DISTANCE},
    {SCS_CELLS_MMD2, SCS_CARD_MMD2},
};

enum { N_MEASURED = sizeof measured / sizeof *measured };

/* Where a panel's cells come from, in their order. */
enum { PREDICTED, OBSERVED, CONTROL };

typedef struct work {
    scs_validation *v;
    int64_t model;
} work;

/* ---- predicted cells on all ranks ---- */

/* This rank's, as rows. Local. */
static scs_status pack(const scs_cell_block *cells, int32_t n_gene, scs_packed *x)
{
    scs_csr rows = {0};
    scs_status st;

    SCS_GO(st, scs_csr_alloc(cells->n, n_gene, cells->indptr[cells->n], &rows));
    for (int64_t i = 0; i <= cells->n; i++)
        rows.indptr[i] = cells->indptr[i];
    for (int64_t k = 0; k < cells->indptr[cells->n]; k++) {
        rows.indices[k] = cells->gene[k];
        rows.values[k] = (float)cells->count[k];
    }
    SCS_GO(st, scs_packed_make(&rows, x));
done:
    scs_csr_clear(&rows);
    return st;
}

/* ---- a panel ---- */

/* All cells of a combination, on every rank. */
typedef struct combination {
    const scs_combination *item;
    scs_packed predicted;
    scs_count_group observed, control;
} combination;

/* The item is the plan's. */
static void clear_combination(combination *c)
{
    scs_packed_clear(&c->predicted);
    scs_count_group_clear(&c->observed);
    scs_count_group_clear(&c->control);
}

/* Predicted, observed, control: of the panel's cell i which, and the how many-th of these. */
static const scs_packed *cell_of(const combination *c, int64_t i, int64_t *row, int *which)
{
    const scs_packed *x[] = {&c->predicted, &c->observed.x, &c->control.x};
    int k = 0;

    for (*row = i; *row >= x[k]->n_row; k++)
        *row -= x[k]->n_row;
    *which = PREDICTED + k;
    return x[k];
}

/* Of the panel, all three kinds. */
static int64_t n_cell(const combination *c)
{
    return c->predicted.n_row + c->observed.x.n_row + c->control.x.n_row;
}

/* This rank's part of the panel's cells, and their totals. Local.
 * @param[out] x, total caller frees, also after a failure */
static scs_status take_part(const combination *c, int64_t first, int64_t end, scs_packed *x,
                            double **total)
{
    int64_t words = 0, row;
    int which;

    for (int64_t i = first; i < end; i++) {
        const scs_packed *from = cell_of(c, i, &row, &which);

        words += scs_packed_row_words(from, row);
    }
    SCS_TRY(SCS_ALLOC(*total, end - first));
    SCS_TRY(scs_packed_alloc(end - first, c->predicted.n_col, words, x));
    for (int64_t i = first; i < end; i++) {
        const scs_packed *from = cell_of(c, i, &row, &which);

        scs_packed_copy(x, i - first, from, row);
        (*total)[i - first] = scs_packed_row_sum(from, row);
    }
    return SCS_OK;
}

/* @param name of the perturbation; its gene, if it is one, is left out as in score */
static scs_status make_panel(const combination *c, const scs_names *genes, const char *name,
                             scs_panel **panel)
{
    int64_t n = n_cell(c), row;
    int which;

    SCS_TRY(SCS_ALLOC(*panel, 1));
    **panel =
        (scs_panel){.n_cell = n, .n_predicted = c->predicted.n_row, .n_gene = c->predicted.n_col};
    SCS_TRY(scs_names_add(&(*panel)->perturbations, name));
    SCS_TRY(SCS_ALLOC((*panel)->group, n));
    SCS_TRY(SCS_ALLOC((*panel)->target, 1));
    (*panel)->target[0] = scs_names_find(genes, name);
    for (int64_t i = 0; i < n; i++) {
        cell_of(c, i, &row, &which);
        (*panel)->group[i] = which == CONTROL;
    }
    return SCS_OK;
}

/* Collective over the group. @param[out] card of the panel */
static scs_status score(const work *w, const combination *c, scs_panel **panel, scs_scorecard *card)
{
    const scs_session *s = w->v->session;
    const scs_grid *grid = w->v->grid;
    const scs_score_how how = {.session = s,
                               .baseline = SCS_SCORE_BASELINE_NO_CHANGE,
                               .splits = SCS_REPLICATE_SPLITS,
                               .seed = s->config->train.seed,
                               .least_cpm = s->config->score.least_cpm,
                               .components = (int32_t)s->config->score.components};
    int64_t n_rank = scs_comm_size(s->comm), rank = scs_comm_rank(s->comm), n = n_cell(c);
    int64_t first = n * rank / n_rank, end = n * (rank + 1) / n_rank;
    const char *name = scs_plan_perturbation_label(s->atlas, &grid->plan->pairs, c->item);
    scs_score_cells cells = {0};
    scs_packed x = {0};
    double *total = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(s->comm, make_panel(c, &s->dataset->genes, name, panel)));
    SCS_GO(st, scs_comm_agree(s->comm, take_part(c, first, end, &x, &total)));
    SCS_GO(st, scs_score_panel_cells_make(s->comm, &s->dataset->genes, c->predicted.n_row, n, first,
                                          total, &x, &cells));
    SCS_GO(st, scs_score_panel(&how, &cells, *panel, card));
done:
    scs_packed_clear(&x);
    scs_score_panel_cells_clear(&cells);
    free(total);
    return st;
}

/* ---- rows ---- */

/* Whether cells are made by it: what a screen with this config would use. */
static bool makes_cells(const scs_session *s, const scs_predictor *p)
{
    int kind = s->config->model.kind;

    if (scs_session_model_has_latent(s))
        return p->space == SCS_PREDICT_LATENT && p->decode == SCS_DECODE_AS_CONFIG &&
               p->model == kind;
    return p->space == SCS_PREDICT_GENES && p->shift == SCS_SHIFT_AS_CONFIG &&
           p->baseline == SCS_BASELINE_NONE;
}

/* The model's row of a combination. */
static int64_t row_of(const work *w, const scs_combination *item)
{
    int64_t k = 0;

    while (scs_grid_item(w->v->grid, w->model, k)->observed_group != item->observed_group)
        k++;
    return k;
}

/* On the group's first rank. */
static void keep(const work *w, int64_t row, const scs_scorecard *card)
{
    const scs_session *s = w->v->session;
    int n = scs_report_predictor_count();

    for (int p = 0; p < n; p++) {
        const scs_predictor *predictor = scs_report_predictor_at(p);
        double *value = w->v->value + (row * n + p) * SCS_N_MEASURE;

        for (int k = 0; k < N_MEASURED; k++)
            if (makes_cells(s, predictor))
                value[measured[k].measure] = card->mean[measured[k].card];
            else if (predictor->space == SCS_PREDICT_NOTHING)
                value[measured[k].measure] = card->baseline[measured[k].card];
            else if (predictor->space == SCS_PREDICT_REPLICATE)
                value[measured[k].measure] = card->replicate[measured[k].card];
    }
}

/* Hook of scs_cells_run_make. */
static scs_status take(void *ctx, const scs_combination *item, const scs_cell_block *cells,
                       const scs_counts *counts)
{
    const work *w = ctx;
    const scs_session *s = w->v->session;
    combination c = {.item = item, .observed = {.group = -1}, .control = {.group = -1}};
    scs_panel *panel = NULL;
    scs_scorecard card = {0};
    scs_packed own = {0};
    scs_status st;

    SCS_GO(st, scs_comm_agree(s->comm, pack(cells, s->dataset->n_gene, &own)));
    SCS_GO(st, scs_packed_gather(s->comm, &own, &c.predicted));
    SCS_GO(st, scs_counts_gather(counts, item->observed_group, &c.observed));
    SCS_GO(st, scs_counts_gather(counts, item->control_group, &c.control));
    SCS_GO(st, score(w, &c, &panel, &card));
    if (scs_session_leads(s))
        keep(w, row_of(w, item), &card);
done:
    scs_packed_clear(&own);
    scs_scorecard_clear(&card);
    if (panel)
        scs_panel_clear_all(&panel, 1);
    clear_combination(&c);
    return st;
}

/* The model's combinations as rows to be predicted. Local, alike on all ranks of the group. */
static scs_status list_rows(const work *w, scs_plan *plan)
{
    const scs_names *pairs = &w->v->grid->plan->pairs;

    plan->n = scs_grid_size(w->v->grid, w->model);
    SCS_TRY(SCS_ALLOC(plan->item, plan->n));
    for (int64_t k = 0; k < plan->n; k++) {
        plan->item[k] = *scs_grid_item(w->v->grid, w->model, k);
        plan->item[k].held_out = true;
        plan->item[k].cost = 1;
    }
    for (int32_t i = 0; i < pairs->n; i++)
        SCS_TRY(scs_names_add(&plan->pairs, pairs->name[i]));
    return SCS_OK;
}

scs_status scs_crossval_cells(scs_validation *v, int64_t model)
{
    work w = {v, model};
    const scs_cells_taker taker = {&w, SCS_CELL_MAKER_MOST, take};
    scs_plan plan = {0};
    scs_status st;

    if (!v->session->config->validate.cells)
        return SCS_OK;
    if (!v->counts) {
        SCS_TRY(scs_comm_agree(v->group, SCS_ALLOC(v->counts, 1)));
        SCS_TRY(scs_counts_read(v->session, v->counts));
    }
    SCS_GO(st, scs_comm_agree(v->group, list_rows(&w, &plan)));
    SCS_GO(st, scs_cells_run_make(v->session, &plan, v->counts, &taker));
done:
    scs_plan_clear(&plan);
    return st;
}
