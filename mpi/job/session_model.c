/* From shards to a model, and from a model to the atlas that screening reads.
 *
 *  Weights and a stored atlas are read by rank 0 alone and broadcast, array by array, as they lie
 *  in memory; model and atlas have the same shape everywhere because every rank has made its own
 *  from the same metadata. A new network needs no message: its first weights are a function of the
 *  seed.
 *
 *  What is broadcast, in bytes (float 4, double 8):
 *      weights          n_param and n_running floats
 *      latent moments   n_group n_latent (1 + n_latent) numbers
 *      gene space       2 n_group n_gene floats, 100 n_group ints of DEG
 *
 *  The latent half of the atlas is summed over shards in tree order, the gene half made gene by
 *  gene (mpi/data/atlas_genes.c): the same bits on any number of ranks. */
#include "mpi/job/session_model.h"
#include "mpi/comm/watchdog.h"
#include "mpi/data/atlas_genes.h"
#include "mpi/job/input_checksum.h"
#include "mpi/job/session.h"
#include "mpi/pca/pca_fit.h"
#include "src/atlas/atlas.h"
#include "src/base/collective.h"
#include "src/config/profile.h"
#include "src/config/stored.h"
#include "src/data/dose.h"
#include "src/data/h5ad.h"
#include "src/screen/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* `mean` has neither of them. */
bool scs_session_model_has_latent(const scs_session *session)
{
    return session->model || session->pca;
}

/* 1 where there is none, so that arrays have a size. */
int32_t scs_session_model_n_latent(const scs_session *session)
{
    return session->model ? session->model->arch.n_latent
           : session->pca ? session->pca->n_component
                          : 1;
}

/* Cells that are held out come last in their shard, so the others are a range. */
scs_status scs_session_model_fit_pca(scs_session *session)
{
    int32_t n = session->team.last - session->team.first;
    scs_cells *part = NULL;
    scs_status st = scs_comm_agree(session->comm, SCS_ALLOC(part, n));

    SCS_TRY(st);
    for (int32_t s = 0; s < n; s++)
        part[s] = (scs_cells){.x = &session->shard[s].x,
                              .n = session->shard[s].n_train + session->shard[s].n_valid};
    st = scs_pca_fit(session->comm, part, n, session->dataset->n_gene,
                     scs_profile_components(session->config), &session->pca);
    free(part);
    return st;
}

/* By principal components. Local. */
static scs_status encode_shards(const scs_session *s)
{
    for (int32_t i = 0; i < s->team.last - s->team.first; i++) {
        const scs_packed *x = &s->shard[i].x;

        SCS_TRY(SCS_ALLOC(s->z[i], x->n_row * s->pca->n_component));
        SCS_TRY(scs_pca_encode(s->pca, x, 0, x->n_row, s->z[i]));
    }
    return SCS_OK;
}

/* Rows of a window to their places in z. */
static scs_status encode_window(const scs_session *s, const scs_feed_rows *rows, scs_real *z)
{
    int64_t n_latent = s->model->arch.n_latent;
    scs_real *part = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(part, rows->n * n_latent));
    SCS_GO(st, scs_atlas_encode_rows(s->model, rows->x, part));
    for (int64_t k = 0; k < rows->n; k++)
        memcpy(z + rows->row[k] * n_latent, part + k * n_latent, (size_t)n_latent * sizeof *z);
done:
    free(part);
    return st;
}

/* Local. */
static scs_status encode_windows(const scs_session *s, const scs_feed_rows *rows)
{
    for (int32_t i = 0; i < s->team.last - s->team.first; i++)
        SCS_TRY(encode_window(s, &rows[i], s->z[i]));
    return SCS_OK;
}

/* Local. */
static scs_status open_latent(const scs_session *s)
{
    for (int32_t i = 0; i < s->team.last - s->team.first; i++)
        SCS_TRY(SCS_ALLOC(s->z[i], s->shard[i].x.n_row * s->model->arch.n_latent));
    return SCS_OK;
}

/* All cells, window by window, in an order that does not depend on ranks. Collective. */
static scs_status encode_stream(scs_session *s)
{
    scs_feed feed = scs_cell_stream_feed(&s->stream);
    scs_feed_rows *rows = NULL;
    bool more = true;
    scs_status st;

    SCS_GO(st, scs_comm_agree(s->comm, open_latent(s)));
    SCS_GO(st, scs_comm_agree(s->comm, SCS_ALLOC(rows, s->team.last - s->team.first)));
    SCS_GO(st, feed.begin(feed.ctx, SCS_FEED_ALL, 0, 0));
    while (more) {
        SCS_GO(st, feed.next(feed.ctx, rows, &more));
        if (more)
            SCS_GO(st, scs_comm_agree(s->comm, encode_windows(s, rows)));
    }
    SCS_GO(st, feed.end(feed.ctx));
    SCS_GO(st, scs_atlas_encode_sum(s->atlas, s->dataset, s->shard, &s->team, s->z));
done:
    free(rows);
    return st;
}

/* The network's encoder runs over shards inside src/atlas; components are encoded here. */
scs_status scs_session_model_encode(scs_session *s)
{
    if (s->model && s->streams)
        return encode_stream(s);
    if (s->model)
        return scs_atlas_encode(s->atlas, s->model, s->dataset, s->shard, &s->team, s->z);
    if (!s->pca)
        return scs_collective_ok();
    SCS_TRY(scs_comm_agree(s->comm, encode_shards(s)));
    return scs_atlas_encode_sum(s->atlas, s->dataset, s->shard, &s->team, s->z);
}

scs_status scs_session_model_encode_rows(const scs_session *s, const scs_packed *x, int64_t row0,
                                         int32_t n, scs_real *z)
{
    if (s->model)
        return scs_model_encode(s->model, x, row0, n, z, NULL);
    return scs_pca_encode(s->pca, x, row0, n, z);
}

/* At most one of the two is set. */
scs_decoder scs_session_model_decoder(const scs_session *s)
{
    return (scs_decoder){s->model, s->pca};
}

/* One place for both kinds, so that callers need not ask which model there is. */
scs_status scs_session_model_decode(const scs_session *s, const scs_real *z, int64_t n,
                                    const double *delta, double *mean, double *variance)
{
    scs_decoder decoder = scs_session_model_decoder(s);

    return scs_decode_moments(&decoder, z, n, delta, mean, variance);
}

/* A checkpoint's own shape wins over the config's: its weights fit no other. Without data there is
 * a checkpoint. */
static scs_arch session_arch(const scs_session *session)
{
    scs_config c = *session->config;

    if (session->checkpoint) {
        c.model.hidden = session->checkpoint->hidden;
        c.model.layers = session->checkpoint->layers;
        c.model.latent = session->checkpoint->latent;
        c.model.profile = session->checkpoint->profile;
    }
    return scs_model_arch_from_config(&c, session->dataset ? session->dataset->n_gene
                                                           : session->checkpoint->genes.n);
}

/* Local, alike on all ranks. */
static scs_status create_model(scs_session *session)
{
    scs_arch arch = session_arch(session);

    SCS_TRY(scs_model_create(&arch, &session->model));
    if (!session->checkpoint)
        scs_model_init(session->model, session->config->train.seed);
    return SCS_OK;
}

/* An empty atlas: of the checkpoint's groups where it has them, else of the data's. Local. */
static scs_status make_atlas(scs_session *session)
{
    const scs_checkpoint *c = session->checkpoint;

    if (c && c->has_atlas)
        return scs_atlas_create_from(&c->species, &c->cell_types, &c->conditions, &c->genes,
                                     c->control, c->group, c->n_group,
                                     session->model->arch.n_latent, &session->atlas);
    return scs_atlas_create(session->dataset, scs_session_model_n_latent(session), &session->atlas);
}

/* Rank 0; the atlas is NULL where the file has none. */
static scs_status read_checkpoint(scs_session *session)
{
    if (!scs_session_leads(session))
        return SCS_OK;
    return scs_checkpoint_read(session->checkpoint, session->model, session->atlas);
}

/* Weights, and the running statistics of batch norm. Collective. */
static scs_status share_model(scs_session *session)
{
    scs_model *m = session->model;

    SCS_TRY(scs_comm_broadcast(session->comm, m->param, m->n_param * (int64_t)sizeof *m->param));
    return scs_comm_broadcast(session->comm, m->running,
                              m->n_running * (int64_t)sizeof *m->running);
}

/* Both halves: latent moments, and genes' means, variances and DEG. O(n_group n_gene) bytes.
 * Collective. */
static scs_status share_atlas(scs_session *session)
{
    scs_atlas *a = session->atlas;
    int64_t groups = a->n_group, latent = a->n_latent, genes = a->n_gene;
    scs_comm *comm = session->comm;

    SCS_TRY(scs_comm_broadcast(comm, a->mean, groups * latent * (int64_t)sizeof *a->mean));
    SCS_TRY(
        scs_comm_broadcast(comm, a->second, groups * latent * latent * (int64_t)sizeof *a->second));
    SCS_TRY(scs_comm_broadcast(comm, a->gene_mean, groups * genes * (int64_t)sizeof *a->gene_mean));
    SCS_TRY(scs_comm_broadcast(comm, a->gene_variance,
                               groups * genes * (int64_t)sizeof *a->gene_variance));
    return scs_comm_broadcast(comm, a->deg, groups * SCS_N_DEG * (int64_t)sizeof *a->deg);
}

/* A checkpoint is read by one rank; the others get arrays whose sizes they know already. An atlas
 * that is stored with the weights is taken as it is. */
scs_status scs_session_model_make(scs_session *session)
{
    scs_comm *comm = session->comm;
    bool stored_atlas = session->dataset && session->checkpoint && session->checkpoint->has_atlas;

    if (session->config->model.kind == SCS_MODEL_PCA)
        return scs_session_model_fit_pca(session);
    if (session->config->model.kind == SCS_MODEL_MEAN)
        return scs_collective_ok();
    SCS_TRY(scs_comm_agree(comm, create_model(session)));
    if (!session->checkpoint)
        return SCS_OK;
    if (stored_atlas)
        SCS_TRY(scs_comm_agree(comm, make_atlas(session)));
    SCS_TRY(scs_comm_agree(comm, read_checkpoint(session)));
    SCS_TRY(share_model(session));
    return stored_atlas ? share_atlas(session) : SCS_OK;
}

/* A stored atlas is of the cells that it was made from: with other data, or another hold_out, its
 * rows would be wrong without a sign. So labels, counts and roles of every group are compared. Its
 * conditions, which name the doses, are those of the data; so are the doses. Local, alike on all
 * ranks. */
static scs_status check_stored_atlas(const scs_session *session)
{
    const scs_atlas *stored = session->atlas;
    const char *path = session->checkpoint->path, *file = session->config->file;
    scs_atlas *fresh = NULL;
    scs_status status = scs_atlas_create(session->dataset, stored->n_latent, &fresh);

    SCS_TRY(status);
    if (!scs_names_equal(&stored->species, &fresh->species) ||
        !scs_names_equal(&stored->cell_types, &fresh->cell_types) ||
        !scs_names_equal(&stored->conditions, &fresh->conditions) ||
        stored->control != fresh->control || stored->n_group != fresh->n_group)
        status = SCS_FAIL(
            SCS_EDATA,
            "%s: trained on other labels than the data of %s hold; run scscreen train again", path,
            file);
    for (int32_t g = 0; status == SCS_OK && g < fresh->n_group; g++) {
        const scs_group *a = &stored->group[g], *b = &fresh->group[g];
        const char *type = fresh->cell_types.name[b->cell_type],
                   *condition = fresh->conditions.name[b->condition];

        if (a->count != b->count || a->cell_type != b->cell_type || a->condition != b->condition)
            status =
                SCS_FAIL(SCS_EDATA,
                         "%s: trained on %lld cells of %s, %s, the data now hold %lld; train again",
                         path, (long long)a->count, type, condition, (long long)b->count);
        else if (a->held_out != b->held_out)
            status =
                SCS_FAIL(SCS_EARG, "%s: hold_out %s %s, %s, but %s was trained %s it; train again",
                         file, b->held_out ? "names" : "does not name", type, condition, path,
                         a->held_out ? "without" : "with");
    }
    if (status == SCS_OK) {
        scs_dose_list_clear(&session->atlas->doses);
        status = scs_dose_list_copy(&fresh->doses, &session->atlas->doses);
    }
    scs_atlas_destroy(&fresh);
    return status;
}

/* Parts of the genes, so that the values of one take what two windows do, 4 bytes each, or what
 * data.memory_per_rank leaves beside them; and so that parts have some width. */
static int32_t count_parts(const scs_session *s)
{
    double limit = (double)s->config->data.memory_per_rank * s->team.n_rank * (1 << 20);
    double most = s->dataset->n_gene / s->team.n_rank / 64 + 1;
    double n = (s->stream.windows.n_window + 1) / 2, values = 0;

    for (int32_t i = 0; i < s->dataset->n_input; i++)
        values += (double)s->meta[i]->nnz;
    if (limit > 0 && 4 * values / limit > n)
        n = ceil(4 * values / limit);
    return (int32_t)(n < most ? n : most);
}

/* Also for atlases that are not the session's (crossval's base). */
scs_status scs_session_model_fill_genes(scs_session *session, scs_atlas *atlas)
{
    if (session->streams)
        return scs_atlas_genes_streamed(&session->stream, atlas, count_parts(session));
    return scs_atlas_genes(session->comm, atlas, session->dataset, session->deal, session->shard,
                           &session->team);
}

/* Every rank has all group means and computes all distances: nothing is sent but the agreement. */
scs_status scs_session_model_measure_controls(scs_session *session)
{
    if (session->config->screen.distance != SCS_DISTANCE_GENES)
        return SCS_OK;
    return scs_comm_agree(session->comm, scs_shift_measure_controls(session->atlas));
}

/* The scale is settled: session->config says none or log1p by now. */
static scs_status check_keys(const scs_session *session, int affects)
{
    scs_stored stored = {.path = session->checkpoint->path,
                         .text = session->checkpoint->config,
                         .affects = affects,
                         .was = "the model was made with",
                         .otherwise = "or train again"};

    return scs_stored_check(&stored, session->config);
}

/* What a model was trained with and is no part of what it is asked about now: it is used as it is,
 * and that is said, since the result's config has the present words. */
static scs_status say_training(const scs_session *session)
{
    scs_stored stored = {.path = session->checkpoint->path,
                         .text = session->checkpoint->config,
                         .affects = SCS_AFFECTS_WEIGHTS};
    char differences[SCS_MESSAGE_MAX / 2];

    SCS_TRY(scs_stored_differences(&stored, session->config, differences, sizeof differences));
    if (differences[0])
        scs_session_say(session,
                        "note: %s was trained with other settings, and is used as it is: %s",
                        stored.path, differences);
    return SCS_OK;
}

static scs_status check_inputs(const scs_session *session)
{
    const scs_checkpoint *c = session->checkpoint;
    const scs_config *now = session->config;

    SCS_REQUIRE(c->inputs.n == now->data.n_input, SCS_EDATA,
                "%s: the model was made from %d inputs, data.inputs names %d; train again, or "
                "--other-data for cells that share its genes and scale",
                c->path, c->inputs.n, now->data.n_input);
    for (int32_t i = 0; i < c->inputs.n; i++) {
        const char *path = now->data.inputs[i].path;
        bool same;

        SCS_TRY(
            scs_input_checksum_compare(path, session->input_checksum[i], c->inputs.name[i], &same));
        SCS_REQUIRE(same, SCS_EDATA,
                    "%s: the model was made from another file than %s is now; train again, or "
                    "--other-data for cells that share its genes and scale",
                    c->path, path);
    }
    return SCS_OK;
}

/* A stored model's numbers hold for cells on the scale that it was made on and, unless
 * --other-data, for the very cells: their control means stand in it. Files without a config, as
 * scGen's, do not say. */
static scs_status check_belongs(const scs_session *session)
{
    const scs_checkpoint *c = session->checkpoint;
    bool other = session->config->data.other_data;

    if (!c || !*c->config)
        return SCS_OK;
    SCS_TRY(check_keys(session, other ? SCS_AFFECTS_SCALE : SCS_AFFECTS_SCALE | SCS_AFFECTS_CELLS));
    if (other)
        return SCS_OK;
    if (c->inputs.n > 0)
        SCS_TRY(check_inputs(session));
    return say_training(session);
}

/* Local work, alike on all ranks; whether the model is of these cells is rank 0's, which may have
 * to read a file for it. */
scs_status scs_session_model_check(scs_session *session)
{
    SCS_TRY(scs_comm_agree(session->comm,
                           scs_session_leads(session) ? check_belongs(session) : SCS_OK));
    return scs_comm_agree(session->comm, session->atlas ? check_stored_atlas(session) : SCS_OK);
}

/* A stored atlas is checked against the data, then only z is computed again. Without a latent
 * space the atlas enters gene space: shifts are then those of mean expression. */
scs_status scs_session_model_make_atlas(scs_session *session)
{
    scs_comm *comm = session->comm;
    bool stored = session->atlas != NULL;

    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(session->z, session->team.last - session->team.first)));
    SCS_TRY(scs_session_model_check(session));
    if (!stored)
        SCS_TRY(scs_comm_agree(comm, make_atlas(session)));
    SCS_TRY(scs_comm_agree(comm, scs_plan_restrict(session->config, session->atlas)));
    SCS_TRY(scs_session_model_encode(session));
    if (!stored)
        SCS_TRY(scs_session_model_fill_genes(session, session->atlas));
    SCS_TRY(scs_session_model_measure_controls(session));
    if (scs_session_model_has_latent(session))
        return SCS_OK;
    return scs_comm_agree(comm, scs_atlas_gene_space_enter(session->atlas));
}

/* With the config that results depend on. Rank 0. */
static scs_status save(scs_session *session, const char *path)
{
    scs_names inputs = {session->config->data.n_input, session->input_checksum}; /* borrowed */
    char *yaml = NULL;
    scs_status status;

    SCS_GO(status, scs_config_print_affecting(session->config, SCS_AFFECTS_RESULT, &yaml));
    SCS_GO(status,
           scs_checkpoint_save(path, session->model, &session->dataset->genes, session->atlas,
                               &inputs, yaml, session->config->model.profile));
done:
    free(yaml);
    return status;
}

/* The others wait in the agreement while rank 0 writes; the watchdog covers both. */
scs_status scs_session_model_save(scs_session *session)
{
    char path[4096];
    scs_status status;

    SCS_TRY(scs_comm_agree(session->comm,
                           scs_session_path(session, SCS_MODEL_FILE, path, sizeof path)));
    scs_watchdog_begin(session->comm, path);
    status =
        scs_comm_agree(session->comm, scs_session_leads(session) ? save(session, path) : SCS_OK);
    scs_watchdog_end(session->comm);
    SCS_TRY(status);
    session->model_stored = true;
    scs_session_say(session, "wrote %s", path);
    return SCS_OK;
}
