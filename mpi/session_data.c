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

scs_status scs_session_read(scs_session *session, int64_t *first, scs_packed *x)
{
    scs_comm *comm = session->comm;
    double *totals = NULL;
    scs_status status;

    SCS_TRY(scs_agree(comm, make_dataset(session)));
    SCS_GO(status, scs_read_cells(comm, session->dataset, metas(session), first, x, &totals));
    SCS_GO(status, scs_normalize_cells(comm, session->config, session->dataset, *first, x, totals));
done:
    free(totals);
    return status;
}

scs_status scs_session_make_deal(scs_session *session)
{
    const scs_config *c = session->config;
    int64_t configured = session->state ? session->state->n_shard : c->train.shards;
    int32_t n_shard;

    SCS_TRY(scs_shard_count(configured, scs_comm_size(session->comm), &n_shard));
    session->team = scs_comm_team(session->comm, n_shard);
    return scs_deal_create(session->dataset, c->train.seed, n_shard, &session->deal);
}

scs_status scs_session_load_data(scs_session *session)
{
    scs_packed x = {0};
    int64_t first;
    scs_status status;

    SCS_GO(status, scs_session_read(session, &first, &x));
    if (scs_session_leads(session) && !session->cli->quiet)
        scs_dataset_describe(session->dataset, stderr);
    SCS_GO(status, scs_agree(session->comm, scs_session_make_deal(session)));
    SCS_GO(status, scs_distribute(session->comm, session->deal, &session->team, first, &x,
                                  &session->shard));
done:
    scs_packed_clear(&x);
    return status;
}
