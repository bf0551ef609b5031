/* decode: latent coordinates to expression.
 *
 *  The cells need not be those of the inputs: embed's latent.h5ad, moved by a shift of the user's
 *  own, say. No input is read; the model's file has the genes. Rows are dealt to ranks in whole
 *  steps of the decoder, so that the file has the same bytes on any number of them. */
#include "mpi/app/verbs.h"
#include "mpi/comm/collectives.h"
#include "mpi/job/cell_table.h"
#include "mpi/job/decoded.h"
#include "mpi/job/session_model.h"
#include "src/base/checksum.h"
#include "src/base/collective.h"

#include <stdlib.h>
#include <string.h>

/* SCS_EDATA: the file names genes, and not all of the model's are among them. */
static scs_status check_genes(const scs_latent_file *file, const scs_checkpoint *model)
{
    scs_index index = {0};
    int32_t missing = 0, first = -1;

    if (file->genes.n == 0)
        return SCS_OK;
    SCS_TRY(scs_names_index_create(&file->genes, &index));
    for (int32_t g = 0; g < model->genes.n; g++)
        if (scs_names_index_find(&index, model->genes.name[g]) < 0) {
            first = first < 0 ? g : first;
            missing++;
        }
    scs_names_index_clear(&index);
    SCS_REQUIRE(missing == 0, SCS_EDATA,
                "%s: its var lacks %d of the %d genes of %s, the first %s: the coordinates are by "
                "another model; if they are not, take var out",
                file->path, missing, model->genes.n, model->path, model->genes.name[first]);
    return SCS_OK;
}

/* Whether the coordinates can be by this model. Rank 0 reads the model's checksum. */
static scs_status check_file(const scs_session *s)
{
    const scs_latent_file *file = &s->latent;
    const scs_checkpoint *model = s->checkpoint;
    char sum[SCS_CHECKSUM_MAX];

    SCS_REQUIRE(file->n_cell > 0, SCS_EDATA, "%s: no cells", file->path);
    SCS_REQUIRE(file->n_latent == s->model->arch.n_latent, SCS_EDATA,
                "%s: %s has %d columns, and the model %s has %d latent units; take coordinates "
                "that scscreen embed made with this model",
                file->path, file->matrix, file->n_latent, model->path, s->model->arch.n_latent);
    SCS_TRY(check_genes(file, model));
    if (!file->model_checksum || !scs_session_leads(s))
        return SCS_OK;
    SCS_TRY(scs_checksum_file_identity(model->path, sum));
    SCS_REQUIRE(strcmp(sum, file->model_checksum) == 0, SCS_EDATA,
                "%s: the coordinates are by another model than %s is now (uns/scscreen: "
                "model_checksum); run scscreen embed again, or set model.load to that model",
                file->path, model->path);
    return SCS_OK;
}

/* What the callbacks of the table need. */
typedef struct decoding {
    const scs_session *session;
    int64_t first; /* of this rank's rows */
} decoding;

/* Rank 0. */
static scs_status write_obs(hid_t file, void *ctx)
{
    const decoding *d = ctx;
    const scs_obs_table *obs = d->session->preflight->obs;

    return scs_obs_table_write(file, &obs->index, obs, 1, NULL, 0);
}

/* Rank 0. */
static scs_status write_facts(hid_t file, void *ctx)
{
    const decoding *d = ctx;

    return scs_cell_table_facts(file, d->session, "decoded cells");
}

/* Coordinates as they stand in the file, and what they decode to. */
static scs_status make(void *ctx, int32_t part, int64_t row, int64_t n, scs_real *const *out)
{
    const decoding *d = ctx;

    (void)part;
    SCS_TRY(scs_latent_file_read(&d->session->latent, d->first + row, n, out[1]));
    return scs_decoded_rows(d->session->model, out[1], n, out[0]);
}

/* Collective. */
static scs_status write_file(scs_session *s)
{
    scs_cell_rows mine = scs_decoded_share(s->comm, s->latent.n_cell);
    decoding d = {.session = s, .first = mine.first};

    return scs_cell_table_write(&(scs_cell_table){
        .session = s,
        .file = SCS_DECODED_FILE,
        .n_row = s->latent.n_cell,
        .genes = &s->checkpoint->genes,
        .matrix = {{"X", s->model->arch.n_gene}, {"obsm/latent", s->model->arch.n_latent}},
        .n_part = 1,
        .part = &mine,
        .obs = write_obs,
        .more = write_facts,
        .make = make,
        .ctx = &d});
}

/* Collective. */
static scs_status run(scs_session *session)
{
    SCS_TRY(scs_decoded_check(session, "decode"));
    SCS_TRY(scs_session_model_make(session));
    SCS_TRY(scs_comm_agree(session->comm, check_file(session)));
    scs_session_say(session, "decoding %lld cells of %s", (long long)session->latent.n_cell,
                    session->latent.path);
    return write_file(session);
}

const scs_verb scs_verb_decode = {
    .name = "decode",
    .argument = "CONFIG.yaml",
    .has_section = true,
    .summary = "expression of latent coordinates",
    .details =
        "Writes output.dir/decoded.h5ad: X, what the model's decoder makes of latent coordinates,\n"
        "log1p as a rule, for all genes of the model; obsm/latent, the coordinates; obs as the\n"
        "cells have it. Reads output.dir/latent.h5ad, which embed writes, or --from FILE.h5ad, "
        "any\n"
        "file with such coordinates in obsm/X_scgen, obsm/latent or X (--matrix obsm/NAME), and\n"
        "output.dir/model.h5 (or model.load). data.inputs are not read.",
    .needs = SCS_NEED_MODEL | SCS_NEED_OUTPUT | SCS_NEED_LATENT,
    .run = run,
};
