/* Boosted regression trees, by histograms. All functions are Local.
 *
 * A point is kept as the numbers of its bins, one byte a feature. The best split of a leaf is found
 * from the sums of its points' rests in each bin; of two new leaves only the smaller one's points
 * are gone through, the other's sums are what is left of their parent's (Ke et al., LightGBM, NIPS
 * 2017). Points of a leaf lie side by side in one array of indices, in their own order.
 */
#include "src/kernels/boost.h"

#include "src/base/simd.h"
#include "src/kernels/radix.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 256, FEATURES = SCS_BOOST_FEATURES, LEAVES = SCS_BOOST_LEAVES };

static const double step = .1; /* of each tree */

/* Points and rests of one bin. */
typedef struct bin {
    /* cppcheck-suppress unusedStructMember ; leaf.bins is two arrays deep, which it does not see */
    double sum;
    /* cppcheck-suppress unusedStructMember */
    int64_t n;
} bin;

/* A leaf while the tree grows: its points, sums by bin, and its best split. */
typedef struct leaf {
    int64_t first, n;
    int32_t node; /* whose child it is, -1: the root */
    bool above;
    double sum, gain; /* gain 0: it cannot be split */
    int32_t feature, at;
    bin bins[FEATURES][BINS];
} leaf;

/* What is fitted. */
typedef struct fit {
    int64_t n;
    uint8_t *code; /* [FEATURES, n] */
    float edge[FEATURES][BINS];
    int32_t n_edge[FEATURES];
    double *rest;           /* [n] */
    int32_t *point, *other; /* [n] in the order of leaves; scratch */
    leaf *leaf;             /* [LEAVES] */
} fit;

/* Floats as whole numbers in the same order, 0 and -0 alike; not of NaN. */
static inline int32_t order_bits(float x)
{
    float sum = x + 0.f;
    int32_t bits;

    memcpy(&bits, &sum, sizeof bits);
    return bits < 0 ? bits ^ INT32_MAX : bits;
}

/* The float of such a number. */
static inline float float_of(int32_t order)
{
    int32_t bits = order < 0 ? order ^ INT32_MAX : order;
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A feature's values in ascending order. @param key, scratch [n]  @param[out] sorted [n] */
static void sort_feature(const fit *f, const float *x, int feature, uint64_t *key,
                         uint64_t *scratch, float *sorted)
{
    const uint32_t sign = (uint32_t)1 << 31;

    for (int64_t i = 0; i < f->n; i++)
        key[i] = (uint32_t)order_bits(x[i * FEATURES + feature]) ^ sign;
    scs_radix_sort(key, scratch, f->n, 0, 32);
    for (int64_t i = 0; i < f->n; i++)
        sorted[i] = float_of((int32_t)((uint32_t)key[i] ^ sign));
}

/* Quantiles of a feature, each value once. An edge belongs to the bin above it. @param sorted [n]
 */
static void find_edges(fit *f, int feature, const float *sorted)
{
    float last = sorted[0];

    for (int64_t k = 1; k < BINS; k++) {
        float value = sorted[k * (f->n - 1) / (BINS - 1)];

        if (value > last)
            f->edge[feature][f->n_edge[feature]++] = value;
        last = value;
    }
}

/* How many edges are not above x, by halves and without a branch: behind the last edge stand
 * infinities. */
static uint8_t bin_of(const fit *f, int feature, float x)
{
    const float *edge = f->edge[feature];
    int32_t n = 0;

    for (int32_t half = BINS / 2; half > 0; half /= 2)
        n += edge[n + half - 1] <= x ? half : 0;
    return (uint8_t)n;
}

static scs_status code_points(fit *f, const float *x)
{
    uint64_t *key = NULL, *scratch = NULL;
    float *sorted = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(key, f->n));
    SCS_GO(st, SCS_ALLOC(scratch, f->n));
    SCS_GO(st, SCS_ALLOC(sorted, f->n));
    for (int j = 0; j < FEATURES; j++) {
        sort_feature(f, x, j, key, scratch, sorted);
        find_edges(f, j, sorted);
        for (int32_t e = f->n_edge[j]; e < BINS; e++)
            f->edge[j][e] = INFINITY;
        for (int64_t i = 0; i < f->n; i++)
            f->code[j * f->n + i] = bin_of(f, j, x[i * FEATURES + j]);
    }
done:
    free(sorted);
    free(scratch);
    free(key);
    return st;
}

/* @return the sum of the points' rests, in their order */
static double count_bins(const fit *f, leaf *l)
{
    double sum = 0;

    memset(l->bins, 0, sizeof l->bins);
    for (int64_t k = l->first; k < l->first + l->n; k++) {
        const uint8_t *code = f->code + f->point[k];
        double rest = f->rest[f->point[k]];

        for (int j = 0; j < FEATURES; j++) {
            l->bins[j][code[j * f->n]].sum += rest;
            l->bins[j][code[j * f->n]].n++;
        }
        sum += rest;
    }
    return sum;
}

/* The other child's sums out of the parent's. */
static void subtract_bins(leaf *parent, const leaf *child)
{
    for (int j = 0; j < FEATURES; j++)
        for (int b = 0; b < BINS; b++) {
            parent->bins[j][b].sum -= child->bins[j][b].sum;
            parent->bins[j][b].n -= child->bins[j][b].n;
        }
}

/* By how much the squared error falls: s1^2 / n1 + s2^2 / n2 - s^2 / n; of equal ones the first.
 */
static void find_split(const fit *f, leaf *l)
{
    double whole = l->sum * l->sum / (double)l->n, least = 1e-9 * whole + 1e-300;

    l->gain = 0;
    for (int32_t j = 0; j < FEATURES; j++) {
        double sum = 0;
        int64_t n = 0;

        for (int32_t e = 0; e < f->n_edge[j]; e++) {
            double rest, gain;

            sum += l->bins[j][e].sum;
            n += l->bins[j][e].n;
            rest = l->sum - sum;
            if (n < SCS_BOOST_LEAST || l->n - n < SCS_BOOST_LEAST)
                continue;
            gain = sum * sum / (double)n + rest * rest / (double)(l->n - n) - whole;
            if (gain > l->gain && gain > least) {
                l->gain = gain;
                l->feature = j;
                l->at = e;
            }
        }
    }
}

/* Points below the threshold first, either side in its order, without a branch: each point is put
 * on both sides, and the next one of the side where it does not belong takes its place.
 *  @param[out] sum [2] of the rests below and above, in the order of points
 *  @return how many are below */
static int64_t part_points(fit *f, const leaf *l, double *sum)
{
    int32_t *point = f->point + l->first, *other = f->other;
    const uint8_t *code = f->code + l->feature * f->n;
    const double *rest = f->rest;
    int64_t below = 0, above = 0;
    double sum_below = 0, sum_above = 0;
    int32_t at = l->at;

    for (int64_t k = 0, n = l->n; k < n; k++) {
        int32_t i = point[k];
        int32_t is_below = code[i] <= at, is_above = 1 - is_below;

        point[below] = i;
        other[above] = i;
        below += is_below;
        above += is_above;
        sum_below += is_below * rest[i];
        sum_above += is_above * rest[i];
    }
    sum[0] = sum_below;
    sum[1] = sum_above;
    memcpy(point + below, other, sizeof *other * (size_t)above);
    return below;
}

/* The place that led to the leaf leads to what has come of it. */
static void lead(scs_boost_tree *tree, const leaf *l, int32_t to)
{
    if (l->node >= 0)
        (l->above ? tree->above : tree->below)[l->node] = to;
}

/* One leaf becomes two: the first child in its place, the second behind the others. */
static void split(fit *f, scs_boost_tree *tree, leaf *l, leaf *second)
{
    int32_t node = tree->n_node++;
    double sum[2];
    int64_t below = part_points(f, l, sum), n = l->n;
    bool few_below = 2 * below <= n;

    lead(tree, l, node);
    tree->feature[node] = l->feature;
    tree->threshold[node] = f->edge[l->feature][l->at];
    *second = (leaf){.first = few_below ? l->first : l->first + below,
                     .n = few_below ? below : n - below,
                     .node = node,
                     .above = !few_below};
    l->first = few_below ? l->first + below : l->first;
    l->n = n - second->n;
    l->node = node;
    l->above = few_below;
    second->sum = count_bins(f, second);
    subtract_bins(l, second);
    l->sum = sum[few_below];
    find_split(f, l);
    find_split(f, second);
}

/* The leaf whose split gains most, NULL: none can be split. */
static leaf *best_leaf(fit *f, int32_t n_leaf)
{
    leaf *best = NULL;

    for (int32_t k = 0; k < n_leaf; k++)
        if (f->leaf[k].gain > (best ? best->gain : 0))
            best = &f->leaf[k];
    return best;
}

/* One tree on the rests, which are then what it has left. @return whether it has any split */
static bool grow(fit *f, scs_boost_tree *tree)
{
    int32_t n_leaf = 1;
    leaf *l = &f->leaf[0];

    tree->n_node = 0;
    *l = (leaf){.n = f->n, .node = -1};
    for (int64_t i = 0; i < f->n; i++)
        f->point[i] = (int32_t)i;
    l->sum = count_bins(f, l);
    find_split(f, l);
    while (n_leaf < LEAVES && (l = best_leaf(f, n_leaf)))
        split(f, tree, l, &f->leaf[n_leaf++]);
    for (int32_t k = 0; k < n_leaf; k++) {
        l = &f->leaf[k];
        lead(tree, l, -1 - k);
        tree->value[k] = step * l->sum / (double)l->n;
        for (int64_t i = l->first; i < l->first + l->n; i++)
            f->rest[f->point[i]] -= tree->value[k];
    }
    return tree->n_node > 0;
}

static scs_status fit_all(fit *f, const float *x, const float *y, scs_boost *boost)
{
    SCS_TRY(SCS_ALLOC(f->code, f->n * FEATURES));
    SCS_TRY(SCS_ALLOC(f->rest, f->n));
    SCS_TRY(SCS_ALLOC(f->point, f->n));
    SCS_TRY(SCS_ALLOC(f->other, f->n));
    SCS_TRY(SCS_ALLOC(f->leaf, LEAVES));
    SCS_TRY(code_points(f, x));
    for (int64_t i = 0; i < f->n; i++)
        boost->level += y[i] / (double)f->n;
    for (int64_t i = 0; i < f->n; i++)
        f->rest[i] = y[i] - boost->level;
    while (boost->n_tree < SCS_BOOST_TREES && grow(f, &boost->tree[boost->n_tree]))
        boost->n_tree++;
    return SCS_OK;
}

/* A tree without a split ends it: the next would have none either. */
scs_status scs_boost_fit(const float *x, const float *y, int64_t n, scs_boost *boost)
{
    fit f = {.n = n};
    scs_status st;

    *boost = (scs_boost){0};
    st = fit_all(&f, x, y, boost);
    free(f.leaf);
    free(f.other);
    free(f.point);
    free(f.rest);
    free(f.code);
    return st;
}

enum { AT_ONCE = 1024 }; /* points whose marks and sums stay in the nearest cache */

/* A tree, to be asked of many points without a branch: leaves are numbered from below to above, and
 * a split that sends a point above rules out the leaves below it; of what all splits leave the
 * first is the point's (Lucchese et al., QuickScorer, SIGIR 2015). */
typedef struct marks {
    int32_t n_node;
    int32_t feature[LEAVES - 1], threshold[LEAVES - 1]; /* ordered (order_bits) */
    uint32_t kept[LEAVES - 1];                          /* leaves that `above` leaves */
    double value[1 << LEAVES];                          /* by the leaves that are left */
} marks;

/* Number the leaves of a part of the tree from *next on. @return their bits */
static uint32_t mark(const scs_boost_tree *tree, int32_t at, int32_t *next, marks *m,
                     double *values)
{
    uint32_t below, above;

    if (at < 0) {
        values[*next] = tree->value[-1 - at];
        return 1u << (*next)++;
    }
    below = mark(tree, tree->below[at], next, m, values);
    above = mark(tree, tree->above[at], next, m, values);
    m->feature[at] = tree->feature[at];
    m->threshold[at] = order_bits(tree->threshold[at]);
    m->kept[at] = ~below;
    return below | above;
}

static void make_marks(const scs_boost_tree *tree, marks *m)
{
    double values[LEAVES] = {0};
    int32_t n = 0;

    m->n_node = tree->n_node;
    (void)mark(tree, tree->n_node > 0 ? 0 : -1, &n, m, values);
    for (int32_t set = 1; set < 1 << LEAVES; set++)
        m->value[set] = values[__builtin_ctz((unsigned)set)];
}

/* One split, of some points. */
SCS_VECTOR static void rule_out(const int32_t *x, int32_t threshold, uint32_t kept, int64_t n,
                                uint32_t *left)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        left[i] &= x[i] < threshold ? ~0u : kept;
}

static void add_tree(const marks *m, const int32_t *x, int64_t n, uint32_t *left, double *sum)
{
    for (int64_t i = 0; i < n; i++)
        left[i] = (1u << LEAVES) - 1;
    for (int32_t k = 0; k < m->n_node; k++)
        rule_out(x + (int64_t)m->feature[k] * AT_ONCE, m->threshold[k], m->kept[k], n, left);
    for (int64_t i = 0; i < n; i++)
        sum[i] += m->value[left[i]];
}

/* The trees of a point are added in their order: the bits of walking down each. */
void scs_boost_add(const scs_boost *boost, const float *x, int64_t n, double scale, double *out)
{
    int32_t order[FEATURES * AT_ONCE];
    uint32_t left[AT_ONCE];
    double sum[AT_ONCE];
    marks m;

    for (int64_t first = 0; first < n; first += AT_ONCE) {
        int64_t some = n - first < AT_ONCE ? n - first : AT_ONCE;

        for (int64_t i = 0; i < some; i++) {
            sum[i] = boost->level;
            for (int j = 0; j < FEATURES; j++)
                order[j * AT_ONCE + i] = order_bits(x[j * n + first + i]);
        }
        for (int32_t t = 0; t < boost->n_tree; t++) {
            make_marks(&boost->tree[t], &m);
            add_tree(&m, order, some, left, sum);
        }
        for (int64_t i = 0; i < some; i++)
            out[first + i] += scale * sum[i];
    }
}
