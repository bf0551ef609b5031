#include "src/gene_space.h"

#include <stdlib.h>

scs_status scs_gene_space_view(const scs_atlas *atlas, scs_atlas *view)
{
    int64_t n = (int64_t)atlas->n_group * atlas->n_gene;

    *view = *atlas;
    view->n_latent = atlas->n_gene;
    view->mean = NULL; /* the one array of its own */
    view->second = NULL;
    SCS_TRY(SCS_ALLOC(view->mean, n));
    for (int64_t i = 0; i < n; i++)
        view->mean[i] = atlas->gene_mean[i];
    return SCS_OK;
}

void scs_gene_space_clear(scs_atlas *view)
{
    free(view->mean);
    *view = (scs_atlas){0};
}

scs_status scs_gene_space_enter(scs_atlas *atlas)
{
    scs_atlas view;

    SCS_TRY(scs_gene_space_view(atlas, &view));
    free(atlas->mean);
    free(atlas->second);
    *atlas = view;
    return SCS_OK;
}

scs_method scs_gene_space_method(scs_method method)
{
    method.decode = SCS_DECODE_BLEND;
    method.blend = 0;
    return method;
}
