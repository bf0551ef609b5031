/* delta regressed on the control means (scVIDR: Kana et al., Patterns 2023), with a ridge penalty:
 * a few types span few of the latent directions. In the dual form the prediction is a weighted mean
 * of the types' shifts. */
#include "src/estimate.h"
#include "src/lapack.h"
#include "src/vector.h"

#include <stdlib.h>

/* n control means less their mean. @param[out] centred [n, d]  @param[out] centre [d] */
static void centre_controls(const scs_estimate *e, const int32_t *type, int32_t n, double *centred,
                            double *centre)
{
    int32_t d = e->atlas->n_latent;

    for (int32_t j = 0; j < d; j++) {
        centre[j] = 0;
        for (int32_t i = 0; i < n; i++)
            centre[j] += scs_group_mean(e->atlas, scs_control_of(e, type[i]))[j] / n;
        for (int32_t i = 0; i < n; i++)
            centred[(int64_t)i * d + j] =
                scs_group_mean(e->atlas, scs_control_of(e, type[i]))[j] - centre[j];
    }
}

/* kernel = C C' + ridge trace(C C') / n on the diagonal. @return trace */
static double fill_kernel(const double *centred, int32_t n, int32_t d, double ridge, double *kernel)
{
    double trace = 0;

    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++)
            kernel[i * n + k] = scs_vector_dot(centred + i * d, centred + k * d, d);
    for (int64_t i = 0; i < n; i++)
        trace += kernel[i * n + i];
    for (int64_t i = 0; i < n; i++)
        kernel[i * n + i] += ridge * trace / n;
    return trace;
}

/* @param weight [n] the right-hand side C (target - centre), then the solution
 * @param kernel [n, n] destroyed */
static scs_status solve(double *kernel, int32_t n, double *weight)
{
    int one = 1, info = 0;

    dposv_("U", &n, &one, kernel, &n, weight, &n, &info);
    SCS_REQUIRE(info == 0, SCS_EINTERNAL, "regression of shifts on %d control means failed (%d)", n,
                info);
    return SCS_OK;
}

/* Predicted shift = mean shift + sum a_i (shift_i - mean shift). */
static void to_weights(double *weight, int32_t n)
{
    double mean = 0;

    for (int32_t i = 0; i < n; i++)
        mean += weight[i] / n;
    for (int32_t i = 0; i < n; i++)
        weight[i] += 1. / n - mean;
}

scs_status scs_regression_weights(const scs_estimate *e, const int32_t *type, int32_t n,
                                  double *weight)
{
    int32_t d = e->atlas->n_latent;
    double *centred = NULL, *centre = NULL, *kernel = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(centred, (int64_t)n * d));
    SCS_GO(st, SCS_ALLOC(centre, d));
    SCS_GO(st, SCS_ALLOC(kernel, (int64_t)n * n));
    centre_controls(e, type, n, centred, centre);
    for (int32_t j = 0; j < d; j++)
        centre[j] = e->target[j] - centre[j];
    for (int32_t i = 0; i < n; i++)
        weight[i] = scs_vector_dot(centred + (int64_t)i * d, centre, d);
    /* Without spread among the controls (one type) there is nothing to regress on. */
    if (fill_kernel(centred, n, d, e->method->ridge, kernel) > 0)
        SCS_GO(st, solve(kernel, n, weight));
    to_weights(weight, n);
done:
    free(kernel);
    free(centre);
    free(centred);
    return st;
}
