/* Differentially expressed genes: Wilcoxon's rank-sum z of every gene, one group against another,
 * and the k genes with the largest numbers. All functions are Local.
 *
 * z is scanpy's rank_genes_groups(method="wilcoxon", tie_correct=True), one group of n cells
 * against one of m (Mann and Whitney 1947; normal approximation). With U the pairs in which the
 * group's cell is the higher one, ties counting half, and t the sizes of the sets of tied cells:
 *
 *     z = (U - n m / 2) / sqrt(c n m (n + m + 1) / 12)
 *     c = 1 - sum (t^3 - t) / ((n + m)^3 - (n + m))          (the correction of Kruskal and Wallis)
 *
 * All stored values of a gene are sorted once, whatever group they are of, and gone through in
 * ascending order. What lies below a value among a group's cells is a counter by then, so that each
 * value costs one addition for its own group, and all groups together not more than one. Zeros are
 * not stored: those of two groups are one tie, whose size is known. Counts of pairs are whole or
 * half numbers and those of ties whole, exact below 2^53 in any order.
 */
#include "src/atlas/atlas.h"

#include "src/kernels/radix.h"
#include "scscreen/latent.h"

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- the k genes with the largest scores ---- */

/* A gene and what it is ordered by. */
typedef struct scored_gene {
    double score;
    int32_t gene;
} scored_gene;

/* A total order: of equal scores the lower gene comes first. */
static int larger_score_first(const void *a, const void *b)
{
    const scored_gene *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

static void swap(scored_gene *a, scored_gene *b)
{
    scored_gene kept = *a;

    *a = *b;
    *b = kept;
}

/* Reorders all[0, n) so that none after the first `wanted` comes before one of them: Hoare's
 * selection, O(n), with the median of three as pivot. The order is total, so that the set is
 * the same whatever the pivots. */
static void select_first(scored_gene *all, int64_t n, int64_t wanted)
{
    int64_t low = 0, high = n - 1;

    while (low < high && wanted > low && wanted <= high) {
        scored_gene *middle = &all[low + (high - low) / 2], pivot;
        int64_t i = low, j = high;

        if (larger_score_first(middle, &all[low]) < 0)
            swap(middle, &all[low]);
        if (larger_score_first(&all[high], &all[low]) < 0)
            swap(&all[high], &all[low]);
        if (larger_score_first(&all[high], middle) < 0)
            swap(&all[high], middle);
        pivot = *middle;
        while (i <= j) {
            while (larger_score_first(&all[i], &pivot) < 0)
                i++;
            while (larger_score_first(&pivot, &all[j]) < 0)
                j--;
            if (i <= j)
                swap(&all[i++], &all[j--]);
        }
        if (wanted <= j)
            high = j;
        else if (wanted > i)
            low = i;
        else
            return;
    }
}

/* The `wanted` genes of the largest scores come first, in order, the lower gene first where
 * equal; the others follow in any order. O(n + wanted log wanted): a screen asks it of every
 * row. */
static void top_k_first(scored_gene *all, int64_t n, int64_t wanted)
{
    select_first(all, n, wanted);
    qsort(all, (size_t)(n < wanted ? n : wanted), sizeof *all, larger_score_first);
}

/* By |z|: genes that fall count as those that rise. Where there are fewer genes than places the
 * rest is -1. */
scs_status scs_deg_top_genes(const double *z, int32_t n, int32_t gene0, int32_t n_top,
                             int32_t *gene, double *score)
{
    scored_gene *all;

    SCS_TRY(SCS_ALLOC(all, n));
    for (int32_t j = 0; j < n; j++)
        all[j] = (scored_gene){fabs(z[j]), gene0 + j};
    top_k_first(all, n, n_top);
    for (int32_t i = 0; i < n_top; i++) {
        gene[i] = i < n ? all[i].gene : -1;
        score[i] = i < n ? all[i].score : -1;
    }
    free(all);
    return SCS_OK;
}

/* A later gene is a higher one and gives way to an equal score. */
void scs_deg_add_genes(const double *z, int32_t n, int32_t gene0, int32_t n_top, int32_t *gene,
                       double *score)
{
    for (int32_t j = 0; j < n; j++) {
        double size = fabs(z[j]);
        int32_t at = n_top - 1;

        if (!(size > score[at]))
            continue;
        for (; at > 0 && size > score[at - 1]; at--) {
            score[at] = score[at - 1];
            gene[at] = gene[at - 1];
        }
        score[at] = size;
        gene[at] = gene0 + j;
    }
}

/* Genes are ordered by sign * shift, where only positive numbers count: a gene without a change
 * is in neither list, and NaN fails the comparison. */
scs_status scs_deg_top_shift(const float *shift, int32_t n_gene, int sign, int64_t n_top,
                             int32_t *gene, float *value)
{
    scored_gene *all;
    int64_t n = 0;

    SCS_TRY(SCS_ALLOC(all, n_gene));
    for (int32_t g = 0; g < n_gene; g++)
        if ((float)sign * shift[g] > 0)
            all[n++] = (scored_gene){(float)sign * shift[g], g};
    top_k_first(all, n, n_top);
    for (int64_t i = 0; i < n_top; i++) {
        gene[i] = i < n ? all[i].gene : -1;
        value[i] = i < n ? (float)(sign * all[i].score) : NAN;
    }
    free(all);
    return SCS_OK;
}

/* ---- all values of a gene in ascending order ---- */

/* A positive value: its bits, which ascend with it, and below them its group. Bits are less the
 * gene's lowest once they are sorted. */
typedef uint64_t entry;

static uint32_t bits_of(entry e)
{
    return (uint32_t)(e >> 32);
}

/* Scratch of a thread. */
typedef struct ranking {
    entry *entry, *other; /* [values of a gene] */
    double *zeros;        /* [n_group] cells without a positive value */
    double *below;        /* [n_group] cells of the group that are lower, zeros included */
    double *above;        /* [n_group] U: pairs with a lower cell of the control group */
    double *ties;         /* [n_group] t^3 - t over its own positive values */
    double *joined;       /* [n_group] what its values add to the control's ties */
    int32_t *tied;        /* [n_group] cells with the value at hand; 0 between values */
} ranking;

/* By value: only the bits in which the gene's values differ are gone through, which for logarithms
 * of counts are two or three digits, for counts one or two. */
static void sort_entries(ranking *r, int64_t n)
{
    uint32_t low = UINT32_MAX, high = 0;

    for (int64_t i = 0; i < n; i++) {
        uint32_t bits = bits_of(r->entry[i]);

        low = bits < low ? bits : low;
        high = bits > high ? bits : high;
    }
    for (int64_t i = 0; i < n; i++)
        r->entry[i] -= (entry)low << 32;
    scs_radix_sort(r->entry, r->other, n, 32, 32 + scs_radix_bits(n > 0 ? high - low : 0));
}

/* ---- rank sums ---- */

/* What a set of t tied cells adds to the correction. */
static double tie(double t)
{
    return t * t * t - t;
}

/* Several cells of one value: ties within groups and between a group and its control, each counted
 * at a group's first cell. */
static void add_tie(ranking *r, const int32_t *control, const entry *e, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        r->tied[(uint32_t)e[i]]++;
    for (int64_t i = 0; i < n; i++) {
        int32_t g = (int32_t)(uint32_t)e[i], c = control[g];
        double t = r->tied[g], both = c >= 0 ? abs(r->tied[c]) : 0;

        if (t <= 0)
            continue;
        r->ties[g] += tie(t);
        if (c >= 0) {
            r->above[g] += t * (r->below[c] + both / 2);
            r->joined[g] += tie(both + t) - tie(both);
        }
        r->tied[g] = -r->tied[g]; /* done, and still there for groups that are compared with it */
    }
    for (int64_t i = 0; i < n; i++) {
        int32_t g = (int32_t)(uint32_t)e[i];

        r->below[g] += -(double)r->tied[g];
        r->tied[g] = 0;
    }
}

/* Values in ascending order: those of one cell alone, which most logarithms are, take the short
 * way.
 */
static void count_pairs(ranking *r, const int32_t *control, const entry *e, int64_t n)
{
    for (int64_t i = 0, end; i < n; i = end) {
        int32_t g = (int32_t)(uint32_t)e[i];

        for (end = i + 1; end < n && bits_of(e[end]) == bits_of(e[i]); end++)
            ;
        if (end > i + 1) {
            add_tie(r, control, e + i, end - i);
            continue;
        }
        if (control[g] >= 0)
            r->above[g] += r->below[control[g]];
        r->below[g]++;
    }
}

/* 0 where all values are tied, as scanpy has it. @param n, m cells of the two groups */
static double z_score(double n, double m, double above, double ties)
{
    double all = n + m, correction = 1 - ties / (all * all * all - all);
    double z = (above - n * m / 2) / sqrt(correction * n * m * (all + 1) / 12);

    return isfinite(z) ? z : 0;
}

/* What is not positive counts as a zero of its group.
 *  @return entries */
static int64_t gather(const scs_atlas *atlas, const scs_gene_slice *slice, int32_t j, ranking *r)
{
    const int64_t *first = slice->first + (int64_t)j * slice->n_group;
    int64_t n = 0;

    for (int32_t g = 0; g < slice->n_group; g++) {
        int64_t before = n;

        for (int64_t i = first[g]; i < first[g + 1]; i++) {
            uint32_t bits;

            memcpy(&bits, &slice->value[i], sizeof bits);
            r->entry[n] = (entry)bits << 32 | (uint32_t)g;
            n += slice->value[i] > 0;
        }
        r->zeros[g] = r->below[g] = (double)(atlas->group[g].count - (n - before));
        r->ties[g] = r->joined[g] = 0;
    }
    return n;
}

/* One gene in all groups. @param[out] z [n_group, stride], its first column */
static void rank_gene(const scs_atlas *atlas, const scs_gene_slice *slice, int32_t j,
                      const int32_t *control, ranking *r, double *z, int64_t stride)
{
    int64_t n = gather(atlas, slice, j, r);

    for (int32_t g = 0; g < slice->n_group; g++)
        r->above[g] = control[g] >= 0 ? r->zeros[g] * r->zeros[control[g]] / 2 : 0;
    sort_entries(r, n);
    count_pairs(r, control, r->entry, n);
    for (int32_t g = 0; g < slice->n_group; g++) {
        int32_t c = control[g];

        z[g * stride] = c < 0 ? 0
                              : z_score((double)atlas->group[g].count,
                                        (double)atlas->group[c].count, r->above[g],
                                        r->ties[c] + tie(r->zeros[g] + r->zeros[c]) + r->joined[g]);
    }
}

static void close_ranking(ranking *r)
{
    free(r->entry);
    free(r->other);
    free(r->zeros);
    free(r->tied);
    *r = (ranking){0};
}

/* @param most values of a gene */
static scs_status open_ranking(int32_t n_group, int64_t most, ranking *r)
{
    SCS_TRY(SCS_ALLOC(r->entry, most + 1)); /* one behind the last is written, not used */
    SCS_TRY(SCS_ALLOC(r->other, most));
    SCS_TRY(SCS_ALLOC(r->zeros, (int64_t)5 * n_group));
    SCS_TRY(SCS_ALLOC(r->tied, n_group));
    r->below = r->zeros + n_group;
    r->above = r->below + n_group;
    r->ties = r->above + n_group;
    r->joined = r->ties + n_group;
    return SCS_OK;
}

/* Values that a gene has at most. */
static int64_t longest(const scs_gene_slice *slice)
{
    int64_t most = 0, n_group = slice->n_group;

    for (int64_t j = 0; j < slice->gene1 - slice->gene0; j++) {
        int64_t n = slice->first[(j + 1) * n_group] - slice->first[j * n_group];

        most = n > most ? n : most;
    }
    return most;
}

/* Genes are spread over threads; each is ranked by one of them, whose sums depend on nothing else.
 */
scs_status scs_deg_wilcoxon(const scs_atlas *atlas, const scs_gene_slice *slice,
                            const int32_t *control, double *z)
{
    int32_t n = slice->gene1 - slice->gene0, threads = omp_get_max_threads();
    int64_t most = longest(slice);
    ranking *scratch = NULL; /* [threads] */
    scs_status st;

    SCS_REQUIRE(most <= INT32_MAX, SCS_EDATA, "a gene has values in more than 2^31 cells");
    SCS_GO(st, SCS_ALLOC(scratch, threads));
    for (int32_t t = 0; t < threads; t++)
        SCS_GO(st, open_ranking(slice->n_group, most, &scratch[t]));
#pragma omp parallel for schedule(dynamic, 16)
    for (int32_t j = 0; j < n; j++)
        rank_gene(atlas, slice, j, control, &scratch[omp_get_thread_num()], z + j, n);
done:
    for (int32_t t = 0; scratch && t < threads; t++)
        close_ranking(&scratch[t]);
    free(scratch);
    return st;
}
