#include "scscreen/trust.h"
#include "src/failure.h"

#include <stdlib.h>
#include <string.h>

/* One thread's atlas, whose means are drawn anew. */
typedef struct replica {
    scs_atlas atlas; /* but for mean, everything is the real atlas' */
    scs_sources *sources;
} replica;

static scs_status replica_make(const scs_atlas *atlas, replica *r)
{
    int64_t n = (int64_t)atlas->n_group * atlas->n_latent;

    *r = (replica){.atlas = *atlas};
    SCS_TRY(SCS_ALLOC(r->atlas.mean, n));
    memcpy(r->atlas.mean, atlas->mean, (size_t)n * sizeof *r->atlas.mean);
    return scs_sources_create(atlas, &r->sources);
}

static void replica_clear(replica *r)
{
    free(r->atlas.mean);
    scs_sources_destroy(&r->sources);
}

/* @param delta [n_target, n_latent] */
static scs_status estimate(const replica *r, const scs_method *method,
                           const scs_combination *const *target, int64_t n_target, double *delta)
{
    for (int64_t i = 0; i < n_target; i++) {
        SCS_TRY(scs_sources_find(&r->atlas, method, target[i], r->sources));
        scs_sources_shift(&r->atlas, r->sources, delta + i * r->atlas.n_latent);
    }
    return SCS_OK;
}

scs_status scs_replicate(const scs_atlas *atlas, const scs_method *method,
                         const scs_combination *const *target, int64_t n_target,
                         int64_t n_replicate, scs_draw draw, const void *ctx, double *delta)
{
    scs_failure failed = {0};

#pragma omp parallel
    {
        replica r;
        scs_status st = replica_make(atlas, &r);

#pragma omp for schedule(static)
        for (int64_t b = 0; b < n_replicate; b++) {
            if (st == SCS_OK) {
                if (draw)
                    draw(ctx, b, r.atlas.mean);
                st = estimate(&r, method, target, n_target, delta + b * n_target * atlas->n_latent);
            }
            scs_failure_note(&failed, b, st);
        }
        replica_clear(&r);
    }
    return scs_failure_raise(&failed);
}
