/* The list of inputs, and what is beside them: constants of data.inputs and tables of labels
 * (inputs.h).
 *
 * A label of a cell comes from one of three places, asked in this order: what data.inputs says of
 * the whole file, a table of data.labels, the file's own obs. A column that comes from beside the
 * file is not asked of the file, so that it need not be there.
 *
 * All files are described before any cell is left out: a value of data.filter may stand in one of
 * them alone. Names of cells are read only of inputs that a table of labels is about: they are as
 * long as everything else that is read here.
 *
 * All functions are Local. Rank 0 runs them, and what it has found is sent to the others as bytes
 * (mpi/job/preflight.c): files are opened once, however many ranks there are. */
#include "src/data/inputs.h"

#include "src/base/checksum.h"
#include "src/base/file.h"
#include "src/base/names.h"
#include "src/base/text.h"
#include "src/config/key.h"
#include "src/config/value.h"
#include "src/data/filter.h"
#include "src/data/label_table.h"
#include "src/data/value_map.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- globs ---- */

/* A file whose very name has a bracket in it is that file, also where a part of it is named. */
bool scs_inputs_is_glob(const char *path)
{
    const char *part;
    char *file = NULL;
    bool there = access(path, F_OK) == 0;

    if (!there && strpbrk(path, "*?["))
        there = scs_file_split_part(path, &file, &part) == SCS_OK && access(file, F_OK) == 0;
    free(file);
    return !there && strpbrk(path, "*?[");
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted by bytes, as a locale's order is not the same everywhere. Caller frees with globfree.
 * @param[out] found no paths where none matches
 * @param[out] part that the glob names of each file ("*.h5mu:prot"), or NULL; within path */
static scs_status match_files(const char *path, glob_t *found, const char **part)
{
    char *files = NULL;
    int result;

    *found = (glob_t){0};
    SCS_TRY(scs_file_split_part(path, &files, part));
    result = glob(files, GLOB_NOSORT, NULL, found);
    free(files);
    if (result == GLOB_NOMATCH)
        found->gl_pathc = 0;
    else
        SCS_REQUIRE(result == 0 && found->gl_pathc <= INT32_MAX, SCS_ENOMEM,
                    "%s: out of memory for the files that it matches", path);
    if (found->gl_pathc > 0)
        qsort(found->gl_pathv, found->gl_pathc, sizeof *found->gl_pathv, by_bytes);
    return SCS_OK;
}

scs_status scs_inputs_count(const char *path, int32_t *n)
{
    const char *part;
    glob_t found;
    scs_status st = match_files(path, &found, &part);

    *n = (int32_t)found.gl_pathc;
    globfree(&found);
    return st;
}

/* @param part NULL: none  @param[in,out] files appended "file:part" */
static scs_status add_file(const char *file, const char *part, scs_names *files)
{
    char *path;
    scs_status st;

    SCS_TRY(scs_file_path_print(&path, "%s%s%s", file, part ? ":" : "", part ? part : ""));
    st = scs_names_add(files, path);
    free(path);
    return st;
}

/* One item becomes a record of its own for each file, with all else that the item says.
 *  @param[in,out] files, item appended: paths, and the position of the item of each */
static scs_status list_files(const scs_config *config, scs_names *files, scs_names *item)
{
    for (int32_t i = 0; i < config->data.n_input; i++) {
        const char *path = config->data.inputs[i].path, *part;
        char position[16];
        glob_t found;
        scs_status st;

        snprintf(position, sizeof position, "%d", i);
        if (!scs_inputs_is_glob(path)) {
            SCS_TRY(scs_names_add(files, path));
            SCS_TRY(scs_names_add(item, position));
            continue;
        }
        st = match_files(path, &found, &part);
        if (st == SCS_OK && found.gl_pathc == 0)
            st = SCS_FAIL(SCS_EDATA, "data.inputs: no file matches %s", path);
        for (size_t k = 0; k < found.gl_pathc && st == SCS_OK; k++) {
            st = add_file(found.gl_pathv[k], part, files);
            if (st == SCS_OK)
                st = scs_names_add(item, position);
        }
        globfree(&found);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* data.inputs anew, with one record a file: the old records are moved aside, read field by field,
 * and freed at the end. Field 0 is the path. */
static scs_status expand(scs_config *config, const scs_key *key)
{
    scs_names files = {0}, item = {0};
    scs_where where = {.text = "data.inputs"};
    scs_config old = {.data = {.inputs = config->data.inputs, .n_input = config->data.n_input}};
    scs_status st;

    SCS_TRY(list_files(config, &files, &item));
    config->data.inputs = NULL;
    config->data.n_input = 0;
    config->has_paths = true; /* they are set once more, as the file system has them */
    SCS_GO(st, scs_value_reserve(config, key, files.n));
    for (scs_lidx k = 0; k < files.n; k++)
        for (int f = 0; f < key->record->n_field; f++) {
            const scs_field *field = &key->record->field[f];
            const char *text =
                f == 0 ? files.name[k] : scs_value_field(&old, key, atoi(item.name[k]), field);

            if (text)
                SCS_GO(st, scs_value_set_field(config, key, k, field, text, &where));
        }
done:
    scs_value_clear(&old, key);
    scs_names_clear(&files);
    scs_names_clear(&item);
    return st;
}

/* The table stands in what is stored with a model by its bytes, not by its path. */
static scs_status check_labels(scs_config *config)
{
    for (int32_t i = 0; i < config->data.n_labels; i++) {
        scs_label_source *labels = &config->data.labels[i];
        char sum[SCS_CHECKSUM_MAX];

        SCS_REQUIRE(access(labels->path, R_OK) == 0, SCS_EDATA,
                    "%s: cannot be read (data.labels): no such file, or no permission",
                    labels->path);
        SCS_TRY(scs_checksum_file(labels->path, sum));
        SCS_REQUIRE(!labels->checksum || strcmp(labels->checksum, sum) == 0, SCS_EDATA,
                    "%s: is another table than data.labels says: its checksum is %s, not %s",
                    labels->path, sum, labels->checksum);
        if (!labels->checksum)
            SCS_TRY(scs_text_copy(sum, &labels->checksum));
    }
    return SCS_OK;
}

scs_status scs_inputs_settle(scs_config *config)
{
    SCS_TRY(expand(config, scs_key_find("data.inputs")));
    return check_labels(config);
}

scs_status scs_inputs_put(const scs_config *config, scs_bytes *out)
{
    SCS_TRY(scs_value_put_records(config, scs_key_find("data.inputs"), out));
    return scs_value_put_records(config, scs_key_find("data.labels"), out);
}

scs_status scs_inputs_get(scs_bytes *in, scs_config *config)
{
    SCS_TRY(scs_value_get_records(in, scs_key_find("data.inputs"), config));
    return scs_value_get_records(in, scs_key_find("data.labels"), config);
}

/* ---- what stands beside a file ---- */

/* The columns that the config asks for, and where they come from. */
typedef struct asked {
    const scs_config *config;
    scs_names labels, numbers; /* further columns */
    scs_label_tables *tables;  /* or NULL */
} asked;

/* Columns are optional keys: NULL or empty are not asked for. */
static bool is_asked(const char *column)
{
    return column && *column;
}

/* What data.inputs says of all cells of a file, or NULL. */
static const char *constant_of(const scs_config *config, int32_t i, const char *column)
{
    const scs_input *input = &config->data.inputs[i];
    const struct {
        const char *column, *value;
    } constants[] = {{config->data.cell_type, input->cell_type},
                     {config->data.condition, input->condition},
                     {config->data.species, input->species},
                     {"batch", input->batch},
                     {"donor", input->donor}};

    for (size_t k = 0; k < sizeof constants / sizeof *constants; k++)
        if (constants[k].value && is_asked(column) && strcmp(column, constants[k].column) == 0)
            return constants[k].value;
    return NULL;
}

/* Whether the file itself is asked for a column. */
static bool is_in_file(const asked *a, int32_t i, const char *column)
{
    return is_asked(column) && !constant_of(a->config, i, column) &&
           !scs_label_table_has(a->tables, i, column);
}

/* One label for all cells. @param[out] labels cleared by the caller */
static scs_status label_all(const char *column, const char *value, int64_t n_obs,
                            scs_labels *labels)
{
    SCS_TRY(scs_text_copy(column, &labels->column));
    SCS_TRY(scs_names_add(&labels->categories, value));
    return SCS_ALLOC(labels->codes, n_obs);
}

/* A column that does not come from the file. */
static scs_status label_beside(const asked *a, int32_t i, const char *column, int64_t n_obs,
                               scs_labels *labels)
{
    const char *constant = constant_of(a->config, i, column);

    return constant ? label_all(column, constant, n_obs, labels)
                    : scs_label_table_labels(a->tables, column, labels);
}

/* Likewise as numbers. @param what "dose", for the message  @param[out] value [n_obs] malloc'ed */
static scs_status number_beside(const asked *a, int32_t i, const char *column, const char *what,
                                int64_t n_obs, double **value)
{
    scs_labels labels = {0};
    scs_status st;

    SCS_GO(st, label_beside(a, i, column, n_obs, &labels));
    SCS_GO(st, SCS_ALLOC(*value, n_obs));
    for (int64_t c = 0; c < n_obs; c++) {
        const char *text = labels.codes[c] < 0 ? "" : labels.categories.name[labels.codes[c]];
        char label[200];

        if (!scs_h5ad_obs_parse_number(text, &(*value)[c]))
            SCS_GO(st, SCS_FAIL(SCS_EDATA,
                                "%s: column %s beside it, cell row %lld: '%s' is no %s; expected "
                                "a number",
                                a->config->data.inputs[i].path, column, (long long)c,
                                scs_text_escape(text, label, sizeof label), what));
    }
done:
    scs_h5ad_obs_labels_clear(&labels);
    return st;
}

/* Further columns of labels behind those of the file. */
static scs_status add_labels(const asked *a, int32_t i, scs_h5ad *meta)
{
    scs_labels *all = realloc(meta->label, (size_t)(a->labels.n + 1) * sizeof *all);

    SCS_REQUIRE(all, SCS_ENOMEM, "out of memory for the columns of %s", meta->path);
    meta->label = all;
    for (scs_lidx k = 0; k < a->labels.n; k++) {
        if (is_in_file(a, i, a->labels.name[k]))
            continue;
        all[meta->n_label] = (scs_labels){0};
        meta->n_label++;
        SCS_TRY(label_beside(a, i, a->labels.name[k], meta->n_obs, &all[meta->n_label - 1]));
    }
    return SCS_OK;
}

/* Likewise further columns of numbers, behind those of the file. */
static scs_status add_numbers(const asked *a, int32_t i, scs_h5ad *meta)
{
    scs_numbers *all = realloc(meta->number, (size_t)(a->numbers.n + 1) * sizeof *all);

    SCS_REQUIRE(all, SCS_ENOMEM, "out of memory for the columns of %s", meta->path);
    meta->number = all;
    for (scs_lidx k = 0; k < a->numbers.n; k++) {
        if (is_in_file(a, i, a->numbers.name[k]))
            continue;
        all[meta->n_number] = (scs_numbers){0};
        meta->n_number++;
        SCS_TRY(scs_text_copy(a->numbers.name[k], &all[meta->n_number - 1].column));
        SCS_TRY(number_beside(a, i, a->numbers.name[k], "number", meta->n_obs,
                              &all[meta->n_number - 1].value));
    }
    return SCS_OK;
}

/* All columns that the file was not asked for. */
static scs_status add_beside(const asked *a, int32_t i, scs_h5ad *meta)
{
    const scs_config *config = a->config;
    const struct {
        const char *column;
        scs_labels *labels;
    } own[] = {{config->data.cell_type, &meta->cell_type},
               {config->data.condition, &meta->condition},
               {config->data.species, &meta->species}};

    for (size_t k = 0; k < sizeof own / sizeof *own; k++)
        if (is_asked(own[k].column) && !is_in_file(a, i, own[k].column))
            SCS_TRY(label_beside(a, i, own[k].column, meta->n_obs, own[k].labels));
    if (is_asked(config->data.dose) && !is_in_file(a, i, config->data.dose)) {
        SCS_TRY(scs_text_copy(config->data.dose, &meta->dose_column));
        SCS_TRY(number_beside(a, i, config->data.dose, "dose", meta->n_obs, &meta->dose));
    }
    SCS_TRY(add_labels(a, i, meta));
    return add_numbers(a, i, meta);
}

/* ---- describing ---- */

/* @param[out] in_file those of `all` that the file is asked for, appended; borrowed by the request
 */
static scs_status choose_from_file(const asked *a, int32_t i, const scs_names *all,
                                   scs_names *in_file)
{
    for (scs_lidx k = 0; k < all->n; k++)
        if (is_in_file(a, i, all->name[k]))
            SCS_TRY(scs_names_add(in_file, all->name[k]));
    return SCS_OK;
}

/* The column, or NULL, which asks the file for nothing. */
static const char *if_in_file(const asked *a, int32_t i, const char *column)
{
    return is_in_file(a, i, column) ? column : NULL;
}

/* What the file itself tells, within data.memory. @param[out] meta owned by the caller, also where
 * more is added to it afterwards */
static scs_status probe_file(const asked *a, int32_t i, scs_h5ad **meta)
{
    const scs_config *config = a->config;
    scs_names labels = {0}, numbers = {0};
    scs_h5ad_request request = {.matrix = config->data.matrix,
                                .source = config->data.source,
                                .gene_column = config->data.gene_column,
                                .cell_type = if_in_file(a, i, config->data.cell_type),
                                .condition = if_in_file(a, i, config->data.condition),
                                .species = if_in_file(a, i, config->data.species),
                                .dose = if_in_file(a, i, config->data.dose),
                                .labels = &labels,
                                .numbers = &numbers,
                                .rename = config->data.rename,
                                .n_rename = config->data.n_rename,
                                .memory = config->data.memory << 20};
    scs_status st;

    SCS_GO(st, choose_from_file(a, i, &a->labels, &labels));
    SCS_GO(st, choose_from_file(a, i, &a->numbers, &numbers));
    SCS_GO(st, scs_h5ad_probe(config->data.inputs[i].path, &request, meta));
done:
    scs_names_clear(&labels);
    scs_names_clear(&numbers);
    return st;
}

/* The later ones of each name get -1, -2, ... as anndata's make_index_unique gives them: the
 * first numbers that make a name which is not there.
 *  @param[in,out] notes how many, with the first */
static scs_status make_unique(const char *path, scs_names *genes, scs_names *notes)
{
    scs_names before = {0};
    scs_index index = {0};
    char line[SCS_MESSAGE_MAX], example[400] = "";
    int64_t n = 0, number = 0;
    scs_status st;

    SCS_GO(st, scs_names_copy(genes, &before));
    SCS_GO(st, scs_names_index_create(&before, &index));
    for (scs_lidx k = 1; k < before.n; k++) {
        scs_lidx at = index.order[k];
        const char *name = before.name[at];
        char *unique;

        if (strcmp(name, before.name[index.order[k - 1]]) != 0) {
            number = 0;
            continue;
        }
        do {
            number++;
            SCS_GO(st, scs_file_path_print(&unique, "%s-%lld", name, (long long)number));
            if (scs_names_index_find(&index, unique) < 0)
                break;
            free(unique);
        } while (true);
        if (n++ == 0)
            snprintf(example, sizeof example, "%.150s becomes %.170s", name, unique);
        free(genes->name[at]);
        genes->name[at] = unique;
    }
    if (n > 0) {
        snprintf(line, sizeof line,
                 "%s: %lld gene names stand there before and are made unique (%s); "
                 "data.duplicate_genes: sum would add their counts up",
                 path, (long long)n, example);
        SCS_GO(st, scs_names_add(notes, line));
    }
done:
    scs_names_index_clear(&index);
    scs_names_clear(&before);
    return st;
}

/* What data.inputs says of a file goes before what the file says. */
static scs_status note_constants(const asked *a, int32_t i, const scs_h5ad *meta, scs_names *notes)
{
    const char *const columns[] = {a->config->data.cell_type, a->config->data.condition,
                                   a->config->data.species};
    char line[SCS_MESSAGE_MAX];

    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
        const char *value = constant_of(a->config, i, columns[k]);

        if (!value || scs_names_find(&meta->obs_columns, columns[k]) < 0)
            continue;
        snprintf(line, sizeof line,
                 "%s: its column %.200s is not read, as data.inputs says '%.200s' of all its cells",
                 meta->path, columns[k], value);
        SCS_TRY(scs_names_add(notes, line));
    }
    return SCS_OK;
}

/* The names of a file's cells are needed no longer than it takes to find their rows and labels. */
static scs_status probe(const asked *a, int32_t i, scs_h5ad **meta, scs_names *notes)
{
    const char *path = a->config->data.inputs[i].path;
    scs_names cells = {0};
    scs_status st;

    SCS_TRY(probe_file(a, i, meta));
    if (a->config->data.duplicate_genes == SCS_DUPLICATE_UNIQUE)
        SCS_TRY(make_unique(path, &(*meta)->genes, notes));
    if (scs_label_table_concerns(a->tables, i)) {
        SCS_GO(st, scs_h5ad_probe_cells(path, a->config->data.memory << 20, &cells));
        SCS_GO(st, scs_label_table_match(a->tables, i, path, &cells));
    }
    SCS_GO(st, note_constants(a, i, *meta, notes));
    SCS_GO(st, add_beside(a, i, *meta));
done:
    scs_names_clear(&cells);
    return st;
}

/* Everything that a table could be asked for, each once. @param[out] wanted appended */
static scs_status list_wanted(const asked *a, scs_names *wanted)
{
    const char *const own[] = {a->config->data.cell_type, a->config->data.condition,
                               a->config->data.species, a->config->data.dose};
    scs_lidx at;

    for (size_t k = 0; k < sizeof own / sizeof *own; k++)
        if (is_asked(own[k]))
            SCS_TRY(scs_names_intern(wanted, own[k], &at));
    for (scs_lidx k = 0; k < a->labels.n; k++)
        SCS_TRY(scs_names_intern(wanted, a->labels.name[k], &at));
    for (scs_lidx k = 0; k < a->numbers.n; k++)
        SCS_TRY(scs_names_intern(wanted, a->numbers.name[k], &at));
    return SCS_OK;
}

/* A column that no input has is most often misspelt. */
static scs_status check_renamed(const asked *a, const scs_h5ad *const *metas,
                                const scs_column_name *item)
{
    const scs_config *config = a->config;
    const char *near = NULL;
    char place[600];

    if (scs_label_table_names(a->tables, item->from))
        return SCS_OK;
    for (int32_t i = 0; i < config->data.n_input; i++) {
        if (scs_names_find(&metas[i]->obs_columns, item->from) >= 0)
            return SCS_OK;
        if (!near)
            near = scs_names_nearest(&metas[i]->obs_columns, item->from);
    }
    scs_key_place(config, "data.rename", item->line, place, sizeof place);
    return SCS_FAIL(SCS_EARG, "%s: no input has a column %s%s%s%s", place, item->from,
                    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* The same cells are in several of CELLxGENE's data sets; one of them calls them primary. */
static const char PRIMARY[] = "is_primary_data";

static scs_status note_not_primary(const scs_h5ad *meta, scs_names *notes)
{
    const scs_labels *labels = scs_h5ad_label(meta, PRIMARY);
    char line[SCS_MESSAGE_MAX];
    int64_t n = 0;

    for (int64_t c = 0; labels && c < meta->n_obs; c++)
        n += labels->codes[c] >= 0 &&
             strcmp(labels->categories.name[labels->codes[c]], "False") == 0;
    if (n == 0)
        return SCS_OK;
    snprintf(line, sizeof line,
             "%s: %lld of %lld cells are not primary data: they stand in another data set of "
             "CELLxGENE, too; data.filter: {column: is_primary_data, in: 'True'} leaves them out",
             meta->path, (long long)n, (long long)meta->n_obs);
    return scs_names_add(notes, line);
}

/* The order is what users see: rename acts when a file is described, tables and constants stand
 * under the new names, map changes values of all of these, and filter speaks of mapped values. */
scs_status scs_inputs_probe(const scs_config *config, scs_h5ad **metas, scs_names *notes)
{
    asked a = {.config = config};
    scs_names wanted = {0};
    scs_lidx at;
    scs_status st;

    SCS_GO(st, scs_filter_columns(config, &a.labels, &a.numbers));
    if (config->data.source == SCS_SOURCE_CELLXGENE)
        SCS_GO(st, scs_names_intern(&a.labels, PRIMARY, &at));
    SCS_GO(st, list_wanted(&a, &wanted));
    SCS_GO(st, scs_label_table_load(config, &wanted, &a.tables));
    for (int32_t i = 0; i < config->data.n_input; i++)
        SCS_GO(st, probe(&a, i, &metas[i], notes));
    SCS_GO(st, scs_label_table_describe(a.tables, notes));
    for (int32_t r = 0; r < config->data.n_rename; r++)
        SCS_GO(st, check_renamed(&a, (const scs_h5ad *const *)metas, &config->data.rename[r]));
    SCS_GO(st, scs_value_map_apply(config, metas));
    SCS_GO(st, scs_filter_apply(config, metas));
    for (int32_t i = 0; config->data.source == SCS_SOURCE_CELLXGENE && i < config->data.n_input;
         i++)
        SCS_GO(st, note_not_primary(metas[i], notes));
done:
    scs_label_table_destroy(&a.tables);
    scs_names_clear(&wanted);
    scs_names_clear(&a.labels);
    scs_names_clear(&a.numbers);
    return st;
}
