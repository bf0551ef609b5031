#include "mpi/validation.h"

#include "src/config_value.h"
#include "src/dataset_checksum.h"

#include <stdlib.h>

/* Ranks [i N, (i + 1) N) are group i; the last may be smaller. */
static scs_status split(scs_validation *v)
{
    int64_t n = v->session->config->validate.group_size;
    int32_t rank = scs_comm_rank(v->world), size = scs_comm_size(v->world);
    int32_t members = n < size ? (int32_t)n : size;
    MPI_Comm part;
    scs_status st;

    v->n_group = (size + members - 1) / members;
    SCS_MPI(MPI_Comm_split(scs_comm_mpi(v->world), rank / members, rank, &part));
    st = scs_comm_create(part, &v->group);
    MPI_Comm_free(&part);
    return st;
}

/* What the grid takes the place of, and what a smaller last group must not change. */
static scs_status settle_config(scs_validation *v)
{
    scs_config *c = v->session->config;
    int32_t n_shard;

    SCS_REQUIRE(!*c->model.load, SCS_EARG,
                "%s: model.load: validate trains its models, so there are no weights to take; "
                "remove it",
                c->file);
    if (c->n_hold_out)
        scs_session_say(v->session, "hold_out is not used: the grid holds out its own");
    scs_value_clear(c, scs_key_find("hold_out"));
    SCS_TRY(scs_shard_count(c->train.shards,
                            (int32_t)(c->validate.group_size < scs_comm_size(v->world)
                                          ? c->validate.group_size
                                          : scs_comm_size(v->world)),
                            &n_shard));
    c->train.shards = n_shard;
    return SCS_OK;
}

scs_status scs_validation_deal(scs_validation *v)
{
    scs_session *s = v->session;

    scs_session_forget(s);
    SCS_TRY(scs_agree(v->group, scs_session_make_deal(s)));
    return scs_distribute_copy(v->group, s->deal, &s->team, v->first_cell, &v->x, &s->shard);
}

/* Cells, and the gene-space statistics that no model changes. */
static scs_status load(scs_validation *v)
{
    scs_session *s = v->session;

    SCS_TRY(scs_session_read(s, &v->first_cell, &v->x));
    SCS_TRY(scs_agree(v->group, scs_dataset_checksum(s->dataset, (const scs_h5ad *const *)s->meta,
                                                     s->input_checksum, v->data)));
    SCS_TRY(scs_validation_deal(v));
    SCS_TRY(scs_agree(v->group, scs_atlas_create(s->dataset, 1, &v->base)));
    SCS_TRY(scs_session_fill_genes(s, v->base));
    return scs_agree(v->group, scs_grid_create(s->config, v->base, &v->grid));
}

static void describe(const scs_validation *v)
{
    const scs_grid *grid = v->grid;

    if (scs_comm_rank(v->world) != 0 || v->session->cli->quiet)
        return;
    scs_dataset_describe(v->session->dataset, stderr);
    for (scs_lidx i = 0; i < grid->notes.n; i++)
        fprintf(stderr, "  note: %s\n", grid->notes.name[i]);
    fprintf(stderr, "%lld combinations to hold out, %lld model%s, %d group%s of ranks\n",
            (long long)grid->plan->n, (long long)grid->n_model, grid->n_model == 1 ? "" : "s",
            v->n_group, v->n_group == 1 ? "" : "s");
}

scs_status scs_validation_open(scs_session *session, scs_validation *v)
{
    *v = (scs_validation){
        .session = session, .world = session->comm, .queue = {.window = MPI_WIN_NULL}};
    SCS_TRY(scs_agree(v->world, settle_config(v)));
    SCS_TRY(scs_agree(v->world, split(v)));
    session->comm = v->group;
    SCS_TRY(scs_agree(v->world, load(v)));
    describe(v);
    return scs_agree(v->world, scs_queue_open(v->world, &v->queue));
}

void scs_validation_close(scs_validation *v)
{
    scs_session_forget(v->session);
    v->session->comm = v->world;
    scs_queue_close(&v->queue);
    scs_packed_clear(&v->x);
    scs_atlas_destroy(&v->base);
    scs_grid_destroy(&v->grid);
    free(v->value);
    scs_names_clear(&v->source);
    scs_comm_destroy(&v->group);
}
