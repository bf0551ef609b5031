#include "scscreen/screen.h"
#include "src/simd.h"

#include <math.h>

/* Two vectors over genes, each less a baseline where there is one. */
typedef struct pair {
    const float *a, *a0, *b, *b0; /* baselines may be NULL */
    const int32_t *gene;          /* [n], or NULL: genes 0 .. n */
    int64_t n;
} pair;

static inline void value(const pair *p, int64_t i, double *a, double *b)
{
    int64_t g = p->gene ? p->gene[i] : i;

    *a = (double)p->a[g] - (p->a0 ? p->a0[g] : 0);
    *b = (double)p->b[g] - (p->b0 ? p->b0[g] : 0);
}

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

/* In two passes: no cancellation. Constant vectors leave only rounding in their variance. */
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

static double square(double r)
{
    return r * r;
}

double scs_pearson(const float *a, const float *b, const int32_t *gene, int64_t n)
{
    return correlate(&(pair){.a = a, .b = b, .gene = gene, .n = n});
}

static int64_t count_genes(const int32_t *deg)
{
    int64_t n = 0;

    while (n < SCS_N_DEG && deg[n] >= 0)
        n++;
    return n;
}

scs_scores scs_no_scores(void)
{
    return (scs_scores){.r2_all = NAN,
                        .r2_deg = NAN,
                        .r2_variance = NAN,
                        .delta_pearson = NAN,
                        .r2_all_control = NAN,
                        .r2_deg_control = NAN};
}

scs_scores scs_score(const scs_atlas *atlas, const scs_combination *target,
                     const scs_prediction *predicted)
{
    int64_t n = atlas->n_gene, n_deg;
    const float *observed, *control;
    const int32_t *deg;
    scs_scores s = scs_no_scores();

    if (target->observed_group < 0 || target->control_group < 0)
        return s;
    control = scs_group_gene_mean(atlas, target->control_group);
    observed = scs_group_gene_mean(atlas, target->observed_group);
    deg = scs_group_deg(atlas, target->observed_group);
    n_deg = count_genes(deg);
    s.r2_all = square(scs_pearson(predicted->mean, observed, NULL, n));
    s.r2_deg = square(scs_pearson(predicted->mean, observed, deg, n_deg));
    s.r2_all_control = square(scs_pearson(control, observed, NULL, n));
    s.r2_deg_control = square(scs_pearson(control, observed, deg, n_deg));
    s.delta_pearson = correlate(&(pair){predicted->mean, control, observed, control, NULL, n});
    if (predicted->variance)
        s.r2_variance = square(scs_pearson(
            predicted->variance, scs_group_gene_variance(atlas, target->observed_group), NULL, n));
    return s;
}
