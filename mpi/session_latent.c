/* What has a latent space: the network, or principal components. */
#include "mpi/fit_pca.h"
#include "mpi/session.h"
#include "src/collective.h"
#include "src/profile.h"

#include <stdlib.h>

bool scs_session_has_latent(const scs_session *session)
{
    return session->model || session->pca;
}

int32_t scs_session_n_latent(const scs_session *session)
{
    return session->model ? session->model->arch.n_latent
           : session->pca ? session->pca->n_component
                          : 1;
}

/* Cells that are not held out; those come last in their shard. */
scs_status scs_session_fit_pca(scs_session *session)
{
    int32_t n = session->team.last - session->team.first;
    scs_cells *part = NULL;
    scs_status st = scs_agree(session->comm, SCS_ALLOC(part, n));

    SCS_TRY(st);
    for (int32_t s = 0; s < n; s++)
        part[s] = (scs_cells){.x = &session->shard[s].x,
                              .n = session->shard[s].n_train + session->shard[s].n_valid};
    st = scs_pca_fit(session->comm, part, n, session->dataset->n_gene,
                     scs_profile_components(session->config), &session->pca);
    free(part);
    return st;
}

static scs_status encode_shards(const scs_session *s)
{
    for (int32_t i = 0; i < s->team.last - s->team.first; i++) {
        const scs_packed *x = &s->shard[i].x;

        SCS_TRY(SCS_ALLOC(s->z[i], x->n_row * s->pca->n_component));
        SCS_TRY(scs_pca_encode(s->pca, x, 0, x->n_row, s->z[i]));
    }
    return SCS_OK;
}

scs_status scs_session_encode(scs_session *s)
{
    if (s->model)
        return scs_atlas_encode(s->atlas, s->model, s->dataset, s->shard, &s->team, s->z);
    if (!s->pca)
        return scs_collective_ok();
    SCS_TRY(scs_agree(s->comm, encode_shards(s)));
    return scs_atlas_sum(s->atlas, s->dataset, s->shard, &s->team, s->z);
}

scs_decoder scs_session_decoder(const scs_session *s)
{
    return (scs_decoder){s->model, s->pca};
}

scs_status scs_session_decode(const scs_session *s, const scs_real *z, int64_t n,
                              const double *delta, double *mean, double *variance)
{
    scs_decoder decoder = scs_session_decoder(s);

    return scs_decoder_moments(&decoder, z, n, delta, mean, variance);
}
