#include "tests/unit/datasets.h"
#include "tests/unit/scratch.h"

static void genes_are_those_of_every_input_in_the_first_ones_order(void)
{
    scs_dataset *d;
    const int32_t one[] = {0, -1, 1, 2}, two[] = {2, -1, 1, 0};

    CHECK_OK(create_two("", &d));
    check_names(&d->genes, "g1, g3, g4");
    CU_ASSERT_EQUAL(d->n_gene, 3);
    CU_ASSERT_EQUAL(d->n_dropped_genes, 1);
    CU_ASSERT_EQUAL(memcmp(d->gene_of_column[0], one, sizeof one), 0);
    CU_ASSERT_EQUAL(memcmp(d->gene_of_column[1], two, sizeof two), 0);
    CU_ASSERT(has_note(d, "1 of 4 reference genes are not in every input"));
    scs_dataset_destroy(&d);
    CU_ASSERT_PTR_NULL(d);
}

static void duplicate_genes_are_refused(void)
{
    scs_h5ad *m[MOST_INPUTS] = {meta("a.h5ad", "g1 g2 g1", "T", "ctrl", NULL)};
    scs_h5ad *none[MOST_INPUTS] = {meta("a.h5ad", "", "T", "ctrl", NULL)};
    scs_dataset *d;

    CHECK_FAILS(create("data: {inputs: [a], control: ctrl}\n", m, &d), SCS_EDATA,
                "a.h5ad: gene g1 stands there twice (the second time in column 2)");
    CHECK_FAILS(create("data: {inputs: [a], control: ctrl}\n", none, &d), SCS_EDATA,
                "a.h5ad: no genes");
}

static void inputs_without_a_common_gene_are_refused(void)
{
    scs_h5ad *foreign[MOST_INPUTS] = {meta("a.h5ad", "g1 g2", "T", "ctrl", NULL),
                                      meta("b.h5ad", "G1 G2", "T", "ctrl", NULL)};
    scs_h5ad *pairwise[MOST_INPUTS] = {meta("a.h5ad", "g1 g2", "T", "ctrl", NULL),
                                       meta("b.h5ad", "g1 g3", "T", "ctrl", NULL),
                                       meta("c.h5ad", "g2 g3", "T", "ctrl", NULL)};
    scs_dataset *d;

    CHECK_FAILS(create("data: {inputs: [a, b], control: ctrl}\n", foreign, &d), SCS_EDATA,
                "b.h5ad: none of its genes (G1, ...) is one of a.h5ad (g1, ...)");
    CHECK_FAILS(create("data: {inputs: [a, b, c], control: ctrl}\n", pairwise, &d), SCS_EDATA,
                "no gene is in every one of the 3 inputs");
}

/* A folder with a table of orthologs and a list of genes, both named in a config's text. */
typedef struct gene_files {
    char folder[SCRATCH_PATH], table[2 * SCRATCH_PATH], list[2 * SCRATCH_PATH],
        config[6 * SCRATCH_PATH];
} gene_files;

static void make_gene_files(gene_files *f, const char *table, const char *list)
{
    scratch_make(f->folder);
    scratch_write(scratch_path(f->folder, "t.tsv", f->table), table);
    scratch_write(scratch_path(f->folder, "genes.txt", f->list), list);
    snprintf(
        f->config, sizeof f->config,
        "data:\n  control: ctrl\n  inputs: [a.h5ad, {path: b.h5ad, orthologs: %s}]\n  genes: %s\n",
        f->table, f->list);
}

static void make_species(scs_h5ad *m[MOST_INPUTS])
{
    m[0] = meta("a.h5ad", "A B C D", "T", "ctrl", NULL);
    m[1] = meta("b.h5ad", "d c b x y a", "T", "drug", NULL);
    m[2] = NULL;
}

static void orthologs_and_the_gene_list_are_applied(void)
{
    const int32_t first[] = {0, -1, 1, -1}, second[] = {-1, 1, -1, -1, -1, 0};
    scs_h5ad *m[MOST_INPUTS];
    gene_files f;
    scs_dataset *d;

    make_species(m);
    make_gene_files(&f, "a\tA\nb\tB\nc\tC\nx\tB\nd\tZ\n", "C\nA\nQ\n");
    CHECK_OK(create(f.config, m, &d));
    check_names(&d->genes, "A, C");
    CU_ASSERT_EQUAL(memcmp(d->gene_of_column[0], first, sizeof first), 0);
    CU_ASSERT_EQUAL(memcmp(d->gene_of_column[1], second, sizeof second), 0);
    CU_ASSERT(has_note(d, "b.h5ad: 3 of 6 genes have no one-to-one ortholog"));
    CU_ASSERT(has_note(d, "1 of 3 listed genes are not in the inputs"));
    scs_dataset_destroy(&d);
    scratch_remove(f.folder);
}

static void useless_gene_files_are_refused(void)
{
    scs_h5ad *m[MOST_INPUTS];
    gene_files f;
    scs_dataset *d;

    make_species(m);
    make_gene_files(&f, "A\ta\nB\tb\n", "A\n");
    CHECK_FAILS(create(f.config, m, &d), SCS_EDATA,
                "column 2 holds 2 of them: are the columns the other way round?");
    scratch_remove(f.folder);
    make_species(m);
    make_gene_files(&f, "a\tA\nb\tB\n", "Q\n");
    CHECK_FAILS(create(f.config, m, &d), SCS_EDATA,
                "genes.txt: none of its 1 genes is in the inputs");
    scratch_remove(f.folder);
    make_species(m);
    make_gene_files(&f, "a\tA\nb\tB\n", "C\n");
    CHECK_FAILS(create(f.config, m, &d), SCS_EDATA, "no gene of data.genes is in every one");
    scratch_remove(f.folder);
}

/* Of eleven genes one is named alike. */
#define HUMAN "F8 A B C D E G H I J K"
#define MOUSE "F8 a b c d e g h i j k"

static void hardly_any_common_gene_asks_for_orthologs(void)
{
    scs_h5ad *species[MOST_INPUTS] = {meta("a.h5ad", HUMAN, "T", "ctrl", NULL),
                                      meta("b.h5ad", MOUSE, "T", "ctrl", NULL)};
    scs_h5ad *files[MOST_INPUTS] = {meta("a.h5ad", HUMAN, "T", "ctrl", NULL),
                                    meta("b.h5ad", MOUSE, "T", "drug", NULL)};
    scs_h5ad *panel[MOST_INPUTS] = {meta("a.h5ad", HUMAN, "T", "ctrl", NULL),
                                    meta("b.h5ad", "F8 x y", "T", "drug", NULL)};
    scs_dataset *d;

    CHECK_FAILS(create("data: {inputs: [{path: a.h5ad, species: human}, {path: b.h5ad, species: "
                       "mouse}], control: ctrl}\n",
                       species, &d),
                SCS_EDATA,
                "b.h5ad (mouse): only 1 of its 11 genes are named as in a.h5ad (human); give "
                "data.inputs a table of orthologs");
    CHECK_OK(create("data: {inputs: [a.h5ad, b.h5ad], control: ctrl}\n", files, &d));
    CU_ASSERT(has_note(d, "warning: b.h5ad has only 1 of its 11 genes in common with a.h5ad"));
    scs_dataset_destroy(&d);
    /* a third of a small panel is no chance */
    CHECK_OK(create("data: {inputs: [{path: a.h5ad, species: human}, {path: b.h5ad, species: "
                    "mouse}], control: ctrl}\n",
                    panel, &d));
    CU_ASSERT(!has_note(d, "warning"));
    scs_dataset_destroy(&d);
}

/* On either side, with a list of genes in either form; the first file's names stay. */
static void versions_of_ensembl_ids_do_not_count(void)
{
    scs_h5ad *m[MOST_INPUTS] = {
        meta("a.h5ad", "ENSG00000000003.15 ENSG00000000005 x.1", "T", "ctrl", NULL),
        meta("b.h5ad", "ENSG00000000005.6 ENSG00000000003.14 x.2", "T", "drug", NULL)};
    const int32_t second[] = {1, 0, -1};
    scs_dataset *d;

    CHECK_OK(create("data: {inputs: [a.h5ad, b.h5ad], control: ctrl}\n", m, &d));
    check_names(&d->genes, "ENSG00000000003.15, ENSG00000000005");
    CU_ASSERT_EQUAL(memcmp(d->gene_of_column[1], second, sizeof second), 0);
    CU_ASSERT(has_note(d, "b.h5ad: 2 of its genes match without the version of an Ensembl ID "
                          "(ENSG00000000003.14 and ENSG00000000003.15)"));
    scs_dataset_destroy(&d);
}

static void an_outer_join_has_the_genes_of_any_input(void)
{
    const int32_t one[] = {0, 1, 2, 3}, two[] = {3, 4, 2, 0};
    scs_dataset *d;
    const char *config = "data: {control: ctrl, join: outer, inputs: [one.h5ad, two.h5ad]}\n";
    scs_h5ad *m[MOST_INPUTS];
    int64_t fates = 0;

    two_files(m);
    CHECK_OK(create(config, m, &d));
    check_names(&d->genes, "g1, g2, g3, g4, x");
    CU_ASSERT_EQUAL(d->n_gene, 5);
    CU_ASSERT_EQUAL(d->n_dropped_genes, 0);
    CU_ASSERT_EQUAL(memcmp(d->gene_of_column[0], one, sizeof one), 0);
    CU_ASSERT_EQUAL(memcmp(d->gene_of_column[1], two, sizeof two), 0);
    CU_ASSERT(has_note(d, "3 of 5 genes are in every input"));
    CU_ASSERT(has_note(d, "one.h5ad: lacks 1 of the 5 genes"));
    CU_ASSERT(has_note(d, "two.h5ad: lacks 1 of the 5 genes"));
    for (int f = 0; f < SCS_N_GENE_FATE; f++)
        fates += d->fate[f];
    CU_ASSERT_EQUAL(fates, 4);
    CU_ASSERT_EQUAL(d->fate[SCS_GENE_KEPT], 4);
    scs_dataset_destroy(&d);
}

static void genes_of_one_name_are_summed_where_asked(void)
{
    const int32_t one[] = {0, 1, 0, 2}, two[] = {-1, 2, 0, 1, 1};
    scs_h5ad *m[MOST_INPUTS] = {
        meta("a.h5ad", "ENSG00000000003.1 g2 ENSG00000000003.1 g3", "T T", "ctrl drug", NULL),
        meta("b.h5ad", "x g3 ENSG00000000003 g2 g2", "T T", "ctrl drug", NULL)};
    scs_dataset *d;

    CHECK_OK(
        create("data: {inputs: [a.h5ad, b.h5ad], control: ctrl, duplicate_genes: sum}\n", m, &d));
    check_names(&d->genes, "ENSG00000000003.1, g2, g3");
    CU_ASSERT_EQUAL(memcmp(d->gene_of_column[0], one, sizeof one), 0);
    CU_ASSERT_EQUAL(memcmp(d->gene_of_column[1], two, sizeof two), 0);
    CU_ASSERT(d->sums[0] && d->sums[1]);
    CU_ASSERT_EQUAL(d->n_dropped_genes, 0);
    CU_ASSERT(has_note(d, "b.h5ad: the counts of 1 columns are added to those of the column of the "
                          "same name before them (first: g2)"));
    scs_dataset_destroy(&d);
}

int main(void)
{
    static const scs_test tests[] = {
        {"inner join in the first one's order",
         genes_are_those_of_every_input_in_the_first_ones_order},
        {"duplicate genes", duplicate_genes_are_refused},
        {"no common gene", inputs_without_a_common_gene_are_refused},
        {"orthologs and gene list", orthologs_and_the_gene_list_are_applied},
        {"useless gene files", useless_gene_files_are_refused},
        {"hardly any common gene", hardly_any_common_gene_asks_for_orthologs},
        {"versions of Ensembl IDs", versions_of_ensembl_ids_do_not_count},
        {"outer join", an_outer_join_has_the_genes_of_any_input},
        {"sums", genes_of_one_name_are_summed_where_asked},
    };

    return run_suite("dataset genes", tests, sizeof tests / sizeof *tests);
}
