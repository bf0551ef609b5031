/** Highly variable genes, as scanpy's pp.highly_variable_genes chooses them (data.n_top_genes).
 *
 *      seurat      dispersion = variance / mean of the normalised, not logged values; its
 * logarithm, standardised among the genes of one of 20 equal bins of log(1 + mean) (Satija and
 * others, Nature Biotechnology 2015) seurat_v3   variance of the counts after each gene is scaled
 * by the standard deviation that a loess of log variance on log mean expects of it, and cut at
 * sqrt(cells) of these (Stuart and others, Cell 2019)
 *
 *  With batches each is done batch by batch: by the number of batches in which a gene is among the
 *  best, then by the mean score (seurat); by the median rank among the best, then by that number
 *  (seurat_v3).
 *
 *  Sums over cells are of whole numbers: a gene's values are counted in units of a power of two
 * that its largest value sets, so that no sum depends on the order of cells, and so on the number
 * of ranks; counts are exact. A unit is below 2^-60 of all values' sum. All functions are Local.
 */
#ifndef SCS_VARIABLE_GENES_H
#define SCS_VARIABLE_GENES_H

#include "scscreen/config.h"
#include "scscreen/shard.h"

/** What is added up, [n_batch, n_gene] where nothing else is said; a batch's genes stand together.
 */
typedef struct scs_gene_sums {
    int32_t n_batch, n_gene;
    bool logged;                /**< stored values are log1p of those that count (seurat) */
    int64_t *n_cell;            /**< [n_batch] cells that count, over all ranks */
    double *largest;            /**< [n_gene] value */
    double *unit, *square_unit; /**< [n_gene] units a 1 of sum, of square: powers of two */
    double *limit;              /**< values above it count as it; NULL: none is cut */
    int64_t *sum;               /**< of values, in units of the gene */
    int64_t *square;            /**< of their squares, likewise */
} scs_gene_sums;

/** Zeroed, for cells that will be counted. @param[out] s caller clears; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_variable_genes_open(int32_t n_batch, int32_t n_gene, bool logged,
                                                scs_gene_sums *s);
/** Free everything; a zeroed struct may be cleared too. */
void scs_variable_genes_clear(scs_gene_sums *s);
/** Raise s->largest by the rows that count.
 *  @param batch [x->n_row] of each row, -1: it does not count */
void scs_variable_genes_look(const scs_packed *x, const int32_t *batch, scs_gene_sums *s);
/** Settle the units, once largest and n_cell are those of all ranks. O(n_gene). */
void scs_variable_genes_settle(scs_gene_sums *s);
/** Add the rows to sum and square, whose units are settled. */
void scs_variable_genes_add(const scs_packed *x, const int32_t *batch, scs_gene_sums *s);

/** Scores of batch b's genes by dispersion.
 *  @param every genes without a value in the batch take part too (one batch), or have no score
 *  @param[out] score [n_gene] NaN: none  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_variable_genes_dispersions(const scs_gene_sums *s, int32_t b,
                                                       bool every, double *score);
/** The standard deviation that each of batch b's genes is expected to have by its mean.
 *  @param[out] sd [n_gene]  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_variable_genes_expect(const scs_gene_sums *s, int32_t b, double *sd);
/** Where values of a batch's gene are cut: its mean and sqrt(cells) of its standard deviations.
 *  @param sd [n_batch, n_gene]  @param[out] limit likewise */
void scs_variable_genes_limits(const scs_gene_sums *s, const double *sd, double *limit);
/** Scores of batch b's genes by their variance after scaling.
 *  @param cut the same cells' sums with limits  @param sd [n_gene] of the batch
 *  @param[out] score [n_gene] */
void scs_variable_genes_variances(const scs_gene_sums *s, const scs_gene_sums *cut, int32_t b,
                                  const double *sd, double *score);

/** The n_top best genes; one batch's ties at the last place are all taken by seurat, as scanpy
 * does.
 *  @param flavor scs_hvg_flavor  @param score [n_batch, n_gene]
 *  @param names of the genes, which seurat orders equals of several batches by
 *  @param[out] chosen [n_gene]  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_variable_genes_choose(int flavor, const double *score, int32_t n_batch,
                                                  const scs_names *names, int64_t n_top,
                                                  bool *chosen);

#endif
