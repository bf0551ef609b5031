/* Scores of a predicted row against the observed group, and the further measures of validate. All
 * functions are Local.
 *
 * Correlations run in two passes in double, so that nothing cancels; a vector that is constant
 * but for rounding has none (NaN), which is decided relative to its size. Sums over genes are in
 * vector lanes and do not depend on ranks, as a row is scored by one rank as a whole.
 *
 * With p, o and c the predicted, observed and control means over genes g:
 *     r2_all            corr(p, o)^2
 *     r2_deg            the same over the DEGs
 *     delta_pearson     corr(p - c, o - c)
 *     delta_perturbed   corr(p - m, o - m), m the mean of the type's other perturbations' means
 *     mse, mae          mean (p - o)^2, mean |p - o|
 *     mse_share         mean (p - o)^2 / mean (c - o)^2
 *     change_size       |p - c|_2 / |o - c|_2, the latter less its sampling noise
 *     deg_overlap_k     |first k DEGs and k genes of largest |p - c|| / k
 *     deg_direction     share of the DEGs with (p - c)(o - c) > 0
 *     discrimination    1 - rank of o among the other perturbations' means by |p - .|_1
 *     centroid_accuracy share of the other perturbations' means m' with |p - m'|_2 > |p - o|_2
 *
 * delta_perturbed and centroid_accuracy are those of Systema (Vinas Torne et al., Nature
 * Biotechnology 2025): what all perturbations share makes neither larger. Its reference is the
 * mean of the perturbations' centroids, of those of the training set; here of the type's others.
 */
#include "src/screen/score.h"

#include "src/base/simd.h"
#include "scscreen/screen.h"

#include <math.h>
#include <stdlib.h>

/* ---- correlations ---- */

/* Two vectors over genes, each less a baseline where there is one; borrowed. */
typedef struct pair {
    const float *a, *a0, *b, *b0; /* baselines may be NULL */
    const int32_t *gene;          /* [n], or NULL: genes 0 .. n */
    int64_t n;
} pair;

/* Gene i of both vectors, less their baselines. */
static inline void value(const pair *p, int64_t i, double *a, double *b)
{
    int64_t g = p->gene ? p->gene[i] : i;

    *a = (double)p->a[g] - (p->a0 ? p->a0[g] : 0);
    *b = (double)p->b[g] - (p->b0 ? p->b0[g] : 0);
}

/* Sums in vector lanes. @param[out] mean_a, mean_b over p->n genes */
SCS_VECTOR static void means(const pair *p, double *mean_a, double *mean_b)
{
    double sum_a = 0, sum_b = 0;

#pragma omp simd reduction(+ : sum_a, sum_b)
    for (int64_t i = 0; i < p->n; i++) {
        double a, b;

        value(p, i, &a, &b);
        sum_a += a;
        sum_b += b;
    }
    *mean_a = sum_a / (double)p->n;
    *mean_b = sum_b / (double)p->n;
}

/* Pearson's r in two passes. NaN where either side varies by no more than rounding leaves
 * (1e-13 of its size). */
SCS_VECTOR static double correlate(const pair *p)
{
    double mean_a, mean_b, aa = 0, bb = 0, ab = 0, size_a = 0, size_b = 0;

    if (p->n < 1)
        return NAN;
    means(p, &mean_a, &mean_b);
#pragma omp simd reduction(+ : aa, bb, ab, size_a, size_b)
    for (int64_t i = 0; i < p->n; i++) {
        double a, b;

        value(p, i, &a, &b);
        size_a += a * a;
        size_b += b * b;
        aa += (a - mean_a) * (a - mean_a);
        bb += (b - mean_b) * (b - mean_b);
        ab += (a - mean_a) * (b - mean_b);
    }
    if (!(aa > 1e-26 * size_a) || !(bb > 1e-26 * size_b))
        return NAN;
    return ab / (sqrt(aa) * sqrt(bb));
}

/* r^2 keeps NaN, and forgets the sign, as scGen's figures do. */
static double square(double r)
{
    return r * r;
}

/* The signed one, of two vectors as they are. */
double scs_score_pearson(const float *a, const float *b, const int32_t *gene, int64_t n)
{
    return correlate(&(pair){.a = a, .b = b, .gene = gene, .n = n});
}

/* DEGs of a group: the list ends at -1, where fewer genes than SCS_N_DEG were tested. */
static int64_t count_genes(const int32_t *deg)
{
    int64_t n = 0;

    while (n < SCS_N_DEG && deg[n] >= 0)
        n++;
    return n;
}

scs_scores scs_score_none(void)
{
    return (scs_scores){.r2_all = NAN,
                        .r2_deg = NAN,
                        .r2_variance = NAN,
                        .delta_pearson = NAN,
                        .r2_all_control = NAN,
                        .r2_deg_control = NAN,
                        .change_size = NAN};
}

/* Of the row's change, to what the observed one would be without sampling noise: of |o - c|^2 is
 * taken what it is expected to be where nothing changes, sum v_o / n_o + v_c / n_c with unbiased
 * variances v. NaN where more than three quarters of it are noise, so that the rest says little, or
 * a group has one cell. */
static double change_size(const scs_atlas *atlas, const scs_combination *target, const float *shift)
{
    int32_t observed = target->observed_group, control = target->control_group;
    const float *o = scs_atlas_group_gene_mean(atlas, observed);
    const float *c = scs_atlas_group_gene_mean(atlas, control);
    const float *v_o = scs_atlas_group_gene_variance(atlas, observed);
    const float *v_c = scs_atlas_group_gene_variance(atlas, control);
    double n_o = (double)atlas->group[observed].count - 1; /* variances have ddof 0 */
    double n_c = (double)atlas->group[control].count - 1;
    double mine = 0, theirs = 0, noise = 0;

    for (int32_t g = 0; g < atlas->n_gene; g++) {
        double d = (double)o[g] - c[g];

        mine += (double)shift[g] * shift[g];
        theirs += d * d;
        noise += v_o[g] / n_o + v_c[g] / n_c;
    }
    return theirs > 0 && noise <= .75 * theirs ? sqrt(mine / (theirs - noise)) : NAN;
}

/* Scores beside those of no change (the control mean as prediction). NaN where the row was not
 * observed or has no controls. delta_pearson correlates changes, of which the control mean is
 * taken off on both sides. */
scs_scores scs_score(const scs_atlas *atlas, const scs_combination *target,
                     const scs_prediction *predicted)
{
    int64_t n = atlas->n_gene, n_deg;
    const float *observed, *control;
    const int32_t *deg;
    scs_scores s = scs_score_none();

    if (target->observed_group < 0 || target->control_group < 0)
        return s;
    control = scs_atlas_group_gene_mean(atlas, target->control_group);
    observed = scs_atlas_group_gene_mean(atlas, target->observed_group);
    deg = scs_atlas_group_deg(atlas, target->observed_group);
    n_deg = count_genes(deg);
    s.r2_all = square(scs_score_pearson(predicted->mean, observed, NULL, n));
    s.r2_deg = square(scs_score_pearson(predicted->mean, observed, deg, n_deg));
    s.r2_all_control = square(scs_score_pearson(control, observed, NULL, n));
    s.r2_deg_control = square(scs_score_pearson(control, observed, deg, n_deg));
    s.delta_pearson = correlate(&(pair){predicted->mean, control, observed, control, NULL, n});
    s.change_size = change_size(atlas, target, predicted->shift);
    if (predicted->variance)
        s.r2_variance = square(scs_score_pearson(
            predicted->variance, scs_atlas_group_gene_variance(atlas, target->observed_group), NULL,
            n));
    return s;
}

/* ---- measures ---- */

static const struct {
    const char *name;
    int sense; /* 1: larger is better */
} measures[] = {
    [SCS_R2_ALL] = {"r2_all", 1},
    [SCS_R2_DEG] = {"r2_deg", 1},
    [SCS_R2_VARIANCE] = {"r2_variance", 1},
    [SCS_R2_SD] = {"r2_sd", 1},
    [SCS_DELTA_PEARSON] = {"delta_pearson", 1},
    [SCS_DELTA_PERTURBED] = {"delta_perturbed", 1},
    [SCS_MSE] = {"mse", -1},
    [SCS_MAE] = {"mae", -1},
    [SCS_MSE_SHARE] = {"mse_share", -1},
    [SCS_CHANGE_SIZE] = {"change_size", 0},
    [SCS_DEG_OVERLAP_20] = {"deg_overlap_20", 1},
    [SCS_DEG_OVERLAP_50] = {"deg_overlap_50", 1},
    [SCS_DEG_OVERLAP_100] = {"deg_overlap_100", 1},
    [SCS_DEG_DIRECTION] = {"deg_direction", 1},
    [SCS_DISCRIMINATION_L1] = {"discrimination_l1", 1},
    [SCS_CENTROID_ACCURACY] = {"centroid_accuracy", 1},
    [SCS_ENERGY_LATENT] = {"energy_v_latent", -1},
    [SCS_MMD_LATENT] = {"mmd2_u_rbf_latent", -1},
    [SCS_CELLS_JACCARD] = {"cells_sig_jaccard", 1},
    [SCS_CELLS_TOP_100] = {"cells_top_100", 1},
    [SCS_CELLS_FIDELITY] = {"cells_direction_fidelity", 1},
    [SCS_CELLS_LFC_NMAE] = {"cells_lfc_nmae", -1},
    [SCS_CELLS_R2_MEAN] = {"cells_r2_mean", 1},
    [SCS_CELLS_R2_VARIANCE] = {"cells_r2_variance", 1},
    [SCS_CELLS_E_DISTANCE] = {"cells_e_distance", -1},
    [SCS_CELLS_ENERGY] = {"cells_energy_distance", -1},
    [SCS_CELLS_MMD2] = {"cells_mmd2", -1},
};

_Static_assert(sizeof measures / sizeof *measures == SCS_N_MEASURE, "a row for each scs_measure");

const char *scs_score_measure_name(int measure)
{
    return measures[measure].name;
}

int scs_score_measure_sense(int measure)
{
    return measures[measure].sense;
}

/* What the means are measured against; all over genes, borrowed. */
typedef struct truth {
    const scs_atlas *atlas;
    const scs_combination *target;
    const float *observed, *control;
    const int32_t *deg; /* [SCS_N_DEG] */
    const float *mean, *shift;
    const scs_score_base *base; /* NULL: the target's own control and reference */
} truth;

/* Mean squared and mean absolute difference over genes, and what they are of no change's. */
static void measure_errors(const truth *t, double *value)
{
    double squared = 0, absolute = 0, none = 0, n = t->atlas->n_gene;

    for (int32_t g = 0; g < t->atlas->n_gene; g++) {
        double d = (double)t->mean[g] - t->observed[g], c = (double)t->control[g] - t->observed[g];

        squared += d * d;
        absolute += fabs(d);
        none += c * c;
    }
    value[SCS_MSE] = squared / n;
    value[SCS_MAE] = absolute / n;
    if (none > 0)
        value[SCS_MSE_SHARE] = squared / none;
}

/* Sum over n genes of |a - b|, in double and in the order of the genes. */
static double l1_distance(const float *a, const float *b, int32_t n)
{
    double d = 0;

    for (int32_t g = 0; g < n; g++)
        d += fabs((double)a[g] - b[g]);
    return d;
}

/* As in cell-eval: 1 - rank / perturbations of that species and cell type, by L1 distance of
 * the predicted mean to the observed ones; 1 where none is nearer than its own. The control is
 * no perturbation. O(conditions x n_gene). NaN where there is only one. */
static double discrimination(const truth *t)
{
    const scs_atlas *a = t->atlas;
    double own = l1_distance(t->mean, t->observed, a->n_gene);
    int n = 1, n_nearer = 0;

    for (int32_t c = 0; c < a->conditions.n; c++) {
        int32_t g = scs_atlas_group(a, t->target->species, t->target->cell_type, c);

        if (g < 0 || g == t->target->observed_group || c == a->control)
            continue;
        n++;
        n_nearer += l1_distance(t->mean, scs_atlas_group_gene_mean(a, g), a->n_gene) < own;
    }
    return n > 1 ? 1 - (double)n_nearer / n : NAN;
}

/* The type's other perturbations: group number of condition c, or -1. */
static int32_t other_of(const scs_atlas *a, int32_t group, int32_t c)
{
    const scs_group *own = &a->group[group];
    int32_t g = scs_atlas_group(a, own->species, own->cell_type, c);

    return c == a->control || g == group ? -1 : g;
}

/* Squared Euclidean distance, in double and in the order of the genes. */
static double l2_distance(const float *a, const float *b, int32_t n)
{
    double d = 0;

    for (int32_t g = 0; g < n; g++)
        d += ((double)a[g] - b[g]) * ((double)a[g] - b[g]);
    return d;
}

/* As in Systema: of the other perturbations of that species and cell type, the share that is
 * further away than the truth. NaN where there is no other. O(conditions x n_gene). */
static double centroid_accuracy(const truth *t)
{
    const scs_atlas *a = t->atlas;
    double own = l2_distance(t->mean, t->observed, a->n_gene);
    int n = 0, n_further = 0;

    for (int32_t c = 0; c < a->conditions.n; c++) {
        int32_t g = other_of(a, t->target->observed_group, c);

        if (g < 0)
            continue;
        n++;
        n_further += l2_distance(t->mean, scs_atlas_group_gene_mean(a, g), a->n_gene) > own;
    }
    return n ? (double)n_further / n : NAN;
}

enum { BLOCK = 512 }; /* genes whose sums are kept in hand */

bool scs_score_perturbed_mean(const scs_atlas *a, int32_t group, float *mean)
{
    int n = 0;

    for (int32_t c = 0; c < a->conditions.n; c++)
        n += other_of(a, group, c) >= 0;
    for (int32_t g0 = 0; g0 < a->n_gene && n; g0 += BLOCK) {
        int32_t width = a->n_gene - g0 < BLOCK ? a->n_gene - g0 : BLOCK;
        double sum[BLOCK] = {0};

        for (int32_t c = 0; c < a->conditions.n; c++) {
            int32_t other = other_of(a, group, c);

            for (int32_t g = 0; g < width && other >= 0; g++)
                sum[g] += scs_atlas_group_gene_mean(a, other)[g0 + g];
        }
        for (int32_t g = 0; g < width; g++)
            mean[g0 + g] = (float)(sum[g] / n);
    }
    return n > 0;
}

/* Whether two means are the same but for rounding (1e-6 of their size), so that their difference
 * says nothing: the mean of the type's other perturbations predicts just the reference. */
static bool is_same(const float *a, const float *b, int32_t n)
{
    double size = 0;

    for (int32_t g = 0; g < n; g++)
        size += (double)a[g] * a[g];
    return l2_distance(a, b, n) <= 1e-12 * size;
}

/* @param scratch [n_gene] */
static double delta_perturbed(const truth *t, float *scratch)
{
    const float *reference = scratch;

    if (!scs_score_perturbed_mean(t->atlas, t->target->observed_group, scratch))
        return NAN;
    if (t->base && !t->base->reference)
        return NAN;
    if (t->base)
        reference = t->base->reference;
    if (is_same(t->mean, reference, t->atlas->n_gene))
        return NAN;
    return correlate(&(pair){
        .a = t->mean, .a0 = reference, .b = t->observed, .b0 = scratch, .n = t->atlas->n_gene});
}

/* Squared Pearson of the roots of two variances. @param scratch [2 n] */
static double r2_sd(const float *a, const float *b, int64_t n, float *scratch)
{
    for (int64_t g = 0; g < n; g++) {
        scratch[g] = sqrtf(a[g]);
        scratch[n + g] = sqrtf(b[g]);
    }
    return square(scs_score_pearson(scratch, scratch + n, NULL, n));
}

/* Share of the first k DEGs that are among the k genes of `top`, k^2 comparisons; NaN where the
 * group has fewer DEGs. @param top [SCS_N_DEG] best first */
static double overlap(const truth *t, const int32_t *top, int k)
{
    int n = 0;

    if (t->deg[k - 1] < 0)
        return NAN;
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
            n += t->deg[i] == top[j];
    return (double)n / k;
}

/* Share of the DEGs whose predicted change has the sign of the observed one; no change is no
 * direction. NaN without DEGs. */
static double direction(const truth *t)
{
    int n = 0, n_deg = 0;

    for (; n_deg < SCS_N_DEG && t->deg[n_deg] >= 0; n_deg++) {
        int32_t g = t->deg[n_deg];
        double observed = (double)t->observed[g] - t->control[g];

        n += observed * t->shift[g] > 0;
    }
    return n_deg ? (double)n / n_deg : NAN;
}

/* What the genes of largest predicted change have to do with the DEGs; left NaN where nothing
 * changes. SCS_ENOMEM. @param size [n_gene] scratch */
static scs_status measure_genes(const truth *t, double *size, double *value)
{
    int32_t top[SCS_N_DEG], n = t->atlas->n_gene;
    double score[SCS_N_DEG];
    bool any = false;

    for (int32_t g = 0; g < n; g++) {
        size[g] = t->shift[g];
        any |= size[g] != 0;
    }
    if (!any) /* no change names no gene */
        return SCS_OK;
    SCS_TRY(scs_deg_top_genes(size, n, 0, SCS_N_DEG, top, score));
    value[SCS_DEG_OVERLAP_20] = overlap(t, top, 20);
    value[SCS_DEG_OVERLAP_50] = overlap(t, top, 50);
    value[SCS_DEG_OVERLAP_100] = overlap(t, top, 100);
    value[SCS_DEG_DIRECTION] = direction(t);
    return SCS_OK;
}

/* Those of scs_score, which every row of a screen has too. */
static void measure_correlations(const truth *t, const scs_prediction *predicted, double *value)
{
    scs_scores s = scs_score(t->atlas, t->target, predicted);

    value[SCS_R2_ALL] = s.r2_all;
    value[SCS_R2_DEG] = s.r2_deg;
    value[SCS_R2_VARIANCE] = s.r2_variance;
    value[SCS_DELTA_PEARSON] = s.delta_pearson;
    value[SCS_CHANGE_SIZE] = s.change_size;
    if (t->base)
        value[SCS_DELTA_PEARSON] = correlate(&(pair){.a = t->mean,
                                                     .a0 = t->base->control,
                                                     .b = t->observed,
                                                     .b0 = t->control,
                                                     .n = t->atlas->n_gene});
}

/* Starts from NaN everywhere: a measure that is not defined is never mistaken for 0. */
scs_status scs_score_measure_means(const scs_atlas *atlas, const scs_combination *target,
                                   const scs_prediction *predicted, const scs_score_base *base,
                                   double *value)
{
    int64_t n = atlas->n_gene;
    truth t = {.atlas = atlas,
               .target = target,
               .observed = scs_atlas_group_gene_mean(atlas, target->observed_group),
               .control = scs_atlas_group_gene_mean(atlas, target->control_group),
               .deg = scs_atlas_group_deg(atlas, target->observed_group),
               .mean = predicted->mean,
               .shift = predicted->shift,
               .base = base};
    const float *variance = scs_atlas_group_gene_variance(atlas, target->observed_group);
    double *scratch = NULL;
    float *floats = NULL;
    scs_status st;

    for (int m = 0; m < SCS_N_MEASURE; m++)
        value[m] = NAN;
    SCS_GO(st, SCS_ALLOC(scratch, n));
    SCS_GO(st, SCS_ALLOC(floats, 2 * n));
    measure_correlations(&t, predicted, value);
    measure_errors(&t, value);
    value[SCS_DELTA_PERTURBED] = delta_perturbed(&t, floats);
    if (predicted->variance)
        value[SCS_R2_SD] = r2_sd(predicted->variance, variance, n, floats);
    value[SCS_DISCRIMINATION_L1] = discrimination(&t);
    value[SCS_CENTROID_ACCURACY] = centroid_accuracy(&t);
    st = measure_genes(&t, scratch, value);
done:
    free(scratch);
    free(floats);
    return st;
}
