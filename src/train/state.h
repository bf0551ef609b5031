/** training.1.h5, training.2.h5: the state of a training run, what the same command needs to go
 *  on, on any number of ranks.
 *
 *  It holds the weights, the running statistics of batch norm, Adam's moments, the best epoch's
 *  weights and where the run stands (scs_position). No generator of random numbers has a state:
 *  each number is f(seed, purpose, epoch, cell, unit). No file is of a rank and nothing in it says
 *  how many there were: moments, of which each rank holds slices, are stored whole. So a run that
 *  goes on ends in the bytes of one that was never interrupted.
 *
 *  A file of ours begins with a checksum of all the rest (checksum.h), and each vector carries its
 * own SHA-256 as well: when it is saved, to compare what was read back with what was meant to be
 * written. Two files take turns, so that a failed save leaves the one before it.
 */
#ifndef SCS_STATE_H
#define SCS_STATE_H

#include "src/base/checksum.h"
#include "src/hdf5/h5read.h"
#include "src/train/train_internal.h"
#include "scscreen/train.h"

/** What the file says in words and single numbers; all texts are owned. The long vectors stay in
 *  the file until scs_state_load. */
struct scs_state {
    char *path;
    scs_position position;
    int64_t n_shard, n_param, n_running; /**< of the run that made it: the shards and the sizes of
                                            its vectors, which another run must have too */
    char *config;                        /**< YAML of the run that made it */
    char *data;                          /**< scs_dataset_checksum of its data */
    char *program;                       /**< version and commit */
};

/** Write facts->path. Every rank takes part in gathering the moments; rank 0 alone writes: a
 *  temporary file, synced, read back, compared, renamed. Overwrites trainer->grad[0].
 *  @param facts path, position, config, data and program; sizes are taken from the training
 *  @return SCS_OK; SCS_ECREATE or SCS_EIO (the older file stays); SCS_ENUMERIC for a NaN or Inf
 *  in what was to be saved, which never takes the place of a good state. The same on all ranks.
 *  Collective. */
SCS_MUST_USE scs_status scs_state_save(scs_training *training, const scs_state *facts);
/** Give a training run, just created, the vectors and the position of the file.
 *  @param state of scs_state_probe
 *  @return SCS_OK; SCS_EDATA for another network, other shards or a damaged vector; SCS_ENUMERIC
 *  for a NaN or Inf. The same on all ranks. Collective. */
SCS_MUST_USE scs_status scs_state_load(scs_training *training, const scs_state *state);

/** The words of a file, read in the sandbox after its checksum was compared.
 *  @param[out] state destroyed by the caller; NULL after a failure
 *  @return SCS_OK; SCS_EDATA where it is damaged, unreadable or no state; SCS_ENOMEM. Local,
 *  before MPI_Init. */
SCS_MUST_USE scs_status scs_state_probe(const char *path, scs_state **state);
/** As one block of bytes, to be sent to the other ranks. @param[out] blob [size] malloc'ed, the
 *  caller frees it. SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_state_pack(const scs_state *state, uint8_t **blob, int64_t *size);
/** The reverse, with every number checked (SCS_EDATA). @param[out] state as of probe. Local. */
SCS_MUST_USE scs_status scs_state_unpack(const uint8_t *blob, int64_t size, scs_state **state);
/** Sets *state to NULL; it may be NULL. Local. */
void scs_state_destroy(scs_state **state);

#endif
