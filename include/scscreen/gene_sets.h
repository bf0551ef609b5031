/** Gene sets and what a predicted row says about them. All functions are Local. */
#ifndef SCSCREEN_GENE_SETS_H
#define SCSCREEN_GENE_SETS_H

#include "scscreen/names.h"

typedef struct scs_gene_sets {
    scs_names name;    /**< each once, in the file's order */
    int64_t *first;    /**< [name.n + 1] where each set's genes begin */
    int32_t *gene;     /**< [first[name.n]] positions in the result's genes; each once in a set */
    int64_t *n_listed; /**< [name.n] genes that the file lists, known or not */
} scs_gene_sets;

/** Read a GMT file: a line for each set, of its name, a description and its genes, separated by
 * tabs. Genes are taken as they are written, upper and lower case; those that the result does not
 * have are counted, no more. SCS_EDATA names file and line: fewer than three columns, no name, a
 * name that stands there twice, no UTF-8, no set at all. */
SCS_MUST_USE scs_status scs_gene_sets_read(const char *path, const scs_names *genes,
                                           scs_gene_sets **sets);
void scs_gene_sets_destroy(scs_gene_sets **sets);

/** Mean shift of a set's genes less that of all genes, and its z: that difference over its standard
 * error for as many genes drawn at random, sqrt(m) (mean of the set - mean) / sd (PAGE: Kim and
 * Volsky, BMC Bioinformatics 2005). NaN for a set without known genes, or without a shift.
 *  @param shift [n_gene]  @param[out] score, z [name.n] */
void scs_gene_sets_score(const scs_gene_sets *sets, const float *shift, int32_t n_gene,
                         float *score, float *z);

#endif
