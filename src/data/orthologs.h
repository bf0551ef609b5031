/** One-to-one orthologs: from a species' own gene names to the reference's.
 *
 *  Which columns are read: ortholog_columns.h. Rows that say the same count once; a pair counts if
 *  its type is one-to-one, or there is no type, and neither gene stands in another pair. Genes are
 *  never matched by changing the case of a symbol; Ensembl IDs stand without their version. All
 *  functions are Local.
 */
#ifndef SCS_ORTHOLOGS_H
#define SCS_ORTHOLOGS_H

#include "src/base/names.h"
#include "src/data/ortholog_columns.h"
#include "scscreen/dataset.h"

/** A table's pairs, and what became of its other rows. Owned; zeroed is an empty table, which
 *  translates nothing. */
typedef struct scs_orthologs {
    scs_names own, reference;     /**< pair i is (own.name[i], reference.name[i]); every name stands
                                     once on its side */
    scs_index by_own;             /**< over own: the struct stays where it is */
    scs_names dropped;            /**< own genes of rows that are not used, a name for each row */
    uint8_t *why;                 /**< [dropped.n] scs_gene_fate: the worst of a gene's rows */
    scs_index by_dropped;         /**< over dropped */
    int64_t n_row;                /**< rows of the table, without its header */
    int64_t n_unpaired;           /**< rows that lack a gene on one side */
    int64_t n_other_type;         /**< rows whose type is not one2one */
    int64_t n_equal;              /**< rows that say what another row says */
    int64_t n_ambiguous;          /**< pairs with a gene that stands in another pair as well */
    scs_ortholog_columns columns; /**< that were read */
    char met[64];                 /**< a value of the type's column that is no type, or "" */
} scs_orthologs;

/** Read a table for one input.
 *  @param use the table and the genes that it is for; borrowed
 *  @return SCS_EDATA: no column names the genes, a row that lacks a column (with file and line), no
 *          row, no one-to-one pair; as scs_table_open; SCS_ENOMEM. Clear in any case. */
SCS_MUST_USE scs_status scs_orthologs_load(const scs_ortholog_use *use, scs_orthologs *orthologs);
/** Free all; the table is empty then. */
void scs_orthologs_clear(scs_orthologs *orthologs);
/** Why an own gene has no reference gene: SCS_GENE_NOT_IN_TABLE where no row names it.
 *  @param own_gene without the version of an Ensembl ID  @return scs_gene_fate */
int scs_orthologs_why(const scs_orthologs *orthologs, const char *own_gene);
/** Reference gene of an own gene, or NULL. Borrowed. */
const char *scs_orthologs_find(const scs_orthologs *orthologs, const char *own_gene);

#endif
