/* data.filter (filter.h): conditions on obs columns, cell by cell.
 *
 * Values are looked up among those that any cell of any input has, so that a value that only one
 * file knows is no mistake in the others, and one that none knows is. Each condition is evaluated
 * on all cells, whatever the others say: their order makes no difference.
 *
 * O(cells x conditions); a byte for each row of a file. All functions are Local.
 */
#include "src/data/filter.h"

#include "src/base/names.h"
#include "src/base/text.h"
#include "src/config/key.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which columns ---- */

/* A column that several conditions ask for is read once. */
static scs_status add_once(scs_names *names, const char *name)
{
    scs_lidx at;

    return scs_names_intern(names, name, &at);
}

scs_status scs_filter_columns(const scs_config *config, scs_names *labels, scs_names *numbers)
{
    for (int32_t i = 0; i < config->data.n_filter; i++) {
        const scs_filter *item = &config->data.filter[i];

        if (item->in.n || item->not_in.n)
            SCS_TRY(add_once(labels, item->column));
        if (item->min || item->max)
            SCS_TRY(add_once(numbers, item->column));
    }
    for (int32_t i = 0; i < config->n_hold_out; i++)
        if (config->hold_out[i].column)
            SCS_TRY(add_once(labels, config->hold_out[i].column));
    if (config->data.n_top_genes && *config->data.hvg_batch)
        SCS_TRY(add_once(labels, config->data.hvg_batch));
    if (*config->integrate.batch)
        SCS_TRY(add_once(labels, config->integrate.batch));
    return SCS_OK;
}

/* ---- one condition ---- */

/* A condition on labels, while it is looked up. Owned. */
typedef struct labelled {
    scs_names values; /* that any cell has, sorted */
    scs_index index;  /* over them */
    scs_selection in, not_in;
} labelled;

/* A file's cells against the lists: by category, each of which is looked up once. */
static scs_status apply_labels(const scs_filter *item, const labelled *w, const scs_h5ad *meta,
                               uint8_t *keep)
{
    const scs_labels *labels = scs_h5ad_label(meta, item->column);
    bool *good;

    SCS_TRY(SCS_ALLOC(good, labels->categories.n));
    for (scs_lidx k = 0; k < labels->categories.n; k++) {
        scs_lidx at = scs_names_index_find(&w->index, labels->categories.name[k]);

        good[k] = at >= 0 && (!item->in.n || w->in.chosen[at]) &&
                  (!item->not_in.n || !w->not_in.chosen[at]);
    }
    for (int64_t c = 0; c < meta->n_obs; c++)
        keep[c] &= labels->codes[c] < 0 ? item->in.n == 0 : good[labels->codes[c]];
    free(good);
    return SCS_OK;
}

/* The lists of all files' values first: a name that no cell has is refused. */
static scs_status filter_labels(const scs_config *config, const scs_filter *item,
                                scs_h5ad *const *metas, uint8_t *const *keep)
{
    char where[600];
    labelled w = {0};
    scs_names all = {0};
    scs_status st;

    for (int32_t i = 0; i < config->data.n_input; i++) {
        const scs_labels *labels = scs_h5ad_label(metas[i], item->column);

        if (!labels)
            SCS_GO(st, SCS_FAIL(SCS_EINTERNAL, "%s: the column %s was not read", metas[i]->path,
                                item->column));
        SCS_GO(st, scs_h5ad_used_labels(metas[i], labels, &all)); /* pandas keeps unused ones */
    }
    SCS_GO(st, scs_names_sort_unique(&all, &w.values));
    SCS_GO(st, scs_names_index_create(&w.values, &w.index));
    scs_key_place(config, "data.filter", item->line, where, sizeof where);
    w.in = (scs_selection){
        .key = where, .noun = item->column, .wanted = &item->in, .names = &w.values};
    w.not_in = w.in;
    w.not_in.wanted = &item->not_in;
    SCS_GO(st, scs_names_selection_make(&w.in));
    SCS_GO(st, scs_names_selection_make(&w.not_in));
    for (int32_t i = 0; i < config->data.n_input; i++)
        SCS_GO(st, apply_labels(item, &w, metas[i], keep[i]));
done:
    scs_names_selection_clear(&w.in);
    scs_names_selection_clear(&w.not_in);
    scs_names_index_clear(&w.index);
    scs_names_clear(&w.values);
    scs_names_clear(&all);
    return st;
}

/* NaN fails both comparisons. The texts were checked where the config was read. */
static scs_status filter_numbers(const scs_config *config, const scs_filter *item,
                                 scs_h5ad *const *metas, uint8_t *const *keep)
{
    double min = item->min ? strtod(item->min, NULL) : -HUGE_VAL;
    double max = item->max ? strtod(item->max, NULL) : HUGE_VAL;

    for (int32_t i = 0; i < config->data.n_input; i++) {
        const scs_numbers *numbers = scs_h5ad_number(metas[i], item->column);

        SCS_REQUIRE(numbers, SCS_EINTERNAL, "%s: the column %s was not read", metas[i]->path,
                    item->column);
        for (int64_t c = 0; c < metas[i]->n_obs; c++)
            keep[i][c] &= numbers->value[c] >= min && numbers->value[c] <= max;
    }
    return SCS_OK;
}

/* Conditions are joined by "and". @param keep [n_input] of each file [n_obs], 1 until one fails */
static scs_status filter_all(const scs_config *config, scs_h5ad *const *metas, uint8_t *const *keep)
{
    for (int32_t k = 0; k < config->data.n_filter; k++) {
        const scs_filter *item = &config->data.filter[k];

        if (item->in.n || item->not_in.n)
            SCS_TRY(filter_labels(config, item, metas, keep));
        if (item->min || item->max)
            SCS_TRY(filter_numbers(config, item, metas, keep));
    }
    return SCS_OK;
}

/* ---- leaving out ---- */

/* The cells that stay move up; their order stays. */
static void compact_codes(scs_labels *labels, const uint8_t *keep, int64_t n)
{
    for (int64_t c = 0, k = 0; labels->codes && c < n; c++)
        if (keep[c])
            labels->codes[k++] = labels->codes[c];
}

/* The same of numbers. NULL: the column was not asked for. */
static void compact_numbers(double *value, const uint8_t *keep, int64_t n)
{
    for (int64_t c = 0, k = 0; value && c < n; c++)
        if (keep[c])
            value[k++] = value[c];
}

/* All arrays of cells shrink alike. @param keep [n_obs], taken over */
static void leave_out(scs_h5ad *meta, uint8_t *keep)
{
    int64_t n = meta->n_obs, kept = 0;

    compact_codes(&meta->cell_type, keep, n);
    compact_codes(&meta->condition, keep, n);
    compact_codes(&meta->species, keep, n);
    compact_numbers(meta->dose, keep, n);
    for (int32_t i = 0; i < meta->n_label; i++)
        compact_codes(&meta->label[i], keep, n);
    for (int64_t c = 0; c < n; c++)
        kept += keep[c];
    meta->n_obs = kept;
    meta->keep = keep;
}

void scs_filter_names(const scs_h5ad *meta, scs_names *names)
{
    scs_lidx kept = 0;

    for (scs_lidx row = 0; meta->keep && row < names->n; row++)
        if (row < meta->n_row && meta->keep[row])
            names->name[kept++] = names->name[row];
        else
            free(names->name[row]);
    if (meta->keep)
        names->n = kept;
}

scs_status scs_filter_leave_out(scs_h5ad *meta, const uint8_t *keep, scs_names *names)
{
    int64_t n = meta->n_obs, cell = 0;
    uint8_t *cells, *rows;
    scs_lidx kept = 0;

    SCS_TRY(SCS_ALLOC(rows, meta->n_row));
    if (SCS_ALLOC(cells, n) != SCS_OK) {
        free(rows);
        return SCS_ENOMEM;
    }
    memcpy(cells, keep, (size_t)n);
    for (int64_t row = 0; row < meta->n_row; row++)
        if (!meta->keep || meta->keep[row])
            rows[row] = keep[cell++];
    for (scs_lidx c = 0; names && c < names->n; c++)
        if (keep[c])
            names->name[kept++] = names->name[c];
        else
            free(names->name[c]);
    if (names)
        names->n = kept;
    free(meta->keep);
    leave_out(meta, cells); /* the arrays of cells, by cell; then again by row */
    free(cells);
    meta->keep = rows;
    meta->n_few += n - meta->n_obs;
    return SCS_OK;
}

/* Nothing asks for numbers later. */
static void forget_numbers(scs_h5ad *meta)
{
    for (int32_t i = 0; i < meta->n_number; i++) {
        free(meta->number[i].column);
        free(meta->number[i].value);
    }
    meta->n_number = 0;
}

/* A file that is left without a cell would still take its genes out of the join. */
static scs_status refuse_none(const scs_config *config, scs_h5ad *const *metas)
{
    int32_t n = config->data.n_input, empty = 0;
    int64_t cells = 0;
    char where[600];

    scs_key_place(config, "data.filter", config->data.filter[0].line, where, sizeof where);
    for (int32_t i = 0; i < n; i++) {
        empty += metas[i]->n_obs == 0;
        cells += metas[i]->n_row;
    }
    SCS_REQUIRE(empty < n, SCS_EDATA,
                "%s: none of the %lld cells meets all of its conditions; take one out", where,
                (long long)cells);
    for (int32_t i = 0; i < n; i++)
        SCS_REQUIRE(metas[i]->n_obs > 0, SCS_EDATA,
                    "%s: none of the %lld cells of %s meets all of its conditions; leave the file "
                    "out of data.inputs, or change the conditions",
                    where, (long long)metas[i]->n_row, metas[i]->path);
    return SCS_OK;
}

/* A file's mask becomes its `keep`, by which rows of the matrix are passed over from now on. */
scs_status scs_filter_apply(const scs_config *config, scs_h5ad *const *metas)
{
    int32_t n = config->data.n_input;
    uint8_t **keep = NULL;
    scs_status st;

    if (config->data.n_filter == 0)
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(keep, n));
    for (int32_t i = 0; i < n; i++) {
        SCS_GO(st, SCS_ALLOC(keep[i], metas[i]->n_obs));
        memset(keep[i], 1, (size_t)metas[i]->n_obs);
    }
    SCS_GO(st, filter_all(config, metas, keep));
    for (int32_t i = 0; i < n; i++) {
        leave_out(metas[i], keep[i]);
        keep[i] = NULL;
        forget_numbers(metas[i]);
    }
    SCS_GO(st, refuse_none(config, metas));
done:
    for (int32_t i = 0; keep && i < n; i++)
        free(keep[i]);
    free(keep);
    return st;
}

/* ---- in words ---- */

scs_status scs_filter_describe(const scs_config *config, const scs_h5ad *const *metas, char **line)
{
    int64_t cells = 0, kept = 0;
    size_t size = 120, used;

    *line = NULL;
    if (config->data.n_filter == 0)
        return SCS_OK;
    for (int32_t i = 0; i < config->data.n_input; i++) {
        cells += metas[i]->n_row;
        kept += metas[i]->n_obs + metas[i]->n_few;
        size += strlen(metas[i]->path) + 60;
    }
    SCS_TRY(SCS_ALLOC(*line, (int64_t)size));
    used = (size_t)snprintf(*line, size, "%lld of %lld cells are left out by data.filter",
                            (long long)(cells - kept), (long long)cells);
    for (int32_t i = 0; config->data.n_input > 1 && i < config->data.n_input; i++)
        used += (size_t)snprintf(*line + used, size - used, "%s%s %lld of %lld", i ? ", " : " (",
                                 metas[i]->path,
                                 (long long)(metas[i]->n_row - metas[i]->n_obs - metas[i]->n_few),
                                 (long long)metas[i]->n_row);
    if (config->data.n_input > 1)
        snprintf(*line + used, size - used, ")");
    return SCS_OK;
}
