/* GMT files, and the scores of their sets against direct computation. */
#include "src/result/gene_sets.h"
#include "tests/unit/fixture_h5ad.h"
#include "tests/unit/scratch.h"

#include <math.h>

static scs_status read_text(const char *text, const char *genes, scs_gene_sets **sets)
{
    scs_names names = words(genes);
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    scs_status st;

    *sets = NULL;
    scratch_make(folder);
    scratch_write(scratch_path(folder, "sets.gmt", path), text);
    st = scs_gene_sets_read(path, &names, sets);
    scratch_remove(folder);
    scs_names_clear(&names);
    return st;
}

/* Known genes once each, in the file's order; case counts; line ends and trailing tabs do not. */
static void sets_are_read(void)
{
    static const char *const texts[] = {
        "one\thttp\tg3\tg1\tG2\tg1\nnone\t\tx\ty\n",
        "\xef\xbb\xbfone\thttp\tg3\tg1\tG2\tg1\t\r\n\r\nnone\tna\tx\ty\t\t",
    };
    scs_gene_sets *s;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK_OK(read_text(texts[i], "g1 g2 g3", &s));
        CU_ASSERT_EQUAL_FATAL(s->name.n, 2);
        CU_ASSERT_STRING_EQUAL(s->name.name[0], "one");
        CU_ASSERT_STRING_EQUAL(s->name.name[1], "none");
        CU_ASSERT_EQUAL(s->n_listed[0], 4);
        CU_ASSERT_EQUAL(s->n_listed[1], 2);
        CU_ASSERT(s->first[0] == 0 && s->first[1] == 2 && s->first[2] == 2);
        CU_ASSERT(s->gene[0] == 2 && s->gene[1] == 0);
        scs_gene_sets_destroy(&s);
        CU_ASSERT_PTR_NULL(s);
    }
}

static void malformed_files_are_refused(void)
{
    static const char *const bad[][2] = {
        {"", "no gene set"},
        {"\n\n", "no gene set"},
        {"one\tx\tg1\nIL2\n", "sets.gmt:2: fewer than three columns ('IL2')"},
        {"one\tg1\n", "sets.gmt:1: fewer than three columns"},
        {"one g1 g2\n", "sets.gmt:1: fewer than three columns"},
        {"one\tx\tg1\n\n\tx\tg1\n", "sets.gmt:3: the set has no name"},
        {"one\tx\t\t\n", "sets.gmt:1: set 'one' lists no genes"},
        {"one\tx\tg1\none\ty\tg2\n", "set 'one' stands there twice"},
        {"one\tx\tg1\ntwo\t\xff\tg1\n", "sets.gmt:2: not UTF-8"},
        {"one\tx\tENSG1\ntwo\tx\tENSG2\n",
         "sets.gmt: none of the genes of its 2 sets is in the data: it lists ENSG1, the data have "
         "g1, g2; genes are compared as they are written"},
        {"one\tx\t\x1b[1m\tG2\n",
         "of its 1 set is in the data: it lists \\x1b[1m, the data have g1"},
        {"one\tx\tG2\tIL2\n", "it lists G2, the data have g2; genes"},
    };
    scs_gene_sets *s;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_FAILS(read_text(bad[i][0], "g1 g2", &s), SCS_EDATA, bad[i][1]);
        CU_ASSERT_PTR_NULL(s);
    }
}

static void scores_are_differences_of_means(void)
{
    const float shift[] = {1, -1, 3, 0, 2};
    double sd = sqrt(10. / 5); /* mean 1, squared deviations 0 4 4 1 1 */
    const float flat[] = {.5f, .5f, .5f, .5f, .5f};
    float score[3], z[3];
    scs_gene_sets *s;

    CHECK_OK(read_text("up\t.\ta\tc\tq\nall\t.\ta\tb\tc\td\te\nnone\t.\tq\n", "a b c d e", &s));
    scs_gene_sets_score(s, shift, 5, score, z);
    CU_ASSERT_DOUBLE_EQUAL(score[0], 1, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(z[0], sqrt(2) / sd, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(score[1], 0, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(z[1], 0, 1e-6);
    CU_ASSERT(isnan(score[2]) && isnan(z[2]));
    scs_gene_sets_score(s, flat, 5, score, z);
    CU_ASSERT(score[0] == 0 && isnan(z[0]));
    scs_gene_sets_destroy(&s);
}

int main(void)
{
    static const scs_test tests[] = {
        {"sets are read", sets_are_read},
        {"malformed files are refused", malformed_files_are_refused},
        {"scores are differences of means", scores_are_differences_of_means},
    };

    return run_suite("gene sets", tests, sizeof tests / sizeof *tests);
}
