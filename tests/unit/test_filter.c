#include "tests/unit/datasets.h"

#include "src/data/filter.h"

#include <math.h>

/* The two files, with donors and numbers of genes. */
static void filtered_files(scs_h5ad *m[MOST_INPUTS])
{
    static const double one[] = {200, 10, 300, 400, 500, 600, 700, 800};
    static const double two[] = {200, NAN, 300, 100, 500};

    two_files(m);
    add_label(m[0], "donor", "d1 d2 d1 d1 d2 - d2 d1");
    add_label(m[1], "donor", "d3 d3 d4 d3 -");
    add_number(m[0], "n_genes", one);
    add_number(m[1], "n_genes", two);
}

/* @param[in,out] m freed after a failure */
static scs_status apply(const char *filter, scs_h5ad *m[MOST_INPUTS], scs_config **c)
{
    const char *const none[] = {NULL};
    char text[512];
    scs_status st;

    snprintf(text, sizeof text,
             "data:\n  control: ctrl\n  filter:\n  - %s\n  inputs: [{path: one.h5ad, "
             "species: h}, {path: two.h5ad, species: m}]\ntrain: {validation: 0}\n",
             filter);
    CHECK_OK(scs_config_parse("c.yaml", text, none, 0, c));
    filtered_files(m);
    st = scs_filter_apply(*c, m);
    if (st != SCS_OK) {
        drop_meta(m[0]);
        drop_meta(m[1]);
        scs_config_destroy(c);
    }
    return st;
}

/* @param kept a letter for each row of the two files: x is taken */
static void takes(const char *filter, const char *kept)
{
    scs_h5ad *m[MOST_INPUTS];
    char found[40] = "";
    scs_config *c = NULL;

    CHECK_OK(apply(filter, m, &c));
    for (int64_t i = 0, n = 0; i < 2; i++) {
        int64_t k = 0;

        for (int64_t row = 0; row < m[i]->n_row; row++) {
            bool kept_here = !m[i]->keep || m[i]->keep[row];

            found[n++] = kept_here ? 'x' : '.';
            if (kept_here)
                CU_ASSERT_EQUAL(scs_h5ad_row(m[i], k), row);
            k += kept_here;
        }
        CU_ASSERT_EQUAL(k, m[i]->n_obs);
        drop_meta(m[i]);
    }
    CU_ASSERT_STRING_EQUAL(found, kept);
    scs_config_destroy(&c);
}

static void conditions_take_what_they_say(void)
{
    takes("{column: donor, in: [d1, d3]}", "x.xx...xxx.x.");
    takes("{column: donor, not_in: [d1, d3]}",
          ".x..xxx...x.x"); /* cells without one are in no list */
    takes("{column: donor, not_in: 'd[13]'}", ".x..xxx...x.x");
    takes("{column: donor, in: 'd*', not_in: d4}", "xxxxx.xxxx.x.");
    takes("{column: n_genes, min: 200}", "x.xxxxxxx.x.x"); /* nor within limits */
    takes("{column: n_genes, min: 200, max: 5e2}", "x.xxx...x.x.x");
    takes("{column: n_genes, max: 300}\n  - {column: donor, in: [d1, d4]}", "x.x.......x..");
}

#define REFUSED(filter, status, words)                                                             \
    do {                                                                                           \
        scs_h5ad *m_[MOST_INPUTS];                                                                 \
        scs_config *c_ = NULL;                                                                     \
        CHECK_FAILS(apply((filter), m_, &c_), (status), (words));                                  \
    } while (0)

static void what_takes_nothing_is_refused(void)
{
    REFUSED("{column: donor, in: d5}", SCS_EARG,
            "c.yaml:4: data.filter: there is no donor \"d5\"; did you mean \"d1\"?");
    REFUSED("{column: donor, not_in: ['x*']}", SCS_EARG, "no donor is like \"x*\"");
    REFUSED("{column: donor, in: never_used}", SCS_EARG, "there is no donor \"never_used\"");
    REFUSED("{column: donor, in: d1}\n  - {column: donor, in: d2}", SCS_EDATA,
            "c.yaml:4: data.filter: none of the 13 cells meets all of its conditions");
    REFUSED("{column: donor, in: d1}", SCS_EDATA, "none of the 5 cells of two.h5ad meets");
    REFUSED("{column: n_genes, min: 1000}", SCS_EDATA, "none of the 13 cells");
}

/* A dataset of what is left is the one of files that never held the others. */
static void the_rest_is_as_if_they_never_were(void)
{
    scs_h5ad *m[MOST_INPUTS];
    scs_h5ad *kept[MOST_INPUTS] = {
        meta("one.h5ad", "g1 g2 g3 g4", "T T B -", "ctrl other ctrl ctrl", NULL),
        meta("two.h5ad", "g4 x g3 g1", "B T B", "ctrl drug other", NULL)};
    scs_config *c = NULL;
    scs_dataset *d, *same;

    CHECK_OK(apply("{column: donor, in: [d1, d3]}", m, &c));
    CHECK_OK(scs_dataset_create(c, (const scs_h5ad *const *)m, &d));
    CHECK_OK(create(TWO ALL_TRAIN, kept, &same));
    CU_ASSERT_EQUAL_FATAL(d->n_cell, same->n_cell);
    CU_ASSERT(scs_names_equal(&d->cell_types, &same->cell_types));
    CU_ASSERT(scs_names_equal(&d->conditions, &same->conditions));
    for (int64_t i = 0; i < d->n_cell; i++) {
        CU_ASSERT_EQUAL(d->cell_species[i], same->cell_species[i]);
        CU_ASSERT_EQUAL(d->cell_type[i], same->cell_type[i]);
        CU_ASSERT_EQUAL(d->cell_condition[i], same->cell_condition[i]);
        CU_ASSERT_EQUAL(d->role[i], same->role[i]);
    }
    CU_ASSERT_STRING_EQUAL(d->filtered,
                           "6 of 13 cells are left out by data.filter (one.h5ad 4 of 8, "
                           "two.h5ad 2 of 5)");
    CU_ASSERT_PTR_NULL(same->filtered);
    scs_dataset_destroy(&d);
    scs_dataset_destroy(&same);
    scs_config_destroy(&c);
    drop_meta(m[0]);
    drop_meta(m[1]);
}

static void columns_are_asked_for_once(void)
{
    const char *const none[] = {NULL};
    scs_names labels = {0}, numbers = {0};
    scs_config *c = NULL;

    CHECK_OK(scs_config_parse("c.yaml",
                              "data: {filter: [{column: a, in: x, min: 1}, {column: b, max: 2}, "
                              "{column: a, not_in: y}]}\nhold_out: [{column: a, value: z}, "
                              "{column: split, value: test}, {cell_type: T, condition: d}]\n",
                              none, 0, &c));
    CHECK_OK(scs_filter_columns(c, &labels, &numbers));
    check_names(&labels, "a, split");
    check_names(&numbers, "a, b");
    scs_names_clear(&labels);
    scs_names_clear(&numbers);
    scs_config_destroy(&c);
}

int main(void)
{
    static const scs_test tests[] = {
        {"conditions take what they say", conditions_take_what_they_say},
        {"what takes nothing is refused", what_takes_nothing_is_refused},
        {"as if they never were", the_rest_is_as_if_they_never_were},
        {"columns are asked for once", columns_are_asked_for_once},
    };

    return run_suite("filter", tests, sizeof tests / sizeof *tests);
}
