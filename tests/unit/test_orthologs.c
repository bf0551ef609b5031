#include "tests/unit/fixture_h5ad.h"
#include "tests/unit/scratch.h"

#include "src/data/gene_id.h"
#include "src/data/orthologs.h"

/* Load a table whose text is given, for a file with these genes. */
static scs_status load(const char *text, const char *own_genes, scs_orthologs *o)
{
    scs_names genes = words(own_genes);
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    scs_status st;

    scratch_make(folder);
    scratch_write(scratch_path(folder, "table.tsv", path), text);
    st = scs_orthologs_load(&(scs_ortholog_use){.table = path, .input = "own.h5ad", .own = &genes},
                            o);
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
            "no one-to-one pair (2 rows of column 1 and column 2: 0 lack a gene, 0 of another "
            "type, 2 ambiguous)");
    REFUSED("gene_a\tgene_b\ttype\nb\tB\tortholog\n",
            "the type in 'type' is \"ortholog\" where ortholog_one2one");
    REFUSED("Gene name,Gene type\nA,x\n", "no other species' genes stand beside it");
    CU_ASSERT_PTR_NOT_NULL_FATAL(wide);
    memset(wide, 'a', 199998);
    REFUSED(wide, "table.tsv:1: longer than 65536 bytes");
    memset(wide, '\t', 300);
    wide[300] = '\0';
    REFUSED(wide, "table.tsv:1: more than 256 columns");
    free(wide);
}

static void a_missing_table_is_refused_by_name(void)
{
    scs_names genes = {0};
    scs_orthologs o;

    CHECK_FAILS(
        scs_orthologs_load(&(scs_ortholog_use){.table = "/nowhere/t.tsv", .own = &genes}, &o),
        SCS_EDATA, "/nowhere/t.tsv");
    scs_orthologs_clear(&o);
}

static scs_status load_file(const char *path, const scs_names *own, const scs_index *reference,
                            scs_orthologs *o)
{
    return scs_orthologs_load(&(scs_ortholog_use){.table = path,
                                                  .input = "mouse.h5ad",
                                                  .own = own,
                                                  .reference = reference,
                                                  .own_species = "mouse"},
                              o);
}

/* A table, what it is for, and what becomes of it. */
typedef struct example {
    const char *text, *own_genes, *reference_genes, *own_species, *reference_species;
    const char *own_label, *reference_label; /* that are taken */
    const char *own, *reference;             /* a pair that is read */
    int32_t n;                               /* pairs */
} example;

static scs_status load_example(const example *e, scs_orthologs *o)
{
    scs_names own = words(e->own_genes),
              names = words(e->reference_genes ? e->reference_genes : "A");
    scs_index reference;
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    scs_ortholog_use use = {.input = "own.h5ad",
                            .own = &own,
                            .reference = e->reference_genes ? &reference : NULL,
                            .own_species = e->own_species,
                            .reference_species = e->reference_species};
    scs_status st;

    CHECK_OK(scs_names_index_create(&names, &reference));
    scratch_make(folder);
    use.table = scratch_path(folder, "table.csv", path);
    scratch_write(use.table, e->text);
    st = scs_orthologs_load(&use, o);
    scratch_remove(folder);
    scs_names_index_clear(&reference);
    scs_names_clear(&names);
    scs_names_clear(&own);
    return st;
}

static void check_example(const example *e)
{
    scs_orthologs o;

    CHECK_OK(load_example(e, &o));
    CU_ASSERT_STRING_EQUAL(o.columns.own_label, e->own_label);
    CU_ASSERT_STRING_EQUAL(o.columns.reference_label, e->reference_label);
    CU_ASSERT_EQUAL(o.own.n, e->n);
    check_pair(&o, e->own, e->reference);
    scs_orthologs_clear(&o);
}

static void equal_rows_count_once(void)
{
    scs_orthologs o;

    CHECK_OK(load("b1\tA1\nb1\tA1\nb2\tA2\nb1\tA1\nb3\tA3\nb3\tA4\nb3\tA3\n", "b1", &o));
    CU_ASSERT_EQUAL(o.n_row, 7);
    CU_ASSERT_EQUAL(o.n_equal, 3);
    CU_ASSERT_EQUAL(o.n_ambiguous, 2);
    CU_ASSERT_EQUAL(o.own.n, 2);
    check_pair(&o, "b1", "A1");
    CU_ASSERT_EQUAL(scs_orthologs_why(&o, "b3"), SCS_GENE_REPEATED);
    scs_orthologs_clear(&o);
}

/* Symbols that two species share, each for another gene of the reference: the column must be the
 * input's species'. */
#define TWO_SPECIES                                                                                \
    "Gene stable ID,Gene name,Chimpanzee gene name,Chimpanzee homology type,Macaque gene name,"    \
    "Macaque homology type,Gene type\n"                                                            \
    "E1,A,B,ortholog_one2one,A,ortholog_one2one,x\n"                                               \
    "E2,B,C,ortholog_one2one,B,ortholog_one2one,x\n"                                               \
    "E3,C,A,ortholog_one2one,C,ortholog_one2many,x\n"

static void the_species_chooses_the_column(void)
{
    static const example examples[] = {
        {TWO_SPECIES, "A B C", "A B C", "macaque", "human", "'Macaque gene name'", "'Gene name'",
         "A", "A", 2},
        {TWO_SPECIES, "A B C", "E1 E2 E3", "Macaca mulatta", NULL, "'Macaque gene name'",
         "'Gene stable ID'", "A", "E1", 2},
        {TWO_SPECIES, "A B C", "A B C", "chimpanzee", "human", "'Chimpanzee gene name'",
         "'Gene name'", "A", "C", 3},
        /* the other side's mart: the query is the input's species */
        {"Gene name,Human gene name,Human homology type\nActb,ACTB,ortholog_one2one\n", "Actb",
         "ACTB", "mouse", "human", "'Gene name'", "'Human gene name'", "Actb", "ACTB", 1},
        {"Gene name,Human gene name,Human homology type\nA,A,ortholog_one2one\n", "A", "A",
         "macaque", "human", "'Gene name'", "'Human gene name'", "A", "A", 1},
        /* the species is not named, but one column alone knows the genes */
        {"Gene name,Mouse gene name,Pig gene name\nACTB,Actb,ACTB-P\n", "Actb", "ACTB", "line7",
         NULL, "'Mouse gene name'", "'Gene name'", "Actb", "ACTB", 1},
        /* biomaRt's attributes, HCOP, a plain table whose header names the species */
        {"ensembl_gene_id,external_gene_name,mmusculus_homolog_associated_gene_name,"
         "mmusculus_homolog_orthology_type\nE1,ACTB,Actb,ortholog_one2one\nE2,X,Y,"
         "ortholog_many2many\n",
         "Actb Y", "ACTB X", "mouse", "human", "'mmusculus_homolog_associated_gene_name'",
         "'external_gene_name'", "Actb", "ACTB", 1},
        {"human_entrez_gene\thuman_ensembl_gene\thgnc_id\thuman_name\thuman_symbol\thuman_chr\t"
         "mouse_entrez_gene\tmouse_ensembl_gene\tmgi_id\tmouse_name\tmouse_symbol\tsupport\n"
         "60\tENSG1\tHGNC:1\tactin\tACTB\t7\t11\tENSMUSG1\tMGI:1\tactin\tActb\tOMA,HGNC\n"
         "61\t-\tHGNC:2\tx\tXX\t7\t-\t-\t-\t-\t-\tOMA\n",
         "Actb", "ACTB XX", "mouse", "human", "'mouse_symbol'", "'human_symbol'", "Actb", "ACTB",
         1},
        {"human_symbol,mouse_symbol,confidence\nACTB,Actb,1\nXX,Xx,0\n", "Actb Xx", "ACTB XX",
         "mouse", "human", "'mouse_symbol'", "'human_symbol'", "Xx", "XX", 2},
        {"HGNC.symbol,MGI.symbol\nACTB,Actb\n", "Actb", "ACTB", "mouse", "human", "'MGI.symbol'",
         "'HGNC.symbol'", "Actb", "ACTB", 1},
        {"human,mouse,relation\nACTB,Actb,1:1\nB,C,1:n\n", "Actb C", "ACTB B", "mouse", "human",
         "'mouse'", "'human'", "Actb", "ACTB", 1},
        /* OrthoFinder and MGI */
        {"Orthogroup\tHomo_sapiens\tMus_musculus\nOG1\tACTB\tActb\nOG2\tX1, X2\tX\nOG3\tY\tY1, "
         "Y2\n",
         "Actb X Y1 Y2", "ACTB X1 X2 Y", "mouse", "human", "'Mus_musculus'", "'Homo_sapiens'",
         "Actb", "ACTB", 1},
        {"DB Class Key\tCommon Organism Name\tNCBI Taxon ID\tSymbol\tEntrezGene ID\n"
         "1\tmouse, laboratory\t10090\tActb\t11\n2\thuman\t9606\tXX\t13\n1\thuman\t9606\tACTB\t12\n"
         "2\tmouse, laboratory\t10090\tXa\t14\n2\tmouse, laboratory\t10090\tXb\t15\n"
         "3\trat\t10116\tRr\t16\n3\tmouse, laboratory\t10090\tRa\t17\n",
         "Actb Xa Xb Ra", "ACTB XX", "mouse", "human", "'Symbol' of 'mouse, laboratory'",
         "'Symbol' of 'human'", "Actb", "ACTB", 1},
    };

    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        check_example(&examples[i]);
}

static void two_species_that_may_be_meant_are_refused(void)
{
    example e = {.text = TWO_SPECIES,
                 .own_genes = "A B C",
                 .reference_genes = "A B C",
                 .reference_species = "human"};
    scs_orthologs o;

    CHECK_FAILS(load_example(&e, &o), SCS_EDATA, "could both hold the genes of own.h5ad");
    scs_orthologs_clear(&o);
    e.own_species = "line7";
    CHECK_FAILS(load_example(&e, &o), SCS_EDATA, "its species is line7, which no column names");
    scs_orthologs_clear(&o);
    e.own_species = "mouse"; /* neither the chimpanzee's nor the macaque's: the query itself */
    e.reference_species = NULL;
    CHECK_FAILS(load_example(&e, &o), SCS_EDATA, "could both hold the genes of the first input");
    scs_orthologs_clear(&o);
    e.reference_genes = NULL; /* the table is the first input's */
    CHECK_FAILS(load_example(&e, &o), SCS_EDATA, "it stands beside the first input, own.h5ad");
    scs_orthologs_clear(&o);
}

/* An order that is told by nothing else is own, reference: a third column counts as the type by its
 * header or its values alone. */
static void a_third_column_need_not_be_the_type(void)
{
    scs_orthologs o;

    CHECK_OK(load("b1,A1,1\nb2,A2,0\n", "b1", &o));
    CU_ASSERT_EQUAL(o.own.n, 2);
    CU_ASSERT_EQUAL(o.columns.type, -1);
    scs_orthologs_clear(&o);
    CHECK_OK(load("b1,A1,0.9,one-to-one\nb2,A2,0.8,many-to-many\n", "b1", &o));
    CU_ASSERT_EQUAL(o.own.n, 1);
    CU_ASSERT_EQUAL(scs_orthologs_why(&o, "b2"), SCS_GENE_MANY_TO_MANY);
    scs_orthologs_clear(&o);
    CHECK_OK(load("A1,b1\nA2,b2\n", "b1 b2", &o));
    CU_ASSERT_EQUAL(o.columns.n_known, 0);
    CU_ASSERT_STRING_EQUAL(o.columns.better_label, "column 2");
    CU_ASSERT_EQUAL(o.columns.n_better, 2);
    scs_orthologs_clear(&o);
}

static void versions_of_stable_ids_do_not_count(void)
{
    static const struct {
        const char *name;
        size_t n;
    } ids[] = {{"ENSG00000141510.18", 15},       {"ENSMUSG00000064341.1", 18},
               {"ENSG00000141510", 15},          {"RP11-34P13.7", 12},
               {"ENSG00000182378.14_PAR_Y", 24}, {"ENSG00000141510.x", 17},
               {"ENSG0000014151.18", 17},        {"", 0}};
    scs_names twice = words("ENSG00000141510.1 ENSG00000141510.2"),
              once = words("ENSG00000141510.1 ENSG00000141511.2"), keys = {0};

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        CU_ASSERT_EQUAL(scs_gene_id_length(ids[i].name), ids[i].n);
    CHECK_OK(scs_gene_id_keys(&once, &keys));
    CU_ASSERT_STRING_EQUAL(keys.name[1], "ENSG00000141511");
    scs_names_clear(&keys);
    CHECK_OK(scs_gene_id_keys(&twice, &keys));
    CU_ASSERT_STRING_EQUAL(keys.name[1], "ENSG00000141510.2");
    scs_names_clear(&keys);
    scs_names_clear(&once);
    scs_names_clear(&twice);
    check_example(&(example){
        "Gene stable ID version,Mouse gene stable ID version\nENSG00000141510.18,"
        "ENSMUSG00000064341.3\n",
        "ENSMUSG00000064341", "ENSG00000141510", "mouse", "human", "'Mouse gene stable ID version'",
        "'Gene stable ID version'", "ENSMUSG00000064341", "ENSG00000141510", 1});
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

    CHECK_OK(load_file(path, &symbols, NULL, &o));
    CU_ASSERT_EQUAL(o.n_row, 26660);
    CU_ASSERT_EQUAL(o.n_unpaired, 1206);
    CU_ASSERT_EQUAL(o.n_other_type, 8393);
    CU_ASSERT_EQUAL(o.n_equal, 1);
    CU_ASSERT_EQUAL(o.n_ambiguous, 11);
    CU_ASSERT_EQUAL(o.own.n, 17049);
    check_pair(&o, "mt-Cytb", "MT-CYB");
    check_pair(&o, "Tmsb4x", "TMSB4Y");
    check_pair(&o, "Gm26265", "SNORA50A"); /* on two rows, for two stable IDs */
    scs_orthologs_clear(&o);

    CHECK_OK(load_file(path, &ids, NULL, &o));
    CU_ASSERT_EQUAL(o.own.n, 17122);
    CU_ASSERT_EQUAL(o.n_other_type, 9238);
    check_pair(&o, "ENSMUSG00000064341", "ENSG00000198888");
    scs_orthologs_clear(&o);

    /* each file names its genes as it likes */
    CHECK_OK(scs_names_index_create(&human, &reference));
    CHECK_OK(load_file(path, &ids, &reference, &o));
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
        {"equal rows count once", equal_rows_count_once},
        {"the species chooses the column", the_species_chooses_the_column},
        {"two species are refused", two_species_that_may_be_meant_are_refused},
        {"a third column", a_third_column_need_not_be_the_type},
        {"versions of stable IDs", versions_of_stable_ids_do_not_count},
        {"BioMart is read by its header", biomart_is_read_by_its_header},
    };
    int n_test = sizeof tests / sizeof *tests;

    if (!has_real_file(tests[n_test - 1].name, BIOMART))
        n_test--;
    return run_suite("orthologs", tests, n_test);
}
