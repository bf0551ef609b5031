#include "tests/unit/datasets.h"

#define REFUSED(rest, words)                                                                       \
    do {                                                                                           \
        scs_dataset *d_ = NULL;                                                                    \
        CHECK_FAILS(create_two((rest), &d_), SCS_EDATA, (words));                                  \
        CU_ASSERT_PTR_NULL(d_);                                                                    \
        scs_dataset_destroy(&d_);                                                                  \
    } while (0)

static void labels_are_united_sorted_and_only_those_in_use(void)
{
    scs_dataset *d;

    CHECK_OK(create_two("", &d));
    check_names(&d->cell_types, "B, T");
    check_names(&d->conditions, "ctrl, drug, other");
    check_names(&d->species, "h, m");
    CU_ASSERT_EQUAL(d->control, 0);
    CU_ASSERT_EQUAL(d->n_cell, 13);
    CU_ASSERT_EQUAL(d->first_cell[1], 8);
    CU_ASSERT_EQUAL(d->first_cell[2], 13);
    scs_dataset_destroy(&d);
}

/* Every cell keeps the labels that its own file gives it. */
static void cells_keep_their_labels(void)
{
    static const char *const type[] = {"T",  "T", "T", "B", "B", "B", "T",
                                       NULL, "B", "T", "T", "B", "T"};
    static const char *const condition[] = {"ctrl",  "drug",  "other", "ctrl", "drug",
                                            "other", "ctrl",  "ctrl",  "ctrl", "drug",
                                            "ctrl",  "other", "other"};
    scs_dataset *d;

    CHECK_OK(create_two("", &d));
    for (int64_t c = 0; c < d->n_cell; c++) {
        CU_ASSERT_STRING_EQUAL(d->conditions.name[d->cell_condition[c]], condition[c]);
        CU_ASSERT_STRING_EQUAL(d->species.name[d->cell_species[c]], c < 8 ? "h" : "m");
        if (type[c])
            CU_ASSERT_STRING_EQUAL(d->cell_types.name[d->cell_type[c]], type[c])
        else
            CU_ASSERT_EQUAL(d->cell_type[c], -1);
    }
    CU_ASSERT_EQUAL(d->n_unused, 1);
    CU_ASSERT_EQUAL(d->role[7], SCS_ROLE_UNUSED);
    scs_dataset_destroy(&d);
}

static void held_out_cells_are_exactly_the_named_ones(void)
{
    scs_dataset *d;

    CHECK_OK(create_two(ALL_TRAIN "hold_out: [{cell_type: T, condition: drug, species: m}]\n", &d));
    for (int64_t c = 0; c < d->n_cell; c++)
        CU_ASSERT_EQUAL(d->role[c], c == 9   ? SCS_ROLE_HELD_OUT
                                    : c == 7 ? SCS_ROLE_UNUSED
                                             : SCS_ROLE_TRAIN);
    scs_dataset_destroy(&d);
    CHECK_OK(create_two(ALL_TRAIN "hold_out: [{cell_type: T, condition: drug}]\n", &d));
    for (int64_t c = 0; c < d->n_cell; c++)
        CU_ASSERT_EQUAL(d->role[c] == SCS_ROLE_HELD_OUT, c == 9 || c == 1);
    scs_dataset_destroy(&d);
}

/* @param roles a letter for each cell: t training, h held out, - unused */
static void check_roles(const scs_dataset *d, const char *roles)
{
    char found[40] = "";

    for (int64_t c = 0; c < d->n_cell; c++)
        found[c] = "tvh-"[d->role[c]];
    CU_ASSERT_STRING_EQUAL(found, roles);
}

static void hold_outs_take_globs_and_lists(void)
{
    static const struct {
        const char *item, *roles;
    } tried[] = {
        {"{cell_type: '*', condition: 'o*', species: h}", "tthttht-ttttt"},
        {"{cell_type: [B, T], condition: drug, species: h}", "thtthtt-ttttt"},
        {"{cell_type: [T], condition: [drug, 'o?her'], species: [m]}", "ttttttt-tht"
                                                                       "th"},
        {"{cell_type: B, condition: '*', species: h}", "tttthht-ttttt"}, /* never the control */
    };
    scs_dataset *d;
    char text[200];

    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        snprintf(text, sizeof text, ALL_TRAIN "hold_out: %s\n", tried[i].item);
        CHECK_OK(create_two(text, &d));
        check_roles(d, tried[i].roles);
        scs_dataset_destroy(&d);
    }
    REFUSED("hold_out: {cell_type: 'X*', condition: drug}\n", "no cell has the cell type 'X*'");
    REFUSED("hold_out:\n  - {cell_type: [T, B], condition: drug, species: m}\n",
            "c.yaml:5: hold_out: no cell is T, B under drug in m for the cell type 'B'");
}

/* An item that takes no more cells than those before it was perhaps meant to name others; one that
 * overlaps with them was not. */
static void hold_outs_that_repeat_others_are_noted(void)
{
    scs_dataset *d;

    CHECK_OK(create_two(ALL_TRAIN "hold_out:\n  - {cell_type: T, condition: drug}\n"
                                  "  - {cell_type: B, condition: other, species: h}\n"
                                  "  - {cell_type: T, condition: drug}\n",
                        &d));
    CU_ASSERT(has_note(d, ": item 3, T under drug, takes no cell that the items before it do not"));
    CU_ASSERT_FALSE(has_note(d, ": item 1") || has_note(d, ": item 2"));
    check_roles(d, "thtttht-thttt");
    scs_dataset_destroy(&d);
    CHECK_OK(create_two(ALL_TRAIN "hold_out:\n  - {cell_type: T, condition: '*'}\n"
                                  "  - {cell_type: T, condition: other, species: m}\n",
                        &d));
    CU_ASSERT(has_note(d, "hold_out: item 2, T under other in m, takes no cell"));
    scs_dataset_destroy(&d);
    CHECK_OK(create_two(ALL_TRAIN "hold_out:\n  - {cell_type: T, condition: other, species: m}\n"
                                  "  - {cell_type: T, condition: '*'}\n",
                        &d));
    CU_ASSERT_FALSE(has_note(d, "takes no cell"));
    scs_dataset_destroy(&d);
}

/* The two files with a column `split`. */
static scs_status create_split(const char *one, const char *two, const char *item, scs_dataset **d)
{
    scs_h5ad *m[MOST_INPUTS];
    char text[512];

    two_files(m);
    add_label(m[0], "split", one);
    add_label(m[1], "split", two);
    snprintf(text, sizeof text, TWO ALL_TRAIN "hold_out:\n  - %s\n", item);
    return create(text, m, d);
}

/* Whole groups are held out; cells of others are set aside; a control group is never lost. */
static void hold_outs_go_by_a_column(void)
{
    static const char item[] = "{column: split, value: test}", one[] = "a a a a test a test a";
    scs_dataset *d;

    CHECK_OK(create_split(one, "a - a b a", item, &d));
    check_roles(d, "tttth"
                   "t--ttttt"); /* T ctrl of h was cut in two */
    CU_ASSERT_EQUAL(d->n_set_aside, 1);
    CU_ASSERT_EQUAL(d->n_unused, 2);
    scs_dataset_destroy(&d);
    CHECK_OK(create_split(one, "a - a b a", "{column: split, value: 't?st', condition: '*'}", &d));
    check_roles(d, "tttth"
                   "tt-ttttt");
    CU_ASSERT_EQUAL(d->n_set_aside, 0);
    scs_dataset_destroy(&d);
    CHECK_OK(
        create_split(one, "a test a b a", "{column: split, value: [test, b], species: m}", &d));
    check_roles(d, "ttttttt-ththt");
    scs_dataset_destroy(&d);
    CHECK_FAILS(create_split("a a a test a a a a", "a a a a a", item, &d), SCS_EDATA,
                "takes all control cells of B in species h");
    CHECK_FAILS(create_split(one, "a a a a a", "{column: split, value: tes}", &d), SCS_EDATA,
                "c.yaml:6: hold_out: no cell has the split 'tes'; there is a, test; did you mean "
                "test?");
    CHECK_FAILS(create_split(one, "a a a a a",
                             "{column: split, value: test, cell_type: T, species: m}", &d),
                SCS_EDATA, "no cell is T in m with split test");
}

/* Roles given anew are those of a dataset made with that hold_out. */
static void roles_are_given_anew(void)
{
    static const char first[] = TWO "hold_out: [{cell_type: T, condition: drug}]\n";
    static const char second[] = "hold_out: [{cell_type: B, condition: other}]\n";
    const char *const sets[] = {NULL};
    char text[512];
    scs_dataset *d, *fresh;
    scs_config *c;

    snprintf(text, sizeof text, TWO "%s", second);
    CHECK_OK(scs_config_parse("c.yaml", text, sets, 0, &c));
    CHECK_OK(create_two(first + strlen(TWO), &d));
    CHECK_OK(create_two(second, &fresh));
    CU_ASSERT_NOT_EQUAL(memcmp(d->role, fresh->role, (size_t)d->n_cell), 0);
    CHECK_OK(scs_roles_hold_out(c, d));
    CU_ASSERT_EQUAL(memcmp(d->role, fresh->role, (size_t)d->n_cell), 0);
    CU_ASSERT_EQUAL(d->n_unused, fresh->n_unused);
    CU_ASSERT_EQUAL(d->notes.n, fresh->notes.n);
    scs_config_destroy(&c);
    scs_dataset_destroy(&d);
    scs_dataset_destroy(&fresh);
}

static void bad_hold_outs_are_named_with_their_line(void)
{
    REFUSED("hold_out:\n  - {cell_type: TT, condition: drug}\n",
            "c.yaml:5: hold_out: no cell has the cell type 'TT'; there is B, T; did you mean T?");
    REFUSED("hold_out: [{cell_type: T, condition: dru}]\n",
            "ctrl, drug, other; did you mean drug?");
    REFUSED("hold_out: [{cell_type: T, condition: drug, species: rat}]\n",
            "the species 'rat'; there is h, m");
    REFUSED("hold_out: [{cell_type: T, condition: ctrl}]\n", "'ctrl' is the control");
    REFUSED("hold_out: [{cell_type: B, condition: drug, species: m}]\n",
            "no cell is B under drug in m");
    REFUSED("hold_out: [{cell_type: B, condition: drug}, {cell_type: T, condition: drug}]\n",
            "perturbation 'drug' has no cells left to learn from");
}

static void the_control_must_be_there(void)
{
    scs_h5ad *other[MOST_INPUTS] = {meta("a.h5ad", "g", "T T", "drug control", NULL)};
    scs_h5ad *unlabelled[MOST_INPUTS] = {meta("a.h5ad", "g", "T -", "drug ctrl", NULL)};
    scs_h5ad *missing[MOST_INPUTS] = {meta("a.h5ad", "g", "T", "-", NULL)};
    scs_dataset *d;

    CHECK_FAILS(
        create("data: {inputs: [a], control: contrl}\n", other, &d), SCS_EDATA,
        "data.control: no cell has the condition 'contrl'; column condition has control, drug; "
        "did you mean control?");
    CHECK_FAILS(create("data: {inputs: [a], control: ctrl}\n", unlabelled, &d), SCS_EDATA,
                "no control cells: every cell of 'ctrl' lacks");
    CHECK_FAILS(create("data: {inputs: [a], control: ctrl}\n", missing, &d), SCS_EDATA,
                "no cell has the condition 'ctrl'; column condition has no label at all");
}

static void something_must_be_left_to_train_on(void)
{
    scs_h5ad *two[MOST_INPUTS] = {meta("a.h5ad", "g", "T T", "ctrl drug", NULL)};
    scs_h5ad *again[MOST_INPUTS] = {meta("a.h5ad", "g", "T T", "ctrl drug", NULL)};
    scs_dataset *d;

    CHECK_FAILS(create("data: {inputs: [a], control: ctrl}\ntrain: {validation: 0.9}\n", two, &d),
                SCS_EDATA, "no cells left to train on");
    CHECK_OK(create("data: {inputs: [a], control: ctrl}\n", again, &d));
    CU_ASSERT_EQUAL(d->role[0], SCS_ROLE_TRAIN);
    CU_ASSERT_EQUAL(d->role[1], SCS_ROLE_TRAIN);
    scs_dataset_destroy(&d);
}

static void there_must_be_files_cells_and_perturbations(void)
{
    scs_h5ad *no_file[MOST_INPUTS] = {NULL};
    scs_h5ad *empty[MOST_INPUTS] = {meta("a.h5ad", "g", "", "", NULL)};
    scs_h5ad *control[MOST_INPUTS] = {meta("a.h5ad", "g", "T", "ctrl", NULL)};
    scs_dataset *d;

    CHECK_FAILS(create("", no_file, &d), SCS_EDATA, "data.inputs names no file");
    CHECK_FAILS(create("data: {inputs: [a], control: ctrl}\n", empty, &d), SCS_EDATA,
                "a.h5ad: holds no cells");
    CHECK_FAILS(create("data: {inputs: [a], control: ctrl}\n", control, &d), SCS_EDATA,
                "no condition but the control 'ctrl'");
}

static void species_come_from_column_file_or_nowhere(void)
{
    scs_h5ad *from_column[MOST_INPUTS] = {
        meta("a.h5ad", "g", "T T T", "ctrl ctrl drug", "rat - ape")};
    scs_h5ad *nowhere[MOST_INPUTS] = {meta("a.h5ad", "g", "T T", "ctrl drug", NULL)};
    scs_h5ad *mixed[MOST_INPUTS] = {meta("a.h5ad", "g", "T", "ctrl", NULL),
                                    meta("b.h5ad", "g", "T", "drug", NULL)};
    scs_dataset *d;

    CHECK_OK(create("data: {inputs: [{path: a, species: cow}], control: ctrl, species: species}\n",
                    from_column, &d));
    check_names(&d->species, "ape, rat");
    CU_ASSERT_EQUAL(d->cell_species[0], 1);
    CU_ASSERT_EQUAL(d->role[1], SCS_ROLE_UNUSED);
    scs_dataset_destroy(&d);
    CHECK_OK(create("data: {inputs: [a], control: ctrl}\n", nowhere, &d));
    check_names(&d->species, "all");
    scs_dataset_destroy(&d);
    CHECK_FAILS(create("data: {inputs: [a, {path: b, species: m}], control: ctrl}\n", mixed, &d),
                SCS_EDATA, "name all or none");
}

/* n cells of one type, every third under drug. */
static scs_h5ad *many_cells(int64_t n)
{
    scs_h5ad *m = meta("a.h5ad", "g", "T T", "drug ctrl", NULL);

    free(m->cell_type.codes);
    free(m->condition.codes);
    m->n_row = m->n_obs = n;
    CHECK_OK(SCS_ALLOC(m->cell_type.codes, n));
    CHECK_OK(SCS_ALLOC(m->condition.codes, n));
    for (int64_t c = 0; c < n; c++) {
        m->cell_type.codes[c] = 1;
        m->condition.codes[c] = c % 3 == 0 ? 2 : 1;
    }
    return m;
}

static int64_t count_role(const scs_dataset *d, int role)
{
    int64_t n = 0;

    for (int64_t c = 0; c < d->n_cell; c++)
        n += d->role[c] == role;
    return n;
}

/* round(share * n) validation cells; another seed takes others; the same seed the same. */
static void validation_takes_its_share_by_seed(void)
{
    static const char *const texts[] = {"data: {inputs: [a], control: ctrl}\ntrain: {seed: 1}\n",
                                        "data: {inputs: [a], control: ctrl}\ntrain: {seed: 1}\n",
                                        "data: {inputs: [a], control: ctrl}\ntrain: {seed: 2}\n"};
    scs_dataset *d[3];

    for (int i = 0; i < 3; i++) {
        scs_h5ad *m[MOST_INPUTS] = {many_cells(1004)};

        CHECK_OK(create(texts[i], m, &d[i]));
        CU_ASSERT_EQUAL(count_role(d[i], SCS_ROLE_VALID), 100);
        CU_ASSERT_EQUAL(count_role(d[i], SCS_ROLE_TRAIN), 904);
    }
    CU_ASSERT_EQUAL(memcmp(d[0]->role, d[1]->role, 1004), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(d[0]->role, d[2]->role, 1004), 0);
    for (int i = 0; i < 3; i++)
        scs_dataset_destroy(&d[i]);
}

static void types_without_control_are_noted(void)
{
    scs_h5ad *m[MOST_INPUTS] = {meta("a.h5ad", "g", "T T B", "ctrl drug drug", NULL)};
    scs_dataset *d;

    CHECK_OK(create("data: {inputs: [a], control: ctrl}\n", m, &d));
    CU_ASSERT(has_note(d, "no control cells of B in species all"));
    CU_ASSERT_FALSE(has_note(d, "control cells of T"));
    scs_dataset_destroy(&d);
}

static void description_counts_and_names(void)
{
    scs_dataset *d;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CHECK_OK(create_two(ALL_TRAIN "hold_out: [{cell_type: T, condition: drug}]\n", &d));
    scs_dataset_describe(d, out);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "13 cells x 3 genes from 2 files"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "10 training, 0 validation, 2 held out, 1 without a label"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "ctrl, drug, other"));
    free(text);
    scs_dataset_destroy(&d);
}

/* Cell names taken for a label give millions of groups. */
static void a_column_mistaken_for_labels_is_refused(void)
{
    enum { N = 5000 };
    scs_h5ad *m[MOST_INPUTS] = {many_cells(N)};
    scs_dataset *d;
    char name[32];

    for (int k = 0; k < N; k++) {
        snprintf(name, sizeof name, "cell_%d", k);
        CHECK_OK(scs_names_add(&m[0]->cell_type.categories, name));
        CHECK_OK(scs_names_add(&m[0]->condition.categories, name));
        m[0]->cell_type.codes[k] = k + 2;
        m[0]->condition.codes[k] = k + 3;
    }
    CHECK_FAILS(create("data: {inputs: [a], control: ctrl}\n", m, &d), SCS_EDATA,
                "the right columns?");
}

int main(void)
{
    static const scs_test tests[] = {
        {"labels: united, sorted, in use", labels_are_united_sorted_and_only_those_in_use},
        {"cells keep their labels", cells_keep_their_labels},
        {"held-out cells are the named ones", held_out_cells_are_exactly_the_named_ones},
        {"hold-outs by globs and lists", hold_outs_take_globs_and_lists},
        {"hold-outs that repeat others", hold_outs_that_repeat_others_are_noted},
        {"hold-outs by a column", hold_outs_go_by_a_column},
        {"roles are given anew", roles_are_given_anew},
        {"bad hold-outs", bad_hold_outs_are_named_with_their_line},
        {"the control must be there", the_control_must_be_there},
        {"something to train on", something_must_be_left_to_train_on},
        {"files, cells and perturbations", there_must_be_files_cells_and_perturbations},
        {"species from column or file", species_come_from_column_file_or_nowhere},
        {"validation takes its share", validation_takes_its_share_by_seed},
        {"types without control", types_without_control_are_noted},
        {"description", description_counts_and_names},
        {"a mistaken column", a_column_mistaken_for_labels_is_refused},
    };

    return run_suite("dataset", tests, sizeof tests / sizeof *tests);
}
