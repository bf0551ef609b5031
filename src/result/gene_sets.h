/** Gene sets (a GMT file) and what a predicted row says about them. All functions are Local.
 *
 *  For a set of m genes that the result has, over all genes' shifts with mean mu and standard
 *  deviation s (ddof 0):
 *
 *      score = mean of the set - mu        z = sqrt(m) score / s
 *
 *  PAGE (Kim and Volsky, BMC Bioinformatics 2005): z is the score over its standard error for as
 *  many genes drawn at random.
 */
#ifndef SCS_GENE_SETS_H
#define SCS_GENE_SETS_H

#include "scscreen/result.h"

/** Sets side by side, as rows of a sparse matrix; owned. */
struct scs_gene_sets {
    scs_names name;    /**< each once, in the file's order */
    int64_t *first;    /**< [name.n + 1] where each set's genes begin */
    int32_t *gene;     /**< [first[name.n]] positions in the result's genes; each once in a set */
    int64_t *n_listed; /**< [name.n] genes that the file lists, known or not */
};

/** Score and z of every set; NaN for a set without known genes, or without a shift.
 *  @param shift [n_gene]  @param[out] score, z [name.n] of the caller */
void scs_gene_sets_score(const scs_gene_sets *sets, const float *shift, int32_t n_gene,
                         float *score, float *z);

#endif
