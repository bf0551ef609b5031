/* Rows travel one kind of number at a time, so that little memory is held twice.
 *
 * A perturbation is measured by one rank alone, from whole rows and in the order of the genes: what
 * a rank adds up does not depend on how many there are. Each rank holds the mean expression of all
 * perturbations on both sides, 2 [n + 1, n_gene] doubles, and of its own perturbations the KEPT
 * kinds of numbers; pds costs O(n^2 n_gene) over all ranks together. */
#include "mpi/score/perturbations.h"

#include "src/base/parallel.h"
#include "src/score/effect.h"
#include "src/score/population.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows of all genes ---- */

/* Groups [begin, end) of a rank. */
typedef struct range {
    int64_t begin, end;
} range;

/* The perturbations that rank r measures. */
static range own_range(int64_t n, int64_t r, int64_t n_rank)
{
    return (range){n * r / n_rank, n * (r + 1) / n_rank};
}

/* Buffers of one exchange. */
typedef struct row_exchange {
    int64_t *send, *receive; /* [n_rank] bytes */
    double *out, *in;
} row_exchange;

/* A matrix of which every rank has all rows and its own genes: rows [wanted[r]) go whole to rank r.
 * @param local  [.., genes of this rank]
 * @param whole  [rows wanted by this rank, n_gene]. Collective. */
static scs_status make_whole(const scs_measuring *m, const double *local, const range *wanted,
                             double *whole)
{
    int64_t n_rank = scs_comm_size(m->comm), rank = scs_comm_rank(m->comm), at = 0, size = 0;
    int64_t width = m->gene0[rank + 1] - m->gene0[rank], n_gene = m->gene0[n_rank];
    int64_t n_own = wanted[rank].end - wanted[rank].begin;
    row_exchange e = {0};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(e.send, n_rank));
    SCS_GO(st, SCS_ALLOC(e.receive, n_rank));
    for (int64_t r = 0; r < n_rank; r++) {
        e.send[r] = (wanted[r].end - wanted[r].begin) * width * (int64_t)sizeof(double);
        e.receive[r] = n_own * (m->gene0[r + 1] - m->gene0[r]) * (int64_t)sizeof(double);
        size += wanted[r].end - wanted[r].begin;
    }
    SCS_GO(st, SCS_ALLOC(e.out, size * width));
    SCS_GO(st, SCS_ALLOC(e.in, n_own * n_gene));
done:
    st = scs_comm_agree(m->comm, st);
    for (int64_t r = 0; st == SCS_OK && r < n_rank; r++)
        for (int64_t g = wanted[r].begin; g < wanted[r].end; g++, at += width)
            memcpy(e.out + at, local + g * width, (size_t)width * sizeof *local);
    if (st == SCS_OK)
        st = scs_comm_alltoallv(m->comm, e.out, e.send, e.in, e.receive);
    at = 0;
    for (int64_t r = 0; st == SCS_OK && r < n_rank; r++)
        for (int64_t i = 0; i < n_own; i++, at += m->gene0[r + 1] - m->gene0[r])
            memcpy(whole + i * n_gene + m->gene0[r], e.in + at,
                   (size_t)(m->gene0[r + 1] - m->gene0[r]) * sizeof *whole);
    free(e.send);
    free(e.receive);
    free(e.out);
    free(e.in);
    return st;
}

/* ---- what this rank has of a contrast ---- */

enum { KEPT = 6 }; /* kinds of numbers that are needed of the own perturbations only */
static const int kept[KEPT] = {SCS_STAT_CPM,  SCS_STAT_P,        SCS_STAT_OWN_P,
                               SCS_STAT_MEAN, SCS_STAT_VARIANCE, SCS_STAT_LOGGED};

typedef struct work {
    const scs_measuring *m;
    const scs_contrast *contrast;
    int32_t n, n_gene;
    range own;
    range *own_of, *all, *control; /* [n_rank] rows that each rank wants */
    scs_effects effects;
    uint8_t *skip;                       /* [n_gene] targets of any perturbation */
    double *row[SCS_N_SIDE][SCS_N_STAT]; /* [own, n_gene] */
    double *control_cpm[SCS_N_SIDE], *control_logged[SCS_N_SIDE]; /* [n_gene] */
    double *logged_effect; /* [n, n_gene] real changes of the means of logs */
    double *value;         /* [own, SCS_N_CARD] */
    int64_t *first[SCS_N_SIDE], *cell[SCS_N_SIDE]; /* [n + 2], [cells]: each group's cells */
} work;

/* Cells by group, ascending within each. @param[out] first, cell malloc'ed */
static scs_status list_cells(const scs_contrast *c, int side, int64_t **first, int64_t **cell)
{
    const int32_t *group = c->group[side];

    SCS_TRY(SCS_ALLOC(*first, c->n + 3));
    SCS_TRY(SCS_ALLOC(*cell, c->n_cell));
    for (int64_t i = 0; i < c->n_cell; i++)
        if (group[i] >= 0)
            (*first)[group[i] + 2]++;
    for (int32_t g = 0; g <= c->n; g++)
        (*first)[g + 2] += (*first)[g + 1];
    for (int64_t i = 0; i < c->n_cell; i++)
        if (group[i] >= 0)
            (*cell)[(*first)[group[i] + 1]++] = i;
    return SCS_OK;
}

/* Everything that does not travel. The caller clears it after a failure. */
static scs_status allocate(work *w)
{
    int64_t n_rank = scs_comm_size(w->m->comm), n_own = w->own.end - w->own.begin;

    SCS_TRY(SCS_ALLOC(w->own_of, n_rank));
    SCS_TRY(SCS_ALLOC(w->all, n_rank));
    SCS_TRY(SCS_ALLOC(w->control, n_rank));
    for (int64_t r = 0; r < n_rank; r++) {
        w->own_of[r] = own_range(w->n, r, n_rank);
        w->all[r] = (range){0, w->n + 1};
        w->control[r] = (range){w->n, w->n + 1};
    }
    SCS_TRY(scs_effect_create(w->n, w->n_gene, w->m->panel->target, &w->effects));
    SCS_TRY(SCS_ALLOC(w->skip, w->n_gene));
    for (int side = 0; side < SCS_N_SIDE; side++) {
        for (int k = 0; k < KEPT; k++)
            SCS_TRY(SCS_ALLOC(w->row[side][kept[k]], n_own * w->n_gene));
        SCS_TRY(SCS_ALLOC(w->control_cpm[side], w->n_gene));
        SCS_TRY(SCS_ALLOC(w->control_logged[side], w->n_gene));
    }
    SCS_TRY(SCS_ALLOC(w->logged_effect, (int64_t)(w->n + 1) * w->n_gene));
    for (int side = 0; side < SCS_N_SIDE && w->m->at; side++)
        SCS_TRY(list_cells(w->contrast, side, &w->first[side], &w->cell[side]));
    return SCS_ALLOC(w->value, n_own * SCS_N_CARD);
}

/* Zeroed, and what was made in part, are let through. */
static void clear(work *w)
{
    free(w->own_of);
    free(w->all);
    free(w->control);
    scs_effect_clear(&w->effects);
    free(w->skip);
    for (int side = 0; side < SCS_N_SIDE; side++) {
        for (int k = 0; k < KEPT; k++)
            free(w->row[side][kept[k]]);
        free(w->control_cpm[side]);
        free(w->control_logged[side]);
        free(w->first[side]);
        free(w->cell[side]);
    }
    free(w->logged_effect);
    free(w->value);
}

/* This rank's genes of a kind of number, all groups: [n + 1, genes of this rank]. */
static const double *local(const scs_gene_stats *stats, int side, int stat)
{
    return scs_gene_stats_row(stats, side, stat, 0);
}

/* C of every group, from rows that whoever has the perturbation adds up. Collective.
 * @param noise [n + 1] */
static scs_status add_noise(work *w, const scs_gene_stats *stats, int side, double *noise)
{
    int32_t rank = scs_comm_rank(w->m->comm);
    int64_t n_own = w->own.end - w->own.begin;
    double *rows = NULL, *control = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(w->m->comm, SCS_ALLOC(rows, n_own * w->n_gene)));
    SCS_GO(st, scs_comm_agree(w->m->comm, SCS_ALLOC(control, w->n_gene)));
    SCS_GO(st, make_whole(w->m, local(stats, side, SCS_STAT_NOISE), w->own_of, rows));
    SCS_GO(st, make_whole(w->m, local(stats, side, SCS_STAT_NOISE), w->control, control));
    for (int64_t i = 0; i < n_own; i++)
        noise[w->own.begin + i] = scs_effect_noise(rows + i * w->n_gene, w->n_gene);
    if (rank == 0)
        noise[w->n] = scs_effect_noise(control, w->n_gene);
    /* every other rank has zeros there: the sum is the one number, to the bit */
    SCS_GO(st, scs_comm_mpi_status(MPI_Allreduce(MPI_IN_PLACE, noise, w->n + 1, MPI_DOUBLE, MPI_SUM,
                                                 scs_comm_mpi(w->m->comm)),
                                   "MPI_Allreduce"));
done:
    free(rows);
    free(control);
    return st;
}

/* Mean expression of all groups and its noise, on every rank. Half of the real cells start from
 * their own controls, predicted cells from the real ones, whatever controls a prediction brings.
 * Collective. */
static scs_status fetch_effects(work *w, const scs_gene_stats *stats)
{
    scs_effects *e = &w->effects;
    double *noise = NULL;
    scs_status st;

    SCS_GO(st, make_whole(w->m, local(stats, SCS_PREDICTED, SCS_STAT_SUM), w->all, e->predicted));
    SCS_GO(st, make_whole(w->m, local(stats, SCS_REAL, SCS_STAT_SUM), w->all, e->real));
    for (int32_t g = 0; g <= w->n; g++) {
        scs_effect_mean(e->predicted + (int64_t)g * w->n_gene, w->n_gene);
        scs_effect_mean(e->real + (int64_t)g * w->n_gene, w->n_gene);
    }
    if (!w->contrast->own_control)
        memcpy(e->predicted + (int64_t)w->n * w->n_gene, e->real + (int64_t)w->n * w->n_gene,
               (size_t)w->n_gene * sizeof *e->real);
    for (int32_t p = 0; p < w->n; p++) {
        e->present[p] =
            w->contrast->count[SCS_PREDICTED][p] > 0 && w->contrast->count[SCS_REAL][p] > 0;
        if (e->target[p] >= 0 && e->present[p])
            w->skip[e->target[p]] = 1;
    }
    SCS_GO(st, scs_comm_agree(w->m->comm, SCS_ALLOC(noise, w->n + 1)));
    SCS_GO(st, add_noise(w, stats, SCS_REAL, e->noise_real));
    SCS_GO(st, add_noise(w, stats, SCS_PREDICTED, noise));
    memcpy(e->noise_predicted, noise, (size_t)w->n * sizeof *noise);
    SCS_GO(st, scs_comm_agree(w->m->comm, scs_effect_cap_noise(e)));
done:
    free(noise);
    return st;
}

/* Numbers of the own perturbations, and of the controls. A prediction's own controls count, where
 * it has some, in the measures of 2025 alone. Collective. */
static scs_status fetch_rows(work *w, const scs_gene_stats *stats)
{
    bool has_own = w->contrast->count[SCS_PREDICTED][w->n] > 0;

    for (int side = 0; side < SCS_N_SIDE; side++) {
        for (int k = 0; k < KEPT; k++)
            SCS_TRY(
                make_whole(w->m, local(stats, side, kept[k]), w->own_of, w->row[side][kept[k]]));
        SCS_TRY(
            make_whole(w->m, local(stats, side, SCS_STAT_CPM), w->control, w->control_cpm[side]));
        SCS_TRY(make_whole(w->m, local(stats, side, SCS_STAT_LOGGED), w->control,
                           w->control_logged[side]));
    }
    SCS_TRY(make_whole(w->m, local(stats, SCS_REAL, SCS_STAT_LOGGED), w->all, w->logged_effect));
    for (int32_t p = 0; p < w->n; p++)
        for (int32_t g = 0; g < w->n_gene; g++)
            w->logged_effect[(int64_t)p * w->n_gene + g] -= w->control_logged[SCS_REAL][g];
    if (!w->contrast->own_control)
        memcpy(w->control_cpm[SCS_PREDICTED], w->control_cpm[SCS_REAL],
               (size_t)w->n_gene * sizeof(double));
    if (!has_own)
        memcpy(w->control_logged[SCS_PREDICTED], w->control_logged[SCS_REAL],
               (size_t)w->n_gene * sizeof(double));
    return SCS_OK;
}

/* ---- one perturbation ---- */

/* [n_gene], of a kind that is kept. @param i of the own perturbations */
static const double *own_row(const work *w, int side, int stat, int64_t i)
{
    return w->row[side][stat] + i * w->n_gene;
}

/* Genes that respond on one side, against the controls that this side is tested with. */
static scs_status make_set(const work *w, int side, int64_t i, scs_deg_set *set)
{
    return scs_deg_set_make(own_row(w, side, SCS_STAT_P, i), own_row(w, side, SCS_STAT_CPM, i),
                            w->control_cpm[side], w->n_gene, w->m->least_cpm,
                            w->m->panel->target[w->own.begin + i], set);
}

/* The 2025 challenge's three: predicted cells against their own controls, where there are any. */
static scs_status measure_2025(const work *w, int64_t i, double *effect, double *v)
{
    bool has_own = w->contrast->count[SCS_PREDICTED][w->n] > 0;
    const double *predicted = own_row(w, SCS_PREDICTED, SCS_STAT_LOGGED, i);
    const double *real = own_row(w, SCS_REAL, SCS_STAT_LOGGED, i);
    int32_t p = (int32_t)(w->own.begin + i);
    scs_deg_set set[SCS_N_SIDE] = {{0}};
    scs_status st;

    SCS_GO(st, scs_deg_set_make_geometric(
                   own_row(w, SCS_PREDICTED, has_own ? SCS_STAT_OWN_P : SCS_STAT_P, i), predicted,
                   w->control_logged[SCS_PREDICTED], w->n_gene, &set[SCS_PREDICTED]));
    SCS_GO(st, scs_deg_set_make_geometric(own_row(w, SCS_REAL, SCS_STAT_P, i), real,
                                          w->control_logged[SCS_REAL], w->n_gene, &set[SCS_REAL]));
    SCS_GO(st, scs_deg_set_overlap(&set[SCS_PREDICTED], &set[SCS_REAL], &v[SCS_CARD_DES]));
    v[SCS_CARD_MAE] = 0;
    for (int32_t g = 0; g < w->n_gene; g++) {
        v[SCS_CARD_MAE] += fabs(predicted[g] - real[g]) / w->n_gene;
        effect[g] = predicted[g] - w->control_logged[SCS_PREDICTED][g];
    }
    v[SCS_CARD_PDS_L1] =
        scs_effect_pds_l1(effect, w->logged_effect, w->n, w->n_gene, p, w->m->panel->target[p]);
done:
    for (int side = 0; side < SCS_N_SIDE; side++)
        scs_deg_set_clear(&set[side]);
    return st;
}

/* What is measured on mean expression, all perturbations beside. */
static void measure_effect(const work *w, int32_t p, double *v)
{
    scs_delta delta = scs_effect_delta(&w->effects, p);

    v[SCS_CARD_PDS] = scs_effect_pds(&w->effects, w->skip, p);
    v[SCS_CARD_MSE] = scs_effect_mse(&w->effects, p);
    v[SCS_CARD_DISTANCE] = scs_effect_distance(&w->effects, p);
    v[SCS_CARD_DELTA_PEARSON] = delta.pearson;
    v[SCS_CARD_DELTA_MAE] = delta.mae;
    v[SCS_CARD_DELTA_MSE] = delta.mse;
    v[SCS_CARD_DELTA_SIZE] = delta.size;
}

/* NaN where one of the two is constant. */
static double r2(const double *x, const double *y, int32_t n)
{
    double r = scs_effect_pearson(x, y, n);

    return r * r;
}

/* Of log1p expression, gene by gene: the cells' mean, variance and standard deviation.
 *  @param scratch [2, n_gene] */
static void measure_moments(const work *w, int64_t i, double *scratch, double *v)
{
    const double *a = own_row(w, SCS_PREDICTED, SCS_STAT_VARIANCE, i);
    const double *b = own_row(w, SCS_REAL, SCS_STAT_VARIANCE, i);

    v[SCS_CARD_R2_MEAN] = r2(own_row(w, SCS_PREDICTED, SCS_STAT_MEAN, i),
                             own_row(w, SCS_REAL, SCS_STAT_MEAN, i), w->n_gene);
    v[SCS_CARD_R2_VARIANCE] = r2(a, b, w->n_gene);
    for (int32_t g = 0; g < w->n_gene; g++) {
        scratch[g] = sqrt(a[g]);
        scratch[w->n_gene + g] = sqrt(b[g]);
    }
    v[SCS_CARD_R2_SD] = r2(scratch, scratch + w->n_gene, w->n_gene);
}

/* Borrowed: the cells of a group on one side. @param group contrast->n: the controls */
static scs_population population(const work *w, int side, int32_t group)
{
    const int64_t *first = w->first[side] + group;

    return (scs_population){w->m->at, w->cell[side] + first[0], first[1] - first[0]};
}

/* Where no change is the prediction, the controls themselves are the predicted cells. */
static scs_status compare_populations(const work *w, int32_t p, double *v)
{
    scs_population x, y = population(w, SCS_REAL, p);
    scs_population_distance d;

    x = w->contrast->controls_predict ? population(w, SCS_REAL, w->n)
                                      : population(w, SCS_PREDICTED, p);
    SCS_TRY(scs_population_compare(&x, &y, w->m->dim, &d));
    v[SCS_CARD_E_DISTANCE] = d.e_distance;
    v[SCS_CARD_ENERGY_DISTANCE] = d.energy_distance;
    v[SCS_CARD_MMD2] = d.mmd2;
    return SCS_OK;
}

/* @param[out] real the real side's genes; cleared by the caller */
static scs_status measure_one(const work *w, int64_t i, const scs_own_degs *gate, scs_deg_set *real,
                              double *v)
{
    int32_t p = (int32_t)(w->own.begin + i);
    scs_deg_set predicted = {0};
    double *scratch = NULL;
    scs_status st;

    for (int k = 0; k < SCS_N_CARD; k++)
        v[k] = NAN;
    if (!w->effects.present[p])
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(scratch, 2 * (int64_t)w->n_gene));
    SCS_GO(st, make_set(w, SCS_REAL, i, real));
    SCS_GO(st, make_set(w, SCS_PREDICTED, i, &predicted));
    v[SCS_CARD_FIDELITY] = scs_deg_set_fidelity(&predicted, real);
    SCS_GO(st, scs_deg_set_reach(&predicted, real, w->m->order, &v[SCS_CARD_REACH]));
    v[SCS_CARD_JACCARD] = scs_deg_set_jaccard(&predicted, real);
    v[SCS_CARD_NMAE] = scs_deg_set_nmae(&predicted, real, gate ? &gate->set[i] : real);
    SCS_GO(st, scs_deg_set_top(&predicted, real, w->m->panel->target[p], &v[SCS_CARD_TOP]));
    v[SCS_CARD_DEG_PREDICTED] = predicted.n_significant;
    v[SCS_CARD_DEG_REAL] = real->n_significant;
    measure_effect(w, p, v);
    SCS_GO(st, measure_2025(w, i, scratch, v));
    measure_moments(w, i, scratch, v);
    if (w->m->at)
        SCS_GO(st, compare_populations(w, p, v));
done:
    free(scratch);
    scs_deg_set_clear(&predicted);
    return st;
}

/* ---- all of them ---- */

void scs_perturbations_clear(scs_own_degs *degs)
{
    for (int32_t i = 0; degs->set && i < degs->n; i++)
        scs_deg_set_clear(&degs->set[i]);
    free(degs->set);
    *degs = (scs_own_degs){0};
}

/* On all threads. Local. */
static scs_status measure_own(const work *w, const scs_own_degs *gate, scs_own_degs *degs)
{
    scs_parallel_error error = {0};

    *degs =
        (scs_own_degs){.first = (int32_t)w->own.begin, .n = (int32_t)(w->own.end - w->own.begin)};
    SCS_TRY(SCS_ALLOC(degs->set, degs->n));
#pragma omp parallel for schedule(dynamic)
    for (int32_t i = 0; i < degs->n; i++) {
        scs_parallel_error_note(
            &error, i, measure_one(w, i, gate, &degs->set[i], w->value + (int64_t)i * SCS_N_CARD));
        degs->set[i].p = NULL;
    }
    return scs_parallel_error_raise(&error);
}

/* Rows of numbers to rank 0. Collective. @param[out] value [n, SCS_N_CARD] there */
static scs_status gather(const work *w, double *value)
{
    int64_t n_rank = scs_comm_size(w->m->comm), *out = NULL, *in = NULL;
    const int64_t row = SCS_N_CARD * (int64_t)sizeof *value;
    scs_status st = SCS_ALLOC(out, n_rank);

    if (st == SCS_OK)
        st = SCS_ALLOC(in, n_rank);
    SCS_GO(st, scs_comm_agree(w->m->comm, st));
    out[0] = (w->own.end - w->own.begin) * row;
    for (int64_t r = 0; scs_comm_rank(w->m->comm) == 0 && r < n_rank; r++)
        in[r] = (w->own_of[r].end - w->own_of[r].begin) * row;
    SCS_GO(st, scs_comm_alltoallv(w->m->comm, w->value, out, value, in));
done:
    free(out);
    free(in);
    return st;
}

scs_status scs_perturbations_measure(const scs_measuring *m, const scs_contrast *contrast,
                                     scs_gene_stats *stats, const scs_own_degs *gate,
                                     scs_own_degs *degs, double *value)
{
    work w = {.m = m,
              .contrast = contrast,
              .n = contrast->n,
              .n_gene = (int32_t)m->gene0[scs_comm_size(m->comm)],
              .own = own_range(contrast->n, scs_comm_rank(m->comm), scs_comm_size(m->comm))};
    scs_own_degs own = {0};
    scs_status st;

    SCS_GO(st, scs_comm_agree(m->comm, allocate(&w)));
    SCS_GO(st, fetch_effects(&w, stats));
    SCS_GO(st, fetch_rows(&w, stats));
    SCS_GO(st, scs_comm_agree(m->comm, measure_own(&w, gate, &own)));
    SCS_GO(st, gather(&w, value));
    if (degs) {
        *degs = own;
        own = (scs_own_degs){0};
    }
done:
    scs_perturbations_clear(&own);
    clear(&w);
    return st;
}
