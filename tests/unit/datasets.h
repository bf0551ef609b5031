/** Datasets made of a config's text and metadata built by hand. */
#ifndef SCS_TESTS_DATASETS_H
#define SCS_TESTS_DATASETS_H

#include "tests/unit/fixture_h5ad.h"

#include "scscreen/dataset.h"

enum { MOST_INPUTS = 3 };

/* Two species, two types, three conditions; genes in other orders and not all shared. */
static inline void two_files(scs_h5ad *m[MOST_INPUTS])
{
    m[0] = meta("one.h5ad", "g1 g2 g3 g4", "T T T B B B T -",
                "ctrl drug other ctrl drug other ctrl ctrl", NULL);
    m[1] = meta("two.h5ad", "g4 x g3 g1", "B T T B T", "ctrl drug ctrl other other", NULL);
    m[2] = NULL;
}

/* The dataset of the config's text over metas, which are freed. */
static inline scs_status create(const char *config_text, scs_h5ad *m[MOST_INPUTS], scs_dataset **d)
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

#define TWO                                                                                        \
    "data:\n  control: ctrl\n  inputs: [{path: one.h5ad, species: h}, {path: two.h5ad, species: "  \
    "m}]\n"
#define ALL_TRAIN "train: {validation: 0}\n"

static inline scs_status create_two(const char *rest, scs_dataset **d)
{
    scs_h5ad *m[MOST_INPUTS];
    char text[2048];

    two_files(m);
    snprintf(text, sizeof text, TWO "%s", rest);
    return create(text, m, d);
}

static inline void check_names(const scs_names *names, const char *expected)
{
    char list[500];

    CU_ASSERT_STRING_EQUAL(scs_names_list(names, 100, list, sizeof list), expected);
}

static inline bool has_note(const scs_dataset *d, const char *text)
{
    for (scs_lidx i = 0; i < d->notes.n; i++)
        if (strstr(d->notes.name[i], text))
            return true;
    return false;
}

#endif
