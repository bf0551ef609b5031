/* The mixed model's estimates: restricted likelihood (Patterson and Thompson, Biometrika 1971)
 * with weak priors, by its gradient. All functions are Local.
 *
 * Genes count as repeats of one draw, so that the data enter as one matrix S = Y Y' / genes of
 * the sampled rows. With K their covariance and P of mixed_covariance.c,
 *
 *     objective = log|K| + log 1'K^-1 1 + tr(P S) + sum of precision (x - centre)^2
 *     d objective / dK = P - P S P
 *
 * over logarithms of variances, lengths and strengths and the logit of beta: no bounds are
 * needed. It may have several minima in the lengths, so that short climbs start from three of them
 * and the best is followed to its end. Cost: some hundred evaluations of n^3, n of a few hundred
 * rows.
 */
#include "src/kernels/minimize.h"
#include "src/screen/mixed_internal.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Precisions of the priors, in units of - 2 log likelihood per gene. Where a hundred genes are
 * worth as many independent ones, variances and lengths have a standard deviation of 3 in their
 * logarithm about their centres, perturbations' strengths of .3 about 1. */
static const double weak = 1e-3, strength_precision = 1e-1, usual_convergence = .08;
static const double first_ridge = 1e-9, last_ridge = 1e-2; /* shares of the mean square */

enum { FIRST_STEPS = 15, MOST_STEPS = 200 }; /* of the search: from each start, of the best */
static const double least_gain = 1e-7;       /* of the objective, below which a step is the last */

/* The likelihood of the sampled rows, and room to evaluate it. Owned but for m and gram. */
typedef struct likelihood {
    scs_mixed *m;
    int32_t n, n_control;
    bool own; /* each perturbation converges by its own */
    scs_mixed_row *rows;
    const double *gram;                 /* [n, n] */
    double square;                      /* mean square of the shifts */
    double *inverse, *product, *weight; /* [n, n] */
    double *centre, *x, *best;          /* [n_variable] */
} likelihood;

/* Of the logits of convergences about the common one. Perturbations that converge by .6 and by
 * nothing are told apart with twice as much (40 cells a group, eight types); with a tenth the three
 * cell lines, which have little to tell it by, lose .005 of delta_pearson, with this nothing. */
static const double convergence_precision = .5;

/* The variables: log variances, log lengths, logit beta, log strengths; then, where perturbations
 * converge each by its own, how much its logit differs. */
enum { LENGTHS = SCS_MIXED_TERMS, BETA = LENGTHS + SCS_MIXED_LENGTHS, STRENGTH };

static double from_logit(double x)
{
    return 1 / (1 + exp(-x));
}

/* The variables become the model's estimates. @param own convergences  @param x [n_variable] */
static void take_variables(scs_mixed *m, bool own, const double *x)
{
    for (int t = 0; t < SCS_MIXED_TERMS; t++)
        m->h.variance[t] = m->has[t] ? exp(x[t]) : 0;
    for (int l = 0; l < SCS_MIXED_LENGTHS; l++)
        m->h.length[l] = exp(x[LENGTHS + l]);
    m->h.beta = from_logit(x[BETA]);
    for (int32_t p = 0; p < m->d.n_perturbation; p++) {
        m->strength[p] = exp(x[STRENGTH + p]);
        m->convergence[p] =
            own ? from_logit(x[BETA] + x[STRENGTH + m->d.n_perturbation + p]) : m->h.beta;
    }
}

/* Whether there is more than one perturbation in the sample, and no blocks, which ask for a common
 * convergence. */
static bool converges_each(const scs_mixed *m)
{
    int32_t first = m->d.shift[m->sample_shift[0]].perturbation;

    if (m->d.n_context + m->d.n_shift > SCS_MIXED_EXACT)
        return false;
    for (int32_t i = 1; i < m->n_sample_shift; i++)
        if (m->d.shift[m->sample_shift[i]].perturbation != first)
            return true;
    return false;
}

static int32_t count_variables(const likelihood *l)
{
    return STRENGTH + (l->own ? 2 : 1) * l->m->d.n_perturbation;
}

/* Chain rule: the derivative by one element of the covariance (weight, of both triangles) goes
 * to the variables that the element depends on. @param out [n_variable] */
static void add_slope(const likelihood *l, const scs_mixed_row *a, const scs_mixed_row *b,
                      double weight, double *out)
{
    const scs_mixed *m = l->m;
    scs_mixed_relation r;

    scs_mixed_relate(m, a, b, &r);
    for (int t = 0; t < SCS_MIXED_TERMS; t++) {
        double value = m->has[t] ? weight * scs_mixed_term_value(m, t, &r) : 0;

        out[t] += value;
        if (scs_mixed_terms[t].perturbation != SCS_ANY_PERTURBATION) {
            out[STRENGTH + a->perturbation] += value;
            out[STRENGTH + b->perturbation] += value;
        }
        for (int k = 0; k < 2; k++)
            if (scs_mixed_terms[t].context == SCS_LIKE_CONTEXT + k)
                out[LENGTHS + k] += value * r.context_distance / m->h.length[k];
        if (m->d.has_dose && scs_mixed_terms[t].perturbation != SCS_ANY_PERTURBATION)
            out[LENGTHS + SCS_DOSE_LENGTH] += value * r.dose_slope;
        if (m->d.perturbation_distance && scs_mixed_terms[t].perturbation == SCS_LIKE_PERTURBATION)
            out[LENGTHS + SCS_PERTURBATION_LENGTH] +=
                value * r.perturbation_distance / m->h.length[SCS_PERTURBATION_LENGTH];
    }
}

/* d K / d beta, through how u(c) is in each shift; times d beta / d logit. @param out
 * [n_variable] */
static void add_convergence_slopes(const likelihood *l, double *out)
{
    const scs_mixed *m = l->m;

    for (int64_t i = l->n_control; i < l->n; i++) {
        const scs_mixed_row *a = &l->rows[i];
        double sum = 0, slope;

        for (int64_t j = 0; j < l->n; j++)
            sum += l->weight[i * l->n + j] * scs_mixed_convergence(m, &l->rows[j]) *
                   scs_mixed_base(m, a->context, l->rows[j].context);
        slope = 2 * (1 - m->convergence[a->perturbation]) * scs_mixed_convergence(m, a) * sum;
        out[BETA] += slope;
        if (l->own)
            out[STRENGTH + m->d.n_perturbation + a->perturbation] += slope;
    }
}

/* @param out [n_variable] gets their slopes  @return their sum */
static double add_priors(const likelihood *l, const double *x, double *out)
{
    double sum = 0;

    for (int32_t i = 0; i < count_variables(l); i++) {
        double off = x[i] - l->centre[i];
        double precision = i < STRENGTH                            ? weak
                           : i < STRENGTH + l->m->d.n_perturbation ? strength_precision
                                                                   : convergence_precision;

        sum += precision * off * off;
        out[i] += 2 * precision * off;
    }
    return sum;
}

/* For scs_minimize: the objective and its gradient at x. INFINITY where K cannot be factorised.
 * @param x, gradient [n_variable] */
static scs_status evaluate(void *ctx, const double *x, double *gradient, double *value)
{
    likelihood *l = ctx;
    int32_t n = l->n;
    double *p = l->inverse, trace = 0, log_determinant;

    take_variables(l->m, l->own, x);
    memset(gradient, 0, sizeof *gradient * (size_t)count_variables(l));
    SCS_TRY(scs_mixed_invert(l->m, l->rows, n, l->n_control, p, &log_determinant));
    *value = INFINITY;
    if (!isfinite(log_determinant))
        return SCS_OK;
    cblas_dsymm(CblasRowMajor, CblasLeft, CblasUpper, n, n, 1, p, n, l->gram, n, 0, l->product, n);
    for (int64_t i = 0; i < n; i++)
        trace += l->product[i * n + i];
    memcpy(l->weight, p, sizeof *p * (size_t)n * (size_t)n);
    cblas_dsymm(CblasRowMajor, CblasRight, CblasUpper, n, n, -1, p, n, l->product, n, 1, l->weight,
                n);
    for (int64_t i = l->n_control; i < n; i++)
        for (int64_t j = l->n_control; j <= i; j++)
            add_slope(l, &l->rows[i], &l->rows[j], (i == j ? 1 : 2) * l->weight[i * n + j],
                      gradient);
    add_convergence_slopes(l, gradient);
    trace += log_determinant + add_priors(l, x, gradient);
    *value = isfinite(trace) ? trace : INFINITY;
    return SCS_OK;
}

/* Mean square of the shifts, the unit of all variances: by the gram's diagonal; where no shift
 * is longer than 0, by what is known of noise. */
static double mean_square(const likelihood *l)
{
    double square = 0, noise = 0;

    for (int64_t i = l->n_control; i < l->n; i++) {
        square += l->gram[i * l->n + i] / (l->n - l->n_control);
        noise += l->rows[i].noise / (l->n - l->n_control);
    }
    return square > 0 ? square : noise > 0 ? noise : 1;
}

/* The priors' centres: shares of the shifts' mean square, lengths and strengths of 1, usual
 * beta. */
static void set_centre(likelihood *l)
{
    l->square = mean_square(l);
    for (int t = 0; t < SCS_MIXED_TERMS; t++)
        l->centre[t] = log(scs_mixed_terms[t].share * l->square);
    l->centre[BETA] = log(usual_convergence / (1 - usual_convergence));
}

/* Some steps from one length of contexts. @param[out] x [n_variable] where they ended, value
 * there */
static scs_status climb(likelihood *l, double length, double *x, double *value)
{
    int32_t n = count_variables(l);

    memcpy(x, l->centre, sizeof *x * (size_t)n);
    x[LENGTHS + SCS_CONTEXT_LENGTH] = x[LENGTHS + SCS_PERTURBED_LENGTH] = log(length);
    return scs_minimize(evaluate, l, n, FIRST_STEPS, least_gain, x, value);
}

/* From several lengths; from where that led to the smallest objective, to the bottom. With more
 * on the diagonal where the covariance can be factorised nowhere. SCS_EINTERNAL. @param x, best
 * [n_variable] */
static scs_status search(likelihood *l, double *x, double *best)
{
    static const double lengths[] = {.1, 1, 10};
    int32_t n = count_variables(l);
    double highest = INFINITY, value;

    for (double share = first_ridge; share <= last_ridge && !isfinite(highest); share *= 100) {
        l->m->h.ridge = share * l->square; /* more, where the covariance cannot be factorised */
        for (int i = 0; i < 3; i++) {
            SCS_TRY(climb(l, lengths[i], x, &value));
            if (value < highest)
                memcpy(best, x, sizeof *x * (size_t)n);
            highest = fmin(highest, value);
        }
    }
    SCS_REQUIRE(isfinite(highest), SCS_EINTERNAL, "the mixed model of %d shifts has no likelihood",
                l->n - l->n_control);
    SCS_TRY(scs_minimize(evaluate, l, n, MOST_STEPS, least_gain, best, &l->m->h.objective));
    take_variables(l->m, l->own, best);
    return SCS_OK;
}

/* On failure the caller frees what is there. */
static scs_status fit(likelihood *l)
{
    int64_t n = l->n, n_variable = count_variables(l);

    SCS_TRY(SCS_ALLOC(l->rows, n));
    SCS_TRY(SCS_ALLOC(l->inverse, n * n));
    SCS_TRY(SCS_ALLOC(l->product, n * n));
    SCS_TRY(SCS_ALLOC(l->weight, n * n));
    SCS_TRY(SCS_ALLOC(l->centre, n_variable));
    SCS_TRY(SCS_ALLOC(l->x, n_variable));
    SCS_TRY(SCS_ALLOC(l->best, n_variable));
    for (int32_t i = 0; i < l->n_control; i++)
        l->rows[i] = (scs_mixed_row){.context = l->m->sample_context[i], .perturbation = -1};
    for (int32_t i = 0; i < l->m->n_sample_shift; i++) {
        int32_t number = l->m->sample_shift[i];
        const scs_mixed_shift *s = &l->m->d.shift[number];

        l->rows[l->n_control + i] =
            (scs_mixed_row){s->context, s->perturbation, number, s->dose, l->m->d.noise[number]};
    }
    set_centre(l);
    return search(l, l->x, l->best);
}

/* Owns all its scratch; the model is ready to predict when it returns SCS_OK. */
scs_status scs_mixed_fit(scs_mixed *m, const double *gram)
{
    likelihood l = {.m = m,
                    .n = m->n_sample_context + m->n_sample_shift,
                    .n_control = m->n_sample_context,
                    .own = converges_each(m),
                    .gram = gram};
    scs_status st = fit(&l);

    free(l.best);
    free(l.x);
    free(l.centre);
    free(l.weight);
    free(l.product);
    free(l.inverse);
    free(l.rows);
    SCS_TRY(st);
    return scs_mixed_get_ready(m);
}
