/* The linear model against dense computations. */
#include "src/model/pca.h"
#include "tests/unit/fixture_atlas.h"

enum { N_CELL = 50, N_GENE = 12, K = 3 };

typedef struct setup {
    test_atlas s;
    scs_pca *pca;
    scs_real z[N_CELL * K];
} setup;

/* Loadings need not be orthogonal for what is tested here. */
static void begin(setup *t)
{
    test_atlas_create(&t->s, N_CELL, N_GENE, 1, 1, 2, 5);
    CHECK_OK(scs_pca_create(N_GENE, K, &t->pca));
    for (uint64_t g = 0; g < N_GENE; g++)
        t->pca->center[g] = uniform(1, g);
    for (uint64_t i = 0; i < N_GENE * K; i++)
        t->pca->loading[i] = uniform(2, i) - .5;
    CHECK_OK(scs_pca_encode(t->pca, &t->s.packed, 0, N_CELL, t->z));
}

static void end(setup *t)
{
    scs_pca_destroy(&t->pca);
    test_atlas_destroy(&t->s);
}

static void encodes_centred_cells(void)
{
    setup t;

    begin(&t);
    for (int64_t i = 0; i < N_CELL; i++)
        for (int c = 0; c < K; c++) {
            double expected = 0;

            for (int32_t g = 0; g < N_GENE; g++)
                expected += ((double)test_atlas_value(&t.s, i, g) - t.pca->center[g]) *
                            t.pca->loading[g * K + c];
            CU_ASSERT_DOUBLE_EQUAL(t.z[i * K + c], expected, 1e-5);
        }
    end(&t);
}

/* decode(mean) = mean(decode), and the variance is that of the decoded cells. */
static void moments_are_those_of_decoded_cells(void)
{
    static const double delta[K] = {.5, -1, 2};
    double mean[N_GENE], variance[N_GENE], still[N_GENE];
    setup t;

    begin(&t);
    CHECK_OK(scs_pca_decoded_moments(t.pca, t.z, N_CELL, delta, mean, variance));
    CHECK_OK(scs_pca_decoded_moments(t.pca, t.z, N_CELL, NULL, still, NULL));
    for (int g = 0; g < N_GENE; g++) {
        double sum = 0, square = 0, moved = 0;

        for (int i = 0; i < N_CELL; i++) {
            double x = t.pca->center[g];

            for (int c = 0; c < K; c++)
                x += t.pca->loading[g * K + c] * (t.z[i * K + c] + delta[c]);
            sum += x;
            square += x * x;
        }
        for (int c = 0; c < K; c++)
            moved += t.pca->loading[g * K + c] * delta[c];
        CU_ASSERT_DOUBLE_EQUAL(mean[g], sum / N_CELL, 1e-10);
        CU_ASSERT_DOUBLE_EQUAL(variance[g], square / N_CELL - sum / N_CELL * sum / N_CELL, 1e-10);
        CU_ASSERT_DOUBLE_EQUAL(mean[g] - still[g], moved, 1e-10);
    }
    end(&t);
}

static void components_have_a_direction(void)
{
    setup t;

    begin(&t);
    for (int g = 0; g < N_GENE; g++)
        t.pca->loading[g * K] = g == 7 ? -3 : g == 9 ? 2 : .1;
    scs_pca_orient(t.pca);
    CU_ASSERT_EQUAL(t.pca->loading[7 * K], 3);
    CU_ASSERT_EQUAL(t.pca->loading[9 * K], -2);
    end(&t);
}

int main(void)
{
    static const scs_test tests[] = {
        {"encodes centred cells", encodes_centred_cells},
        {"moments are those of decoded cells", moments_are_those_of_decoded_cells},
        {"components have a direction", components_have_a_direction},
    };

    return run_suite("pca", tests, sizeof tests / sizeof *tests);
}
