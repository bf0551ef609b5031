/* The formulae stand in effect.h. Sums over genes run in four lanes, gene j in lane j mod 4: the
 * same bits for equal rows, whichever perturbation they are of, so that equal distances are equal.
 *
 *  That matters for ties: a prediction that is the same for all perturbations has the same distance
 *  to each, and pds must come out as one half, not as what rounding makes of it. Memory is two
 *  matrices [perturbations + 1, n_gene] of doubles; discrimination costs O(n_gene) for each pair of
 *  perturbations. */
#include "src/score/effect.h"

#include <math.h>
#include <stdlib.h>

static const double bulk_total = 50000;

enum { LANES = 4 };

/* What was made before a failure is the caller's to clear. */
scs_status scs_effect_create(int32_t n, int32_t n_gene, const int32_t *target, scs_effects *effects)
{
    int64_t size = (int64_t)(n + 1) * n_gene;

    *effects = (scs_effects){.n = n, .n_gene = n_gene, .target = target};
    SCS_TRY(SCS_ALLOC(effects->predicted, size));
    SCS_TRY(SCS_ALLOC(effects->real, size));
    SCS_TRY(SCS_ALLOC(effects->present, n));
    SCS_TRY(SCS_ALLOC(effects->noise_predicted, n));
    return SCS_ALLOC(effects->noise_real, n + 1);
}

void scs_effect_clear(scs_effects *effects)
{
    free(effects->predicted);
    free(effects->real);
    free(effects->present);
    free(effects->noise_predicted);
    free(effects->noise_real);
    *effects = (scs_effects){0};
}

/* A group without counts becomes zeros, and `present` says that nobody may look at it. */
void scs_effect_mean(double *row, int32_t n_gene)
{
    double total = 0, scale;

    for (int32_t g = 0; g < n_gene; g++)
        total += row[g];
    scale = total > 0 ? bulk_total / total : 0;
    for (int32_t g = 0; g < n_gene; g++)
        row[g] = log1p(row[g] * scale);
}

/* Below 0 by chance: an estimate of a variance that is none. */
double scs_effect_noise(const double *noise, int32_t n_gene)
{
    double sum = 0;

    for (int32_t g = 0; g < n_gene; g++)
        sum += noise[g];
    return sum > 0 ? sum : 0;
}

/* Row p of a side; row n is the controls'. */
static const double *row(const double *rows, const scs_effects *e, int32_t p)
{
    return rows + (int64_t)p * e->n_gene;
}

/* Four sums beside each other, added in one order: fast, and the same bits on every machine. */
static double squared_distance(const double *a, const double *b, int32_t n)
{
    double lane[LANES] = {0};

    for (int32_t g = 0; g < n; g++)
        lane[g % LANES] += (a[g] - b[g]) * (a[g] - b[g]);
    return lane[0] + lane[1] + lane[2] + lane[3];
}

/* Genes that count for perturbation p. */
static double genes_of(const scs_effects *e, int32_t p)
{
    return e->n_gene - (e->target[p] >= 0);
}

/* ---- squared distances without their noise ---- */

/* What the predicted groups differ among themselves: sums over genes of the weighted squares about
 * the gene's weighted mean, each perturbation's own gene left out, weights 1 / genes_of.
 * @param[out] weight [n] those weights, 0 for a perturbation that is not compared */
static double spread(const scs_effects *e, double *weight)
{
    double all = 0;

    for (int32_t p = 0; p < e->n; p++)
        weight[p] = e->present[p] && genes_of(e, p) > 0 ? 1 / genes_of(e, p) : 0;
    for (int32_t g = 0; g < e->n_gene; g++) {
        double w = 0, mean = 0, square = 0;
        int32_t n = 0;

        for (int32_t p = 0; p < e->n; p++)
            if (e->present[p] && e->target[p] != g) {
                w += weight[p];
                mean += weight[p] * row(e->predicted, e, p)[g];
                n++;
            }
        if (n < 2 || w <= 0)
            continue;
        mean /= w;
        for (int32_t p = 0; p < e->n; p++)
            if (e->present[p] && e->target[p] != g) {
                double d = row(e->predicted, e, p)[g] - mean;

                square += weight[p] * d * d;
            }
        all += square;
    }
    return all;
}

/* Predicted cells that are all alike, or copies, make a noise that is none: it is never more than
 * the real group's, nor all together more than the predictions differ. */
scs_status scs_effect_cap_noise(scs_effects *e)
{
    double claimed = 0, ratio, *weight;

    SCS_TRY(SCS_ALLOC(weight, e->n));
    ratio = spread(e, weight);
    for (int32_t p = 0; p < e->n; p++) {
        e->noise_predicted[p] = fmin(e->noise_predicted[p], e->noise_real[p]);
        claimed += e->noise_predicted[p] * weight[p];
    }
    free(weight);
    ratio = claimed > 0 ? ratio / claimed : 1;
    for (int32_t p = 0; p < e->n && ratio < 1; p++)
        e->noise_predicted[p] *= ratio;
    return SCS_OK;
}

/* The distance of two rows for perturbation p, without its own gene, less the noise, a gene. */
static double a_gene(const scs_effects *e, int32_t p, const double *a, const double *b,
                     double noise)
{
    double d = squared_distance(a, b, e->n_gene) - noise;

    if (e->target[p] >= 0)
        d -= (a[e->target[p]] - b[e->target[p]]) * (a[e->target[p]] - b[e->target[p]]);
    return genes_of(e, p) > 0 ? d / genes_of(e, p) : NAN;
}

double scs_effect_mse(const scs_effects *e, int32_t p)
{
    return a_gene(e, p, row(e->predicted, e, p), row(e->real, e, p),
                  e->noise_predicted[p] + e->noise_real[p]);
}

double scs_effect_distance(const scs_effects *e, int32_t p)
{
    return a_gene(e, p, row(e->real, e, p), row(e->real, e, e->n),
                  e->noise_real[p] + e->noise_real[e->n]);
}

/* ---- discrimination ---- */

/* Products of two effects over the genes that are not skipped. */
static double product(const double *a, const double *from_a, const double *b, const double *from_b,
                      const uint8_t *skip, int32_t n)
{
    double lane[LANES] = {0};

    for (int32_t g = 0; g < n; g++)
        lane[g % LANES] += skip[g] ? 0 : (a[g] - from_a[g]) * (b[g] - from_b[g]);
    return lane[0] + lane[1] + lane[2] + lane[3];
}

/* 1 where one of the two has no length. */
static double cosine_distance(double dot, double square_a, double square_b)
{
    double size = sqrt(square_a) * sqrt(square_b), similarity = size > 0 ? dot / size : 0;

    return fmin(2, fmax(0, 1 - similarity));
}

static double effect_distance(const scs_effects *e, const uint8_t *skip, int32_t p, int32_t q,
                              double square)
{
    const double *a = row(e->predicted, e, p), *from_a = row(e->predicted, e, e->n);
    const double *b = row(e->real, e, q), *from_b = row(e->real, e, e->n);

    return cosine_distance(product(a, from_a, b, from_b, skip, e->n_gene), square,
                           product(b, from_b, b, from_b, skip, e->n_gene));
}

/* Real effects are compared with one predicted effect; without any other there is nothing to
 * confuse it with, and the score is 1. O(perturbations n_gene). */
double scs_effect_pds(const scs_effects *e, const uint8_t *skip, int32_t p)
{
    const double *a = row(e->predicted, e, p), *from_a = row(e->predicted, e, e->n);
    double square = product(a, from_a, a, from_a, skip, e->n_gene);
    double own = effect_distance(e, skip, p, p, square);
    int64_t nearer = 0, equal = 0, others = 0;

    for (int32_t q = 0; q < e->n; q++)
        if (q != p && e->present[q]) {
            double d = effect_distance(e, skip, p, q, square);

            nearer += d < own;
            equal += d == own;
            others++;
        }
    return others ? 1 - ((double)nearer + (double)equal / 2) / (double)others : 1;
}

/* Of equal distances the earlier perturbation counts as nearer, as a stable sort has it. */
double scs_effect_pds_l1(const double *predicted, const double *real, int32_t n, int32_t n_gene,
                         int32_t p, int32_t target)
{
    double own = 0;
    int32_t nearer = 0;

    for (int32_t k = -1; k < n; k++) { /* the own distance first */
        const double *b = real + (int64_t)(k < 0 ? p : k) * n_gene;
        double lane[LANES] = {0}, d;

        for (int32_t g = 0; g < n_gene; g++)
            lane[g % LANES] += g == target ? 0 : fabs(predicted[g] - b[g]);
        d = lane[0] + lane[1] + lane[2] + lane[3];
        if (k < 0)
            own = d;
        else
            nearer += d < own || (d == own && k < p);
    }
    return 1 - (double)nearer / n;
}

/* ---- two effects ---- */

/* Two passes: the one-pass form loses digits where means are large beside differences. */
double scs_effect_pearson(const double *x, const double *y, int32_t n)
{
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;

    for (int32_t g = 0; g < n; g++) {
        mx += x[g] / n;
        my += y[g] / n;
    }
    for (int32_t g = 0; g < n; g++) {
        xx += (x[g] - mx) * (x[g] - mx);
        yy += (y[g] - my) * (y[g] - my);
        xy += (x[g] - mx) * (y[g] - my);
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx) / sqrt(yy) : NAN;
}

/* One pass: n sum xy - sum x sum y loses digits, so what is within 1e-13 of constant is taken for
 * constant. */
scs_delta scs_effect_delta(const scs_effects *e, int32_t p)
{
    const double *a = row(e->predicted, e, p), *from_a = row(e->predicted, e, e->n);
    const double *b = row(e->real, e, p), *from_b = row(e->real, e, e->n);
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0, n = e->n_gene;
    scs_delta delta = {0};

    for (int32_t g = 0; g < e->n_gene; g++) {
        double x = a[g] - from_a[g], y = b[g] - from_b[g];

        mx += x / n;
        my += y / n;
        xx += x * x;
        yy += y * y;
        xy += x * y;
        delta.mae += fabs(x - y) / n;
        delta.mse += (x - y) * (x - y) / n;
    }
    delta.size = yy > 0 ? sqrt(xx / yy) : NAN;
    xx -= n * mx * mx;
    yy -= n * my * my;
    xy -= n * mx * my;
    delta.pearson = xx > 1e-13 * n && yy > 1e-13 * n ? xy / sqrt(xx) / sqrt(yy) : NAN;
    return delta;
}
