/* Columns of obs that nobody looks at, from one file to another.
 *
 * Columns of several files are joined one at a time, written and freed: beside the tables there is
 * never more than one column. Text that a file keeps plain stays plain, categories stay in their
 * order; those of later files follow, as pandas unites categoricals. */
#include "src/data/obs_table.h"

#include "src/base/file.h"
#include "src/base/text.h"
#include "src/hdf5/h5write.h"

#include <stdlib.h>
#include <string.h>

void scs_obs_table_clear_column(scs_obs_column *c)
{
    free(c->name);
    free(c->code);
    free(c->integer);
    free(c->number);
    scs_names_clear(&c->text);
    *c = (scs_obs_column){0};
}

void scs_obs_table_clear(scs_obs_table *table)
{
    for (int32_t i = 0; i < table->n_column; i++)
        scs_obs_table_clear_column(&table->column[i]);
    free(table->column);
    scs_names_clear(&table->index);
    *table = (scs_obs_table){0};
}

int32_t scs_obs_table_find(const scs_obs_table *table, const char *name)
{
    for (int32_t i = 0; i < table->n_column; i++)
        if (strcmp(table->column[i].name, name) == 0)
            return i;
    return -1;
}

/* ---- rows that stay ---- */

/* Those that stay move up. */
static void keep_names(scs_names *names, const uint8_t *keep)
{
    scs_lidx kept = 0;

    for (scs_lidx i = 0; i < names->n; i++)
        if (keep[i])
            names->name[kept++] = names->name[i];
        else
            free(names->name[i]);
    names->n = kept;
}

void scs_obs_table_keep(scs_obs_table *table, const uint8_t *keep)
{
    scs_lidx n = table->index.n;

    if (!keep)
        return;
    for (int32_t k = 0; k < table->n_column; k++) {
        scs_obs_column *c = &table->column[k];
        scs_lidx to = 0;

        if (c->kind == SCS_OBS_TEXT)
            keep_names(&c->text, keep);
        for (scs_lidx i = 0; i < n; i++) {
            if (!keep[i])
                continue;
            if (c->code)
                c->code[to] = c->code[i];
            if (c->integer)
                c->integer[to] = c->integer[i];
            if (c->number)
                c->number[to] = c->number[i];
            to++;
        }
    }
    keep_names(&table->index, keep);
}

/* ---- as bytes ---- */

static scs_status put_column(const scs_obs_column *c, scs_lidx n, scs_bytes *out)
{
    SCS_TRY(scs_bytes_put_text(out, c->name));
    SCS_TRY(scs_bytes_put_int(out, c->kind));
    SCS_TRY(scs_bytes_put_names(out, &c->text));
    if (c->kind == SCS_OBS_LABELS)
        return scs_bytes_put(out, c->code, n * (int64_t)sizeof *c->code);
    if (c->kind == SCS_OBS_NUMBER)
        return scs_bytes_put(out, c->number, n * (int64_t)sizeof *c->number);
    return c->kind == SCS_OBS_TEXT
               ? SCS_OK
               : scs_bytes_put(out, c->integer, n * (int64_t)sizeof *c->integer);
}

scs_status scs_obs_table_put(const scs_obs_table *table, scs_bytes *out)
{
    SCS_TRY(scs_bytes_put_names(out, &table->index));
    SCS_TRY(scs_bytes_put_int(out, table->n_column));
    for (int32_t i = 0; i < table->n_column; i++)
        SCS_TRY(put_column(&table->column[i], table->index.n, out));
    return SCS_OK;
}

/* The rows of a kind that has them as numbers. @param[out] rows [n] of `size` bytes, malloc'ed */
static scs_status get_rows(scs_bytes *in, scs_lidx n, size_t size, void **rows)
{
    int64_t bytes = n * (int64_t)size;

    SCS_REQUIRE(bytes <= in->size - in->at, SCS_EDATA, "a column of obs is cut short");
    *rows = scs_allocate(bytes, 1);
    SCS_REQUIRE(*rows, SCS_ENOMEM, "out of memory: obs");
    return scs_bytes_get(in, *rows, bytes);
}

static scs_status get_column(scs_bytes *in, scs_lidx n, scs_obs_column *c)
{
    int64_t kind = 0;
    void *rows = NULL;
    scs_status st;

    SCS_TRY(scs_bytes_get_text(in, &c->name));
    SCS_TRY(scs_bytes_get_within(in, 0, SCS_N_OBS_KIND - 1, &kind));
    c->kind = (int)kind;
    SCS_TRY(scs_bytes_get_names(in, &c->text));
    SCS_REQUIRE(c->name && (c->kind != SCS_OBS_TEXT || c->text.n == n), SCS_EDATA,
                "a column of obs does not fit");
    if (c->kind == SCS_OBS_TEXT)
        return SCS_OK;
    if (c->kind == SCS_OBS_LABELS) {
        st = get_rows(in, n, sizeof *c->code, &rows);
        c->code = rows;
    } else if (c->kind == SCS_OBS_NUMBER) {
        st = get_rows(in, n, sizeof *c->number, &rows);
        c->number = rows;
    } else {
        st = get_rows(in, n, sizeof *c->integer, &rows);
        c->integer = rows;
    }
    SCS_TRY(st);
    for (scs_lidx i = 0; c->code && i < n; i++)
        SCS_REQUIRE(c->code[i] >= -1 && c->code[i] < c->text.n, SCS_EDATA,
                    "a column of obs has a code without a category");
    return SCS_OK;
}

scs_status scs_obs_table_get(scs_bytes *in, scs_obs_table *table)
{
    int64_t n = 0;

    SCS_TRY(scs_bytes_get_names(in, &table->index));
    SCS_TRY(scs_bytes_get_within(in, 0, in->size - in->at, &n));
    SCS_TRY(SCS_ALLOC(table->column, n));
    for (; table->n_column < n; table->n_column++) {
        scs_status st = get_column(in, table->index.n, &table->column[table->n_column]);

        if (st != SCS_OK) {
            scs_obs_table_clear_column(&table->column[table->n_column]);
            return st;
        }
    }
    return SCS_OK;
}

/* ---- writing ---- */

static scs_status write_booleans(hid_t file, const char *path, const int64_t *value, int64_t n)
{
    hid_t type = scs_h5_bool_type();
    int8_t *small;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(small, n));
    for (int64_t i = 0; i < n; i++)
        small[i] = value[i] != 0;
    st = scs_h5_array(file, path, type, 1, &n, small);
    free(small);
done:
    H5Tclose(type);
    return st;
}

static scs_status write_column(hid_t file, const scs_obs_column *c, int64_t n)
{
    char *path;
    scs_status st;

    SCS_TRY(scs_file_path_print(&path, "obs/%s", c->name));
    switch (c->kind) {
    case SCS_OBS_LABELS:
        st = scs_h5_categorical(file, path, &c->text, c->code, n);
        break;
    case SCS_OBS_TEXT:
        st = scs_h5_write_strings(file, path, &c->text);
        break;
    case SCS_OBS_INTEGER:
        st = scs_h5_array(file, path, H5T_NATIVE_INT64, 1, &n, c->integer);
        break;
    case SCS_OBS_BOOLEAN:
        st = write_booleans(file, path, c->integer, n);
        break;
    default:
        st = scs_h5_array(file, path, H5T_NATIVE_DOUBLE, 1, &n, c->number);
    }
    free(path);
    return st;
}

/* Codes of one table into those of the united categories.
 *  @param at first row of it among all */
static scs_status unite_labels(const scs_obs_column *part, int64_t n, int64_t at,
                               scs_obs_column *all)
{
    scs_lidx *to;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(to, part->text.n));
    for (scs_lidx k = 0; k < part->text.n && st == SCS_OK; k++)
        st = scs_names_intern(&all->text, part->text.name[k], &to[k]);
    for (int64_t i = 0; i < n && st == SCS_OK; i++)
        all->code[at + i] = part->code[i] < 0 ? -1 : to[part->code[i]];
    free(to);
    return st;
}

/* @param[out] all room for n rows of the kind */
static scs_status make_room(int kind, int64_t n, scs_obs_column *all)
{
    all->kind = kind;
    if (kind == SCS_OBS_LABELS)
        return SCS_ALLOC(all->code, n);
    if (kind == SCS_OBS_NUMBER)
        return SCS_ALLOC(all->number, n);
    return kind == SCS_OBS_TEXT ? SCS_OK : SCS_ALLOC(all->integer, n);
}

/* The rows of one table behind those of the tables before it. */
static scs_status append(const scs_obs_column *part, int64_t n, int64_t at, scs_obs_column *all)
{
    if (part->kind == SCS_OBS_LABELS)
        return unite_labels(part, n, at, all);
    for (int64_t i = 0; i < n; i++) {
        if (part->kind == SCS_OBS_TEXT)
            SCS_TRY(scs_names_add(&all->text, part->text.name[i]));
        else if (part->kind == SCS_OBS_NUMBER)
            all->number[at + i] = part->number[i];
        else
            all->integer[at + i] = part->integer[i];
    }
    return SCS_OK;
}

/* Column k of the first table, of all tables. */
static scs_status write_joined(hid_t file, const scs_obs_table *table, int32_t n_table, int32_t k,
                               int64_t n)
{
    scs_obs_column all = {0};
    int64_t at = 0;
    scs_status st;

    if (n_table == 1)
        return write_column(file, &table->column[k], n);
    SCS_GO(st, scs_text_copy(table->column[k].name, &all.name));
    SCS_GO(st, make_room(table->column[k].kind, n, &all));
    for (int32_t t = 0; t < n_table; t++) {
        int32_t c = scs_obs_table_find(&table[t], all.name);

        SCS_GO(st, append(&table[t].column[c], table[t].index.n, at, &all));
        at += table[t].index.n;
    }
    SCS_GO(st, write_column(file, &all, n));
done:
    scs_obs_table_clear_column(&all);
    return st;
}

/* Whether all tables have it, as the same. */
static bool is_common(const scs_obs_table *table, int32_t n_table, const scs_obs_column *column)
{
    for (int32_t t = 0; t < n_table; t++) {
        int32_t c = scs_obs_table_find(&table[t], column->name);

        if (c < 0 || table[t].column[c].kind != column->kind)
            return false;
    }
    return true;
}

scs_status scs_obs_table_write(hid_t file, const scs_names *index, const scs_obs_table *table,
                               int32_t n_table, const scs_obs_column *more, int32_t n_more)
{
    scs_names columns = {0};
    int32_t n_first = n_table ? table[0].n_column : 0, n_common;
    scs_status st;

    for (int32_t k = 0; k < n_first; k++)
        if (is_common(table, n_table, &table[0].column[k]))
            SCS_GO(st, scs_names_add(&columns, table[0].column[k].name));
    n_common = columns.n;
    for (int32_t k = 0; k < n_more; k++)
        if (scs_names_find(&columns, more[k].name) < 0)
            SCS_GO(st, scs_names_add(&columns, more[k].name));
    SCS_GO(st, scs_h5_dataframe(file, "obs", index, &columns));
    for (int32_t k = 0; k < n_common; k++)
        SCS_GO(st, write_joined(file, table, n_table,
                                scs_obs_table_find(&table[0], columns.name[k]), index->n));
    for (int32_t k = 0, at = n_common; k < n_more && at < columns.n; k++)
        if (strcmp(more[k].name, columns.name[at]) == 0) {
            SCS_GO(st, write_column(file, &more[k], index->n));
            at++;
        }
done:
    scs_names_clear(&columns);
    return st;
}
