/* Halves of real cells as predictions of each other (replicate.h).
 *
 *  A cell's place within its group is by a random key of its own number, so that a split depends on
 *  seed, split and cell alone. The view shares the dataset's arrays but for species and roles,
 *  8 bytes a cell; O(cells log cells). All functions are Local. */
#include "src/crossval/replicate.h"

#include "src/atlas/atlas.h"
#include "src/base/names.h"
#include "src/base/random.h"
#include "src/screen/score.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_HALF = 2 };

/* A cell's place in the order that its group is split by. */
typedef struct place {
    int32_t group;
    uint64_t key;
    int64_t cell;
} place;

static int by_group(const void *a, const void *b)
{
    const place *x = a, *y = b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* "0:human", ..., "1:human", ...: names that differ. */
static scs_status name_halves(const scs_names *species, scs_names *halves)
{
    for (int half = 0; half < N_HALF; half++)
        for (scs_lidx s = 0; s < species->n; s++) {
            char name[300];

            snprintf(name, sizeof name, "%d:%lld", half, (long long)s);
            SCS_TRY(scs_names_add(halves, name));
        }
    return SCS_OK;
}

/* The first floor(n / 2) cells of a group are the first half, as many after them the second; one
 * may be left over. Roles that a hold-out set are overwritten: both halves are measured as seen.
 *  @param order [n] the used cells, by group, then at random */
static void deal_halves(const scs_atlas *atlas, const place *order, int64_t n, scs_dataset *half)
{
    for (int64_t first = 0, last; first < n; first = last) {
        int64_t part;

        for (last = first; last < n && order[last].group == order[first].group; last++)
            ;
        part = (last - first) / N_HALF;
        for (int64_t i = first; i < last; i++) {
            int64_t c = order[i].cell, which = part ? (i - first) / part : N_HALF;

            if (which >= N_HALF) {
                half->role[c] = SCS_ROLE_UNUSED;
                half->cell_species[c] = -1;
            } else {
                half->role[c] = SCS_ROLE_TRAIN;
                half->cell_species[c] += (int32_t)which * atlas->species.n;
            }
        }
    }
}

scs_status scs_replicate_split(const scs_atlas *atlas, const scs_dataset *dataset, int64_t seed,
                               int32_t split, scs_dataset *half)
{
    scs_stream stream = {(uint64_t)seed, SCS_RANDOM_HALVES, (uint32_t)split, 0};
    int64_t n_cell = dataset->n_cell, n = 0;
    int32_t *group = NULL;
    place *order = NULL;
    scs_status st;

    *half = *dataset;
    half->species = (scs_names){0};
    half->cell_species = NULL;
    half->role = NULL;
    SCS_GO(st, name_halves(&dataset->species, &half->species));
    SCS_GO(st, SCS_ALLOC(half->cell_species, n_cell));
    SCS_GO(st, SCS_ALLOC(half->role, n_cell));
    memcpy(half->cell_species, dataset->cell_species, (size_t)n_cell * sizeof *half->cell_species);
    memcpy(half->role, dataset->role, (size_t)n_cell * sizeof *half->role);
    SCS_GO(st, scs_atlas_cell_groups(atlas, dataset, &group));
    SCS_GO(st, SCS_ALLOC(order, n_cell));
    for (int64_t c = 0; c < n_cell; c++) {
        stream.cell = (uint64_t)c;
        if (group[c] >= 0)
            order[n++] = (place){group[c], scs_random_key(&stream), c};
    }
    qsort(order, (size_t)n, sizeof *order, by_group);
    deal_halves(atlas, order, n, half);
done:
    free(order);
    free(group);
    if (st != SCS_OK)
        scs_replicate_clear(half);
    return st;
}

/* Members that are borrowed from the dataset are forgotten, not freed. */
void scs_replicate_clear(scs_dataset *half)
{
    scs_names_clear(&half->species);
    free(half->cell_species);
    free(half->role);
    *half = (scs_dataset){0};
}

/* One half of a combination. */
typedef struct half_row {
    int32_t control, observed; /* groups; -1: too few cells */
    float *reference;          /* [n_gene] mean of the other perturbations */
    bool has_reference;
} half_row;

/* The species that stands for a half, in the target's type. @param reference [n_gene] */
static half_row find_half(const scs_atlas *halves, int32_t species, const scs_combination *target,
                          float *reference)
{
    half_row h = {.reference = reference};

    h.control = scs_atlas_group(halves, species, target->cell_type, halves->control);
    h.observed = scs_atlas_group(halves, species, target->cell_type, target->condition);
    h.has_reference = h.observed >= 0 && scs_score_perturbed_mean(halves, h.observed, reference);
    return h;
}

/* How well one half tells the other. @param shift [n_gene] scratch */
static scs_status measure_half(const scs_atlas *a, const half_row *from, const half_row *to,
                               const scs_combination *target, float *shift, double *value)
{
    float *mean = a->gene_mean + (int64_t)from->observed * a->n_gene;
    const float *control = scs_atlas_group_gene_mean(a, from->control);
    scs_score_base base = {control, from->has_reference ? from->reference : NULL};
    scs_prediction p = {mean, shift, a->gene_variance + (int64_t)from->observed * a->n_gene};
    scs_combination there = *target;

    there.control_group = to->control;
    there.observed_group = to->observed;
    there.species = a->group[to->observed].species;
    for (int32_t g = 0; g < a->n_gene; g++)
        shift[g] = mean[g] - control[g];
    return scs_score_measure_means(a, &there, &p, &base, value);
}

/* A half without cells has no group, and the combination then adds nothing: one cell cannot repeat
 * an experiment. O(n_gene conditions) each way. */
scs_status scs_replicate_measure(const scs_atlas *halves, int32_t n_species,
                                 const scs_combination *target, double *sum, int64_t *n)
{
    int64_t n_gene = halves->n_gene;
    double value[SCS_N_MEASURE];
    half_row half[N_HALF] = {0};
    float *work;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(work, 3 * n_gene));
    for (int h = 0; h < N_HALF; h++)
        half[h] = find_half(halves, target->species + h * n_species, target, work + h * n_gene);
    for (int h = 0; h < N_HALF && st == SCS_OK; h++) {
        const half_row *from = &half[h], *to = &half[1 - h];

        if (from->control < 0 || from->observed < 0 || to->control < 0 || to->observed < 0)
            break;
        st = measure_half(halves, from, to, target, work + 2 * n_gene, value);
        for (int m = 0; m < SCS_N_MEASURE && st == SCS_OK; m++)
            if (!isnan(value[m])) {
                sum[m] += value[m];
                n[m]++;
            }
    }
    free(work);
    return st;
}
