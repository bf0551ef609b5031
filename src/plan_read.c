#include "src/dose.h"
#include "src/plan_rows.h"
#include "src/selection.h"
#include "src/table.h"
#include "src/treatments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_TYPE, PERTURBATION, SPECIES, DOSE, N_COLUMN };
enum { WHERE = 600, LARGEST = 1 << 30 };

/* The wanted columns of the file, and the names that may stand in them. */
typedef struct column {
    const char *title, *noun;
    const scs_names *names; /* NULL: numbers */
    scs_index index;
    int at; /* field of a row, -1 if the file has no such column */
} column;

typedef struct reader {
    scs_table table;
    column column[N_COLUMN];
    scs_treatments what; /* of the current row */
    const scs_atlas *atlas;
} reader;

static scs_status find_titles(reader *r)
{
    const scs_table *table = &r->table;
    bool several = r->atlas->species.n > 1;

    for (int c = 0; c < N_COLUMN; c++) {
        r->column[c].at = -1;
        for (int f = 0; f < table->n_field; f++) {
            if (strcmp(table->field[f], r->column[c].title) != 0)
                continue;
            SCS_REQUIRE(r->column[c].at < 0, SCS_EARG, "%s:%lld: the column %s stands there twice",
                        table->path, (long long)table->line, r->column[c].title);
            r->column[c].at = f;
        }
        SCS_REQUIRE(r->column[c].at >= 0 || c == DOSE || (c == SPECIES && !several), SCS_EARG,
                    "%s:%lld: no column %s; its first line must name the columns cell_type, "
                    "perturbation%s",
                    table->path, (long long)table->line, r->column[c].title,
                    several ? ", species" : "");
    }
    SCS_REQUIRE(r->column[DOSE].at < 0 || r->atlas->doses.n > 0, SCS_EARG,
                "%s:%lld: a column dose, but the data have no doses; name their obs column as "
                "data.dose",
                table->path, (long long)table->line);
    return SCS_OK;
}

/* @param[out] text of a column in the current row, NULL where there is none */
static scs_status read_text(const reader *r, int c, const char **text)
{
    int at = r->column[c].at;

    *text = NULL;
    if (at < 0 || (at < r->table.n_field && !*r->table.field[at]))
        return SCS_OK;
    SCS_REQUIRE(at < r->table.n_field, SCS_EARG, "%s:%lld: the row has only %d columns",
                r->table.path, (long long)r->table.line, r->table.n_field);
    *text = r->table.field[at];
    return SCS_OK;
}

static scs_status fail_unknown(const reader *r, int c, const char *text)
{
    char where[WHERE];
    scs_selection all = {.key = where, .noun = r->column[c].noun, .names = r->column[c].names};

    snprintf(where, sizeof where, "%s:%lld", r->table.path, (long long)r->table.line);
    return scs_selection_unknown(&all, text);
}

/* @param[out] code position of the name; -1 where there is no text */
static scs_status read_name(const reader *r, int c, int32_t *code)
{
    const char *text;

    *code = -1;
    SCS_TRY(read_text(r, c, &text));
    if (!text)
        return SCS_OK;
    *code = scs_index_find(&r->column[c].index, text);
    return *code >= 0 ? SCS_OK : fail_unknown(r, c, text);
}

static scs_status read_dose(const reader *r, double *dose)
{
    const char *text;

    *dose = NAN;
    SCS_TRY(read_text(r, DOSE, &text));
    SCS_REQUIRE(!text || scs_dose_parse(text, dose), SCS_EARG,
                "%s:%lld: column dose: '%s' is no dose; expected a number above 0", r->table.path,
                (long long)r->table.line, text);
    return SCS_OK;
}

/* The row's perturbation or pair, at its doses, into r->what. */
static scs_status read_treatment(reader *r)
{
    int32_t control = scs_atlas_perturbation(r->atlas, r->atlas->control), label, a, b;
    const char *text;
    double dose;

    r->what.n = 0;
    SCS_TRY(read_text(r, PERTURBATION, &text));
    SCS_TRY(read_dose(r, &dose));
    SCS_REQUIRE(text, SCS_EARG, "%s:%lld: a row without perturbation", r->table.path,
                (long long)r->table.line);
    label = scs_index_find(&r->column[PERTURBATION].index, text);
    SCS_REQUIRE(label != control, SCS_EARG,
                "%s:%lld: \"%s\" is the control; name only what is to be predicted", r->table.path,
                (long long)r->table.line, text);
    if (label >= 0)
        return scs_treatments_add(&r->what, label, dose);
    if (scs_pairing_parse(&r->what.pairing, text, &a, &b))
        return scs_treatments_add_pair(&r->what, a, b, dose);
    return fail_unknown(r, PERTURBATION, text);
}

static scs_status read_row(reader *r, scs_plan *plan)
{
    int32_t species, type;

    SCS_TRY(read_name(r, CELL_TYPE, &type));
    SCS_TRY(read_name(r, SPECIES, &species));
    SCS_REQUIRE(type >= 0, SCS_EARG, "%s:%lld: a row without cell_type", r->table.path,
                (long long)r->table.line);
    SCS_TRY(read_treatment(r));
    for (int32_t s = 0; s < r->atlas->species.n; s++)
        for (int64_t k = 0; k < r->what.n && (species < 0 || species == s); k++)
            SCS_TRY(scs_plan_add_treated(r->atlas, s, type, &r->what.item[k], plan));
    return SCS_OK;
}

static scs_status read_rows(reader *r, scs_plan *plan)
{
    bool found;

    SCS_TRY(scs_table_next(&r->table, &found));
    SCS_REQUIRE(found, SCS_EARG, "%s: is empty", r->table.path);
    SCS_TRY(find_titles(r));
    for (;;) {
        SCS_TRY(scs_table_next(&r->table, &found));
        if (!found)
            return SCS_OK;
        SCS_TRY(read_row(r, plan));
    }
}

scs_status scs_plan_read(const scs_config *config, const scs_atlas *atlas, scs_plan *plan)
{
    reader r = {
        .atlas = atlas,
        .column = {
            [CELL_TYPE] = {.title = "cell_type", .noun = "cell type", .names = &atlas->cell_types},
            [PERTURBATION] = {.title = "perturbation",
                              .noun = "perturbation",
                              .names = scs_atlas_perturbations(atlas)},
            [SPECIES] = {.title = "species", .noun = "species", .names = &atlas->species},
            [DOSE] = {.title = "dose", .noun = "dose"}}};
    scs_status st;

    SCS_GO(st, scs_treatments_create(config, atlas, &plan->pairs, &r.what));
    for (int c = 0; c < DOSE; c++)
        SCS_GO(st, scs_index_create(r.column[c].names, &r.column[c].index));
    SCS_GO(st, scs_table_open(config->screen.combinations, LARGEST, &r.table));
    SCS_GO(st, read_rows(&r, plan));
done:
    scs_table_close(&r.table);
    for (int c = 0; c < DOSE; c++)
        scs_index_clear(&r.column[c].index);
    scs_treatments_clear(&r.what);
    return st;
}
