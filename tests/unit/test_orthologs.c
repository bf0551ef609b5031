#include "tests/unit/fixture_h5ad.h"
#include "tests/unit/scratch.h"

#include "src/data/orthologs.h"

/* Load a table whose text is given, for a file with these genes. */
static scs_status load(const char *text, const char *own_genes, scs_orthologs *o)
{
    scs_names genes = words(own_genes);
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    scs_status st;

    scratch_make(folder);
    scratch_write(scratch_path(folder, "table.tsv", path), text);
    st = scs_orthologs_load(path, &genes, NULL, o);
    scratch_remove(folder);
    scs_names_clear(&genes);
    return st;
}

static void check_pair(const scs_orthologs *o, const char *own, const char *reference)
{
    const char *found = scs_orthologs_find(o, own);

    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_STRING_EQUAL(found, reference);
}

#define REFUSED(text, words)                                                                       \
    do {                                                                                           \
        scs_orthologs o_;                                                                          \
        CHECK_FAILS(load((text), "a", &o_), SCS_EDATA, (words));                                   \
        scs_orthologs_clear(&o_);                                                                  \
    } while (0)

/* The same pairs, whatever the header, the line ends, comments or the delimiter. */
static void plain_tables_are_read_alike(void)
{
    static const char *const texts[] = {
        "b1\tA1\nb2\tA2\n",
        "b1\tA1\r\nb2\tA2",
        "gene_a\tgene_b\nb1\tA1\nb2\tA2\n",
        "own_gene\treference_gene\ttype\nb1\tA1\tortholog_one2one\nb2\tA2\tone2one\n",
        "\xef\xbb\xbf# own, reference\n\nOwn\tReference\nb1\tA1\n\n\nb2\tA2\n",
        "b1,A1\n\"b2\",\"A2\"\n",
    };
    scs_orthologs o;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK_OK(load(texts[i], "b1", &o));
        CU_ASSERT_EQUAL(o.n_row, 2);
        CU_ASSERT_EQUAL(o.own.n, 2);
        check_pair(&o, "b1", "A1");
        check_pair(&o, "b2", "A2");
        scs_orthologs_clear(&o);
    }
}

static void a_gene_on_two_rows_is_dropped_on_either_side(void)
{
    scs_orthologs o;

    CHECK_OK(load("a\tA\nb\tB\nb\tC\nd\tD\ne\tD\nf\tF\nf\tB\n", "a", &o));
    CU_ASSERT_EQUAL(o.n_row, 7);
    CU_ASSERT_EQUAL(o.n_ambiguous, 6);
    CU_ASSERT_EQUAL(o.own.n, 1);
    check_pair(&o, "a", "A");
    CU_ASSERT_PTR_NULL(scs_orthologs_find(&o, "b"));
    CU_ASSERT_PTR_NULL(scs_orthologs_find(&o, "e"));
    scs_orthologs_clear(&o);
}

static void other_types_and_single_genes_are_dropped_and_counted(void)
{
    scs_orthologs o;

    CHECK_OK(load("a\tA\tortholog_one2one\nb\tB\tortholog_one2many\n\tC\tortholog_one2one\n"
                  "d\t\t\ne\tE\t\n",
                  "a", &o));
    CU_ASSERT_EQUAL(o.n_other_type, 2);
    CU_ASSERT_EQUAL(o.n_unpaired, 2);
    CU_ASSERT_EQUAL(o.own.n, 1);
    scs_orthologs_clear(&o);
}

/* Case tells genes apart: no pair is made up by upper-casing. */
static void case_is_kept(void)
{
    scs_orthologs o;

    CHECK_OK(load("Actb\tACTB\nACTB\tOther\n", "Actb", &o));
    check_pair(&o, "Actb", "ACTB");
    check_pair(&o, "ACTB", "Other");
    CU_ASSERT_PTR_NULL(scs_orthologs_find(&o, "actb"));
    scs_orthologs_clear(&o);
}

static void quoted_fields_keep_commas_and_quotes(void)
{
    scs_orthologs o;

    CHECK_OK(load("\"a,1\",A\nb,\"B\"\"x\"\n\"\"\"c\",C\n", "b", &o));
    check_pair(&o, "a,1", "A");
    check_pair(&o, "b", "B\"x");
    check_pair(&o, "\"c", "C");
    scs_orthologs_clear(&o);
}

static void bad_tables_are_refused_with_their_line(void)
{
    char *wide = calloc(1, 200000);

    REFUSED("", "no rows");
    REFUSED("# nothing\n", "no rows");
    REFUSED("gene_a\tgene_b\n", "no rows");
    REFUSED("a\tA\nb\n", "table.tsv:2: 1 columns, expected at least 2");
    REFUSED("a b\n", "table.tsv:1: 1 columns");
    REFUSED("a\tA\n\xff\tB\n", "table.tsv:2: not UTF-8");
    REFUSED("\"a,A\n", "table.tsv:1: a quote is not closed");
    REFUSED("\"a\"x,A\n", "table.tsv:1: a quote is not closed");
    REFUSED("a\tA\na\tB\n",
            "no one-to-one pair (2 rows: 0 lack a gene, 0 of another type, 2 ambiguous)");
    REFUSED("Gene name,type\nA,x\n", "no rows with the columns");
    CU_ASSERT_PTR_NOT_NULL_FATAL(wide);
    memset(wide, 'a', 199998);
    REFUSED(wide, "table.tsv:1: longer than 65536 bytes");
    memset(wide, '\t', 100);
    wide[100] = '\0';
    REFUSED(wide, "table.tsv:1: more than 64 columns");
    free(wide);
}

static void a_missing_table_is_refused_by_name(void)
{
    scs_names genes = {0};
    scs_orthologs o;

    CHECK_FAILS(scs_orthologs_load("/nowhere/t.tsv", &genes, NULL, &o), SCS_EDATA,
                "/nowhere/t.tsv");
    scs_orthologs_clear(&o);
}

#define BIOMART "data/orthologs/human_mouse_biomart.csv"

/* Ensembl's human-mouse export; the figures were counted with Python's csv module. */
static void biomart_is_read_by_its_header(void)
{
    scs_names symbols = words("Actb mt-Cytb"),
              ids = words("ENSMUSG00000064341 ENSMUSG00000064345 x"), human = words("MT-ND1 x");
    scs_index reference;
    scs_orthologs o;
    const char *path = real_file(BIOMART);

    CHECK_OK(scs_orthologs_load(path, &symbols, NULL, &o));
    CU_ASSERT_EQUAL(o.n_row, 26660);
    CU_ASSERT_EQUAL(o.n_unpaired, 1206);
    CU_ASSERT_EQUAL(o.n_other_type, 8393);
    CU_ASSERT_EQUAL(o.n_ambiguous, 13);
    CU_ASSERT_EQUAL(o.own.n, 17048);
    check_pair(&o, "mt-Cytb", "MT-CYB");
    check_pair(&o, "Tmsb4x", "TMSB4Y");
    CU_ASSERT_PTR_NULL(scs_orthologs_find(&o, "Gm26265"));
    scs_orthologs_clear(&o);

    CHECK_OK(scs_orthologs_load(path, &ids, NULL, &o));
    CU_ASSERT_EQUAL(o.own.n, 17122);
    CU_ASSERT_EQUAL(o.n_other_type, 9238);
    check_pair(&o, "ENSMUSG00000064341", "ENSG00000198888");
    scs_orthologs_clear(&o);

    /* each file names its genes as it likes */
    CHECK_OK(scs_names_index_create(&human, &reference));
    CHECK_OK(scs_orthologs_load(path, &ids, &reference, &o));
    check_pair(&o, "ENSMUSG00000064341", "MT-ND1");
    scs_orthologs_clear(&o);
    scs_names_index_clear(&reference);
    scs_names_clear(&human);
    scs_names_clear(&symbols);
    scs_names_clear(&ids);
}

int main(void)
{
    static const scs_test tests[] = {
        {"plain tables are read alike", plain_tables_are_read_alike},
        {"a gene on two rows is dropped", a_gene_on_two_rows_is_dropped_on_either_side},
        {"other types and single genes", other_types_and_single_genes_are_dropped_and_counted},
        {"case is kept", case_is_kept},
        {"quoted fields", quoted_fields_keep_commas_and_quotes},
        {"bad tables", bad_tables_are_refused_with_their_line},
        {"a missing table", a_missing_table_is_refused_by_name},
        {"BioMart is read by its header", biomart_is_read_by_its_header},
    };
    int n_test = sizeof tests / sizeof *tests;

    if (!has_real_file(tests[n_test - 1].name, BIOMART))
        n_test--;
    return run_suite("orthologs", tests, n_test);
}
