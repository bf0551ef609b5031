/* A user's own control cells, as counts (own_cells.h).
 *
 * The file is read as an input is, by a dataset that knows of it no more than its genes: the same
 * function deals out rows, so that each rank keeps a contiguous part of the cells, packed, about 3
 * bytes an entry. Genes that the run does not have are dropped while reading; genes that the file
 * does not have are marked, and predicted cells go without them rather than with zeros, which a
 * reader could not tell from genes that are not expressed.
 *
 * The file may be of any species that an input is of: its names are held against the run's own and
 * against each input's before they were translated, and the set of which most are found is taken.
 *
 * Beside the rows every rank has a total and a group for each cell: 12 bytes a cell. */
#include "mpi/cells/own_cells.h"

#include "mpi/comm/collectives.h"
#include "src/atlas/atlas.h"
#include "src/base/collective.h"
#include "src/base/text.h"
#include "src/data/genes.h"
#include "src/data/h5ad.h"
#include "src/data/scale.h"
#include "scscreen/comm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 10, WORDS = 400 };

/* ---- genes ---- */

/* O(genes log columns). */
static int32_t count_found(const scs_names *names, const scs_index *file)
{
    int32_t n = 0;

    for (int32_t g = 0; g < names->n; g++)
        n += scs_names_index_find(file, names->name[g]) >= 0;
    return n;
}

/* The names of the run's genes that the file has most of; of equals the run's own. */
static const scs_names *choose_names(const scs_session *s, const scs_gene_maps *maps,
                                     const scs_index *file, int32_t *found)
{
    const scs_names *best = &s->dataset->genes;

    *found = count_found(best, file);
    for (int32_t i = 0; i < maps->n; i++) {
        int32_t n = maps->map[i].translated ? count_found(&maps->map[i].own, file) : 0;

        if (n > *found) {
            *found = n;
            best = &maps->map[i].own;
        }
    }
    return best;
}

/* None at all is refused, with a name of either side: most often they are identifiers on one side
 * and symbols on the other. Some that are missing are a warning. @param names in which the file was
 * matched, so that the message shows what was looked for */
static scs_status tell_genes(const scs_session *s, const scs_names *names, const scs_own_cells *own)
{
    const scs_h5ad *file = s->from;
    int32_t missing = names->n - own->genes.n, first = 0;
    char theirs[100], ours[100];

    while (first < names->n - 1 && !own->absent[first])
        first++;
    scs_text_escape(names->n ? names->name[first] : "", ours, sizeof ours);
    SCS_REQUIRE(own->genes.n > 0, SCS_EDATA,
                "%s: none of the run's %d genes is in it: its first is %s, the run's %s; var_names "
                "have to be those of the inputs",
                file->path, names->n,
                scs_text_escape(file->n_var ? file->genes.name[0] : "", theirs, sizeof theirs),
                ours);
    if (missing)
        scs_session_say(s,
                        "warning: %d of the run's %d genes are not in %s, the first %s: predicted "
                        "cells have the other %d",
                        missing, names->n, file->path, ours, own->genes.n);
    return SCS_OK;
}

/* @param[out] reference [n_var] the run's gene of each column, -1: none */
static scs_status place_genes(const scs_session *s, const scs_names *names, const scs_index *file,
                              int32_t *reference, scs_own_cells *own)
{
    for (int32_t j = 0; j < s->from->n_var; j++)
        reference[j] = -1;
    for (int32_t g = 0; g < names->n; g++) {
        scs_lidx j = scs_names_index_find(file, names->name[g]);

        own->absent[g] = j < 0;
        own->column[g] = j < 0 ? -1 : own->genes.n;
        if (j < 0)
            continue;
        reference[j] = g;
        SCS_TRY(scs_names_add(&own->genes, s->dataset->genes.name[g]));
    }
    return tell_genes(s, names, own);
}

/* @param[out] reference [n_var] malloc'ed, see place_genes. Local: every rank has the file's names,
 * and comes to the same choice. */
static scs_status match_genes(const scs_session *s, int32_t **reference, scs_own_cells *own)
{
    int32_t n_gene = s->dataset->n_gene, found;
    scs_gene_maps *maps = NULL;
    scs_index file = {0};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(*reference, s->from->n_var));
    SCS_GO(st, SCS_ALLOC(own->absent, n_gene));
    SCS_GO(st, SCS_ALLOC(own->column, n_gene));
    SCS_GO(st, scs_names_index_create(&s->from->genes, &file));
    SCS_GO(st, scs_genes_refuse_twice(s->from, &file));
    SCS_GO(st,
           scs_genes_maps_create(s->config, s->dataset, (const scs_h5ad *const *)s->meta, &maps));
    SCS_GO(st, place_genes(s, choose_names(s, maps, &file, &found), &file, *reference, own));
done:
    scs_genes_maps_destroy(&maps);
    scs_names_index_clear(&file);
    return st;
}

/* ---- labels ---- */

/* The atlas' cell type of each category. @param[out] type [categories.n] malloc'ed; -1: none */
static scs_status match_types(const scs_session *s, int32_t **type)
{
    const scs_names *categories = &s->from->cell_type.categories;

    SCS_TRY(SCS_ALLOC(*type, categories->n));
    for (scs_lidx c = 0; c < categories->n; c++)
        (*type)[c] = scs_names_find(&s->atlas->cell_types, categories->name[c]);
    return SCS_OK;
}

/* Cells that are not controls are in no group. */
static scs_status group_cells(const scs_session *s, scs_own_cells *own)
{
    const scs_h5ad *file = s->from;
    const char *control = s->config->data.control;
    bool labelled = file->condition.column != NULL;
    scs_lidx code = scs_names_find(&file->condition.categories, control);
    int64_t n = 0;
    int32_t *type = NULL;
    char list[WORDS];
    scs_status st;

    own->typed = file->cell_type.column != NULL;
    SCS_GO(st, match_types(s, &type));
    for (int64_t i = 0; i < file->n_obs; i++) {
        bool is_control = !labelled || (code >= 0 && file->condition.codes[i] == code);
        int32_t kind = own->typed ? file->cell_type.codes[i] : 0;

        n += is_control;
        own->counts.group_of_cell[i] = !is_control || kind < 0 ? -1 : own->typed ? type[kind] : 0;
    }
    if (n == 0 && file->n_obs == 0)
        st = SCS_FAIL(SCS_EDATA, "%s: no cells", file->path);
    else if (n == 0)
        st = SCS_FAIL(SCS_EDATA,
                      "%s: no cell has %s \"%s\" (%s); name the control as the inputs do, "
                      "or take the column out",
                      file->path, file->condition.column, control,
                      scs_names_list(&file->condition.categories, LISTED, list, sizeof list));
    else if (n < file->n_obs)
        scs_session_say(s, "%s: %lld of %lld cells are controls; the others are left out",
                        file->path, (long long)n, (long long)file->n_obs);
done:
    free(type);
    return st;
}

/* ---- counts ---- */

/* Totals of all cells on every rank. Collective. @param mine [x.n_row] of this rank's */
static scs_status gather_totals(scs_own_cells *own, const double *mine)
{
    scs_comm *comm = own->counts.session->comm;
    int64_t n_rank = scs_comm_size(comm), *first = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(first, n_rank + 1)));
    for (int64_t r = 0; r <= n_rank; r++)
        first[r] = own->counts.n_cell * r / n_rank * (int64_t)sizeof *mine;
    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(own->total, own->counts.n_cell)));
    memcpy(own->total + own->counts.first, mine, (size_t)own->counts.x.n_row * sizeof *mine);
    SCS_GO(st, scs_comm_allgather(comm, own->total, first));
done:
    free(first);
    return st;
}

/* All that is known without the file's rows. Local. @param[out] reference see match_genes */
static scs_status prepare(const scs_session *s, int32_t **reference, scs_own_cells *own)
{
    own->counts = (scs_counts){.session = s, .n_cell = s->from->n_obs};
    SCS_TRY(SCS_ALLOC(own->counts.group_of_cell, s->from->n_obs));
    SCS_TRY(group_cells(s, own));
    return match_genes(s, reference, own);
}

/* The dataset on the stack stands for the file alone: one input, whose columns go to the run's
 * genes. Values are judged after reading, when all of them were seen: a matrix of logarithms can
 * look like counts for a while. */
scs_status scs_own_cells_read(const scs_session *s, scs_own_cells *own)
{
    const scs_h5ad *const file = s->from;
    int64_t first_cell[] = {0, file->n_obs};
    int32_t *reference = NULL;
    scs_dataset whole = {.n_cell = file->n_obs,
                         .n_gene = s->dataset->n_gene,
                         .n_input = 1,
                         .first_cell = first_cell};
    double *totals = NULL;
    scs_scale scale;
    scs_status st;

    *own = (scs_own_cells){0};
    SCS_GO(st, scs_comm_agree(s->comm, prepare(s, &reference, own)));
    whole.gene_of_column = &reference;
    SCS_GO(st, scs_read_cells(s->comm, &whole, &file, &own->counts.first, &own->counts.x, &totals,
                              &scale));
    SCS_GO(st, scs_comm_agree(s->comm, scs_counts_judge(file, &scale, "predict.from_matrix")));
    SCS_GO(st, gather_totals(own, totals));
done:
    free(reference);
    free(totals);
    return st;
}

void scs_own_cells_clear(scs_own_cells *own)
{
    scs_counts_clear(&own->counts);
    free(own->total);
    free(own->absent);
    free(own->column);
    scs_names_clear(&own->genes);
    *own = (scs_own_cells){0};
}

/* Without a column of cell types all controls are of one group, 0, whichever type is asked for. */
scs_status scs_own_cells_group(const scs_own_cells *own, int32_t cell_type, int32_t *group)
{
    const scs_session *s = own->counts.session;
    char list[WORDS], name[100];

    *group = own->typed ? cell_type : 0;
    for (int64_t i = 0; i < own->counts.n_cell; i++)
        if (own->counts.group_of_cell[i] == *group)
            return SCS_OK;
    return SCS_FAIL(SCS_EDATA,
                    "%s: no control cell has %s \"%s\" (%s); label them so, or take the column out",
                    s->from->path, s->config->data.cell_type,
                    scs_text_escape(s->atlas->cell_types.name[cell_type], name, sizeof name),
                    scs_names_list(&s->from->cell_type.categories, LISTED, list, sizeof list));
}

/* mean_g = sum_i log1p(count_ig scaled_to / total_i) / n, as an input's cells are normalised
 * (src/data/packed.c): in float a value, in double the sum. O(entries of the group). The sum is
 * over the gathered group, in the order of cells, so that its bits do not depend on ranks. */
scs_status scs_own_cells_mean(const scs_own_cells *own, const scs_count_group *group,
                              const int64_t *cell, float *mean)
{
    double target = own->counts.session->scaled_to, *sum;

    SCS_TRY(SCS_ALLOC(sum, group->x.n_col));
    for (int64_t i = 0; i < group->x.n_row; i++) {
        scs_row row = scs_packed_row(&group->x, i);
        double total = own->total[cell[i]];

        for (int32_t k = 0; k < row.n; k++)
            sum[scs_row_gene(&row, k)] +=
                (float)log1p((double)scs_row_value(&row, k) * (target / total));
    }
    for (int32_t g = 0; g < group->x.n_col; g++)
        mean[g] = (float)(sum[g] / (double)group->x.n_row);
    free(sum);
    return SCS_OK;
}
