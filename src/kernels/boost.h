/** Boosted regression trees: a smooth-enough function of a few features, learnt from many points.
 *
 *  Each of at most SCS_BOOST_TREES small trees is fitted to what those before it have left of y,
 * and a tenth of it is added (gradient boosting with squared error: Friedman, Annals of Statistics
 *  2001). A tree grows by the split that lowers the squared error most, wherever that is, among at
 *  most 255 thresholds a feature (quantiles). Nothing is extrapolated: beyond the points the
 *  function is as at the nearest ones, and it never leaves the range of what trees add up to.
 *
 *  No random numbers, sums in the order of the points: the same points give the same bits. Local.
 */
#ifndef SCS_BOOST_H
#define SCS_BOOST_H

#include "scscreen/status.h"

enum {
    SCS_BOOST_FEATURES = 3,
    SCS_BOOST_TREES = 60,
    SCS_BOOST_LEAVES = 8,
    SCS_BOOST_LEAST = 40 /**< points of a leaf, at least */
};

/** Node 0 is the root; a place below 0 is leaf -1 - place. */
typedef struct scs_boost_tree {
    int32_t n_node; /**< splits; 0: the tree is one leaf */
    int32_t feature[SCS_BOOST_LEAVES - 1];
    int32_t below[SCS_BOOST_LEAVES - 1], above[SCS_BOOST_LEAVES - 1];
    float threshold[SCS_BOOST_LEAVES - 1]; /**< x < threshold goes below */
    double value[SCS_BOOST_LEAVES];
} scs_boost_tree;

/** Nothing in it is allocated: it is copied and sent as it is. */
typedef struct scs_boost {
    int32_t n_tree;
    double level; /**< mean of y */
    scs_boost_tree tree[SCS_BOOST_TREES];
} scs_boost;

/** O(trees n features). SCS_ENOMEM.
 *  @param x [n, SCS_BOOST_FEATURES] finite  @param y [n] finite  @param n 1 at least */
SCS_MUST_USE scs_status scs_boost_fit(const float *x, const float *y, int64_t n, scs_boost *boost);
/** out[i] += scale x what was learnt of point i. O(trees n).
 *  @param x [SCS_BOOST_FEATURES, n] finite  @param out [n] */
void scs_boost_add(const scs_boost *boost, const float *x, int64_t n, double scale, double *out);

#endif
