/* Series up to the ninth power: where |z| is at most 1/32 the rest of log1p(z) is below 3e-15 of
 * it, that of its square below 4e-12. Beyond, log1p itself is called: for each cell of a small
 * group, and for cells that hold a good part of a gene's counts.
 *
 * For a gene and a group of n cells that is SCS_JACKKNIFE_POWERS terms and one step for each cell
 * that has the gene, where leaving out each cell in turn would be n logarithms: the sum over all
 * cells, without the gene, is corrected by those that have it. */
#include "src/score/jackknife.h"

#include <math.h>
#include <stdlib.h>

static const double bulk_total = 50000, largest = 1. / 32;

/* log1p(z) = z - z^2 / 2 + z^3 / 3 ... */
static const double logarithm[SCS_JACKKNIFE_POWERS] = {1,       -1. / 2, 1. / 3,  -1. / 4, 1. / 5,
                                                       -1. / 6, 1. / 7,  -1. / 8, 1. / 9};
/* Its square: the coefficient of z^j is (-1)^j 2 H_(j - 1) / j, H the harmonic numbers. */
static const double squared[SCS_JACKKNIFE_POWERS] = {
    0, 1, -1, 11. / 12, -5. / 6, 137. / 180, -7. / 10, 363. / 560, -761. / 1260};

/* ---- groups ---- */

/* 16 bytes a cell. The caller clears it after a failure. */
static scs_status allocate(scs_jackknife *j, int64_t n_cell)
{
    SCS_TRY(SCS_ALLOC(j->u, n_cell));
    SCS_TRY(SCS_ALLOC(j->group, j->n_group));
    SCS_TRY(SCS_ALLOC(j->first, j->n_group + 1));
    return SCS_ALLOC(j->cell, n_cell);
}

/* Cells by group: first[g + 1] is g's next place while they are put, and in the end where g + 1
 * begins. */
static void list_cells(scs_jackknife *j, const int32_t *group_of_cell, int64_t n_cell)
{
    int64_t at = 0;

    for (int32_t g = 0; g < j->n_group; g++) {
        j->first[g + 1] = at;
        at += j->group[g].n;
    }
    for (int64_t i = 0; i < n_cell; i++)
        if (group_of_cell[i] >= 0)
            j->cell[j->first[group_of_cell[i] + 1]++] = i;
}

scs_status scs_jackknife_make(const int32_t *group_of_cell, const double *total, int64_t n_cell,
                              int32_t n_group, scs_jackknife *jackknife)
{
    *jackknife = (scs_jackknife){.n_group = n_group};
    SCS_TRY(allocate(jackknife, n_cell));
    for (int64_t i = 0; i < n_cell; i++)
        if (group_of_cell[i] >= 0) {
            jackknife->group[group_of_cell[i]].n++;
            jackknife->group[group_of_cell[i]].total += total[i];
        }
    list_cells(jackknife, group_of_cell, n_cell);
    for (int64_t i = 0; i < n_cell; i++) {
        scs_jackknife_group *g;
        double u, power = 1;

        if (group_of_cell[i] < 0)
            continue;
        g = &jackknife->group[group_of_cell[i]];
        u = g->total > total[i] ? total[i] / (g->total - total[i]) : INFINITY;
        jackknife->u[i] = u;
        g->most = fmax(g->most, u);
        for (int k = 0; k < SCS_JACKKNIFE_POWERS; k++)
            g->power[k] += power *= u;
    }
    return SCS_OK;
}

void scs_jackknife_clear(scs_jackknife *jackknife)
{
    free(jackknife->u);
    free(jackknife->group);
    free(jackknife->first);
    free(jackknife->cell);
    *jackknife = (scs_jackknife){0};
}

/* ---- a gene ---- */

/* V of a cell without the gene. One that has all counts of its group has every gene that any cell
 * has: what is taken for it here is taken back by scs_jackknife_add. */
static inline double without(double c, double u)
{
    double z = c * u, v = 0;

    if (isinf(u))
        return 0;
    if (z > largest)
        return log1p(z);
    for (int k = SCS_JACKKNIFE_POWERS - 2; k >= 0; k--)
        v = v * z + logarithm[k];
    return v * z;
}

/* V of a cell with the gene; c (u - (1 + u) share) has -c as its least, where the cell is the only
 * one. */
static inline double with(double c, double u, double share)
{
    double z = isinf(u) ? -c : c * (u - (1 + u) * share), v = 0;

    if (z > largest || z < -largest)
        return log1p(z);
    for (int k = SCS_JACKKNIFE_POWERS - 2; k >= 0; k--)
        v = v * z + logarithm[k];
    return v * z;
}

/* As if no cell had the gene. The series holds for all cells or for none of the group: `most`. */
scs_jackknife_sum scs_jackknife_begin(const scs_jackknife *jackknife, int32_t group,
                                      double gene_sum)
{
    const scs_jackknife_group *g = &jackknife->group[group];
    double x = g->total > 0 ? bulk_total * gene_sum / g->total : 0, power = 1;
    scs_jackknife_sum sum = {.c = x / (1 + x), .share = gene_sum > 0 ? 1 / gene_sum : 0};

    if (sum.c <= 0)
        return sum;
    if (g->most <= largest)
        for (int k = 0; k < SCS_JACKKNIFE_POWERS; k++) {
            power *= sum.c;
            sum.v += logarithm[k] * power * g->power[k];
            sum.v_squared += squared[k] * power * g->power[k];
        }
    else
        for (int64_t i = jackknife->first[group]; i < jackknife->first[group + 1]; i++) {
            double v = without(sum.c, jackknife->u[jackknife->cell[i]]);

            sum.v += v;
            sum.v_squared += v * v;
        }
    return sum;
}

/* What the cell was taken for is taken back, and what it is added. */
void scs_jackknife_add(scs_jackknife_sum *sum, double u, double count)
{
    double before = without(sum->c, u), now = with(sum->c, u, count * sum->share);

    sum->v += now - before;
    sum->v_squared += now * now - before * before;
}

double scs_jackknife_end(const scs_jackknife *jackknife, int32_t group,
                         const scs_jackknife_sum *sum)
{
    double n = (double)jackknife->group[group].n;

    return n < 2 ? 0 : (n - 1) / n * (sum->v_squared - sum->v * sum->v / n);
}
