/* The mixed model of shifts (mixed.h): its design, made ready. All functions are Local.
 *
 * What depends on the design alone is found once: the order of the shifts (by labels, so that the
 * order in which they come changes no bit), units of distance, the covariance B of the control
 * means, the terms that can be told apart, and the sample that the likelihood looks at.
 *
 * A term has a place where the design can tell it from the others: what is of a species needs
 * several species and several groups of one, what all perturbations share needs several
 * perturbations, what like perturbations share needs their distances. Its variance is 0 elsewhere,
 * and not estimated.
 *
 * The sample: up to MOST_SAMPLED shifts are all taken; of more, a dense block of contexts and
 * perturbations, since what they share is seen only where several were seen of each.
 */
#include "src/screen/mixed_internal.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the likelihood's sample. */
enum {
    MOST_SAMPLED = 320,   /* shifts: each evaluation costs their number to the third */
    CONTEXTS_SAMPLED = 16 /* at least, where there are many perturbations */
};

/* By context, perturbation, dose, noise; the number in the design decides only between what is
 * alike in all of these. */
static int compare_rows(const void *pa, const void *pb)
{
    const scs_mixed_row *a = pa, *b = pb;

    if (a->context != b->context)
        return a->context < b->context ? -1 : 1;
    if (a->perturbation != b->perturbation)
        return a->perturbation < b->perturbation ? -1 : 1;
    if (a->dose != b->dose)
        return a->dose < b->dose ? -1 : 1;
    if (a->noise != b->noise)
        return a->noise < b->noise ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* SCS_EINTERNAL: only a wrong caller can pass it. */
static scs_status check_contexts(const scs_mixed_design *d)
{
    int64_t t = d->n_context;

    for (int64_t i = 0; i < t * t && !d->place; i++)
        SCS_REQUIRE(d->distance[i] >= 0 && isfinite(d->distance[i]) && isfinite(d->control_gram[i]),
                    SCS_EINTERNAL, "a distance or product of controls is %g, %g", d->distance[i],
                    d->control_gram[i]);
    for (int64_t i = 0; d->place && i < t * d->n_place; i++)
        SCS_REQUIRE(isfinite(d->place[i]), SCS_EINTERNAL, "a coordinate of a control is %g",
                    d->place[i]);
    for (int64_t i = 0; d->place && i < t * d->n_product; i++)
        SCS_REQUIRE(isfinite(d->product[i]), SCS_EINTERNAL, "a coordinate of a control is %g",
                    d->product[i]);
    return SCS_OK;
}

/* As check_contexts. */
static scs_status check(const scs_mixed_design *d)
{
    int64_t t = d->n_context;

    SCS_REQUIRE(t > 0 && d->n_shift > 0, SCS_EINTERNAL, "a mixed model of %d shifts", d->n_shift);
    SCS_TRY(check_contexts(d));
    for (int64_t i = 0; i < t; i++)
        SCS_REQUIRE(d->control_noise[i] >= 0 && isfinite(d->control_noise[i]), SCS_EINTERNAL,
                    "the noise of a control is %g", d->control_noise[i]);
    for (int32_t i = 0; i < d->n_shift; i++) {
        const scs_mixed_shift *s = &d->shift[i];

        SCS_REQUIRE(s->context >= 0 && s->context < t && s->perturbation >= 0 &&
                        s->perturbation < d->n_perturbation,
                    SCS_EINTERNAL, "shift %d is of context %d, perturbation %d", i, s->context,
                    s->perturbation);
        SCS_REQUIRE(d->noise[i] >= 0 && isfinite(d->noise[i]), SCS_EINTERNAL,
                    "the noise of a shift is %g", d->noise[i]);
        SCS_REQUIRE(!d->has_dose || (s->dose >= 0 && isfinite(s->dose)), SCS_EINTERNAL,
                    "the dose of a shift is %g", s->dose);
    }
    return SCS_OK;
}

/* Ascending; none is NaN (check). */
static int compare_doubles(const void *pa, const void *pb)
{
    const double *a = pa, *b = pb;

    return *a < *b ? -1 : *a > *b;
}

/* Median of what is above 0 over the pairs; 1 where nothing is (one context, or all alike). It
 * is the unit of lengths: a length of 1 says the same in every data set. SCS_ENOMEM. @param d
 * [n, n] */
static scs_status median_of(const double *d, int64_t n, double *median)
{
    double *all;
    int64_t k = 0;

    SCS_TRY(SCS_ALLOC(all, n * (n - 1) / 2));
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            if (d[i * n + j] > 0)
                all[k++] = d[i * n + j];
    qsort(all, (size_t)k, sizeof *all, compare_doubles);
    *median = k == 0 ? 1 : k % 2 ? all[k / 2] : (all[k / 2 - 1] + all[k / 2]) / 2;
    free(all);
    return SCS_OK;
}

/* Rows and columns less their means (double centring): the level mu of the control means is
 * unknown. In place.
 * @param a [n, n] symmetric  @param mean [n] scratch */
static void centre(double *a, int64_t n, double *mean)
{
    double all = 0;

    for (int64_t i = 0; i < n; i++) {
        mean[i] = 0;
        for (int64_t j = 0; j < n; j++)
            mean[i] += a[i * n + j] / (double)n;
        all += mean[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            a[i * n + j] += all - mean[i] - mean[j];
}

/* The nearest matrix with no eigenvalue below 0: what is left of the control means' products
 * once their noise is taken off need not be a covariance. SCS_EINTERNAL. O(n^3).
 * @param a [n, n] in place  @param vectors [n, n] scratch  @param values [n] scratch */
static scs_status keep_positive(double *a, int32_t n, double *vectors, double *values)
{
    int64_t first = 0, kept;

    memcpy(vectors, a, sizeof *a * (size_t)n * (size_t)n);
    SCS_TRY(scs_mixed_eigen(vectors, n, values));
    while (first < n && values[first] <= 0)
        first++;
    kept = n - first;
    for (int64_t k = first; k < n; k++)
        for (int64_t i = 0; i < n; i++)
            vectors[k * n + i] *= sqrt(values[k]);
    memset(a, 0, sizeof *a * (size_t)n * (size_t)n);
    /* cppcheck-suppress knownConditionTrueFalse ; it takes dsyev's values for those before */
    if (kept > 0)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, (int)kept, 1,
                    vectors + first * n, n, vectors + first * n, n, 0, a, n);
    return SCS_OK;
}

/* The same from coordinates: about their mean, along the eigenvectors of their products, each
 * shortened by the mean noise that its square has. base: [n_context, n_product] */
static scs_status find_base_coordinates(scs_mixed *m)
{
    int64_t t = m->d.n_context, n = m->d.n_product;
    double *vectors = NULL, *values = NULL, *centred = NULL, noise = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(vectors, n * n));
    SCS_GO(st, SCS_ALLOC(values, n));
    SCS_GO(st, SCS_ALLOC(centred, t * n));
    for (int64_t i = 0; i < t; i++) {
        noise += m->d.control_noise[i] / (double)t;
        for (int64_t k = 0; k < n; k++)
            values[k] += m->d.product[i * n + k] / (double)t;
    }
    for (int64_t i = 0; i < t; i++)
        for (int64_t k = 0; k < n; k++)
            centred[i * n + k] = m->d.product[i * n + k] - values[k];
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)n, (int)t, 1, centred, (int)n, 0,
                vectors, (int)n);
    for (int64_t i = 0; i < n; i++) /* as dsyev_ reads it, by columns */
        for (int64_t k = 0; k < i; k++)
            vectors[k * n + i] = vectors[i * n + k];
    SCS_GO(st, scs_mixed_eigen(vectors, (int32_t)n, values));
    for (int64_t k = 0; k < n; k++) {
        double factor = values[k] > noise ? sqrt(1 - noise / values[k]) : 0;

        for (int64_t i = 0; i < n; i++)
            vectors[k * n + i] *= factor;
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)t, (int)n, (int)n, 1, centred, (int)n,
                vectors, (int)n, 0, m->base, (int)n);
done:
    free(centred);
    free(values);
    free(vectors);
    return st;
}

/* B: the control means' products about their common mean, less their noise, made a covariance.
 * Subtracting the noise of a mean from its own square leaves what contexts differ by.
 * SCS_ENOMEM. */
static scs_status find_base(scs_mixed *m)
{
    int64_t n = m->d.n_context;
    double *vectors = NULL, *values = NULL;
    scs_status st;

    if (m->d.place)
        return find_base_coordinates(m);
    SCS_GO(st, SCS_ALLOC(vectors, n * n));
    SCS_GO(st, SCS_ALLOC(values, n));
    memcpy(m->base, m->d.control_gram, sizeof *m->base * (size_t)(n * n));
    for (int64_t i = 0; i < n; i++)
        m->base[i * n + i] -= m->d.control_noise[i];
    centre(m->base, n, values);
    SCS_GO(st, keep_positive(m->base, m->d.n_context, vectors, values));
done:
    free(values);
    free(vectors);
    return st;
}

/* Whether a label can tell rows apart: neither the same for all nor a different one for each. */
static bool label_tells(const int32_t *label, int32_t n)
{
    bool differ = false, agree = false;

    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < i && !(differ && agree); j++) {
            differ = differ || label[i] != label[j];
            agree = agree || label[i] == label[j];
        }
    return differ && agree;
}

/* Terms that have a place. One that could not be told from another would leave the likelihood
 * flat: of one perturbation "all" and "perturbation" are the same, and so on. */
static void find_terms(scs_mixed *m)
{
    const scs_mixed_design *d = &m->d;
    bool several = false, by_species = label_tells(d->species, d->n_context);
    bool by_type = by_species && label_tells(d->type, d->n_context);

    for (int32_t i = 1; i < d->n_shift; i++)
        several = several || d->shift[i].perturbation != d->shift[0].perturbation;
    for (int t = 0; t < SCS_MIXED_TERMS; t++) {
        int p = scs_mixed_terms[t].perturbation, c = scs_mixed_terms[t].context;
        bool place = c == SCS_SAME_SPECIES ? by_species : c == SCS_SAME_TYPE ? by_type : true;

        if (c == SCS_LIKE_CONTEXT || c == SCS_LIKE_CONTEXT_TOO)
            place = d->n_context > 1;
        if (p == SCS_ANY_PERTURBATION)
            place = place && several;
        if (p == SCS_LIKE_PERTURBATION)
            place = place && d->perturbation_distance;
        m->has[t] = place;
    }
}

/* Into an order of their own (compare_rows), so that no bit depends on the caller's; and the
 * largest dose, the unit of doses. */
static void sort_shifts(scs_mixed *m)
{
    const scs_mixed_design *d = &m->d;

    m->dose_unit = 0;
    for (int32_t i = 0; i < d->n_shift; i++) {
        const scs_mixed_shift *s = &d->shift[i];

        m->shift[i] =
            (scs_mixed_row){s->context, s->perturbation, i, d->has_dose ? s->dose : 0, d->noise[i]};
        m->dose_unit = fmax(m->dose_unit, m->shift[i].dose);
    }
    if (m->dose_unit == 0)
        m->dose_unit = 1;
    qsort(m->shift, (size_t)d->n_shift, sizeof *m->shift, compare_rows);
}

/* @param[out] of [n] zero, in ascending order */
static void start_count(scs_mixed_rank *of, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        of[i] = (scs_mixed_rank){0, i};
}

/* Of many shifts, those of some contexts and perturbations that were often seen together: what
 * perturbations and contexts share shows only where several were seen of each. Contexts with
 * the most shifts first, then the perturbations that are seen most often in those.
 * @param context [n_context], perturbation [n_perturbation] scratch
 * @param[out] keep [n_context + n_perturbation] contexts, then perturbations */
static void choose_blocks(const scs_mixed *m, scs_mixed_rank *context, scs_mixed_rank *perturbation,
                          bool *keep)
{
    int32_t n_context = m->d.n_context, n_perturbation = m->d.n_perturbation, used = 0, most;
    double total = 0;

    start_count(context, n_context);
    start_count(perturbation, n_perturbation);
    for (int32_t i = 0; i < m->d.n_shift; i++) {
        context[m->shift[i].context].value++;
        used += perturbation[m->shift[i].perturbation].value++ == 0;
    }
    most = used > 0 ? MOST_SAMPLED / used : 0;
    most = most > CONTEXTS_SAMPLED ? most : CONTEXTS_SAMPLED;
    scs_mixed_sort(context, n_context);
    for (int32_t i = 0; i < n_context && i < most; i++)
        keep[context[i].at] = true;
    start_count(perturbation, n_perturbation);
    for (int32_t i = 0; i < m->d.n_shift; i++)
        perturbation[m->shift[i].perturbation].value += keep[m->shift[i].context];
    scs_mixed_sort(perturbation, n_perturbation);
    for (int32_t i = 0; i < n_perturbation && total < MOST_SAMPLED; i++) {
        keep[n_context + perturbation[i].at] = true;
        total += perturbation[i].value;
    }
}

/* The rows of the likelihood: all, or of many those of choose_blocks, at most MOST_SAMPLED
 * shifts. In the order of sort_shifts, with the contexts that they have. */
static scs_status choose_sample(scs_mixed *m)
{
    scs_mixed_rank *context = NULL, *perturbation = NULL;
    int32_t last = -1;
    bool *keep = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(context, m->d.n_context));
    SCS_GO(st, SCS_ALLOC(perturbation, m->d.n_perturbation));
    SCS_GO(st, SCS_ALLOC(keep, (int64_t)m->d.n_context + m->d.n_perturbation));
    if (m->d.n_shift > MOST_SAMPLED)
        choose_blocks(m, context, perturbation, keep);
    for (int32_t i = 0; i < m->d.n_shift && m->n_sample_shift < MOST_SAMPLED; i++) {
        const scs_mixed_row *s = &m->shift[i];

        if (m->d.n_shift > MOST_SAMPLED &&
            !(keep[s->context] && keep[m->d.n_context + s->perturbation]))
            continue;
        m->sample_shift[m->n_sample_shift++] = s->number;
        if (s->context != last)
            m->sample_context[m->n_sample_context++] = s->context;
        last = s->context;
    }
done:
    free(keep);
    free(perturbation);
    free(context);
    return st;
}

enum { MOST_MEASURED = 1024 }; /* contexts whose distances the unit is the median of */

/* The unit of the contexts' distances: their median; with coordinates that of evenly picked ones.
 */
static scs_status find_unit(scs_mixed *m)
{
    int64_t t = m->d.n_context, n = t < MOST_MEASURED ? t : MOST_MEASURED;
    double *distance;
    scs_status st;

    if (!m->d.place)
        return median_of(m->d.distance, t, &m->context_unit);
    SCS_TRY(SCS_ALLOC(distance, n * n));
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            distance[i * n + j] = scs_mixed_distance(m, i * t / n, j * t / n);
    st = median_of(distance, n, &m->context_unit);
    free(distance);
    return st;
}

/* All but the estimates. On failure the caller destroys what is there. */
static scs_status prepare(scs_mixed *m)
{
    const scs_mixed_design *d = &m->d;
    int64_t t = d->n_context;

    SCS_TRY(check(d));
    SCS_TRY(SCS_ALLOC(m->strength, d->n_perturbation));
    SCS_TRY(SCS_ALLOC(m->convergence, d->n_perturbation));
    SCS_TRY(SCS_ALLOC(m->base, t * (d->place ? d->n_product : t)));
    SCS_TRY(SCS_ALLOC(m->shift, d->n_shift));
    SCS_TRY(SCS_ALLOC(m->sample_context, t));
    SCS_TRY(SCS_ALLOC(m->sample_shift, MOST_SAMPLED));
    SCS_TRY(find_unit(m));
    if (d->perturbation_distance)
        SCS_TRY(median_of(d->perturbation_distance, d->n_perturbation, &m->perturbation_unit));
    sort_shifts(m);
    find_terms(m);
    SCS_TRY(find_base(m));
    return choose_sample(m);
}

/* O(contexts^3) for the eigenvalues of B (with coordinates their number to the third); no estimate
 * yet. On failure *model is NULL. */
scs_status scs_mixed_create(const scs_mixed_design *design, scs_mixed **model)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*model, 1));
    (*model)->d = *design;
    st = prepare(*model);
    if (st != SCS_OK)
        scs_mixed_destroy(model);
    return st;
}

/* Sets *model to NULL; it may be NULL. The design's arrays are the caller's. */
void scs_mixed_destroy(scs_mixed **model)
{
    if (*model) {
        free((*model)->strength);
        free((*model)->convergence);
        free((*model)->base);
        free((*model)->shift);
        free((*model)->sample_context);
        free((*model)->sample_shift);
        free((*model)->rows);
        free((*model)->inverse);
        scs_mixed_blocks_destroy(&(*model)->blocks);
    }
    free(*model);
    *model = NULL;
}

/* By the design alone, so that the caller makes the products of these rows and no others: gene
 * space is large and the sample small. */
void scs_mixed_sample(const scs_mixed *m, int32_t *n_context, const int32_t **context,
                      int32_t *n_shift, const int32_t **shift)
{
    *n_context = m->n_sample_context;
    *context = m->sample_context;
    *n_shift = m->n_sample_shift;
    *shift = m->sample_shift;
}

const scs_mixed_hyper *scs_mixed_hyper_of(const scs_mixed *m, const double **strength,
                                          const double **convergence)
{
    if (strength)
        *strength = m->strength;
    if (convergence)
        *convergence = m->convergence;
    return &m->h;
}

/* Estimates of another run on the same design: the predictions are then the same. */
scs_status scs_mixed_set(scs_mixed *m, const scs_mixed_hyper *hyper, const double *strength,
                         const double *convergence)
{
    m->h = *hyper;
    memcpy(m->strength, strength, sizeof *strength * (size_t)m->d.n_perturbation);
    for (int32_t p = 0; p < m->d.n_perturbation; p++)
        m->convergence[p] = convergence ? convergence[p] : hyper->beta;
    return scs_mixed_get_ready(m);
}
