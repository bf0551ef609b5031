#include "scscreen/screen.h"
#include "src/simd.h"

bool scs_method_needs_change(const scs_method *method)
{
    return method->decode == SCS_DECODE_BLEND ||
           (method->decode == SCS_DECODE_EDIT && method->magnitude == SCS_MAGNITUDE_SOURCES);
}

/* The decoder's share of the change; its change is there where this is above 0. */
static double share_of(const scs_method *method)
{
    return method->decode == SCS_DECODE_BLEND ? method->blend : 1;
}

double scs_change_scale(const scs_method *method, int32_t n_gene, const scs_evidence *from)
{
    const double *moved = from->moved.mean, *still = from->still.mean;
    double product = 0, square = 0;

    if (method->decode == SCS_DECODE_DECODE || method->magnitude != SCS_MAGNITUDE_SOURCES ||
        share_of(method) == 0)
        return 1;
    for (int32_t g = 0; g < n_gene; g++) {
        double decoded = moved[g] - still[g];

        product += decoded * from->change.mean[g];
        square += decoded * decoded;
    }
    if (square == 0)
        return 1;
    return product > 0 ? product / square : 0;
}

/* Observed control plus a mixture of two changes, never below 0. */
static inline double edited(double control, double decoded, double share, double seen)
{
    double x = control + share * decoded + (1 - share) * seen;

    return x > 0 ? x : 0;
}

/* One array of a prediction: means, or variances. @param moved, still NULL where share is 0
 * @param change NULL where share is 1 */
SCS_VECTOR static void predict(const scs_method *method, int32_t n_gene, double scale,
                               const float *control, const double *moved, const double *still,
                               const double *change, float *out)
{
    double share = share_of(method);

#pragma omp simd
    for (int32_t g = 0; g < n_gene; g++)
        out[g] = (float)(method->decode == SCS_DECODE_DECODE
                             ? moved[g]
                             : edited(control[g], share > 0 ? scale * (moved[g] - still[g]) : 0,
                                      share, share < 1 ? change[g] : 0));
}

void scs_predict(const scs_method *method, int32_t n_gene, const scs_evidence *from,
                 scs_prediction *out)
{
    predict(method, n_gene, from->scale, from->control_mean, from->moved.mean, from->still.mean,
            from->change.mean, out->mean);
    for (int32_t g = 0; g < n_gene; g++)
        out->shift[g] = out->mean[g] - from->control_mean[g];
    if (out->variance)
        predict(method, n_gene, 1, from->control_variance, from->moved.variance,
                from->still.variance, from->change.variance, out->variance);
}
