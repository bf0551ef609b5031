/* How a prediction is put together: screen.decode, screen.blend, screen.magnitude. All functions
 * are Local.
 *
 * With c the observed control mean, s and b what the shifted and the unshifted control cells
 * decode to, and g the sources' own change in gene space:
 *
 *     decode    s                                             as scGen
 *     edit      max(0, c + m (s - b))                         the decoder's change on real controls
 *     blend     max(0, c + a m (s - b) + (1 - a) g)           half of it the sources' (a = 0.5)
 *
 * m is 1, or (magnitude: sources) the factor that brings s - b nearest to g by least squares, m =
 * (s - b)'g / |s - b|^2: decoders shrink changes, by how much depends on the seed and on where
 * they start, while the size of the sources' change is measured. What each mode is worth on
 * held-out cells is in doc/validation.md. Variances go the same way, without m.
 */
#include "src/screen/predict.h"

#include "src/base/simd.h"
#include "src/config/rule.h"
#include "scscreen/screen.h"

double scs_predict_share(const scs_method *method)
{
    return scs_rule_decode_at(method->decode)->uses_share ? method->blend : 1;
}

/* Whether the size of the decoder's change is fitted to the sources' own. */
static bool is_fitted(const scs_method *method)
{
    return scs_rule_decode_at(method->decode)->uses_magnitude &&
           method->magnitude == SCS_MAGNITUDE_SOURCES;
}

/* Either part of it is mixed in, or it gives the decoder's change its size. */
bool scs_predict_needs_change(const scs_method *method)
{
    return scs_rule_decode_at(method->decode)->uses_share || is_fitted(method);
}

/* 0 where the two changes point apart; 1 where the decoder's has no length.
 * Not asked for (a = 0, or magnitude: decoder), it is 1. */
double scs_predict_change_scale(const scs_method *method, int32_t n_gene, const scs_evidence *from)
{
    const double *shifted = from->shifted.mean, *baseline = from->baseline.mean;
    double product = 0, square = 0;

    if (!is_fitted(method) || scs_predict_share(method) == 0)
        return 1;
    for (int32_t g = 0; g < n_gene; g++) {
        double decoded = shifted[g] - baseline[g];

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

/* One array of a prediction: means, or variances. @param shifted, baseline NULL where share is 0
 * @param change NULL where share is 1 */
SCS_VECTOR static void predict(const scs_method *method, int32_t n_gene, double scale,
                               const float *control, const double *shifted, const double *baseline,
                               const double *change, float *out)
{
    double share = scs_predict_share(method);
    bool edits = scs_rule_decode_at(method->decode)->needs_baseline;

#pragma omp simd
    for (int32_t g = 0; g < n_gene; g++)
        out[g] =
            (float)(edits ? edited(control[g], share > 0 ? scale * (shifted[g] - baseline[g]) : 0,
                                   share, share < 1 ? change[g] : 0)
                          : shifted[g]);
}

/* Means and variances alike, but for the scale: a size of means says nothing of variances. */
void scs_predict(const scs_method *method, int32_t n_gene, const scs_evidence *from,
                 scs_prediction *out)
{
    predict(method, n_gene, from->scale, from->control_mean, from->shifted.mean,
            from->baseline.mean, from->change.mean, out->mean);
    for (int32_t g = 0; g < n_gene; g++)
        out->shift[g] = out->mean[g] - from->control_mean[g];
    if (out->variance)
        predict(method, n_gene, 1, from->control_variance, from->shifted.variance,
                from->baseline.variance, from->change.variance, out->variance);
}

scs_method scs_predict_in_gene_space(scs_method method)
{
    method.decode = SCS_DECODE_BLEND;
    method.blend = 0;
    return method;
}
