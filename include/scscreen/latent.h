/** The latent atlas: what is kept of each group (species, cell type, condition). */
#ifndef SCSCREEN_LATENT_H
#define SCSCREEN_LATENT_H

#include "scscreen/dataset.h"
#include "scscreen/model.h"
#include "scscreen/shard.h"

enum { SCS_N_DEG = 100 };

typedef struct scs_group {
    int32_t species, cell_type, condition;
    bool held_out;
    int64_t count; /**< cells, held-out ones included */
} scs_group;

typedef struct scs_atlas {
    scs_names species, cell_types, conditions, genes;
    scs_dose_list doses; /**< of the conditions */
    int32_t control;
    int32_t n_group, n_latent, n_gene;
    scs_group
        *group;   /**< [n_group] ordered by species, cell type, condition; only groups with cells */
    bool *silent; /**< [n_group] what no shift may look at though it was learnt from
                     (screen.restrict, screen.min_cells); NULL: nothing. Not stored */
    int32_t *group_of;   /**< [n_species, n_type, n_condition] group or -1 */
    int64_t *type_first; /**< [n_species n_condition + 1] into type_of (scs_atlas_types) */
    int32_t *type_of;    /**< [n_group] */
    double *mean;        /**< [n_group, n_latent] mean of posterior means; 0 for held-out groups */
    double *second;      /**< [n_group, n_latent, n_latent] mean of z z'; 0 for held-out groups */
    float *gene_mean;    /**< [n_group, n_gene] mean expression, held-out groups too (for scores and
                            edit) */
    float *gene_variance; /**< [n_group, n_gene] ddof 0 */
    int32_t *deg; /**< [n_group, SCS_N_DEG] genes by |Wilcoxon z| against the group's control; -1
                     padded; all -1 for control groups and where there is no control */
    bool by_expression;       /**< closeness goes by mean expression, not by latent means */
    int32_t n_control;        /**< control groups */
    int32_t *control_at;      /**< [n_group] place of a control group among them, -1 for others */
    double *control_distance; /**< [n_control, n_control] squared, by expression; NULL: too many */
} scs_atlas;

/** Groups and their counts from the dataset; moments zeroed. */
SCS_MUST_USE scs_status scs_atlas_create(const scs_dataset *dataset, int32_t n_latent,
                                         scs_atlas **atlas);
/** The same without a dataset (for reading a file): names are copied; groups as given, checked
 * (SCS_EDATA). */
SCS_MUST_USE scs_status scs_atlas_create_from(const scs_names *species, const scs_names *cell_types,
                                              const scs_names *conditions, const scs_names *genes,
                                              int32_t control, const scs_group *group,
                                              int32_t n_group, int32_t n_latent, scs_atlas **atlas);
/** Sets *atlas to NULL; it may be NULL. Local. */
void scs_atlas_destroy(scs_atlas **atlas);
/** What was done to cells, without the dose. @return borrowed */
const scs_names *scs_atlas_perturbations(const scs_atlas *atlas);
/** A condition's perturbation: a position in scs_atlas_perturbations. Local. */
int32_t scs_atlas_perturbation(const scs_atlas *atlas, int32_t condition);
/** A condition's dose, in the unit of data.dose; 0 of the control, NaN without data.dose. Local. */
double scs_atlas_dose(const scs_atlas *atlas, int32_t condition);
/** The condition that is this perturbation at this dose (any dose without data.dose), or -1. */
int32_t scs_atlas_condition(const scs_atlas *atlas, int32_t perturbation, double dose);
/** The cell types with cells of a species and condition, ascending. @param[out] n how many
 *  @return borrowed */
const int32_t *scs_atlas_types(const scs_atlas *atlas, int32_t species, int32_t condition,
                               int32_t *n);
/** Group of (species, cell type, condition), or -1. */
int32_t scs_atlas_group(const scs_atlas *atlas, int32_t species, int32_t cell_type,
                        int32_t condition);
/** Whether no shift may look at a group: it is held out, or silent. */
bool scs_atlas_is_hidden(const scs_atlas *atlas, int32_t group);
/** The same where the group may be used: it is not held out. */
int32_t scs_atlas_usable_group(const scs_atlas *atlas, int32_t species, int32_t cell_type,
                               int32_t condition);
/** Latent mean of a group [n_latent]. */
const double *scs_atlas_group_mean(const scs_atlas *atlas, int32_t group);
/** Mean of a group's expression [n_gene]. Local. */
const float *scs_atlas_group_gene_mean(const scs_atlas *atlas, int32_t group);
/** Variance of a group's expression [n_gene], ddof 0. Local. */
const float *scs_atlas_group_gene_variance(const scs_atlas *atlas, int32_t group);
/** Its differentially expressed genes [SCS_N_DEG], best first; -1 past the last. */
const int32_t *scs_atlas_group_deg(const scs_atlas *atlas, int32_t group);

/** Encode all cells of the local shards (fixed blocks, so that bits do not depend on ranks) and
 * fill mean and second.
 *  @param shard [team->last - team->first]
 *  @param[out] z [last - first] pointers to [n_row, n_latent] per shard, allocated here, caller
 * frees each; may be NULL Collective. */
SCS_MUST_USE scs_status scs_atlas_encode(scs_atlas *atlas, const scs_model *model,
                                         const scs_dataset *dataset, const scs_shard *shard,
                                         const scs_team *team, scs_real **z);

/** Posterior means of all rows of a matrix, in blocks of a fixed size. @param[out] z [x->n_row,
 * n_latent]  @return SCS_OK or SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_atlas_encode_rows(const scs_model *model, const scs_packed *x,
                                              scs_real *z);

/** Fill mean and second from posterior means that are there already. @param z [last - first] per
 * shard [n_row, n_latent]. Collective. */
SCS_MUST_USE scs_status scs_atlas_encode_sum(scs_atlas *atlas, const scs_dataset *dataset,
                                             const scs_shard *shard, const scs_team *team,
                                             scs_real *const *z);

/** Some genes of all used cells, by gene, then group, then cell: what gene-space statistics are
 * made of. */
typedef struct scs_gene_slice {
    int32_t gene0, gene1; /**< genes [gene0, gene1) */
    int32_t n_group;      /**< groups of the atlas */
    int64_t
        *first;   /**< [(gene1 - gene0) n_group + 1] where each gene's values of each group begin */
    float *value; /**< [first's last] cells without a stored value are 0 */
} scs_gene_slice;
/** Free both arrays; zeroed is let through. Local. */
void scs_gene_moments_slice_clear(scs_gene_slice *slice);

/** gene_mean, gene_variance (columns [gene0, gene1) of every group) from a slice; sums in ascending
 * cell order in double. Local. */
SCS_MUST_USE scs_status scs_gene_moments(scs_atlas *atlas, const scs_gene_slice *slice);
/** From now on closeness goes by the control groups' mean expression, not by their latent means;
 * up to some thousands of them all distances are measured here. Local. */
SCS_MUST_USE scs_status scs_shift_measure_controls(scs_atlas *atlas);
/** Wilcoxon rank-sum z (normal approximation, tie-corrected) of every gene of the slice, each group
 * against another. Equals scanpy's rank_genes_groups(method="wilcoxon", tie_correct=True) scores.
 * Hardly more for many groups than for one.
 *  @param control [n_group] the group that each is compared with, -1: none
 *  @param[out] z [n_group, gene1 - gene0], 0 where there is none. SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_deg_wilcoxon(const scs_atlas *atlas, const scs_gene_slice *slice,
                                         const int32_t *control, double *z);
/** Better genes into a list of n_top by |z| (ties: lower gene first); genes come in ascending order
 * from call to call. @param gene0 number of the first gene
 *  @param[in,out] gene, score [n_top], -1 where there is none yet. Local. */
void scs_deg_add_genes(const double *z, int32_t n, int32_t gene0, int32_t n_top, int32_t *gene,
                       double *score);
/** The n_top genes by |z| (ties: lower gene first). @param gene0 number of the first gene
 *  @param[out] gene, score [n_top], -1 padded. Local. */
SCS_MUST_USE scs_status scs_deg_top_genes(const double *z, int32_t n, int32_t gene0, int32_t n_top,
                                          int32_t *gene, double *score);

/** The genes that move most in one direction (sign 1: up, -1: down), most first, the lower gene
 * first where equal; -1 and NaN where fewer move.
 *  @param shift [n_gene], NaN: none  @param[out] gene, value [n_top] */
SCS_MUST_USE scs_status scs_deg_top_shift(const float *shift, int32_t n_gene, int sign,
                                          int64_t n_top, int32_t *gene, float *value);

#endif
