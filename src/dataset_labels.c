#include "src/dataset_parts.h"
#include "src/h5ad.h"
#include "src/names.h"

#include <stdlib.h>
#include <string.h>

/* More groups than this means that a column was mistaken for another (cell names, say). */
static const int64_t MOST_GROUPS = 1 << 24;
/* Cell ids are counters of random numbers, which have 40 bits for them. */
static const int64_t MOST_CELLS = (int64_t)1 << 40;

static scs_status number_cells(const scs_h5ad *const *metas, scs_dataset *d)
{
    SCS_TRY(SCS_ALLOC(d->first_cell, (int64_t)d->n_input + 1));
    for (int32_t i = 0; i < d->n_input; i++) {
        SCS_REQUIRE(metas[i]->n_obs < MOST_CELLS - d->first_cell[i], SCS_EDATA,
                    "%s: more than 2^40 cells in all", metas[i]->path);
        d->first_cell[i + 1] = d->first_cell[i] + metas[i]->n_obs;
    }
    d->n_cell = d->first_cell[d->n_input];
    return SCS_OK;
}

/* The column's labels in one file; `at` is its offset in scs_h5ad. */
static const scs_labels *labels_of(const scs_h5ad *meta, size_t at)
{
    return (const scs_labels *)(const void *)((const char *)meta + at);
}

static scs_status add_used(const scs_h5ad *meta, const scs_labels *labels, scs_names *all)
{
    bool *used;
    scs_status st = SCS_OK;

    SCS_REQUIRE(labels->codes, SCS_EDATA, "%s: a label column was not read", meta->path);
    SCS_TRY(SCS_ALLOC(used, labels->categories.n));
    for (int64_t c = 0; c < meta->n_obs; c++)
        if (labels->codes[c] >= 0)
            used[labels->codes[c]] = true;
    for (scs_lidx k = 0; k < labels->categories.n && st == SCS_OK; k++)
        if (used[k])
            st = scs_names_add(all, labels->categories.name[k]);
    free(used);
    return st;
}

/* Sorted, each name once. */
static scs_status sort_unique(const scs_names *all, scs_names *out)
{
    scs_index index;
    scs_status st = SCS_OK;

    SCS_TRY(scs_index_create(all, &index));
    for (scs_lidx i = 0; i < all->n && st == SCS_OK; i++) {
        const char *name = all->name[index.order[i]];

        if (out->n == 0 || strcmp(out->name[out->n - 1], name) != 0)
            st = scs_names_add(out, name);
    }
    scs_index_clear(&index);
    return st;
}

/* One file's codes as positions in the united list. @param[out] label [n_obs] */
static scs_status recode(const scs_h5ad *meta, const scs_labels *labels, const scs_index *united,
                         int32_t *label)
{
    int32_t *position;

    SCS_TRY(SCS_ALLOC(position, labels->categories.n));
    for (scs_lidx k = 0; k < labels->categories.n; k++)
        position[k] = scs_index_find(united, labels->categories.name[k]);
    for (int64_t c = 0; c < meta->n_obs; c++)
        label[c] = labels->codes[c] >= 0 ? position[labels->codes[c]] : -1;
    free(position);
    return SCS_OK;
}

/* The union over files of the labels that any cell has, and every cell's label. */
static scs_status unite(const scs_h5ad *const *metas, size_t at, scs_dataset *d, scs_names *names,
                        int32_t *label)
{
    scs_names all = {0};
    scs_index index = {0};
    scs_status st;

    for (int32_t i = 0; i < d->n_input; i++)
        SCS_GO(st, add_used(metas[i], labels_of(metas[i], at), &all));
    SCS_GO(st, sort_unique(&all, names));
    SCS_GO(st, scs_index_create(names, &index));
    for (int32_t i = 0; i < d->n_input; i++)
        SCS_GO(st, recode(metas[i], labels_of(metas[i], at), &index, label + d->first_cell[i]));
done:
    scs_names_clear(&all);
    scs_index_clear(&index);
    return st;
}

/* Species by file: data.inputs[].species, or one species called "all" when no file has one. */
static scs_status species_by_file(const scs_config *config, scs_dataset *d)
{
    const scs_input *inputs = config->data.inputs;
    scs_names all = {0};
    scs_status st = SCS_OK;

    for (int32_t i = 0; i < d->n_input && st == SCS_OK; i++) {
        bool as_first = !inputs[i].species == !inputs[0].species;

        st = as_first ? scs_names_add(&all, inputs[i].species ? inputs[i].species : "all")
                      : SCS_FAIL(SCS_EDATA,
                                 "data.inputs: %s has %s species, %s has %s; name all or none",
                                 inputs[0].path, inputs[0].species ? "a" : "no", inputs[i].path,
                                 inputs[i].species ? "one" : "none");
    }
    if (st == SCS_OK)
        st = sort_unique(&all, &d->species);
    for (int32_t i = 0; i < d->n_input && st == SCS_OK; i++)
        for (int64_t c = d->first_cell[i]; c < d->first_cell[i + 1]; c++)
            d->cell_species[c] = scs_names_find(&d->species, all.name[i]);
    scs_names_clear(&all);
    return st;
}

static scs_status find_control(const scs_config *config, scs_dataset *d)
{
    char hint[512];

    d->control = scs_names_find(&d->conditions, config->data.control);
    SCS_REQUIRE(d->control >= 0, SCS_EDATA,
                "data.control: no cell has the condition '%s'; column %s has %s",
                config->data.control, config->data.condition,
                scs_dataset_hint(&d->conditions, config->data.control, hint, sizeof hint));
    return SCS_OK;
}

static scs_status check_groups(const scs_config *config, const scs_dataset *d)
{
    int64_t n;
    bool fits =
        !__builtin_mul_overflow((int64_t)d->species.n * d->cell_types.n, d->conditions.n, &n);

    SCS_REQUIRE(
        fits && n <= MOST_GROUPS, SCS_EDATA,
        "%d species x %d cell types x %d conditions are too many; are data.cell_type (%s) and "
        "data.condition (%s) the right columns?",
        d->species.n, d->cell_types.n, d->conditions.n, config->data.cell_type,
        config->data.condition);
    return SCS_OK;
}

scs_status scs_dataset_unite_labels(const scs_config *config, const scs_h5ad *const *metas,
                                    scs_dataset *d)
{
    SCS_TRY(number_cells(metas, d));
    SCS_TRY(SCS_ALLOC(d->cell_species, d->n_cell));
    SCS_TRY(SCS_ALLOC(d->cell_type, d->n_cell));
    SCS_TRY(SCS_ALLOC(d->cell_condition, d->n_cell));
    SCS_TRY(unite(metas, offsetof(scs_h5ad, cell_type), d, &d->cell_types, d->cell_type));
    SCS_TRY(unite(metas, offsetof(scs_h5ad, condition), d, &d->conditions, d->cell_condition));
    if (config->data.species[0])
        SCS_TRY(unite(metas, offsetof(scs_h5ad, species), d, &d->species, d->cell_species));
    else
        SCS_TRY(species_by_file(config, d));
    SCS_TRY(check_groups(config, d));
    SCS_TRY(find_control(config, d));
    if (!config->data.dose[0])
        return SCS_OK;
    SCS_TRY(scs_dataset_split_doses(config, metas, d));
    return check_groups(config, d);
}
