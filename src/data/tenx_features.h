/** The features of a 10x matrix, and which of them are genes. All functions are Local; SCS_ENOMEM.
 */
#ifndef SCS_TENX_FEATURES_H
#define SCS_TENX_FEATURES_H

#include "src/base/names.h"
#include "src/data/h5ad.h"

/** What is known of all features, in the file's order. Lists that the file lacks are empty. */
typedef struct scs_tenx_features {
    scs_names name, type, genome;
} scs_tenx_features;

/** Free what it holds. */
void scs_tenx_features_clear(scs_tenx_features *features);
/** The genes are the features of type "Gene Expression", and of the genome: fills genes, n_var,
 *  n_column, gene and note.
 *  @param path for messages  @param genome NULL: any
 *  @param[in,out] meta n_var is the number of features before
 *  @return SCS_EDATA where none is, with the types or genomes that there are */
SCS_MUST_USE scs_status scs_tenx_features_take(const char *path, const scs_tenx_features *features,
                                               const char *genome, scs_h5ad *meta);

#endif
