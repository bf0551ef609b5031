/* embed: latent coordinates of all cells, for neighbours, UMAP or clustering in scanpy.
 *
 *  Cells are encoded shard by shard, as a screen does, so the file does not depend on the number of
 *  ranks; held-out ones as well, since nothing is fitted here. With --other-data the cells may be
 *  others than the model was trained on. */
#include "mpi/app/verbs.h"
#include "mpi/comm/collectives.h"
#include "mpi/job/cell_table.h"
#include "mpi/job/session_model.h"

#include <stdlib.h>

/* decode asks which model the coordinates are by. */
static scs_status write_facts(hid_t file, void *ctx)
{
    return scs_cell_table_facts(file, ctx, "latent coordinates");
}

/* z of all shards. Collective. */
static scs_status write_file(const scs_session *s)
{
    int32_t n = s->team.last - s->team.first;
    scs_cell_rows *part;
    scs_status st;

    SCS_TRY(scs_comm_agree(s->comm, SCS_ALLOC(part, n)));
    for (int32_t i = 0; i < n; i++)
        part[i] =
            (scs_cell_rows){.n = s->shard[i].x.n_row, .cell = s->shard[i].cell, .rows = s->z[i]};
    st = scs_cell_table_write(&(scs_cell_table){
        .session = s,
        .file = SCS_LATENT_FILE,
        .n_row = s->dataset->n_cell,
        .genes = &s->dataset->genes,
        .matrix = {{s->model ? "obsm/X_scgen" : "obsm/X_pca", scs_session_model_n_latent(s)}},
        .n_part = n,
        .part = part,
        .more = write_facts,
        .ctx = (void *)(uintptr_t)s});
    free(part);
    return st;
}

/* Collective. */
static scs_status run(scs_session *session)
{
    if (session->config->model.kind == SCS_MODEL_MEAN)
        return SCS_FAIL(SCS_EARG, "%s: model.kind: mean has no latent space; vae and pca have",
                        session->config->file);
    SCS_TRY(scs_session_load_data(session));
    SCS_TRY(scs_session_model_make(session));
    SCS_TRY(scs_session_model_make_atlas(session));
    return write_file(session);
}

const scs_verb scs_verb_embed = {
    .name = "embed",
    .argument = "CONFIG.yaml",
    .summary = "latent coordinates of all cells",
    .details = "Writes output.dir/latent.h5ad: obsm/X_scgen, the posterior means of all cells of\n"
               "data.inputs, under their own names. Reads output.dir/model.h5 (or model.load);\n"
               "--other-data: of cells that the model was not trained on. With model.kind: pca\n"
               "obsm/X_pca, by components of the cells that hold_out leaves.",
    .needs = SCS_NEED_INPUTS | SCS_NEED_MODEL | SCS_NEED_OUTPUT | SCS_NEED_CELL_NAMES,
    .run = run,
};
