#include "src/tree.h"

#include "src/simd.h"

#include <stdbool.h>

/* Elements summed at a time, so that the rows of one piece stay in the cache on their way up the
 * tree. */
enum { PIECE = 4096 };

int scs_tree_cover(int32_t first, int32_t last, int32_t n_leaf, scs_subtree *out)
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

/* Is `right` the sibling that follows `left`? */
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
    void scs_tree_sum_##type(type *const *part, const scs_subtree *subtree, int n_part, int keep,  \
                             int64_t len)                                                          \
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
    int scs_tree_fold_##type(type *const *leaf, int32_t first, int32_t last, int32_t n_leaf,       \
                             int64_t len, scs_subtree *out)                                        \
    {                                                                                              \
        int n = scs_tree_cover(first, last, n_leaf, out);                                          \
                                                                                                   \
        _Pragma("omp parallel for if (len > PIECE)") for (int64_t at = 0; at < len;                \
                                                          at += PIECE) for (int i = 0; i < n; i++) \
            fold_piece_##type(leaf + (out[i].first - first), out[i].size, at,                      \
                              len - at < PIECE ? len - at : PIECE);                                \
        return n;                                                                                  \
    }

DEFINE_TREE(double)
DEFINE_TREE(float)
