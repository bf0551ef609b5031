/* A group's cells, once through their counts. Dispersion is that of the negative binomial, variance
 * = mean + phi mean^2, by moments: with e = library x rate of the gene over all cells,
 *
 *     phi = sum[(y - e)^2 - e] / sum e^2
 *
 *  for which only the stored counts are gone through:
 *     sum (y - e)^2 = sum y^2 - 2 sum y e + sum e^2
 *
 *  O(values + cells log cells + genes) and, beside the counts, 16 bytes a cell and 8 a gene.
 *  Everything is of whole numbers and runs in the order of the cells, so that it has the same bits
 *  on every rank that holds the group. */
#include "src/cells/count_group.h"

#include <stdlib.h>

/* Of one cell, for sorting. */
typedef struct sized {
    double library;
    int32_t cell;
} sized;

/* A total order: equal libraries by their place. */
static int by_size(const void *a, const void *b)
{
    const sized *x = a, *y = b;

    if (x->library != y->library)
        return x->library < y->library ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* library, by_library, rank. */
static scs_status sort_cells(scs_count_group *g)
{
    sized *all;

    SCS_TRY(SCS_ALLOC(all, g->x.n_row));
    for (int64_t i = 0; i < g->x.n_row; i++) {
        g->library[i] = scs_packed_row_sum(&g->x, i);
        all[i] = (sized){g->library[i], (int32_t)i};
    }
    if (g->x.n_row > 0)
        qsort(all, (size_t)g->x.n_row, sizeof *all, by_size);
    for (int64_t i = 0; i < g->x.n_row; i++) {
        g->by_library[i] = all[i].cell;
        g->rank[all[i].cell] = (int32_t)i;
    }
    free(all);
    return SCS_OK;
}

/* Each cell counts alike, whatever its library. */
static void average(scs_count_group *g)
{
    for (int64_t i = 0; i < g->x.n_row; i++) {
        scs_row row = scs_packed_row(&g->x, i);
        double scale = g->library[i] > 0 ? 1e6 / g->library[i] : 0;

        for (int32_t k = 0; k < row.n; k++)
            g->cpm[scs_row_gene(&row, k)] += (double)scs_row_value(&row, k) * scale;
    }
    for (int32_t j = 0; j < g->x.n_col && g->x.n_row > 0; j++)
        g->cpm[j] /= (double)g->x.n_row;
}

scs_status scs_count_group_make(int32_t group, scs_packed *x, scs_count_group *to)
{
    *to = (scs_count_group){.group = group, .x = *x};
    *x = (scs_packed){0};
    SCS_TRY(SCS_ALLOC(to->library, to->x.n_row));
    SCS_TRY(SCS_ALLOC(to->by_library, to->x.n_row));
    SCS_TRY(SCS_ALLOC(to->rank, to->x.n_row));
    SCS_TRY(SCS_ALLOC(to->cpm, to->x.n_col));
    SCS_TRY(sort_cells(to));
    average(to);
    return SCS_OK;
}

void scs_count_group_clear(scs_count_group *group)
{
    scs_packed_clear(&group->x);
    free(group->library);
    free(group->by_library);
    free(group->rank);
    free(group->cpm);
    *group = (scs_count_group){.group = -1};
}

/* One gene's sums over a group's cells. */
typedef struct gene_sums {
    double count, weighted, square; /* sum y, sum y l, sum y^2; l: library over their mean */
} gene_sums;

/* @param mean of the libraries  @param[in,out] sum [n_gene] */
static void add_cells(const scs_count_group *g, double mean, gene_sums *sum)
{
    for (int64_t i = 0; i < g->x.n_row; i++) {
        scs_row row = scs_packed_row(&g->x, i);
        double size = g->library[i] / mean;

        for (int32_t k = 0; k < row.n; k++) {
            gene_sums *s = &sum[scs_row_gene(&row, k)];
            double y = (double)scs_row_value(&row, k);

            s->count += y;
            s->weighted += y * size;
            s->square += y * y;
        }
    }
}

/* A group whose cells are all empty tells nothing and adds nothing. */
scs_status scs_count_group_disperse(const scs_count_group *g, scs_dispersion *to)
{
    double total = 0, squares = 0, n = (double)g->x.n_row, mean;
    gene_sums *sum;

    for (int64_t i = 0; i < g->x.n_row; i++)
        total += g->library[i];
    if (total <= 0)
        return SCS_OK;
    mean = total / n;
    for (int64_t i = 0; i < g->x.n_row; i++)
        squares += g->library[i] / mean * (g->library[i] / mean);
    SCS_TRY(SCS_ALLOC(sum, g->x.n_col));
    add_cells(g, mean, sum);
    for (int32_t j = 0; j < g->x.n_col; j++) {
        double rate = sum[j].count / n, square = rate * rate * squares;

        to->excess[j] += sum[j].square - 2 * rate * sum[j].weighted + square - sum[j].count;
        to->square[j] += square;
    }
    free(sum);
    return SCS_OK;
}
