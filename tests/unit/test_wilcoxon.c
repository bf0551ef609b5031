/* Wilcoxon scores against ranks counted pair by pair; the same data goes through scanpy in
 * tests/formats/check_wilcoxon.py. */
#include "tests/unit/fixture_atlas.h"

enum { N_CELL = 600, N_GENE = 25 };

/* Average rank of x among both samples, and how many are tied with it (itself included), by
 * counting. */
static double counted_rank(const test_atlas *s, const scs_group *a, const scs_group *b,
                           int32_t gene, float x, double *tied)
{
    double below = 0;

    *tied = 0;
    for (int64_t i = 0; i < N_CELL; i++) {
        float y = test_atlas_value(s, i, gene);

        if (!test_atlas_in_group(s, a, i) && !test_atlas_in_group(s, b, i))
            continue;
        below += y < x;
        *tied += y == x;
    }
    return below + (*tied + 1) / 2;
}

static double counted_score(const test_atlas *s, const scs_group *a, const scs_group *b,
                            int32_t gene)
{
    double rank_sum = 0, ties = 0, n = (double)a->count, m = (double)b->count, all = n + m;
    double std;

    for (int64_t i = 0; i < N_CELL; i++) {
        bool in_a = test_atlas_in_group(s, a, i);
        double tied, rank;

        if (!in_a && !test_atlas_in_group(s, b, i))
            continue;
        rank = counted_rank(s, a, b, gene, test_atlas_value(s, i, gene), &tied);
        ties += tied * tied - 1; /* over the cells of a tie: t (t^2 - 1) */
        rank_sum += in_a ? rank : 0;
    }
    std = sqrt((1 - ties / (all * all * all - all)) * n * m * (all + 1) / 12);
    return std > 0 ? (rank_sum - n * (all + 1) / 2) / std : 0;
}

static void check_group(const test_atlas *s, const scs_atlas *atlas, const scs_gene_slice *slice,
                        int32_t group, int32_t control)
{
    double z[N_GENE];

    CHECK_OK(wilcoxon_of_pair(atlas, slice, group, control, z));
    for (int32_t g = slice->gene0; g < slice->gene1; g++)
        CU_ASSERT_DOUBLE_EQUAL(z[g - slice->gene0],
                               counted_score(s, &atlas->group[group], &atlas->group[control], g),
                               1e-12);
}

static void scores_equal_counted_ranks(void)
{
    test_atlas s;
    scs_atlas *atlas;
    scs_gene_slice slice;

    test_atlas_create(&s, N_CELL, N_GENE, 1, 3, 2, 3);
    CHECK_OK(scs_atlas_create(&s.d, 2, &atlas));
    test_atlas_slice(&s, atlas, 0, N_GENE, &slice);
    for (int32_t g = 0; g < atlas->n_group; g += 2)
        check_group(&s, atlas, &slice, g + 1, g);
    scs_gene_moments_slice_clear(&slice);
    test_atlas_slice(&s, atlas, 7, 19, &slice);
    check_group(&s, atlas, &slice, 5, 4);
    scs_gene_moments_slice_clear(&slice);
    scs_atlas_destroy(&atlas);
    test_atlas_destroy(&s);
}

/* A gene nobody expresses has no score, one that only the group expresses has a high one, the other
 * way round its negative. */
static void signs_and_silent_genes(void)
{
    test_atlas s;
    scs_atlas *atlas;
    scs_gene_slice slice;
    double z[N_GENE], back[N_GENE];

    test_atlas_create(&s, N_CELL, N_GENE, 1, 2, 2, 4);
    for (int64_t i = 0; i < N_CELL; i++)
        for (int64_t k = s.x.indptr[i]; k < s.x.indptr[i + 1]; k++)
            if (s.x.indices[k] == 1 && s.d.cell_condition[i] == 0)
                s.x.values[k] = 0; /* an explicit zero is a zero */
    CHECK_OK(scs_atlas_create(&s.d, 2, &atlas));
    test_atlas_slice(&s, atlas, 0, N_GENE, &slice);
    CHECK_OK(wilcoxon_of_pair(atlas, &slice, 1, 0, z));
    CHECK_OK(wilcoxon_of_pair(atlas, &slice, 0, 1, back));
    CU_ASSERT_EQUAL(z[0], 0);
    CU_ASSERT(z[1] > 5);
    for (int32_t g = 0; g < N_GENE; g++)
        CU_ASSERT_DOUBLE_EQUAL(z[g], -back[g], 1e-12);
    scs_gene_moments_slice_clear(&slice);
    scs_atlas_destroy(&atlas);
    test_atlas_destroy(&s);
}

static void top_genes_are_the_largest(void)
{
    static const double z[] = {1, -3, 2, 3, 0, -2};
    int32_t gene[8];
    double score[8];

    CHECK_OK(scs_deg_top_genes(z, 6, 100, 8, gene, score));
    static const int32_t expected[] = {101, 103, 102, 105, 100, 104, -1, -1};
    CU_ASSERT(memcmp(gene, expected, sizeof expected) == 0);
    CU_ASSERT_EQUAL(score[0], 3);
    CU_ASSERT_EQUAL(score[5], 0);
    CU_ASSERT_EQUAL(score[6], -1);
    CHECK_OK(scs_deg_top_genes(z, 6, 0, 2, gene, score));
    CU_ASSERT_EQUAL(gene[1], 3);
}

int main(void)
{
    static const scs_test tests[] = {{"scores equal counted ranks", scores_equal_counted_ranks},
                                     {"signs and silent genes", signs_and_silent_genes},
                                     {"top genes are the largest", top_genes_are_the_largest}};

    return run_suite("wilcoxon", tests, sizeof tests / sizeof *tests);
}
