/** screen.h5ad: the result as an AnnData (see doc/result-format.md). All functions here are
 * Local; mpi/ writes the rows of all ranks collectively into the skeleton. */
#ifndef SCSCREEN_RESULT_H
#define SCSCREEN_RESULT_H

#include "scscreen/screen.h"

/** Gene sets to score in every row. */
typedef struct scs_gene_sets scs_gene_sets;

/** Read a GMT file: a line for each set, of its name, a description and its genes, separated by
 * tabs. Genes are taken as they are written, upper and lower case; those that the result does not
 * have are counted, no more. SCS_EDATA names file and line: fewer than three columns, no name, a
 * name that stands there twice, no UTF-8, no set at all; or that no gene of any set is known. */
SCS_MUST_USE scs_status scs_gene_sets_read(const char *path, const scs_names *genes,
                                           scs_gene_sets **sets);
/** Sets *sets to NULL; it may be NULL. */
void scs_gene_sets_destroy(scs_gene_sets **sets);

/** One entry of uns/scscreen. */
typedef struct scs_fact {
    const char *key;
    const char *text; /**< NULL: a number */
    double number;
} scs_fact;

/** Everything the skeleton needs; borrowed. */
typedef struct scs_result_head {
    const scs_atlas *atlas;
    const scs_plan *plan;
    bool dense;                     /**< X and the layers are there */
    bool variance;                  /**< with `dense`: layers/variance is there */
    bool errors;                    /**< with `dense`: layers/shift_se is there */
    bool tests;                     /**< with `dense`: layers/log2fc, p_de and q_de are there */
    bool bootstrap;                 /**< delta_se is there */
    int64_t top_genes;              /**< columns of top_up and its like; 0: not there */
    bool permutations;              /**< p_value and q_value are there */
    const scs_gene_sets *gene_sets; /**< whose scores are there, or NULL */
    const scs_gene_maps *gene_maps; /**< of the inputs, or NULL */
    const scs_fact *fact;           /**< [n_fact] provenance */
    int32_t n_fact;
} scs_result_head;

typedef enum scs_value_type {
    SCS_VALUE_FLOAT,
    SCS_VALUE_DOUBLE,
    SCS_VALUE_BOOL,
    SCS_VALUE_INT32
} scs_value_type;

/** A numeric dataset that rows are written into. */
typedef struct scs_result_field {
    const char *path; /**< "X", "layers/control", "obsm/delta", "obs/r2_all", ... */
    int type;         /**< scs_value_type */
    int64_t cols;     /**< 0: a vector over rows */
    bool late;        /**< known when all rows are: not written with them */
} scs_result_field;

/** A block of rows of every field. */
typedef struct scs_result_rows {
    int64_t first, n;                      /**< rows [first, first + n) of the plan */
    float *x, *control, *shift, *variance; /**< [n, n_gene]; variance may be NULL */
    float *shift_se;                       /**< [n, n_gene] or NULL */
    float *log2fc;                        /**< [n, n_gene], as the next two: late fields, NULL in */
    double *p_de, *q_de;                  /**< rows that are not */
    float *delta, *delta_se;              /**< [n, n_latent]; delta_se may be NULL */
    int32_t *top_up, *top_down;           /**< [n, top_genes] genes or NULL; -1 padded */
    float *top_up_shift, *top_down_shift; /**< [n, top_genes] their shifts; NaN padded */
    float *set_score, *set_z;             /**< [n, gene sets] or NULL (scs_gene_sets_score) */
    double *delta_norm;                   /**< [n] Euclidean norm */
    scs_scores *score;                    /**< [n] */
    scs_confidence *confidence;           /**< [n] */
} scs_result_rows;

/** Fields at most. */
enum { SCS_RESULT_FIELDS = 32 };
/** The fields of a result, in writing order. @param[out] field [SCS_RESULT_FIELDS]
 *  @return how many */
int32_t scs_result_fields(const scs_result_head *head, scs_result_field *field);
/** The rows of a field as they are written; single numbers are gathered into scratch [n]. */
const void *scs_result_fields_data(const scs_result_rows *rows, const scs_result_field *field,
                                   double *scratch);
/** The other way, for fields of one number a row: the n values of rows [first, first + n) to their
 * places in rows->delta_norm, score and confidence. @return false for other fields */
bool scs_result_fields_place(const scs_result_field *field, const void *values, int64_t first,
                             int64_t n, scs_result_rows *rows);
/** Bytes of one value. */
size_t scs_result_fields_value_size(int type);

/** Write the skeleton to `temp` (created with O_EXCL): strings, categories, obs keys, n_control,
 * n_observed, held_out, uns; numeric fields contiguous, allocated early, never filled; then the
 * file's full size is reserved (posix_fallocate). SCS_ECREATE on a full disk, nothing is left
 * behind. */
SCS_MUST_USE scs_status scs_result_skeleton(const char *temp, const scs_result_head *head);
/** A checksum of all that the skeleton says: facts, fields, and each row's labels. */
uint64_t scs_result_head_sum(const scs_result_head *head);
/** fsync, rename temp to path, fsync the folder. */
SCS_MUST_USE scs_status scs_result_commit(const char *temp, const char *path);
/** Rows of a block: as many as fit some MiB, fewer where that leaves some blocks to hand out; a
 * power of two that depends on the screen alone. */
int64_t scs_result_fields_block_rows(const scs_result_head *head);

/** Rows that the table of a terminal shows. */
enum { SCS_TABLE_ROWS = 100 };
/** The table of held-out combinations (or of all scored ones) on `out`, with its heading, scores
 *  beside the no-change baseline; of more than SCS_TABLE_ROWS the first ones. The means are over
 *  all. Rows that are predicted from their own cells are counted in a line of their own, no more.
 *  @param score [plan->n] */
void scs_ranking_table(FILE *out, const scs_atlas *atlas, const scs_plan *plan,
                       const scs_scores *score, bool held_out_only);

#endif
