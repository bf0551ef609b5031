/** The one order in which shards' partial sums are added: the balanced binary tree over V = 2^k
 *  leaves.
 *
 *  Every sum over shards in the program goes through here, so that results have the same bits on
 *  any number of ranks. Nothing here allocates or fails. All functions are Local.
 */
#ifndef SCS_TEAM_H
#define SCS_TEAM_H

#include "scscreen/status.h"

/** A maximal aligned subtree within a range of leaves: leaves [first, first + size), size a power
 * of two, first % size == 0. */
typedef struct scs_subtree {
    int32_t first, size;
} scs_subtree;

/** More than any range of int32 leaves has: 2 log2 V at most. */
enum { SCS_SUBTREE_MAX = 64 };

/** Cut leaves [first, last) of a tree over n_leaf leaves into maximal aligned subtrees, in order.
 *  @param n_leaf V, a power of two
 *  @param[out] out [SCS_SUBTREE_MAX]  @return how many */
int scs_team_tree_cover(int32_t first, int32_t last, int32_t n_leaf, scs_subtree *out);

/** Sum rows in tree order, in place. part[i] is the sum of subtree i, as scs_team_tree_cover gives
 *  them over the whole tree, ranks in turn; the total ends in part[keep], whose bits are the same
 *  for any keep. The other rows are destroyed. O(n_part len), on all threads.
 *  @param part [n_part] pointers to len values  @param subtree [n_part] */
void scs_team_tree_sum_double(double *const *part, const scs_subtree *subtree, int n_part, int keep,
                              int64_t len);
/** The same of floats, each sum rounded to float: what gradients are. */
void scs_team_tree_sum_float(float *const *part, const scs_subtree *subtree, int n_part, int keep,
                             int64_t len);

/** Sum leaves within each maximal subtree of [first, last), in place; afterwards
 *  leaf[s.first - first] holds the sum of subtree s. O(leaves len), on all threads.
 *  @param leaf [last - first] pointers to len values
 *  @param[out] out [SCS_SUBTREE_MAX]  @return number of subtrees, listed in out */
int scs_team_tree_fold_double(double *const *leaf, int32_t first, int32_t last, int32_t n_leaf,
                              int64_t len, scs_subtree *out);
/** The same of floats, each sum rounded to float. */
int scs_team_tree_fold_float(float *const *leaf, int32_t first, int32_t last, int32_t n_leaf,
                             int64_t len, scs_subtree *out);

/* Of gradients: scs_real is double in the builds that test gradients (SCS_DOUBLE). */
#ifdef SCS_DOUBLE
#define scs_team_tree_fold_real scs_team_tree_fold_double
#else
#define scs_team_tree_fold_real scs_team_tree_fold_float
#endif

#endif
