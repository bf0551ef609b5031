/** What one process reads before MPI_Init: the config's text, and in sandboxed children the words
 * of every input file.
 *
 *  A crash of a parser on a damaged file then costs a child, not the job; the other ranks get
 * validated structs. */
#ifndef SCS_STAGE_H
#define SCS_STAGE_H

#include "mpi/cli.h"
#include "src/bytes.h"

enum scs_need {
    SCS_NEED_INPUTS = 1,     /**< metadata of data.inputs */
    SCS_NEED_WEIGHTS = 2,    /**< model.load, where given */
    SCS_NEED_MODEL = 4,      /**< model.load or output.dir/model.h5 */
    SCS_NEED_OUTPUT = 8,     /**< output.dir can be made and written */
    SCS_NEED_SIMULATED = 16, /**< simulate inputs that are missing */
    SCS_NEED_STATE = 32      /**< where an earlier job stood, unless there are weights to take */
};

typedef struct scs_stage {
    bool prepared; /**< this process did the reading */
    scs_status status;
    char message[SCS_MESSAGE_MAX];
    scs_bytes blob; /**< config text, inputs, checksums, checkpoint, state */
} scs_stage;

/** Whether the launcher's variables make this process rank 0 (or say nothing). */
bool scs_stage_is_first(void);
/** Read; the outcome is in stage->status, for the ranks to agree on. Local. */
void scs_stage_prepare(scs_stage *stage, const scs_cli *cli);
void scs_stage_clear(scs_stage *stage);

#endif
