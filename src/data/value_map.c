/* data.map: values of a column of labels get other names (value_map.h).
 *
 * By category, not by cell: a column's codes stay but where two categories became one, and then a
 * table of category to category is looked up once a cell. O(categories log categories + cells) a
 * column and map.
 *
 * All maps are checked before any is applied, and against the values of all inputs together: a
 * value may stand in one file of many, and a map that is written in vain is most often misspelt. A
 * map sees what the one before it has made. All functions are Local, and rank 0 alone runs them
 * (src/data/inputs.c): the others get labels that are mapped. */
#include "src/data/value_map.h"

#include "src/base/names.h"
#include "src/config/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Column k of a file's labels: the three of every file, then the further ones; NULL: no more. */
static scs_labels *labels_at(scs_h5ad *meta, int32_t k)
{
    return k == 0                  ? &meta->cell_type
           : k == 1                ? &meta->condition
           : k == 2                ? &meta->species
           : k - 3 < meta->n_label ? &meta->label[k - 3]
                                   : NULL;
}

/* A column that no key asked for has no name, and is not met. */
static bool is_called(const scs_labels *labels, const char *column)
{
    return labels->column && strcmp(labels->column, column) == 0;
}

/* @param[in,out] used values of the column that some cell of any input has, appended
 * @param[in,out] columns that are read as labels, each once */
static scs_status list_values(const scs_config *config, const scs_value_map *map,
                              scs_h5ad *const *metas, scs_names *used, scs_names *columns)
{
    scs_lidx at;

    for (int32_t i = 0; i < config->data.n_input; i++)
        for (int32_t k = 0; labels_at(metas[i], k); k++) {
            const scs_labels *labels = labels_at(metas[i], k);

            if (labels->column)
                SCS_TRY(scs_names_intern(columns, labels->column, &at));
            if (is_called(labels, map->column))
                SCS_TRY(scs_h5ad_used_labels(metas[i], labels, used));
        }
    return SCS_OK;
}

/* SCS_EARG, for it is the config that is wrong: a column that is not read as labels (one that holds
 * numbers, or that no key names), or a value that no cell has, with the nearest that some have. */
static scs_status check_map(const scs_config *config, const scs_value_map *map,
                            scs_h5ad *const *metas)
{
    char place[600], list[400];
    scs_names all = {0}, columns = {0}, values = {0};
    scs_status st;

    scs_key_place(config, "data.map", map->line, place, sizeof place);
    SCS_GO(st, list_values(config, map, metas, &all, &columns));
    if (scs_names_find(&columns, map->column) < 0)
        SCS_GO(st, SCS_FAIL(SCS_EARG,
                            "%s: no key of the config reads the column %s as labels; %s "
                            "are read so",
                            place, map->column, scs_names_list(&columns, 12, list, sizeof list)));
    SCS_GO(st, scs_names_sort_unique(&all, &values));
    for (scs_lidx k = 0; k < map->from.n; k++) {
        const scs_selection selection = {
            .key = place, .noun = map->column, .names = &values, .wanted = &map->from};

        if (scs_names_find(&values, map->from.name[k]) < 0)
            SCS_GO(st, scs_names_selection_unknown(&selection, map->from.name[k]));
    }
done:
    scs_names_clear(&all);
    scs_names_clear(&columns);
    scs_names_clear(&values);
    return st;
}

/* Borrowed: from the map, or the value itself where the map does not tell of it. */
static const char *mapped(const scs_value_map *map, const char *value)
{
    scs_lidx at = scs_names_find(&map->from, value);

    return at < 0 ? value : map->to.name[at];
}

/* One column of one file. New categories are sorted and each there once, as they are when a file is
 * read: two values that were mapped to one cannot be told apart from one that was read. */
static scs_status apply(const scs_value_map *map, int64_t n_obs, scs_labels *labels)
{
    scs_names all = {0}, categories = {0};
    scs_index index = {0};
    int32_t *to = NULL;
    scs_lidx n = labels->categories.n;
    scs_status st;

    for (scs_lidx k = 0; k < n; k++)
        SCS_GO(st, scs_names_add(&all, mapped(map, labels->categories.name[k])));
    SCS_GO(st, scs_names_sort_unique(&all, &categories));
    SCS_GO(st, scs_names_index_create(&categories, &index));
    SCS_GO(st, SCS_ALLOC(to, n));
    for (scs_lidx k = 0; k < n; k++)
        to[k] = scs_names_index_find(&index, all.name[k]);
    for (int64_t c = 0; c < n_obs; c++)
        if (labels->codes[c] >= 0)
            labels->codes[c] = to[labels->codes[c]];
    scs_names_index_clear(&index);
    scs_names_clear(&labels->categories);
    labels->categories = categories;
    categories = (scs_names){0};
done:
    scs_names_index_clear(&index);
    scs_names_clear(&all);
    scs_names_clear(&categories);
    free(to);
    return st;
}

scs_status scs_value_map_apply(const scs_config *config, scs_h5ad *const *metas)
{
    for (int32_t m = 0; m < config->data.n_map; m++)
        SCS_TRY(check_map(config, &config->data.map[m], metas));
    for (int32_t m = 0; m < config->data.n_map; m++)
        for (int32_t i = 0; i < config->data.n_input; i++)
            for (int32_t k = 0; labels_at(metas[i], k); k++) {
                scs_labels *labels = labels_at(metas[i], k);

                if (is_called(labels, config->data.map[m].column))
                    SCS_TRY(apply(&config->data.map[m], metas[i]->n_obs, labels));
            }
    return SCS_OK;
}
