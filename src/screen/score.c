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
 *     mse, mae          mean (p - o)^2, mean |p - o|
 *     deg_overlap_k     |first k DEGs and k genes of largest |p - c|| / k
 *     deg_direction     share of the DEGs with (p - c)(o - c) > 0
 *     discrimination    1 - rank of o among the other perturbations' means by |p - .|_1
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
                        .r2_deg_control = NAN};
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
    if (predicted->variance)
        s.r2_variance = square(scs_score_pearson(
            predicted->variance, scs_atlas_group_gene_variance(atlas, target->observed_group), NULL,
            n));
    return s;
}

/* ---- measures ---- */

static const char *const names[] = {
    [SCS_R2_ALL] = "r2_all",
    [SCS_R2_DEG] = "r2_deg",
    [SCS_R2_VARIANCE] = "r2_variance",
    [SCS_DELTA_PEARSON] = "delta_pearson",
    [SCS_MSE] = "mse",
    [SCS_MAE] = "mae",
    [SCS_DEG_OVERLAP_20] = "deg_overlap_20",
    [SCS_DEG_OVERLAP_50] = "deg_overlap_50",
    [SCS_DEG_OVERLAP_100] = "deg_overlap_100",
    [SCS_DEG_DIRECTION] = "deg_direction",
    [SCS_DISCRIMINATION_L1] = "discrimination_l1",
    [SCS_ENERGY_LATENT] = "energy_v_latent",
    [SCS_MMD_LATENT] = "mmd2_u_rbf_latent",
};

_Static_assert(sizeof names / sizeof *names == SCS_N_MEASURE, "a name for each scs_measure");

const char *scs_score_measure_name(int measure)
{
    return names[measure];
}

/* What the means are measured against; all over genes, borrowed. */
typedef struct truth {
    const scs_atlas *atlas;
    const scs_combination *target;
    const float *observed, *control;
    const int32_t *deg; /* [SCS_N_DEG] */
    const float *mean, *shift;
} truth;

/* Mean squared and mean absolute difference over genes. */
static void measure_errors(const truth *t, double *value)
{
    double square = 0, absolute = 0, n = t->atlas->n_gene;

    for (int32_t g = 0; g < t->atlas->n_gene; g++) {
        double d = (double)t->mean[g] - t->observed[g];

        square += d * d;
        absolute += fabs(d);
    }
    value[SCS_MSE] = square / n;
    value[SCS_MAE] = absolute / n;
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
}

/* Starts from NaN everywhere: a measure that is not defined is never mistaken for 0. */
scs_status scs_score_measure_means(const scs_atlas *atlas, const scs_combination *target,
                                   const scs_prediction *predicted, double *value)
{
    int64_t n = atlas->n_gene;
    truth t = {.atlas = atlas,
               .target = target,
               .observed = scs_atlas_group_gene_mean(atlas, target->observed_group),
               .control = scs_atlas_group_gene_mean(atlas, target->control_group),
               .deg = scs_atlas_group_deg(atlas, target->observed_group),
               .mean = predicted->mean,
               .shift = predicted->shift};
    double *scratch;
    scs_status st;

    for (int m = 0; m < SCS_N_MEASURE; m++)
        value[m] = NAN;
    measure_correlations(&t, predicted, value);
    measure_errors(&t, value);
    value[SCS_DISCRIMINATION_L1] = discrimination(&t);
    SCS_TRY(SCS_ALLOC(scratch, n));
    st = measure_genes(&t, scratch, value);
    free(scratch);
    return st;
}
