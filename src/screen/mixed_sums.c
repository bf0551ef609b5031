/* Weighted sums of very many groups' values (mixed_sums.h). All functions are Local; several
 * threads may take weights apart at once, each with split of its own. */
#include "src/screen/mixed_sums.h"

#include "src/atlas/atlas.h"
#include "src/base/vector.h"
#include "src/screen/mixed_atlas_internal.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

struct scs_mixed_sums {
    scs_group_values values;
    int32_t n_context;
    double *basis; /* [2 n_context, n_column] Z'R^-1 Y, then the control means */
};

/* ---- weights, taken apart ---- */

static scs_status reserve(scs_mixed_split *split, int32_t n_context, int32_t n)
{
    if (!split->share)
        SCS_TRY(SCS_ALLOC(split->share, 2 * (int64_t)n_context));
    if (n <= split->capacity)
        return SCS_OK;
    free(split->group);
    free(split->weight);
    split->group = NULL;
    split->weight = NULL;
    split->capacity = 0;
    SCS_TRY(SCS_ALLOC(split->group, n));
    SCS_TRY(SCS_ALLOC(split->weight, n));
    split->capacity = n;
    return SCS_OK;
}

/* Weights of controls to their contexts. @param all whether those of shifts are listed as well */
static void add_sources(const scs_mixed_atlas *m, const scs_atlas *a, const scs_combination *target,
                        const scs_sources *sources, bool all, scs_mixed_split *split)
{
    int32_t n = m->design.n_context;

    for (int32_t i = 0; i < sources->n; i++) {
        int32_t g = sources->group[i], p = scs_atlas_perturbation(a, a->group[g].condition);

        if (m->context_of[g] >= 0) {
            split->share[n + m->context_of[g]] = sources->weight[i];
        } else if (all || a->group[g].condition == a->control || p == target->perturbation ||
                   (target->pair && p == target->second)) {
            split->group[split->n_group] = g;
            split->weight[split->n_group++] = sources->weight[i];
        }
    }
}

/* Of a perturbation's shifts, whose groups may be sources or, as the target's own, not.
 * @param scratch [2 most] */
static void take_common(const scs_mixed_atlas *m, int32_t perturbation, double *scratch,
                        scs_mixed_split *split)
{
    const scs_mixed_blocks *b = m->model->blocks;
    double *weight = scratch + scs_mixed_blocks_most(b);
    const int32_t *number;
    int32_t n = scs_mixed_blocks_common(b, perturbation, split->share, scratch, &number, weight);

    for (int32_t i = 0; i < n; i++) {
        split->group[split->n_group] = m->shift[number[i]];
        split->weight[split->n_group++] = -weight[i];
    }
}

scs_status scs_mixed_sums_split(const scs_mixed_atlas *m, const scs_atlas *a,
                                const scs_combination *target, const scs_sources *sources,
                                scs_mixed_split *split)
{
    int32_t n = m->design.n_context, most = scs_mixed_blocks_most(m->model->blocks);
    double *control = NULL, *scratch = NULL;
    bool all = !sources->common || !sources->has_common;
    scs_status st;

    SCS_TRY(reserve(split, n, sources->n + 2 * most));
    memset(split->share, 0, sizeof *split->share * 2 * (size_t)n);
    split->n_group = 0;
    add_sources(m, a, target, sources, all, split);
    if (all)
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(control, n));
    SCS_GO(st, SCS_ALLOC(scratch, 2 * (int64_t)most));
    memcpy(split->share, sources->common, sizeof *split->share * (size_t)n);
    scs_mixed_blocks_common_controls(m->model->blocks, split->share, control);
    for (int32_t c = 0; c < n; c++)
        split->share[n + c] -= control[c];
    take_common(m, target->perturbation, scratch, split);
    if (target->pair && target->second != target->perturbation)
        take_common(m, target->second, scratch, split);
done:
    free(scratch);
    free(control);
    return st;
}

void scs_mixed_sums_clear_split(scs_mixed_split *split)
{
    free(split->share);
    free(split->group);
    free(split->weight);
    *split = (scs_mixed_split){0};
}

/* ---- sums ---- */

/* to += scale x a group's values in some columns. */
static void add_columns(const scs_group_values *v, int64_t group, double scale, int64_t first,
                        int64_t n, double *to)
{
    int64_t at = group * v->n_column + first;

    if (v->d)
        scs_vector_add(to, v->d + at, scale, n);
    for (int64_t j = 0; v->f && j < n; j++)
        to[j] += scale * v->f[at + j];
}

typedef struct shifts {
    const scs_mixed_atlas *m;
    const scs_group_values *values;
} shifts;

/* Hook of scs_mixed_blocks_sums. */
static void fill_shift(void *ctx, int32_t number, int32_t first, int32_t n, double *y)
{
    const shifts *s = ctx;

    memset(y, 0, sizeof *y * (size_t)n);
    add_columns(s->values, s->m->shift[number], 1, first, n, y);
    add_columns(s->values, s->m->control_of[number], -1, first, n, y);
}

scs_status scs_mixed_sums_create(const scs_mixed_atlas *m, const scs_group_values *values,
                                 scs_mixed_sums **sums)
{
    shifts of = {m, values};
    int64_t n = m->design.n_context;
    scs_mixed_sums *s;
    scs_status st;

    SCS_TRY(SCS_ALLOC(*sums, 1));
    s = *sums;
    s->values = *values;
    s->n_context = m->design.n_context;
    st = SCS_ALLOC(s->basis, 2 * n * values->n_column);
    if (st == SCS_OK)
        st = scs_mixed_blocks_sums(m->model->blocks, fill_shift, &of, values->n_column, s->basis);
    for (int64_t c = 0; c < n && st == SCS_OK; c++)
        add_columns(values, m->context[c], 1, 0, values->n_column,
                    s->basis + (n + c) * values->n_column);
    if (st != SCS_OK)
        scs_mixed_sums_destroy(sums);
    return st;
}

void scs_mixed_sums_destroy(scs_mixed_sums **sums)
{
    if (*sums)
        free((*sums)->basis);
    free(*sums);
    *sums = NULL;
}

scs_status scs_mixed_sums_make(const scs_mixed_sums *s, const scs_mixed_split *split, int64_t n,
                               double *sum)
{
    int32_t width = s->values.n_column, n_share = 2 * s->n_context;
    double *share;

    if (n == 0)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(share, n * n_share));
    for (int64_t i = 0; i < n; i++)
        if (split[i].share)
            memcpy(share + i * n_share, split[i].share, sizeof *share * (size_t)n_share);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, width, n_share, 1, share,
                n_share, s->basis, width, 0, sum, width);
    free(share);
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < n; i++)
        for (int32_t k = 0; k < split[i].n_group; k++)
            add_columns(&s->values, split[i].group[k], split[i].weight[k], 0, width,
                        sum + i * width);
    return SCS_OK;
}
