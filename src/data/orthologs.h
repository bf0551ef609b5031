/** One-to-one orthologs: from a species' own gene names to the reference's. All functions are
 * Local.
 *
 *  Two kinds of table: (own gene, reference gene[, type]) with tabs or commas and an optional
 * header; and an Ensembl BioMart export, known by its header ("Gene name", "Mouse gene name",
 * "Mouse homology type", ...), where the query species is the reference. Genes are never matched by
 * changing the case of a symbol. */
#ifndef SCS_ORTHOLOGS_H
#define SCS_ORTHOLOGS_H

#include "src/base/names.h"
#include "scscreen/dataset.h"

typedef struct scs_orthologs {
    scs_names own, reference; /**< pair i is (own.name[i], reference.name[i]); every name stands
                                 once on its side */
    scs_index by_own;         /**< over own: the struct stays where it is */
    scs_names dropped;        /**< own genes of rows that are not used, a name for each row */
    uint8_t *why;             /**< [dropped.n] scs_gene_fate: the worst of a gene's rows */
    scs_index by_dropped;     /**< over dropped */
    int64_t n_row;            /**< rows of the table, without its header */
    int64_t n_unpaired;       /**< rows that lack a gene on one side */
    int64_t n_other_type;     /**< rows whose type is not one2one */
    int64_t n_ambiguous;      /**< rows with a gene that stands on another row as well */
} scs_orthologs;

/** @param own_genes the genes of the file it is for  @param reference those of the reference, or
 * NULL: a BioMart table is read by symbols or by stable IDs, on either side whichever names more
 * genes; both borrowed
 *  @return SCS_OK, or SCS_EDATA with file and line. Clear in either case. */
SCS_MUST_USE scs_status scs_orthologs_load(const char *path, const scs_names *own_genes,
                                           const scs_index *reference, scs_orthologs *orthologs);
void scs_orthologs_clear(scs_orthologs *orthologs);
/** Why an own gene has no reference gene. @return scs_gene_fate */
int scs_orthologs_why(const scs_orthologs *orthologs, const char *own_gene);
/** Reference gene of an own gene, or NULL. */
const char *scs_orthologs_find(const scs_orthologs *orthologs, const char *own_gene);

#endif
