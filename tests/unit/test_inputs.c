#include "tests/unit/scratch.h"
#include "tests/unit/fixture_h5ad.h"

#include "src/data/inputs.h"
#include "src/data/label_table.h"

#include <stdio.h>

static const char *const none[] = {NULL};
static char folder[SCRATCH_PATH];

static void write_file(const char *name, const char *text)
{
    char path[2 * SCRATCH_PATH];

    scratch_write(scratch_path(folder, name, path), text);
}

/* A config whose text begins as data's; paths are those of the scratch folder. */
static scs_config *config_of(const char *data)
{
    char text[1024], file[2 * SCRATCH_PATH];
    scs_config *c = NULL;

    snprintf(text, sizeof text, "data:\n%s", data);
    scratch_path(folder, "c.yaml", file);
    CHECK_OK(scs_config_parse(file, text, none, 0, &c));
    return c;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void globs_become_files_with_all_that_the_item_says(void)
{
    static const char *const expected[] = {"B.h5ad",        "a.h5ad",    "b.h5ad",
                                           "[x].h5ad",      "none.h5ad", "m1.h5mu:rna",
                                           "[m2].h5mu:rna", "[m2].h5mu"};
    scs_config *c, *d;
    scs_bytes bytes = {0};

    write_file("b.h5ad", "");
    write_file("a.h5ad", "");
    write_file("B.h5ad", "");
    write_file("[x].h5ad", "");
    write_file("m1.h5mu", "");
    write_file("[m2].h5mu", "");
    c = config_of("  inputs: [{path: '[A-Za-b].h5ad', condition: x, donor: d}, '[x].h5ad', "
                  "none.h5ad, '[m]?.h5mu:rna', '[m2].h5mu:rna', '[[]m2].h5mu']\n");
    d = config_of("  inputs: other.h5ad\n");
    CHECK_OK(scs_inputs_settle(c));
    CHECK_OK(scs_inputs_put(c, &bytes));
    CHECK_OK(scs_inputs_get(&bytes, d));
    for (int k = 0; k < 2; k++) {
        const scs_config *of = k ? d : c;

        CU_ASSERT_EQUAL_FATAL(of->data.n_input, 8);
        for (int i = 0; i < 8; i++) {
            CU_ASSERT_STRING_EQUAL(file_name(of->data.inputs[i].path), expected[i]);
            if (i < 3) {
                CU_ASSERT_STRING_EQUAL(of->data.inputs[i].condition, "x");
                CU_ASSERT_STRING_EQUAL(of->data.inputs[i].donor, "d");
            } else
                CU_ASSERT_PTR_NULL(of->data.inputs[i].condition);
            CU_ASSERT_PTR_NULL(of->data.inputs[i].species);
        }
    }
    scs_bytes_clear(&bytes);
    scs_config_destroy(&c);
    scs_config_destroy(&d);

    c = config_of("  inputs: ['*.loom']\n");
    CHECK_FAILS(scs_inputs_settle(c), SCS_EDATA, "data.inputs: no file matches ");
    scs_config_destroy(&c);
    c = config_of("  inputs: ['x*.h5mu:rna']\n");
    CHECK_FAILS(scs_inputs_settle(c), SCS_EDATA, "x*.h5mu:rna");
    scs_config_destroy(&c);
}

static void a_table_has_the_checksum_that_it_is_said_to_have(void)
{
    scs_config *c;
    char text[300];

    write_file("t.csv", "cell,condition\nc1,a\n");
    c = config_of("  inputs: [x.h5ad]\n  labels: t.csv\n");
    CHECK_OK(scs_inputs_settle(c));
    CU_ASSERT_EQUAL(strncmp(c->data.labels[0].checksum, "sha256:", 7), 0);
    snprintf(text, sizeof text, "  inputs: [x.h5ad]\n  labels: {path: t.csv, checksum: '%s'}\n",
             c->data.labels[0].checksum);
    scs_config_destroy(&c);
    c = config_of(text);
    CHECK_OK(scs_inputs_settle(c));
    scs_config_destroy(&c);
    write_file("t.csv", "cell,condition\nc1,b\n");
    c = config_of(text);
    CHECK_FAILS(scs_inputs_settle(c), SCS_EDATA, "t.csv: is another table than data.labels says");
    scs_config_destroy(&c);
}

/* The condition of each cell of input i, "-" where there is none. */
static void tells(scs_label_tables *t, int32_t i, const char *cells, const char *expected)
{
    scs_names names = words(cells), labels = words(expected);
    scs_labels found = {0};

    CHECK_OK(scs_label_table_match(t, i, "x.h5ad", &names));
    CHECK_OK(scs_label_table_labels(t, "condition", &found));
    for (scs_lidx c = 0; c < names.n; c++)
        CU_ASSERT_STRING_EQUAL(found.codes[c] < 0 ? "-" : found.categories.name[found.codes[c]],
                               labels.name[c]);
    scs_h5ad_obs_labels_clear(&found);
    scs_names_clear(&names);
    scs_names_clear(&labels);
}

static scs_status load(const char *text, const char *rest, scs_config **c, scs_label_tables **t)
{
    char data[400];
    scs_names wanted = words("cell_type condition");
    scs_status st;

    write_file("t.csv", text);
    snprintf(data, sizeof data, "  inputs: [x.h5ad, sub/y.h5ad]\n  labels: {path: t.csv%s}\n",
             rest);
    *c = config_of(data);
    st = scs_label_table_load(*c, &wanted, t);
    scs_names_clear(&wanted);
    if (st != SCS_OK)
        scs_config_destroy(c);
    return st;
}

static void rows_are_joined_by_barcode(void)
{
    scs_label_tables *t;
    scs_config *c;

    CHECK_OK(load("cell,condition\nc1,b\nc3,a\n\"c,2\",\nc4,b\n", "", &c, &t));
    CU_ASSERT_TRUE(scs_label_table_has(t, 1, "condition"));
    CU_ASSERT_FALSE(scs_label_table_has(t, 0, "cell_type"));
    tells(t, 0, "c9 c3 c1 c,2", "- a b -");
    tells(t, 1, "c4", "b");
    scs_label_table_destroy(&t);
    scs_config_destroy(&c);
}

static void files_are_known_by_path_name_or_stem(void)
{
    scs_label_tables *t;
    scs_config *c;

    CHECK_OK(load("condition\tfile\nc1\tb\tx\nc2\tb\tx.h5ad\nc1\ta\tother\n", ", file_column: file",
                  &c, &t));
    CU_ASSERT_TRUE(scs_label_table_concerns(t, 0));
    CU_ASSERT_FALSE(scs_label_table_concerns(t, 1));
    CU_ASSERT_FALSE(scs_label_table_has(t, 1, "condition"));
    tells(t, 0, "c1 c2 c3", "b b -");
    scs_label_table_destroy(&t);
    scs_config_destroy(&c);
}

/* The table is refused with these words. */
static void refuses(const char *text, const char *rest, const char *message)
{
    scs_label_tables *t = NULL;
    scs_config *c;

    CHECK_FAILS(load(text, rest, &c, &t), SCS_EDATA, message);
    CU_ASSERT_PTR_NULL(t);
}

static void bad_tables_are_refused_with_their_line(void)
{
    refuses("", "", "t.csv: is empty");
    refuses("cell,condition\n", "", "t.csv: names no cell");
    refuses("cell,condition\nc1,a,b,c\n", "", "t.csv:2: has 4 fields where the row of names has 2");
    refuses("cell,condition\nc1,a\nc2\n", "", "t.csv:3: has 1 fields where the row of names has 2");
    refuses("cell,condition\n,a\n", "", "t.csv:2: names no cell: its cell is empty");
    refuses("cell,condition\nc1,a\nc2,b\nc1,a\n", "",
            "t.csv:4: names the cell c1 a second time (first on line 2)");
    refuses("cell,leiden\nc1,a\n", "",
            "t.csv: has none of the columns that are asked for (cell_type, condition); it has: "
            "cell, leiden");
    refuses("cell,condition\nc1,a\n", ", barcode_column: cel",
            "t.csv: has no column cel (data.labels: barcode_column); did you mean cell?");
    refuses("cell,condition\nc1,a\n", ", file_column: file", "t.csv: has no column file");
    refuses("cell,condition,file\nc1,a,z\n", ", file_column: file",
            "t.csv: no row is of an input: its column file has 'z'");
}

static void what_does_not_fit_is_told(void)
{
    scs_label_tables *t;
    scs_config *c;
    scs_names cells = words("c1 c2 c9"), twice = words("c1 c1"), notes = {0};

    CHECK_OK(load("cell,condition\nc1,a\nc2,\nc3,b\nc4,b\n", "", &c, &t));
    CHECK_OK(scs_label_table_match(t, 0, "x.h5ad", &cells));
    CHECK_OK(scs_label_table_describe(t, &notes));
    CU_ASSERT_EQUAL_FATAL(notes.n, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(notes.name[0], "tells condition of 2 cells of the inputs, with 4 "
                                                 "rows; 2 name no cell of them (first on line 4)"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(notes.name[1], "x.h5ad: 1 cells have no row in data.labels, and so no label (first: "
                              "c9)"));
    CHECK_FAILS(scs_label_table_match(t, 1, "y.h5ad", &cells), SCS_EDATA,
                "t.csv:2: c1 is a cell of ");
    scs_label_table_destroy(&t);
    scs_config_destroy(&c);
    CHECK_OK(load("cell,condition\nc1,a\n", "", &c, &t));
    CHECK_FAILS(scs_label_table_match(t, 0, "x.h5ad", &twice), SCS_EDATA,
                "t.csv:2: several cells of ");
    scs_label_table_destroy(&t);
    scs_config_destroy(&c);
    CHECK_OK(load("cell,condition\nc1-1,a\n", "", &c, &t));
    CHECK_FAILS(scs_label_table_match(t, 0, "x.h5ad", &twice), SCS_EDATA,
                "no row is a cell of x.h5ad: the table has c1-1 (line 2), the file c1: the table's "
                "names go on where the cells' end");
    scs_label_table_destroy(&t);
    scs_config_destroy(&c);
    scs_names_clear(&cells);
    scs_names_clear(&twice);
    scs_names_clear(&notes);
}

static void a_folder_is_made(void)
{
    scratch_make(folder);
}

static void the_folder_goes(void)
{
    scratch_remove(folder);
}

int main(void)
{
    static const scs_test tests[] = {
        {"a folder", a_folder_is_made},
        {"globs become files", globs_become_files_with_all_that_the_item_says},
        {"the table's checksum", a_table_has_the_checksum_that_it_is_said_to_have},
        {"rows are joined by barcode", rows_are_joined_by_barcode},
        {"files by path, name or stem", files_are_known_by_path_name_or_stem},
        {"bad tables are refused", bad_tables_are_refused_with_their_line},
        {"what does not fit is told", what_does_not_fit_is_told},
        {"the folder goes", the_folder_goes},
    };

    return run_suite("inputs", tests, sizeof tests / sizeof *tests);
}
