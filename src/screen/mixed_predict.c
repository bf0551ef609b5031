/* The mixed model's predictions: weights of shifts and control means (Henderson, Biometrics
 * 1975). All functions are Local.
 *
 * With k the covariances of the target with all rows and P of mixed_covariance.c, weight = P k,
 * and the expected squared error is var - weight'k. Up to SCS_MIXED_EXACT rows P is made once and
 * serves every target; a target whose rows must not be used (leave-one-out) is had from the same
 * P by blocks. Above, the same comes from a factorisation of blocks (mixed_blocks.c); where that
 * cannot be made (doses, like perturbations, very many contexts), each target gets a P of the
 * shifts that have the highest correlation with it.
 *
 * The weights are the same for every gene and every latent unit, and those of the control means sum
 * to 0: a shift does not depend on where the origin lies. The error is a mean over genes.
 */
#include "src/kernels/lapack.h"
#include "src/screen/mixed_internal.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The inverse P of these rows, with ten times more on the diagonal until the covariance can be
 * factorised, eight times at most. SCS_EINTERNAL. @param[out] inverse [n, n] */
static scs_status invert_rows(const scs_mixed *m, const scs_mixed_row *rows, int32_t n,
                              int32_t n_control, double *inverse)
{
    scs_mixed more = *m;
    double log_determinant = INFINITY;

    for (int k = 0; k < 8 && !isfinite(log_determinant); k++, more.h.ridge *= 10)
        SCS_TRY(scs_mixed_invert(&more, rows, n, n_control, inverse, &log_determinant));
    SCS_REQUIRE(isfinite(log_determinant), SCS_EINTERNAL,
                "the covariance of %d shifts cannot be factorised", n - n_control);
    return SCS_OK;
}

/* The one inverse of all rows, where it fits: n^2 doubles. SCS_ENOMEM, SCS_EINTERNAL. */
scs_status scs_mixed_get_ready(scs_mixed *m)
{
    int64_t n = (int64_t)m->d.n_context + m->d.n_shift;

    scs_mixed_blocks_destroy(&m->blocks);
    if (n > SCS_MIXED_EXACT)
        return scs_mixed_blocks_create(m, &m->blocks);
    if (!m->rows) {
        SCS_TRY(SCS_ALLOC(m->rows, n));
        SCS_TRY(SCS_ALLOC(m->inverse, n * n));
    }
    m->n_row = (int32_t)n;
    for (int32_t c = 0; c < m->d.n_context; c++)
        m->rows[c] = scs_mixed_control(c);
    memcpy(m->rows + m->d.n_context, m->shift, sizeof *m->shift * (size_t)m->d.n_shift);
    return invert_rows(m, m->rows, m->n_row, m->d.n_context, m->inverse);
}

bool scs_mixed_tells_parts(const scs_mixed *m)
{
    return m->n_row > 0 && !m->d.has_dose;
}

/* One prediction. Rows, inverse and m are borrowed. */
typedef struct task {
    const scs_mixed *m;
    scs_mixed_row target;
    bool *out;        /* [n_shift] by number in the design: must not be used */
    int32_t n_out, n; /* n: rows */
    const scs_mixed_row *rows;
    const double *inverse;
    double *k, *weight; /* [n]; of the parts, after the weights, e and P e */
} task;

/* Weights without the rows g that are left out, by blocks of the inverse P of all: weight = P k
 * - P_g (P_gg)^-1 (P k)_g, k being 0 there. O(n g^2 + g^3) instead of a new inverse.
 * SCS_EINTERNAL. */
static scs_status leave_out(task *t)
{
    double *block = NULL, *part = NULL;
    int32_t *at = NULL, g = 0;
    int one = 1, info = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(at, t->n_out));
    SCS_GO(st, SCS_ALLOC(part, t->n_out));
    SCS_GO(st, SCS_ALLOC(block, (int64_t)t->n_out * t->n_out));
    for (int32_t i = 0; i < t->n; i++)
        if (t->rows[i].perturbation >= 0 && t->out[t->rows[i].number])
            at[g++] = i;
    for (int64_t i = 0; i < g; i++) {
        part[i] = t->weight[at[i]];
        for (int64_t j = 0; j < g; j++)
            block[i * g + j] = t->inverse[(int64_t)at[i] * t->n + at[j]];
    }
    if (g > 0)
        dposv_("L", &g, &one, block, &g, part, &g, &info);
    for (int32_t i = 0; i < g; i++)
        cblas_daxpy(t->n, -part[i], t->inverse + (int64_t)at[i] * t->n, 1, t->weight, 1);
    for (int32_t i = 0; i < g; i++)
        t->weight[at[i]] = 0;
    if (info != 0)
        st = SCS_FAIL(SCS_EINTERNAL, "%d shifts cannot be left out (%d)", g, info);
done:
    free(block);
    free(part);
    free(at);
    return st;
}

/* weight = P k without the rows that are left out, where k is 0. */
static scs_status multiply_inverse(task *t)
{
    cblas_dsymv(CblasRowMajor, CblasUpper, t->n, 1, t->inverse, t->n, t->k, 1, 0, t->weight, 1);
    return leave_out(t);
}

/* Each row's weight, times scale, under its number. @param shift, control of the caller */
static void give_weights(const task *t, double scale, double *shift, double *control)
{
    memset(shift, 0, sizeof *shift * (size_t)t->m->d.n_shift);
    memset(control, 0, sizeof *control * (size_t)t->m->d.n_context);
    for (int32_t i = 0; i < t->n; i++)
        (t->rows[i].perturbation < 0 ? control : shift)[t->rows[i].number] = scale * t->weight[i];
}

/* The control means' weights less those that convergence alone would give them beside the shifts'
 * weights w: - beta u(target) + sum of w beta u, u a control mean less the mean of all. */
static void tell_denoised(const task *t, const scs_mixed_weights *of)
{
    const scs_mixed *m = t->m;
    double all = scs_mixed_convergence(m, &t->target);

    memcpy(of->denoised, of->control, sizeof *of->denoised * (size_t)m->d.n_context);
    of->denoised[t->target.context] -= all;
    for (int32_t i = 0; i < m->d.n_shift; i++) {
        const scs_mixed_row *r = &m->shift[i];
        double own = scs_mixed_convergence(m, r) * of->shift[r->number];

        of->denoised[r->context] += own;
        all -= own;
    }
    for (int32_t c = 0; c < m->d.n_context; c++)
        of->denoised[c] += all / m->d.n_context;
}

/* After the weights w: (1 - e'w) P e / e'Pe, with e 1 at the shifts of the perturbation: as much
 * of its mean effect, by generalised least squares, as w is short of. More than all of it lacks
 * nothing. */
static scs_status tell_shrunk(task *t, const scs_mixed_weights *of)
{
    double lacking = 1, information = 0;

    for (int32_t i = 0; i < t->n; i++) {
        const scs_mixed_row *r = &t->rows[i];

        t->k[i] = r->perturbation == t->target.perturbation && !t->out[r->number];
        lacking -= t->k[i] * t->weight[i];
    }
    SCS_TRY(multiply_inverse(t));
    for (int32_t i = 0; i < t->n; i++)
        information += t->k[i] * t->weight[i];
    give_weights(t, information > 0 && lacking > 0 ? lacking / information : 0, of->shrunk_shift,
                 of->shrunk_control);
    return SCS_OK;
}

/* Weights and expected squared error by t->inverse, whatever its rows: var(target) - weight'k,
 * and not below 0, where rounding may leave it. */
static scs_status weigh(task *t, scs_mixed_weights *out)
{
    const scs_mixed *m = t->m;

    SCS_TRY(SCS_ALLOC(t->k, t->n));
    SCS_TRY(SCS_ALLOC(t->weight, t->n));
    for (int32_t i = 0; i < t->n; i++)
        if (t->rows[i].perturbation < 0 || !t->out[t->rows[i].number])
            t->k[i] = scs_mixed_covariance(m, &t->target, &t->rows[i]);
    SCS_TRY(multiply_inverse(t));
    give_weights(t, 1, out->shift, out->control);
    out->variance = scs_mixed_covariance(m, &t->target, &t->target);
    for (int32_t i = 0; i < t->n; i++)
        out->variance -= t->weight[i] * t->k[i];
    out->variance = fmax(out->variance, 0);
    if (!out->denoised || !scs_mixed_tells_parts(m))
        return SCS_OK;
    tell_denoised(t, out);
    return tell_shrunk(t, out);
}

/* The nearest contexts and the shifts of highest correlation with the target, cov^2 / variance:
 * those that would lower its error most, each by itself. @param of [max(contexts, shifts)]
 * scratch
 * @param[out] rows [2 SCS_MIXED_NEAR]  @return how many are contexts */
static int32_t find_near(task *t, scs_mixed_rank *of, scs_mixed_row *rows)
{
    const scs_mixed *m = t->m;
    int32_t n_context = m->d.n_context, n = 0;

    for (int32_t c = 0; c < n_context; c++)
        of[c] = (scs_mixed_rank){
            c == t->target.context ? INFINITY : -scs_mixed_distance(m, t->target.context, c), c};
    scs_mixed_sort(of, n_context);
    n_context = n_context < SCS_MIXED_NEAR ? n_context : SCS_MIXED_NEAR;
    for (int32_t i = 0; i < n_context; i++)
        rows[i] = scs_mixed_control(of[i].at);
    for (int32_t i = 0; i < m->d.n_shift; i++) {
        const scs_mixed_row *s = &m->shift[i];
        double with, own;

        if (t->out[s->number])
            continue;
        with = scs_mixed_covariance(m, &t->target, s);
        own = scs_mixed_covariance(m, s, s) + s->noise + m->h.ridge;
        of[n++] = (scs_mixed_rank){with * with / own, i};
    }
    scs_mixed_sort(of, n);
    n = n < SCS_MIXED_NEAR ? n : SCS_MIXED_NEAR;
    for (int32_t i = 0; i < n; i++)
        rows[n_context + i] = m->shift[of[i].at];
    t->n = n_context + n;
    return n_context;
}

/* Among so many groups, from those that tell most: an inverse for this target alone. */
static scs_status predict_near(task *t, scs_mixed_weights *weights)
{
    int32_t most = t->m->d.n_context > t->m->d.n_shift ? t->m->d.n_context : t->m->d.n_shift;
    int32_t n_context;
    scs_mixed_rank *of = NULL;
    scs_mixed_row *rows = NULL;
    double *inverse = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(of, most));
    SCS_GO(st, SCS_ALLOC(rows, 2 * SCS_MIXED_NEAR));
    n_context = find_near(t, of, rows);
    SCS_GO(st, SCS_ALLOC(inverse, (int64_t)t->n * t->n));
    SCS_GO(st, invert_rows(t->m, rows, t->n, n_context, inverse));
    t->rows = rows;
    t->inverse = inverse;
    SCS_GO(st, weigh(t, weights));
done:
    free(inverse);
    free(rows);
    free(of);
    return st;
}

/* Shifts that are left out are marked by number in the design, as their order here is another
 * one. O(n^2) up to SCS_MIXED_EXACT rows; above, an inverse of at most 2 SCS_MIXED_NEAR rows
 * each. */
scs_status scs_mixed_predict(const scs_mixed *m, const scs_mixed_shift *target,
                             const int32_t *left_out, int32_t n_left_out,
                             scs_mixed_weights *weights)
{
    task t = {.m = m,
              .n_out = n_left_out,
              .n = m->n_row,
              .rows = m->rows,
              .inverse = m->inverse,
              .target = {.context = target->context,
                         .perturbation = target->perturbation,
                         .dose = m->d.has_dose ? target->dose : 0}};
    bool done = false;
    scs_status st;

    weights->has_common = false;
    SCS_REQUIRE(target->context >= 0 && target->context < m->d.n_context &&
                    target->perturbation >= 0 && target->perturbation < m->d.n_perturbation,
                SCS_EINTERNAL, "a shift of context %d, perturbation %d is asked for",
                target->context, target->perturbation);
    if (m->blocks)
        SCS_TRY(
            scs_mixed_blocks_predict(m, m->blocks, target, left_out, n_left_out, weights, &done));
    if (done)
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(t.out, m->d.n_shift));
    for (int32_t i = 0; i < n_left_out; i++)
        t.out[left_out[i]] = true;
    SCS_GO(st, m->n_row ? weigh(&t, weights) : predict_near(&t, weights));
done:
    free(t.weight);
    free(t.k);
    free(t.out);
    return st;
}

/* Rows and weights of a sum, shifts first. @param[out] rows, weight [shifts + controls] */
static void list_sum(const scs_mixed *m, const scs_mixed_sum *sum, scs_mixed_row *rows,
                     double *weight)
{
    for (int32_t i = 0; i < sum->n_shift; i++) {
        const scs_mixed_shift *s = &m->d.shift[sum->shift[i]];

        rows[i] = (scs_mixed_row){s->context, s->perturbation, sum->shift[i],
                                  m->d.has_dose ? s->dose : 0, m->d.noise[sum->shift[i]]};
        weight[i] = sum->shift_weight[i];
    }
    for (int32_t i = 0; i < sum->n_control; i++) {
        rows[sum->n_shift + i] = scs_mixed_control(sum->control[i]);
        weight[sum->n_shift + i] = sum->control_weight[i];
    }
}

/* Of the weights of control means; they sum to 0 but for rounding. */
static bool has_level(const scs_mixed_sum *sum)
{
    double all = 0, size = 0;

    for (int32_t i = 0; i < sum->n_control; i++) {
        all += sum->control_weight[i];
        size += fabs(sum->control_weight[i]);
    }
    return fabs(all) > 1e-6 * size;
}

scs_status scs_mixed_expect(const scs_mixed *m, const scs_mixed_shift *target,
                            const scs_mixed_sum *sum, double *variance)
{
    scs_mixed_row asked = {.context = target->context,
                           .perturbation = target->perturbation,
                           .dose = m->d.has_dose ? target->dose : 0};
    int32_t n = sum->n_shift + sum->n_control;
    scs_mixed_row *rows = NULL;
    double *weight = NULL, all;
    scs_status st;

    *variance = NAN;
    if (has_level(sum))
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(rows, n));
    SCS_GO(st, SCS_ALLOC(weight, n));
    list_sum(m, sum, rows, weight);
    all = scs_mixed_covariance(m, &asked, &asked);
    for (int32_t i = 0; i < n; i++) {
        double own = scs_mixed_covariance(m, &rows[i], &rows[i]) + rows[i].noise;

        all += weight[i] * (weight[i] * own - 2 * scs_mixed_covariance(m, &asked, &rows[i]));
        for (int32_t j = 0; j < i; j++)
            all += 2 * weight[i] * weight[j] * scs_mixed_covariance(m, &rows[i], &rows[j]);
    }
    *variance = fmax(all, 0);
done:
    free(weight);
    free(rows);
    return st;
}
