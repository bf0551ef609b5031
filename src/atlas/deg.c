/* The genes with the largest numbers. All functions are Local. */
#include "src/atlas/atlas.h"
#include "src/base/parallel.h"
#include "scscreen/latent.h"
#include "scscreen/latent.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct scs_scored_gene {
    double score;
    int32_t gene;
} scs_scored_gene;

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

static int strongest_first(const void *a, const void *b)
{
    const scs_scored_gene *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

static void swap(scs_scored_gene *a, scs_scored_gene *b)
{
    scs_scored_gene kept = *a;

    *a = *b;
    *b = kept;
}

/* Reorders all[0, n) so that none after the first `wanted` comes before one of them (Hoare's
 * selection, median of three; the order is total, so the set is the same whatever the pivots). */
static void select_first(scs_scored_gene *all, int64_t n, int64_t wanted)
{
    int64_t low = 0, high = n - 1;

    while (low < high && wanted > low && wanted <= high) {
        scs_scored_gene *middle = &all[low + (high - low) / 2], pivot;
        int64_t i = low, j = high;

        if (strongest_first(middle, &all[low]) < 0)
            swap(middle, &all[low]);
        if (strongest_first(&all[high], &all[low]) < 0)
            swap(&all[high], &all[low]);
        if (strongest_first(&all[high], middle) < 0)
            swap(&all[high], middle);
        pivot = *middle;
        while (i <= j) {
            while (strongest_first(&all[i], &pivot) < 0)
                i++;
            while (strongest_first(&pivot, &all[j]) < 0)
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

/* The `wanted` genes of the largest scores come first, in order, the lower gene first where equal;
 * the others follow in any order. */
static void top_k_first(scs_scored_gene *all, int64_t n, int64_t wanted)
{
    select_first(all, n, wanted);
    qsort(all, (size_t)(n < wanted ? n : wanted), sizeof *all, strongest_first);
}

scs_status scs_deg_top_genes(const double *z, int32_t n, int32_t gene0, int32_t n_top,
                             int32_t *gene, double *score)
{
    scs_scored_gene *all;

    SCS_TRY(SCS_ALLOC(all, n));
    for (int32_t j = 0; j < n; j++)
        all[j] = (scs_scored_gene){fabs(z[j]), gene0 + j};
    top_k_first(all, n, n_top);
    for (int32_t i = 0; i < n_top; i++) {
        gene[i] = i < n ? all[i].gene : -1;
        score[i] = i < n ? all[i].score : -1;
    }
    free(all);
    return SCS_OK;
}

scs_status scs_deg_top_shift(const float *shift, int32_t n_gene, int sign, int64_t n_top,
                             int32_t *gene, float *value)
{
    scs_scored_gene *all;
    int64_t n = 0;

    SCS_TRY(SCS_ALLOC(all, n_gene));
    for (int32_t g = 0; g < n_gene; g++)
        if ((float)sign * shift[g] > 0)
            all[n++] = (scs_scored_gene){(float)sign * shift[g], g};
    top_k_first(all, n, n_top);
    for (int64_t i = 0; i < n_top; i++) {
        gene[i] = i < n ? all[i].gene : -1;
        value[i] = i < n ? (float)(sign * all[i].score) : NAN;
    }
    free(all);
    return SCS_OK;
}

/* A positive value of a gene in a cell of a group. */
typedef struct entry {
    int32_t group;
    float value;
} entry;

static int by_group_and_value(const void *a, const void *b)
{
    const entry *x = a, *y = b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

/* One gene's entries, sorted. @param[out] n how many  @param scratch [values of the gene] */
static void rank_gene(const scs_gene_slice *slice, const int32_t *group_of_cell, int32_t j,
                      entry *scratch, scs_ranked_slice *ranked)
{
    int64_t n = 0, at = slice->first[j];

    for (int64_t i = slice->first[j]; i < slice->first[j + 1]; i++)
        if (group_of_cell[slice->cell[i]] >= 0 && slice->value[i] > 0)
            scratch[n++] = (entry){group_of_cell[slice->cell[i]], slice->value[i]};
    qsort(scratch, (size_t)n, sizeof *scratch, by_group_and_value);
    for (int64_t k = 0; k < n; k++) {
        ranked->group[at + k] = scratch[k].group;
        ranked->value[at + k] = scratch[k].value;
    }
    ranked->end[j] = at + n;
}

static scs_status rank_all(const scs_gene_slice *slice, const int32_t *group_of_cell,
                           scs_ranked_slice *ranked)
{
    int32_t n_gene = slice->gene1 - slice->gene0;
    scs_parallel_error failed = {0};

#pragma omp parallel for schedule(dynamic, 16)
    for (int32_t j = 0; j < n_gene; j++) {
        entry *scratch = NULL;
        scs_status st = SCS_ALLOC(scratch, slice->first[j + 1] - slice->first[j]);

        if (st == SCS_OK)
            rank_gene(slice, group_of_cell, j, scratch, ranked);
        free(scratch);
        scs_parallel_error_note(&failed, j, st);
    }
    return scs_parallel_error_raise(&failed);
}

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

/* One sample's positive values of a gene, ascending. */
typedef struct sample {
    const float *value;
    int64_t n, zeros;
} sample;

static sample sample_of(const scs_ranked_slice *r, int32_t j, int32_t group)
{
    int64_t first = lower_bound(r->group, r->first[j], r->end[j], group);
    int64_t n = lower_bound(r->group, first, r->end[j], group + 1) - first;

    return (sample){r->value + first, n, r->atlas->group[group].count - n};
}

/* How many values are below x, or (up_to) not above it. */
static int64_t count_below(const sample *s, float x, bool up_to)
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

static int64_t run_length(const sample *s, int64_t i)
{
    int64_t end = i + 1;

    while (end < s->n && s->value[end] == s->value[i])
        end++;
    return end - i;
}

/* t^3 - t of t tied cells. */
static double tie(double t)
{
    return t * t * t - t;
}

/* Over the positive values of the controls alone. */
static void find_control_ties(scs_ranked_slice *r, int32_t control)
{
    if (r->tied_control == control)
        return;
#pragma omp parallel for schedule(static)
    for (int32_t j = 0; j < r->n_gene; j++) {
        sample s = sample_of(r, j, control);

        r->control_ties[j] = 0;
        for (int64_t i = 0; i < s.n; i += run_length(&s, i))
            r->control_ties[j] += tie((double)run_length(&s, i));
    }
    r->tied_control = control;
}

/* Pairs of a cell of the group and a control that is lower, ties counting half (Mann and Whitney
 * 1947), and t^3 - t over the ties of both; the control's values are looked up, not walked. */
static void compare(const sample *s, const sample *c, double control_ties, double *above,
                    double *ties)
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

/* With the tie correction of Kruskal and Wallis; 0 where all values are tied, as scanpy has it. */
static double z_score(double n, double m, double above, double ties)
{
    double all = n + m, correction = 1 - ties / (all * all * all - all);
    double z = (above - n * m / 2) / sqrt(correction * n * m * (all + 1) / 12);

    return isfinite(z) ? z : 0;
}

void scs_deg_wilcoxon_ranked(scs_ranked_slice *ranked, int32_t group, int32_t control_group,
                             double *z)
{
    double n = (double)ranked->atlas->group[group].count;
    double m = (double)ranked->atlas->group[control_group].count;

    find_control_ties(ranked, control_group);
#pragma omp parallel for schedule(static)
    for (int32_t j = 0; j < ranked->n_gene; j++) {
        sample s = sample_of(ranked, j, group), c = sample_of(ranked, j, control_group);
        double above, ties;

        compare(&s, &c, ranked->control_ties[j], &above, &ties);
        z[j] = z_score(n, m, above, ties);
    }
}

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
