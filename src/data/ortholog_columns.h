/** Which columns of a table of orthologs hold the input's genes, the reference's, and the type. All
 * functions are Local.
 *
 *  Four forms: plain (own gene, reference gene[, type]; the order counts); a column for each
 * species, named by it (BioMart's "Mouse gene name" beside "Gene name", biomaRt's
 * mmusculus_homolog_associated_gene_name, HCOP's mouse_symbol); OrthoFinder's lists of genes, a
 * column for each species; and MGI's homology classes, a row for each gene. Where the order does
 * not say it, the inputs' species choose the columns, and else the genes: a column counts if it
 * names more than ten times as many of the input's genes as any other species' column. */
#ifndef SCS_ORTHOLOG_COLUMNS_H
#define SCS_ORTHOLOG_COLUMNS_H

#include "src/base/names.h"
#include "src/base/table.h"

/** What a table is wanted for; all borrowed. */
typedef struct scs_ortholog_use {
    const char *table;          /**< its path */
    const char *input;          /**< the input's path, for messages */
    const scs_names *own;       /**< the input's genes, Ensembl IDs without version */
    const scs_index *reference; /**< the first input's, or NULL: not known yet */
    const char *own_species, *reference_species; /**< or NULL */
} scs_ortholog_use;

typedef enum scs_ortholog_form {
    SCS_ORTHOLOG_PLAIN,
    SCS_ORTHOLOG_WIDE,
    SCS_ORTHOLOG_LISTS,
    SCS_ORTHOLOG_CLASSES
} scs_ortholog_form;

enum { SCS_ORTHOLOG_LABEL = 160 };

typedef struct scs_ortholog_columns {
    scs_ortholog_form form;
    bool header;              /**< the first row is one */
    int own, reference, type; /**< columns; -1: none. In SCS_ORTHOLOG_CLASSES own and reference are
                                   both the symbol's column */
    int class_at, organism_at;
    char own_organism[SCS_ORTHOLOG_LABEL], reference_organism[SCS_ORTHOLOG_LABEL];
    /** for messages: "'Mouse gene name'", "column 1" */
    char own_label[SCS_ORTHOLOG_LABEL], reference_label[SCS_ORTHOLOG_LABEL],
        type_label[SCS_ORTHOLOG_LABEL];
    int64_t n_known; /**< genes of the input that the own column names */
    /** another column that names more of them, or "" */
    char better_label[SCS_ORTHOLOG_LABEL];
    int64_t n_better;
} scs_ortholog_columns;

/** @return SCS_OK; SCS_EDATA where two species' columns could be meant, or there is no second one
 */
SCS_MUST_USE scs_status scs_ortholog_columns_choose(const scs_ortholog_use *use,
                                                    scs_ortholog_columns *columns);
/** Whether two texts name one species: "mouse", "Mus_musculus", "mmusculus", "mouse, laboratory".
 */
bool scs_ortholog_columns_same_species(const char *a, const char *b);
/** Whether a field says how genes correspond: "ortholog_one2many", "many-to-many", "1:1". */
bool scs_ortholog_columns_is_type(const char *text);
/** The next gene of a list "A, B"; *rest moves on, NULL at its end. A field without list is one
 * gene. */
char *scs_ortholog_columns_next_gene(char **rest, bool list);
/** Whether a field names no gene: "", "-", "NA". */
bool scs_ortholog_columns_is_empty(const char *text);

#endif
