/* The correction of the sources' change (correction.h): points, folds, share. All functions are
 * Local.
 *
 * A point is one gene of one seen group. Groups of one control are in one fold: those that are left
 * out have neither their perturbed nor their control cells' genes among the points that are learnt
 * from. With p what is learnt without a group, r what is missed of it, the share is
 *
 *      sum p r / sum p^2, between 0 and 1
 *
 * over all groups and genes. Where auto took `converging`, as the groups do not clearly tell more,
 * it is 0 unless the folds' errors fall by more than a standard error. Folds are fitted by a thread
 * each.
 */
#include "src/screen/correction.h"

#include "src/atlas/atlas.h"
#include "src/base/parallel.h"
#include "src/base/vector.h"
#include "src/screen/leave_out.h"
#include "src/screen/plan.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_POINTS = 1 << 17, MOST_GROUPS = 64, LEAST_FOLDS = 3, FEATURES = SCS_BOOST_FEATURES };

/* Points of all groups, those of one group side by side. */
typedef struct points {
    const scs_atlas *atlas;
    scs_plan plan;  /* the groups */
    int64_t n_gene; /* of each: every stride-th */
    int32_t stride;
    float *x, *y;    /* [plan.n n_gene, FEATURES], [plan.n n_gene] */
    bool *is_tested; /* [plan.n] it could be predicted from others */
    int32_t *fold;   /* [plan.n] */
    int32_t n_fold;
} points;

/* Mean control level of the sources' perturbed groups, by |weight|: of thousands that share some
 * controls, those of each are added up first. @param[out] level [n_gene]
 * @param[out] any false: there are none with controls */
static scs_status source_level(const scs_atlas *a, const scs_sources *sources, double *level,
                               bool *any)
{
    int32_t *group = NULL, n = 0;
    double *weight = NULL, sum = 0;
    scs_status st;

    *any = false;
    SCS_GO(st, SCS_ALLOC(group, a->n_group));
    SCS_GO(st, SCS_ALLOC(weight, a->n_group));
    for (int32_t i = 0; i < sources->n; i++) {
        int32_t control = scs_atlas_usable_control(a, sources->group[i]);

        if (control < 0)
            continue;
        sum += fabs(sources->weight[i]);
        weight[control] += fabs(sources->weight[i]);
    }
    for (int32_t g = 0; g < a->n_group && sum > 0; g++)
        if (weight[g] > 0) {
            group[n] = g;
            weight[n++] = weight[g] / sum;
        }
    *any = sum > 0;
    if (*any)
        scs_vector_sum_rows(a->gene_mean, a->n_gene, group, weight, n, level);
done:
    free(weight);
    free(group);
    return st;
}

static void set_features(double change, float control, double level, float *x)
{
    x[0] = (float)change;
    x[1] = (float)(control - level);
    x[2] = control;
}

/* Hook of scs_leave_out. @param work [2 n_gene] */
static scs_status add_group(void *ctx, int64_t i, const scs_sources *sources, double *work)
{
    points *p = ctx;
    const scs_atlas *a = p->atlas;
    const scs_combination *c = &p->plan.item[i];
    const float *seen = scs_atlas_group_gene_mean(a, c->observed_group);
    const float *control = scs_atlas_group_gene_mean(a, c->control_group);
    double *change = work, *level = work + a->n_gene;
    bool any;

    SCS_TRY(source_level(a, sources, level, &any));
    if (!any)
        return SCS_OK;
    SCS_TRY(scs_shift_sources_change(a, sources, change));
    for (int64_t k = 0; k < p->n_gene; k++) {
        int64_t g = k * p->stride, at = i * p->n_gene + k;

        set_features(change[g], control[g], level[g], p->x + at * FEATURES);
        p->y[at] = (float)(seen[g] - control[g] - change[g]);
    }
    p->is_tested[i] = true;
    return SCS_OK;
}

/* Controls are numbered as they come; more of them than folds share them. @param at [n_group] -1 */
static void number_folds(points *p, int32_t *at)
{
    int32_t n = 0;

    for (int32_t g = 0; g < p->atlas->n_group; g++)
        at[g] = -1;
    for (int64_t i = 0; i < p->plan.n; i++) {
        int32_t control = p->plan.item[i].control_group;

        if (!p->is_tested[i])
            continue;
        if (at[control] < 0)
            at[control] = n++;
        p->fold[i] = at[control] % SCS_CORRECTION_FOLDS;
    }
    p->n_fold = n < SCS_CORRECTION_FOLDS ? n : SCS_CORRECTION_FOLDS;
}

/* The groups, every one predicted from the others. */
static scs_status make_points(const scs_method *method, points *p)
{
    const scs_atlas *a = p->atlas;
    int32_t *at = NULL;
    scs_status st;

    SCS_TRY(scs_plan_seen(a, &p->plan));
    scs_leave_out_thin(&p->plan, MOST_GROUPS);
    p->stride = (int32_t)(1 + p->plan.n * a->n_gene / MOST_POINTS);
    p->n_gene = (a->n_gene + p->stride - 1) / p->stride;
    SCS_TRY(SCS_ALLOC(p->x, p->plan.n * p->n_gene * FEATURES));
    SCS_TRY(SCS_ALLOC(p->y, p->plan.n * p->n_gene));
    SCS_TRY(SCS_ALLOC(p->is_tested, p->plan.n));
    SCS_TRY(SCS_ALLOC(p->fold, p->plan.n));
    SCS_TRY(scs_leave_out(a, method, &p->plan, 0, p->plan.n, 2 * (int64_t)a->n_gene, add_group, p));
    SCS_GO(st, SCS_ALLOC(at, a->n_group));
    number_folds(p, at);
done:
    free(at);
    return st;
}

/* What the groups of other folds teach. @param fold -1: all groups */
static scs_status fit_without(const points *p, int32_t fold, scs_boost *boost)
{
    float *x = NULL, *y = NULL;
    int64_t n = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(x, p->plan.n * p->n_gene * FEATURES));
    SCS_GO(st, SCS_ALLOC(y, p->plan.n * p->n_gene));
    for (int64_t i = 0; i < p->plan.n; i++) {
        if (!p->is_tested[i] || p->fold[i] == fold)
            continue;
        memcpy(x + n * FEATURES, p->x + i * p->n_gene * FEATURES,
               sizeof *x * (size_t)p->n_gene * FEATURES);
        memcpy(y + n, p->y + i * p->n_gene, sizeof *y * (size_t)p->n_gene);
        n += p->n_gene;
    }
    SCS_GO(st, scs_boost_fit(x, y, n, boost));
done:
    free(y);
    free(x);
    return st;
}

/* Products of what is missed of left-out groups and of what was learnt of it. */
typedef struct products {
    double missed, both, learnt;
} products;

/* What is missed of group i and what was learnt of it.
 *  @param x [FEATURES, n_gene], learnt [n_gene] scratch */
static void test_group(const points *p, int64_t i, const scs_boost *boost, float *x, double *learnt,
                       products *sum)
{
    int64_t n = p->n_gene, first = i * n;

    for (int64_t k = 0; k < n; k++) {
        for (int j = 0; j < FEATURES; j++)
            x[j * n + k] = p->x[(first + k) * FEATURES + j];
        learnt[k] = 0;
    }
    scs_boost_add(boost, x, n, 1, learnt);
    for (int64_t k = 0; k < n; k++) {
        double missed = p->y[first + k];

        sum->missed += missed * missed;
        sum->both += missed * learnt[k];
        sum->learnt += learnt[k] * learnt[k];
    }
}

static scs_status test_fold(const points *p, int32_t fold, products *sum)
{
    scs_boost *boost = NULL;
    double *learnt = NULL;
    float *x = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(boost, 1));
    SCS_GO(st, SCS_ALLOC(x, p->n_gene * FEATURES));
    SCS_GO(st, SCS_ALLOC(learnt, p->n_gene));
    SCS_GO(st, fit_without(p, fold, boost));
    for (int64_t i = 0; i < p->plan.n; i++)
        if (p->is_tested[i] && p->fold[i] == fold)
            test_group(p, i, boost, x, learnt, sum);
done:
    free(boost);
    free(x);
    free(learnt);
    return st;
}

static void add_products(const products *from, double sign, products *to)
{
    to->missed += sign * from->missed;
    to->both += sign * from->both;
    to->learnt += sign * from->learnt;
}

/* Of least error, 0 to 1; 0 where nothing was learnt. */
static double best_share(const products *p)
{
    return p->learnt > 0 ? fmin(1, fmax(0, p->both / p->learnt)) : 0;
}

/* What is missed with a share of what was learnt. */
static double error_with(const products *p, double share)
{
    return p->missed + share * (share * p->learnt - 2 * p->both);
}

/* Whether the folds' errors fall by more than a standard error of their mean logarithm, each with
 * the share that the others say: of a few controls the gain of one may be the loss of the next. Two
 * say too little of that. */
static bool helps(const products *fold, int32_t n_fold, const products *sum)
{
    double mean = 0, square = 0, n = 0;

    for (int32_t f = 0; f < n_fold; f++) {
        products others = *sum;
        double ratio;

        if (fold[f].missed <= 0)
            continue;
        add_products(&fold[f], -1, &others);
        ratio = log(fold[f].missed / fmax(error_with(&fold[f], best_share(&others)), DBL_MIN));
        mean += ratio;
        square += ratio * ratio;
        n++;
    }
    mean /= n;
    return n < LEAST_FOLDS || mean > sqrt(fmax(0, square / n - mean * mean) / (n - 1));
}

/* Each fold by one thread; their sums are added in their order. @param sure by a standard error */
static scs_status find_share(const points *p, bool sure, scs_correction *c)
{
    products fold[SCS_CORRECTION_FOLDS] = {{0}}, sum = {0};
    scs_parallel_error failed = {0};

#pragma omp parallel for schedule(dynamic)
    for (int32_t f = 0; f < p->n_fold; f++)
        scs_parallel_error_note(&failed, f, test_fold(p, f, &fold[f]));
    SCS_TRY(scs_parallel_error_raise(&failed));
    for (int32_t f = 0; f < p->n_fold; f++)
        add_products(&fold[f], 1, &sum);
    if (sum.learnt > 0 && sum.missed > 0) {
        c->share = !sure || helps(fold, p->n_fold, &sum) ? best_share(&sum) : 0;
        c->error = error_with(&sum, c->share) / sum.missed;
    }
    return SCS_OK;
}

static void clear(points *p)
{
    scs_plan_clear(&p->plan);
    free(p->x);
    free(p->y);
    free(p->is_tested);
    free(p->fold);
}

/* With the groups of one control alone there is nothing to test by. */
scs_status scs_correction_fit(const scs_atlas *atlas, const scs_method *method,
                              scs_correction *correction)
{
    points p = {.atlas = atlas};
    scs_status st;

    *correction = (scs_correction){.error = NAN};
    SCS_GO(st, make_points(method, &p));
    correction->n_part = p.n_fold;
    if (p.n_fold > 1)
        SCS_GO(st, find_share(&p, method->shift == SCS_SHIFT_CONVERGING, correction));
    if (correction->share > 0)
        SCS_GO(st, fit_without(&p, -1, &correction->boost));
done:
    clear(&p);
    return st;
}

/* Whether a row is corrected. */
static bool is_for(const scs_correction *correction, const scs_combination *target,
                   const scs_sources *sources)
{
    return correction && correction->share > 0 && !target->pair &&
           (sources->kind == SCS_SOURCE_OWN || sources->kind == SCS_SOURCE_DONORS);
}

double scs_correction_error(const scs_correction *correction, const scs_combination *target,
                            const scs_sources *sources)
{
    return is_for(correction, target, sources) ? fmin(1, correction->error) : 1;
}

/* O(sources + n_gene (controls of sources + trees)). */
scs_status scs_correction_apply(const scs_correction *correction, const scs_atlas *atlas,
                                const scs_combination *target, const scs_sources *sources,
                                double *change)
{
    int32_t n = atlas->n_gene;
    const float *control;
    double *level = NULL;
    float *x = NULL;
    bool any;
    scs_status st;

    if (!is_for(correction, target, sources))
        return SCS_OK;
    control = scs_atlas_group_gene_mean(atlas, target->control_group);
    SCS_GO(st, SCS_ALLOC(level, n));
    SCS_GO(st, SCS_ALLOC(x, (int64_t)n * FEATURES));
    SCS_GO(st, source_level(atlas, sources, level, &any));
    for (int64_t g = 0; g < n && any; g++) {
        float one[FEATURES];

        set_features(change[g], control[g], level[g], one);
        for (int j = 0; j < FEATURES; j++)
            x[(int64_t)j * n + g] = one[j];
    }
    if (any)
        scs_boost_add(&correction->boost, x, n, correction->share, change);
done:
    free(x);
    free(level);
    return st;
}
