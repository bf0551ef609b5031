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

/* One array of a prediction: means, or variances. */
static void predict(const scs_atlas *atlas, const scs_combination *target,
                    const scs_sources *sources, const float *values, double *change, float *out)
{
    const float *control = values + (int64_t)target->control_group * atlas->n_gene;

    if (!sources)
        memset(change, 0, (size_t)atlas->n_gene * sizeof *change);
    else
        scs_sources_genes(atlas, sources, values, change);
    for (int32_t g = 0; g < atlas->n_gene; g++) {
        double x = control[g] + change[g];

        out[g] = (float)(x > 0 ? x : 0);
    }
}

void scs_gene_space_predict(const scs_atlas *atlas, const scs_combination *target,
                            const scs_sources *sources, double *change, scs_prediction *out)
{
    const float *control = atlas->gene_mean + (int64_t)target->control_group * atlas->n_gene;

    predict(atlas, target, sources, atlas->gene_mean, change, out->mean);
    for (int32_t g = 0; g < atlas->n_gene; g++)
        out->shift[g] = out->mean[g] - control[g];
    if (out->variance)
        predict(atlas, target, sources, atlas->gene_variance, change, out->variance);
}
