/* What of a shift noise can account for. All functions are Local. */
#include "src/screen/limit.h"

#include "src/base/vector.h"
#include "src/screen/mixed_atlas.h"

#include <math.h>
#include <stdlib.h>

/* In standard errors. */
static const double most_shrunk = 1.5, most_denoised = 1;

static double beyond(double x, double most)
{
    return x - fmax(-most, fmin(most, x));
}

/* Adds sign x what a part has beyond so many of its standard errors.
 * @param weight [sources->n] of the part  @param noise [n_gene] variances
 * @param part [n_gene] scratch  @param[in,out] change [n_gene] */
static void add_beyond(const scs_atlas *a, const scs_sources *sources, const double *weight,
                       double sign, double most, const double *noise, double *part, double *change)
{
    scs_vector_sum_rows(a->gene_mean, a->n_gene, sources->group, weight, sources->n, part);
    for (int32_t g = 0; g < a->n_gene; g++)
        change[g] += sign * beyond(part[g], most * sqrt(noise[g]));
}

scs_status scs_limit_apply(const scs_atlas *atlas, const scs_sources *sources, double *change)
{
    const scs_limits *limits = &sources->limits;
    double *part = NULL, *noise = NULL;
    scs_status st;

    if (!limits->mixed)
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(part, atlas->n_gene));
    SCS_GO(st, SCS_ALLOC(noise, atlas->n_gene));
    SCS_GO(st, scs_mixed_atlas_noise(limits->mixed, atlas, sources->group, limits->whole,
                                     sources->n, noise));
    add_beyond(atlas, sources, limits->shrunk, 1, most_shrunk, noise, part, change);
    SCS_GO(st, scs_mixed_atlas_noise(limits->mixed, atlas, &limits->control_group, &limits->share,
                                     1, noise));
    add_beyond(atlas, sources, limits->denoised, -1, most_denoised, noise, part, change);
done:
    free(noise);
    free(part);
    return st;
}
