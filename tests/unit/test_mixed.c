/* The mixed model of shifts against its definition, and what any such predictor must hold to. */
#include "src/base/random.h"
#include "src/screen/mixed_internal.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

enum { MOST = 400, GENES = 60 };

/* Terms and lengths by number, as scs_mixed_term_name has them. */
enum { ALL, CONTEXT, PERTURBATION, BOTH, SPECIES, OF_SPECIES, TYPE, OF_TYPE, LIKE, LIKE_BOTH };

/* A design and the vectors that it tells of. */
typedef struct world {
    scs_mixed_design d;
    int32_t n_gene;
    int32_t species[MOST], type[MOST];
    scs_mixed_shift shift[MOST];
    double control_noise[MOST], noise[MOST];
    double *distance, *control_gram, *perturbation_distance;
    double *control, *y;       /* [n_context, n_gene], [n_shift, n_gene] */
    const double *convergence; /* [n_perturbation], or NULL: all alike */
} world;

static double normal(uint64_t purpose, uint64_t at)
{
    scs_stream stream = {11, SCS_RANDOM_SIMULATE, (uint32_t)purpose, at};
    double z;

    scs_random_normal(&stream, 1, &z);
    return z;
}

static double *numbers(int64_t n)
{
    double *p;

    CHECK_OK(SCS_ALLOC(p, n));
    return p;
}

static double mean_product(const double *a, const double *b, int32_t n)
{
    double sum = 0;

    for (int32_t g = 0; g < n; g++)
        sum += a[g] * b[g] / n;
    return sum;
}

/* Contexts lie on a line with noise, two species; what perturbations do goes with the place. */
static void begin(world *w, int32_t n_context, int32_t n_perturbation, double control_noise,
                  double noise)
{
    memset(w, 0, sizeof *w);
    w->n_gene = GENES;
    w->d = (scs_mixed_design){.n_context = n_context,
                              .n_perturbation = n_perturbation,
                              .n_shift = n_context * n_perturbation,
                              .species = w->species,
                              .type = w->type,
                              .shift = w->shift,
                              .control_noise = w->control_noise,
                              .noise = w->noise};
    w->distance = numbers((int64_t)n_context * n_context);
    w->control_gram = numbers((int64_t)n_context * n_context);
    w->control = numbers((int64_t)n_context * w->n_gene);
    w->y = numbers((int64_t)w->d.n_shift * w->n_gene);
    w->d.distance = w->distance;
    w->d.control_gram = w->control_gram;
    for (int32_t c = 0; c < n_context; c++) {
        double place = normal(1, (uint64_t)c);

        w->type[c] = c;
        w->control_noise[c] = control_noise * (1 + c % 3);
        for (int32_t g = 0; g < w->n_gene; g++) {
            uint64_t at = (uint64_t)(c * w->n_gene + g), gene = (uint64_t)g;
            double off = sqrt(w->control_noise[c]) * normal(2, at);

            w->control[c * w->n_gene + g] =
                2 + normal(3, gene) + place * normal(4, gene) + .5 * normal(5, at) + off;
            for (int32_t p = 0; p < n_perturbation; p++) {
                int32_t i = c * n_perturbation + p;
                uint64_t drug = (uint64_t)(p * w->n_gene + g);

                w->shift[i] = (scs_mixed_shift){c, p, 0};
                w->noise[i] = noise * (1 + i % 4);
                w->y[i * w->n_gene + g] =
                    .5 * normal(6, gene) + normal(7, drug) + .5 * place * normal(8, drug) - off +
                    sqrt(w->noise[i]) * normal(9, (uint64_t)(i * w->n_gene + g));
            }
        }
    }
    for (int32_t c = 0; c < n_context; c++)
        for (int32_t e = 0; e < n_context; e++) {
            const double *a = w->control + c * w->n_gene, *b = w->control + e * w->n_gene;

            w->control_gram[c * n_context + e] = mean_product(a, b, w->n_gene);
            for (int32_t g = 0; g < w->n_gene; g++)
                w->distance[c * n_context + e] += (a[g] - b[g]) * (a[g] - b[g]);
        }
}

static void end(world *w)
{
    free(w->distance);
    free(w->control_gram);
    free(w->perturbation_distance);
    free(w->control);
    free(w->y);
}

static void with_species(world *w)
{
    for (int32_t c = 0; c < w->d.n_context; c++) {
        w->species[c] = c % 2;
        w->type[c] = c / 2;
    }
}

static void with_like_perturbations(world *w)
{
    int32_t n = w->d.n_perturbation;

    w->perturbation_distance = numbers((int64_t)n * n);
    w->d.perturbation_distance = w->perturbation_distance;
    for (int32_t p = 0; p < n; p++)
        for (int32_t q = 0; q < n; q++)
            w->perturbation_distance[p * n + q] = pow(p / 2 - q / 2, 2);
}

static void with_doses(world *w)
{
    w->d.has_dose = true;
    for (int32_t i = 0; i < w->d.n_shift; i++)
        w->shift[i].dose = .5 + i % 3;
}

static scs_mixed_hyper some_hyper(void)
{
    return (scs_mixed_hyper){
        .variance = {.1, .2, .3, .4}, .length = {.7, 1.3, .4, .9}, .beta = .3, .ridge = 1e-9};
}

static double *strengths(const world *w)
{
    double *s = numbers(w->d.n_perturbation);

    for (int32_t p = 0; p < w->d.n_perturbation; p++)
        s[p] = 1 + .2 * (p % 3);
    return s;
}

static scs_mixed *model_of(const world *w, const scs_mixed_hyper *h, const double *strength)
{
    scs_mixed *m = NULL;

    CHECK_OK(scs_mixed_create(&w->d, &m));
    CHECK_OK(scs_mixed_set(m, h, strength, w->convergence));
    return m;
}

static const double *vector_of(const world *w, int32_t context, int32_t shift)
{
    return shift < 0 ? w->control + (int64_t)context * w->n_gene
                     : w->y + (int64_t)shift * w->n_gene;
}

static scs_mixed *fitted(const world *w)
{
    const int32_t *context, *shift;
    int32_t n_context, n_shift, n;
    scs_mixed *m = NULL;
    double *gram;

    CHECK_OK(scs_mixed_create(&w->d, &m));
    scs_mixed_sample(m, &n_context, &context, &n_shift, &shift);
    n = n_context + n_shift;
    gram = numbers((int64_t)n * n);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++)
            gram[(int64_t)i * n + j] =
                mean_product(i < n_context ? vector_of(w, context[i], -1)
                                           : vector_of(w, 0, shift[i - n_context]),
                             j < n_context ? vector_of(w, context[j], -1)
                                           : vector_of(w, 0, shift[j - n_context]),
                             w->n_gene);
    CHECK_OK(scs_mixed_fit(m, gram));
    free(gram);
    return m;
}

/* ---- the definition, written out a second time */

/* B, where no eigenvalue is below 0 */
static double base_of(const world *w, int32_t c, int32_t e)
{
    int32_t n = w->d.n_context;
    double sum = 0;

    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++)
            sum += ((i == c) - 1. / n) * ((j == e) - 1. / n) *
                   (w->control_gram[i * n + j] - (i == j) * w->control_noise[i]);
    return sum;
}

static int by_size(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static double median_distance(const double *d, int32_t n)
{
    double all[MOST], median;
    int k = 0;

    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < i; j++)
            if (d[i * n + j] > 0)
                all[k++] = d[i * n + j];
    qsort(all, (size_t)k, sizeof *all, by_size);
    median = k % 2 ? all[k / 2] : (all[k / 2 - 1] + all[k / 2]) / 2;
    return median;
}

static double effect(const world *w, const scs_mixed_hyper *h, const double *strength,
                     const scs_mixed_shift *a, const scs_mixed_shift *b)
{
    const scs_mixed_design *d = &w->d;
    double distance = d->distance[a->context * d->n_context + b->context] /
                      median_distance(d->distance, d->n_context);
    double k1 = exp(-distance / h->length[0]), k2 = exp(-distance / h->length[1]);
    double size = strength[a->perturbation] * strength[b->perturbation], like = 0;
    double same = a->perturbation == b->perturbation;
    double species = d->species[a->context] == d->species[b->context];
    double type = d->type[a->context] == d->type[b->context];
    const double *v = h->variance;

    if (d->has_dose) { /* the largest is 2.5 */
        double line = h->length[2] / (1 + h->length[2]);

        size *= line * a->dose * b->dose / 6.25 + (1 - line) * fmin(a->dose, b->dose) / 2.5;
    }
    if (d->perturbation_distance)
        like =
            exp(-d->perturbation_distance[a->perturbation * d->n_perturbation + b->perturbation] /
                median_distance(d->perturbation_distance, d->n_perturbation) / h->length[3]);
    return v[ALL] + v[CONTEXT] * k1 + v[SPECIES] * species + v[TYPE] * type +
           size * (same * (v[PERTURBATION] + v[BOTH] * k2 + v[OF_SPECIES] * species +
                           v[OF_TYPE] * type) +
                   like * (v[LIKE] + v[LIKE_BOTH] * k2));
}

static double convergence_of(const world *w, const scs_mixed_hyper *h, const scs_mixed_shift *s)
{
    return w->convergence ? w->convergence[s->perturbation] : h->beta;
}

/* @param a, b numbers of shifts, or - 1 - that of a control mean; target: n_shift */
static double definition(const world *w, const scs_mixed_hyper *h, const double *strength,
                         const scs_mixed_shift *target, int32_t a, int32_t b)
{
    const scs_mixed_shift *s = a < 0 ? NULL : a < w->d.n_shift ? &w->shift[a] : target;
    const scs_mixed_shift *t = b < 0 ? NULL : b < w->d.n_shift ? &w->shift[b] : target;
    int32_t c = s ? s->context : -1 - a, e = t ? t->context : -1 - b;
    double u = s ? -convergence_of(w, h, s) * (w->d.has_dose ? s->dose / 2.5 : 1) : 1;
    double v = t ? -convergence_of(w, h, t) * (w->d.has_dose ? t->dose / 2.5 : 1) : 1;

    return u * v * base_of(w, c, e) + (c == e) * (!s == !t ? 1 : -1) * w->control_noise[c] +
           (s && t ? effect(w, h, strength, s, t) : 0) +
           (a == b && s && s != target ? w->noise[a] : 0) +
           (a == b && a != w->d.n_shift) * h->ridge;
}

/* Solve by elimination with pivots. @param a [n, n] destroyed  @param b [n] becomes the solution */
static void eliminate(double *a, double *b, int32_t n)
{
    for (int32_t k = 0; k < n; k++) {
        int32_t p = k;

        for (int32_t i = k; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[p * n + k]))
                p = i;
        for (int32_t j = 0; j < n; j++) {
            double kept = a[k * n + j];

            a[k * n + j] = a[p * n + j];
            a[p * n + j] = kept;
        }
        {
            double kept = b[k];

            b[k] = b[p];
            b[p] = kept;
        }
        for (int32_t i = 0; i < n; i++) {
            double f = i == k ? 0 : a[i * n + k] / a[k * n + k];

            for (int32_t j = k; j < n && f != 0; j++)
                a[i * n + j] -= f * a[k * n + j];
            b[i] -= f * b[k];
        }
    }
    for (int32_t k = 0; k < n; k++)
        b[k] /= a[k * n + k];
}

/* Universal kriging: [K 1; 1' 0] [w; lambda] = [k; 0], 1 on the control means.
 * @param[out] out weights; controls first  @return variance */
static double kriging(const world *w, const scs_mixed_hyper *h, const double *strength,
                      const scs_mixed_shift *target, double *out)
{
    int32_t n_context = w->d.n_context, n = n_context + w->d.n_shift, m = n + 1;
    double *a = numbers((int64_t)m * m), variance;
    double *k = numbers(m);

#define NUMBER(i) ((i) < n_context ? -1 - (i) : (i)-n_context)
    for (int32_t i = 0; i < n; i++) {
        for (int32_t j = 0; j < n; j++)
            a[i * m + j] = definition(w, h, strength, target, NUMBER(i), NUMBER(j));
        a[i * m + n] = a[n * m + i] = i < n_context;
        out[i] = k[i] = definition(w, h, strength, target, w->d.n_shift, NUMBER(i));
    }
    out[n] = 0;
    variance = definition(w, h, strength, target, w->d.n_shift, w->d.n_shift);
    eliminate(a, out, m);
    for (int32_t i = 0; i < n; i++)
        variance -= out[i] * k[i];
    free(k);
    free(a);
    return variance;
}

typedef struct answer {
    double shift[MOST], control[MOST], variance;
    double shrunk_shift[MOST], shrunk_control[MOST], denoised[MOST];
} answer;

static answer ask(const scs_mixed *m, scs_mixed_shift target, const int32_t *left_out, int32_t n)
{
    answer a = {0};
    scs_mixed_weights weights = {.shift = a.shift,
                                 .control = a.control,
                                 .shrunk_shift = a.shrunk_shift,
                                 .shrunk_control = a.shrunk_control,
                                 .denoised = a.denoised};

    CHECK_OK(scs_mixed_predict(m, &target, left_out, n, &weights));
    a.variance = weights.variance;
    return a;
}

/* What the model expects of weights as a prediction. */
static double expected_of(const scs_mixed *m, const world *w, const scs_mixed_shift *target,
                          const answer *a)
{
    int32_t number[MOST];
    scs_mixed_sum sum = {.n_shift = w->d.n_shift,
                         .n_control = w->d.n_context,
                         .shift = number,
                         .control = number,
                         .shift_weight = a->shift,
                         .control_weight = a->control};
    double variance;

    for (int32_t i = 0; i < MOST; i++)
        number[i] = i;
    CHECK_OK(scs_mixed_expect(m, target, &sum, &variance));
    return variance;
}

/* Of its own weights what it says of them; of others more, by the difference of the two
 * predictions: of their mean a quarter of it. Of a sum whose level is unknown nothing. */
static void check_expected(const scs_mixed *m, const world *w, const scs_mixed_shift *target,
                           const answer *own)
{
    answer plain = {0}, half = {0};
    int32_t n = w->d.n_context;
    double more;

    for (int32_t i = 0; i < w->d.n_shift; i++)
        plain.shift[i] = w->shift[i].perturbation == target->perturbation ? 1. / n : 0;
    for (int32_t c = 0; c < n; c++)
        plain.control[c] = .3 / n - .3 * (c == target->context);
    for (int32_t i = 0; i < MOST; i++) {
        half.shift[i] = (own->shift[i] + plain.shift[i]) / 2;
        half.control[i] = (own->control[i] + plain.control[i]) / 2;
    }
    CU_ASSERT_DOUBLE_EQUAL(expected_of(m, w, target, own), own->variance, 1e-7);
    more = expected_of(m, w, target, &plain) - own->variance;
    CU_ASSERT(more > .01);
    CU_ASSERT_DOUBLE_EQUAL(expected_of(m, w, target, &half), own->variance + more / 4, 1e-7);
    plain.control[0] += .1;
    CU_ASSERT(isnan(expected_of(m, w, target, &plain)));
}

static void check_definition(const world *w, const scs_mixed_hyper *h)
{
    double *strength = strengths(w), expected[MOST];
    scs_mixed *m = model_of(w, h, strength);
    int32_t n_context = w->d.n_context;

    for (int32_t k = 0; k < 6; k++) {
        scs_mixed_shift target = {k % n_context, k % w->d.n_perturbation, 1 + .2 * k};
        answer a = ask(m, target, NULL, 0);
        double variance = kriging(w, h, strength, &target, expected);

        for (int32_t i = 0; i < n_context; i++)
            CU_ASSERT_DOUBLE_EQUAL(a.control[i], expected[i], 1e-8);
        for (int32_t i = 0; i < w->d.n_shift; i++)
            CU_ASSERT_DOUBLE_EQUAL(a.shift[i], expected[n_context + i], 1e-8);
        CU_ASSERT_DOUBLE_EQUAL(a.variance, variance, 1e-8);
        CU_ASSERT(variance > 0);
        check_expected(m, w, &target, &a);
    }
    scs_mixed_destroy(&m);
    free(strength);
}

static void weights_are_those_of_the_definition(void)
{
    scs_mixed_hyper h = some_hyper();
    world w;

    begin(&w, 6, 4, .01, .05);
    w.d.n_shift -= 3; /* a context that lacks some */
    check_definition(&w, &h);
    with_doses(&w);
    check_definition(&w, &h);
    with_species(&w);
    h.variance[SPECIES] = h.variance[OF_SPECIES] = .15;
    h.variance[TYPE] = h.variance[OF_TYPE] = .25;
    check_definition(&w, &h);
    with_like_perturbations(&w);
    h.variance[LIKE] = .35;
    h.variance[LIKE_BOTH] = .45;
    check_definition(&w, &h);
    w.convergence = (double[]){.1, .5, 0, .9};
    check_definition(&w, &h);
    end(&w);
}

/* ---- properties */

static void same_weights(const answer *a, const answer *b, int32_t n_context, int32_t n_shift,
                         double tolerance)
{
    for (int32_t i = 0; i < n_context; i++)
        CU_ASSERT_DOUBLE_EQUAL(a->control[i], b->control[i], tolerance);
    for (int32_t i = 0; i < n_shift; i++)
        CU_ASSERT_DOUBLE_EQUAL(a->shift[i], b->shift[i], tolerance);
    CU_ASSERT_DOUBLE_EQUAL(a->variance, b->variance, tolerance);
}

/* What serves very many shifts says what one inverse of all rows says, of seen targets that are
 * left out, of seen ones that are not, and of those that nobody saw. */
static void check_blocks(const world *w, const scs_mixed_hyper *h)
{
    double *strength = strengths(w);
    scs_mixed *m = model_of(w, h, strength);
    int32_t n_perturbation = w->d.n_perturbation, n = w->d.n_context * n_perturbation;
    scs_mixed_blocks *blocks;

    CHECK_OK(scs_mixed_blocks_create(m, &blocks));
    CU_ASSERT_PTR_NOT_NULL_FATAL(blocks);
    for (int32_t k = 0; k < n; k++)
        for (int32_t left_out = 0; left_out < (k < w->d.n_shift ? 2 : 1); left_out++) {
            scs_mixed_shift target = {k / n_perturbation, k % n_perturbation, 0};
            scs_mixed_weights weights;
            answer one, other = {0};
            bool done;

            if (left_out)
                target = w->shift[k];
            one = ask(m, target, &k, left_out);
            weights = (scs_mixed_weights){.shift = other.shift, .control = other.control};
            CHECK_OK(scs_mixed_blocks_predict(m, blocks, &target, &k, left_out, &weights, &done));
            other.variance = weights.variance;
            CU_ASSERT(done);
            same_weights(&one, &other, w->d.n_context, w->d.n_shift, 1e-11);
            CU_ASSERT(one.variance > 1e-3);
        }
    scs_mixed_blocks_destroy(&blocks);
    scs_mixed_destroy(&m);
    free(strength);
}

static void blocks_say_what_one_inverse_says(void)
{
    scs_mixed_hyper h = some_hyper();
    world w;

    begin(&w, 8, 5, .02, .05);
    check_blocks(&w, &h);
    w.d.n_shift -= 7; /* a context that lacks all, one that lacks some */
    check_blocks(&w, &h);
    for (int32_t i = 0; i < w.d.n_shift; i++)
        w.shift[i].perturbation -=
            w.shift[i].perturbation == 2; /* one that nobody saw, one twice */
    check_blocks(&w, &h);
    with_species(&w);
    h.variance[SPECIES] = h.variance[OF_SPECIES] = .15;
    h.variance[TYPE] = h.variance[OF_TYPE] = .25;
    check_blocks(&w, &h);
    h.variance[ALL] = h.variance[CONTEXT] = h.variance[SPECIES] = h.variance[TYPE] = 0;
    h.beta = 0; /* only the noise of the controls is shared */
    check_blocks(&w, &h);
    end(&w);
}

/* They leave alone what does not have their form, or leaves out other shifts than the target. */
static void blocks_know_what_they_cannot_say(void)
{
    scs_mixed_hyper h = some_hyper();
    double *strength, other[MOST];
    scs_mixed_weights weights = {.shift = other, .control = other};
    const int32_t two[] = {0, 1};
    scs_mixed_blocks *blocks;
    scs_mixed *m;
    bool done;
    world w;

    begin(&w, 4, 3, .02, .05);
    strength = strengths(&w);
    m = model_of(&w, &h, strength);
    CHECK_OK(scs_mixed_blocks_create(m, &blocks));
    CHECK_OK(scs_mixed_blocks_predict(m, blocks, &w.shift[0], two, 2, &weights, &done));
    CU_ASSERT(!done);
    CHECK_OK(scs_mixed_blocks_predict(m, blocks, &w.shift[0], two + 1, 1, &weights, &done));
    CU_ASSERT(!done);
    scs_mixed_blocks_destroy(&blocks);
    scs_mixed_destroy(&m);
    with_doses(&w);
    m = model_of(&w, &h, strength);
    CHECK_OK(scs_mixed_blocks_create(m, &blocks));
    CU_ASSERT_PTR_NULL(blocks);
    scs_mixed_destroy(&m);
    free(strength);
    end(&w);
}

/* Leaving shifts out of one inverse is the same as never having had them. */
static void what_is_left_out_is_not_used(void)
{
    scs_mixed_hyper h = some_hyper();
    double *strength;
    scs_mixed *all, *rest;
    world w;

    begin(&w, 5, 4, .02, .05);
    strength = strengths(&w);
    all = model_of(&w, &h, strength);
    for (int32_t n = 1; n <= 4; n++) { /* one shift, up to the whole last context */
        scs_mixed_shift target = w.shift[w.d.n_shift - 1];
        int32_t out[4];
        answer a, b;

        for (int32_t i = 0; i < n; i++)
            out[i] = w.d.n_shift - 1 - i;
        a = ask(all, target, out, n);
        w.d.n_shift -= n;
        rest = model_of(&w, &h, strength);
        b = ask(rest, target, NULL, 0);
        same_weights(&a, &b, w.d.n_context, w.d.n_shift, 1e-9);
        for (int32_t i = 0; i < n; i++)
            CU_ASSERT_EQUAL(a.shift[out[i]], 0);
        w.d.n_shift += n;
        scs_mixed_destroy(&rest);
    }
    scs_mixed_destroy(&all);
    free(strength);
    end(&w);
}

/* The same bits, whatever the order of the shifts. */
static void order_does_not_matter(void)
{
    world w, v;
    scs_mixed *a, *b;
    int32_t n, to[MOST];

    begin(&w, 5, 4, .02, .05);
    begin(&v, 5, 4, .02, .05);
    n = w.d.n_shift;
    for (int32_t i = 0; i < n; i++) {
        to[i] = (7 * i + 3) % n; /* 7 and 20 share no factor */
        v.shift[to[i]] = w.shift[i];
        v.noise[to[i]] = w.noise[i];
        memcpy(v.y + to[i] * v.n_gene, w.y + i * w.n_gene, sizeof *w.y * (size_t)w.n_gene);
    }
    a = fitted(&w);
    b = fitted(&v);
    CU_ASSERT_EQUAL(memcmp(scs_mixed_hyper_of(a, NULL, NULL), scs_mixed_hyper_of(b, NULL, NULL),
                           sizeof(scs_mixed_hyper)),
                    0);
    for (int32_t k = 0; k < n; k += 3) {
        answer one = ask(a, w.shift[k], &k, 1), two = ask(b, w.shift[k], &to[k], 1);

        CU_ASSERT_EQUAL(one.variance, two.variance);
        for (int32_t i = 0; i < n; i++)
            CU_ASSERT_EQUAL(one.shift[i], two.shift[to[i]]);
        CU_ASSERT_EQUAL(memcmp(one.control, two.control, sizeof one.control), 0);
    }
    scs_mixed_destroy(&a);
    scs_mixed_destroy(&b);
    end(&w);
    end(&v);
}

/* The control means' level tells nothing: their weights sum to 0. */
static void control_weights_sum_to_nothing(void)
{
    scs_mixed *m;
    world w;

    begin(&w, 6, 3, .05, .05);
    m = fitted(&w);
    for (int32_t k = 0; k < w.d.n_shift; k++) {
        answer a = ask(m, w.shift[k], &k, 1);
        double sum = 0, largest = 0;

        for (int32_t c = 0; c < w.d.n_context; c++) {
            sum += a.control[c];
            largest = fmax(largest, fabs(a.control[c]));
        }
        CU_ASSERT_DOUBLE_EQUAL(sum, 0, 1e-10);
        CU_ASSERT(largest > 1e-3);
    }
    scs_mixed_destroy(&m);
    end(&w);
}

/* Shifts that are nothing but noise weigh nothing, one without any is believed. */
static void noise_decides(void)
{
    scs_mixed_hyper h = some_hyper();
    double *strength;
    scs_mixed *m;
    answer a;
    world w;

    begin(&w, 4, 3, 0, .05);
    strength = strengths(&w);
    for (int32_t i = 0; i < w.d.n_shift; i++)
        w.noise[i] = 1e12;
    m = model_of(&w, &h, strength);
    a = ask(m, w.shift[5], NULL, 0);
    for (int32_t i = 0; i < w.d.n_shift; i++)
        CU_ASSERT_DOUBLE_EQUAL(a.shift[i], 0, 1e-10);
    scs_mixed_destroy(&m);
    w.noise[5] = 0;
    m = model_of(&w, &h, strength);
    a = ask(m, w.shift[5], NULL, 0);
    for (int32_t i = 0; i < w.d.n_shift; i++)
        CU_ASSERT_DOUBLE_EQUAL(a.shift[i], i == 5, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(a.variance, 0, 1e-6);
    scs_mixed_destroy(&m);
    free(strength);
    end(&w);
}

/* Where what is seen is the noise of the controls, the other perturbations of the type tell it, and
 * those of other types tell nothing. */
static void own_perturbations_tell_the_noise_of_the_controls(void)
{
    scs_mixed_hyper h = {
        .variance = {1e-6, 1e-6, 1e-6, 1e-6}, .length = {1, 1, 1, 1}, .beta = 1e-6};
    double *strength, own = 0, other = 0;
    scs_mixed *m;
    int32_t out = 7; /* context 0 */
    answer a;
    world w;

    begin(&w, 3, 20, .2, .05);
    for (int32_t i = 0; i < w.d.n_shift; i++)
        w.noise[i] = .05;
    strength = strengths(&w);
    m = model_of(&w, &h, strength);
    a = ask(m, w.shift[out], &out, 1);
    for (int32_t i = 0; i < w.d.n_shift; i++)
        *(w.shift[i].context == 0 ? &own : &other) += a.shift[i];
    CU_ASSERT(own > .9 && own < 1);
    CU_ASSERT_DOUBLE_EQUAL(a.shift[0], a.shift[19], 1e-3); /* alike, being as noisy */
    CU_ASSERT(fabs(other) < .05 * own);
    scs_mixed_destroy(&m);
    free(strength);
    end(&w);
}

/* Convergence: what sets a type apart is taken off, as far as it is not noise. */
static void convergence_takes_off_what_sets_a_type_apart(void)
{
    scs_mixed_hyper h = {.variance = {1e-9}, .length = {1, 1, 1, 1}, .beta = .4, .ridge = 1e-9};
    double *strength, one[] = {1, 1};
    scs_mixed *m;
    answer a;
    world w;

    begin(&w, 4, 2, 0, 1e6);
    strength = one;
    m = model_of(&w, &h, strength);
    a = ask(m, w.shift[2], NULL, 0); /* of context 1 */
    for (int32_t c = 0; c < 4; c++)
        CU_ASSERT_DOUBLE_EQUAL(a.control[c], -.4 * ((c == 1) - .25), 1e-4);
    scs_mixed_destroy(&m);
    end(&w);
}

/* Of three perturbations one brings the contexts together by half; the fit finds which. */
static void each_perturbation_converges_by_its_own(void)
{
    const scs_mixed_hyper *found;
    const double *convergence;
    scs_mixed *m;
    world w;

    begin(&w, 8, 3, .001, .001);
    for (int32_t g = 0; g < w.n_gene; g++) {
        double mean = 0;

        for (int32_t c = 0; c < 8; c++)
            mean += w.control[c * w.n_gene + g] / 8;
        for (int32_t c = 0; c < 8; c++)
            w.y[(c * 3 + 1) * w.n_gene + g] -= .5 * (w.control[c * w.n_gene + g] - mean);
    }
    m = fitted(&w);
    found = scs_mixed_hyper_of(m, NULL, &convergence);
    CU_ASSERT(convergence[1] > .35 && convergence[1] < .65);
    CU_ASSERT(convergence[0] < .15 && convergence[2] < .15);
    CU_ASSERT(found->beta > convergence[0] && found->beta < convergence[1]);
    scs_mixed_destroy(&m);
    end(&w);
}

/* With what is shrunk away the weights are those of a perturbation of which nothing is known
 * beforehand, and as many as one whole effect: also without the shifts that are left out. */
static void shrunk_is_what_prior_knowledge_takes(void)
{
    scs_mixed_hyper h = some_hyper(), open = h;
    double one[] = {1};
    scs_mixed *m, *unshrunk;
    world w;

    begin(&w, 5, 1, .02, .4);
    open.variance[PERTURBATION] = 1e7;
    m = model_of(&w, &h, one);
    unshrunk = model_of(&w, &open, one);
    for (int32_t k = 0; k < w.d.n_shift; k++) {
        answer a = ask(m, w.shift[k], &k, 1), b = ask(unshrunk, w.shift[k], &k, 1);
        double short_of = 0, sum = 0;

        for (int32_t i = 0; i < w.d.n_shift; i++) {
            CU_ASSERT_DOUBLE_EQUAL(a.shift[i] + a.shrunk_shift[i], b.shift[i], 1e-5);
            short_of += a.shrunk_shift[i];
            sum += a.shift[i] + a.shrunk_shift[i];
        }
        for (int32_t c = 0; c < w.d.n_context; c++)
            CU_ASSERT_DOUBLE_EQUAL(a.control[c] + a.shrunk_control[c], b.control[c], 1e-5);
        CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-9);
        CU_ASSERT(short_of > .05);
    }
    scs_mixed_destroy(&unshrunk);
    scs_mixed_destroy(&m);
    end(&w);
}

/* Of control means all that is not convergence is for their noise: nothing where they have none,
 * everything where nothing converges. */
static void denoised_is_what_noise_of_controls_takes(void)
{
    scs_mixed_hyper h = some_hyper();
    double *strength;
    scs_mixed *m;
    world w;

    for (int noisy = 0; noisy < 2; noisy++) {
        begin(&w, 5, 3, noisy ? .1 : 0, .2);
        strength = strengths(&w);
        h.beta = noisy ? 0 : .3;
        m = model_of(&w, &h, strength);
        for (int32_t k = 0; k < w.d.n_shift; k++) {
            answer a = ask(m, w.shift[k], &k, 1);

            for (int32_t c = 0; c < w.d.n_context; c++)
                CU_ASSERT_DOUBLE_EQUAL(a.denoised[c], noisy ? a.control[c] : 0, 1e-6);
            CU_ASSERT(fabs(a.control[w.shift[k].context]) > .01);
        }
        scs_mixed_destroy(&m);
        free(strength);
        end(&w);
    }
}

static void dose_nothing_does_nothing(void)
{
    scs_mixed_hyper h = some_hyper();
    double *strength, one[] = {1, 1};
    scs_mixed *m;
    answer a;
    world w;

    begin(&w, 4, 2, 0, .05);
    with_doses(&w);
    h.variance[ALL] = h.variance[CONTEXT] = 0; /* what all shifts share is not the dose's */
    strength = one;
    m = model_of(&w, &h, strength);
    a = ask(m, (scs_mixed_shift){1, 1, 0}, NULL, 0);
    for (int32_t i = 0; i < w.d.n_shift; i++)
        CU_ASSERT_DOUBLE_EQUAL(a.shift[i], 0, 1e-12);
    for (int32_t c = 0; c < w.d.n_context; c++)
        CU_ASSERT_DOUBLE_EQUAL(a.control[c], 0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(a.variance, 0, 1e-12);
    scs_mixed_destroy(&m);
    end(&w);
}

/* A path that was seen without noise at two doses goes straight from one to the other, and a line
 * through all doses is found from one of them. */
static void doses_between_are_on_the_way(void)
{
    scs_mixed_hyper h = some_hyper();
    double *strength, one[] = {1, 1};
    const int32_t second[] = {1};
    scs_mixed *m;
    answer a;
    world w;

    begin(&w, 2, 2, 0, 1e-9);
    with_doses(&w);
    w.shift[0].dose = 1;
    w.shift[1].dose = 3;
    w.shift[1].perturbation = 0; /* as 0: context 0 is seen at two doses of one */
    w.shift[2].dose = w.shift[3].dose = 4;
    w.shift[2].perturbation = w.shift[3].perturbation = 1;
    memset(h.variance, 0, sizeof h.variance);
    h.variance[PERTURBATION] = 1;
    h.beta = 0;
    h.ridge = 1e-9;
    strength = one;
    h.length[2] = 1e-9;
    m = model_of(&w, &h, strength);
    a = ask(m, (scs_mixed_shift){0, 0, 2.5}, NULL, 0);
    CU_ASSERT_DOUBLE_EQUAL(a.shift[0], .25, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(a.shift[1], .75, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(a.variance, 1.5 * .5 / 2 / 4, 1e-6); /* a Brownian bridge */
    scs_mixed_destroy(&m);
    h.length[2] = 1e9;
    m = model_of(&w, &h, strength);
    a = ask(m, (scs_mixed_shift){0, 0, 2.5}, second, 1);
    CU_ASSERT_DOUBLE_EQUAL(a.shift[0], 2.5, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(a.variance, 0, 1e-5);
    scs_mixed_destroy(&m);
    end(&w);
}

/* One that nobody saw is told by those that are like it. */
static void like_perturbations_speak_for_unseen_ones(void)
{
    scs_mixed_hyper h = some_hyper();
    double *strength, one[6] = {1, 1, 1, 1, 1, 1}, like = 0, unlike = 0;
    int32_t out[] = {5, 11, 17};
    scs_mixed *m;
    answer a, alone;
    world w;

    begin(&w, 3, 6, .01, .05);
    with_like_perturbations(&w); /* 4 is like 5 */
    strength = one;
    h.variance[ALL] = h.variance[CONTEXT] = 0;
    m = model_of(&w, &h, strength);
    alone = ask(m, (scs_mixed_shift){0, 5, 0}, out, 3);
    scs_mixed_destroy(&m);
    h.variance[LIKE] = 2;
    m = model_of(&w, &h, strength);
    a = ask(m, (scs_mixed_shift){0, 5, 0}, out, 3);
    for (int32_t i = 0; i < w.d.n_shift; i++)
        *(w.shift[i].perturbation == 4 ? &like : &unlike) += a.shift[i];
    CU_ASSERT(like > .5);
    CU_ASSERT(fabs(unlike) < .2 * like);
    CU_ASSERT(a.variance < .5 * (2 + .7));    /* of the prior's */
    for (int32_t i = 0; i < w.d.n_shift; i++) /* without the table only the controls' noise tells */
        CU_ASSERT(fabs(alone.shift[i]) < .1);
    scs_mixed_destroy(&m);
    end(&w);
}

static double error_of(const world *w, const scs_mixed *m, double *variance)
{
    double missed = 0;

    *variance = 0;
    for (int32_t k = 0; k < w->d.n_shift; k++) {
        answer a = ask(m, w->shift[k], &k, 1);

        *variance += (a.variance + w->noise[k]) / w->d.n_shift;
        for (int32_t g = 0; g < w->n_gene; g++) {
            double off = -w->y[k * w->n_gene + g];

            for (int32_t i = 0; i < w->d.n_shift; i++)
                off += a.shift[i] * w->y[i * w->n_gene + g];
            for (int32_t c = 0; c < w->d.n_context; c++)
                off += a.control[c] * w->control[c * w->n_gene + g];
            missed += off * off / w->n_gene / w->d.n_shift;
        }
    }
    return missed;
}

/* Held-out shifts are missed by as much as the model says, and by less than by any guess at its
 * variances that is a factor of 5 off. */
static void fit_predicts_what_was_left_out(void)
{
    const scs_mixed_hyper *found;
    const double *strength;
    double error, variance, ignored;
    scs_mixed *m, *other;
    world w;

    begin(&w, 10, 5, .05, .1);
    m = fitted(&w);
    found = scs_mixed_hyper_of(m, &strength, NULL);
    error = error_of(&w, m, &variance);
    CU_ASSERT(error < 1.15 * variance && variance < 1.15 * error);
    for (int t = 0; t < 4; t++)
        for (int up = 0; up < 2; up++) {
            scs_mixed_hyper off = *found;

            off.variance[t] *= up ? 25 : .04;
            other = model_of(&w, &off, strength);
            CU_ASSERT(error < 1.01 * error_of(&w, other, &ignored));
            scs_mixed_destroy(&other);
        }
    scs_mixed_destroy(&m);
    end(&w);
}

static bool all_finite(const world *w, const answer *a)
{
    bool finite = isfinite(a->variance) && a->variance >= 0;

    for (int32_t i = 0; i < w->d.n_shift; i++)
        finite = finite && isfinite(a->shift[i]) && fabs(a->shift[i]) < 1e3;
    for (int32_t c = 0; c < w->d.n_context; c++)
        finite = finite && isfinite(a->control[c]) && fabs(a->control[c]) < 1e3;
    return finite;
}

static void check_finite(const world *w)
{
    scs_mixed *m = fitted(w);

    for (int32_t k = 0; k < w->d.n_shift; k++) {
        answer a = ask(m, w->shift[k], &k, 1), b = ask(m, w->shift[k], NULL, 0);

        CU_ASSERT(all_finite(w, &a));
        CU_ASSERT(all_finite(w, &b));
    }
    scs_mixed_destroy(&m);
}

/* One group, one type, one perturbation, no noise, all alike, nothing at all. */
static void degenerate_designs_have_an_answer(void)
{
    static const int32_t sizes[][2] = {{1, 1}, {2, 1}, {1, 5}, {6, 1}, {4, 4}};
    world w;

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int how = 0; how < 4; how++) {
            begin(&w, sizes[s][0], sizes[s][1], how == 1 ? 0 : .05, how == 1 ? 0 : .05);
            for (int32_t i = 0; i < w.d.n_shift * w.n_gene; i++)
                w.y[i] = how == 2 ? w.y[i % w.n_gene] : how == 3 ? 0 : w.y[i];
            check_finite(&w);
            if (how == 3) {
                memset(w.control_noise, 0, sizeof w.control_noise);
                memset(w.noise, 0, sizeof w.noise);
                check_finite(&w);
                memset(w.distance, 0, sizeof *w.distance * (size_t)(sizes[s][0] * sizes[s][0]));
                check_finite(&w);
            }
            end(&w);
        }
}

static void nonsense_is_refused(void)
{
    scs_mixed *m = NULL;
    world w;

    begin(&w, 3, 2, .01, .05);
    w.noise[1] = NAN;
    CHECK_FAILS(scs_mixed_create(&w.d, &m), SCS_EINTERNAL, "noise");
    w.noise[1] = .05;
    w.distance[1] = -1;
    CHECK_FAILS(scs_mixed_create(&w.d, &m), SCS_EINTERNAL, "distance");
    w.distance[1] = w.distance[3];
    w.shift[2].context = 3;
    CHECK_FAILS(scs_mixed_create(&w.d, &m), SCS_EINTERNAL, "context 3");
    w.shift[2].context = 1;
    w.d.n_shift = 0;
    CHECK_FAILS(scs_mixed_create(&w.d, &m), SCS_EINTERNAL, "0 shifts");
    w.d.n_shift = 6;
    w.control[1] = NAN;
    w.d.place = w.d.product = w.control;
    w.d.n_place = w.d.n_product = w.n_gene;
    CHECK_FAILS(scs_mixed_create(&w.d, &m), SCS_EINTERNAL, "coordinate");
    CU_ASSERT_PTR_NULL(m);
    end(&w);
}

/* More rows than one inverse takes: perturbations that share nothing with each other are as many
 * models of their own, and what is nearest holds all of one. */
static void check_many(bool has_dose)
{
    enum { C = 30, P = 80 };
    scs_mixed_hyper h = {
        .variance = {0, 0, .3, .4}, .length = {1, 1, 1, 1}, .beta = .2, .ridge = 1e-8};
    static int32_t labels[C];
    double *place = numbers(C * C), *gram = numbers(C * C), *noise = numbers(C * P + C);
    double *strength = numbers(P);
    scs_mixed_shift *shift;
    scs_mixed *many = NULL, *one = NULL;
    double *weights = numbers(C * P + C), *few = numbers(2 * C);

    CHECK_OK(SCS_ALLOC(shift, C * P));
    for (int32_t c = 0; c < C; c++)
        for (int32_t e = 0; e < C; e++) {
            place[c * C + e] = (c - e) * (c - e);
            gram[c * C + e] = exp(-.01 * (c - e) * (c - e));
        }
    for (int32_t i = 0; i < C * P; i++) {
        shift[i] = (scs_mixed_shift){i % C, i / C, 1};
        noise[i] = .1 + .01 * (i % 7);
    }
    for (int32_t p = 0; p < P; p++)
        strength[p] = 1;
    {
        scs_mixed_design d = {.n_context = C,
                              .n_perturbation = P,
                              .n_shift = C * P,
                              .species = labels,
                              .type = labels,
                              .distance = place,
                              .control_gram = gram,
                              .control_noise = noise + C * P,
                              .shift = shift,
                              .noise = noise,
                              .has_dose = has_dose};
        scs_mixed_weights all = {.shift = weights, .control = weights + C * P},
                          its = {.shift = few, .control = few + C};
        scs_mixed_shift target = {4, 3, 1};
        int32_t out = 3 * C + 4, left = 4;

        CHECK_OK(scs_mixed_create(&d, &many));
        CHECK_OK(scs_mixed_set(many, &h, strength, NULL));
        CHECK_OK(scs_mixed_predict(many, &target, &out, 1, &all));
        d.shift = shift + 3 * C;
        d.noise = noise + 3 * C;
        d.n_shift = C;
        CHECK_OK(scs_mixed_create(&d, &one));
        CHECK_OK(scs_mixed_set(one, &h, strength, NULL));
        CHECK_OK(scs_mixed_predict(one, &target, &left, 1, &its));
        /* others share the convergence with it, which its own controls tell in full */
        for (int32_t i = 0; i < C; i++) {
            CU_ASSERT_DOUBLE_EQUAL(weights[3 * C + i], few[i], 1e-7);
            CU_ASSERT_DOUBLE_EQUAL(weights[C * P + i], few[C + i], 1e-7);
        }
        CU_ASSERT_DOUBLE_EQUAL(all.variance, its.variance, 1e-7);
        CU_ASSERT_EQUAL(weights[out], 0);
    }
    scs_mixed_destroy(&many);
    scs_mixed_destroy(&one);
    free(shift);
    free(strength);
    free(few);
    free(weights);
    free(noise);
    free(gram);
    free(place);
}

/* Doses that are all one change no covariance, but need the nearest; without, blocks hold all. */
static void of_many_groups_the_nearest_speak(void)
{
    check_many(false);
    check_many(true);
}

/* Coordinates that have all of the control means say what distances and products say, where the
 * noise is one number; and a place more says nothing. */
static void coordinates_stand_for_distances(void)
{
    enum { C = 7, P = 3 };
    world w;
    scs_mixed *by_pairs = NULL, *by_place = NULL;
    scs_mixed_hyper h = {
        .variance = {.2, .1, .3, .4}, .length = {1, .5, 1, 1}, .beta = .2, .ridge = 1e-8};
    const double strength[P] = {1, .8, 1.3};
    double weights[2][C * P + C], *place, *product;
    scs_mixed_weights a = {.shift = weights[0], .control = weights[0] + C * P};
    scs_mixed_weights b = {.shift = weights[1], .control = weights[1] + C * P};

    begin(&w, C, P, .05, .05);
    place = numbers((int64_t)C * (w.n_gene + 1));
    product = numbers((int64_t)C * w.n_gene);
    for (int c = 0; c < C; c++) {
        w.control_noise[c] = .05;
        for (int g = 0; g < w.n_gene; g++) {
            place[c * (w.n_gene + 1) + g] = w.control[c * w.n_gene + g];
            product[c * w.n_gene + g] = w.control[c * w.n_gene + g] / sqrt(w.n_gene);
        }
    }
    CHECK_OK(scs_mixed_create(&w.d, &by_pairs));
    CHECK_OK(scs_mixed_set(by_pairs, &h, strength, NULL));
    w.d.place = place;
    w.d.product = product;
    w.d.n_place = w.n_gene + 1;
    w.d.n_product = w.n_gene;
    w.d.distance = w.d.control_gram = NULL;
    CHECK_OK(scs_mixed_create(&w.d, &by_place));
    CHECK_OK(scs_mixed_set(by_place, &h, strength, NULL));
    for (int32_t i = 0; i < w.d.n_shift; i++) {
        CHECK_OK(scs_mixed_predict(by_pairs, &w.shift[i], &i, 1, &a));
        CHECK_OK(scs_mixed_predict(by_place, &w.shift[i], &i, 1, &b));
        for (int k = 0; k < C * P + C; k++)
            CU_ASSERT_DOUBLE_EQUAL(weights[0][k], weights[1][k], 1e-7);
        CU_ASSERT_DOUBLE_EQUAL(a.variance, b.variance, 1e-7);
    }
    scs_mixed_destroy(&by_pairs);
    scs_mixed_destroy(&by_place);
    free(product);
    free(place);
    end(&w);
}

int main(void)
{
    static const scs_test tests[] = {
        {"weights are those of the definition", weights_are_those_of_the_definition},
        {"blocks say what one inverse says", blocks_say_what_one_inverse_says},
        {"blocks know what they cannot say", blocks_know_what_they_cannot_say},
        {"what is left out is not used", what_is_left_out_is_not_used},
        {"order does not matter", order_does_not_matter},
        {"control weights sum to nothing", control_weights_sum_to_nothing},
        {"noise decides", noise_decides},
        {"own perturbations tell the noise of the controls",
         own_perturbations_tell_the_noise_of_the_controls},
        {"convergence takes off what sets a type apart",
         convergence_takes_off_what_sets_a_type_apart},
        {"each perturbation converges by its own", each_perturbation_converges_by_its_own},
        {"shrunk is what prior knowledge takes", shrunk_is_what_prior_knowledge_takes},
        {"denoised is what noise of controls takes", denoised_is_what_noise_of_controls_takes},
        {"dose nothing does nothing", dose_nothing_does_nothing},
        {"doses between are on the way", doses_between_are_on_the_way},
        {"like perturbations speak for unseen ones", like_perturbations_speak_for_unseen_ones},
        {"fit predicts what was left out", fit_predicts_what_was_left_out},
        {"degenerate designs have an answer", degenerate_designs_have_an_answer},
        {"nonsense is refused", nonsense_is_refused},
        {"of many groups the nearest speak", of_many_groups_the_nearest_speak},
        {"coordinates stand for distances", coordinates_stand_for_distances},
    };

    return run_suite("mixed", tests, sizeof tests / sizeof *tests);
}
