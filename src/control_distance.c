#include "scscreen/latent.h"
#include "src/estimate.h"
#include "src/vector.h"

/* More control groups are measured when they are asked for: the table would fill the memory. */
enum { MOST_MEASURED = 2048 };

static double gene_distance(const scs_atlas *a, int32_t g, int32_t h)
{
    const float *x = scs_group_gene_mean(a, g), *y = scs_group_gene_mean(a, h);
    double d = 0;

    for (int32_t i = 0; i < a->n_gene; i++)
        d += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
    return d;
}

static scs_status number_controls(scs_atlas *a)
{
    if (!a->control_at)
        SCS_TRY(SCS_ALLOC(a->control_at, a->n_group));
    a->n_control = 0;
    for (int32_t g = 0; g < a->n_group; g++)
        a->control_at[g] = a->group[g].condition == a->control ? a->n_control++ : -1;
    return SCS_OK;
}

scs_status scs_atlas_measure_controls(scs_atlas *a)
{
    int64_t n;

    SCS_TRY(number_controls(a));
    a->by_expression = true;
    n = a->n_control;
    if (n > MOST_MEASURED)
        return SCS_OK;
    if (!a->control_distance)
        SCS_TRY(SCS_ALLOC(a->control_distance, n * n));
#pragma omp parallel for schedule(dynamic)
    for (int32_t g = 0; g < a->n_group; g++)
        for (int32_t h = 0; a->control_at[g] >= 0 && h < g; h++)
            if (a->control_at[h] >= 0)
                a->control_distance[a->control_at[g] * n + a->control_at[h]] =
                    a->control_distance[a->control_at[h] * n + a->control_at[g]] =
                        gene_distance(a, g, h);
    return SCS_OK;
}

double scs_control_distance(const scs_estimate *e, int32_t group)
{
    const scs_atlas *a = e->atlas;

    if (!a->by_expression)
        return scs_vector_squared_distance(scs_group_mean(a, group), e->target, a->n_latent);
    if (!a->control_distance)
        return gene_distance(a, group, e->target_group);
    return a->control_distance[(int64_t)a->control_at[group] * a->n_control +
                               a->control_at[e->target_group]];
}
