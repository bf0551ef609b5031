/* One panel's measures, of cells that are shared out by genes (score_panel.h).
 *
 * Passes: one for the prediction, which serves the baseline of no change as well; one for the
 * baseline of the mean response; one for each split. A pass is O(values of the rank's genes), twice
 * with splits. What is kept between passes: the real side's significant genes, and the coordinates,
 * which depend on the cells alone.
 *
 * Measures come out alike on all ranks: what a rank knows of its genes is put together before
 * anything is summed over genes (mpi/score/perturbations.c). */
#include "mpi/score/score_panel.h"

#include "mpi/comm/collectives.h"
#include "mpi/score/coordinates.h"
#include "mpi/score/gene_share.h"
#include "mpi/score/perturbations.h"
#include "src/base/names.h"
#include "src/base/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- cells ---- */

void scs_score_panel_cells_clear(scs_score_cells *c)
{
    scs_packed_clear(&c->share);
    free(c->gene0);
    free(c->total);
    scs_levels_clear(&c->levels);
    free(c->order);
    *c = (scs_score_cells){0};
}

/* Totals of all cells on every rank, 8 bytes a cell: sums over genes, which no rank has all of once
 * cells are cut by genes. Collective. @param own [n_own] of this rank's cells, from `first` on */
static scs_status gather_totals(scs_comm *comm, const double *own, int64_t first, int64_t n_own,
                                scs_score_cells *c)
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
static scs_status find_targets(int64_t n_predicted, const scs_score_cells *c, double **target)
{
    const int64_t first_cell[] = {0, n_predicted, c->n};
    double *used = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(*target, c->n));
    SCS_GO(st, SCS_ALLOC(used, c->n));
    for (int i = 0; i < SCS_N_SIDE; i++) {
        int64_t n = 0;
        double median;

        for (int64_t k = first_cell[i]; k < first_cell[i + 1]; k++)
            if (c->total[k] > 0)
                used[n++] = c->total[k];
        median = n ? scs_vector_median(used, n) : 1;
        for (int64_t k = first_cell[i]; k < first_cell[i + 1]; k++)
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
static scs_status prepare(const scs_names *genes, int64_t n_predicted, scs_score_cells *c)
{
    double *target = NULL;
    scs_status st;

    SCS_GO(st, find_targets(n_predicted, c, &target));
    SCS_GO(st, scs_levels_make(&c->share, c->total, target, &c->levels));
    SCS_GO(st, order_names(genes, &c->order));
done:
    free(target);
    return st;
}

scs_status scs_score_panel_cells_make(scs_comm *comm, const scs_names *genes, int64_t n_predicted,
                                      int64_t n, int64_t first, const double *own, scs_packed *x,
                                      scs_score_cells *c)
{
    *c = (scs_score_cells){.n = n};
    SCS_TRY(gather_totals(comm, own, first, x->n_row, c));
    SCS_TRY(scs_gene_share_make(comm, x, n, &c->share, &c->gene0));
    return scs_comm_agree(comm, prepare(genes, n_predicted, c));
}

/* ---- a panel ---- */

/* One panel's work. What is not owned (degs, value) is borrowed. */
typedef struct scoring {
    const scs_score_how *how;
    scs_comm *comm;
    const scs_score_cells *cells;
    scs_measuring measuring;
    scs_scorecard *card;
    scs_own_degs degs; /* of the real cells */
    double *value;     /* [perturbations, SCS_N_CARD] of a contrast that is compared with */
    double *at;        /* [cells, components] */
} scoring;

/* Alike in its failure on all ranks. Collective. */
static scs_status pass_genes(const scoring *s, const scs_contrast *contrast, scs_gene_stats *stats)
{
    return scs_comm_agree(s->comm, scs_gene_stats_make(contrast, &s->cells->share,
                                                       &s->cells->levels, s->cells->total, stats));
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
    const scs_coordinates_input input = {.comm = s->comm,
                                         .panel = s->measuring.panel,
                                         .share = &s->cells->share,
                                         .levels = &s->cells->levels,
                                         .gene0 = s->cells->gene0,
                                         .real = contrast,
                                         .stats = stats};
    int32_t wanted = s->how->components;

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

    SCS_GO(st, scs_comm_agree(s->comm, scs_contrast_predict(panel, &contrast)));
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
    if (s->how->baseline == SCS_SCORE_BASELINE_NO_CHANGE) {
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

/* Each perturbation is predicted by real cells of the others; where that cannot be done (one
 * perturbation, or one that is most of them) there is a warning and no baseline, and the rest of
 * the card stands. Collective. */
static scs_status score_mean_response(scoring *s, const scs_panel *panel)
{
    scs_contrast contrast = {0};
    bool possible = false;
    scs_status st;

    SCS_GO(st,
           scs_comm_agree(s->comm, scs_contrast_mean(panel, s->how->seed, &contrast, &possible)));
    if (possible)
        SCS_GO(st, compare(s, &contrast, NULL, s->card->baseline));
    else
        scs_session_say(s->how->session,
                        "warning: no baseline: the mean response needs at least two perturbations "
                        "of which none has more than half of the cells; --baseline no_change needs "
                        "nothing");
done:
    scs_contrast_clear(&contrast);
    return st;
}

/* Means over the splits: what a second experiment of the same cells would reach. Its genes are
 * taken from the whole real side (degs), so that they are not chosen by one half. Collective. */
static scs_status score_replicates(scoring *s, const scs_panel *panel)
{
    int64_t n = s->how->splits;
    double mean[SCS_N_CARD], sum[SCS_N_CARD] = {0};

    for (int64_t k = 0; k < n; k++) {
        scs_contrast contrast = {0};
        scs_status st =
            scs_comm_agree(s->comm, scs_contrast_split(panel, s->how->seed, k, &contrast));

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

/* The prediction comes first: it leaves the coordinates and the real side's genes, which the
 * baseline and the splits use. Collective. */
scs_status scs_score_panel(const scs_score_how *how, const scs_score_cells *c,
                           const scs_panel *panel, scs_scorecard *card)
{
    scoring s = {.how = how,
                 .comm = how->session->comm,
                 .cells = c,
                 .card = card,
                 .measuring = {.comm = how->session->comm,
                               .panel = panel,
                               .gene0 = c->gene0,
                               .order = c->order,
                               .least_cpm = how->least_cpm}};
    scs_status st;

    SCS_GO(st, scs_comm_agree(s.comm, scs_scorecard_create(panel, card)));
    SCS_GO(st, scs_comm_agree(s.comm,
                              SCS_ALLOC(s.value, (int64_t)panel->perturbations.n * SCS_N_CARD)));
    SCS_GO(st, score_prediction(&s, panel));
    if (how->baseline == SCS_SCORE_BASELINE_MEAN)
        SCS_GO(st, score_mean_response(&s, panel));
    SCS_GO(st, score_replicates(&s, panel));
done:
    scs_perturbations_clear(&s.degs);
    free(s.value);
    free(s.at);
    return st;
}
