/* The one order of sums over shards: however the leaves are cut into ranks, the same bits. */
#include "src/base/random.h"
#include "scscreen/shard.h"
#include "src/data/team.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

enum { V = 8, LEN = 5000 };

static double leaf_double[V][LEN];
static float leaf_float[V][LEN];

/* Numbers of very different size, so that the order of a sum shows in its bits. */
static void fill(void)
{
    for (int v = 0; v < V; v++) {
        scs_stream stream = {3, SCS_RANDOM_SIMULATE, 0, (uint64_t)v};

        scs_random_normal(&stream, LEN, leaf_double[v]);
        for (int i = 0; i < LEN; i++) {
            leaf_double[v][i] *= pow(10, i % 9);
            leaf_float[v][i] = (float)leaf_double[v][i];
        }
    }
}

static double whole_double(int i, int first, int size)
{
    return size == 1
               ? leaf_double[first][i]
               : whole_double(i, first, size / 2) + whole_double(i, first + size / 2, size / 2);
}

static float whole_float(int i, int first, int size)
{
    return size == 1 ? leaf_float[first][i]
                     : whole_float(i, first, size / 2) + whole_float(i, first + size / 2, size / 2);
}

/* The next boundary after leaf `from`: bit b of cut says that a rank begins at leaf b + 1. */
static int next_cut(int cut, int from)
{
    int to = from + 1;

    while (to < V && !(cut >> (to - 1) & 1))
        to++;
    return to;
}

/* Each rank folds its leaves, all subtrees are then added in tree order. @return number of subtrees
 */
static int sum_over_ranks(int cut, double *d[V], float *f[V])
{
    scs_subtree all[V];
    double *part_d[V];
    float *part_f[V];
    int n = 0;

    for (int first = 0, last; first < V; first = last) {
        scs_subtree mine[SCS_SUBTREE_MAX];
        int n_mine;

        last = next_cut(cut, first);
        n_mine = scs_team_tree_fold_double(d + first, first, last, V, LEN, mine);
        scs_team_tree_fold_float(f + first, first, last, V, LEN, mine);
        for (int k = 0; k < n_mine; k++, n++) {
            all[n] = mine[k];
            part_d[n] = d[mine[k].first];
            part_f[n] = f[mine[k].first];
        }
    }
    /* wherever the total is asked for */
    scs_team_tree_sum_double(part_d, all, n, n - 1, LEN);
    memmove(d[0], part_d[n - 1], LEN * sizeof **d);
    scs_team_tree_sum_float(part_f, all, n, cut % n, LEN);
    memmove(f[0], part_f[cut % n], LEN * sizeof **f);
    return n;
}

static void test_any_cut(void)
{
    static double d[V][LEN];
    static float f[V][LEN];
    int wrong = 0;

    fill();
    for (int cut = 0; cut < 1 << (V - 1); cut++) {
        double *row_d[V];
        float *row_f[V];

        memcpy(d, leaf_double, sizeof d);
        memcpy(f, leaf_float, sizeof f);
        for (int v = 0; v < V; v++) {
            row_d[v] = d[v];
            row_f[v] = f[v];
        }
        CU_ASSERT(sum_over_ranks(cut, row_d, row_f) >= __builtin_popcount((unsigned)cut) + 1);
        for (int i = 0; i < LEN; i++)
            wrong += d[0][i] != whole_double(i, 0, V) || f[0][i] != whole_float(i, 0, V);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* The test above means something: from left to right the bits differ. */
static void test_order_shows(void)
{
    int differ = 0;

    fill();
    for (int i = 0; i < LEN; i++) {
        float sum = 0;

        for (int v = 0; v < V; v++)
            sum += leaf_float[v][i];
        differ += sum != whole_float(i, 0, V);
    }
    CU_ASSERT(differ > LEN / 10);
}

static void test_cover(void)
{
    for (int32_t n_leaf = 1; n_leaf <= 64; n_leaf *= 2)
        for (int32_t first = 0; first <= n_leaf; first++)
            for (int32_t last = first; last <= n_leaf; last++) {
                scs_subtree s[SCS_SUBTREE_MAX];
                int n = scs_team_tree_cover(first, last, n_leaf, s);
                int32_t at = first;

                for (int k = 0; k < n; at += s[k++].size) {
                    CU_ASSERT_EQUAL(s[k].first, at);
                    CU_ASSERT_EQUAL(s[k].size & (s[k].size - 1), 0);
                    CU_ASSERT_EQUAL(s[k].first % s[k].size, 0);
                }
                CU_ASSERT_EQUAL(at, last);
            }
}

/* The team of one process adds in the same order. */
static void test_team_alone(void)
{
    scs_team team = scs_team_alone(V);
    static double total[LEN], parts[V][LEN];
    static float f[V][LEN], slice[LEN];
    float *row[V];
    int64_t bound[V + 1];
    int wrong = 0;

    fill();
    memcpy(parts, leaf_double, sizeof parts);
    memcpy(f, leaf_float, sizeof f);
    for (int v = 0; v < V; v++)
        row[v] = f[v];
    for (int v = 0; v <= V; v++)
        bound[v] = (int64_t)LEN * v / V;
    CHECK_OK(team.sum(team.ctx, parts[0], LEN, total));
    CHECK_OK(team.reduce_slice(team.ctx, row, bound, false, slice));
    for (int i = 0; i < LEN; i++)
        wrong += total[i] != whole_double(i, 0, V) || slice[i] != whole_float(i, 0, V);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(team.agree(team.ctx, SCS_EDATA), SCS_EDATA);
}

int main(void)
{
    static const scs_test tests[] = {
        {"any cut into ranks gives the same bits", test_any_cut},
        {"another order gives other bits", test_order_shows},
        {"maximal aligned subtrees cover a range", test_cover},
        {"the team of one process", test_team_alone},
    };

    return run_suite("tree", tests, sizeof tests / sizeof *tests);
}
