/* From a predicted change of mean log expression to mean counts. Numbers of a gene are on the
 * atlas' scale, log(1 + counts of a cell scaled to `total`), until the last step. */
#include "src/cells/target_mean.h"

#include "src/base/vector.h"

#include <math.h>
#include <stdlib.h>

/* Of a ratio of two mean log expressions; small, as the quarter below guards the rest. */
static const double pseudo = .01;

/* noise_g: the variance of the sources' weighted sum of group means, sum w^2 v_g / n of groups that
 * are independent samples. @param[out] noise [n_gene] */
static void source_noise(const scs_atlas *a, const scs_sources *s, double *noise)
{
    for (int32_t g = 0; g < a->n_gene; g++)
        noise[g] = 0;
    for (int32_t i = 0; i < s->n; i++) {
        const float *variance = scs_atlas_group_gene_variance(a, s->group[i]);
        double share = s->weight[i] * s->weight[i] / (double)a->group[s->group[i]].count;

        for (int32_t g = 0; g < a->n_gene; g++)
            noise[g] += share * variance[g];
    }
}

/* The factor of the whole shift. */
static double size_factor(int32_t n_gene, const float *shift, const double *near,
                          const double *noise)
{
    double length = 0, wanted = scs_vector_dot(near, near, n_gene);

    for (int32_t g = 0; g < n_gene; g++) {
        length += (double)shift[g] * shift[g];
        wanted -= noise[g];
    }
    return length > 0 && wanted > 0 ? sqrt(wanted / length) : 0;
}

/* log of what the donors leave of a gene: the weighted mean of their own ratios, 0 at most. */
static double donor_ratio(const scs_atlas *a, const scs_donors *d, int32_t gene)
{
    double sum = 0, weight = 0;

    for (int32_t i = 0; i < d->n; i++) {
        if (d->control[i] < 0)
            continue;
        sum += d->weight[i] * log((scs_atlas_group_gene_mean(a, d->group[i])[gene] + pseudo) /
                                  (scs_atlas_group_gene_mean(a, d->control[i])[gene] + pseudo));
        weight += d->weight[i];
    }
    return weight > 0 && sum < 0 ? sum / weight : 0;
}

/* Counts per million added to both sides of a ratio of mean counts. */
static const double pseudo_count = 50;

/* How much further mean counts move than the donors' mean logarithms say, as a logarithm. */
static double donor_correction(const scs_mean_parts *p, int32_t gene)
{
    const scs_donors *d = p->donors;
    double sum = 0, weight = 0, unit = 1e6 / p->total;

    for (int32_t i = 0; i < d->n; i++) {
        double counts, logs;

        if (d->control[i] < 0)
            continue;
        counts = log((p->donor_cpm[i][gene] + pseudo_count) /
                     (p->donor_control_cpm[i][gene] + pseudo_count));
        logs = log(
            (unit * expm1(scs_atlas_group_gene_mean(p->atlas, d->group[i])[gene]) + pseudo_count) /
            (unit * expm1(scs_atlas_group_gene_mean(p->atlas, d->control[i])[gene]) +
             pseudo_count));
        sum += d->weight[i] * (counts - logs);
        weight += d->weight[i];
    }
    return weight > 0 ? sum / weight : 0;
}

/* Mean log expression -> mean counts: a gene that controls show moves by a ratio, one that they do
 * not show starts from nothing. @param correction of the ratio's logarithm */
static double to_counts(double control, double predicted, double cpm, double total,
                        double correction)
{
    double ratio;

    if (cpm <= 0 || control <= 0)
        return expm1(predicted) * 1e6 / total;
    ratio = log(expm1(predicted) / expm1(control));
    if (ratio > 0)
        ratio = fmax(0, ratio + correction);
    else if (ratio < 0)
        ratio = fmin(0, ratio + correction);
    return cpm * exp(ratio);
}

/* The predicted mean log expression of a gene, with the floor of one that falls. */
static double mean_of(const scs_atlas *a, const scs_donors *d, int32_t gene, double control,
                      double shift)
{
    double mean = control + shift;

    if (shift < 0)
        mean = fmax(mean, .25 * control * exp(donor_ratio(a, d, gene)));
    return mean > 0 ? mean : 0;
}

/* Counts per million again: all genes' changes together need not add up to nothing. */
static void rescale(double *mean, const double *cpm, int32_t n)
{
    double have = 0, wanted = 0;

    for (int32_t g = 0; g < n; g++) {
        have += mean[g];
        wanted += cpm[g];
    }
    for (int32_t g = 0; g < n && have > 0; g++)
        mean[g] *= wanted / have;
}

/* O((sources + donors) n_gene). A shift that is all noise (factor 0) leaves the controls' mean. */
scs_status scs_target_mean(const scs_mean_parts *p, double *mean)
{
    const scs_atlas *a = p->atlas;
    const float *control = p->control;
    double *near = NULL, *noise = mean, factor; /* noise_g is read before mean_g is written */
    scs_status st;

    SCS_GO(st, SCS_ALLOC(near, a->n_gene));
    SCS_GO(st, scs_shift_sources_change(a, p->sources, near));
    source_noise(a, p->sources, noise);
    factor = size_factor(a->n_gene, p->shift, near, noise);
    for (int32_t g = 0; g < a->n_gene; g++) {
        double square = near[g] * near[g], left = square > noise[g] ? 1 - noise[g] / square : 0;
        double moved = factor * left * p->shift[g];

        mean[g] = to_counts(control[g], mean_of(a, p->donors, g, control[g], moved), p->cpm[g],
                            p->total, .5 * left * donor_correction(p, g));
        if (p->absent && p->absent[g])
            mean[g] = 0;
    }
    rescale(mean, p->cpm, a->n_gene);
done:
    free(near);
    return st;
}
