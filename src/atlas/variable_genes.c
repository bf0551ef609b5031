/* Sums in whole units, two scores, and the choice among them (src/atlas/variable_genes.h). What is
 * done with ties, empty genes and single genes of a bin is what scanpy 1.11 does, so that both
 * choose the same genes; tests/e2e/variable_genes.sh compares.
 *
 * seurat: log(variance / mean) of each gene, less the mean over the genes of about its mean (20
 * bins), over their standard deviation. seurat_v3: variance of values that are scaled by what a
 * loess of log variance on log mean expects, and cut at mean + sd sqrt(n). O(values) for a pass,
 * O(genes log genes) for a batch. All functions are Local. */
#include "src/atlas/variable_genes.h"

#include "src/base/names.h"
#include "src/base/vector.h"
#include "src/data/packed.h"
#include "src/kernels/loess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 20 };             /* of the means, for the dispersions */
static const double SPAN = 0.3; /* of the loess */

/* ---- sums ---- */

scs_status scs_variable_genes_open(int32_t n_batch, int32_t n_gene, bool logged, scs_gene_sums *s)
{
    int64_t n = (int64_t)n_batch * n_gene;
    scs_status st;

    *s = (scs_gene_sums){.n_batch = n_batch, .n_gene = n_gene, .logged = logged};
    SCS_GO(st, SCS_ALLOC(s->n_cell, n_batch));
    SCS_GO(st, SCS_ALLOC(s->largest, n_gene));
    SCS_GO(st, SCS_ALLOC(s->unit, n_gene));
    SCS_GO(st, SCS_ALLOC(s->square_unit, n_gene));
    SCS_GO(st, SCS_ALLOC(s->sum, n));
    SCS_GO(st, SCS_ALLOC(s->square, n));
    return SCS_OK;
done:
    scs_variable_genes_clear(s);
    return st;
}

void scs_variable_genes_clear(scs_gene_sums *s)
{
    free(s->n_cell);
    free(s->largest);
    free(s->unit);
    free(s->square_unit);
    free(s->limit);
    free(s->sum);
    free(s->square);
    *s = (scs_gene_sums){0};
}

/* In single precision, as scanpy undoes the logarithm of a single-precision matrix. */
static double value_of(const scs_gene_sums *s, const scs_row *row, int64_t k)
{
    float x = scs_row_value(row, k);

    return (double)(s->logged ? expm1f(x) : x);
}

/* Values themselves, not logarithms, also where the matrix holds these. */
void scs_variable_genes_look(const scs_packed *x, const int32_t *batch, scs_gene_sums *s)
{
    for (int64_t i = 0; i < x->n_row; i++) {
        scs_row row = scs_packed_row(x, i);

        for (int32_t k = 0; batch[i] >= 0 && k < row.n; k++) {
            double *largest = &s->largest[scs_row_gene(&row, k)];

            *largest = fmax(*largest, value_of(s, &row, k));
        }
    }
}

/* The largest power of two by which n values up to `largest` can be multiplied and add up to less
 * than 2^62; 1 where there is nothing to add. */
static double unit(double largest, int64_t n)
{
    int e;

    frexp(largest * (double)n, &e);
    return largest > 0 ? ldexp(1, 61 - e) : 1;
}

/* Of all batches, so that one unit serves them all. */
static int64_t all_cells(const scs_gene_sums *s)
{
    int64_t n = 0;

    for (int32_t b = 0; b < s->n_batch; b++)
        n += s->n_cell[b];
    return n;
}

void scs_variable_genes_settle(scs_gene_sums *s)
{
    int64_t n = all_cells(s);

    for (int32_t g = 0; g < s->n_gene; g++) {
        s->unit[g] = unit(s->largest[g], n);
        s->square_unit[g] = unit(s->largest[g] * s->largest[g], n);
    }
}

/* Each value is rounded once to the unit, an error of at most 2^-62 of the largest sum there could
 * be; adding is exact. */
void scs_variable_genes_add(const scs_packed *x, const int32_t *batch, scs_gene_sums *s)
{
    for (int64_t i = 0; i < x->n_row; i++) {
        scs_row row = scs_packed_row(x, i);

        for (int32_t k = 0; batch[i] >= 0 && k < row.n; k++) {
            int32_t g = scs_row_gene(&row, k);
            int64_t at = (int64_t)batch[i] * s->n_gene + g;
            double v = value_of(s, &row, k);

            if (s->limit && v > s->limit[at])
                v = s->limit[at];
            s->sum[at] += llrint(v * s->unit[g]);
            s->square[at] += llrint(v * v * s->square_unit[g]);
        }
    }
}

/* Mean and mean square of a gene in a batch. */
static void means(const scs_gene_sums *s, int32_t b, int32_t g, double *mean, double *square)
{
    int64_t at = (int64_t)b * s->n_gene + g;
    double cells = (double)s->n_cell[b];

    *mean = (double)s->sum[at] / s->unit[g] / cells;
    *square = (double)s->square[at] / s->square_unit[g] / cells;
}

/* Unbiased. What rounding leaves of a gene without variance is none. */
static double variance_of(double mean, double square, int64_t n)
{
    double v = square - mean * mean;

    return v > 1e-14 * square ? v * ((double)n / (double)(n - 1)) : 0;
}

/* ---- dispersions ---- */

/* Genes of one bin of the means: their mean dispersion and its standard deviation. */
typedef struct bin {
    int64_t n;
    double mean, sd;
} bin;

/* Bin of a mean, as pandas.cut has it: equal widths from the lowest to the highest, each with its
 * upper end. */
static int bin_of(double mean, double low, double high)
{
    int b = 0;

    while (b < BINS - 1 && mean > low + (high - low) * (b + 1) / BINS)
        b++;
    return b;
}

/* A bin's spread is that of its genes; where there is one gene, it gets the score 1.
 *  @param which [n_gene] bin of each, -1: takes no part */
static void fill_bins(const double *dispersion, const int *which, int32_t n_gene, bin *bins)
{
    for (int32_t g = 0; g < n_gene; g++)
        if (which[g] >= 0 && !isnan(dispersion[g])) {
            bins[which[g]].n++;
            bins[which[g]].mean += dispersion[g];
        }
    for (int b = 0; b < BINS; b++)
        bins[b].mean /= (double)bins[b].n;
    for (int32_t g = 0; g < n_gene; g++)
        if (which[g] >= 0 && !isnan(dispersion[g])) {
            double d = dispersion[g] - bins[which[g]].mean;

            bins[which[g]].sd += d * d;
        }
    for (int b = 0; b < BINS; b++) {
        if (bins[b].n > 1)
            bins[b].sd = sqrt(bins[b].sd / (double)(bins[b].n - 1));
        else
            bins[b] = (bin){1, 0, bins[b].mean};
    }
}

/* log(1 + mean) and log(dispersion) of each gene; where all values are 0 the mean is 1e-12 and
 * there is no dispersion. */
static void measure(const scs_gene_sums *s, int32_t b, double *mean, double *dispersion)
{
    for (int32_t g = 0; g < s->n_gene; g++) {
        double square;

        means(s, b, g, &mean[g], &square);
        dispersion[g] = variance_of(mean[g], square, s->n_cell[b]);
        mean[g] = mean[g] > 0 ? mean[g] : 1e-12;
        dispersion[g] = dispersion[g] > 0 ? log(dispersion[g] / mean[g]) : NAN;
        mean[g] = log1p(mean[g]);
    }
}

/* @param every genes without a value take part in the bins, too, as they do in scanpy where there
 * is one batch */
scs_status scs_variable_genes_dispersions(const scs_gene_sums *s, int32_t b, bool every,
                                          double *score)
{
    const int64_t *sum = s->sum + (int64_t)b * s->n_gene;
    double low = INFINITY, high = -INFINITY, *mean = NULL;
    bin bins[BINS] = {0};
    int *which = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(mean, s->n_gene));
    SCS_GO(st, SCS_ALLOC(which, s->n_gene));
    measure(s, b, mean, score);
    for (int32_t g = 0; g < s->n_gene; g++)
        if (every || sum[g]) {
            low = fmin(low, mean[g]);
            high = fmax(high, mean[g]);
        }
    for (int32_t g = 0; g < s->n_gene; g++)
        which[g] = every || sum[g] ? bin_of(mean[g], low, high) : -1;
    fill_bins(score, which, s->n_gene, bins);
    for (int32_t g = 0; g < s->n_gene; g++)
        score[g] = which[g] < 0 ? NAN : (score[g] - bins[which[g]].mean) / bins[which[g]].sd;
done:
    free(mean);
    free(which);
    return st;
}

/* ---- variances after scaling ---- */

/* Genes without variance are no points of the curve, and are scaled by 1. */
scs_status scs_variable_genes_expect(const scs_gene_sums *s, int32_t b, double *sd)
{
    double *x = NULL, *y = NULL, *fitted = NULL, mean, square, variance;
    int64_t n = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(x, s->n_gene));
    SCS_GO(st, SCS_ALLOC(y, s->n_gene));
    SCS_GO(st, SCS_ALLOC(fitted, s->n_gene));
    for (int32_t g = 0; g < s->n_gene; g++) {
        means(s, b, g, &mean, &square);
        variance = variance_of(mean, square, s->n_cell[b]);
        sd[g] = variance > 0 ? 0 : 1;
        if (variance > 0) {
            x[n] = log10(mean);
            y[n++] = log10(variance);
        }
    }
    SCS_GO(st, scs_loess_fit(x, y, n, SPAN, fitted));
    n = 0;
    for (int32_t g = 0; g < s->n_gene; g++)
        if (sd[g] == 0)
            sd[g] = sqrt(pow(10, fitted[n++]));
done:
    free(x);
    free(y);
    free(fitted);
    return st;
}

/* mean + sd sqrt(n), as Seurat's clip.max: without it a single cell could make a gene variable. */
void scs_variable_genes_limits(const scs_gene_sums *s, const double *sd, double *limit)
{
    for (int32_t b = 0; b < s->n_batch; b++)
        for (int32_t g = 0; g < s->n_gene; g++) {
            int64_t at = (int64_t)b * s->n_gene + g;
            double mean, square;

            means(s, b, g, &mean, &square);
            limit[at] = mean + sd[at] * sqrt((double)s->n_cell[b]);
        }
}

/* Of n values cut at the limit, about the mean before the cut. */
void scs_variable_genes_variances(const scs_gene_sums *s, const scs_gene_sums *cut, int32_t b,
                                  const double *sd, double *score)
{
    double n = (double)s->n_cell[b];

    for (int32_t g = 0; g < s->n_gene; g++) {
        double mean, mean_cut, square;

        means(s, b, g, &mean, &square);
        means(cut, b, g, &mean_cut, &square);
        score[g] = n / ((n - 1) * sd[g] * sd[g]) * (mean * mean + square - 2 * mean_cut * mean);
    }
}

/* ---- the choice ---- */

/* A gene as the choice looks at it: the higher key wins, then the higher second, then the place. */
typedef struct ranked {
    double key, second;
    int32_t gene, place;
} ranked;

/* NaN comes last. */
static int compare_keys(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a < b) - (a > b);
}

/* `place` makes the order total: qsort does not keep equal ones in theirs. */
static int by_rank(const void *a, const void *b)
{
    const ranked *p = a, *q = b;
    int c = compare_keys(p->key, q->key);

    if (c == 0)
        c = compare_keys(p->second, q->second);
    return c ? c : (p->place > q->place) - (p->place < q->place);
}

/* Genes from the highest score to the lowest. @param[out] r [n_gene] */
static void rank_genes(const double *score, int32_t n_gene, ranked *r)
{
    for (int32_t g = 0; g < n_gene; g++)
        r[g] = (ranked){.key = score[g], .gene = g, .place = g};
    qsort(r, (size_t)n_gene, sizeof *r, by_rank);
}

/* How far the list is taken: n_top genes that have a score, and those with the score of the last.
 */
static int64_t count_best(const ranked *r, int32_t n_gene, int64_t n_top)
{
    int64_t n = 0;

    while (n < n_gene && !isnan(r[n].key) && (n < n_top || r[n].key == r[n_top - 1].key))
        n++;
    return n;
}

/* Batches in which a gene is among the best, then its mean score; one without a value in a batch
 * has the score 0 there.
 *  @param r [n_gene] scratch  @param[out] all [n_gene] */
static void merge_dispersions(const double *score, int32_t n_batch, int32_t n_gene, int64_t n_top,
                              const scs_index *order, ranked *r, ranked *all)
{
    for (int32_t i = 0; i < n_gene; i++)
        all[order->order[i]] = (ranked){.gene = order->order[i], .place = i};
    for (int32_t b = 0; b < n_batch; b++) {
        int64_t n;

        rank_genes(score + (int64_t)b * n_gene, n_gene, r);
        n = count_best(r, n_gene, n_top);
        for (int64_t i = 0; i < n; i++)
            all[r[i].gene].key++;
        for (int32_t g = 0; g < n_gene; g++) {
            double v = score[(int64_t)b * n_gene + g];

            all[g].second += isnan(v) ? 0 : v / n_batch;
        }
    }
    qsort(all, (size_t)n_gene, sizeof *all, by_rank);
}

/* The median of a gene's ranks in the batches where it is among the best (none: last), then their
 * number.
 *  @param rank [n_batch, n_gene] scratch  @param[out] all [n_gene] */
static void merge_ranks(const double *score, int32_t n_batch, int32_t n_gene, int64_t n_top,
                        double *rank, ranked *r, ranked *all)
{
    for (int32_t g = 0; g < n_gene; g++)
        all[g] = (ranked){.gene = g, .place = g};
    for (int32_t b = 0; b < n_batch; b++) {
        rank_genes(score + (int64_t)b * n_gene, n_gene, r);
        for (int32_t i = 0; i < n_gene && i < n_top; i++) {
            ranked *a = &all[r[i].gene];

            rank[(int64_t)r[i].gene * n_batch + (int32_t)a->second++] = i;
        }
    }
    for (int32_t g = 0; g < n_gene; g++)
        all[g].key = all[g].second > 0
                         ? -scs_vector_median(rank + (int64_t)g * n_batch, (int64_t)all[g].second)
                         : NAN;
    qsort(all, (size_t)n_gene, sizeof *all, by_rank);
}

/* One batch: by score, with all that tie with the last (seurat). Several: by how the batches agree,
 * each of which has its own list. */
scs_status scs_variable_genes_choose(int flavor, const double *score, int32_t n_batch,
                                     const scs_names *names, int64_t n_top, bool *chosen)
{
    scs_index order = {0};
    ranked *r = NULL, *all = NULL;
    double *rank = NULL;
    int32_t n_gene = names->n;
    int64_t n = n_top < n_gene ? n_top : n_gene;
    scs_status st;

    memset(chosen, 0, (size_t)n_gene * sizeof *chosen);
    SCS_GO(st, SCS_ALLOC(r, n_gene));
    SCS_GO(st, SCS_ALLOC(all, n_gene));
    if (flavor == SCS_HVG_SEURAT_V3) {
        SCS_GO(st, SCS_ALLOC(rank, (int64_t)n_batch * n_gene));
        merge_ranks(score, n_batch, n_gene, n_top, rank, r, all);
    } else if (n_batch > 1) {
        SCS_GO(st, scs_names_index_create(names, &order));
        merge_dispersions(score, n_batch, n_gene, n_top, &order, r, all);
    } else {
        rank_genes(score, n_gene, all);
        n = count_best(all, n_gene, n_top);
    }
    for (int64_t i = 0; i < n; i++)
        chosen[all[i].gene] = true;
done:
    scs_names_index_clear(&order);
    free(r);
    free(all);
    free(rank);
    return st;
}
