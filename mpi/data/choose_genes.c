/* Largest values and sums of every gene over the ranks, then the choice on rank 0
 * (mpi/data/choose_genes.h).
 *
 * Two passes over the cells that a rank has, three with seurat_v3, whose values are cut at a limit
 * that depends on all of them: the largest value first, as it sets the unit of the sums; the sums;
 * the sums of what stays below the limit. Sums are whole numbers of that unit, so that adding them
 * over ranks gives the same bits in any order.
 *
 * Memory: 16 bytes for each batch and gene, twice with seurat_v3; a batch number for each cell that
 * the rank has. Messages: the sums, once a pass.
 *
 * Held-out cells take no part in the choice, nor, where the choice is made for folds to come, any
 * cells but controls: genes that were chosen by what is to be predicted would flatter it. */
#include "mpi/data/choose_genes.h"

#include "src/atlas/variable_genes.h"
#include "src/base/collective.h"
#include "src/base/text.h"
#include "src/data/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct choosing {
    scs_comm *comm;
    const scs_config *config;
    const scs_dataset *dataset;
    const scs_cell_part *part; /* [n_part] */
    int32_t n_part;
    bool controls_only;
    const scs_names *batches; /* NULL: one */
    int32_t **batch;          /* [n_part][rows], -1: the cell does not count */
    scs_gene_sums sums, cut;  /* cut: with limits (seurat_v3) */
    double *sd;               /* [n_batch, n_gene] seurat_v3 */
    bool *chosen;             /* [n_gene] */
    int32_t *to;              /* [n_gene] */
} choosing;

/* The column is there: preflight has asked each input for it. */
static const scs_cell_column *batch_column(const scs_config *config, const scs_dataset *d)
{
    for (int32_t k = 0; k < d->n_column; k++)
        if (strcmp(d->column[k].name, config->data.hvg_batch) == 0)
            return &d->column[k];
    return NULL;
}

/* The batch of a cell that counts, or -1. */
static int32_t batch_of(const scs_dataset *d, const scs_cell_column *column, bool controls_only,
                        int64_t cell)
{
    if (!scs_roles_has_say(d, controls_only, cell))
        return -1;
    return column ? column->value[cell] : 0;
}

/* A variance needs two cells. */
static scs_status refuse_small(const choosing *w)
{
    for (int32_t b = 0; b < w->sums.n_batch; b++) {
        char name[200] = "all cells";

        if (w->batches)
            scs_text_escape(w->batches->name[b], name, sizeof name);
        SCS_REQUIRE(w->sums.n_cell[b] > 1, SCS_EDATA,
                    "data.hvg_batch: %s has %lld cell%s to choose genes from, and a variance needs "
                    "two; leave it out (data.filter), or take another column",
                    name, (long long)w->sums.n_cell[b], w->sums.n_cell[b] == 1 ? "" : "s");
    }
    return SCS_OK;
}

/* The batch of every row. */
static scs_status fill_batches(choosing *w, const scs_cell_column *column)
{
    SCS_TRY(SCS_ALLOC(w->batch, w->n_part));
    for (int32_t p = 0; p < w->n_part; p++) {
        const scs_cell_part *part = &w->part[p];

        SCS_TRY(SCS_ALLOC(w->batch[p], part->x->n_row));
        for (int64_t i = 0; i < part->x->n_row; i++)
            w->batch[p][i] =
                batch_of(w->dataset, column, w->controls_only, scs_cell_part_cell(part, i));
    }
    return SCS_OK;
}

/* Local, alike on all ranks: labels and roles of all cells are known everywhere. */
static scs_status open_choice(choosing *w)
{
    const scs_dataset *d = w->dataset;
    const scs_cell_column *column = batch_column(w->config, d);
    bool logged = w->config->data.hvg_flavor == SCS_HVG_SEURAT;

    SCS_REQUIRE(w->config->data.n_top_genes <= d->n_gene, SCS_EARG,
                "data.n_top_genes is %lld, but there are %d genes; use a smaller number, or all",
                (long long)w->config->data.n_top_genes, d->n_gene);
    w->batches = column ? &column->values : NULL;
    SCS_TRY(scs_variable_genes_open(column ? column->values.n : 1, d->n_gene, logged, &w->sums));
    SCS_TRY(SCS_ALLOC(w->chosen, d->n_gene));
    SCS_TRY(SCS_ALLOC(w->to, d->n_gene));
    SCS_TRY(fill_batches(w, column));
    for (int64_t c = 0; c < d->n_cell; c++) {
        int32_t b = batch_of(d, column, w->controls_only, c);

        if (b >= 0)
            w->sums.n_cell[b]++;
    }
    return refuse_small(w);
}

/* A batch at a time, so that no count outgrows an int. Collective. */
static scs_status add_ranks(const choosing *w, scs_gene_sums *s)
{
    for (int32_t b = 0; b < s->n_batch; b++) {
        int64_t at = (int64_t)b * s->n_gene;

        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, s->sum + at, s->n_gene, MPI_INT64_T, MPI_SUM,
                              scs_comm_mpi(w->comm)));
        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, s->square + at, s->n_gene, MPI_INT64_T, MPI_SUM,
                              scs_comm_mpi(w->comm)));
    }
    return scs_collective_ok();
}

/* Largest values, which fix the unit of every gene, then the sums. Collective. */
static scs_status add_cells(choosing *w)
{
    for (int32_t p = 0; p < w->n_part; p++)
        scs_variable_genes_look(w->part[p].x, w->batch[p], &w->sums);
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, w->sums.largest, w->sums.n_gene, MPI_DOUBLE, MPI_MAX,
                          scs_comm_mpi(w->comm)));
    scs_variable_genes_settle(&w->sums);
    for (int32_t p = 0; p < w->n_part; p++)
        scs_variable_genes_add(w->part[p].x, w->batch[p], &w->sums);
    return add_ranks(w, &w->sums);
}

/* The curve of each batch, and what it allows. Local, on rank 0; the others are sent it. */
static scs_status expect(choosing *w)
{
    for (int32_t b = 0; b < w->sums.n_batch; b++)
        SCS_TRY(scs_variable_genes_expect(&w->sums, b, w->sd + (int64_t)b * w->sums.n_gene));
    scs_variable_genes_limits(&w->sums, w->sd, w->cut.limit);
    return SCS_OK;
}

/* Local, alike on all ranks. */
static scs_status open_cut(choosing *w)
{
    int64_t n = (int64_t)w->sums.n_batch * w->sums.n_gene;

    SCS_TRY(scs_variable_genes_open(w->sums.n_batch, w->sums.n_gene, false, &w->cut));
    memcpy(w->cut.n_cell, w->sums.n_cell, (size_t)w->sums.n_batch * sizeof *w->cut.n_cell);
    memcpy(w->cut.largest, w->sums.largest, (size_t)w->sums.n_gene * sizeof *w->cut.largest);
    scs_variable_genes_settle(&w->cut);
    SCS_TRY(SCS_ALLOC(w->cut.limit, n));
    return SCS_ALLOC(w->sd, n);
}

/* Sums of the values that stay below the limits. Collective. */
static scs_status add_cut_cells(choosing *w)
{
    int64_t bytes = (int64_t)w->sums.n_batch * w->sums.n_gene * (int64_t)sizeof(double);
    scs_status st;

    SCS_TRY(scs_comm_agree(w->comm, open_cut(w)));
    st = scs_comm_rank(w->comm) == 0 ? expect(w) : SCS_OK;
    SCS_TRY(scs_comm_agree(w->comm, st));
    SCS_TRY(scs_comm_broadcast(w->comm, w->cut.limit, bytes));
    for (int32_t p = 0; p < w->n_part; p++)
        scs_variable_genes_add(w->part[p].x, w->batch[p], &w->cut);
    return add_ranks(w, &w->cut);
}

/* Scores of each batch, then one list of all. Local, on rank 0: what it has chosen is sent to the
 * others, as its curves are in floating point. */
static scs_status choose(choosing *w)
{
    int32_t n_batch = w->sums.n_batch, n_gene = w->sums.n_gene;
    double *score = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(score, (int64_t)n_batch * n_gene));
    for (int32_t b = 0; b < n_batch; b++) {
        int64_t at = (int64_t)b * n_gene;

        if (w->config->data.hvg_flavor == SCS_HVG_SEURAT)
            SCS_GO(st, scs_variable_genes_dispersions(&w->sums, b, n_batch == 1, score + at));
        else
            scs_variable_genes_variances(&w->sums, &w->cut, b, w->sd + at, score + at);
    }
    SCS_GO(st,
           scs_variable_genes_choose(w->config->data.hvg_flavor, score, n_batch, &w->dataset->genes,
                                     w->config->data.n_top_genes, w->chosen));
done:
    free(score);
    return st;
}

/* The line that is shown and stored. */
static scs_status describe(const choosing *w, scs_dataset *d)
{
    const scs_config *c = w->config;
    long long n = 0, cells = 0;
    char batches[160] = "", line[400];

    for (int32_t g = 0; g < w->sums.n_gene; g++)
        n += w->chosen[g];
    for (int32_t b = 0; b < w->sums.n_batch; b++)
        cells += w->sums.n_cell[b];
    if (w->batches)
        snprintf(batches, sizeof batches, " in %d batches of %.100s", w->sums.n_batch,
                 c->data.hvg_batch);
    snprintf(line, sizeof line,
             "%lld of %d are kept, the most variable (data.hvg_flavor: %s) over %lld %s%s", n,
             w->sums.n_gene, c->data.hvg_flavor == SCS_HVG_SEURAT ? "seurat" : "seurat_v3", cells,
             w->controls_only ? "control cells, which no fold holds out"
                              : "cells that are not held out",
             batches);
    free(d->variable);
    d->variable = NULL;
    return scs_text_copy(line, &d->variable);
}

/* Genes that were not chosen are dropped from the data set, and from the rows that the rank has, in
 * place. Local. */
static scs_status keep(choosing *w, const scs_h5ad *const *metas, scs_dataset *d)
{
    SCS_TRY(describe(w, d));
    scs_dataset_keep_genes(d, w->chosen, SCS_GENE_NOT_VARIABLE, metas, w->to);
    for (int32_t p = 0; p < w->n_part; p++)
        SCS_TRY(scs_packed_select(w->part[p].x, w->to, d->n_gene));
    return SCS_OK;
}

/* Zeroed, and what was made in part, are let through. */
static void clear(choosing *w)
{
    scs_variable_genes_clear(&w->sums);
    scs_variable_genes_clear(&w->cut);
    for (int32_t p = 0; w->batch && p < w->n_part; p++)
        free(w->batch[p]);
    free(w->batch);
    free(w->sd);
    free(w->chosen);
    free(w->to);
}

scs_status scs_choose_genes(scs_comm *comm, const scs_config *config, const scs_h5ad *const *metas,
                            bool controls_only, scs_dataset *dataset, const scs_cell_part *part,
                            int32_t n_part)
{
    choosing w = {.comm = comm,
                  .config = config,
                  .dataset = dataset,
                  .part = part,
                  .n_part = n_part,
                  .controls_only = controls_only};
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, open_choice(&w)));
    SCS_GO(st, add_cells(&w));
    if (config->data.hvg_flavor == SCS_HVG_SEURAT_V3)
        SCS_GO(st, add_cut_cells(&w));
    SCS_GO(st, scs_comm_agree(comm, scs_comm_rank(comm) == 0 ? choose(&w) : SCS_OK));
    SCS_GO(st, scs_comm_broadcast(comm, w.chosen, dataset->n_gene * (int64_t)sizeof *w.chosen));
    SCS_GO(st, scs_comm_agree(comm, keep(&w, metas, dataset)));
done:
    clear(&w);
    return st;
}
