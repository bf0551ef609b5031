/** One job: what it holds, in the order in which it comes to be. Data flows down this struct. */
#ifndef SCS_SESSION_H
#define SCS_SESSION_H

#include "mpi/job/command.h"
#include "mpi/job/preflight.h"
#include "src/screen/decode.h"
#include "src/train/state.h"
#include "scscreen/checkpoint.h"
#include "scscreen/comm.h"

typedef struct scs_session {
    const scs_cli *cli; /**< borrowed */
    scs_comm *comm;
    scs_config *config;
    scs_h5ad **meta;            /**< [config->data.n_input] */
    char **input_checksum;      /**< [config->data.n_input] */
    scs_checkpoint *checkpoint; /**< weights to take, or NULL */
    scs_state *state;           /**< where an earlier job stood, or NULL */
    double opened;              /**< when this job began, on the clock of CLOCK_MONOTONIC */
    scs_dataset *dataset;
    scs_team team;
    scs_deal *deal;
    scs_shard *shard;  /**< [team.last - team.first] */
    scs_model *model;  /**< the network; NULL where model.kind is another */
    bool model_stored; /**< this job wrote `model` to output.dir */
    scs_pca *pca;      /**< principal components where model.kind is pca */
    scs_atlas *atlas;
    scs_real **z; /**< [team.last - team.first] posterior means of the shards' cells */
} scs_session;

/** Open, do what the verb does, close. Collective. */
SCS_MUST_USE scs_status scs_session_run(const scs_cli *cli, scs_comm *comm, scs_preflight *stage);
/** Free all that comes after the dataset, so that another model can be made of it. Local. */
void scs_session_forget(scs_session *session);

/** dataset, and the contiguous part of its cells that this rank reads, normalised. Collective.
 *  @param[out] first, x  as scs_read_cells; the caller clears x, also on failure */
SCS_MUST_USE scs_status scs_session_read(scs_session *session, int64_t *first, scs_packed *x);
/** team and deal of the dataset as its roles are now. Local, alike on all ranks. */
SCS_MUST_USE scs_status scs_session_make_deal(scs_session *session);
/** dataset, team, deal, shards. Collective. */
SCS_MUST_USE scs_status scs_session_load_data(scs_session *session);

bool scs_session_leads(const scs_session *session); /**< rank 0 */
#define SCS_MODEL_FILE "model.h5"
/** The result, and what an unfinished one consists of: rows and which of them are done. */
#define SCS_SCREEN_FILE "screen.h5ad"
#define SCS_SCREEN_PART SCS_SCREEN_FILE ".part"
#define SCS_SCREEN_DONE SCS_SCREEN_FILE ".done"
/** Remove what a stopped screen left in output.dir. Rank 0 alone. Local. */
SCS_MUST_USE scs_status scs_session_remove_rows(const scs_session *session);
/** "output.dir/name". @param[out] out [size] */
SCS_MUST_USE scs_status scs_session_path(const scs_session *session, const char *name, char *out,
                                         size_t size);
/** A line on stderr from rank 0, unless --quiet. */
void scs_session_say(const scs_session *session, const char *format, ...) SCS_PRINTF(2, 3);

#endif
