/** What one process reads before MPI_Init: the config's text and, in sandboxed children, the
 * metadata of every input file, of the checkpoint and of a saved state.
 *
 *  Before, because a forked child of a process that runs MPI is not safe to use, and because a
 *  parser that crashes or hangs on a damaged file then costs a child, not the job. The parent gets
 *  a plain validated struct through a pipe; the other ranks get it as bytes (mpi/job/session.c).
 *  Arrays of numbers are read later, by all ranks.
 *
 *  All functions are Local.
 */
#ifndef SCS_PREFLIGHT_H
#define SCS_PREFLIGHT_H

#include "mpi/job/command.h"
#include "src/base/bytes.h"
#include "src/data/obs_table.h"
#include "src/data/tenx_mtx.h"
#include "src/train/state.h"
#include "scscreen/config.h"

#include <stddef.h>
#include <sys/stat.h>

/* Files of output.dir. */
#define SCS_MODEL_FILE "model.h5"
/** The result, and what an unfinished one consists of: rows, and which of them are done. */
#define SCS_SCREEN_FILE "screen.h5ad"
#define SCS_SCREEN_PART SCS_SCREEN_FILE ".part"
#define SCS_SCREEN_DONE SCS_SCREEN_FILE ".done"
#define SCS_VALIDATION_FILE "validation.tsv"
#define SCS_VERDICT_FILE "validation.txt"
#define SCS_PCA_FILE "pca.h5ad"
#define SCS_CELLS_FILE "cells.h5ad"
#define SCS_LATENT_FILE "latent.h5ad"
#define SCS_DECODED_FILE "decoded.h5ad"
#define SCS_INTEGRATED_FILE "integrated.h5ad"
#define SCS_INTERPOLATION_FILE "interpolation.h5ad"

/** Files that make up one input, at most: those of a 10x folder. */
enum { SCS_INPUT_FILES = SCS_TENX_MTX_FILES };

/** What a verb wants to have read: bits of scs_verb.needs. */
enum scs_need {
    SCS_NEED_INPUTS = 1,      /**< metadata of data.inputs */
    SCS_NEED_WEIGHTS = 2,     /**< model.load, where given */
    SCS_NEED_MODEL = 4,       /**< model.load or output.dir/model.h5 */
    SCS_NEED_OUTPUT = 8,      /**< output.dir can be made and written, and is locked: SCS_ECREATE
                                 where another job works there, or has just finished there */
    SCS_NEED_SIMULATED = 16,  /**< simulate inputs that are missing */
    SCS_NEED_STATE = 32,      /**< where an earlier job stood, unless there are weights to take */
    SCS_NEED_CELL_NAMES = 64, /**< names of the inputs' cells */
    SCS_NEED_PAIR = 128,     /**< metadata of the command line's two files, which are data.inputs */
    SCS_NEED_FORESEEN = 256, /**< output.dir could be made, written and locked, and nothing is;
                                simulate inputs may be missing, and then have no metadata */
    SCS_NEED_FROM = 512,     /**< metadata and names of the cells of predict.from, where given */
    SCS_NEED_OBS = 1024,     /**< all of the inputs' obs, on rank 0 alone */
    SCS_NEED_LATENT = 2048   /**< decode.from described, and its obs on rank 0 alone */
};

/** What was read, and how that went. Owned by main, from before MPI_Init to the end. */
typedef struct scs_preflight {
    bool prepared;                 /**< this process did the reading */
    scs_status status;             /**< of the reading; reported once the ranks can agree on it */
    char message[SCS_MESSAGE_MAX]; /**< where status is not SCS_OK */
    int lock;                      /**< of output.dir, where it is written; -1: none */
    /** [n_input] each one's files before they were read, on the process that read */
    struct stat (*input)[SCS_INPUT_FILES];
    int32_t n_input;
    scs_obs_table *obs; /**< [n_obs] of the inputs, or of decode.from; on the process that read */
    int32_t n_obs;
    scs_bytes blob; /**< text of the config; data.inputs and data.labels, settled; each input,
                       packed; notes; checkpoint; state; each input's names of cells, and the file
                       of predict.from with its names, and the description of decode.from, where
                       they are needed. Each packed block after its size, 0 for none */
} scs_preflight;

/** Whether the launcher's variables make this process rank 0, or say nothing (a single process). To
 * be asked before MPI_Init, which sets some of them. */
bool scs_preflight_is_first(void);
/** Read what cli->verb needs. The outcome is in ->status: SCS_EARG (config, other config than the
 * state's), SCS_EDATA (damaged or missing input), SCS_ECREATE (output.dir), SCS_EIO, SCS_ENOMEM. */
void scs_preflight_prepare(scs_preflight *preflight, const scs_cli *cli);
/** Whether the inputs are still the files whose labels were read; to be asked once their values are
 * and their checksums. SCS_EDATA names the first that is not; SCS_OK on other processes. */
SCS_MUST_USE scs_status scs_preflight_check_inputs(const scs_preflight *preflight,
                                                   const scs_config *config);
/** Free the blob, stop what is still at work, and unlock output.dir. */
void scs_preflight_clear(scs_preflight *preflight);

/* output.dir/training.1.h5 and training.2.h5: the two last states of a run, written in turn. */

/** Path of file `slot` (0 or 1). SCS_EARG where it is longer than `size`. @param[out] out [size] */
SCS_MUST_USE scs_status scs_preflight_state_file(const scs_config *config, int slot, char *out,
                                                 size_t size);
/** Remove both, and what a killed save left of them; nothing there is no error. SCS_EIO. */
SCS_MUST_USE scs_status scs_preflight_remove_states(const scs_config *config);

#endif
