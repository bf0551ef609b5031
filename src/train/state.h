/** The state of a training run as a file: what the same command needs to go on, on any number of
 * ranks. Sealed (src/seal.h), and each vector carries its own SHA-256 as well. */
#ifndef SCS_STATE_H
#define SCS_STATE_H

#include "src/base/checksum.h"
#include "src/hdf5/h5read.h"
#include "src/train/train_internal.h"
#include "scscreen/train.h"

/** What the file says in words and single numbers. */
struct scs_state {
    char *path;
    scs_position position;
    int64_t n_shard, n_param, n_running;
    char *config;  /**< YAML of the run that made it */
    char *data;    /**< scs_dataset_checksum of its data */
    char *program; /**< version and commit */
};

/** Write path. Rank 0 writes what all ranks gather, slice by slice; temp file, read back, renamed.
 * Collective.
 *  @param facts path, position, config, data and program; sizes are taken from the training */
SCS_MUST_USE scs_status scs_state_save(scs_training *training, const scs_state *facts);
/** Give a training run, just created, the state of the file. SCS_EDATA. Collective. */
SCS_MUST_USE scs_status scs_state_load(scs_training *training, const scs_state *state);

/** The words of a file, read in the sandbox after its checksum was compared. SCS_EDATA. Local. */
SCS_MUST_USE scs_status scs_state_probe(const char *path, scs_state **state);
SCS_MUST_USE scs_status scs_state_pack(const scs_state *state, uint8_t **blob,
                                       int64_t *size); /**< Local. */
SCS_MUST_USE scs_status scs_state_unpack(const uint8_t *blob, int64_t size,
                                         scs_state **state); /**< Local. */
void scs_state_destroy(scs_state **state);                   /**< Local. */

#endif
