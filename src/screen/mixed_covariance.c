/* The mixed model's covariance, and its inverse. All functions are Local.
 *
 *     cov(control mean c, control mean c') = B(c, c') + [c = c'] noise(c)
 *     cov(shift, shift')   = effects + k k' B(c, c') + [c = c'] noise(c)     k = -beta (dose)
 *     cov(control mean, shift)             = k B(c, c') - [c = c'] noise(c)
 *
 * The noise of a context's control cells is in every shift of it with the same sign, and in its
 * control mean with the other: that is why control means are rows as well. A factorisation that
 * fails is no error here (log_determinant is INFINITY): the likelihood turns away from such a
 * place, and the prediction adds to the diagonal.
 */
#include "src/kernels/lapack.h"
#include "src/screen/mixed_internal.h"

#include <math.h>
#include <stdlib.h>

/* As lapack.h: Cholesky factor of a symmetric positive definite A in place, and the inverse. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);

/* The terms, in the order of scs_mixed_hyper.variance; the last number is the centre of the
 * prior, as a share of the shifts' mean square. */
const scs_mixed_term scs_mixed_terms[SCS_MIXED_TERMS] = {
    {"all", SCS_ANY_PERTURBATION, SCS_ANY_CONTEXT, .1},
    {"context", SCS_ANY_PERTURBATION, SCS_LIKE_CONTEXT, .3},
    {"perturbation", SCS_SAME_PERTURBATION, SCS_ANY_CONTEXT, .3},
    {"perturbation, context", SCS_SAME_PERTURBATION, SCS_LIKE_CONTEXT_TOO, .3},
    {"species", SCS_ANY_PERTURBATION, SCS_SAME_SPECIES, .1},
    {"perturbation, species", SCS_SAME_PERTURBATION, SCS_SAME_SPECIES, .1},
    {"type", SCS_ANY_PERTURBATION, SCS_SAME_TYPE, .1},
    {"perturbation, type", SCS_SAME_PERTURBATION, SCS_SAME_TYPE, .1},
    {"like perturbations", SCS_LIKE_PERTURBATION, SCS_ANY_CONTEXT, .1},
    {"like perturbations, context", SCS_LIKE_PERTURBATION, SCS_LIKE_CONTEXT_TOO, .1},
};

const char *scs_mixed_term_name(int term)
{
    return scs_mixed_terms[term].name;
}

/* Of the terms that every design may have, with lengths of 1. */
double scs_mixed_prior_likeness(double distance)
{
    double all = 0, alike = 0;

    for (int t = 0; t < SCS_MIXED_TERMS; t++) {
        const scs_mixed_term *term = &scs_mixed_terms[t];
        bool by_distance =
            term->context == SCS_LIKE_CONTEXT || term->context == SCS_LIKE_CONTEXT_TOO;

        if (term->perturbation == SCS_LIKE_PERTURBATION ||
            (term->context != SCS_ANY_CONTEXT && !by_distance))
            continue;
        all += term->share;
        alike += term->share * (by_distance ? exp(-distance) : 1);
    }
    return alike / all;
}

/* Effects begin at dose 0 and grow along a line, x y, or wander from dose to dose as a Brownian
 * path, min(x, y), whose prediction between two doses is the straight way between them; in units of
 * the largest dose. The length is the odds of the line.
 *  @param[out] r its dose_slope */
static double dose_factor(const scs_mixed *m, const scs_mixed_row *a, const scs_mixed_row *b,
                          scs_mixed_relation *r)
{
    double x = a->dose / m->dose_unit, y = b->dose / m->dose_unit, line = x * y;
    double path = fmin(x, y), odds = m->h.length[SCS_DOSE_LENGTH], share = odds / (1 + odds);
    double factor = share * line + (1 - share) * path;

    r->dose_slope = factor > 0 ? share * (1 - share) * (line - path) / factor : 0;
    return factor;
}

/* Called for every pair of rows, some hundred times: three exponentials, and no more than a
 * pair needs. */
void scs_mixed_relate(const scs_mixed *m, const scs_mixed_row *a, const scs_mixed_row *b,
                      scs_mixed_relation *r)
{
    const scs_mixed_design *d = &m->d;
    int64_t at;
    double size = m->strength[a->perturbation] * m->strength[b->perturbation];

    if (d->has_dose)
        size *= dose_factor(m, a, b, r);
    r->context_distance = scs_mixed_distance(m, a->context, b->context) / m->context_unit;
    r->context[SCS_ANY_CONTEXT] = 1;
    r->context[SCS_LIKE_CONTEXT] = exp(-r->context_distance / m->h.length[SCS_CONTEXT_LENGTH]);
    r->context[SCS_LIKE_CONTEXT_TOO] =
        exp(-r->context_distance / m->h.length[SCS_PERTURBED_LENGTH]);
    r->context[SCS_SAME_SPECIES] = d->species[a->context] == d->species[b->context];
    r->context[SCS_SAME_TYPE] = d->type[a->context] == d->type[b->context];
    r->perturbation[SCS_ANY_PERTURBATION] = 1;
    r->perturbation[SCS_SAME_PERTURBATION] = a->perturbation == b->perturbation ? size : 0;
    r->perturbation[SCS_LIKE_PERTURBATION] = 0;
    if (d->perturbation_distance) {
        at = (int64_t)a->perturbation * d->n_perturbation + b->perturbation;
        r->perturbation_distance = d->perturbation_distance[at] / m->perturbation_unit;
        r->perturbation[SCS_LIKE_PERTURBATION] =
            size * exp(-r->perturbation_distance / m->h.length[SCS_PERTURBATION_LENGTH]);
    }
}

double scs_mixed_term_value(const scs_mixed *m, int t, const scs_mixed_relation *r)
{
    return m->h.variance[t] * r->perturbation[scs_mixed_terms[t].perturbation] *
           r->context[scs_mixed_terms[t].context];
}

/* cov(a, a') of two shifts: the terms that have a place. */
static double effect_covariance(const scs_mixed *m, const scs_mixed_row *a, const scs_mixed_row *b)
{
    scs_mixed_relation r;
    double sum = 0;

    scs_mixed_relate(m, a, b, &r);
    for (int t = 0; t < SCS_MIXED_TERMS; t++)
        if (m->has[t])
            sum += scs_mixed_term_value(m, t, &r);
    return sum;
}

/* In proportion to the dose, in units of the largest: at dose 0 nothing converges. */
double scs_mixed_convergence(const scs_mixed *m, const scs_mixed_row *a)
{
    double dose = m->d.has_dose ? a->dose / m->dose_unit : 1;

    return a->perturbation < 0 ? 1 : -m->convergence[a->perturbation] * dose;
}

scs_mixed_row scs_mixed_control(int32_t context)
{
    return (scs_mixed_row){.context = context, .perturbation = -1, .number = context};
}

/* The three cases of the head in one: k is 1 for a control mean, and the noise of shared
 * controls changes its sign where one of the two is a control mean. */
double scs_mixed_covariance(const scs_mixed *m, const scs_mixed_row *a, const scs_mixed_row *b)
{
    double sum = scs_mixed_convergence(m, a) * scs_mixed_convergence(m, b) *
                 scs_mixed_base(m, a->context, b->context);
    /* e(c): 1 in a control mean, -1 in a shift */
    bool one_is_control = (a->perturbation < 0) != (b->perturbation < 0);

    if (a->context == b->context)
        sum += (one_is_control ? -1 : 1) * m->d.control_noise[a->context];
    if (a->perturbation >= 0 && b->perturbation >= 0)
        sum += effect_covariance(m, a, b);
    return sum;
}

/* @param[out] k [n, n], with each row's own noise and the ridge on the diagonal */
static void fill_covariance(const scs_mixed *m, const scs_mixed_row *rows, int32_t n, double *k)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j <= i; j++)
            k[i * n + j] = k[j * n + i] = scs_mixed_covariance(m, &rows[i], &rows[j]);
        k[i * n + i] += rows[i].noise + m->h.ridge;
    }
}

/* In place. O(n^3). */
scs_status scs_mixed_eigen(double *a, int32_t n, double *values)
{
    int size = n, info, n_work = -1;
    double wanted, *work;

    dsyev_("V", "L", &size, a, &size, values, &wanted, &n_work, &info);
    n_work = (int)wanted;
    SCS_TRY(SCS_ALLOC(work, n_work));
    dsyev_("V", "L", &size, a, &size, values, work, &n_work, &info);
    free(work);
    SCS_REQUIRE(info == 0, SCS_EINTERNAL, "eigenvalues of %d control means failed (%d)", n, info);
    return SCS_OK;
}

/* By Cholesky: half the work of elimination, and the determinant is a by-product. */
void scs_mixed_cholesky_inverse(double *k, int32_t n, double *log_determinant)
{
    int size = n, info;

    *log_determinant = INFINITY;
    dpotrf_("L", &size, k, &size, &info);
    if (info != 0)
        return;
    *log_determinant = 0;
    for (int64_t i = 0; i < n; i++)
        *log_determinant += 2 * log(k[i * n + i]);
    dpotri_("L", &size, k, &size, &info);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            k[i * n + j] = k[j * n + i];
}

/* P = K^-1 - u u' / 1'u, u = K^-1 1, with 1 at the control means: what estimating mu, their
 * level, costs (generalised least squares).
 * @param inverse [n, n] K^-1, then P  @param n_control rows that are control means, the first
 * @param u [n] scratch  @return the information about mu, 1'K^-1 1 */
static double project(double *inverse, int32_t n, int32_t n_control, double *u)
{
    double information = 0;

    for (int64_t i = 0; i < n; i++) {
        u[i] = 0;
        for (int64_t j = 0; j < n_control; j++)
            u[i] += inverse[i * n + j];
        information += i < n_control ? u[i] : 0;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            inverse[i * n + j] -= u[i] * u[j] / information;
    return information;
}

/* O(n^3). A matrix that is not positive definite is no error: the caller decides. */
scs_status scs_mixed_invert(const scs_mixed *m, const scs_mixed_row *rows, int32_t n,
                            int32_t n_control, double *p, double *log_determinant)
{
    double *u;

    SCS_TRY(SCS_ALLOC(u, n));
    fill_covariance(m, rows, n, p);
    scs_mixed_cholesky_inverse(p, n, log_determinant);
    if (isfinite(*log_determinant))
        *log_determinant += log(project(p, n, n_control, u));
    free(u);
    return SCS_OK;
}

/* The largest value first; of equal ones the first. */
static int compare_ranks(const void *pa, const void *pb)
{
    const scs_mixed_rank *a = pa, *b = pb;

    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* A total order, so that qsort gives the same everywhere. */
void scs_mixed_sort(scs_mixed_rank *of, int32_t n)
{
    qsort(of, (size_t)n, sizeof *of, compare_ranks);
}
