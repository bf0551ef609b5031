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
 * The values of a gene are sorted once by group and size, without zeros: those are one tie, whose
 * size is known. A group is then compared with its controls by looking its values up among
 * theirs, O(s log s') for s and s' stored values; ties among the controls alone are summed once
 * and kept, which is cheapest where groups that share a control come one after the other.
 */
#include "src/atlas/atlas.h"

#include "src/base/parallel.h"
#include "src/kernels/radix.h"
#include "scscreen/latent.h"

#include <math.h>
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

/* ---- values by gene, group and size ---- */

/* A positive value of a gene in a cell of a group, as a number that sorts by group, then value: a
 * positive float's bits ascend with it. */
static inline uint64_t entry(int32_t group, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return (uint64_t)group << 32 | bits;
}

/* One gene's positive values, sorted, and where they end; what is not positive counts as a zero
 * of its group. The sort looks at no bits that all values share: the sign, and those of groups
 * beyond the last.
 * @param n_group of the atlas  @param scratch [2 x stored values of the gene] */
static void rank_gene(const scs_gene_slice *slice, const int32_t *group_of_cell, int32_t n_group,
                      int32_t j, uint64_t *scratch, scs_ranked_slice *ranked)
{
    int64_t n = 0, at = slice->first[j];

    for (int64_t i = slice->first[j]; i < slice->first[j + 1]; i++)
        if (group_of_cell[slice->cell[i]] >= 0 && slice->value[i] > 0)
            scratch[n++] = entry(group_of_cell[slice->cell[i]], slice->value[i]);
    scs_radix_sort(scratch, scratch + n, n, 0, 32 + scs_radix_bits((uint64_t)n_group));
    for (int64_t k = 0; k < n; k++) {
        uint32_t bits = (uint32_t)scratch[k];

        ranked->group[at + k] = (int32_t)(scratch[k] >> 32);
        memcpy(&ranked->value[at + k], &bits, sizeof bits);
    }
    ranked->end[j] = at + n;
}

/* All genes of the slice, on all threads; the first gene that fails is the one reported. */
static scs_status rank_all(const scs_gene_slice *slice, const int32_t *group_of_cell,
                           scs_ranked_slice *ranked)
{
    int32_t n_gene = slice->gene1 - slice->gene0;
    scs_parallel_error failed = {0};

#pragma omp parallel for schedule(dynamic, 16)
    for (int32_t j = 0; j < n_gene; j++) {
        uint64_t *scratch = NULL;
        scs_status st = SCS_ALLOC(scratch, 2 * (slice->first[j + 1] - slice->first[j]));

        if (st == SCS_OK)
            rank_gene(slice, group_of_cell, ranked->atlas->n_group, j, scratch, ranked);
        free(scratch);
        scs_parallel_error_note(&failed, j, st);
    }
    return scs_parallel_error_raise(&failed);
}

/* O(stored values), once for all groups; 8 bytes a stored value. */
scs_status scs_deg_slice_create(const scs_atlas *atlas, const scs_dataset *dataset,
                                const scs_gene_slice *slice, scs_ranked_slice *ranked)
{
    int32_t n_gene = slice->gene1 - slice->gene0, *group_of_cell = NULL;
    scs_status st;

    *ranked = (scs_ranked_slice){
        .atlas = atlas, .n_gene = n_gene, .first = slice->first, .tied_control = -1};
    SCS_GO(st, SCS_ALLOC(ranked->end, n_gene));
    SCS_GO(st, SCS_ALLOC(ranked->control_ties, n_gene));
    SCS_GO(st, SCS_ALLOC(ranked->group, slice->first[n_gene]));
    SCS_GO(st, SCS_ALLOC(ranked->value, slice->first[n_gene]));
    SCS_GO(st, scs_atlas_cell_groups(atlas, dataset, &group_of_cell));
    SCS_GO(st, rank_all(slice, group_of_cell, ranked));
done:
    free(group_of_cell);
    return st;
}

void scs_deg_slice_clear(scs_ranked_slice *ranked)
{
    free(ranked->end);
    free(ranked->control_ties);
    free(ranked->group);
    free(ranked->value);
    *ranked = (scs_ranked_slice){0};
}

/* One group's positive values of a gene, ascending, and how many of its cells have none. */
typedef struct group_values {
    const float *value;
    int64_t n, zeros;
} group_values;

/* The first position in [first, end) whose value is not below `bound`, or end.
 *  @param value ascending from first to end */
static inline int64_t lower_bound(const int32_t *value, int64_t first, int64_t end, int32_t bound)
{
    while (first < end) {
        int64_t middle = first + (end - first) / 2;

        if (value[middle] < bound)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* Where a group's values lie within its gene, by two searches: O(log values). Zeros of its
 * cells are not stored, so that their number is what is left of its count. */
static group_values values_of(const scs_ranked_slice *r, int32_t j, int32_t group)
{
    int64_t first = lower_bound(r->group, r->first[j], r->end[j], group);
    int64_t n = lower_bound(r->group, first, r->end[j], group + 1) - first;

    return (group_values){r->value + first, n, r->atlas->group[group].count - n};
}

/* ---- rank sums ---- */

/* How many values are below x, or (up_to) not above it: O(log n). */
static int64_t count_below(const group_values *s, float x, bool up_to)
{
    int64_t low = 0, high = s->n;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (s->value[middle] < x || (up_to && s->value[middle] == x))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Values that are equal to the i-th. */
static int64_t run_length(const group_values *s, int64_t i)
{
    int64_t end = i + 1;

    while (end < s->n && s->value[end] == s->value[i])
        end++;
    return end - i;
}

/* What a set of t tied cells adds to the correction. */
static double tie(double t)
{
    return t * t * t - t;
}

/* Ties over the positive values of the controls alone, kept until another control is asked for:
 * all perturbations of a cell type share it. */
static void find_control_ties(scs_ranked_slice *r, int32_t control)
{
    if (r->tied_control == control)
        return;
#pragma omp parallel for schedule(static)
    for (int32_t j = 0; j < r->n_gene; j++) {
        group_values s = values_of(r, j, control);

        r->control_ties[j] = 0;
        for (int64_t i = 0; i < s.n; i += run_length(&s, i))
            r->control_ties[j] += tie((double)run_length(&s, i));
    }
    r->tied_control = control;
}

/* Pairs of a cell of the group and a control that is lower, ties counting half, and t^3 - t
 * over the ties of both. Zeros of both groups are one tie, below all stored values. The
 * controls' values are looked up, not walked: a group of ten cells against a million controls
 * costs ten searches. A value that both have joins two ties, whose share was counted among the
 * controls' own: it is taken off again.
 * @param control_ties of find_control_ties  @param[out] above U */
static void compare(const group_values *s, const group_values *c, double control_ties,
                    double *above, double *ties)
{
    *above = (double)s->zeros * (double)c->zeros / 2;
    *ties = control_ties + tie((double)(s->zeros + c->zeros));
    for (int64_t i = 0, t; i < s->n; i += t) {
        int64_t below = count_below(c, s->value[i], false);
        double tied = (double)(count_below(c, s->value[i], true) - below);

        t = run_length(s, i);
        *above += (double)t * ((double)(c->zeros + below) + tied / 2);
        *ties += tie(tied + (double)t) - tie(tied);
    }
}

/* 0 where all values are tied, as scanpy has it. @param n, m cells of the two groups */
static double z_score(double n, double m, double above, double ties)
{
    double all = n + m, correction = 1 - ties / (all * all * all - all);
    double z = (above - n * m / 2) / sqrt(correction * n * m * (all + 1) / 12);

    return isfinite(z) ? z : 0;
}

/* Genes are spread over threads; each is compared by one of them, whose sums depend on nothing
 * else. */
void scs_deg_wilcoxon_ranked(scs_ranked_slice *ranked, int32_t group, int32_t control_group,
                             double *z)
{
    double n = (double)ranked->atlas->group[group].count;
    double m = (double)ranked->atlas->group[control_group].count;

    find_control_ties(ranked, control_group);
#pragma omp parallel for schedule(static)
    for (int32_t j = 0; j < ranked->n_gene; j++) {
        group_values s = values_of(ranked, j, group), c = values_of(ranked, j, control_group);
        double above, ties;

        compare(&s, &c, ranked->control_ties[j], &above, &ties);
        z[j] = z_score(n, m, above, ties);
    }
}

/* One pair of groups alone: ranks the slice, and forgets it. */
scs_status scs_deg_wilcoxon(const scs_atlas *atlas, const scs_dataset *dataset,
                            const scs_gene_slice *slice, int32_t group, int32_t control_group,
                            double *z)
{
    scs_ranked_slice ranked;
    scs_status st = scs_deg_slice_create(atlas, dataset, slice, &ranked);

    if (st == SCS_OK)
        scs_deg_wilcoxon_ranked(&ranked, group, control_group, z);
    scs_deg_slice_clear(&ranked);
    return st;
}
