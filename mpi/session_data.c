/* dataset -> deal -> shards */
#include "mpi/session.h"

#include "src/dataset_match.h"

#include <stdlib.h>

static const scs_h5ad *const *metas(const scs_session *session)
{
    return (const scs_h5ad *const *)session->meta;
}

static scs_status make_dataset(scs_session *session)
{
    SCS_TRY(scs_dataset_create(session->config, metas(session), &session->dataset));
    if (session->checkpoint)
        SCS_TRY(scs_dataset_match_genes(session->dataset, &session->checkpoint->genes,
                                        metas(session), session->checkpoint->path));
    return SCS_OK;
}

/* The number of shards, and who owns which. */
static scs_status make_deal(scs_session *session)
{
    const scs_config *c = session->config;
    int64_t configured = session->state ? session->state->n_shard : c->train.shards;
    int32_t n_shard;

    SCS_TRY(scs_shard_count(configured, scs_comm_size(session->comm), &n_shard));
    session->team = scs_comm_team(session->comm, n_shard);
    SCS_TRY(scs_deal_create(session->dataset, c->train.seed, n_shard, &session->deal));
    return SCS_OK;
}

static scs_status read_shards(scs_session *session)
{
    scs_csr x = {0};
    double *totals = NULL;
    int64_t first;
    scs_status status;

    SCS_GO(status,
           scs_read_cells(session->comm, session->dataset, metas(session), &first, &x, &totals));
    SCS_GO(status, scs_normalize_cells(session->comm, session->config, session->dataset, first, &x,
                                       totals));
    SCS_GO(status, scs_distribute(session->comm, session->deal, &session->team, first, &x,
                                  &session->shard));
done:
    free(totals);
    scs_csr_clear(&x);
    return status;
}

scs_status scs_session_load_data(scs_session *session)
{
    scs_comm *comm = session->comm;

    SCS_TRY(scs_agree(comm, make_dataset(session)));
    if (scs_session_leads(session) && !session->cli->quiet)
        scs_dataset_describe(session->dataset, stderr);
    SCS_TRY(scs_agree(comm, make_deal(session)));
    return read_shards(session);
}
