/* The mixed model of very many shifts, all of them at once: one factorisation in place of a matrix
 * of all rows. All functions are Local.
 *
 * Without doses and without like perturbations the shifts of two perturbations have in common only
 * what goes with their contexts. With Z the context of each shift, w(c) what all shifts of a
 * context share (the terms of any perturbation, -beta u(c), -e(c)) and r what is left,
 *
 *     y = Z w + r       cov w = M [contexts]      cov r = R, a block for each perturbation: its
 *                                                 strength^2 D, and noise on the diagonal
 *     m = mu + u + e    cov m = K                 cov(w, m) = Q
 *
 * so that, once for all targets (Woodbury; a, t and what follows have a number for each context),
 *
 *     H = Q K^-1,  M' = M - H Q           w, once the control means are known
 *     G = Z'R^-1 Z                        what the shifts tell about it
 *     T = F (1 + F'G F)^-1 F',  FF' = M'  its covariance, once the shifts are known as well
 *     l = (1 - T G) H 1,  v = K^-1 1,  i = v'1 + (H 1)'G l           what mu costs
 *
 * The weights of a target (c, p) are q of the shifts of p and R^-1 Z t of all, H'(a - G t) - s v of
 * the control means, with
 *
 *     q = R_p^-1 strength^2 D(., c)      a = e_c - Z_p'q      s = l'a / i      t = T a + s l
 *     squared error = a'T a + strength^2 D(c, c) - q'(strength^2 D(., c)) + s l'a
 *
 * A shift that is left out of its own prediction is had from its column of the inverse P: the same
 * with q = R_p^-1 e, a = -Z_p'q gives P e, the weights are -P e / P_ee and the error 1 / P_ee less
 * its noise.
 *
 * Cost: contexts^3 and the sum over perturbations of their shifts^3, once; a target contexts^2 and
 * the sum of shifts^2. Memory: 4 contexts^2 doubles and the sum of shifts^2.
 */
#include "src/kernels/lapack.h"
#include "src/screen/mixed_internal.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What it may take: contexts, and doubles of all perturbations' blocks (128 MiB). */
enum { MOST_CONTEXTS = 1024, MOST_DOUBLES = 1 << 24 };

struct scs_mixed_blocks {
    int32_t n_context, n_perturbation, most; /* most: shifts of one perturbation */
    int64_t n_double;
    int32_t *first;                /* [n_perturbation + 1] into row */
    scs_mixed_row *row;            /* [n_shift] by perturbation, then as the model has them */
    int64_t *at;                   /* [n_perturbation] into inverse */
    double *inverse;               /* R_p^-1, [shifts of p, shifts of p] each */
    int32_t *context, *number;     /* [n_shift] of row */
    double *any, *own;             /* [n_context, n_context] M, D */
    double *carried, *told, *left; /* [n_context, n_context] H, G, T */
    double *level, *control_level; /* [n_context] l, v */
    double information;            /* i */
    double ridge;
};

/* Sum over perturbations of the square of their shifts. */
static int64_t count_doubles(const scs_mixed *m, int32_t *count)
{
    int64_t sum = 0;

    for (int32_t i = 0; i < m->d.n_shift; i++)
        count[m->shift[i].perturbation]++;
    for (int32_t p = 0; p < m->d.n_perturbation; p++)
        sum += (int64_t)count[p] * count[p];
    return sum;
}

/* By perturbation; within one the order stays. @param count [n_perturbation] its shifts */
static void order_rows(const scs_mixed *m, scs_mixed_blocks *b, int32_t *count)
{
    for (int32_t p = 0; p < m->d.n_perturbation; p++) {
        b->first[p + 1] = b->first[p] + count[p];
        b->at[p] = b->n_double;
        b->n_double += (int64_t)count[p] * count[p];
        b->most = count[p] > b->most ? count[p] : b->most;
        count[p] = 0;
    }
    for (int32_t i = 0; i < m->d.n_shift; i++) {
        int32_t p = m->shift[i].perturbation;

        b->context[b->first[p] + count[p]] = m->shift[i].context;
        b->number[b->first[p] + count[p]] = m->shift[i].number;
        b->row[b->first[p] + count[p]++] = m->shift[i];
    }
}

/* M and D; of each pair of contexts, as if under two perturbations of strength 1 and under one. */
static void fill_terms(const scs_mixed *m, scs_mixed_blocks *b)
{
    int64_t n = b->n_context;

    for (int32_t c = 0; c < n; c++)
        for (int32_t e = 0; e <= c; e++) {
            scs_mixed_row x = {.context = c}, y = {.context = e};
            scs_mixed_relation r;
            double any = m->h.beta * m->h.beta * scs_mixed_base(m, c, e), own = 0;

            scs_mixed_relate(m, &x, &y, &r);
            for (int t = 0; t < SCS_MIXED_TERMS; t++)
                if (m->has[t])
                    *(scs_mixed_terms[t].perturbation == SCS_ANY_PERTURBATION ? &any : &own) +=
                        m->h.variance[t] * r.context[scs_mixed_terms[t].context];
            any += c == e ? m->d.control_noise[c] : 0;
            b->any[c * n + e] = b->any[e * n + c] = any;
            b->own[c * n + e] = b->own[e * n + c] = own;
        }
}

/* R_p^-1 of each perturbation, and G from them. @return false: one cannot be factorised */
static bool invert_blocks(const scs_mixed *m, scs_mixed_blocks *b)
{
    int64_t n = b->n_context;

    memset(b->told, 0, sizeof *b->told * (size_t)(n * n));
    for (int32_t p = 0; p < b->n_perturbation; p++) {
        const scs_mixed_row *row = b->row + b->first[p];
        int32_t k = b->first[p + 1] - b->first[p];
        double *r = b->inverse + b->at[p], size = m->strength[p] * m->strength[p], unused;

        for (int64_t i = 0; i < k; i++) {
            for (int64_t j = 0; j < k; j++)
                r[i * k + j] = size * b->own[row[i].context * n + row[j].context];
            r[i * k + i] += row[i].noise + b->ridge;
        }
        if (k == 0) /* the control among the conditions, one that nobody saw */
            continue;
        scs_mixed_cholesky_inverse(r, k, &unused);
        if (!isfinite(unused))
            return false;
        for (int64_t i = 0; i < k; i++)
            for (int64_t j = 0; j < k; j++)
                b->told[row[i].context * n + row[j].context] += r[i * k + j];
    }
    return true;
}

/* H and v by one factorisation of K. @param k [n, n] scratch  @param x [n + 1, n] scratch
 * @return false: it cannot be factorised */
static bool carry_controls(const scs_mixed *m, scs_mixed_blocks *b, double *k, double *x)
{
    int n = b->n_context, n_right = n + 1, info = 0;
    int64_t size = n;

    for (int64_t c = 0; c < n; c++) {
        for (int64_t e = 0; e < n; e++) {
            k[c * n + e] = scs_mixed_base(m, c, e);
            x[c * n + e] = -m->h.beta * k[c * n + e];
        }
        k[c * n + c] += m->d.control_noise[c] + b->ridge;
        x[c * n + c] -= m->d.control_noise[c];
        x[size * n + c] = 1;
    }
    dposv_("L", &n, &n_right, k, &n, x, &n, &info);
    memcpy(b->carried, x, sizeof *x * (size_t)(size * n));
    memcpy(b->control_level, x + size * n, sizeof *x * (size_t)n);
    return info == 0;
}

/* M' = M - H Q, its half made of its eigenvectors, and T. @param f, g, s [n, n] scratch
 * @param values [n] scratch  @param[out] is_definite */
static scs_status find_left(const scs_mixed *m, scs_mixed_blocks *b, double *f, double *g,
                            double *s, double *values, bool *is_definite)
{
    int n = b->n_context, kept;
    int64_t size = (int64_t)n * n, first = 0;
    double unused;

    for (int64_t c = 0; c < n; c++) {
        for (int64_t e = 0; e < n; e++)
            g[c * n + e] = -m->h.beta * scs_mixed_base(m, c, e);
        g[c * n + c] -= m->d.control_noise[c];
    }
    memcpy(f, b->any, sizeof *f * (size_t)size);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, -1, b->carried, n, g, n, 1, f,
                n);
    for (int64_t c = 0; c < n; c++)
        for (int64_t e = 0; e < c; e++)
            f[c * n + e] = f[e * n + c] = (f[c * n + e] + f[e * n + c]) / 2;
    SCS_TRY(scs_mixed_eigen(f, n, values));
    while (first < n && values[first] <= 0)
        first++;
    kept = n - (int)first;
    for (int64_t k = first; k < n; k++)
        for (int64_t i = 0; i < n; i++)
            f[k * n + i] *= sqrt(values[k]);
    f += first * n;
    *is_definite = true;
    memset(b->left, 0, sizeof *b->left * (size_t)size);
    if (kept == 0)
        return SCS_OK;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kept, n, n, 1, f, n, b->told, n, 0, g,
                n);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, kept, kept, n, 1, g, n, f, n, 0, s, kept);
    for (int64_t i = 0; i < kept; i++)
        s[i * kept + i] += 1;
    scs_mixed_cholesky_inverse(s, kept, &unused);
    *is_definite = isfinite(unused);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kept, n, kept, 1, s, kept, f, n, 0, g,
                n);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, kept, 1, f, n, g, n, 0, b->left, n);
    return SCS_OK;
}

/* l and i. @param h, g [n] scratch */
static void find_level(scs_mixed_blocks *b, double *h, double *g)
{
    int32_t n = b->n_context;

    for (int32_t c = 0; c < n; c++) {
        h[c] = 0;
        for (int32_t e = 0; e < n; e++)
            h[c] += b->carried[(int64_t)c * n + e];
    }
    memcpy(b->level, h, sizeof *h * (size_t)n);
    cblas_dsymv(CblasRowMajor, CblasUpper, n, 1, b->told, n, h, 1, 0, g, 1);
    cblas_dsymv(CblasRowMajor, CblasUpper, n, -1, b->left, n, g, 1, 1, b->level, 1);
    cblas_dsymv(CblasRowMajor, CblasUpper, n, 1, b->told, n, b->level, 1, 0, g, 1);
    b->information = 0;
    for (int32_t c = 0; c < n; c++)
        b->information += b->control_level[c] + h[c] * g[c];
}

/* With this ridge. @param work [3 n (n + 1)]  @param[out] is_definite false: it takes a larger one
 */
static scs_status factorise(const scs_mixed *m, scs_mixed_blocks *b, double *work,
                            bool *is_definite)
{
    int64_t size = (int64_t)b->n_context * (b->n_context + 1);
    double *f = work, *g = work + size, *s = work + 2 * size;

    *is_definite = invert_blocks(m, b) && carry_controls(m, b, f, g);
    if (!*is_definite)
        return SCS_OK;
    SCS_TRY(find_left(m, b, f, g, s, g + size - b->n_context, is_definite));
    if (*is_definite)
        find_level(b, f, g);
    *is_definite = *is_definite && b->information > 0;
    return SCS_OK;
}

static scs_status allocate(const scs_mixed *m, int64_t n_double, scs_mixed_blocks *b)
{
    int64_t n = b->n_context, p = b->n_perturbation;

    SCS_TRY(SCS_ALLOC(b->first, p + 1));
    SCS_TRY(SCS_ALLOC(b->at, p));
    SCS_TRY(SCS_ALLOC(b->row, m->d.n_shift));
    SCS_TRY(SCS_ALLOC(b->context, m->d.n_shift));
    SCS_TRY(SCS_ALLOC(b->number, m->d.n_shift));
    SCS_TRY(SCS_ALLOC(b->inverse, n_double));
    SCS_TRY(SCS_ALLOC(b->any, n * n));
    SCS_TRY(SCS_ALLOC(b->own, n * n));
    SCS_TRY(SCS_ALLOC(b->carried, n * n));
    SCS_TRY(SCS_ALLOC(b->told, n * n));
    SCS_TRY(SCS_ALLOC(b->left, n * n));
    SCS_TRY(SCS_ALLOC(b->level, n));
    return SCS_ALLOC(b->control_level, n);
}

/* As for one matrix: ten times more on the diagonal until it can be factorised. */
static scs_status make(const scs_mixed *m, int64_t n_double, int32_t *count, scs_mixed_blocks *b)
{
    double *work = NULL;
    bool is_definite = false;
    scs_status st;

    SCS_TRY(allocate(m, n_double, b));
    order_rows(m, b, count);
    fill_terms(m, b);
    SCS_TRY(SCS_ALLOC(work, 3 * (int64_t)b->n_context * (b->n_context + 1)));
    b->ridge = m->h.ridge;
    SCS_GO(st, factorise(m, b, work, &is_definite));
    for (int k = 1; k < 8 && !is_definite; k++) {
        b->ridge *= 10;
        SCS_GO(st, factorise(m, b, work, &is_definite));
    }
    if (!is_definite)
        st = SCS_FAIL(SCS_EINTERNAL, "the covariance of %d shifts cannot be factorised",
                      m->d.n_shift);
done:
    free(work);
    return st;
}

scs_status scs_mixed_blocks_create(const scs_mixed *m, scs_mixed_blocks **blocks)
{
    const scs_mixed_design *d = &m->d;
    int32_t *count;
    int64_t n_double;
    scs_status st = SCS_OK;

    *blocks = NULL;
    if (d->has_dose || d->perturbation_distance || d->place || d->n_context > MOST_CONTEXTS)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(count, d->n_perturbation));
    n_double = count_doubles(m, count);
    if (n_double <= MOST_DOUBLES)
        st = SCS_ALLOC(*blocks, 1);
    if (st == SCS_OK && *blocks) {
        (*blocks)->n_context = d->n_context;
        (*blocks)->n_perturbation = d->n_perturbation;
        st = make(m, n_double, count, *blocks);
    }
    free(count);
    if (st != SCS_OK)
        scs_mixed_blocks_destroy(blocks);
    return st;
}

void scs_mixed_blocks_destroy(scs_mixed_blocks **blocks)
{
    scs_mixed_blocks *b = *blocks;

    if (b) {
        free(b->first);
        free(b->row);
        free(b->context);
        free(b->number);
        free(b->at);
        free(b->inverse);
        free(b->any);
        free(b->own);
        free(b->carried);
        free(b->told);
        free(b->left);
        free(b->level);
        free(b->control_level);
    }
    free(b);
    *blocks = NULL;
}

/* One prediction. */
typedef struct task {
    const scs_mixed *m;
    const scs_mixed_blocks *b;
    const scs_mixed_shift *target;
    int32_t own;                  /* in b->row: the target's own shift, left out, or -1 */
    double *q, *with;             /* [most] of the perturbation's shifts; their covariance */
    double *a, *t, *told, *given; /* [n_context] a, t, a - G t; [most] t at one perturbation's */
} task;

/* q and a. */
static void start(task *k)
{
    const scs_mixed_blocks *b = k->b;
    int32_t p = k->target->perturbation, n = b->first[p + 1] - b->first[p];
    const scs_mixed_row *row = b->row + b->first[p];
    const double *inverse = b->inverse + b->at[p];
    double size = k->m->strength[p] * k->m->strength[p];

    for (int32_t i = 0; i < n; i++)
        k->with[i] =
            k->own >= 0
                ? b->first[p] + i == k->own
                : size * b->own[(int64_t)row[i].context * b->n_context + k->target->context];
    memset(k->a, 0, sizeof *k->a * (size_t)b->n_context);
    k->a[k->target->context] = k->own < 0;
    for (int64_t i = 0; i < n; i++) {
        k->q[i] = scs_mixed_product(inverse + i * n, k->with, n);
        k->a[row[i].context] -= k->q[i];
    }
}

/* t, and the weights of the control means. @return what mu adds to the error
 * @param[out] spread a'T a */
static double solve(task *k, double *control, double *spread)
{
    const scs_mixed_blocks *b = k->b;
    int32_t n = b->n_context;
    double sum = scs_mixed_product(b->level, k->a, n), share = sum / b->information;

    cblas_dsymv(CblasRowMajor, CblasUpper, n, 1, b->left, n, k->a, 1, 0, k->t, 1);
    *spread = scs_mixed_product(k->a, k->t, n);
    cblas_daxpy(n, share, b->level, 1, k->t, 1);
    memcpy(k->told, k->a, sizeof *k->a * (size_t)n);
    cblas_dsymv(CblasRowMajor, CblasUpper, n, -1, b->told, n, k->t, 1, 1, k->told, 1);
    memcpy(control, b->control_level, sizeof *control * (size_t)n);
    cblas_dgemv(CblasRowMajor, CblasTrans, n, n, 1, b->carried, n, k->told, 1, -share, control, 1);
    return sum * share;
}

/* R^-1 Z t, of one perturbation's shifts in their order. @param given [most] scratch
 * @param[out] weight [most]  @return how many */
static int32_t find_common(const scs_mixed_blocks *b, int32_t p, const double *t, double *given,
                           double *weight)
{
    const int32_t *context = b->context + b->first[p];
    const double *r = b->inverse + b->at[p];
    int32_t n = b->first[p + 1] - b->first[p];

    for (int32_t i = 0; i < n; i++)
        given[i] = t[context[i]];
    if (n == 2) { /* where perturbations are very many, most are seen in few contexts */
        weight[0] = r[0] * given[0] + r[1] * given[1];
        weight[1] = r[2] * given[0] + r[3] * given[1];
        return n;
    }
    for (int64_t i = 0; i < n; i++)
        weight[i] = scs_mixed_product(r + i * n, given, n);
    return n;
}

/* R^-1 Z t, and q of the target's perturbation. @param weight [most] scratch
 * @param[out] shift by number in the design */
static void spread_shifts(const task *k, double *weight, double *shift)
{
    const scs_mixed_blocks *b = k->b;
    int32_t own = b->first[k->target->perturbation];
    int32_t n_own = b->first[k->target->perturbation + 1] - own;

    for (int32_t p = 0; p < b->n_perturbation; p++) {
        const int32_t *number = b->number + b->first[p];
        int32_t n = find_common(b, p, k->t, k->given, weight);

        for (int32_t i = 0; i < n; i++)
            shift[number[i]] = weight[i];
    }
    for (int32_t i = 0; i < n_own; i++)
        shift[b->number[own + i]] += k->q[i];
}

/* The weights of what a left-out shift is predicted from, of its column of P. */
static void leave_out_own(const task *k, scs_mixed_weights *out)
{
    const scs_mixed_row *own = &k->b->row[k->own];
    double at = out->shift[own->number];

    cblas_dscal(k->m->d.n_shift, -1 / at, out->shift, 1);
    cblas_dscal(k->b->n_context, -1 / at, out->control, 1);
    cblas_dscal(k->b->n_context, -1 / at, k->t, 1);
    out->shift[own->number] = 0;
    out->variance = 1 / at - own->noise - k->b->ridge;
}

/* @param work [3 most + 3 n_context] */
static void predict(task *k, double *work, scs_mixed_weights *out)
{
    const scs_mixed_blocks *b = k->b;
    int32_t p = k->target->perturbation, c = k->target->context;
    int32_t n = b->first[p + 1] - b->first[p];
    double spread, size = k->m->strength[p] * k->m->strength[p];

    k->q = work;
    k->with = work + b->most;
    k->given = work + 2 * (int64_t)b->most;
    k->a = work + 3 * (int64_t)b->most;
    k->t = k->a + b->n_context;
    k->told = k->t + b->n_context;
    start(k);
    out->variance = solve(k, out->control, &spread);
    out->variance +=
        spread + size * b->own[(int64_t)c * b->n_context + c] - scs_mixed_product(k->q, k->with, n);
    spread_shifts(k, k->with, out->shift);
    if (k->own >= 0)
        leave_out_own(k, out);
    out->variance = fmax(out->variance, 0);
    out->has_common = out->common != NULL;
    if (out->common)
        memcpy(out->common, k->t, sizeof *k->t * (size_t)b->n_context);
}

/* Where the shift that is left out is in b->row; -1: it is none of the target's. */
static int32_t find_own(const scs_mixed_blocks *b, const scs_mixed_shift *target, int32_t number)
{
    int32_t p = target->perturbation;

    for (int32_t i = b->first[p]; i < b->first[p + 1]; i++)
        if (b->row[i].number == number)
            return b->row[i].context == target->context ? i : -1;
    return -1;
}

scs_status scs_mixed_blocks_predict(const scs_mixed *m, const scs_mixed_blocks *b,
                                    const scs_mixed_shift *target, const int32_t *left_out,
                                    int32_t n_left_out, scs_mixed_weights *weights, bool *done)
{
    task k = {.m = m, .b = b, .target = target, .own = -1};
    double *work;

    if (n_left_out == 1)
        k.own = find_own(b, target, left_out[0]);
    *done = n_left_out == 0 || (n_left_out == 1 && k.own >= 0);
    if (!*done)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(work, 3 * ((int64_t)b->most + b->n_context)));
    predict(&k, work, weights);
    free(work);
    return SCS_OK;
}

int32_t scs_mixed_blocks_most(const scs_mixed_blocks *b)
{
    return b->most;
}

int32_t scs_mixed_blocks_common(const scs_mixed_blocks *b, int32_t perturbation, const double *t,
                                double *given, const int32_t **number, double *weight)
{
    *number = b->number + b->first[perturbation];
    return find_common(b, perturbation, t, given, weight);
}

void scs_mixed_blocks_common_controls(const scs_mixed_blocks *b, const double *t, double *weight)
{
    int32_t n = b->n_context;

    cblas_dsymv(CblasRowMajor, CblasUpper, n, -1, b->told, n, t, 1, 0, weight, 1);
}

/* Columns that are summed at once. */
enum { COLUMNS = 512 };

/* R_p^-1 y to the contexts of the perturbation's shifts, of n columns. @param r [most, n] scratch
 */
static void add_perturbation(const scs_mixed_blocks *b, int32_t p, const double *y, double *r,
                             int32_t n, int32_t n_column, double *sum)
{
    int32_t n_row = b->first[p + 1] - b->first[p];

    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n_row, n, n_row, 1,
                b->inverse + b->at[p], n_row, y, n, 0, r, n);
    for (int64_t i = 0; i < n_row; i++)
        cblas_daxpy(n, 1, r + i * n, 1, sum + (int64_t)b->context[b->first[p] + i] * n_column, 1);
}

scs_status scs_mixed_blocks_sums(const scs_mixed_blocks *b, scs_mixed_fill *fill, void *ctx,
                                 int32_t n_column, double *sum)
{
    double *y = NULL, *r = NULL;
    scs_status st;

    memset(sum, 0, sizeof *sum * (size_t)b->n_context * (size_t)n_column);
    SCS_GO(st, SCS_ALLOC(y, (int64_t)b->most * COLUMNS));
    SCS_GO(st, SCS_ALLOC(r, (int64_t)b->most * COLUMNS));
    for (int32_t first = 0; first < n_column; first += COLUMNS) {
        int32_t n = n_column - first < COLUMNS ? n_column - first : COLUMNS;

        for (int32_t p = 0; p < b->n_perturbation; p++) {
            for (int64_t i = b->first[p]; i < b->first[p + 1]; i++)
                fill(ctx, b->number[i], first, n, y + (i - b->first[p]) * n);
            if (b->first[p + 1] > b->first[p])
                add_perturbation(b, p, y, r, n, n_column, sum + first);
        }
    }
done:
    free(r);
    free(y);
    return st;
}
