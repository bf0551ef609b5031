/* The plan of a screen: which rows there are, in which order, and what each costs. All functions
 * are Local and give the same on every rank.
 *
 *     treatments   perturbations, doses and pairs (src/screen/treatments.h)
 *     rows         treatments x species x cell types that have control cells, or the lines of
 *                  screen.combinations
 *     resolve      each row's source, or the reason why it has none
 *     split        contiguous ranges of about equal cost, one a rank
 *
 * Rows are sorted by species, cell type, perturbation, second, dose, each once: the order of the
 * result's rows, whatever the order in which they were asked for. A row without control
 * cells is in the plan, with its reason, only where it was asked for by name; a glob that merely
 * covers it leaves it out. Nothing in a plan depends on the number of ranks.
 *
 * screen.combinations is a table with a line of titles (cell_type, perturbation, and where there
 * are several of them species, and dose); a row without species stands for each species, one
 * without dose for each of screen.doses.
 *
 * A row's status:
 *     ok            it can be predicted
 *     no_control    there are no control cells to start from, or they are held out
 *     no_source     no group that may be used shows the perturbation, at doses around its own
 */
#include "src/screen/plan.h"

#include "src/base/names.h"
#include "src/base/table.h"
#include "src/base/text.h"
#include "src/config/rule.h"
#include "src/data/dose.h"
#include "src/data/pairing.h"
#include "src/screen/predict.h"
#include "src/screen/treatments.h"
#include "scscreen/screen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows in words ---- */

/* In the words of the result's column `status`. */
const char *scs_plan_row_status_name(int status)
{
    static const char *const names[] = {[SCS_ROW_OK] = "ok",
                                        [SCS_ROW_NO_CONTROL] = "no_control",
                                        [SCS_ROW_NO_SOURCE] = "no_source"};
    _Static_assert(sizeof names / sizeof *names == SCS_N_ROW_STATUS, "a name for each status");

    return names[status];
}

/* Borrowed from the plan or the atlas. */
const char *scs_plan_perturbation_label(const scs_atlas *atlas, const scs_names *pairs,
                                        const scs_combination *item)
{
    if (item->pair)
        return pairs->name[item->pair - 1];
    return atlas->doses.n ? atlas->doses.perturbations.name[item->perturbation]
                          : atlas->conditions.name[item->condition];
}

/* For readers: messages, the ranking and tables; never parsed. */
char *scs_plan_treatment_text(const scs_atlas *atlas, const scs_names *pairs,
                              const scs_combination *item, char *out, size_t size)
{
    char dose[SCS_DOSE_TEXT] = "";

    if (atlas->doses.n)
        scs_dose_text(item->dose, dose);
    snprintf(out, size, "%s%s%s", scs_plan_perturbation_label(atlas, pairs, item), *dose ? "@" : "",
             dose);
    return out;
}

/* Why nothing is known of a row's shift, as the result's column `reason` says it: a dose above
 * the largest that was measured, or no cells that show the perturbation beside controls.
 * @return out or static */
static const char *reason_of(const scs_atlas *atlas, const scs_combination *item, char *out,
                             size_t size)
{
    double largest = scs_dose_list_largest(&atlas->doses, item->perturbation);
    char text[SCS_DOSE_TEXT];

    if (item->pair)
        largest = fmin(largest, scs_dose_list_largest(&atlas->doses, item->second));
    if (atlas->doses.n && item->dose > largest) {
        snprintf(out, size,
                 "the dose is above the largest that shows the perturbation (%s); shifts are not "
                 "extrapolated",
                 scs_dose_text(largest, text));
        return out;
    }
    return item->pair ? "no cells outside hold_out show both perturbations beside controls of "
                        "their type"
                      : "no cells outside hold_out show the perturbation beside controls of their "
                        "type";
}

/* ---- sources ---- */

/* One row's status and source; texts are kept once for all rows. A row without controls is not
 * asked for a source: there would be nothing to add it to. SCS_ENOMEM, SCS_EINTERNAL. */
static scs_status resolve(const scs_atlas *atlas, const scs_method *method, scs_sources *sources,
                          scs_combination *item, scs_plan *plan)
{
    const char *source = "", *reason = "";
    char text[200];

    item->status = SCS_ROW_OK;
    item->kind = SCS_SOURCE_NONE;
    if (item->control_group < 0) {
        item->status = SCS_ROW_NO_CONTROL;
        reason = scs_atlas_group(atlas, item->species, item->cell_type, atlas->control) < 0
                     ? "the species has no control cells of this cell type"
                     : "the species has fewer control cells of this cell type than "
                       "screen.min_cells";
    } else {
        SCS_TRY(scs_shift_sources_name(atlas, method, item, sources));
        source = sources->text;
        item->kind = (uint8_t)sources->kind;
    }
    if (item->status == SCS_ROW_OK && item->kind == SCS_SOURCE_NONE) {
        item->status = SCS_ROW_NO_SOURCE;
        reason = reason_of(atlas, item, text, sizeof text);
    }
    SCS_TRY(scs_names_intern(&plan->sources, source, &item->source));
    return scs_names_intern(&plan->reasons, reason, &item->reason);
}

/* O(rows x sources): one set of sources serves all rows, and only its text and kind are kept.
 * Weights are found again when a row is made. */
scs_status scs_plan_resolve(const scs_atlas *atlas, const scs_method *method, scs_plan *plan)
{
    scs_sources *sources;
    scs_status st;

    SCS_TRY(scs_shift_sources_create(atlas, &sources));
    for (int64_t i = 0; i < plan->n; i++)
        SCS_GO(st, resolve(atlas, method, sources, &plan->item[i], plan));
    st = SCS_OK;
done:
    scs_shift_sources_destroy(&sources);
    return st;
}

/* ---- screen.combinations ---- */

enum { CELL_TYPE, PERTURBATION, SPECIES, DOSE, N_COLUMN };

enum { WHERE = 600, LARGEST = 1 << 30 }; /* bytes of "FILE:LINE", of the file */

/* The wanted columns of the file, and the names that may stand in them. */
typedef struct column {
    const char *title, *noun;
    const scs_names *names; /* NULL: numbers */
    scs_index index;
    int at; /* field of a row, -1 if the file has no such column */
} column;

/* The file while it is read. */
typedef struct reader {
    scs_table table;
    column column[N_COLUMN];
    scs_treatments what; /* of the current row */
    const scs_atlas *atlas;
} reader;

/* Where each wanted column stands, by the titles in the file's first line; columns of other
 * titles are passed over. species may be missing where there is one, dose always. SCS_EARG
 * names what is missing or there twice. */
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

/* A field of the current row; an empty one is none. SCS_EARG for a row that is too short.
 * @param[out] text borrowed until the next row; NULL where there is none */
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

/* SCS_EARG, with file and line as the place and the nearest name that exists. */
static scs_status fail_unknown(const reader *r, int c, const char *text)
{
    char where[WHERE];
    scs_selection all = {.key = where, .noun = r->column[c].noun, .names = r->column[c].names};

    snprintf(where, sizeof where, "%s:%lld", r->table.path, (long long)r->table.line);
    return scs_names_selection_unknown(&all, text);
}

/* @param[out] code position of the name; -1 where there is no text. SCS_EARG */
static scs_status read_name(const reader *r, int c, int32_t *code)
{
    const char *text;

    *code = -1;
    SCS_TRY(read_text(r, c, &text));
    if (!text)
        return SCS_OK;
    *code = scs_names_index_find(&r->column[c].index, text);
    return *code >= 0 ? SCS_OK : fail_unknown(r, c, text);
}

/* @param[out] dose NaN where there is none. SCS_EARG */
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

/* The row's perturbation or pair, at its doses, into r->what. "A+B" that no cells show is a
 * pair all the same. SCS_EARG for the control, an unknown label or a row without one. */
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
    label = scs_names_index_find(&r->column[PERTURBATION].index, text);
    SCS_REQUIRE(label != control, SCS_EARG,
                "%s:%lld: \"%s\" is the control; name only what is to be predicted", r->table.path,
                (long long)r->table.line, text);
    if (label >= 0)
        return scs_treatments_add(&r->what, label, dose);
    if (scs_pairing_parse(&r->what.pairing, text, &a, &b))
        return scs_treatments_add_pair(&r->what, a, b, dose);
    return fail_unknown(r, PERTURBATION, text);
}

/* Of all species where the row names none. */
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

/* Titles first, then one row after the other, one at least. SCS_EARG, SCS_EDATA. */
static scs_status read_rows(reader *r, scs_plan *plan)
{
    bool found, any = false;

    SCS_TRY(scs_table_next(&r->table, &found));
    SCS_REQUIRE(found, SCS_EARG, "%s: is empty", r->table.path);
    SCS_TRY(find_titles(r));
    for (;; any = true) {
        SCS_TRY(scs_table_next(&r->table, &found));
        if (!found)
            break;
        SCS_TRY(read_row(r, plan));
    }
    SCS_REQUIRE(any, SCS_EARG,
                "%s: holds titles and no rows: write a line for each combination, or take "
                "screen.combinations out to screen all",
                r->table.path);
    return SCS_OK;
}

/* Names are looked up in an index, as a file may list many rows. */
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
        SCS_GO(st, scs_names_index_create(r.column[c].names, &r.column[c].index));
    SCS_GO(st, scs_table_open(config->screen.combinations, LARGEST, &r.table));
    SCS_GO(st, read_rows(&r, plan));
done:
    scs_table_close(&r.table);
    for (int c = 0; c < DOSE; c++)
        scs_names_index_clear(&r.column[c].index);
    scs_treatments_clear(&r.what);
    return st;
}

/* ---- rows ---- */

enum { PLAN_SPECIES, CELL_TYPES, PERTURBATIONS, N_LIST };

/* The list keeps no capacity: it always has room for the next power of two, and so grows when
 * its length is one. SCS_ENOMEM. */
static scs_status make_room(scs_plan *plan)
{
    scs_combination *grown;

    if ((plan->n & (plan->n - 1)) != 0)
        return SCS_OK;
    grown = scs_reallocate(plan->item, plan->n ? 2 * plan->n : 1, sizeof *grown);
    SCS_REQUIRE(grown, SCS_ENOMEM, "out of memory for %lld combinations", (long long)plan->n);
    plan->item = grown;
    return SCS_OK;
}

/* Control cells that are held out are as good as none; an observed group that is held out is
 * there for scores. A row without controls is added all the same, with control_group -1. */
scs_status scs_plan_add_treated(const scs_atlas *atlas, int32_t species, int32_t cell_type,
                                const scs_combination *what, scs_plan *plan)
{
    int32_t observed = scs_atlas_group(atlas, species, cell_type, what->condition);
    scs_combination row = *what;

    row.species = species;
    row.cell_type = cell_type;
    row.control_group = scs_atlas_usable_group(atlas, species, cell_type, atlas->control);
    row.observed_group = observed;
    row.held_out = observed >= 0 && atlas->group[observed].held_out;
    SCS_TRY(make_room(plan));
    plan->item[plan->n++] = row;
    return SCS_OK;
}

/* The same for a condition of the atlas, taken as one perturbation whatever its label. */
static scs_status plan_add(const scs_atlas *atlas, int32_t species, int32_t cell_type,
                           int32_t condition, scs_plan *plan)
{
    scs_combination what = {.condition = condition,
                            .perturbation = scs_atlas_perturbation(atlas, condition),
                            .second = -1,
                            .dose = scs_atlas_dose(atlas, condition)};

    return scs_plan_add_treated(atlas, species, cell_type, &what, plan);
}

/* Rows in the order of the groups: what leaving out starts from, and the order in which it
 * picks evenly. */
scs_status scs_plan_seen(const scs_atlas *atlas, scs_plan *plan)
{
    for (int32_t g = 0; g < atlas->n_group; g++) {
        const scs_group *group = &atlas->group[g];

        if (group->condition == atlas->control || scs_atlas_is_hidden(atlas, g))
            continue;
        SCS_TRY(plan_add(atlas, group->species, group->cell_type, group->condition, plan));
        if (plan->item[plan->n - 1].control_group < 0)
            plan->n--;
    }
    return SCS_OK;
}

/* Floating-point operations of a row: its control cells' passes through the decoder (with and
 * without the shift where the mode needs both), the covariance, and its products with the
 * genes. Only the ratio between rows counts. */
static double estimate_cost(const scs_config *config, const scs_arch *arch, int64_t n_cell)
{
    double n = (double)n_cell, d = arch->n_hidden, g = arch->n_gene;
    double pass = n * d * (arch->n_latent + (arch->n_layer - 1) * d) + g * d;

    if (arch->output_relu)
        pass += n * g * d;
    else if (config->screen.variance)
        pass += (n + g) * d * d;
    return 2 * pass * (scs_rule_decode_at(config->screen.decode)->needs_baseline ? 2 : 1);
}

/* Rows without controls cost nothing. */
static void set_costs(const scs_config *config, const scs_atlas *atlas, const scs_arch *arch,
                      scs_plan *plan)
{
    for (int64_t i = 0; i < plan->n; i++) {
        scs_combination *c = &plan->item[i];
        int64_t n_cell = c->control_group < 0 ? 0 : atlas->group[c->control_group].count;

        c->cost = estimate_cost(config, arch, n_cell);
    }
}

/* A control group with too few cells is no start for rows, nor are its type's changes known; a
 * perturbed group with too few, or of a type that screen.restrict does not name, says nothing of
 * others. Scores compare with what was observed all the same. */
scs_status scs_plan_restrict(const scs_config *config, scs_atlas *atlas)
{
    scs_selection speaks = {.key = "screen.restrict",
                            .noun = "cell type",
                            .wanted = &config->screen.restrict_types,
                            .names = &atlas->cell_types};
    scs_status st;

    if (config->screen.restrict_types.n == 0 && config->screen.min_cells <= 1)
        return SCS_OK;
    SCS_GO(st, scs_names_selection_make(&speaks));
    if (!atlas->silent)
        SCS_GO(st, SCS_ALLOC(atlas->silent, atlas->n_group));
    for (int32_t g = 0; g < atlas->n_group; g++) {
        const scs_group *group = &atlas->group[g];

        atlas->silent[g] = group->count < config->screen.min_cells ||
                           (group->condition != atlas->control && !speaks.chosen[group->cell_type]);
    }
done:
    scs_names_selection_clear(&speaks);
    return st;
}

/* All but the control, which may not be asked for by name either. SCS_EARG. */
static scs_status select_perturbations(scs_selection *s, int32_t control)
{
    const char *name = s->names->name[control];

    SCS_TRY(scs_names_selection_make(s));
    SCS_REQUIRE(!s->named[control], SCS_EARG,
                "screen.perturbations: \"%s\" is the control; name only what is to be predicted",
                name);
    s->chosen[control] = false;
    return SCS_OK;
}

/* A species and cell type with usable control cells, or asked for by name (both, where there
 * are several species): what was named has to appear in the result, with its reason. */
static bool has_rows(const scs_atlas *atlas, const scs_selection *list, int32_t species,
                     int32_t type)
{
    int32_t control = scs_atlas_usable_group(atlas, species, type, atlas->control);

    if (!list[PLAN_SPECIES].chosen[species] || !list[CELL_TYPES].chosen[type])
        return false;
    return control >= 0 || (list[CELL_TYPES].named[type] &&
                            (list[PLAN_SPECIES].named[species] || atlas->species.n == 1));
}

/* Every chosen species x cell type x treatment. */
static scs_status add_grid(const scs_atlas *atlas, const scs_selection *list,
                           const scs_treatments *what, scs_plan *plan)
{
    for (int32_t s = 0; s < atlas->species.n; s++)
        for (int32_t t = 0; t < atlas->cell_types.n; t++)
            for (int64_t k = 0; k < what->n && has_rows(atlas, list, s, t); k++)
                SCS_TRY(scs_plan_add_treated(atlas, s, t, &what->item[k], plan));
    return SCS_OK;
}

/* The product of three lists of names and globs. SCS_EARG for a name that does not exist or a
 * glob that selects nothing. */
static scs_status add_selected(const scs_config *config, const scs_atlas *atlas, scs_plan *plan)
{
    scs_selection list[N_LIST] = {[PLAN_SPECIES] = {.key = "screen.species",
                                                    .noun = "species",
                                                    .wanted = &config->screen.species,
                                                    .names = &atlas->species},
                                  [CELL_TYPES] = {.key = "screen.cell_types",
                                                  .noun = "cell type",
                                                  .wanted = &config->screen.cell_types,
                                                  .names = &atlas->cell_types},
                                  [PERTURBATIONS] = {.key = "screen.perturbations",
                                                     .noun = "condition",
                                                     .wanted = &config->screen.perturbations,
                                                     .names = scs_atlas_perturbations(atlas)}};
    scs_treatments what = {0};
    scs_status st;

    SCS_GO(st, scs_treatments_create(config, atlas, &plan->pairs, &what));
    SCS_GO(st, scs_names_selection_make(&list[PLAN_SPECIES]));
    SCS_GO(st, scs_names_selection_make(&list[CELL_TYPES]));
    SCS_GO(st, select_perturbations(&list[PERTURBATIONS],
                                    scs_atlas_perturbation(atlas, atlas->control)));
    SCS_GO(st, scs_treatments_choose(&what, list[PERTURBATIONS].chosen));
    SCS_GO(st, add_grid(atlas, list, &what, plan));
done:
    scs_treatments_clear(&what);
    for (int i = 0; i < N_LIST; i++)
        scs_names_selection_clear(&list[i]);
    return st;
}

/* The order of a plan: species, cell type, treatment. */
static int by_labels(const void *a, const void *b)
{
    const scs_combination *x = a, *y = b;

    if (x->species != y->species)
        return x->species < y->species ? -1 : 1;
    if (x->cell_type != y->cell_type)
        return x->cell_type < y->cell_type ? -1 : 1;
    return scs_treatments_order(x, y);
}

/* Into the order of a plan; rows that were asked for twice are there once. */
static void sort_rows(scs_plan *plan)
{
    int64_t n = 0;

    qsort(plan->item, (size_t)plan->n, sizeof *plan->item, by_labels);
    for (int64_t i = 0; i < plan->n; i++)
        if (n == 0 || by_labels(&plan->item[n - 1], &plan->item[i]) != 0)
            plan->item[n++] = plan->item[i];
    plan->n = n;
}

/* The file takes the place of the lists; both at once would contradict each other. SCS_EARG. */
static scs_status add_listed(const scs_config *config, const scs_atlas *atlas, scs_plan *plan)
{
    SCS_REQUIRE(config->screen.cell_types.n + config->screen.perturbations.n +
                        config->screen.species.n ==
                    0,
                SCS_EARG,
                "screen.combinations names the rows one by one; take screen.cell_types, "
                "perturbations and species out");
    SCS_TRY(scs_plan_read(config, atlas, plan));
    if (plan->n > 0)
        sort_rows(plan);
    return SCS_OK;
}

/* Rows and costs. SCS_EARG where nothing is left to screen; on failure the caller destroys the
 * plan. */
static scs_status fill(const scs_config *config, const scs_atlas *atlas, const scs_arch *arch,
                       scs_plan *plan)
{
    bool listed = config->screen.combinations && *config->screen.combinations;

    SCS_TRY(listed ? add_listed(config, atlas, plan) : add_selected(config, atlas, plan));
    SCS_REQUIRE(plan->n > 0, SCS_EARG,
                "nothing to screen: no chosen species and cell type has control cells (as many as "
                "screen.min_cells asks for), or there is no perturbation");
    set_costs(config, atlas, arch, plan);
    return SCS_OK;
}

/* On failure *plan is NULL. */
scs_status scs_plan_create(const scs_config *config, const scs_atlas *atlas, const scs_arch *arch,
                           scs_plan **plan)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*plan, 1));
    st = fill(config, atlas, arch, *plan);
    if (st != SCS_OK)
        scs_plan_destroy(plan);
    return st;
}

/* Of a plan that lies on the stack, or is used again. */
void scs_plan_clear(scs_plan *plan)
{
    free(plan->item);
    scs_names_clear(&plan->pairs);
    scs_names_clear(&plan->sources);
    scs_names_clear(&plan->reasons);
    *plan = (scs_plan){0};
}

void scs_plan_destroy(scs_plan **plan)
{
    if (*plan)
        scs_plan_clear(*plan);
    free(*plan);
    *plan = NULL;
}

/* ---- rows named in words ---- */

/* The longest name that `text` begins with, a comma behind it: labels may have commas themselves.
 * @param[out] rest behind the comma; text where there is none  @return its position or -1 */
static int32_t leading_name(const scs_names *names, const char *text, const char **rest)
{
    size_t longest = 0;
    int32_t found = -1;

    *rest = text;
    for (int32_t i = 0; i < names->n; i++) {
        size_t n = strlen(names->name[i]);

        if ((found < 0 || n > longest) && strncmp(text, names->name[i], n) == 0 && text[n] == ',') {
            longest = n;
            found = i;
            *rest = text + n + 1;
        }
    }
    return found;
}

/* SCS_EARG. @param text up to its first comma the name that there is not */
static scs_status unknown_name(const char *key, const char *noun, const scs_names *names,
                               const char *text)
{
    scs_selection all = {.key = key, .noun = noun, .names = names};
    char name[200];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, ","), text);
    return scs_names_selection_unknown(&all, name);
}

/* SCS_EARG. @param text of no perturbation, with what may have been meant as its dose */
static scs_status unknown_treatment(const scs_atlas *a, const char *key, const char *noun,
                                    const char *text)
{
    SCS_REQUIRE(!strchr(text, ',') || a->doses.n > 0, SCS_EARG,
                "%s: '%s': a fourth part is a dose, but the data have no doses; name their obs "
                "column as data.dose",
                key, text);
    return unknown_name(key, noun, scs_atlas_perturbations(a), text);
}

/* The perturbation, or the pair, that is all of `text`, or all before its last comma, which a dose
 * follows. SCS_EARG. @param t of the row, empty */
static scs_status add_named_treatment(scs_treatments *t, const char *key, char *text)
{
    const scs_names *names = scs_atlas_perturbations(t->atlas);
    int32_t label = scs_names_find(names, text), a, b;
    char *comma = strrchr(text, ',');
    double dose = NAN;

    if (label < 0 && comma && t->atlas->doses.n > 0) {
        SCS_REQUIRE(scs_dose_parse(comma + 1, &dose), SCS_EARG,
                    "%s: '%s' is no dose; expected a number above 0", key, comma + 1);
        *comma = '\0';
        label = scs_names_find(names, text);
    }
    SCS_REQUIRE(label < 0 || label != scs_atlas_perturbation(t->atlas, t->atlas->control), SCS_EARG,
                "%s: \"%s\" is the control; name only what is to be predicted", key, text);
    if (label >= 0)
        return scs_treatments_add(t, label, dose);
    if (scs_pairing_parse(&t->pairing, text, &a, &b))
        return scs_treatments_add_pair(t, a, b, dose);
    return unknown_treatment(t->atlas, key, "perturbation", text);
}

/* The first of the parts SPECIES,TYPE,REST. SCS_EARG.
 * @param rest what the third part is called
 * @param[out] species -1: all  @param[out] type_on where the second begins */
static scs_status leading_species(const scs_atlas *a, const char *key, const char *words,
                                  const char *rest, int32_t *species, const char **type_on)
{
    bool all;

    *species = leading_name(&a->species, words, type_on);
    all = *species < 0 && strncmp(words, "all,", 4) == 0;
    if (all)
        *type_on = words + 4;
    SCS_REQUIRE(strchr(words, ',') && strchr(strchr(words, ',') + 1, ','), SCS_EARG,
                "%s: '%s': expected SPECIES,TYPE,%s[,DOSE]; SPECIES is `all` where there is one",
                key, words, rest);
    return *species < 0 && !all ? unknown_name(key, "species", &a->species, words) : SCS_OK;
}

/* The second. SCS_EARG. @param[out] rest_on where the third begins */
static scs_status leading_type(const scs_atlas *a, const char *key, const char *type_on,
                               int32_t *type, const char **rest_on)
{
    *type = leading_name(&a->cell_types, type_on, rest_on);
    return *type < 0 ? unknown_name(key, "cell type", &a->cell_types, type_on) : SCS_OK;
}

/* One entry. SCS_EARG. */
static scs_status add_words(scs_treatments *t, const char *key, const char *words, scs_plan *plan)
{
    const scs_atlas *a = t->atlas;
    const char *type_on, *treatment_on;
    int32_t species, type;
    char *text = NULL;
    scs_status st;

    SCS_TRY(leading_species(a, key, words, "PERTURBATION", &species, &type_on));
    SCS_TRY(leading_type(a, key, type_on, &type, &treatment_on));
    t->n = 0;
    SCS_TRY(scs_text_copy(treatment_on, &text));
    st = add_named_treatment(t, key, text);
    free(text);
    SCS_TRY(st);
    for (int32_t s = 0; s < a->species.n; s++)
        for (int64_t k = 0; k < t->n && (species < 0 || species == s); k++)
            SCS_TRY(scs_plan_add_treated(a, s, type, &t->item[k], plan));
    return SCS_OK;
}

scs_status scs_plan_named(const scs_config *config, const scs_atlas *atlas, const scs_names *words,
                          const char *key, scs_plan **plan)
{
    scs_treatments what = {0};
    scs_status st;

    SCS_TRY(SCS_ALLOC(*plan, 1));
    SCS_GO(st, scs_treatments_create(config, atlas, &(*plan)->pairs, &what));
    for (int32_t i = 0; i < words->n; i++)
        SCS_GO(st, add_words(&what, key, words->name[i], *plan));
    if ((*plan)->n > 0)
        sort_rows(*plan);
done:
    scs_treatments_clear(&what);
    if (st != SCS_OK)
        scs_plan_destroy(plan);
    return st;
}

/* The condition that is all of `text`, or all before its last comma, which a dose follows.
 * SCS_EARG.
 */
static scs_status named_condition(const scs_atlas *a, const char *key, char *text,
                                  int32_t *condition)
{
    const scs_names *names = scs_atlas_perturbations(a);
    int32_t label = scs_names_find(names, text);
    char *comma = strrchr(text, ',');
    double dose = NAN;

    if (label < 0 && comma && a->doses.n > 0) {
        SCS_REQUIRE(scs_dose_parse(comma + 1, &dose), SCS_EARG,
                    "%s: '%s' is no dose; expected a number above 0", key, comma + 1);
        *comma = '\0';
        label = scs_names_find(names, text);
    }
    if (label < 0)
        return unknown_treatment(a, key, "condition", text);
    if (label == scs_atlas_perturbation(a, a->control)) {
        *condition = a->control;
        return SCS_OK;
    }
    SCS_REQUIRE(a->doses.n == 0 || !isnan(dose), SCS_EARG,
                "%s: '%s' was given at several doses; name one: SPECIES,TYPE,CONDITION,DOSE", key,
                text);
    *condition = scs_atlas_condition(a, label, dose);
    SCS_REQUIRE(*condition >= 0, SCS_EARG, "%s: no cell has %s at the dose %s", key, text,
                comma ? comma + 1 : "");
    return SCS_OK;
}

scs_status scs_plan_named_group(const scs_atlas *a, const char *words, const char *key,
                                int32_t *group)
{
    const char *type_on, *condition_on;
    int32_t species, type, condition = -1;
    char *text = NULL;
    scs_status st;

    SCS_TRY(leading_species(a, key, words, "CONDITION", &species, &type_on));
    SCS_REQUIRE(species >= 0 || a->species.n == 1, SCS_EARG, "%s: '%s': name one of the %d species",
                key, words, a->species.n);
    SCS_TRY(leading_type(a, key, type_on, &type, &condition_on));
    SCS_TRY(scs_text_copy(condition_on, &text));
    st = named_condition(a, key, text, &condition);
    free(text);
    SCS_TRY(st);
    *group = a->group_of[((species < 0 ? 0 : species) * (int64_t)a->cell_types.n + type) *
                             a->conditions.n +
                         condition];
    SCS_REQUIRE(*group >= 0, SCS_EDATA, "%s: '%s': the data have no such cells", key, words);
    return SCS_OK;
}

/* Contiguous, so that a rank's rows share cell types and their control cells. Depends on the
 * number of ranks, but only decides who makes a row, not what is in it. */
void scs_plan_split(const scs_plan *plan, int32_t n_rank, int64_t *first)
{
    double total = 0, before = 0;
    int64_t row = 0;

    for (int64_t i = 0; i < plan->n; i++)
        total += plan->item[i].cost;
    for (int32_t r = 0; r < n_rank; r++) {
        /* A row goes to the rank in whose share its middle lies. */
        while (row < plan->n && before + plan->item[row].cost / 2 < total * r / n_rank)
            before += plan->item[row++].cost;
        first[r] = row;
    }
    first[0] = 0;
    first[n_rank] = plan->n;
}
