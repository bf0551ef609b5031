/** Gene sets and what a predicted row says about them. All functions are Local. */
#ifndef SCS_GENE_SETS_H
#define SCS_GENE_SETS_H

#include "scscreen/result.h"

struct scs_gene_sets {
    scs_names name;    /**< each once, in the file's order */
    int64_t *first;    /**< [name.n + 1] where each set's genes begin */
    int32_t *gene;     /**< [first[name.n]] positions in the result's genes; each once in a set */
    int64_t *n_listed; /**< [name.n] genes that the file lists, known or not */
};

/** Mean shift of a set's genes less that of all genes, and its z: that difference over its standard
 * error for as many genes drawn at random, sqrt(m) (mean of the set - mean) / sd (PAGE: Kim and
 * Volsky, BMC Bioinformatics 2005). NaN for a set without known genes, or without a shift.
 *  @param shift [n_gene]  @param[out] score, z [name.n] */
void scs_gene_sets_score(const scs_gene_sets *sets, const float *shift, int32_t n_gene,
                         float *score, float *z);

#endif
