/* A dataset: the inputs' cells numbered through, their labels united, doses made into conditions.
 *
 * Every rank does all of this for itself from the files' metadata, and gets the same: lists of
 * labels are sorted by bytes, cells are numbered in the order of the inputs. A label that no cell
 * has is left out (pandas keeps unused categories), since it would be a group without cells in
 * every table that follows. Genes are joined in genes.c, roles assigned in roles.c.
 *
 * With data.dose a condition is a perturbation at a dose, named "PERTURBATION@DOSE"; controls of
 * dose 0 keep their label. Everything downstream then sees conditions as before, and asks the
 * dose list (dose.c) where it must know that two of them are one perturbation.
 *
 * O(cells + labels log labels) time; 13 bytes a cell. All functions are Local.
 */
#include "scscreen/dataset.h"

#include "src/base/bytes.h"
#include "src/base/checksum.h"
#include "src/base/names.h"
#include "src/base/text.h"
#include "src/data/dataset_internal.h"
#include "src/data/dose.h"
#include "src/data/filter.h"
#include "src/data/h5ad.h"
#include "src/data/notes.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- labels ---- */

/* Species x types x conditions. More than this means that a column was mistaken for another (cell
 * names, say): tables of groups are made with all combinations. */
static const int64_t MOST_GROUPS = 1 << 24;
/* Cell ids are counters of random numbers, which have 40 bits for them. */
static const int64_t MOST_CELLS = (int64_t)1 << 40;

/* Cells of input i are [first_cell[i], first_cell[i + 1]). */
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

/* The column's labels in one file.
 *  @param at offset of the column in scs_h5ad, so that the three columns are united by one
 *         function */
static const scs_labels *labels_of(const scs_h5ad *meta, size_t at)
{
    return (const scs_labels *)(const void *)((const char *)meta + at);
}

/* @param[in,out] all categories that a cell of this file has, appended */
static scs_status add_used(const scs_h5ad *meta, const scs_labels *labels, scs_names *all)
{
    SCS_REQUIRE(labels && labels->codes, SCS_EDATA, "%s: a label column was not read", meta->path);
    return scs_h5ad_used_labels(meta, labels, all);
}

/* One file's codes as positions in the united list.
 *  @param[out] label [n_obs] */
static scs_status recode(const scs_h5ad *meta, const scs_labels *labels, const scs_index *united,
                         int32_t *label)
{
    int32_t *position;

    SCS_TRY(SCS_ALLOC(position, labels->categories.n));
    for (scs_lidx k = 0; k < labels->categories.n; k++)
        position[k] = scs_names_index_find(united, labels->categories.name[k]);
    for (int64_t c = 0; c < meta->n_obs; c++)
        label[c] = labels->codes[c] >= 0 ? position[labels->codes[c]] : -1;
    free(position);
    return SCS_OK;
}

/* The union over files of the labels that any cell has, and every cell's label.
 *  @param labels [n_input] the column in each file; an element may be NULL (SCS_EDATA) */
static scs_status unite(const scs_h5ad *const *metas, const scs_labels *const *labels,
                        scs_dataset *d, scs_names *names, int32_t *label)
{
    scs_names all = {0};
    scs_index index = {0};
    scs_status st;

    for (int32_t i = 0; i < d->n_input; i++)
        SCS_GO(st, add_used(metas[i], labels[i], &all));
    SCS_GO(st, scs_names_sort_unique(&all, names));
    SCS_GO(st, scs_names_index_create(names, &index));
    for (int32_t i = 0; i < d->n_input; i++)
        SCS_GO(st, recode(metas[i], labels[i], &index, label + d->first_cell[i]));
done:
    scs_names_clear(&all);
    scs_names_index_clear(&index);
    return st;
}

/* One of the three columns that every file has.
 *  @param at its offset in scs_h5ad */
static scs_status unite_at(const scs_h5ad *const *metas, size_t at, scs_dataset *d,
                           scs_names *names, int32_t *label)
{
    const scs_labels **labels;
    scs_status st;

    SCS_TRY(SCS_ALLOC(labels, d->n_input));
    for (int32_t i = 0; i < d->n_input; i++)
        labels[i] = labels_of(metas[i], at);
    st = unite(metas, labels, d, names, label);
    free(labels);
    return st;
}

const scs_cell_column *scs_dataset_column(const scs_dataset *d, const char *name)
{
    for (int32_t k = 0; k < d->n_column; k++)
        if (strcmp(d->column[k].name, name) == 0)
            return &d->column[k];
    return NULL;
}

/* A further column, into d->column[d->n_column]. */
static scs_status unite_column(const scs_h5ad *const *metas, const char *name, scs_dataset *d)
{
    scs_cell_column *column = &d->column[d->n_column];
    const scs_labels **labels = NULL;
    scs_status st;

    if (scs_dataset_column(d, name))
        return SCS_OK;
    d->n_column++;
    SCS_GO(st, scs_text_copy(name, &column->name));
    SCS_GO(st, SCS_ALLOC(column->value, d->n_cell));
    SCS_GO(st, SCS_ALLOC(labels, d->n_input));
    for (int32_t i = 0; i < d->n_input; i++)
        labels[i] = scs_h5ad_label(metas[i], name);
    SCS_GO(st, unite(metas, labels, d, &column->values, column->value));
done:
    free(labels);
    return st;
}

/* Those that hold_out, data.hvg_batch and integrate.batch name. */
static scs_status unite_columns(const scs_config *config, const scs_h5ad *const *metas,
                                scs_dataset *d)
{
    SCS_TRY(SCS_ALLOC(d->column, config->n_hold_out + 2));
    for (int32_t i = 0; i < config->n_hold_out; i++)
        if (config->hold_out[i].column)
            SCS_TRY(unite_column(metas, config->hold_out[i].column, d));
    if (config->data.n_top_genes && *config->data.hvg_batch)
        SCS_TRY(unite_column(metas, config->data.hvg_batch, d));
    if (*config->integrate.batch)
        SCS_TRY(unite_column(metas, config->integrate.batch, d));
    return SCS_OK;
}

/* Species by file: data.inputs[].species, or one species called "all" when no file has one. Some
 * with and some without is refused: whether the others are a species of their own cannot be told.
 */
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
        st = scs_names_sort_unique(&all, &d->species);
    for (int32_t i = 0; i < d->n_input && st == SCS_OK; i++)
        for (int64_t c = d->first_cell[i]; c < d->first_cell[i + 1]; c++)
            d->cell_species[c] = scs_names_find(&d->species, all.name[i]);
    scs_names_clear(&all);
    return st;
}

/* data.control as a position in the conditions; a wrong one is refused with what there is. */
static scs_status find_control(const scs_config *config, scs_dataset *d)
{
    char hint[512], missing[120] = "";
    int64_t n = 0;

    d->control = scs_names_find(&d->conditions, config->data.control);
    if (d->control >= 0)
        return SCS_OK;
    for (int64_t c = 0; c < d->n_cell; c++)
        n += d->cell_condition[c] < 0;
    if (n > 0)
        snprintf(missing, sizeof missing,
                 "; %lld cells have no value there: give them a label if they are the controls",
                 (long long)n);
    return SCS_FAIL(SCS_EDATA, "data.control: no cell has the condition '%s'; column %s has %s%s",
                    config->data.control, config->data.condition,
                    scs_notes_hint(&d->conditions, config->data.control, hint, sizeof hint),
                    missing);
}

/* Before anything of species x types x conditions is allocated; the product is checked for
 * overflow. */
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

/* ---- doses ---- */

/* More distinct doses than MOST_DOSES means that the column is another measurement. MOST_SLOTS
 * bounds the table of perturbations x doses, LABEL a condition's name. */
enum { MOST_DOSES = 1000, MOST_SLOTS = 1 << 24, LABEL = 1024 };

/* What makes conditions of perturbations and doses; d's conditions are still perturbations here.
 * Arrays are owned. */
typedef struct dosing {
    scs_dataset *d;
    double *cell; /* [n_cell] */
    double *dose; /* [n_dose] ascending */
    int64_t n_dose;
    int32_t *condition; /* [perturbations, n_dose] 1 + condition; 0: no cell */
} dosing;

/* A cell's dose must fit its condition: 0 for controls, above 0 for others. A perturbation at
 * dose 0 is what some data call their controls; which was meant is for the user to say.
 *  @param row among the file's cells
 *  @param cell in the dataset */
static scs_status check_cell(const scs_h5ad *meta, const scs_dataset *d, int64_t row, int64_t cell)
{
    const char *condition = d->conditions.name[d->cell_condition[cell]];
    bool control = d->cell_condition[cell] == d->control;
    double dose = meta->dose[row];
    const char *wrong = isnan(dose)               ? "missing"
                        : isinf(dose)             ? "infinite"
                        : dose < 0                ? "negative"
                        : control && dose > 0     ? "above 0, yet the cell is a control"
                        : !control && !(dose > 0) ? "0, yet the cell is no control"
                                                  : NULL;

    SCS_REQUIRE(!wrong, SCS_EDATA,
                "%s: obs column %s, cell row %lld ('%s'): the dose is %s; expected 0 for '%s', a "
                "number above 0 for others",
                meta->path, meta->dose_column, (long long)scs_h5ad_row(meta, row), condition, wrong,
                d->conditions.name[d->control]);
    return SCS_OK;
}

/* Cells without a label are not looked at, and have no dose (NaN).
 *  @param[out] w cell */
static scs_status check_cells(const scs_h5ad *const *metas, dosing *w)
{
    const scs_dataset *d = w->d;

    SCS_TRY(SCS_ALLOC(w->cell, d->n_cell));
    for (int32_t i = 0; i < d->n_input; i++)
        for (int64_t c = d->first_cell[i]; c < d->first_cell[i + 1]; c++) {
            w->cell[c] = metas[i]->dose[c - d->first_cell[i]];
            if (d->cell_condition[c] >= 0 && d->cell_type[c] >= 0 && d->cell_species[c] >= 0)
                SCS_TRY(check_cell(metas[i], d, c - d->first_cell[i], c));
            else
                w->cell[c] = NAN;
        }
    return SCS_OK;
}

/* No NaN among them. */
static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The distinct doses in ascending order. Equal means the same double: the column is not rounded. */
static scs_status list_doses(const scs_config *config, dosing *w)
{
    int64_t n = 0, kept = 0;

    SCS_TRY(SCS_ALLOC(w->dose, w->d->n_cell));
    for (int64_t c = 0; c < w->d->n_cell; c++)
        if (!isnan(w->cell[c]))
            w->dose[n++] = w->cell[c];
    qsort(w->dose, (size_t)n, sizeof *w->dose, by_size);
    for (int64_t i = 0; i < n; i++)
        if (kept == 0 || w->dose[i] > w->dose[kept - 1])
            w->dose[kept++] = w->dose[i];
    w->n_dose = kept;
    SCS_REQUIRE(kept <= MOST_DOSES, SCS_EDATA,
                "data.dose: column %s has %lld different doses, at most %d make sense; is it the "
                "right column?",
                config->data.dose, (long long)kept, MOST_DOSES);
    return SCS_OK;
}

/* Where the table of perturbations x doses has the cell's pair. Its dose is in the list. */
static int64_t condition_slot(const dosing *w, int64_t cell)
{
    const double *at =
        bsearch(&w->cell[cell], w->dose, (size_t)w->n_dose, sizeof *w->dose, by_size);

    return w->d->cell_condition[cell] * w->n_dose + (at - w->dose);
}

/* @param[in,out] labels, doses one appended to each; doses has room */
static scs_status add_condition(const dosing *w, int32_t perturbation, double dose,
                                scs_names *labels, scs_dose_list *doses)
{
    char label[LABEL], number[SCS_DOSE_TEXT];
    const char *name = w->d->conditions.name[perturbation];

    if (perturbation == w->d->control)
        snprintf(label, sizeof label, "%s", name);
    else
        snprintf(label, sizeof label, "%s@%s", name, scs_dose_text(dose, number));
    doses->perturbation[doses->n] = perturbation;
    doses->dose[doses->n++] = dose;
    return scs_names_add(labels, label);
}

/* The pairs that a cell has, ordered by perturbation, then dose: other combinations of the two
 * lists were not measured and are no conditions.
 *  @param[out] labels "PERTURBATION@DOSE"
 *  @param[out] doses the same as numbers */
static scs_status list_conditions(dosing *w, scs_names *labels, scs_dose_list *doses)
{
    int64_t n = (int64_t)w->d->conditions.n * w->n_dose;

    SCS_REQUIRE(n <= MOST_SLOTS, SCS_EDATA,
                "%d conditions x %lld doses are too many; are data.condition and data.dose the "
                "right columns?",
                w->d->conditions.n, (long long)w->n_dose);
    SCS_TRY(SCS_ALLOC(w->condition, n));
    SCS_TRY(SCS_ALLOC(doses->perturbation, n));
    SCS_TRY(SCS_ALLOC(doses->dose, n));
    SCS_TRY(scs_names_copy(&w->d->conditions, &doses->perturbations));
    for (int64_t c = 0; c < w->d->n_cell; c++)
        if (!isnan(w->cell[c]))
            w->condition[condition_slot(w, c)] = 1;
    for (int64_t k = 0; k < n; k++)
        /* 1 + condition, so that 0 stays "no cell". */
        if (w->condition[k]) {
            int32_t perturbation = (int32_t)(k / w->n_dose);

            SCS_TRY(add_condition(w, perturbation, w->dose[k % w->n_dose], labels, doses));
            w->condition[k] = doses->n;
        }
    return SCS_OK;
}

/* Every cell's perturbation becomes its condition. */
static void recode_conditions(dosing *w)
{
    for (int64_t c = 0; c < w->d->n_cell; c++)
        w->d->cell_condition[c] = isnan(w->cell[c]) ? -1 : w->condition[condition_slot(w, c)] - 1;
}

/* @param[out] labels, doses caller clears them, after an error too */
static scs_status build_conditions(const scs_config *config, const scs_h5ad *const *metas,
                                   dosing *w, scs_names *labels, scs_dose_list *doses)
{
    SCS_TRY(check_cells(metas, w));
    SCS_TRY(list_doses(config, w));
    SCS_TRY(list_conditions(w, labels, doses));
    recode_conditions(w);
    return SCS_OK;
}

static void clear_dosing(dosing *w)
{
    free(w->cell);
    free(w->dose);
    free(w->condition);
}

/* With data.dose: conditions become one for each perturbation and dose that a cell has. SCS_EDATA
 * names the file, column and row of a dose that cannot be. */
static scs_status split_doses(const scs_config *config, const scs_h5ad *const *metas,
                              scs_dataset *d)
{
    dosing w = {.d = d};
    scs_names labels = {0};
    scs_dose_list doses = {0};
    scs_status st = build_conditions(config, metas, &w, &labels, &doses);

    clear_dosing(&w);
    if (st != SCS_OK) {
        scs_names_clear(&labels);
        scs_dose_list_clear(&doses);
        return st;
    }
    /* The control was a perturbation so far and becomes its condition of dose 0. */
    d->control = scs_dose_list_find(&doses, d->control, 0);
    scs_names_clear(&d->conditions);
    d->conditions = labels;
    d->doses = doses;
    SCS_REQUIRE(d->control >= 0, SCS_EDATA,
                "no control cells: every cell of '%s' lacks its cell type or species",
                config->data.control);
    return SCS_OK;
}

/* first_cell, the lists of labels, each cell's labels, control; and doses. Groups are counted
 * twice, since doses make more conditions. */
static scs_status unite_labels(const scs_config *config, const scs_h5ad *const *metas,
                               scs_dataset *d)
{
    SCS_TRY(number_cells(metas, d));
    SCS_TRY(SCS_ALLOC(d->cell_species, d->n_cell));
    SCS_TRY(SCS_ALLOC(d->cell_type, d->n_cell));
    SCS_TRY(SCS_ALLOC(d->cell_condition, d->n_cell));
    SCS_TRY(unite_at(metas, offsetof(scs_h5ad, cell_type), d, &d->cell_types, d->cell_type));
    SCS_TRY(unite_at(metas, offsetof(scs_h5ad, condition), d, &d->conditions, d->cell_condition));
    if (config->data.species[0])
        SCS_TRY(unite_at(metas, offsetof(scs_h5ad, species), d, &d->species, d->cell_species));
    else
        SCS_TRY(species_by_file(config, d));
    SCS_TRY(check_groups(config, d));
    SCS_TRY(find_control(config, d));
    SCS_TRY(scs_notes_labels(d, config->data.cell_type, &d->cell_types, d->cell_type, NULL, NULL));
    SCS_TRY(scs_notes_labels(d, config->data.condition, &d->conditions, d->cell_condition,
                             config->screen.pair_separator, config->data.control));
    SCS_TRY(scs_notes_labels(
        d, config->data.species[0] ? config->data.species : "species (data.inputs)", &d->species,
        d->cell_species, NULL, NULL));
    if (!config->data.dose[0])
        return SCS_OK;
    SCS_TRY(split_doses(config, metas, d));
    return check_groups(config, d);
}

/* ---- create and destroy ---- */

/* AnnData allows cells of one name; nothing here looks cells up by name, so they are kept. */
static scs_status note_files(const scs_h5ad *const *metas, scs_dataset *d)
{
    for (int32_t i = 0; i < d->n_input; i++) {
        if (metas[i]->note)
            SCS_TRY(scs_notes_add(d, "%s: %s", metas[i]->path, metas[i]->note));
        if (metas[i]->n_duplicate_obs_names > 0)
            SCS_TRY(scs_notes_add(d,
                                  "%s: %lld cell names stand there more than once; they are kept",
                                  metas[i]->path, (long long)metas[i]->n_duplicate_obs_names));
    }
    return SCS_OK;
}

/* An empty file is more likely a mistake than a wish; the joins would take it without a word. */
static scs_status refuse_empty(const scs_h5ad *const *metas, int32_t n_input)
{
    for (int32_t i = 0; i < n_input; i++)
        SCS_REQUIRE(metas[i]->n_obs > 0, SCS_EDATA,
                    "%s: holds no cells; leave it out of data.inputs", metas[i]->path);
    return SCS_OK;
}

/* Genes, then labels, then roles, which need both lists and labels. */
static scs_status join_inputs(const scs_config *config, const scs_h5ad *const *metas,
                              scs_dataset *d)
{
    SCS_REQUIRE(config->data.n_input > 0, SCS_EDATA, "%s: data.inputs names no file", config->file);
    d->n_input = config->data.n_input;
    SCS_TRY(refuse_empty(metas, d->n_input));
    SCS_TRY(scs_genes_join(config, metas, d));
    SCS_TRY(unite_labels(config, metas, d));
    SCS_REQUIRE(
        d->conditions.n > 1, SCS_EDATA,
        "%s: column %s holds no condition but the control '%s': there is no response to learn",
        metas[0]->path, config->data.condition, config->data.control);
    SCS_TRY(unite_columns(config, metas, d));
    SCS_TRY(scs_roles_assign(config, d));
    SCS_TRY(scs_filter_describe(config, metas, &d->filtered));
    return note_files(metas, d);
}

/* Zeroed first, so that destroy takes whatever a failure leaves. */
scs_status scs_dataset_create(const scs_config *config, const scs_h5ad *const *metas,
                              scs_dataset **dataset)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*dataset, 1));
    st = join_inputs(config, metas, *dataset);
    if (st != SCS_OK)
        scs_dataset_destroy(dataset);
    return st;
}

void scs_dataset_destroy(scs_dataset **dataset)
{
    scs_dataset *d = *dataset;

    if (!d)
        return;
    for (int32_t i = 0; d->gene_of_column && i < d->n_input; i++)
        free(d->gene_of_column[i]);
    free(d->gene_of_column);
    free(d->sums);
    scs_names_clear(&d->genes);
    scs_names_clear(&d->species);
    scs_names_clear(&d->cell_types);
    scs_names_clear(&d->conditions);
    scs_dose_list_clear(&d->doses);
    for (int32_t i = 0; d->column && i < d->n_column; i++) {
        free(d->column[i].name);
        free(d->column[i].value);
        scs_names_clear(&d->column[i].values);
    }
    free(d->column);
    free(d->values);
    free(d->filtered);
    free(d->variable);
    scs_names_clear(&d->notes);
    free(d->cell_species);
    free(d->cell_type);
    free(d->cell_condition);
    free(d->role);
    free(d->first_cell);
    free(d->fate);
    free(d);
    *dataset = NULL;
}

/* ---- for people ---- */

/* Names come out of files: scs_names_list escapes them. */
static void describe_names(const char *what, const scs_names *names, FILE *out)
{
    char list[600];

    fprintf(out, "  %-11s %d: %s\n", what, names->n, scs_names_list(names, 12, list, sizeof list));
}

void scs_dataset_describe(const scs_dataset *d, FILE *out)
{
    long long n[4] = {0};
    char control[200];

    for (int64_t c = 0; c < d->n_cell; c++)
        n[d->role[c]]++;
    scs_text_escape(d->conditions.name[d->control], control, sizeof control);
    fprintf(out, "data: %lld cells x %d genes from %d file%s\n", (long long)d->n_cell, d->n_gene,
            d->n_input, d->n_input == 1 ? "" : "s");
    describe_names("species", &d->species, out);
    describe_names("cell types", &d->cell_types, out);
    describe_names("conditions", &d->conditions, out);
    fprintf(out, "  %-11s %s\n", "control", control);
    fprintf(out, "  %-11s %lld training, %lld validation, %lld held out, %lld without a label\n",
            "cells", n[SCS_ROLE_TRAIN], n[SCS_ROLE_VALID], n[SCS_ROLE_HELD_OUT],
            n[SCS_ROLE_UNUSED] - (long long)d->n_set_aside);
    if (d->n_set_aside)
        fprintf(out,
                "  %-11s %lld are set aside: hold_out takes them by a column, yet other cells "
                "of their groups stay; they are neither learnt from nor scored\n",
                "", (long long)d->n_set_aside);
    if (d->filtered)
        fprintf(out, "  %-11s %s\n", "filter", d->filtered);
    if (d->values)
        fprintf(out, "  %-11s %s\n", "values", d->values);
    if (d->variable)
        fprintf(out, "  %-11s %s\n", "genes", d->variable);
    for (scs_lidx i = 0; i < d->notes.n; i++)
        fprintf(out, "  note: %s\n", d->notes.name[i]);
}

/* ---- the genes of a model ---- */

/* A model reads every one of its genes; zeros for one that the data lack would be taken for a
 * measurement.
 *  @param have over the dataset's genes */
static scs_status refuse_missing(const scs_index *have, const scs_names *genes, const char *where)
{
    const char *first = NULL;
    scs_lidx missing = 0;

    for (scs_lidx g = 0; g < genes->n; g++)
        if (scs_names_index_find(have, genes->name[g]) < 0) {
            first = first ? first : genes->name[g];
            missing++;
        }
    SCS_REQUIRE(missing == 0, SCS_EDATA,
                "%s: %d of the model's %d genes are not in the data (first: %s); use the data's "
                "own gene names, or retrain",
                where, missing, genes->n, first);
    return SCS_OK;
}

/* @param[out] to [old->n] position in `genes` of each old one, -1: not in the model */
static scs_status map_genes(const scs_names *old, const scs_names *genes, int32_t *to)
{
    scs_index wanted = {0};
    scs_status status;

    SCS_GO(status, scs_names_index_create(genes, &wanted));
    for (scs_lidx g = 0; g < old->n; g++)
        to[g] = scs_names_index_find(&wanted, old->name[g]);
done:
    scs_names_index_clear(&wanted);
    return status;
}

/* Columns of genes that the model does not have are dropped (-1), as they are in the join. */
static void rename_columns(scs_dataset *dataset, const scs_h5ad *const *metas, const int32_t *to)
{
    for (int32_t i = 0; i < dataset->n_input; i++)
        for (int32_t j = 0; j < metas[i]->n_var; j++) {
            int32_t *gene = &dataset->gene_of_column[i][j];

            *gene = *gene < 0 ? -1 : to[*gene];
        }
}

/* gene_of_column is renamed before the names are replaced: nothing fails in between, so that a
 * dataset is either the old or the new one. */
scs_status scs_dataset_match_genes(scs_dataset *dataset, const scs_names *genes,
                                   const scs_h5ad *const *metas, const char *where)
{
    scs_index have = {0};
    scs_names copy = {0};
    int32_t *to = NULL;
    scs_status status;

    SCS_GO(status, scs_names_index_create(&dataset->genes, &have));
    SCS_GO(status, refuse_missing(&have, genes, where));
    SCS_GO(status, SCS_ALLOC(to, dataset->n_gene));
    SCS_GO(status, map_genes(&dataset->genes, genes, to));
    SCS_GO(status, scs_names_copy(genes, &copy));
    rename_columns(dataset, metas, to);
    scs_names_index_clear(&have);
    scs_names_clear(&dataset->genes);
    dataset->genes = copy;
    dataset->n_gene = genes->n;
done:
    scs_names_index_clear(&have);
    free(to);
    return status;
}

/* Names of genes that are kept move down; the list gives back nothing else. */
static void drop_names(scs_names *genes, const int32_t *to)
{
    scs_lidx n = 0;

    for (scs_lidx g = 0; g < genes->n; g++)
        if (to[g] >= 0)
            genes->name[n++] = genes->name[g];
        else
            free(genes->name[g]);
    genes->n = n;
}

void scs_dataset_keep_genes(scs_dataset *dataset, const bool *chosen, int fate,
                            const scs_h5ad *const *metas, int32_t *to)
{
    int32_t n = 0;

    for (int32_t g = 0; g < dataset->n_gene; g++)
        to[g] = chosen[g] ? n++ : -1;
    for (int32_t i = 0; i < dataset->n_input; i++)
        for (int32_t j = 0; j < metas[i]->n_var; j++) {
            int32_t gene = dataset->gene_of_column[i][j];
            int64_t *fates = dataset->fate + (int64_t)i * SCS_N_GENE_FATE;

            fates[SCS_GENE_KEPT] -= gene >= 0 && to[gene] < 0;
            fates[fate] += gene >= 0 && to[gene] < 0;
        }
    rename_columns(dataset, metas, to);
    drop_names(&dataset->genes, to);
    dataset->n_gene = n;
}

/* ---- checksum ---- */

/* What is summed is a list of lines, each array one of them, so that no array can run into the
 * next. */
static scs_status add_array(scs_bytes *all, const char *what, const void *data, int64_t size)
{
    char sum[SCS_CHECKSUM_MAX];

    scs_checksum_bytes(data, size, sum);
    SCS_TRY(scs_bytes_put_text(all, what));
    return scs_bytes_put_text(all, sum);
}

/* Names with their lengths, in order. */
static scs_status add_names(scs_bytes *all, const scs_dataset *d)
{
    SCS_TRY(scs_bytes_put_names(all, &d->genes));
    SCS_TRY(scs_bytes_put_names(all, &d->species));
    SCS_TRY(scs_bytes_put_names(all, &d->cell_types));
    SCS_TRY(scs_bytes_put_names(all, &d->conditions));
    return scs_bytes_put_int(all, d->control);
}

/* Labels of all cells, and roles: a run that holds out other cells is another run. */
static scs_status add_cells(scs_bytes *all, const scs_dataset *d)
{
    int64_t labels = d->n_cell * (int64_t)sizeof *d->cell_type;

    SCS_TRY(add_array(all, "species", d->cell_species, labels));
    SCS_TRY(add_array(all, "cell types", d->cell_type, labels));
    SCS_TRY(add_array(all, "conditions", d->cell_condition, labels));
    return add_array(all, "roles", d->role, d->n_cell);
}

/* The files by their contents: paths may change between a run and its continuation. */
static scs_status add_inputs(scs_bytes *all, const scs_dataset *d, const scs_h5ad *const *metas,
                             char *const *checksums)
{
    for (int32_t i = 0; i < d->n_input; i++) {
        int64_t size = metas[i]->n_var * (int64_t)sizeof **d->gene_of_column;

        SCS_TRY(scs_bytes_put_text(all, checksums[i]));
        SCS_TRY(add_array(all, "genes", d->gene_of_column[i], size));
    }
    return SCS_OK;
}

/* A checksum of names, of the checksums of long arrays, and of those of the files: the same on
 * every rank and for every path. */
scs_status scs_dataset_checksum(const scs_dataset *dataset, const scs_h5ad *const *metas,
                                char *const *checksums, char *out)
{
    scs_bytes all = {0};
    scs_status st;

    SCS_GO(st, add_names(&all, dataset));
    SCS_GO(st, add_cells(&all, dataset));
    SCS_GO(st, add_inputs(&all, dataset, metas, checksums));
    scs_checksum_bytes(all.data, all.size, out);
done:
    scs_bytes_clear(&all);
    return st;
}
