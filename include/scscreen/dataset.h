/** All inputs seen as one atlas: cells numbered through the files, genes joined, labels united.
 *
 *  Made on every rank from the files' metadata, alike; no expression value is read for it. All
 *  functions are Local; those that allocate also return SCS_ENOMEM.
 */
#ifndef SCSCREEN_DATASET_H
#define SCSCREEN_DATASET_H

#include "scscreen/config.h"

/* ---- input files ---- */

/** What one .h5ad file holds, as far as a run needs it: metadata, checked (src/data/h5ad.h). */
typedef struct scs_h5ad scs_h5ad;

/** What is wanted of a file. Texts are borrowed during the call. */
typedef struct scs_h5ad_request {
    const char *matrix;      /**< NULL = "X" */
    int source;              /**< scs_source */
    const char *gene_column; /**< of var; NULL or "" = its index */
    /** obs columns; NULL or "" = not wanted */
    const char *cell_type, *condition, *species, *dose;
    /** further obs columns, NULL = none: those wanted as labels, and as numbers */
    const scs_names *labels, *numbers;
    /** [n_rename] columns that are asked for by another name; NULL = none */
    const scs_column_name *rename;
    int32_t n_rename;
    int64_t memory; /**< bytes that one declared dataset may need; 0 = 16 GiB */
} scs_h5ad_request;

/** Read a file's metadata in a forked child with limits; call before MPI_Init.
 *
 *  A crash or time-out of the child becomes SCS_EDATA ("FILE: damaged HDF5 (the reader died on it)
 *  ..."); so does a file that is no AnnData file, or lacks a column or matrix: the message lists
 *  those there are.
 *  @param[out] meta caller destroys; NULL after an error */
SCS_MUST_USE scs_status scs_h5ad_probe(const char *path, const scs_h5ad_request *request,
                                       scs_h5ad **meta);
/** Sets *meta to NULL; it may be NULL. */
void scs_h5ad_destroy(scs_h5ad **meta);

/** What scale an input's values are on (src/data/scale.h). */
typedef struct scs_scale scs_scale;

/* ---- the dataset ---- */

/** What each condition is: a perturbation at a dose. Zeroed where the data have no doses: every
 * condition is a perturbation of its own. */
typedef struct scs_dose_list {
    int32_t n;               /**< conditions, or 0 */
    scs_names perturbations; /**< sorted; the control is one of them */
    int32_t *perturbation;   /**< [n] of each condition; ascending */
    double *dose;            /**< [n] in the unit of data.dose; 0 for the control, else > 0 and
                                  ascending within a perturbation */
} scs_dose_list;

/** What becomes of a cell. */
typedef enum scs_role {
    SCS_ROLE_TRAIN,
    SCS_ROLE_VALID,
    SCS_ROLE_HELD_OUT, /**< combination in hold_out: never seen by training or the atlas's shifts,
                          scored afterwards */
    SCS_ROLE_UNUSED    /**< a label is missing, or hold_out sets the cell aside */
} scs_role;

/** An obs column that hold_out asks for, united over the inputs as labels are. */
typedef struct scs_cell_column {
    char *name;
    scs_names values; /**< sorted */
    int32_t *value;   /**< [n_cell] -1 = missing */
} scs_cell_column;

/** What becomes of a gene of an input. Of several rows in a table of orthologs the last in this
 *  order counts. */
typedef enum scs_gene_fate {
    SCS_GENE_KEPT,
    SCS_GENE_NOT_IN_TABLE, /**< of orthologs */
    SCS_GENE_NO_ORTHOLOG,  /**< its row names no reference gene */
    SCS_GENE_ONE_TO_MANY,
    SCS_GENE_MANY_TO_MANY,
    SCS_GENE_OTHER_TYPE,
    SCS_GENE_REPEATED,      /**< it, or its reference gene, stands on several rows */
    SCS_GENE_NOT_IN_INPUTS, /**< some input lacks the reference gene */
    SCS_GENE_NOT_LISTED,    /**< data.genes does not name it */
    SCS_GENE_NOT_VARIABLE,  /**< not one of data.n_top_genes */
    SCS_GENE_IN_FEW_CELLS,  /**< fewer than data.min_cells */
    SCS_N_GENE_FATE
} scs_gene_fate;
/** "kept", "not_in_table", ..., "not_in_data_genes": as the result file names it. */
const char *scs_genes_fate_name(int fate);

/** Owned throughout. Labels of cells are positions in the lists, which are sorted by bytes. */
typedef struct scs_dataset {
    int64_t n_cell;
    int32_t n_gene;
    scs_names genes; /**< reference names, in the first input's order */
    scs_names species, cell_types;
    scs_names conditions; /**< perturbations, or (with doses) "PERTURBATION@DOSE" and the control */
    scs_dose_list doses;  /**< of the conditions */
    int32_t control;      /**< index into conditions */
    int32_t *cell_species, *cell_type, *cell_condition; /**< [n_cell]; -1 = missing label */
    uint8_t *role;                                      /**< [n_cell] scs_role */
    int32_t n_input;
    int64_t *first_cell; /**< [n_input + 1] cells of input i are [first_cell[i], first_cell[i+1]) */
    int32_t **gene_of_column; /**< [n_input][n_var] reference gene or -1 */
    bool *sums;    /**< [n_input] several columns of the input are one gene, and are added up */
    int64_t *fate; /**< [n_input, SCS_N_GENE_FATE] genes of each input; they sum to its n_var */
    int64_t n_dropped_genes; /**< genes of the first input that are not in the join */
    int64_t n_unused;        /**< cells of no use: a label is missing, or set aside */
    int64_t
        n_set_aside; /**< of these: hold_out takes them by a column, but not all of their group */
    int32_t n_column;
    scs_cell_column *column; /**< [n_column] */
    char *filtered;          /**< what data.filter left out; NULL: there is none */
    char *variable;          /**< how genes were chosen by data.n_top_genes; NULL: they were not */
    char *values;    /**< what the values were found to be, and what was done; NULL: not read yet */
    scs_names notes; /**< what was dropped and why, what cannot be predicted; a line each */
} scs_dataset;

/** Join the inputs' metadata and assign roles.
 *
 *  Genes: through each input's ortholog table (one-to-one rows only), inner join over inputs, then
 *  data.genes. Roles: hold_out first; of the rest, the first round(validation * n) by f(seed, cell)
 *  are validation.
 *  @param metas [config->data.n_input]; borrowed during the call
 *  @param[out] dataset caller destroys; NULL after an error
 *  @return SCS_EDATA for duplicate genes, an unknown control label or hold-out (listing what there
 *          is), an empty join, a dose that does not fit its condition, no control cells or no
 *          training cells, a perturbation that is held out everywhere */
SCS_MUST_USE scs_status scs_dataset_create(const scs_config *config, const scs_h5ad *const *metas,
                                           scs_dataset **dataset);
/** Whether a cell has a say in what is found out before training (the genes that are kept, the
 *  median of counts): it is learnt from, and, where others will be held out in turn, a control. */
bool scs_roles_has_say(const scs_dataset *dataset, bool controls, int64_t cell);
/** Give all cells their roles anew, for another config->hold_out; refuses as scs_dataset_create
 *  does, and roles are then undefined. */
SCS_MUST_USE scs_status scs_roles_hold_out(const scs_config *config, scs_dataset *dataset);
/** The same, and a perturbation may be held out everywhere: for a fold of a validation. */
SCS_MUST_USE scs_status scs_roles_hold_out_fold(const scs_config *config, scs_dataset *dataset);
/** Sets *dataset to NULL; it may be NULL. */
void scs_dataset_destroy(scs_dataset **dataset);
/** The further column of obs of this name, borrowed; NULL: it was not asked for. Local. */
const scs_cell_column *scs_dataset_column(const scs_dataset *dataset, const char *name);
/** A paragraph for people: cells, genes, species, types, conditions, what was dropped and why.
 *  Labels are escaped. */
void scs_dataset_describe(const scs_dataset *dataset, FILE *out);

/** How the inputs' genes became the dataset's, for the result file. */
typedef struct scs_gene_maps scs_gene_maps;

/** @param metas [n_input] borrowed during the call  @param dataset borrowed for as long as the maps
 *               are used
 *  @param[out] maps caller destroys */
SCS_MUST_USE scs_status scs_genes_maps_create(const scs_config *config, const scs_dataset *dataset,
                                              const scs_h5ad *const *metas, scs_gene_maps **maps);
/** Sets *maps to NULL; it may be NULL. */
void scs_genes_maps_destroy(scs_gene_maps **maps);

/** Reorder and restrict the dataset's genes to the model's.
 *  @param genes the model's genes; copied  @param where the model file, for the message
 *  @return SCS_EDATA where the data lack one of them: how many, and the first */
SCS_MUST_USE scs_status scs_dataset_match_genes(scs_dataset *dataset, const scs_names *genes,
                                                const scs_h5ad *const *metas, const char *where);

/** Keep the chosen genes; the others' columns are dropped in every input.
 *  @param chosen [dataset->n_gene]  @param fate scs_gene_fate of the others
 *  @param[out] to [dataset->n_gene] new number of each, -1: dropped */
void scs_dataset_keep_genes(scs_dataset *dataset, const bool *chosen, int fate,
                            const scs_h5ad *const *metas, int32_t *to);

/** One checksum of the input files, the labels and roles of all cells and the joined genes: what a
 *  run that goes on must find again. Paths do not count.
 *  @param metas, checksums [n_input] of the files' bytes  @param[out] out [SCS_CHECKSUM_MAX] */
SCS_MUST_USE scs_status scs_dataset_checksum(const scs_dataset *dataset,
                                             const scs_h5ad *const *metas, char *const *checksums,
                                             char *out);

#endif
