/* Writes a small data set and its Wilcoxon scores to a file: a line "label x_0 ... x_n" a cell,
 * then "z z_0 ... z_n". For check_wilcoxon.py. */
#include "tests/unit/fixture_atlas.h"

enum { N_CELL = 900, N_GENE = 40 };

static const char *path;

static void print_cells(const test_atlas *s, FILE *out)
{
    for (int64_t i = 0; i < N_CELL; i++) {
        if (s->d.role[i] == SCS_ROLE_UNUSED)
            continue;
        fprintf(out, "%s", s->d.conditions.name[s->d.cell_condition[i]]);
        for (int32_t g = 0; g < N_GENE; g++)
            fprintf(out, " %.9g", test_atlas_value(s, i, g));
        fprintf(out, "\n");
    }
}

static void dump(void)
{
    test_atlas s;
    scs_atlas *atlas;
    scs_gene_slice slice;
    double z[N_GENE];
    FILE *out = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    test_atlas_create(&s, N_CELL, N_GENE, 1, 1, 3, 9);
    CHECK_OK(scs_atlas_create(&s.d, 1, &atlas));
    test_atlas_slice(&s, atlas, 0, N_GENE, &slice);
    CHECK_OK(wilcoxon_of_pair(atlas, &slice, 1, 0, z));
    print_cells(&s, out);
    fprintf(out, "z");
    for (int32_t g = 0; g < N_GENE; g++)
        fprintf(out, " %.17g", z[g]);
    fprintf(out, "\n");
    CU_ASSERT_EQUAL(fclose(out), 0);
    scs_gene_moments_slice_clear(&slice);
    scs_atlas_destroy(&atlas);
    test_atlas_destroy(&s);
}

int main(int argc, char **argv)
{
    static const scs_test tests[] = {{"dump", dump}};

    if (argc != 2)
        return 2;
    path = argv[1];
    return run_suite("dump_wilcoxon", tests, 1);
}
