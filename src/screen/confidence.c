/* How far a predicted row can be relied on: agreement of its sources, how well the controls cover
 * the target, and the share of false findings. All functions are Local.
 *
 *     agreement   mean cosine of the source types' shifts, over pairs of them under one condition
 *     support     with x the target's control mean, mu and S mean and covariance of the sources'
 *                 control cells (types weighing alike), the percentile of
 *                     D^2 = (x - mu)' S'^-1 (x - mu)   in chi-square with d degrees of freedom,
 *                     S' = (1 - a) S + a tr(S)/d I,    a = d / (d + cells)
 *                 The shrinkage keeps S' invertible where there are fewer cells than latent units.
 *     q           Benjamini and Hochberg (JRSS B 1995): q_(i) = min over k >= i of p_(k) m / k
 *
 * S is made of the groups' second moments, which the atlas keeps: no cell is looked at again.
 *
 * NaN is the answer wherever there is nothing to go by: no pair of sources, no second moments, no
 * other types; 0 would read as a finding.
 */
#include "src/screen/confidence.h"

#include "src/base/random.h"
#include "src/base/vector.h"
#include "src/kernels/lapack.h"
#include "src/screen/shift.h"
#include "scscreen/screen.h"

#include <math.h>
#include <stdlib.h>

/* ---- false discoveries ---- */

/* A p-value and whose it is. */
typedef struct ranked {
    double p;
    int64_t at;
} ranked;

/* Ascending; of equal ones the first, which makes the order total and qsort's result the same
 * everywhere. */
static int by_p(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* O(n log n). The running minimum from the largest p down makes q ascend with p. The same step-up
 * with scipy's order of rounding is in src/score/deg_set.c. */
scs_status scs_confidence_false_discovery(const double *p, int64_t n, double *q)
{
    ranked *order;
    int64_t m = 0;
    double least = 1;

    SCS_TRY(SCS_ALLOC(order, n));
    for (int64_t i = 0; i < n; i++) {
        q[i] = NAN;
        if (!isnan(p[i]))
            order[m++] = (ranked){p[i], i};
    }
    qsort(order, (size_t)m, sizeof *order, by_p);
    for (int64_t i = m - 1; i >= 0; i--) {
        least = fmin(least, order[i].p * (double)m / (double)(i + 1));
        q[order[i].at] = least;
    }
    free(order);
    return SCS_OK;
}

/* Ascending series of P(a, x) without its scale, for x < a + 1. */
static double gamma_series(double a, double x)
{
    double term = 1 / a, sum = term;

    for (int i = 1; i < 10000 && term > sum * 1e-16; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum;
}

/* Lentz's continued fraction, for x >= a + 1; times scale it is 1 - P. */
static double gamma_fraction(double a, double x)
{
    const double tiny = 1e-300;
    double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;

    for (int i = 1; i < 10000; i++) {
        double an = -i * (i - a), step;

        b += 2;
        d = an * d + b;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = b + an / c;
        c = fabs(c) < tiny ? tiny : c;
        step = d * c;
        h *= step;
        if (fabs(step - 1) < 1e-15)
            break;
    }
    return h;
}

/* P(degrees / 2, x / 2), by whichever expansion converges; lgamma_r, as lgamma writes a global. */
double scs_confidence_chi_square_below(double x, double degrees)
{
    double a = degrees / 2, half = x / 2, scale;
    int sign;

    if (!(half > 0))
        return 0;
    scale = exp(a * log(half) - half - lgamma_r(a, &sign));
    return half < a + 1 ? scale * gamma_series(a, half) : 1 - scale * gamma_fraction(a, half);
}

/* Control groups of other types among the sources: mean and second moment, types weighing
 * alike, so that a large type does not stand for all. The target's own controls are left out:
 * they would support themselves.
 * @param mean [d], second [d, d] zeroed, then filled  @param[out] n_cell their cells
 * @return how many groups */
static int32_t pool_controls(const scs_atlas *a, const scs_combination *target,
                             const scs_sources *sources, double *mean, double *second,
                             double *n_cell)
{
    int64_t d = a->n_latent, n = 0;

    for (int32_t i = 0; i < sources->n; i++) {
        int32_t g = sources->group[i];

        if (a->group[g].condition != a->control || g == target->control_group)
            continue;
        scs_vector_add(mean, scs_atlas_group_mean(a, g), 1, d);
        scs_vector_add(second, a->second + (int64_t)g * d * d, 1, d * d);
        *n_cell += (double)a->group[g].count;
        n++;
    }
    for (int64_t j = 0; j < d && n; j++)
        mean[j] /= (double)n;
    for (int64_t j = 0; j < d * d && n; j++)
        second[j] /= (double)n;
    return (int32_t)n;
}

/* Second moment to shrunk covariance, in place. @return mean variance; 0 where nothing varies */
static double shrink(double *second, const double *mean, int64_t d, double n_cell)
{
    double share = (double)d / ((double)d + n_cell), trace = 0;

    for (int64_t j = 0; j < d; j++)
        for (int64_t k = 0; k < d; k++)
            second[j * d + k] -= mean[j] * mean[k];
    for (int64_t j = 0; j < d; j++)
        trace += second[j * d + j];
    for (int64_t j = 0; j < d * d; j++)
        second[j] *= 1 - share;
    for (int64_t j = 0; j < d; j++)
        second[j * d + j] += share * trace / (double)d;
    return trace / (double)d;
}

/* Squared Mahalanobis distance, by Cholesky; the covariance is destroyed. SCS_EINTERNAL.
 * @param off [d] x - mean  @param solved [d] scratch */
static scs_status squared_mahalanobis(double *covariance, const double *off, double *solved, int d,
                                      double *distance)
{
    int one = 1, info = 0;

    for (int j = 0; j < d; j++)
        solved[j] = off[j];
    dposv_("U", &d, &one, covariance, &d, solved, &d, &info);
    SCS_REQUIRE(info == 0, SCS_EINTERNAL, "covariance of control cells is not positive (%d)", info);
    *distance = scs_vector_dot(off, solved, d);
    return SCS_OK;
}

/* The percentile; left as it is where there are no other types. @param work [n_latent (n_latent
 * + 3)] zeroed */
static scs_status measure(const scs_atlas *a, const scs_combination *target,
                          const scs_sources *sources, double *work, double *percentile)
{
    int32_t d = a->n_latent;
    double *second = work, *mean = work + (int64_t)d * d, *off = mean + d, n_cell = 0, distance = 0;
    const double *x = scs_atlas_group_mean(a, target->control_group);

    if (pool_controls(a, target, sources, mean, second, &n_cell) == 0 ||
        !(shrink(second, mean, d, n_cell) > 0))
        return SCS_OK;
    for (int32_t j = 0; j < d; j++)
        off[j] = x[j] - mean[j];
    SCS_TRY(squared_mahalanobis(second, off, off + d, d, &distance));
    *percentile = 100 * scs_confidence_chi_square_below(distance, d);
    return SCS_OK;
}

/* O(sources d^2 + d^3). Without second moments (model.kind: mean) there is no covariance: NaN. */
scs_status scs_confidence_support(const scs_atlas *atlas, const scs_combination *target,
                                  const scs_sources *sources, double *percentile)
{
    int64_t d = atlas->n_latent;
    double *work;
    scs_status st;

    *percentile = NAN;
    if (!atlas->second)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(work, d * (d + 3)));
    st = measure(atlas, target, sources, work, percentile);
    free(work);
    return st;
}

/* What a row without a prediction, or without the option, has. */
scs_confidence scs_confidence_none(void)
{
    return (scs_confidence){.agreement = NAN,
                            .support = NAN,
                            .energy_distance = NAN,
                            .delta_se = NAN,
                            .p_value = NAN,
                            .q_value = NAN};
}

/* A source's perturbed group and the controls beside it, as latent means.
 * @return false for a control group, or where no controls stand beside it */
static bool pair_of(const scs_atlas *a, int32_t group, const double **perturbed,
                    const double **control)
{
    const scs_group *g = &a->group[group];
    int32_t beside = scs_atlas_usable_group(a, g->species, g->cell_type, a->control);

    if (g->condition == a->control || beside < 0)
        return false;
    *perturbed = scs_atlas_group_mean(a, group);
    *control = scs_atlas_group_mean(a, beside);
    return true;
}

/* Cosine of a - a0 and b - b0; 0 where one of them has no length. All [n] */
static double cosine(const double *a, const double *a0, const double *b, const double *b0,
                     int32_t n)
{
    double ab = 0, aa = 0, bb = 0;

    for (int32_t j = 0; j < n; j++) {
        ab += (a[j] - a0[j]) * (b[j] - b0[j]);
        aa += (a[j] - a0[j]) * (a[j] - a0[j]);
        bb += (b[j] - b0[j]) * (b[j] - b0[j]);
    }
    return aa > 0 && bb > 0 ? ab / (sqrt(aa) * sqrt(bb)) : 0;
}

/* Whether two groups were treated alike, dose included. */
static bool same_condition(const scs_atlas *a, int32_t group, int32_t other)
{
    return a->group[group].condition == a->group[other].condition;
}

/* The mixed model also asks what other perturbations do. */
static bool is_asked(const scs_atlas *a, const scs_combination *target, int32_t group)
{
    int32_t p = scs_atlas_perturbation(a, a->group[group].condition);

    return p == target->perturbation || (target->pair && p == target->second);
}

/* O(sources + pairs of those asked x d). Only groups under one condition are compared: two doses of
 * a drug may differ rightly. */
scs_status scs_confidence_agreement(const scs_atlas *atlas, const scs_combination *target,
                                    const scs_sources *sources, double *agreement)
{
    const double *a, *a0, *b, *b0;
    int32_t *asked, n_asked = 0;
    double sum = 0;
    int64_t n = 0;

    SCS_TRY(SCS_ALLOC(asked, sources->n));
    for (int32_t i = 0; i < sources->n; i++)
        if (is_asked(atlas, target, sources->group[i]) &&
            pair_of(atlas, sources->group[i], &a, &a0))
            asked[n_asked++] = sources->group[i];
    for (int32_t i = 0; i < n_asked; i++)
        for (int32_t k = 0; k < i; k++)
            if (same_condition(atlas, asked[i], asked[k]) && pair_of(atlas, asked[i], &a, &a0) &&
                pair_of(atlas, asked[k], &b, &b0)) {
                sum += cosine(a, a0, b, b0, atlas->n_latent);
                n++;
            }
    *agreement = n ? sum / (double)n : NAN;
    free(asked);
    return SCS_OK;
}
