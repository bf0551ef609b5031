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

#include <omp.h>
#include <stdlib.h>

/* One gene in one group, while its values are gone through. */
typedef struct moments {
    double mean, square; /* sum, then mean; sum of squared deviations of the stored values */
    int64_t stored;      /* cells whose value is not an implicit zero */
} moments;

/* The two passes over gene j of the slice.
 * @param group_of_cell [n_cell], -1: unused  @param[out] of [n_group] */
static void gene_moments(scs_atlas *atlas, const int32_t *group_of_cell,
                         const scs_gene_slice *slice, int32_t j, moments *of)
{
    int64_t lo = slice->first[j], hi = slice->first[j + 1];

    for (int32_t g = 0; g < atlas->n_group; g++)
        of[g] = (moments){0};
    for (int64_t i = lo; i < hi; i++) {
        int32_t g = group_of_cell[slice->cell[i]];

        if (g < 0)
            continue;
        of[g].mean += slice->value[i];
        of[g].stored++;
    }
    for (int32_t g = 0; g < atlas->n_group; g++)
        of[g].mean /= (double)atlas->group[g].count;
    for (int64_t i = lo; i < hi; i++) {
        int32_t g = group_of_cell[slice->cell[i]];

        if (g >= 0)
            of[g].square += (slice->value[i] - of[g].mean) * (slice->value[i] - of[g].mean);
    }
}

/* Adds what the cells without a stored value are worth. @param gene its number in the atlas */
static void store(scs_atlas *atlas, int32_t gene, const moments *of)
{
    for (int32_t g = 0; g < atlas->n_group; g++) {
        int64_t at = (int64_t)g * atlas->n_gene + gene, n = atlas->group[g].count;
        double zeros = (double)(n - of[g].stored);

        atlas->gene_mean[at] = (float)of[g].mean;
        atlas->gene_variance[at] =
            (float)((of[g].square + zeros * of[g].mean * of[g].mean) / (double)n);
    }
}

/* Genes are spread over threads, each with scratch for all groups: 24 bytes a group and thread. */
scs_status scs_gene_moments(scs_atlas *atlas, const scs_dataset *dataset,
                            const scs_gene_slice *slice)
{
    int32_t *group_of_cell = NULL;
    moments *scratch = NULL; /* [threads, n_group] */
    scs_status st;

    SCS_GO(st, scs_atlas_cell_groups(atlas, dataset, &group_of_cell));
    SCS_GO(st, SCS_ALLOC(scratch, (int64_t)omp_get_max_threads() * atlas->n_group));
#pragma omp parallel for schedule(static)
    for (int32_t j = 0; j < slice->gene1 - slice->gene0; j++) {
        moments *of = scratch + (int64_t)omp_get_thread_num() * atlas->n_group;

        gene_moments(atlas, group_of_cell, slice, j, of);
        store(atlas, slice->gene0 + j, of);
    }
done:
    free(scratch);
    free(group_of_cell);
    return st;
}

void scs_gene_moments_slice_clear(scs_gene_slice *slice)
{
    free(slice->first);
    free(slice->cell);
    free(slice->value);
    *slice = (scs_gene_slice){0};
}
