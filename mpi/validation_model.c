/* One model of the grid, from its cells' roles to the latent atlas. */
#include "mpi/validation.h"

#include <string.h>

static scs_status epoch_end(void *ctx, const scs_epoch *report)
{
    scs_validation *v = ctx;

    (void)report;
    return scs_queue_serve(&v->queue);
}

static scs_status hold_out(scs_validation *v, int64_t model)
{
    scs_session *s = v->session;

    SCS_TRY(scs_grid_hold_out(v->grid, v->base, model, s->config));
    return scs_dataset_hold_out(s->config, s->dataset);
}

/* The groups are those of the base; only what is held out, and the latent half, differ. */
static scs_status make_atlas(scs_validation *v)
{
    scs_session *s = v->session;
    const scs_atlas *base = v->base;
    size_t n = (size_t)base->n_group * (size_t)base->n_gene;

    SCS_TRY(scs_atlas_create(s->dataset, scs_session_n_latent(s), &s->atlas));
    memcpy(s->atlas->gene_mean, base->gene_mean, n * sizeof *base->gene_mean);
    memcpy(s->atlas->gene_variance, base->gene_variance, n * sizeof *base->gene_variance);
    memcpy(s->atlas->deg, base->deg, (size_t)base->n_group * SCS_N_DEG * sizeof *base->deg);
    return SCS_ALLOC(s->z, s->team.last - s->team.first);
}

static scs_status train(scs_validation *v)
{
    scs_session *s = v->session;
    scs_watch watch = {.ctx = v, .epoch_end = epoch_end};
    scs_outcome outcome;

    SCS_TRY(scs_session_make_model(s));
    return scs_train(s->config, s->model, s->shard, s->deal, &s->team, &watch, NULL, &outcome);
}

scs_status scs_validation_train(scs_validation *v, int64_t model, int kind)
{
    scs_session *s = v->session;

    SCS_TRY(scs_agree(v->group, hold_out(v, model)));
    SCS_TRY(scs_validation_deal(v));
    if (kind == SCS_MODEL_VAE)
        SCS_TRY(train(v));
    if (kind == SCS_MODEL_PCA)
        SCS_TRY(scs_session_fit_pca(s));
    SCS_TRY(scs_agree(v->group, make_atlas(v)));
    SCS_TRY(scs_session_measure_controls(s));
    return scs_session_encode(s);
}
