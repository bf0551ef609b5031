#include "tests/unit/metas.h"
#include "tests/unit/scratch.h"

#include "scscreen/dataset.h"

#include <math.h>

enum { MOST_INPUTS = 3 };

/* Two species, two types, three conditions; genes in other orders and not all shared. */
static void two_files(scs_h5ad *m[MOST_INPUTS])
{
    m[0] = meta("one.h5ad", "g1 g2 g3 g4", "T T T B B B T -", "ctrl drug other ctrl drug other ctrl ctrl",
                NULL);
    m[1] = meta("two.h5ad", "g4 x g3 g1", "B T T B T", "ctrl drug ctrl other other", NULL);
    m[2] = NULL;
}

/* The dataset of the config's text over metas, which are freed. */
static scs_status create(const char *config_text, scs_h5ad *m[MOST_INPUTS], scs_dataset **d)
{
    scs_config *c = NULL;
    const char *const none[] = {NULL};
    scs_status st;

    CHECK_OK(scs_config_parse("c.yaml", config_text, none, 0, &c));
    *d = NULL;
    st = scs_dataset_create(c, (const scs_h5ad *const *)m, d);
    scs_config_destroy(&c);
    for (int i = 0; i < MOST_INPUTS && m[i]; i++)
        drop_meta(m[i]);
    return st;
}

#define TWO "data:\n  control: ctrl\n  inputs: [{path: one.h5ad, species: h}, {path: two.h5ad, species: m}]\n"
#define ALL_TRAIN "train: {validation: 0}\n"

static scs_status create_two(const char *rest, scs_dataset **d)
{
    scs_h5ad *m[MOST_INPUTS];
    char text[2048];

    two_files(m);
    snprintf(text, sizeof text, TWO "%s", rest);
    return create(text, m, d);
}

#define REFUSED(rest, words)                                                                       \
    do {                                                                                           \
        scs_dataset *d_ = NULL;                                                                    \
        CHECK_FAILS(create_two((rest), &d_), SCS_EDATA, (words));                                  \
        CU_ASSERT_PTR_NULL(d_);                                                                    \
        scs_dataset_destroy(&d_);                                                                  \
    } while (0)

static void check_names(const scs_names *names, const char *expected)
{
    char list[500];

    CU_ASSERT_STRING_EQUAL(scs_names_list(names, 100, list, sizeof list), expected);
}

static bool has_note(const scs_dataset *d, const char *text)
{
    for (scs_lidx i = 0; i < d->notes.n; i++)
        if (strstr(d->notes.name[i], text))
            return true;
    return false;
}

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
    static const char *const type[] = {"T", "T", "T", "B", "B", "B", "T", NULL, "B", "T", "T", "B", "T"};
    static const char *const condition[] = {"ctrl",  "drug", "other", "ctrl", "drug",  "other", "ctrl",
                                            "ctrl", "ctrl", "drug",  "ctrl", "other", "other"};
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

static void bad_hold_outs_are_named_with_their_line(void)
{
    REFUSED("hold_out:\n  - {cell_type: TT, condition: drug}\n",
            "c.yaml:5: hold_out: no cell has the cell type 'TT'; there is B, T; did you mean T?");
    REFUSED("hold_out: [{cell_type: T, condition: dru}]\n", "ctrl, drug, other; did you mean drug?");
    REFUSED("hold_out: [{cell_type: T, condition: drug, species: rat}]\n", "the species 'rat'; there is h, m");
    REFUSED("hold_out: [{cell_type: T, condition: ctrl}]\n", "'ctrl' is the control");
    REFUSED("hold_out: [{cell_type: B, condition: drug, species: m}]\n", "no cell is B under drug in m");
    REFUSED("hold_out: [{cell_type: B, condition: drug}, {cell_type: T, condition: drug}]\n",
            "perturbation 'drug' has no cells left to learn from");
}

static void the_control_must_be_there(void)
{
    scs_h5ad *m[MOST_INPUTS] = {meta("a.h5ad", "g", "T -", "drug ctrl", NULL)};
    scs_h5ad *empty[MOST_INPUTS] = {meta("a.h5ad", "g", "", "", NULL)};
    scs_dataset *d;

    REFUSED("train: {seed: 1}\nscreen: {}\n"
            "simulate: {}\nmodel: {}\noutput: {}\nhold_out: []\n"
            "# the last line wins below\n",
            "") /* replaced below */;
    CHECK_FAILS(create("data: {inputs: [a], control: ctrl}\n", m, &d), SCS_EDATA,
                "no control cells: every cell of 'ctrl' lacks");
    CHECK_FAILS(create("data: {inputs: [a], control: ctrl}\n", empty, &d), SCS_EDATA,
                "no cell has the condition 'ctrl'; column condition has no label at all");
}
