#include "src/failure.h"
#include "src/replica.h"

#include <stdlib.h>
#include <string.h>

scs_status scs_replica_make(const scs_atlas *atlas, scs_replica *r)
{
    int64_t n = (int64_t)atlas->n_group * atlas->n_latent;

    *r = (scs_replica){.atlas = *atlas};
    r->atlas.mean = NULL; /* the one array of its own */
    SCS_TRY(SCS_ALLOC(r->atlas.mean, n));
    memcpy(r->atlas.mean, atlas->mean, (size_t)n * sizeof *r->atlas.mean);
    return scs_sources_create(atlas, &r->sources);
}

void scs_replica_clear(scs_replica *r)
{
    free(r->atlas.mean);
    scs_sources_destroy(&r->sources);
}

scs_status scs_replica_shift(const scs_replica *r, const scs_method *method,
                             const scs_combination *target, double *delta)
{
    SCS_TRY(scs_sources_find(&r->atlas, method, target, r->sources));
    scs_sources_shift(&r->atlas, r->sources, delta);
    return SCS_OK;
}

/* @param delta [n_target, n_latent] */
static scs_status estimate(const scs_replica *r, const scs_method *method,
                           const scs_combination *const *target, int64_t n_target, double *delta)
{
    for (int64_t i = 0; i < n_target; i++)
        SCS_TRY(scs_replica_shift(r, method, target[i], delta + i * r->atlas.n_latent));
    return SCS_OK;
}

scs_status scs_replicate(const scs_atlas *atlas, const scs_method *method,
                         const scs_combination *const *target, int64_t n_target,
                         int64_t n_replicate, scs_draw draw, const void *ctx, double *delta)
{
    scs_failure failed = {0};

#pragma omp parallel
    {
        scs_replica r;
        scs_status st = scs_replica_make(atlas, &r);

#pragma omp for schedule(static)
        for (int64_t b = 0; b < n_replicate; b++) {
            if (st == SCS_OK) {
                if (draw)
                    draw(ctx, b, r.atlas.mean);
                st = estimate(&r, method, target, n_target, delta + b * n_target * atlas->n_latent);
            }
            scs_failure_note(&failed, b, st);
        }
        scs_replica_clear(&r);
    }
    return scs_failure_raise(&failed);
}
