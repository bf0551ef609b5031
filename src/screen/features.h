/** screen.perturbation_features: what is known of perturbations beside their effects, from which
 * like ones are told. All functions are Local.
 *
 *      perturbation <tab> x1 <tab> x2 ...       a row of column names
 *      drug_1       <tab> 0.3 <tab> -1  ...     then a perturbation and its numbers
 *
 *  Every column is divided by its standard deviation over the table's rows; one that does not vary
 *  tells nothing. Lines may end in \r\n; empty lines are skipped.
 */
#ifndef SCS_FEATURES_H
#define SCS_FEATURES_H

#include "scscreen/latent.h"

/** A table that was read. */
typedef struct scs_features {
    scs_names name; /**< perturbations, each once */
    int32_t n_column;
    char *title;   /**< what the first line calls the column of names */
    double *value; /**< [name.n, n_column] as they are written */
    double *sd;    /**< [n_column] over rows */
} scs_features;

/** @return SCS_EDATA, "FILE:LINE: ...": no table, not as many numbers as columns, no number, a
 * perturbation that stands there twice; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_features_read(const char *path, scs_features **features);
/** Sets *features to NULL; it may be NULL. */
void scs_features_destroy(scs_features **features);

/** The table's perturbations that no cell shows become conditions of the atlas, without groups. Not
 * with data.dose, where a condition has a dose.  @param[out] n how many */
SCS_MUST_USE scs_status scs_features_add_unseen(const scs_features *features, scs_atlas *atlas,
                                                int32_t *n);
/** Squared distances between the atlas' perturbations; a pair that has no row is the sum of its
 * two.
 *  @param separator of pairs  @param[out] distance [n, n]; 0 to control
 *  @return SCS_EDATA: one that cells show is not in the table, or none is */
SCS_MUST_USE scs_status scs_features_distance(const scs_features *features, const char *path,
                                              const scs_atlas *atlas, const char *separator,
                                              double *distance);
/** The checksum becomes that of itself and the file. @param[in,out] checksum [SCS_CHECKSUM_MAX] */
SCS_MUST_USE scs_status scs_features_checksum(const char *path, char *checksum);

#endif
