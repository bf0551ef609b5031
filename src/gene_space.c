#include "src/gene_space.h"

#include <stdlib.h>
#include <string.h>

scs_status scs_gene_space_view(const scs_atlas *atlas, scs_atlas *view)
{
    int64_t n = (int64_t)atlas->n_group * atlas->n_gene;

    *view = *atlas;
    view->n_latent = atlas->n_gene;
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

void scs_gene_space_predict(const scs_atlas *atlas, const scs_combination *target,
                            const double *delta, scs_prediction *out)
{
    int64_t n = atlas->n_gene, at = target->control_group * n;
    const float *control = atlas->gene_mean + at;

    for (int64_t g = 0; g < n; g++) {
        double x = control[g] + (delta ? delta[g] : 0);

        out->mean[g] = (float)(x > 0 ? x : 0);
        out->shift[g] = out->mean[g] - control[g];
    }
    if (out->variance)
        memcpy(out->variance, atlas->gene_variance + at, (size_t)n * sizeof *out->variance);
}
