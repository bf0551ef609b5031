/** One job: what it holds, in the order in which it comes to be. Data flow down this struct: config
 * and metadata (read by one process before MPI_Init), dataset, deal, shards, model, atlas. Every
 * verb that runs on all ranks gets one and fills as much of it as it needs.
 *
 *  Who fills what:
 *      session_open (session.c)         config, meta, checkpoint, state, cell_names, from
 *      scs_session_load_data            dataset, input_checksum, team, deal, shard
 *      scs_session_model_make           model or pca, and the atlas that a checkpoint has
 *      scs_train_run                    the weights of model
 *      scs_session_model_make_atlas     atlas, z
 *
 *  Alike on all ranks: config, meta, checksums, dataset, deal, model and atlas. Each rank's own:
 *  shard and z. Everything from config on is owned by the session and freed when the verb returns.
 *
 *  Functions return a status that is the same on all ranks where they are Collective.
 */
#ifndef SCS_SESSION_H
#define SCS_SESSION_H

#include "mpi/data/cell_stream.h"
#include "mpi/job/command.h"
#include "mpi/job/preflight.h"
#include "src/data/latent_file.h"
#include "src/screen/decode.h"
#include "src/screen/mixed_atlas.h"
#include "src/train/state.h"
#include "scscreen/checkpoint.h"
#include "scscreen/comm.h"

typedef struct scs_session {
    const scs_cli *cli; /**< borrowed */
    scs_comm *comm;     /**< all ranks of the job, or of one model's group (crossval); borrowed */
    scs_preflight *preflight;   /**< borrowed */
    scs_config *config;         /**< effective: the file with --set applied */
    scs_h5ad **meta;            /**< [config->data.n_input] metadata of each input, validated; NULL
                                   where it is not made yet (SCS_NEED_FORESEEN) */
    scs_names notes;            /**< what there is to say of how they were described */
    char **input_checksum;      /**< [config->data.n_input] of each file's bytes */
    scs_checkpoint *checkpoint; /**< weights to take, or NULL */
    scs_state *state;           /**< where an earlier job stood, or NULL */
    scs_names *cell_names;      /**< [config->data.n_input] of each input's cells, or NULL */
    scs_h5ad *from;             /**< of predict.from, or NULL */
    scs_names from_names;       /**< of its cells */
    scs_latent_file latent;     /**< description of decode.from; empty where it is not needed */
    double opened;              /**< when this job began, by scs_clock */
    scs_dataset *dataset;       /**< labels and roles of all cells, genes in common */
    bool controls_decide;   /**< a median target_sum, data.n_top_genes and data.min_cells look at
                               control cells alone: no model of a grid holds them out (validate) */
    double scaled_to;       /**< counts that cells were scaled to; 0: they were not */
    scs_team team;          /**< this rank's range of shards, and the hooks */
    scs_deal *deal;         /**< which cell is in which shard */
    scs_shard *shard;       /**< [team.last - team.first] expression of this rank's cells; without
                                 rows where they are streamed */
    bool streams;           /**< train.data: stream: cells come from `stream` */
    scs_cell_stream stream; /**< of the shards' cells; zeroed where they are in memory */
    int asked_normalize;    /**< data.normalize of the config, before the values were seen */
    int64_t n_value;        /**< that were read and judged of streamed inputs; 0: not all yet */
    scs_model *model;       /**< the network; NULL where model.kind is another */
    bool model_stored;      /**< this job wrote `model` to output.dir */
    scs_pca *pca;           /**< principal components where model.kind is pca */
    scs_atlas *atlas;       /**< group means; NULL until made, or read from the checkpoint */
    scs_mixed_atlas *mixed; /**< of its shifts, where a rule of screen.shift needs it */
    scs_method *chosen;     /**< what screen.shift: auto came to, once it has */
    scs_correction *correction; /**< of the changes by it, once it is fitted */
    scs_real **z; /**< [team.last - team.first] posterior means of the shards' cells */
} scs_session;

/** Open, do what the verb does, close; also after a failure. Collective.
 *  @param preflight what rank 0 has read; its blob is broadcast, and lies on every rank afterwards
 *  @return the verb's status; SCS_EARG, SCS_EDATA, SCS_ECREATE or SCS_EIO of the reading before */
SCS_MUST_USE scs_status scs_session_run(const scs_cli *cli, scs_comm *comm,
                                        scs_preflight *preflight);
/** Free all that comes after the dataset, so that another model can be made of it. Local. */
void scs_session_forget(scs_session *session);

/** input_checksum, of which each rank hashes a part; reading does it. Before ranks are split into
 * groups, as all of them take part. SCS_EDATA where a file cannot be read, SCS_EIO,
 * SCS_ENOMEM. Collective over the ranks of the job. */
SCS_MUST_USE scs_status scs_session_checksums(scs_session *session);
/** dataset, the contiguous part of the cells that this rank reads, normalised, and the inputs'
 * checksums. SCS_EDATA,
 * SCS_EARG (labels, genes, hold_out that do not fit), SCS_EIO, SCS_ENOMEM. Collective.
 *  @param[out] first, x as scs_read_cells; the caller clears x, also on failure */
SCS_MUST_USE scs_status scs_session_read(scs_session *session, int64_t *first, scs_packed *x);
/** scs_dataset_checksum of the session's data, which a state or a stopped screen belongs to. Where
 * the inputs have not been hashed yet (a stream that has not gone through them), "stat-" and one of
 * their sizes, times of change and some of their bytes: told from the other by
 * scs_session_is_quick. Rank 0. SCS_EDATA. Local. @param[out] out [SCS_CHECKSUM_MAX] */
SCS_MUST_USE scs_status scs_session_data_checksum(const scs_session *session, char *out);
/** Whether a checksum is of the second kind. Local. */
bool scs_session_is_quick(const char *checksum);
/** team and deal of the dataset as its roles are now. A saved state's number of shards wins over
 * train.shards. SCS_EARG: fewer shards than ranks, or more than cells. Local, alike on all ranks.
 */
SCS_MUST_USE scs_status scs_session_make_deal(scs_session *session);
/** dataset, team, deal, shards: all that verbs have in common. Errors as the two above. Collective.
 */
SCS_MUST_USE scs_status scs_session_load_data(scs_session *session);

/** Rank 0, which decides and writes what only one can. Local. */
bool scs_session_leads(const scs_session *session); /**< rank 0 */
/** Remove what a stopped screen left in output.dir; nothing there is no error. SCS_EIO. Rank 0
 * alone. Local. */
SCS_MUST_USE scs_status scs_session_remove_rows(const scs_session *session);
/** "output.dir/name". SCS_EARG where it is longer than `size`. Local, alike on all ranks.
 *  @param[out] out [size] */
SCS_MUST_USE scs_status scs_session_path(const scs_session *session, const char *name, char *out,
                                         size_t size);
/** A line on stderr from rank 0, unless --quiet. Local, called anywhere. */
void scs_session_say(const scs_session *session, const char *format, ...) SCS_PRINTF(2, 3);

#endif
