/* A table is read once and kept as the text that it is: barcodes and values are pointers into it
 * (src/base/table.h), so that a row costs a few words besides. Rows are sorted by (input, barcode)
 * for the look-up, which also shows the ones that stand there twice; the values of a column are
 * factorized once, and an input then takes codes.
 *
 * O(rows log rows) a table and column, O(cells log rows) an input. All functions are Local. */
#include "src/data/label_table.h"

#include "src/base/names.h"
#include "src/base/table.h"
#include "src/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row's cell. */
typedef struct key {
    int32_t file;        /* input, -1: any, -2: none of data.inputs */
    const char *barcode; /* in the text */
    int64_t row, line;
} key;

enum { ANY_FILE = -1, OTHER_FILE = -2 };

/* One of the columns that are wanted. */
typedef struct table_column {
    const char *name;     /* borrowed from the wanted ones */
    int field;            /* of a row */
    const char **value;   /* [n] in the text, by row */
    scs_names categories; /* distinct ones, sorted; the empty text is none */
    int32_t *code;        /* [n] by row */
} table_column;

typedef struct table {
    const scs_label_source *source; /* borrowed */
    scs_table text;
    int64_t n, room;
    key *key;         /* [n] sorted */
    int32_t *cell_of; /* [n] by row: 1 + the input whose cell has taken it; 0: none has */
    scs_names header; /* all names of columns */
    int n_column;
    table_column *column; /* [n_column] */
    bool *named;          /* [n_input] with file_column: it names the input */
    int64_t other;        /* rows of files that are not in data.inputs */
    int64_t *found;       /* rows of the cells of the last match, -1: none */
} table;

struct scs_label_tables {
    const scs_config *config; /* borrowed */
    scs_names wanted;         /* columns */
    int32_t n;
    table *table;           /* [n] */
    const scs_names *cells; /* of the last match; borrowed */
    int64_t *unmatched;     /* [n_input] cells without a row */
    char **example;         /* [n_input] name of the first of them; owned */
};

/* The keys and values point into the text, which goes last of a table. */
void scs_label_table_destroy(scs_label_tables **tables)
{
    scs_label_tables *all = *tables;

    if (!all)
        return;
    for (int32_t t = 0; all->table && t < all->n; t++) {
        table *one = &all->table[t];

        for (int c = 0; one->column && c < one->n_column; c++) {
            free(one->column[c].value);
            free(one->column[c].code);
            scs_names_clear(&one->column[c].categories);
        }
        free(one->column);
        scs_names_clear(&one->header);
        free(one->key);
        free(one->cell_of);
        free(one->named);
        free(one->found);
        scs_table_close(&one->text);
    }
    for (int32_t i = 0; all->example && i < all->config->data.n_input; i++)
        free(all->example[i]);
    scs_names_clear(&all->wanted);
    free(all->example);
    free(all->unmatched);
    free(all->table);
    free(all);
    *tables = NULL;
}

/* ---- the row of names ---- */

/* Names of columns, copied: the row that they stand in is gone once the next is read. */
static scs_status read_header(table *one, scs_names *header)
{
    bool found;

    SCS_TRY(scs_table_next(&one->text, &found));
    SCS_REQUIRE(found, SCS_EDATA, "%s: is empty; expected a row of column names, then a row a cell",
                one->source->path);
    for (int f = 0; f < one->text.n_field; f++)
        SCS_TRY(scs_names_add(header, one->text.field[f]));
    return SCS_OK;
}

/* @param what the key that names it  @param[out] field its place
 *  @return SCS_EDATA with the names that there are, and the nearest of them */
static scs_status find_field(const table *one, const scs_names *header, const char *what,
                             const char *name, int *field)
{
    const char *near = scs_names_nearest(header, name);
    char list[SCS_MESSAGE_MAX / 2];

    *field = scs_names_find(header, name);
    SCS_REQUIRE(*field >= 0, SCS_EDATA, "%s: has no column %s (data.labels: %s)%s%s%s; it has: %s",
                one->source->path, name, what, near ? "; did you mean " : "", near ? near : "",
                near ? "?" : "", scs_names_list(header, 20, list, sizeof list));
    return SCS_OK;
}

/* Those of the wanted columns that the table has. */
static scs_status choose_columns(const scs_config *config, table *one, const scs_names *wanted)
{
    const scs_names *header = &one->header;
    char has[SCS_MESSAGE_MAX / 3], list[SCS_MESSAGE_MAX / 3];

    SCS_TRY(SCS_ALLOC(one->column, wanted->n));
    for (scs_lidx w = 0; w < wanted->n; w++) {
        const char *called;

        SCS_TRY(scs_h5ad_column_named(header, config->data.rename, config->data.n_rename,
                                      wanted->name[w], one->source->path, &called));
        if (called)
            one->column[one->n_column++] =
                (table_column){.name = wanted->name[w], .field = scs_names_find(header, called)};
    }
    SCS_REQUIRE(one->n_column > 0, SCS_EDATA,
                "%s: has none of the columns that are asked for (%s); it has: %s; name them in "
                "data.cell_type, data.condition, data.filter and the like",
                one->source->path, scs_names_list(wanted, 10, list, sizeof list),
                scs_names_list(header, 20, has, sizeof has));
    return SCS_OK;
}

/* ---- rows ---- */

/* Whether a table calls an input so. A folder may end in slashes. */
static bool is_named(const char *path, const char *name)
{
    const char *end = path + strlen(path), *file;
    size_t n = strlen(name);

    while (end > path + 1 && end[-1] == '/')
        end--;
    for (file = end; file > path && file[-1] != '/';)
        file--;
    if (strcmp(path, name) == 0 || n == 0 || (size_t)(end - file) < n ||
        strncmp(file, name, n) != 0)
        return strcmp(path, name) == 0;
    return file + n == end || (file[n] == '.' && !strchr(file + n + 1, '.'));
}

/* Rows of one input mostly stand together: the last one is tried first.
 *  @param[in,out] last ANY_FILE before the first row */
static scs_status find_file(const scs_config *config, const table *one, const char *name,
                            int32_t last, int32_t *file)
{
    *file = OTHER_FILE;
    if (last >= 0 && is_named(config->data.inputs[last].path, name))
        *file = last;
    for (int32_t i = 0; *file < 0 && i < config->data.n_input; i++)
        if (is_named(config->data.inputs[i].path, name))
            *file = i;
    for (int32_t i = 0; *file >= 0 && i < config->data.n_input; i++)
        SCS_REQUIRE(i == *file || !is_named(config->data.inputs[i].path, name) ||
                        strcmp(config->data.inputs[i].path, config->data.inputs[*file].path) == 0,
                    SCS_EDATA, "%s:%lld: '%s' is the name of %s and of %s; write the whole paths",
                    one->text.path, (long long)one->text.line, name,
                    config->data.inputs[*file].path, config->data.inputs[i].path);
    return SCS_OK;
}

/* Room for another row, by doubling. */
static scs_status make_room(table *one)
{
    int64_t room = one->room ? 2 * one->room : 1024;
    key *keys;

    if (one->n < one->room)
        return SCS_OK;
    keys = scs_reallocate(one->key, room, sizeof *keys);
    SCS_REQUIRE(keys, SCS_ENOMEM, "out of memory for the rows of %s", one->source->path);
    one->key = keys;
    for (int c = 0; c < one->n_column; c++) {
        const char **value =
            scs_reallocate((void *)one->column[c].value, room, sizeof *one->column[c].value);

        SCS_REQUIRE(value, SCS_ENOMEM, "out of memory for the rows of %s", one->source->path);
        one->column[c].value = value;
    }
    one->room = room;
    return SCS_OK;
}

/* Where a row's fields are. */
typedef struct layout {
    int width;          /* names of columns */
    int shift;          /* 1: the first field of a row has no name */
    int barcode, file;  /* fields; file -1: none */
    int32_t last;       /* input of the row before */
    const char *header; /* the name of the barcodes, for messages */
} layout;

/* R's write.table puts no name over the row names: where the first row has one field more than
 * there are names, the first is the barcode, for all rows. */
static scs_status take_row(const scs_config *config, table *one, layout *at)
{
    scs_table *text = &one->text;
    key *k;

    if (one->n == 0 && text->n_field == at->width + 1 && !one->source->barcode_column)
        at->shift = 1;
    SCS_REQUIRE(text->n_field == at->width + at->shift, SCS_EDATA,
                "%s:%lld: has %d fields where the row of names has %d", text->path,
                (long long)text->line, text->n_field, at->width);
    SCS_TRY(make_room(one));
    k = &one->key[one->n];
    *k = (key){ANY_FILE, text->field[at->shift ? 0 : at->barcode], one->n, text->line};
    SCS_REQUIRE(*k->barcode, SCS_EDATA, "%s:%lld: names no cell: its %s is empty", text->path,
                (long long)text->line, at->header);
    if (at->file >= 0) {
        SCS_TRY(find_file(config, one, text->field[at->file + at->shift], at->last, &k->file));
        if (k->file >= 0) {
            one->named[k->file] = true;
            at->last = k->file;
        }
        one->other += k->file == OTHER_FILE;
    }
    for (int c = 0; c < one->n_column; c++)
        one->column[c].value[one->n] = text->field[one->column[c].field + at->shift];
    one->n++;
    return SCS_OK;
}

/* By (input, barcode), then by line, so that of two rows of one cell the first is named first. */
static int by_cell(const void *a, const void *b)
{
    const key *x = a, *y = b;
    int order;

    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    order = strcmp(x->barcode, y->barcode);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* A cell twice in one table is refused even where both rows say the same: which of them was meant
 * to be another cell cannot be told. Rows of files that are no input are let through. */
static scs_status sort_rows(table *one)
{
    if (one->n > 0)
        qsort(one->key, (size_t)one->n, sizeof *one->key, by_cell);
    for (int64_t k = 1; k < one->n; k++) {
        const key *a = &one->key[k - 1], *b = &one->key[k];

        SCS_REQUIRE(a->file == OTHER_FILE || a->file != b->file ||
                        strcmp(a->barcode, b->barcode) != 0,
                    SCS_EDATA,
                    "%s:%lld: names the cell %s a second time (first on line %lld); keep one row a "
                    "cell%s",
                    one->text.path, (long long)b->line, b->barcode, (long long)a->line,
                    one->source->file_column ? ""
                                             : ", or give data.labels a file_column that says "
                                               "which input each row is of");
    }
    return SCS_OK;
}

/* A value and its row, to sort rows by. */
typedef struct valued {
    const char *value;
    int64_t row;
} valued;

/* By bytes, as all categories are sorted here; equal values may stand in any order. */
static int by_value(const void *a, const void *b)
{
    const valued *x = a, *y = b;

    return strcmp(x->value, y->value);
}

/* As pandas makes a categorical; an empty text is no label. The values' pointers are given up:
 * codes are what is left. */
static scs_status factorize(const table *one, table_column *c)
{
    valued *all = NULL;
    const char *last = NULL;
    scs_status st = SCS_OK;

    SCS_GO(st, SCS_ALLOC(c->code, one->n));
    SCS_GO(st, SCS_ALLOC(all, one->n));
    for (int64_t i = 0; i < one->n; i++)
        all[i] = (valued){c->value[i], i};
    qsort(all, (size_t)one->n, sizeof *all, by_value);
    for (int64_t i = 0; i < one->n; i++) {
        if (*all[i].value && (!last || strcmp(last, all[i].value) != 0)) {
            last = all[i].value;
            SCS_GO(st, scs_names_add(&c->categories, last));
        }
        c->code[all[i].row] = *all[i].value ? c->categories.n - 1 : -1;
    }
done:
    free(all);
    free((void *)c->value);
    c->value = NULL;
    return st;
}

/* All rows, in one pass; then what can be told without the inputs: that some row is of one of them,
 * and that none stands there twice. */
static scs_status read_rows(const scs_config *config, table *one, layout *at)
{
    bool found;

    SCS_TRY(scs_table_next(&one->text, &found));
    while (found) {
        SCS_TRY(take_row(config, one, at));
        SCS_TRY(scs_table_next(&one->text, &found));
    }
    SCS_REQUIRE(one->n > 0, SCS_EDATA, "%s: names no cell: there is no row below the column names",
                one->source->path);
    SCS_REQUIRE(one->other < one->n, SCS_EDATA,
                "%s: no row is of an input: its column %s has '%s' and the like, data.inputs has "
                "%s and the like",
                one->source->path, one->source->file_column, one->text.field[at->file + at->shift],
                config->data.inputs[0].path);
    SCS_TRY(sort_rows(one));
    SCS_TRY(SCS_ALLOC(one->cell_of, one->n));
    for (int c = 0; c < one->n_column; c++)
        SCS_TRY(factorize(one, &one->column[c]));
    return SCS_OK;
}

/* One table: its row of names, the columns that are wanted, all its rows. Memory: the text, within
 * data.memory, 32 bytes a row, and 4 bytes a row and column once codes are made. */
static scs_status load(const scs_config *config, const scs_names *wanted, table *one)
{
    const scs_label_source *source = one->source;
    layout at = {.file = -1, .last = ANY_FILE};
    scs_names *header = &one->header;

    SCS_TRY(scs_table_open(source->path, config->data.memory << 20, &one->text));
    SCS_TRY(SCS_ALLOC(one->named, config->data.n_input));
    SCS_TRY(read_header(one, header));
    at.width = header->n;
    if (source->barcode_column)
        SCS_TRY(find_field(one, header, "barcode_column", source->barcode_column, &at.barcode));
    if (source->file_column)
        SCS_TRY(find_field(one, header, "file_column", source->file_column, &at.file));
    at.header = header->name[at.barcode];
    SCS_TRY(choose_columns(config, one, wanted));
    return read_rows(config, one, &at);
}

scs_status scs_label_table_load(const scs_config *config, const scs_names *wanted,
                                scs_label_tables **tables)
{
    scs_label_tables *all = NULL;
    scs_status st = SCS_OK;

    *tables = NULL;
    if (config->data.n_labels == 0)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(all, 1));
    all->config = config;
    all->n = config->data.n_labels;
    SCS_GO(st, SCS_ALLOC(all->table, all->n));
    SCS_GO(st, scs_names_copy(wanted, &all->wanted));
    SCS_GO(st, SCS_ALLOC(all->unmatched, config->data.n_input));
    SCS_GO(st, SCS_ALLOC(all->example, config->data.n_input));
    for (int32_t t = 0; t < all->n; t++) {
        all->table[t].source = &config->data.labels[t];
        SCS_GO(st, load(config, &all->wanted, &all->table[t]));
    }
done:
    if (st != SCS_OK)
        scs_label_table_destroy(&all);
    *tables = all;
    return st;
}

/* In any of the tables, asked for or not: a column that data.rename speaks of may stand there. */
bool scs_label_table_names(const scs_label_tables *tables, const char *column)
{
    for (int32_t t = 0; tables && t < tables->n; t++)
        if (scs_names_find(&tables->table[t].header, column) >= 0)
            return true;
    return false;
}

/* ---- joining ---- */

/* Without a file_column a table is about every input, and each has to find some row in it. */
static bool is_about(const table *one, int32_t i)
{
    return !one->source->file_column || one->named[i];
}

/* NULL: the table was not asked for it, or does not have it. */
static const table_column *find_column(const table *one, const char *name)
{
    for (int c = 0; c < one->n_column; c++)
        if (strcmp(one->column[c].name, name) == 0)
            return &one->column[c];
    return NULL;
}

/* Whether a table that is about the input tells a column that is wanted: it is not asked of the
 * file itself then. */
bool scs_label_table_has(const scs_label_tables *tables, int32_t i, const char *column)
{
    for (int32_t t = 0; tables && t < tables->n; t++)
        if (is_about(&tables->table[t], i) && find_column(&tables->table[t], column))
            return true;
    return false;
}

/* Names of cells have to be read for it. */
bool scs_label_table_concerns(const scs_label_tables *tables, int32_t i)
{
    for (int32_t t = 0; tables && t < tables->n; t++)
        if (is_about(&tables->table[t], i))
            return true;
    return false;
}

/* The row of a cell, or NULL. */
static const key *find_row(const table *one, int32_t i, const char *barcode)
{
    key wanted = {one->source->file_column ? i : ANY_FILE, barcode, 0, 0};
    int64_t low = 0, high = one->n;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        const key *k = &one->key[middle];
        int order = k->file != wanted.file ? (k->file < wanted.file ? -1 : 1)
                                           : strcmp(k->barcode, wanted.barcode);

        if (order == 0)
            return k;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A row is of one cell. */
static scs_status claim(const scs_label_tables *all, table *one, int32_t i, const key *k)
{
    int32_t *taken = &one->cell_of[k->row];

    SCS_REQUIRE(*taken == 0 || *taken - 1 == i, SCS_EDATA,
                "%s:%lld: %s is a cell of %s and of %s; give data.labels a file_column that says "
                "which input each row is of",
                one->text.path, (long long)k->line, k->barcode,
                all->config->data.inputs[*taken - 1].path, all->config->data.inputs[i].path);
    SCS_REQUIRE(*taken == 0, SCS_EDATA,
                "%s:%lld: several cells of %s are named %s; make their names unique first, as "
                "adata.obs_names_make_unique() does",
                one->text.path, (long long)k->line, all->config->data.inputs[i].path, k->barcode);
    *taken = i + 1;
    return SCS_OK;
}

/* The difference that is met most: the number that Cell Ranger puts behind barcodes. */
static const char *hint(const char *row, const char *cell)
{
    size_t n = strlen(row), m = strlen(cell);

    if (m > n && strncmp(row, cell, n) == 0)
        return ": the cells' names go on where the table's end; write them alike";
    if (n > m && strncmp(row, cell, m) == 0)
        return ": the table's names go on where the cells' end; write them alike";
    return "; write them alike, or name the right barcode_column";
}

/* A row that begins as some cell does, or else the first: to show both sides. */
static scs_status refuse_none(const table *one, int32_t i, const char *file, const scs_names *cells)
{
    const key *row = &one->key[0];
    const char *cell = cells->n ? cells->name[0] : "";
    char a[120], b[120];

    while (row->file != (one->source->file_column ? i : ANY_FILE))
        row++;
    for (scs_lidx c = 0; c < cells->n && c < 10000; c++) {
        char start[200];
        const key *k;
        const char *dash = strrchr(cells->name[c], '-');

        snprintf(start, sizeof start, "%.*s",
                 dash ? (int)(dash - cells->name[c]) : (int)strlen(cells->name[c]), cells->name[c]);
        k = find_row(one, i, start);
        if (k) {
            row = k;
            cell = cells->name[c];
            break;
        }
    }
    scs_text_escape(row->barcode, a, sizeof a);
    scs_text_escape(cell, b, sizeof b);
    return SCS_FAIL(SCS_EDATA,
                    "%s: no row is a cell of %s: the table has %s (line %lld), the file %s%s",
                    one->text.path, file, a, (long long)row->line, b, hint(a, b));
}

/* O(cells log rows). The rows that were found are kept until the next input is matched: labels are
 * asked for column by column, and are then a look-up a cell. */
static scs_status match_table(scs_label_tables *all, table *one, int32_t i, const char *file,
                              const scs_names *cells)
{
    int64_t n = 0;

    free(one->found);
    one->found = NULL;
    if (!is_about(one, i))
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(one->found, cells->n));
    for (scs_lidx c = 0; c < cells->n; c++) {
        const key *k = find_row(one, i, cells->name[c]);

        one->found[c] = k ? k->row : -1;
        n += k != NULL;
        if (k)
            SCS_TRY(claim(all, one, i, k));
    }
    return n > 0 ? SCS_OK : refuse_none(one, i, file, cells);
}

/* Two tables may share out the cells of an input, but not tell of one. */
static scs_status count_unmatched(scs_label_tables *all, int32_t i, const char *file)
{
    for (scs_lidx c = 0; c < all->cells->n; c++) {
        const table *by = NULL;

        for (int32_t t = 0; t < all->n; t++) {
            const table *one = &all->table[t];

            if (!one->found || one->found[c] < 0)
                continue;
            for (int k = 0; by && k < one->n_column; k++)
                SCS_REQUIRE(!find_column(by, one->column[k].name), SCS_EDATA,
                            "%s and %s both tell the %s of the cell %s of %s; keep one of the two",
                            by->text.path, one->text.path, one->column[k].name, all->cells->name[c],
                            file);
            by = one;
        }
        if (by)
            continue;
        if (all->unmatched[i]++ == 0)
            SCS_TRY(scs_text_copy(all->cells->name[c], &all->example[i]));
    }
    return SCS_OK;
}

/* All tables, then all of them together: which cells none tells of, and which two do. */
scs_status scs_label_table_match(scs_label_tables *tables, int32_t i, const char *file,
                                 const scs_names *cells)
{
    tables->cells = cells;
    for (int32_t t = 0; t < tables->n; t++)
        SCS_TRY(match_table(tables, &tables->table[t], i, file, cells));
    return count_unmatched(tables, i, file);
}

/* Codes of one table among the categories of all. */
static scs_status add_codes(const scs_label_tables *tables, const table *one, const table_column *c,
                            const scs_index *all, scs_labels *labels)
{
    int32_t *to;

    SCS_TRY(SCS_ALLOC(to, c->categories.n));
    for (scs_lidx k = 0; k < c->categories.n; k++)
        to[k] = scs_names_index_find(all, c->categories.name[k]);
    for (scs_lidx cell = 0; cell < tables->cells->n; cell++)
        if (one->found[cell] >= 0 && c->code[one->found[cell]] >= 0)
            labels->codes[cell] = to[c->code[one->found[cell]]];
    free(to);
    return SCS_OK;
}

/* Categories are those of all tables about the input, sorted and each once, as a file's own are.
 * Cells without a row have no label (-1), like cells whose value is empty. */
scs_status scs_label_table_labels(const scs_label_tables *tables, const char *column_name,
                                  scs_labels *labels)
{
    scs_names all = {0};
    scs_index index = {0};
    scs_status st;

    SCS_GO(st, scs_text_copy(column_name, &labels->column));
    SCS_GO(st, SCS_ALLOC(labels->codes, tables->cells->n));
    for (scs_lidx c = 0; c < tables->cells->n; c++)
        labels->codes[c] = -1;
    for (int32_t t = 0; t < tables->n; t++) {
        const table_column *c = find_column(&tables->table[t], column_name);

        for (scs_lidx k = 0; c && tables->table[t].found && k < c->categories.n; k++)
            SCS_GO(st, scs_names_add(&all, c->categories.name[k]));
    }
    SCS_GO(st, scs_names_sort_unique(&all, &labels->categories));
    SCS_GO(st, scs_names_index_create(&labels->categories, &index));
    for (int32_t t = 0; t < tables->n; t++) {
        const table_column *c = find_column(&tables->table[t], column_name);

        if (c && tables->table[t].found)
            SCS_GO(st, add_codes(tables, &tables->table[t], c, &index, labels));
    }
done:
    scs_names_index_clear(&index);
    scs_names_clear(&all);
    return st;
}

/* ---- in words ---- */

/* "labels.tsv: 900 of 1000 rows are cells of the inputs, 60 of no cell (first on line 7), 40 ..."
 */
static scs_status describe_table(const table *one, scs_names *notes)
{
    char line[SCS_MESSAGE_MAX], rest[200] = "", other[100] = "", list[200];
    scs_names columns = {0};
    int64_t taken = 0, first = 0;
    scs_status st = SCS_OK;

    for (int64_t k = 0; k < one->n; k++) {
        bool is_taken = one->cell_of[one->key[k].row] != 0;

        taken += is_taken;
        if (!is_taken && one->key[k].file != OTHER_FILE && (!first || one->key[k].line < first))
            first = one->key[k].line;
    }
    for (int c = 0; c < one->n_column; c++)
        SCS_GO(st, scs_names_add(&columns, one->column[c].name));
    if (one->n - taken - one->other > 0)
        snprintf(rest, sizeof rest, "; %lld name no cell of them (first on line %lld)",
                 (long long)(one->n - taken - one->other), (long long)first);
    if (one->other > 0)
        snprintf(other, sizeof other, "; %lld are of files that data.inputs does not name",
                 (long long)one->other);
    snprintf(line, sizeof line, "%s: tells %s of %lld cells of the inputs, with %lld rows%s%s",
             one->text.path, scs_names_list(&columns, 8, list, sizeof list), (long long)taken,
             (long long)one->n, rest, other);
    SCS_GO(st, scs_names_add(notes, line));
done:
    scs_names_clear(&columns);
    return st;
}

/* A line for each table and a warning for each input that has cells without a row. */
scs_status scs_label_table_describe(const scs_label_tables *tables, scs_names *notes)
{
    char line[SCS_MESSAGE_MAX], name[120];

    for (int32_t t = 0; tables && t < tables->n; t++)
        SCS_TRY(describe_table(&tables->table[t], notes));
    for (int32_t i = 0; tables && i < tables->config->data.n_input; i++)
        if (tables->unmatched[i] > 0) {
            snprintf(line, sizeof line,
                     "warning: %s: %lld cells have no row in data.labels, and so no label (first: "
                     "%s)",
                     tables->config->data.inputs[i].path, (long long)tables->unmatched[i],
                     scs_text_escape(tables->example[i], name, sizeof name));
            SCS_TRY(scs_names_add(notes, line));
        }
    return SCS_OK;
}
