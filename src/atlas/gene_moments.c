/* Mean and variance (ddof 0) of every gene in every group, held-out groups too: scores compare
 * with them, `edit` starts from them, and shifts in gene space are made of them. All functions
 * are Local.
 *
 * A rank has some genes of all cells (scs_gene_slice), so that a gene is summed in one go, in
 * ascending cell order, in double: the bits do not depend on how genes are spread. Two passes,
 * since the sum of squares less the squared mean loses what a small variance is made of. Zeros
 * are not stored: with s values stored of the n cells of a group,
 *
 *     mean = sum x / n        variance = (sum (x - mean)^2 + (n - s) mean^2) / n
 */
#include "src/atlas/atlas.h"
#include "scscreen/latent.h"

#include <stdlib.h>

/* Genes at a time: their means of a group are one cache line of the atlas. */
enum { TILE = 16 };

/* One gene in one group.
 *  @param value [stored]  @param n cells */
static void moments(const float *value, int64_t stored, double n, float *mean_of,
                    float *variance_of)
{
    double mean = 0, square = 0;

    for (int64_t i = 0; i < stored; i++)
        mean += value[i];
    mean /= n;
    for (int64_t i = 0; i < stored; i++)
        square += (value[i] - mean) * (value[i] - mean);
    *mean_of = (float)mean;
    *variance_of = (float)((square + (n - (double)stored) * mean * mean) / n);
}

/* Genes [j0, j1) of the slice in every group, group by group within a few genes, so that neither
 * what is read nor what is written lies far apart. */
static void tile_moments(scs_atlas *atlas, const scs_gene_slice *slice, int32_t j0, int32_t j1)
{
    for (int32_t g = 0; g < atlas->n_group; g++) {
        int64_t at = (int64_t)g * atlas->n_gene + slice->gene0;

        for (int32_t j = j0; j < j1; j++) {
            const int64_t *first = slice->first + (int64_t)j * slice->n_group + g;

            moments(slice->value + first[0], first[1] - first[0], (double)atlas->group[g].count,
                    &atlas->gene_mean[at + j], &atlas->gene_variance[at + j]);
        }
    }
}

/* Genes are spread over threads. */
scs_status scs_gene_moments(scs_atlas *atlas, const scs_gene_slice *slice)
{
    int32_t n = slice->gene1 - slice->gene0;

    SCS_REQUIRE(slice->n_group == atlas->n_group, SCS_EINTERNAL, "genes of %d groups, not %d",
                slice->n_group, atlas->n_group);
#pragma omp parallel for schedule(static)
    for (int32_t t = 0; t < n; t += TILE)
        tile_moments(atlas, slice, t, n - t < TILE ? n : t + TILE);
    return SCS_OK;
}

void scs_gene_moments_slice_clear(scs_gene_slice *slice)
{
    free(slice->first);
    free(slice->value);
    *slice = (scs_gene_slice){0};
}
