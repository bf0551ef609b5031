/** Weighted sums of very many groups' values, where the mixed model's weights have a form
 *  (mixed_blocks.c): t, a number for each context, says the weights of all shifts but those of the
 *  target's own perturbation. With Y the shifts' values and the same letters as there
 *
 *      sum over groups = t'(Z'R^-1 Y) + r'(values)
 *
 *  where r, what is left of the weights, has only the control groups and those of the target's
 *  perturbation. The first matrix is made once; then a sum takes 2 contexts x values and what its
 *  perturbation's groups take, however many groups there are. All functions are Local.
 */
#ifndef SCS_MIXED_SUMS_H
#define SCS_MIXED_SUMS_H

#include "src/screen/mixed_atlas.h"

/** One target's weights, taken apart. */
typedef struct scs_mixed_split {
    double *share;           /**< [2 contexts] t, then r of the control groups */
    int32_t n_group, *group; /**< [n_group] r's other groups */
    double *weight;          /**< [n_group] */
    int32_t capacity;
} scs_mixed_split;
/** Sources that do not have the form are all of them r.
 *  @param mixed which weighs all  @param target whose sources they are
 *  @param[in,out] split zeroed or of an earlier target; the caller clears it  @return SCS_ENOMEM */
SCS_MUST_USE scs_status scs_mixed_sums_split(const scs_mixed_atlas *mixed, const scs_atlas *atlas,
                                             const scs_combination *target,
                                             const scs_sources *sources, scs_mixed_split *split);
/** Also one that was made in part. */
void scs_mixed_sums_clear_split(scs_mixed_split *split);

/** Values of groups, floats or doubles: the other is NULL. */
typedef struct scs_group_values {
    const float *f;  /**< [n_group, n_column] */
    const double *d; /**< [n_group, n_column] */
    int32_t n_column;
} scs_group_values;
typedef struct scs_mixed_sums scs_mixed_sums;
/** @param values borrowed  @param[out] sums the caller destroys it  @return SCS_ENOMEM */
SCS_MUST_USE scs_status scs_mixed_sums_create(const scs_mixed_atlas *mixed,
                                              const scs_group_values *values,
                                              scs_mixed_sums **sums);
/** Sets *sums to NULL; it may be NULL. */
void scs_mixed_sums_destroy(scs_mixed_sums **sums);
/** The sums of n targets. @param split [n]  @param[out] sum [n, n_column]  @return SCS_ENOMEM */
SCS_MUST_USE scs_status scs_mixed_sums_make(const scs_mixed_sums *sums,
                                            const scs_mixed_split *split, int64_t n, double *sum);

#endif
