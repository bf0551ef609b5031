/** Metadata of .h5ad files built by hand, from short texts. */
#ifndef SCS_TESTS_FIXTURE_H5AD_H
#define SCS_TESTS_FIXTURE_H5AD_H

#include "tests/unit/suite.h"

#include "src/data/h5ad.h"
#include "src/base/names.h"

#include <string.h>

/** "a b c" as names. */
static inline scs_names words(const char *text)
{
    scs_names names = {0};
    char copy[4096], *rest = NULL;

    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        CHECK_OK(scs_names_add(&names, word));
    return names;
}

/** A column from one label per cell; "-" is a missing label. Categories are in reverse order of
 * appearance, after one that no cell has. */
static inline scs_labels column(const char *name, const char *cells)
{
    scs_names cell = words(cells), seen = {0};
    scs_labels labels = {.column = strdup(name)};
    scs_lidx at;

    for (scs_lidx i = 0; i < cell.n; i++)
        if (strcmp(cell.name[i], "-") != 0)
            CHECK_OK(scs_names_intern(&seen, cell.name[i], &at));
    CHECK_OK(scs_names_add(&labels.categories, "never_used"));
    for (scs_lidx i = seen.n - 1; i >= 0; i--)
        CHECK_OK(scs_names_add(&labels.categories, seen.name[i]));
    CHECK_OK(SCS_ALLOC(labels.codes, cell.n));
    for (scs_lidx i = 0; i < cell.n; i++)
        labels.codes[i] = scs_names_find(&labels.categories, cell.name[i]);
    scs_names_clear(&cell);
    scs_names_clear(&seen);
    return labels;
}

/** @param species NULL: no species column */
static inline scs_h5ad *meta(const char *path, const char *genes, const char *cell_types,
                             const char *conditions, const char *species)
{
    scs_names cells = words(cell_types);
    scs_h5ad *m = NULL;

    CHECK_OK(SCS_ALLOC(m, 1));
    m->path = strdup(path);
    m->n_row = m->n_obs = cells.n;
    m->genes = words(genes);
    m->n_var = m->genes.n;
    m->cell_type = column("cell_type", cell_types);
    m->condition = column("condition", conditions);
    if (species)
        m->species = column("species", species);
    scs_names_clear(&cells);
    return m;
}

static inline void clear_labels(scs_labels *labels)
{
    free(labels->column);
    scs_names_clear(&labels->categories);
    free(labels->codes);
}

/** Not scs_h5ad_destroy, so that these tests need no HDF5. */
static inline void drop_meta(scs_h5ad *m)
{
    free(m->path);
    scs_names_clear(&m->genes);
    clear_labels(&m->cell_type);
    clear_labels(&m->condition);
    clear_labels(&m->species);
    for (int32_t i = 0; i < m->n_label; i++)
        clear_labels(&m->label[i]);
    for (int32_t i = 0; i < m->n_number; i++) {
        free(m->number[i].column);
        free(m->number[i].value);
    }
    free(m->label);
    free(m->number);
    free(m->keep);
    free(m);
}

/** A further column of labels; at most one. */
static inline void add_label(scs_h5ad *m, const char *name, const char *cells)
{
    CHECK_OK(SCS_ALLOC(m->label, 1));
    m->label[m->n_label++] = column(name, cells);
}

/** A further column of numbers; at most one. @param value [n_obs] */
static inline void add_number(scs_h5ad *m, const char *name, const double *value)
{
    CHECK_OK(SCS_ALLOC(m->number, 1));
    CHECK_OK(SCS_ALLOC(m->number->value, m->n_obs));
    m->number->column = strdup(name);
    memcpy(m->number->value, value, (size_t)m->n_obs * sizeof *value);
    m->n_number = 1;
}

#endif
