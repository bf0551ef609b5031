/* The tree sum over shards, and the team of one process.
 *
 * Floating-point addition is not associative: the sum of V partials has the same bits on any
 * number of ranks only if it is made in one order. That order is the balanced binary tree over
 * the V = 2^k leaves. A rank that owns leaves [first, last) adds up the maximal aligned subtrees
 * in its range; whoever gets all ranks' subtree sums goes on in the same tree, because each of
 * them is one of its nodes. A range of leaves has at most 2 log2 V such subtrees.
 *
 * Both steps are memory-bound; they walk in pieces of PIECE elements through all rows, so that a
 * piece stays in the cache on its way up the tree, and pieces are what threads share: an element
 * is summed by one thread, in tree order. All functions are Local.
 */
#include "src/data/team.h"

#include "src/base/simd.h"
#include "scscreen/shard.h"
#include "scscreen/status.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Elements that are summed at a time: 16 KiB of float a row. */
enum { PIECE = 4096 };

/* ---- the tree ---- */

/* The largest size that divides `first` (its lowest set bit; all leaves for 0) and fits is the
 * next one. */
int scs_team_tree_cover(int32_t first, int32_t last, int32_t n_leaf, scs_subtree *out)
{
    int n = 0;

    while (first < last) {
        int32_t size = first ? first & -first : n_leaf;

        while (size > last - first)
            size /= 2;
        out[n++] = (scs_subtree){first, size};
        first += size;
    }
    return n;
}

/* Is `right` the sibling that follows `left`? Then their sum is the sum of their parent. */
static bool siblings(scs_subtree left, scs_subtree right)
{
    return left.size == right.size && left.first + left.size == right.first &&
           left.first % (2 * left.size) == 0;
}

/* The pending left subtrees on the way up shrink strictly, so SCS_SUBTREE_MAX of them are enough.
 */
#define DEFINE_TREE(type)                                                                          \
    SCS_VECTOR static void add_##type(type *into, const type *from, int64_t len)                   \
    {                                                                                              \
        _Pragma("omp simd") for (int64_t i = 0; i < len; i++) into[i] += from[i];                  \
    }                                                                                              \
                                                                                                   \
    static void sum_piece_##type(type *const *part, const scs_subtree *subtree, int n_part,        \
                                 int keep, int64_t from, int64_t len)                              \
    {                                                                                              \
        scs_subtree pending[SCS_SUBTREE_MAX];                                                      \
        int owner[SCS_SUBTREE_MAX], n = 0;                                                         \
                                                                                                   \
        for (int i = 0; i < n_part; i++) {                                                         \
            pending[n] = subtree[i];                                                               \
            owner[n++] = i;                                                                        \
            for (; n > 1 && siblings(pending[n - 2], pending[n - 1]); n--) {                       \
                int from_right = owner[n - 1], into = owner[n - 2];                                \
                                                                                                   \
                if (from_right == keep)                                                            \
                    from_right = into, into = keep;                                                \
                add_##type(part[into] + from, part[from_right] + from, len);                       \
                owner[n - 2] = into;                                                               \
                pending[n - 2].size *= 2;                                                          \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    void scs_team_tree_sum_##type(type *const *part, const scs_subtree *subtree, int n_part,       \
                                  int keep, int64_t len)                                           \
    {                                                                                              \
        _Pragma("omp parallel for if (len > PIECE)") for (int64_t at = 0; at < len; at += PIECE)   \
            sum_piece_##type(part, subtree, n_part, keep, at,                                      \
                             len - at < PIECE ? len - at : PIECE);                                 \
    }                                                                                              \
                                                                                                   \
    static void fold_piece_##type(type *const *leaf, int32_t size, int64_t from, int64_t len)      \
    {                                                                                              \
        for (int32_t step = 1; step < size; step *= 2)                                             \
            for (int32_t i = 0; i < size; i += 2 * step)                                           \
                add_##type(leaf[i] + from, leaf[i + step] + from, len);                            \
    }                                                                                              \
                                                                                                   \
    int scs_team_tree_fold_##type(type *const *leaf, int32_t first, int32_t last, int32_t n_leaf,  \
                                  int64_t len, scs_subtree *out)                                   \
    {                                                                                              \
        int n = scs_team_tree_cover(first, last, n_leaf, out);                                     \
                                                                                                   \
        _Pragma("omp parallel for if (len > PIECE)") for (int64_t at = 0; at < len;                \
                                                          at += PIECE) for (int i = 0; i < n; i++) \
            fold_piece_##type(leaf + (out[i].first - first), out[i].size, at,                      \
                              len - at < PIECE ? len - at : PIECE);                                \
        return n;                                                                                  \
    }

DEFINE_TREE(double)
DEFINE_TREE(float)

/* ---- the team of one process ---- */

/* The context of a team of one process is its number of shards, kept in the pointer itself. */
static int32_t shards_of(const void *ctx)
{
    return (int32_t)(intptr_t)ctx;
}

/* @param parts [n_shard, len], destroyed */
static scs_status alone_sum(void *ctx, double *parts, int64_t len, double *total)
{
    int32_t n_shard = shards_of(ctx);
    scs_subtree whole[SCS_SUBTREE_MAX];
    double **part;

    SCS_TRY(SCS_ALLOC(part, n_shard));
    for (int32_t v = 0; v < n_shard; v++)
        part[v] = parts + v * len;
    scs_team_tree_fold_double(part, 0, n_shard, n_shard, len, whole);
    memcpy(total, part[0], (size_t)len * sizeof *total);
    free(part);
    return SCS_OK;
}

/* All shards are here, so that the slice is everything from bound[0] to bound[n_shard]. */
static scs_status alone_reduce_slice(void *ctx, scs_real *const *part, const int64_t *bound,
                                     bool open, scs_real *slice)
{
    int32_t n_shard = shards_of(ctx);
    int64_t n = bound[n_shard] - bound[0];
    scs_subtree whole[SCS_SUBTREE_MAX];
    scs_real **at;

    (void)open;
    SCS_TRY(SCS_ALLOC(at, n_shard));
    for (int32_t v = 0; v < n_shard; v++)
        at[v] = part[v] + bound[0];
    scs_team_tree_fold_real(at, 0, n_shard, n_shard, n, whole);
    if (slice != at[0]) /* it may overlap part[0] */
        memmove(slice, at[0], (size_t)n * sizeof *slice);
    free(at);
    return SCS_OK;
}

/* Nothing travels: reduce_end does all of it. */
static scs_status alone_reduce_begin(void *ctx, scs_real *const *part, const int64_t *bound,
                                     bool open)
{
    (void)ctx, (void)part, (void)bound, (void)open;
    return SCS_OK;
}

/* Zeroed, as the team's contract says. */
static scs_status alone_open_parts(void *ctx, int64_t n, scs_real **part)
{
    for (int32_t v = 0; v < shards_of(ctx); v++)
        SCS_TRY(SCS_ALLOC(part[v], n));
    return SCS_OK;
}

static void alone_close_parts(void *ctx, scs_real **part)
{
    for (int32_t v = 0; v < shards_of(ctx); v++)
        free(part[v]);
}

/* One rank has one copy already. */
static scs_status alone_share_values(void *ctx, int64_t n, scs_real **values)
{
    (void)ctx, (void)n, (void)values;
    return SCS_OK;
}

static void alone_unshare_values(void *ctx, int64_t n, scs_real **values)
{
    (void)ctx, (void)n, (void)values;
}

/* All slices are here already. */
static scs_status alone_gather_slices(void *ctx, scs_real *values, const int64_t *bound)
{
    (void)ctx, (void)values, (void)bound;
    return SCS_OK;
}

static scs_status alone_gather_end(void *ctx)
{
    (void)ctx;
    return SCS_OK;
}

/* There is no other rank. */
static scs_status alone_exchange(void *ctx, const void *const *out, const int64_t *n_out,
                                 void *const *in, const int64_t *n_in)
{
    (void)ctx, (void)out, (void)n_out, (void)in, (void)n_in;
    return SCS_OK;
}

/* One rank agrees with itself. */
static scs_status alone_agree(void *ctx, scs_status mine)
{
    (void)ctx;
    return mine;
}

static scs_status alone_share(void *ctx, void *bytes, int64_t size)
{
    (void)ctx, (void)bytes, (void)size;
    return SCS_OK;
}

/* The hooks of one process: sums are made in the same tree as on many ranks, so that tests
 * without MPI see the same bits. */
scs_team scs_team_alone(int32_t n_shard)
{
    return (scs_team){.n_shard = n_shard,
                      .first = 0,
                      .last = n_shard,
                      .n_rank = 1,
                      .rank = 0,
                      .ctx = (void *)(intptr_t)n_shard,
                      .sum = alone_sum,
                      .reduce_slice = alone_reduce_slice,
                      .reduce_begin = alone_reduce_begin,
                      .reduce_end = alone_reduce_slice,
                      .open_parts = alone_open_parts,
                      .close_parts = alone_close_parts,
                      .share_values = alone_share_values,
                      .unshare_values = alone_unshare_values,
                      .gather_slices = alone_gather_slices,
                      .gather_begin = alone_gather_slices,
                      .gather_end = alone_gather_end,
                      .exchange = alone_exchange,
                      .agree = alone_agree,
                      .share = alone_share};
}
