/** What one process reads before MPI_Init: the config's text, and in sandboxed children the words
 * of every input file.
 *
 *  A crash of a parser on a damaged file then costs a child, not the job; the other ranks get
 * validated structs. */
#ifndef SCS_PREFLIGHT_H
#define SCS_PREFLIGHT_H

#include "mpi/job/command.h"
#include "src/base/bytes.h"
#include "src/train/state.h"
#include "scscreen/config.h"

#include <stddef.h>

enum scs_need {
    SCS_NEED_INPUTS = 1,     /**< metadata of data.inputs */
    SCS_NEED_WEIGHTS = 2,    /**< model.load, where given */
    SCS_NEED_MODEL = 4,      /**< model.load or output.dir/model.h5 */
    SCS_NEED_OUTPUT = 8,     /**< output.dir can be made and written, and is locked */
    SCS_NEED_SIMULATED = 16, /**< simulate inputs that are missing */
    SCS_NEED_STATE = 32      /**< where an earlier job stood, unless there are weights to take */
};

typedef struct scs_preflight {
    bool prepared; /**< this process did the reading */
    scs_status status;
    char message[SCS_MESSAGE_MAX];
    int lock;       /**< of output.dir, where it is written; -1: none */
    scs_bytes blob; /**< config text, inputs, checksums, checkpoint, state */
} scs_preflight;

/** Whether the launcher's variables make this process rank 0 (or say nothing). */
bool scs_preflight_is_first(void);
/** Read; the outcome is in stage->status, for the ranks to agree on. Local. */
void scs_preflight_prepare(scs_preflight *stage, const scs_cli *cli);
void scs_preflight_clear(scs_preflight *stage);

/* output.dir/training.1.h5 and training.2.h5: the two last states of a run. All functions are
 * Local. */

/** Path of file `slot` (0 or 1). @param[out] out [size] */
SCS_MUST_USE scs_status scs_preflight_state_file(const scs_config *config, int slot, char *out,
                                                 size_t size);
/** Remove both. SCS_EIO. */
SCS_MUST_USE scs_status scs_preflight_remove_states(const scs_config *config);

#endif
