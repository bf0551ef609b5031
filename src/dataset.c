#include "src/dataset_parts.h"

#include "src/dose.h"
#include "src/h5ad.h"
#include "src/names.h"
#include "src/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

scs_status scs_dataset_note(scs_dataset *d, const char *format, ...)
{
    char line[SCS_MESSAGE_MAX], escaped[SCS_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return scs_names_add(&d->notes, scs_text_escape(line, escaped, sizeof escaped));
}

char *scs_dataset_hint(const scs_names *names, const char *wrong, char *out, size_t size)
{
    const char *nearest = scs_names_nearest(names, wrong);
    char *end;

    scs_names_list(names, 12, out, size * 2 / 3);
    if (names->n == 0)
        snprintf(out, size, "no label at all");
    end = out + strlen(out);
    if (nearest)
        snprintf(end, size - (size_t)(end - out), "; did you mean %s?", nearest);
    return out;
}

static scs_status note_duplicates(const scs_h5ad *const *metas, scs_dataset *d)
{
    for (int32_t i = 0; i < d->n_input; i++)
        if (metas[i]->n_duplicate_obs_names > 0)
            SCS_TRY(
                scs_dataset_note(d, "%s: %lld cell names stand there more than once; they are kept",
                                 metas[i]->path, (long long)metas[i]->n_duplicate_obs_names));
    return SCS_OK;
}

static scs_status refuse_empty(const scs_h5ad *const *metas, int32_t n_input)
{
    for (int32_t i = 0; i < n_input; i++)
        SCS_REQUIRE(metas[i]->n_obs > 0, SCS_EDATA,
                    "%s: holds no cells; leave it out of data.inputs", metas[i]->path);
    return SCS_OK;
}

static scs_status fill(const scs_config *config, const scs_h5ad *const *metas, scs_dataset *d)
{
    SCS_REQUIRE(config->data.n_input > 0, SCS_EDATA, "%s: data.inputs names no file", config->file);
    d->n_input = config->data.n_input;
    SCS_TRY(refuse_empty(metas, d->n_input));
    SCS_TRY(scs_dataset_join_genes(config, metas, d));
    SCS_TRY(scs_dataset_unite_labels(config, metas, d));
    SCS_REQUIRE(
        d->conditions.n > 1, SCS_EDATA,
        "%s: column %s holds no condition but the control '%s': there is no response to learn",
        metas[0]->path, config->data.condition, config->data.control);
    SCS_TRY(scs_dataset_assign_roles(config, d));
    return note_duplicates(metas, d);
}

scs_status scs_dataset_create(const scs_config *config, const scs_h5ad *const *metas,
                              scs_dataset **dataset)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*dataset, 1));
    st = fill(config, metas, *dataset);
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
    scs_names_clear(&d->genes);
    scs_names_clear(&d->species);
    scs_names_clear(&d->cell_types);
    scs_names_clear(&d->conditions);
    scs_doses_clear(&d->doses);
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
            n[SCS_ROLE_UNUSED]);
    for (scs_lidx i = 0; i < d->notes.n; i++)
        fprintf(out, "  note: %s\n", d->notes.name[i]);
}
