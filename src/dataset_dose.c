/* Perturbations and doses of cells become conditions. */
#include "src/dataset_parts.h"
#include "src/dose.h"
#include "src/h5ad.h"
#include "src/names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More distinct doses than this means that the column is another measurement. */
enum { MOST_DOSES = 1000, MOST_SLOTS = 1 << 24, LABEL = 1024 };

/* d's conditions are still perturbations here. */
typedef struct dosing {
    scs_dataset *d;
    double *cell; /* [n_cell] */
    double *dose; /* [n_dose] ascending */
    int64_t n_dose;
    int32_t *condition; /* [perturbations, n_dose] 1 + condition; 0: no cell */
} dosing;

static void clear(dosing *w)
{
    free(w->cell);
    free(w->dose);
    free(w->condition);
}

/* A cell's dose must fit its condition; cells without a label are not looked at. */
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
                meta->path, meta->dose_column, (long long)row, condition, wrong,
                d->conditions.name[d->control]);
    return SCS_OK;
}

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

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

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

static int64_t slot(const dosing *w, int64_t cell)
{
    const double *at =
        bsearch(&w->cell[cell], w->dose, (size_t)w->n_dose, sizeof *w->dose, by_size);

    return w->d->cell_condition[cell] * w->n_dose + (at - w->dose);
}

static scs_status add_condition(const dosing *w, int32_t perturbation, double dose,
                                scs_names *labels, scs_doses *doses)
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

/* Ordered by perturbation, then dose. */
static scs_status list_conditions(dosing *w, scs_names *labels, scs_doses *doses)
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
            w->condition[slot(w, c)] = 1;
    for (int64_t k = 0; k < n; k++)
        if (w->condition[k]) {
            int32_t perturbation = (int32_t)(k / w->n_dose);

            SCS_TRY(add_condition(w, perturbation, w->dose[k % w->n_dose], labels, doses));
            w->condition[k] = doses->n;
        }
    return SCS_OK;
}

static void recode(dosing *w)
{
    for (int64_t c = 0; c < w->d->n_cell; c++)
        w->d->cell_condition[c] = isnan(w->cell[c]) ? -1 : w->condition[slot(w, c)] - 1;
}

static scs_status split(const scs_config *config, const scs_h5ad *const *metas, dosing *w,
                        scs_names *labels, scs_doses *doses)
{
    SCS_TRY(check_cells(metas, w));
    SCS_TRY(list_doses(config, w));
    SCS_TRY(list_conditions(w, labels, doses));
    recode(w);
    return SCS_OK;
}

scs_status scs_dataset_split_doses(const scs_config *config, const scs_h5ad *const *metas,
                                   scs_dataset *d)
{
    dosing w = {.d = d};
    scs_names labels = {0};
    scs_doses doses = {0};
    scs_status st = split(config, metas, &w, &labels, &doses);

    clear(&w);
    if (st != SCS_OK) {
        scs_names_clear(&labels);
        scs_doses_clear(&doses);
        return st;
    }
    d->control = scs_doses_find(&doses, d->control, 0);
    scs_names_clear(&d->conditions);
    d->conditions = labels;
    d->doses = doses;
    SCS_REQUIRE(d->control >= 0, SCS_EDATA,
                "no control cells: every cell of '%s' lacks its cell type or species",
                config->data.control);
    return SCS_OK;
}
