/** model.h5: weights by state_dict name, genes, the latent atlas, the config.
 *
 *  Saved atomically; read like any untrusted file: structure in the sandbox, numbers afterwards. A
 *  file says nothing about the number of ranks that wrote it. All functions are Local.
 */
#ifndef SCSCREEN_CHECKPOINT_H
#define SCSCREEN_CHECKPOINT_H

#include "scscreen/latent.h"

/** What a model file says in words and shapes; read in the sandbox, before MPI_Init. Owned. */
typedef struct scs_checkpoint {
    char *path;
    int64_t hidden, layers, latent; /**< from the tensors' shapes */
    scs_names genes;                /**< var_names */
    bool has_atlas;
    scs_names species, cell_types, conditions;
    int32_t control, n_group;
    scs_group *group;
    scs_names inputs; /**< checksums of the inputs it was made from; none if it does not say */
    char *config;     /**< YAML of the run that made it, "" if none */
    int32_t profile;  /**< scs_profile; scgen2 if the file does not say */
} scs_checkpoint;

/** Also reads files that hold only `state_dict/` and `var_names`, as scGen's weights exported by
 *  name do.
 *  @param[out] checkpoint caller destroys; NULL after an error
 *  @return SCS_EDATA when it is no model file (names what is missing), SCS_ENOMEM */
SCS_MUST_USE scs_status scs_checkpoint_probe(const char *path, scs_checkpoint **checkpoint);
/** As one flat block of bytes, for the other ranks.
 *  @param[out] blob [size] malloc'ed, caller frees  @return SCS_ENOMEM */
SCS_MUST_USE scs_status scs_checkpoint_pack(const scs_checkpoint *checkpoint, uint8_t **blob,
                                            int64_t *size);
/** And back, every length checked.
 *  @param[out] checkpoint caller destroys; NULL after an error  @return SCS_EDATA, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_checkpoint_unpack(const uint8_t *blob, int64_t size,
                                              scs_checkpoint **checkpoint);
/** Sets *checkpoint to NULL; it may be NULL. */
void scs_checkpoint_destroy(scs_checkpoint **checkpoint);

/** Numbers into a model whose arch matches and, if both are there, an atlas made by
 *  scs_atlas_create_from.
 *  @param atlas or NULL
 *  @return SCS_EDATA names a tensor that is missing or has the wrong shape, or a NaN */
SCS_MUST_USE scs_status scs_checkpoint_read(const scs_checkpoint *checkpoint, scs_model *model,
                                            scs_atlas *atlas);
/** Write model, atlas (may be NULL) and config text to path: temp file, checked write, fsync,
 *  verified, renamed. What stood at path stays until the new file is whole.
 *  @param genes [arch.n_gene]
 *  @return SCS_ECREATE, SCS_EIO: nothing is left behind; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_checkpoint_save(const char *path, const scs_model *model,
                                            const scs_names *genes, const scs_atlas *atlas,
                                            const scs_names *inputs, const char *config_yaml,
                                            int profile);

#endif
