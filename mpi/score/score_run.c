/* Reading and sharing out are done once; each panel is then a handful of contrasts, each a pass
 * through the genes and its measuring.
 *
 * Passes: one for the prediction, which serves the baseline of no change as well; one for the
 * baseline of the mean response; one for each split. A pass is O(values of the rank's genes), twice
 * with splits. Memory of a rank is its share of the counts, packed, 8 bytes for the total of each
 * cell of both files, and the levels (src/score/levels.h). */
#include "mpi/score/score_run.h"

#include "mpi/comm/collectives.h"
#include "mpi/score/coordinates.h"
#include "mpi/score/gene_share.h"
#include "mpi/score/perturbations.h"
#include "src/base/names.h"
#include "src/base/vector.h"
#include "src/data/scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 2 }; /* the prediction, the real cells */

/* ---- cells ---- */

/* All ranks' cells, this rank's genes. */
typedef struct cells {
    int64_t n;
    scs_packed share;
    int64_t *gene0; /* [n_rank + 1] */
    double *total;  /* [n] counts */
    scs_levels levels;
    int32_t *order; /* [n_gene] place of each gene's name */
} cells;

/* Zeroed is let through. */
static void cells_clear(cells *c)
{
    scs_packed_clear(&c->share);
    free(c->gene0);
    free(c->total);
    scs_levels_clear(&c->levels);
    free(c->order);
}

/* What the reader needs to know of the two files. */
typedef struct files {
    scs_dataset dataset;
    int64_t first_cell[FILES + 1];
    int32_t *gene[FILES];
} files;

static void files_clear(files *f)
{
    for (int i = 0; i < FILES; i++)
        free(f->gene[i]);
    free(f->dataset.role);
}

/* Local, alike on all ranks. */
static scs_status files_make(const scs_session *session, files *f)
{
    for (int i = 0; i < FILES; i++) {
        SCS_TRY(scs_panel_match_genes(session->meta[i], session->meta[FILES - 1], &f->gene[i]));
        f->first_cell[i + 1] = f->first_cell[i] + session->meta[i]->n_obs;
    }
    f->dataset = (scs_dataset){.n_cell = f->first_cell[FILES],
                               .n_gene = session->meta[FILES - 1]->n_var,
                               .n_input = FILES,
                               .first_cell = f->first_cell,
                               .gene_of_column = f->gene};
    SCS_REQUIRE(f->dataset.n_cell < INT32_MAX, SCS_EDATA, "%lld cells: more than %d in both files",
                (long long)f->dataset.n_cell, INT32_MAX);
    return SCS_ALLOC(f->dataset.role, f->dataset.n_cell);
}

/* The tests are of counts. Alike on all ranks. */
static scs_status check_values(const scs_session *session, const scs_scale *scale)
{
    char found[400];

    for (int i = 0; i < FILES; i++) {
        int32_t n_var = session->meta[i]->n_var;

        SCS_REQUIRE(scs_scale_judge(&scale[i], n_var) == SCS_SCALE_COUNTS, SCS_EDATA,
                    "%s: %s holds no counts: %s; score needs raw counts in both files, choose them "
                    "with --matrix layers/NAME",
                    session->meta[i]->path, session->meta[i]->matrix,
                    scs_scale_describe(&scale[i], n_var, found, sizeof found));
    }
    return SCS_OK;
}

/* Totals of all cells on every rank. Collective. @param own [x->n_row] */
static scs_status gather_totals(scs_comm *comm, const double *own, int64_t first, int64_t n_own,
                                cells *c)
{
    int64_t n_rank = scs_comm_size(comm);

    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(c->total, c->n)));
    memcpy(c->total + first, own, (size_t)n_own * sizeof *own);
    for (int64_t r = 0; r <= n_rank; r++)
        comm->first[r] = c->n * r / n_rank * (int64_t)sizeof *own;
    return scs_comm_allgather(comm, c->total, comm->first);
}

/* The median total of each file's cells that have counts, as scanpy's normalize_total takes it.
 * @param[out] target [n] malloc'ed */
static scs_status find_targets(const files *f, const cells *c, double **target)
{
    double *used = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(*target, c->n));
    SCS_GO(st, SCS_ALLOC(used, c->n));
    for (int i = 0; i < FILES; i++) {
        int64_t n = 0;
        double median;

        for (int64_t k = f->first_cell[i]; k < f->first_cell[i + 1]; k++)
            if (c->total[k] > 0)
                used[n++] = c->total[k];
        median = n ? scs_vector_median(used, n) : 1;
        for (int64_t k = f->first_cell[i]; k < f->first_cell[i + 1]; k++)
            (*target)[k] = median;
    }
done:
    free(used);
    return st;
}

/* The place of each gene's name among all, by bytes: what ties are broken by. */
static scs_status order_names(const scs_names *genes, int32_t **order)
{
    scs_index index = {0};
    scs_status st;

    SCS_GO(st, scs_names_index_create(genes, &index));
    SCS_GO(st, SCS_ALLOC(*order, genes->n));
    for (int32_t i = 0; i < genes->n; i++)
        (*order)[index.order[i]] = i;
done:
    scs_names_index_clear(&index);
    return st;
}

/* What follows from the cells once they are here. Local. */
static scs_status prepare(const scs_session *session, const files *f, cells *c)
{
    double *target = NULL;
    scs_status st;

    SCS_GO(st, find_targets(f, c, &target));
    SCS_GO(st, scs_levels_make(&c->share, c->total, target, &c->levels));
    SCS_GO(st, order_names(&session->meta[FILES - 1]->genes, &c->order));
done:
    free(target);
    return st;
}

/* Collective. */
static scs_status read_cells(scs_session *session, cells *c)
{
    const scs_h5ad *const *metas = (const scs_h5ad *const *)session->meta;
    scs_scale scale[FILES];
    files f = {0};
    scs_packed x = {0};
    double *own = NULL;
    int64_t first;
    scs_status st;

    SCS_GO(st, scs_comm_agree(session->comm, files_make(session, &f)));
    c->n = f.dataset.n_cell;
    SCS_GO(st, scs_read_cells(session->comm, &f.dataset, metas, &first, &x, &own, scale));
    SCS_GO(st, scs_comm_agree(session->comm, check_values(session, scale)));
    SCS_GO(st, gather_totals(session->comm, own, first, x.n_row, c));
    SCS_GO(st, scs_gene_share_make(session->comm, &x, c->n, &c->share, &c->gene0));
    SCS_GO(st, scs_comm_agree(session->comm, prepare(session, &f, c)));
done:
    free(own);
    scs_packed_clear(&x);
    files_clear(&f);
    return st;
}

/* Cells that are in no panel are told of. Alike on all ranks; rank 0 says it. */
static void tell_missing(const scs_session *session)
{
    for (int i = 0; i < FILES; i++) {
        const scs_h5ad *file = session->meta[i];
        int64_t missing = 0;

        for (int64_t k = 0; k < file->n_obs; k++)
            missing += file->condition.codes[k] < 0 ||
                       (file->cell_type.column && file->cell_type.codes[k] < 0);
        if (missing)
            scs_session_say(session,
                            "warning: %s: %lld of %lld cells have no label and are left out",
                            file->path, (long long)missing, (long long)file->n_obs);
    }
}

/* ---- a panel ---- */

/* One panel's work. What is not owned (degs, value) is borrowed. */
typedef struct scoring {
    scs_session *session;
    cells *cells;
    scs_measuring measuring;
    scs_scorecard *card;
    scs_own_degs degs; /* of the real cells */
    double *value;     /* [perturbations, SCS_N_CARD] of a contrast that is compared with */
    double *at;        /* [cells, components] */
} scoring;

/* Alike in its failure on all ranks. Collective. */
static scs_status pass_genes(const scoring *s, const scs_contrast *contrast, scs_gene_stats *stats)
{
    return scs_comm_agree(
        s->session->comm,
        scs_gene_stats_make(contrast, &s->cells->share, &s->cells->levels, s->cells->total, stats));
}

/* Pass and measure. Collective. @param gate of scs_perturbations_measure  @param[out] mean */
static scs_status compare(scoring *s, const scs_contrast *contrast, const scs_own_degs *gate,
                          double *mean)
{
    scs_gene_stats stats = {0};
    scs_status st;

    SCS_GO(st, pass_genes(s, contrast, &stats));
    SCS_GO(st, scs_perturbations_measure(&s->measuring, contrast, &stats, gate, NULL, s->value));
    scs_scorecard_mean(s->value, contrast->n, mean);
done:
    scs_gene_stats_clear(&stats);
    return st;
}

/* The controls as the prediction of every perturbation: they differ from themselves in nothing. */
static void predict_controls(scs_gene_stats *stats, scs_contrast *contrast)
{
    for (int32_t g = 0; g < stats->n; g++) {
        for (int stat = 0; stat < SCS_N_STAT; stat++)
            memcpy(scs_gene_stats_row(stats, SCS_PREDICTED, stat, g),
                   scs_gene_stats_row(stats, SCS_REAL, stat, stats->n),
                   (size_t)stats->n_gene * sizeof(double));
        for (int32_t j = 0; j < stats->n_gene; j++)
            scs_gene_stats_row(stats, SCS_PREDICTED, SCS_STAT_P, g)[j] = 1;
        contrast->count[SCS_PREDICTED][g] = contrast->count[SCS_REAL][contrast->n];
    }
    contrast->controls_predict = true;
    contrast->count[SCS_PREDICTED][contrast->n] = 0;
}

/* Where cells stand, for all of the panel's contrasts. Collective. */
static scs_status find_coordinates(scoring *s, const scs_contrast *contrast,
                                   const scs_gene_stats *stats)
{
    const scs_coordinates_input input = {.comm = s->session->comm,
                                         .panel = s->measuring.panel,
                                         .share = &s->cells->share,
                                         .levels = &s->cells->levels,
                                         .gene0 = s->cells->gene0,
                                         .real = contrast,
                                         .stats = stats};
    int32_t wanted = (int32_t)s->session->config->score.components;

    if (wanted == 0)
        return SCS_OK;
    SCS_TRY(scs_coordinates_make(&input, wanted, &s->card->space, &s->at));
    s->measuring.at = s->at;
    s->measuring.dim = s->at ? s->card->space.pca->n_component : 0;
    return SCS_OK;
}

/* The prediction itself; its pass also serves the baseline of no change. Collective. */
static scs_status score_prediction(scoring *s, const scs_panel *panel)
{
    scs_contrast contrast = {0};
    scs_gene_stats stats = {0};
    scs_status st;

    SCS_GO(st, scs_comm_agree(s->session->comm, scs_contrast_predict(panel, &contrast)));
    SCS_GO(st, pass_genes(s, &contrast, &stats));
    SCS_GO(st, find_coordinates(s, &contrast, &stats));
    SCS_GO(st, scs_perturbations_measure(&s->measuring, &contrast, &stats, NULL, &s->degs,
                                         s->card->value));
    scs_scorecard_mean(s->card->value, contrast.n, s->card->mean);
    for (int32_t p = 0; p < contrast.n; p++) {
        s->card->n_predicted[p] = contrast.count[SCS_PREDICTED][p];
        s->card->n_real[p] = contrast.count[SCS_REAL][p];
    }
    s->card->n_control = contrast.count[SCS_REAL][contrast.n];
    if (s->session->config->score.baseline == SCS_SCORE_BASELINE_NO_CHANGE) {
        predict_controls(&stats, &contrast);
        SCS_GO(st,
               scs_perturbations_measure(&s->measuring, &contrast, &stats, NULL, NULL, s->value));
        scs_scorecard_mean(s->value, contrast.n, s->card->baseline);
    }
done:
    scs_gene_stats_clear(&stats);
    scs_contrast_clear(&contrast);
    return st;
}

/* Collective. */
static scs_status score_mean_response(scoring *s, const scs_panel *panel)
{
    scs_contrast contrast = {0};
    bool possible = false;
    scs_status st;

    SCS_GO(st,
           scs_comm_agree(s->session->comm, scs_contrast_mean(panel, s->session->config->score.seed,
                                                              &contrast, &possible)));
    if (possible)
        SCS_GO(st, compare(s, &contrast, NULL, s->card->baseline));
    else
        scs_session_say(s->session,
                        "warning: no baseline: the mean response needs at least two perturbations "
                        "of which none has more than half of the cells; --baseline no_change needs "
                        "nothing");
done:
    scs_contrast_clear(&contrast);
    return st;
}

/* Means over the splits. Collective. */
static scs_status score_replicates(scoring *s, const scs_panel *panel)
{
    int64_t n = s->session->config->score.splits;
    double mean[SCS_N_CARD], sum[SCS_N_CARD] = {0};

    for (int64_t k = 0; k < n; k++) {
        scs_contrast contrast = {0};
        scs_status st =
            scs_comm_agree(s->session->comm,
                           scs_contrast_split(panel, s->session->config->score.seed, k, &contrast));

        if (st == SCS_OK)
            st = compare(s, &contrast, &s->degs, mean);
        scs_contrast_clear(&contrast);
        SCS_TRY(st);
        for (int m = 0; m < SCS_N_CARD; m++)
            sum[m] += mean[m];
    }
    for (int m = 0; m < SCS_N_CARD && n > 0; m++)
        s->card->replicate[m] = sum[m] / (double)n;
    return SCS_OK;
}

/* Collective. */
static scs_status score_panel(scs_session *session, cells *c, const scs_panel *panel,
                              scs_scorecard *card)
{
    scoring s = {.session = session,
                 .cells = c,
                 .card = card,
                 .measuring = {.comm = session->comm,
                               .panel = panel,
                               .gene0 = c->gene0,
                               .order = c->order,
                               .least_cpm = session->config->score.least_cpm}};
    scs_status st;

    SCS_GO(st, scs_comm_agree(session->comm, scs_scorecard_create(panel, card)));
    SCS_GO(st, scs_comm_agree(session->comm,
                              SCS_ALLOC(s.value, (int64_t)panel->perturbations.n * SCS_N_CARD)));
    SCS_GO(st, score_prediction(&s, panel));
    if (session->config->score.baseline == SCS_SCORE_BASELINE_MEAN)
        SCS_GO(st, score_mean_response(&s, panel));
    SCS_GO(st, score_replicates(&s, panel));
done:
    scs_perturbations_clear(&s.degs);
    free(s.value);
    free(s.at);
    return st;
}

scs_status scs_score_run(scs_session *session, scs_panel **panels, scs_scorecard **card, int32_t *n)
{
    cells c = {0};
    scs_status st;

    *panels = NULL;
    *card = NULL;
    *n = 0;
    SCS_GO(st, scs_comm_agree(session->comm,
                              scs_panel_create_all(session->meta[0], session->meta[FILES - 1],
                                                   session->config->data.control, panels, n)));
    SCS_GO(st, scs_comm_agree(session->comm, SCS_ALLOC(*card, *n)));
    tell_missing(session);
    SCS_GO(st, read_cells(session, &c));
    for (int32_t i = 0; i < *n; i++)
        SCS_GO(st, score_panel(session, &c, *panels + i, *card + i));
done:
    cells_clear(&c);
    return st;
}

void scs_score_run_clear(scs_panel **panels, scs_scorecard **card, int32_t n)
{
    for (int32_t i = 0; *card && i < n; i++)
        scs_scorecard_clear(*card + i);
    free(*card);
    *card = NULL;
    scs_panel_clear_all(panels, n);
}
