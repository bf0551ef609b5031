#include "scscreen/latent.h"

#include "src/cell_groups.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { NEITHER, IN_CONTROL, IN_GROUP };

/* The two samples and which cell is in which. */
typedef struct samples {
    int64_t n_group, n_control;
    uint8_t *of; /* [n_cell] NEITHER, IN_CONTROL or IN_GROUP */
} samples;

static scs_status mark_samples(const scs_atlas *atlas, const scs_dataset *dataset, int32_t group,
                               int32_t control, samples *s)
{
    int32_t *group_of_cell;

    s->n_group = atlas->group[group].count;
    s->n_control = atlas->group[control].count;
    SCS_TRY(SCS_ALLOC(s->of, dataset->n_cell));
    SCS_TRY(scs_cell_groups(atlas, dataset, &group_of_cell));
    for (int64_t i = 0; i < dataset->n_cell; i++)
        s->of[i] = group_of_cell[i] == group     ? IN_GROUP
                   : group_of_cell[i] == control ? IN_CONTROL
                                                 : NEITHER;
    free(group_of_cell);
    return SCS_OK;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Positive floats sort like their bits; the lowest bit of a key says whether the cell is of the
 * group. */
static int64_t collect(const samples *s, const scs_gene_slice *slice, int32_t j, uint64_t *key)
{
    int64_t n = 0;

    for (int64_t i = slice->first[j]; i < slice->first[j + 1]; i++) {
        uint8_t sample = s->of[slice->cell[i]];
        uint32_t bits;

        if (sample == NEITHER || !(slice->value[i] > 0))
            continue;
        memcpy(&bits, &slice->value[i], sizeof bits);
        key[n++] = (uint64_t)bits << 1 | (sample == IN_GROUP);
    }
    qsort(key, (size_t)n, sizeof *key, ascending);
    return n;
}

/* A run of equal values: t of them, `mine` of the group, `before` smaller ones. */
static void add_run(double before, double t, double mine, double *rank_sum, double *ties)
{
    *rank_sum += mine * (before + (t + 1) / 2);
    *ties += t * t * t - t;
}

/* Rank sum of the group (average ranks), and t^3 - t over ties; implicit zeros are the lowest run.
 * @param key [n] sorted positive values */
static void rank(const samples *s, const uint64_t *key, int64_t n, double *rank_sum, double *ties)
{
    int64_t zeros = s->n_group + s->n_control - n, zeros_of_group = s->n_group;

    for (int64_t i = 0; i < n; i++)
        zeros_of_group -= key[i] & 1;
    *rank_sum = *ties = 0;
    add_run(0, (double)zeros, (double)zeros_of_group, rank_sum, ties);
    for (int64_t i = 0, end; i < n; i = end) {
        int64_t mine = 0;

        for (end = i; end < n && key[end] >> 1 == key[i] >> 1; end++)
            mine += key[end] & 1;
        add_run((double)(zeros + i), (double)(end - i), (double)mine, rank_sum, ties);
    }
}

/* Mann and Whitney 1947 with the tie correction of Kruskal and Wallis; 0 where all values are tied,
 * as scanpy has it. */
static double z_score(const samples *s, double rank_sum, double ties)
{
    double n = (double)s->n_group, m = (double)s->n_control, all = n + m;
    double correction = 1 - ties / (all * all * all - all);
    double z = (rank_sum - n * ((all + 1) / 2)) / sqrt(correction * n * m * (all + 1) / 12);

    return isfinite(z) ? z : 0;
}

scs_status scs_wilcoxon(const scs_atlas *atlas, const scs_dataset *dataset,
                        const scs_gene_slice *slice, int32_t group, int32_t control_group,
                        double *z)
{
    samples s = {0};
    uint64_t *scratch = NULL; /* [threads, cells of both samples] */
    int64_t n;
    scs_status st;

    SCS_GO(st, mark_samples(atlas, dataset, group, control_group, &s));
    n = s.n_group + s.n_control;
    SCS_GO(st, SCS_ALLOC(scratch, omp_get_max_threads() * n));
#pragma omp parallel for schedule(static)
    for (int32_t j = 0; j < slice->gene1 - slice->gene0; j++) {
        uint64_t *key = scratch + omp_get_thread_num() * n;
        double rank_sum, ties;

        rank(&s, key, collect(&s, slice, j, key), &rank_sum, &ties);
        z[j] = z_score(&s, rank_sum, ties);
    }
done:
    free(scratch);
    free(s.of);
    return st;
}
