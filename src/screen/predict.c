/* How a prediction is put together: screen.decode, screen.blend, screen.magnitude. All functions
 * are Local.
 *
 * With c the observed control mean, s and b what the shifted and the unshifted control cells
 * decode to, and g the sources' own change in gene space:
 *
 *     decode    s                                             as scGen
 *     edit      max(0, c + m (s - b))                         the decoder's change on real controls
 *     blend     max(0, c + a m (s - b) + (1 - a r) g)         a = screen.blend
 *
 * m and r are 1, or (magnitude: sources) m is the factor that brings s - b nearest to g by least
 * squares, m = (s - b)'g / |s - b|^2: decoders shrink changes, by how much depends on the seed and
 * on where they start, while the size of the sources' change is measured. What the two share is
 * then r = m (s - b)'g / |g|^2, the square of their cosine, and blend is g + a (m (s - b) - r g):
 * the decoder adds only what is at right angles to g. So the prediction has all of g, however
 * little the decoder knows of it, and its length is between |g| and 1.12 |g|. What each mode is
 * worth on held-out cells is in doc/validation.md. Variances go the same way, with m and r 1.
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

/* Where the two changes point apart m and r are 0; where the decoder's has no length r is 0 and
 * m 1. Not asked for (a = 0, or magnitude: decoder), both are 1. */
void scs_predict_fit_change(const scs_method *method, int32_t n_gene, scs_evidence *from)
{
    const double *shifted = from->shifted.mean, *baseline = from->baseline.mean;
    double product = 0, square = 0, length = 0;

    from->scale = from->shared = 1;
    if (!is_fitted(method) || scs_predict_share(method) == 0)
        return;
    for (int32_t g = 0; g < n_gene; g++) {
        double decoded = shifted[g] - baseline[g], seen = from->change.mean[g];

        product += decoded * seen;
        square += decoded * decoded;
        length += seen * seen;
    }
    from->shared = 0;
    if (square == 0)
        return;
    from->scale = product > 0 ? product / square : 0;
    if (product > 0)
        from->shared = from->scale * product / length;
}

double scs_predict_own_share(const scs_method *method, const scs_evidence *from)
{
    if (!scs_rule_decode_at(method->decode)->uses_share)
        return 0;
    return 1 - scs_predict_share(method) * (is_fitted(method) ? from->shared : 1);
}

/* Observed control plus a mixture of two changes, never below 0. */
static inline double edited(double control, double decoded, double share, double seen, double own)
{
    double x = control + share * decoded + own * seen;

    return x > 0 ? x : 0;
}

/* One array of a prediction: means, or variances. @param shifted, baseline NULL where share is 0
 * @param own of the sources' own change, which is NULL where that is 0 */
SCS_VECTOR static void predict(const scs_method *method, int32_t n_gene, double scale, double own,
                               const float *control, const double *shifted, const double *baseline,
                               const double *change, float *out)
{
    double share = scs_predict_share(method);
    bool edits = scs_rule_decode_at(method->decode)->needs_baseline;

#pragma omp simd
    for (int32_t g = 0; g < n_gene; g++)
        out[g] =
            (float)(edits ? edited(control[g], share > 0 ? scale * (shifted[g] - baseline[g]) : 0,
                                   share, own > 0 ? change[g] : 0, own)
                          : shifted[g]);
}

/* Means and variances alike, but for the scale: a size of means says nothing of variances. */
void scs_predict(const scs_method *method, int32_t n_gene, const scs_evidence *from,
                 scs_prediction *out)
{
    double share = scs_rule_decode_at(method->decode)->uses_share ? 1 - method->blend : 0;

    predict(method, n_gene, from->scale, scs_predict_own_share(method, from), from->control_mean,
            from->shifted.mean, from->baseline.mean, from->change.mean, out->mean);
    for (int32_t g = 0; g < n_gene; g++)
        out->shift[g] = out->mean[g] - from->control_mean[g];
    if (out->variance)
        predict(method, n_gene, 1, share, from->control_variance, from->shifted.variance,
                from->baseline.variance, from->change.variance, out->variance);
}

scs_method scs_predict_in_gene_space(scs_method method)
{
    method.decode = SCS_DECODE_BLEND;
    method.blend = 0;
    return method;
}
