/** The inside of the factored output layer (src/output_factored.h). Local. */
#ifndef SCS_FACTORS_H
#define SCS_FACTORS_H

#include "src/output_factored.h"

enum { SCS_FACTOR_TILE = 128 }; /* genes, or columns, of a task */

/** Cells whose gradient of W and b is made in one go: a part's, for all genes, or all parts', for
 * this rank's genes. Borrowed. */
typedef struct scs_factor_cells {
    int32_t n;
    const scs_real *hidden;     /**< [n, d] */
    scs_real *offset;           /**< [n, d] scale (c - H); may be where hidden is */
    const scs_entries *by_gene; /**< [n_gene, n] */
    int32_t gene, n_gene;       /**< genes [gene, gene + n_gene) */
    scs_real *mean;             /**< [d] c */
    scs_real *lift;             /**< [n_gene] scale q */
    double *gene_error;         /**< [tiles of genes] sum of (b - x)^2 over the cells */
    scs_real *grad;             /**< flat */
} scs_factor_cells;

/** One part's own numbers. */
typedef struct scs_factor_lane {
    scs_real *offset;   /**< [max_rows, d] */
    scs_real *mean;     /**< [d] */
    scs_real *lift;     /**< [n_gene] */
    double *gene_error; /**< [tiles of genes] */
    double *cell_error; /**< [max_rows] what h adds to the squared error */
    scs_real *square; /**< [pieces of genes or cells, d, d] upper triangles of a product in hand */
} scs_factor_lane;

struct scs_factors {
    scs_dense dense;
    int32_t n_part, max_rows, d;
    int64_t size;            /**< of a packed triangle and a row of d */
    scs_factor_lane *lane;   /**< [n_part] */
    scs_factor_cells *cells; /**< [n_cells <= n_part] */
    int32_t n_cells;
    int32_t *first_gene;   /**< [n_part + 1] of the parts' slices (src/layout.h) */
    double *parts, *total; /**< [n_part, size], [size] */
    scs_real *weight_gram; /**< [d, d] W'W */
    scs_real *cell_gram;   /**< [d, d] scale Hc'Hc of the whole batch */
    scs_real *minus_wb;    /**< [d] -W'b */
};

/** Tiles of so many genes. */
int32_t scs_factor_tiles(int32_t n_gene);
/** The cells' rows of dW, but for W (Hc'Hc), and db; from the centred H. Also gene_error. */
void scs_factors_weight_gradient(const scs_factors *f, const scs_real *param, double scale);
/** W (Hc'Hc) to dW, which only the whole batch gives: each part gets the rows of its slice of the
 * genes, or the first one those of all slices that are here. */
void scs_factors_add_spread(const scs_factors *f, const scs_real *param,
                            const scs_output_part *part);
/** dH, from weight_gram and minus_wb. Also cell_error. */
void scs_factors_hidden_gradient(scs_factors *f, const scs_real *param, double scale,
                                 const scs_output_part *part);

#endif
