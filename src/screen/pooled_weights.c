/* Weights that are the same for every permutation of labels (pooled_weights.h). All functions are
 * Local.
 *
 * Sums over a pool are those of its two groups, so that rounding may make the last bits differ
 * from one permutation to another: the caller finds weights once and keeps them.
 */
#include "src/screen/pooled_weights.h"

#include "src/base/vector.h"
#include "src/screen/mixed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Cells of a group, 0 of none. */
static double cells_of(const scs_atlas *a, int32_t group)
{
    return group < 0 ? 0 : (double)a->group[group].count;
}

/* @param[out] mean [n_latent] */
static void find_mean(const scs_atlas *a, const scs_pool *pool, double *mean)
{
    const int32_t group[2] = {pool->control, pool->perturbed};
    double all = cells_of(a, pool->control) + cells_of(a, pool->perturbed);

    memset(mean, 0, sizeof *mean * (size_t)a->n_latent);
    for (int k = 0; k < 2; k++)
        if (group[k] >= 0)
            scs_vector_add(mean, scs_atlas_group_mean(a, group[k]), cells_of(a, group[k]) / all,
                           a->n_latent);
}

/* Variance of the pool's cells about its mean, summed over units (ddof 0). */
static double find_variance(const scs_atlas *a, const scs_pool *pool, const double *mean)
{
    const int32_t group[2] = {pool->control, pool->perturbed};
    int64_t d = a->n_latent;
    double all = cells_of(a, pool->control) + cells_of(a, pool->perturbed), sum = 0;

    for (int k = 0; k < 2; k++)
        for (int64_t j = 0; group[k] >= 0 && j < d; j++)
            sum += cells_of(a, group[k]) / all * a->second[(group[k] * d + j) * d + j];
    return fmax(0, sum - scs_vector_dot(mean, mean, d));
}

/* What is known of one source. */
typedef struct known {
    double distance, noise;
} known;

/* @param mean [2, n_latent] scratch: the target's, the source's */
static void look(const scs_atlas *a, const scs_pool *target, const scs_pool *source, int32_t n,
                 double *mean, known *of)
{
    double *here = mean + a->n_latent;

    find_mean(a, target, mean);
    for (int32_t i = 0; i < n; i++) {
        find_mean(a, &source[i], here);
        of[i].distance = scs_vector_squared_distance(here, mean, a->n_latent);
        of[i].noise = find_variance(a, &source[i], here) *
                      (1 / cells_of(a, source[i].control) + 1 / cells_of(a, source[i].perturbed));
    }
}

/* A pool whose cells are all alike is as noisy as a thousandth of the mean: to be certain of one
 * type would leave nothing to the others. */
static void weigh(const known *of, int32_t n, double *weight)
{
    double unit = 0, noise = 0, sum = 0;

    for (int32_t i = 0; i < n; i++) {
        unit += of[i].distance / n;
        noise += of[i].noise / n;
    }
    for (int32_t i = 0; i < n; i++) {
        weight[i] = scs_mixed_prior_likeness(unit > 0 ? of[i].distance / unit : 0) /
                    (noise > 0 ? fmax(of[i].noise / noise, 1e-3) : 1);
        sum += weight[i];
    }
    for (int32_t i = 0; i < n; i++)
        weight[i] /= sum;
}

/* O(n n_latent). */
scs_status scs_pooled_weights(const scs_atlas *atlas, const scs_pool *target,
                              const scs_pool *source, int32_t n, double *weight)
{
    double *mean = NULL;
    known *of = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(mean, 2 * (int64_t)atlas->n_latent));
    SCS_GO(st, SCS_ALLOC(of, n));
    look(atlas, target, source, n, mean, of);
    weigh(of, n, weight);
done:
    free(of);
    free(mean);
    return st;
}
