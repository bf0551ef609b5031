/* Labels are matched by name: the two files number them as they like.
 *
 *  Nothing is scored on what happens to overlap: genes, perturbations and types have to be the same
 *  on both sides, or the files are refused with what differs, since a mean over fewer perturbations
 *  is another number under the same name. O(cells) for each panel, 4 bytes a cell kept. */
#include "src/score/panel.h"

#include "src/base/names.h"
#include "src/base/text.h"
#include "src/data/genes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN = 6 }; /* names in a message */

/* ---- genes ---- */

/* Names of one list that the other lacks. */
static scs_status list_missing(const scs_names *names, const scs_names *other, scs_names *missing)
{
    scs_index index = {0};
    scs_status st;

    SCS_GO(st, scs_names_index_create(other, &index));
    for (scs_lidx i = 0; i < names->n; i++)
        if (scs_names_index_find(&index, names->name[i]) < 0)
            SCS_GO(st, scs_names_add(missing, names->name[i]));
done:
    scs_names_index_clear(&index);
    return st;
}

/* Whether two names are the same but for case and spaces around them. */
static bool is_alike(const char *a, const char *b)
{
    size_t n, m;

    a += strspn(a, " ");
    b += strspn(b, " ");
    n = strlen(a);
    m = strlen(b);
    while (n > 0 && a[n - 1] == ' ')
        n--;
    while (m > 0 && b[m - 1] == ' ')
        m--;
    return n == m && strncasecmp(a, b, n) == 0;
}

/* ": 'a ' and 'a' differ only in case or spaces" of the first such pair; empty where there is none.
 * @param missing of which few are looked at  @return out */
static const char *hint_alike(const scs_names *missing, const scs_names *names, char *out,
                              size_t size)
{
    char a[100], b[100];

    *out = '\0';
    for (scs_lidx i = 0; i < missing->n && i < SHOWN; i++)
        for (scs_lidx k = 0; k < names->n; k++)
            if (is_alike(missing->name[i], names->name[k])) {
                snprintf(out, size, "; '%s' and '%s' differ only in case or spaces",
                         scs_text_escape(missing->name[i], a, sizeof a),
                         scs_text_escape(names->name[k], b, sizeof b));
                return out;
            }
    return out;
}

/* SCS_EDATA with what each file has that the other lacks; SCS_OK where there is none of it. */
static scs_status compare_names(const scs_h5ad *predicted, const scs_names *of_predicted,
                                const scs_h5ad *real, const scs_names *of_real, const char *noun,
                                const char *advice)
{
    scs_names only_real = {0}, only_predicted = {0};
    char first[300], second[300], alike[300];
    scs_status st;

    SCS_GO(st, list_missing(of_real, of_predicted, &only_real));
    SCS_GO(st, list_missing(of_predicted, of_real, &only_predicted));
    if (only_real.n || only_predicted.n)
        st = SCS_FAIL(SCS_EDATA,
                      "%s and %s do not have the same %s: %d of %d only in the latter%s%s, %d only "
                      "in the former%s%s%s; %s",
                      predicted->path, real->path, noun, only_real.n, of_real->n,
                      only_real.n ? ": " : "",
                      scs_names_list(&only_real, SHOWN, first, sizeof first), only_predicted.n,
                      only_predicted.n ? ": " : "",
                      scs_names_list(&only_predicted, SHOWN, second, sizeof second),
                      hint_alike(&only_predicted, of_real, alike, sizeof alike), advice);
done:
    scs_names_clear(&only_real);
    scs_names_clear(&only_predicted);
    return st;
}

/* Once this returns, `gene` is a permutation: the lists are equal as sets and have no duplicates.
 */
scs_status scs_panel_match_genes(const scs_h5ad *file, const scs_h5ad *real, int32_t **gene)
{
    scs_index own = {0}, index = {0};
    scs_status st;

    *gene = NULL;
    SCS_GO(st, scs_names_index_create(&file->genes, &own));
    SCS_GO(st, scs_genes_refuse_twice(file, &own));
    SCS_GO(st, scs_names_index_create(&real->genes, &index));
    SCS_GO(st, scs_genes_refuse_twice(real, &index));
    SCS_GO(st, compare_names(file, &file->genes, real, &real->genes, "genes",
                             "subset both to the genes they share"));
    SCS_GO(st, SCS_ALLOC(*gene, file->n_var));
    for (int32_t j = 0; j < file->n_var; j++)
        (*gene)[j] = scs_names_index_find(&index, file->genes.name[j]);
done:
    scs_names_index_clear(&own);
    scs_names_index_clear(&index);
    return st;
}

/* ---- labels ---- */

/* An order that no locale changes. */
static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Categories that some cell of a type has, sorted.
 * @param type the type's code in this file, or -1: any cell
 * @param scratch [categories] */
static scs_status labels_in_use(const scs_labels *labels, const scs_labels *types, int32_t type,
                                int64_t n, bool *scratch, scs_names *used)
{
    memset(scratch, 0, (size_t)labels->categories.n * sizeof *scratch);
    for (int64_t i = 0; i < n; i++)
        if (labels->codes[i] >= 0 && (type < 0 || types->codes[i] == type))
            scratch[labels->codes[i]] = true;
    for (scs_lidx c = 0; c < labels->categories.n; c++)
        if (scratch[c])
            SCS_TRY(scs_names_add(used, labels->categories.name[c]));
    if (used->n > 0)
        qsort(used->name, (size_t)used->n, sizeof *used->name, by_bytes);
    return SCS_OK;
}

/* Of column `labels` of a file, cells of one type or all. */
static scs_status list_labels(const scs_h5ad *file, const scs_labels *labels, int32_t type,
                              scs_names *used)
{
    bool *scratch = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(scratch, labels->categories.n));
    SCS_GO(st, labels_in_use(labels, &file->cell_type, type, file->n_obs, scratch, used));
done:
    free(scratch);
    return st;
}

/* Moves a name out of the list. @return whether it was there */
static bool take_out(scs_names *names, const char *name)
{
    scs_lidx at = scs_names_find(names, name);

    if (at < 0)
        return false;
    free(names->name[at]);
    memmove(names->name + at, names->name + at + 1,
            (size_t)(names->n - at - 1) * sizeof *names->name);
    names->n--;
    return true;
}

/* SCS_EDATA: the real cells need controls. @param labels what there is */
static scs_status no_control(const scs_h5ad *real, const char *type, const char *control,
                             const scs_names *labels)
{
    const char *nearest = scs_names_nearest(labels, control);
    char list[300], label[100], escaped[100];

    scs_names_list(labels, SHOWN, list, sizeof list);
    scs_text_escape(control, label, sizeof label);
    if (labels->n == 0)
        return SCS_FAIL(SCS_EDATA, "%s: no cell%s%s has a label in obs/%s", real->path,
                        type ? " of cell type " : "", type ? type : "", real->condition.column);
    return SCS_FAIL(SCS_EDATA,
                    "%s: no controls%s%s: obs/%s has no \"%s\"%s%s%s; it has %s; set "
                    "--control",
                    real->path, type ? " of cell type " : "", type ? type : "",
                    real->condition.column, label, nearest ? ", did you mean \"" : "",
                    nearest ? scs_text_escape(nearest, escaped, sizeof escaped) : "",
                    nearest ? "\"?" : "", list);
}

/* ---- panels ---- */

/* A file's cells [first, first + n_obs). @param type code in this file, or -1. A label that is
 * neither the control nor one of the panel's is -1, as a missing one is. */
static scs_status set_groups(const scs_h5ad *file, int32_t type, const char *control, int64_t first,
                             scs_panel *panel)
{
    const scs_labels *labels = &file->condition;
    int32_t *group = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(group, labels->categories.n));
    for (scs_lidx c = 0; c < labels->categories.n; c++)
        group[c] = strcmp(labels->categories.name[c], control) == 0
                       ? panel->perturbations.n
                       : scs_names_find(&panel->perturbations, labels->categories.name[c]);
    for (int64_t i = 0; i < file->n_obs; i++) {
        bool here = labels->codes[i] >= 0 && (type < 0 || file->cell_type.codes[i] == type);

        panel->group[first + i] = here ? group[labels->codes[i]] : -1;
    }
done:
    free(group);
    return st;
}

/* A perturbation that is named as a gene is taken for one of that gene (a knock-out, a CRISPRi
 * guide): its own change is trivial to predict, and no measure looks at it. */
static scs_status find_targets(const scs_h5ad *real, scs_panel *panel)
{
    scs_index index = {0};
    scs_status st;

    SCS_GO(st, scs_names_index_create(&real->genes, &index));
    SCS_GO(st, SCS_ALLOC(panel->target, panel->perturbations.n));
    for (scs_lidx p = 0; p < panel->perturbations.n; p++)
        panel->target[p] = scs_names_index_find(&index, panel->perturbations.name[p]);
done:
    scs_names_index_clear(&index);
    return st;
}

/* @param type of the panel, or NULL */
static scs_status create(const scs_h5ad *predicted, const scs_h5ad *real, const char *type,
                         const char *control, scs_panel *panel)
{
    int32_t of_predicted = type ? scs_names_find(&predicted->cell_type.categories, type) : -1;
    int32_t of_real = type ? scs_names_find(&real->cell_type.categories, type) : -1;
    char advice[400], escaped[100], label[100];
    scs_names labels = {0};
    bool has_control;
    scs_status st;

    *panel = (scs_panel){.n_cell = predicted->n_obs + real->n_obs,
                         .n_predicted = predicted->n_obs,
                         .n_gene = real->n_var};
    if (type)
        SCS_GO(st, scs_text_copy(type, &panel->cell_type));
    SCS_GO(st, list_labels(real, &real->condition, of_real, &panel->perturbations));
    SCS_GO(st, list_labels(predicted, &predicted->condition, of_predicted, &labels));
    if (!take_out(&panel->perturbations, control))
        SCS_GO(st, no_control(real, type, control, &panel->perturbations));
    has_control = take_out(&labels, control);
    snprintf(advice, sizeof advice, "%s%s%sleave out of one file what the other has not%s%s%s",
             type ? "cell type " : "", type ? scs_text_escape(type, escaped, sizeof escaped) : "",
             type ? ": " : "",
             has_control ? "" : "; predicted controls, where there are any, are \"",
             has_control ? "" : scs_text_escape(control, label, sizeof label),
             has_control ? "" : "\", too");
    SCS_GO(st,
           compare_names(predicted, &labels, real, &panel->perturbations, "perturbations", advice));
    if (panel->perturbations.n == 0)
        SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: no perturbations%s%s beside the control", real->path,
                            type ? " of cell type " : "", type ? type : ""));
    SCS_GO(st, SCS_ALLOC(panel->group, panel->n_cell));
    SCS_GO(st, set_groups(predicted, of_predicted, control, 0, panel));
    SCS_GO(st, set_groups(real, of_real, control, predicted->n_obs, panel));
    SCS_GO(st, find_targets(real, panel));
done:
    scs_names_clear(&labels);
    return st;
}

/* The types that both files' cells have. */
static scs_status list_types(const scs_h5ad *predicted, const scs_h5ad *real, scs_names *types)
{
    scs_names of_predicted = {0};
    scs_status st;

    SCS_GO(st, list_labels(real, &real->cell_type, -1, types));
    SCS_GO(st, list_labels(predicted, &predicted->cell_type, -1, &of_predicted));
    SCS_GO(st, compare_names(predicted, &of_predicted, real, types, "cell types",
                             "leave out of one file what the other has not"));
done:
    scs_names_clear(&of_predicted);
    return st;
}

/* The real file decides whether there are types: both were asked for the same column. */
scs_status scs_panel_create_all(const scs_h5ad *predicted, const scs_h5ad *real,
                                const char *control, scs_panel **panels, int32_t *n)
{
    scs_names types = {0};
    scs_status st = SCS_OK;

    *panels = NULL;
    *n = 0;
    if (real->cell_type.column)
        SCS_GO(st, list_types(predicted, real, &types));
    SCS_GO(st, SCS_ALLOC(*panels, real->cell_type.column ? types.n : 1));
    *n = real->cell_type.column ? types.n : 1;
    for (int32_t i = 0; i < *n; i++)
        SCS_GO(st, create(predicted, real, real->cell_type.column ? types.name[i] : NULL, control,
                          *panels + i));
done:
    scs_names_clear(&types);
    return st;
}

void scs_panel_clear_all(scs_panel **panels, int32_t n)
{
    for (int32_t i = 0; *panels && i < n; i++) {
        scs_panel *p = *panels + i;

        free(p->cell_type);
        scs_names_clear(&p->perturbations);
        free(p->group);
        free(p->target);
    }
    free(*panels);
    *panels = NULL;
}
