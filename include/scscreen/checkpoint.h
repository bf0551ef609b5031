/** model.h5: weights by state_dict name, genes, the latent atlas, the config. Saved atomically,
 * read through h5safe. All functions are Local. */
#ifndef SCSCREEN_CHECKPOINT_H
#define SCSCREEN_CHECKPOINT_H

#include "scscreen/latent.h"

/** What a model file says in words and shapes; read in the sandbox, before MPI_Init. */
typedef struct scs_checkpoint {
    char *path;
    int64_t hidden, layers, latent; /**< from the tensors' shapes */
    scs_names genes;                /**< var_names */
    bool has_atlas;
    scs_names species, cell_types, conditions;
    int32_t control, n_group;
    scs_group *group;
    char *config;    /**< YAML of the run that made it, "" if none */
    int32_t profile; /**< scs_profile; scgen2 if the file does not say */
} scs_checkpoint;

/** Also reads files that hold only `state_dict/` and `var_names`, as scGen's weights exported by
 * name do. SCS_EDATA when it is no model file (names what is missing). */
SCS_MUST_USE scs_status scs_checkpoint_probe(const char *path, scs_checkpoint **checkpoint);
SCS_MUST_USE scs_status scs_checkpoint_pack(const scs_checkpoint *checkpoint, uint8_t **blob,
                                            int64_t *size);
SCS_MUST_USE scs_status scs_checkpoint_unpack(const uint8_t *blob, int64_t size,
                                              scs_checkpoint **checkpoint);
void scs_checkpoint_destroy(scs_checkpoint **checkpoint);

/** Numbers into a model whose arch matches and, if both are there, an atlas made by
 * scs_atlas_create_from. SCS_EDATA names a tensor that is missing or has the wrong shape, or a NaN.
 */
SCS_MUST_USE scs_status scs_checkpoint_read(const scs_checkpoint *checkpoint, scs_model *model,
                                            scs_atlas *atlas);
/** Write model, atlas (may be NULL) and config text to path: temp file, checked write, fsync,
 * verified, renamed.
 *  @param genes [arch.n_gene] */
SCS_MUST_USE scs_status scs_checkpoint_save(const char *path, const scs_model *model,
                                            const scs_names *genes, const scs_atlas *atlas,
                                            const char *config_yaml, int profile);

#endif
