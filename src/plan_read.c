#include "src/plan_rows.h"
#include "src/selection.h"
#include "src/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_COLUMN = 3, WHERE = 600, LARGEST = 1 << 30 };

/* The wanted columns of the file, and the names that may stand in them. */
typedef struct column {
    const char *title, *noun;
    const scs_names *names;
    scs_index index;
    int at; /* field of a row, -1 if the file has no such column */
} column;

enum { CELL_TYPE, PERTURBATION, SPECIES };

static scs_status find_titles(const scs_table *table, column *columns, bool several)
{
    for (int c = 0; c < N_COLUMN; c++) {
        columns[c].at = -1;
        for (int f = 0; f < table->n_field; f++) {
            if (strcmp(table->field[f], columns[c].title) != 0)
                continue;
            SCS_REQUIRE(columns[c].at < 0, SCS_EARG, "%s:%lld: the column %s stands there twice",
                        table->path, (long long)table->line, columns[c].title);
            columns[c].at = f;
        }
        SCS_REQUIRE(columns[c].at >= 0 || (c == SPECIES && !several), SCS_EARG,
                    "%s:%lld: no column %s; its first line must name the columns cell_type, "
                    "perturbation%s",
                    table->path, (long long)table->line, columns[c].title,
                    several ? ", species" : "");
    }
    return SCS_OK;
}

/* @param[out] code position of the name; -1 where there is no text */
static scs_status read_field(const scs_table *table, const column *of, int32_t *code)
{
    scs_selection all = {.noun = of->noun, .names = of->names};
    char where[WHERE];

    *code = -1;
    if (of->at < 0 || (of->at < table->n_field && !*table->field[of->at]))
        return SCS_OK;
    SCS_REQUIRE(of->at < table->n_field, SCS_EARG, "%s:%lld: the row has only %d columns",
                table->path, (long long)table->line, table->n_field);
    *code = scs_index_find(&of->index, table->field[of->at]);
    if (*code >= 0)
        return SCS_OK;
    snprintf(where, sizeof where, "%s:%lld", table->path, (long long)table->line);
    all.key = where;
    return scs_selection_unknown(&all, table->field[of->at]);
}

static scs_status read_row(const scs_table *table, const column *columns, const scs_atlas *atlas,
                           scs_plan *plan)
{
    int32_t code[N_COLUMN];

    for (int c = 0; c < N_COLUMN; c++)
        SCS_TRY(read_field(table, &columns[c], &code[c]));
    SCS_REQUIRE(code[CELL_TYPE] >= 0 && code[PERTURBATION] >= 0, SCS_EARG,
                "%s:%lld: a row without cell_type or perturbation", table->path,
                (long long)table->line);
    SCS_REQUIRE(code[PERTURBATION] != atlas->control, SCS_EARG,
                "%s:%lld: \"%s\" is the control; name only what is to be predicted", table->path,
                (long long)table->line, atlas->conditions.name[atlas->control]);
    for (int32_t s = 0; s < atlas->species.n; s++)
        if (code[SPECIES] < 0 || code[SPECIES] == s)
            SCS_TRY(scs_plan_add(atlas, s, code[CELL_TYPE], code[PERTURBATION], plan));
    return SCS_OK;
}

static scs_status read_rows(scs_table *table, column *columns, const scs_atlas *atlas,
                            scs_plan *plan)
{
    bool found;

    SCS_TRY(scs_table_next(table, &found));
    SCS_REQUIRE(found, SCS_EARG, "%s: is empty", table->path);
    SCS_TRY(find_titles(table, columns, atlas->species.n > 1));
    for (;;) {
        SCS_TRY(scs_table_next(table, &found));
        if (!found)
            return SCS_OK;
        SCS_TRY(read_row(table, columns, atlas, plan));
    }
}

scs_status scs_plan_read(const char *path, const scs_atlas *atlas, scs_plan *plan)
{
    column columns[N_COLUMN] = {
        [CELL_TYPE] = {.title = "cell_type", .noun = "cell type", .names = &atlas->cell_types},
        [PERTURBATION] = {.title = "perturbation",
                          .noun = "perturbation",
                          .names = &atlas->conditions},
        [SPECIES] = {.title = "species", .noun = "species", .names = &atlas->species}};
    scs_table table = {0};
    scs_status st;

    for (int c = 0; c < N_COLUMN; c++)
        SCS_GO(st, scs_index_create(columns[c].names, &columns[c].index));
    SCS_GO(st, scs_table_open(path, LARGEST, &table));
    SCS_GO(st, read_rows(&table, columns, atlas, plan));
done:
    scs_table_close(&table);
    for (int c = 0; c < N_COLUMN; c++)
        scs_index_clear(&columns[c].index);
    return st;
}
