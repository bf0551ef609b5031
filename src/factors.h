/** The inside of the factored output layer (src/output_factored.h). Local. */
#ifndef SCS_FACTORS_H
#define SCS_FACTORS_H

#include "src/output_factored.h"

enum { SCS_FACTOR_TILE = 128 }; /* genes, or columns, of a task */

/** One part's own numbers. */
typedef struct scs_factor_lane {
    scs_real *offset;   /**< [max_rows, d] scale (c - H) */
    scs_real *mean;     /**< [d] c */
    scs_real *lift;     /**< [n_gene] scale q */
    double *gene_error; /**< [tiles of genes] sum of (b - x)^2 over the part's cells */
    double *cell_error; /**< [max_rows] what h adds to the squared error */
    scs_real *square; /**< [pieces of genes or cells, d, d] upper triangles of a product in hand */
} scs_factor_lane;

struct scs_factors {
    scs_dense dense;
    int32_t n_part, max_rows, d;
    int64_t size;          /**< of a packed triangle and a row of d */
    scs_factor_lane *lane; /**< [n_part] */
    double *parts, *total; /**< [n_part, size], [size] */
    scs_real *weight_gram; /**< [d, d] W'W */
    scs_real *cell_gram;   /**< [d, d] scale Hc'Hc of the whole batch */
    scs_real *minus_wb;    /**< [d] -W'b */
};

int32_t scs_factor_tiles(const scs_factors *f);
/** The first gene of the share of local part p, or, of the last one, where its share ends: shard v
 *  has the genes [n_gene v / V, n_gene (v + 1) / V). */
int32_t scs_factors_gene(const scs_factors *f, const scs_team *team, int32_t p);
/** Each part's rows of dW, but for W (Hc'Hc), and db; from the centred H. Also gene_error. */
void scs_factors_weight_gradient(scs_factors *f, const scs_real *param, double scale,
                                 const scs_output_part *part);
/** W (Hc'Hc) to dW, which only the whole batch gives: each part gets the rows of its shard's share
 *  of the genes. */
void scs_factors_add_spread(const scs_factors *f, const scs_real *param, const scs_team *team,
                            const scs_output_part *part);
/** dH, from weight_gram and minus_wb. Also cell_error. */
void scs_factors_hidden_gradient(scs_factors *f, const scs_real *param, double scale,
                                 const scs_output_part *part);

#endif
