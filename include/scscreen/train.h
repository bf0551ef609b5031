/** Training: epochs, steps, validation, early stopping. */
#ifndef SCSCREEN_TRAIN_H
#define SCSCREEN_TRAIN_H

#include "scscreen/model.h"
#include "scscreen/shard.h"

/** One line of events.jsonl. Per-cell means over all shards. */
typedef struct scs_epoch {
    int64_t epoch, epochs, step; /**< epoch from 1; optimiser steps so far */
    double objective, reconstruction,
        kl;            /**< training: 0.5 SSE + weighted KL; SSE; unweighted KL */
    double validation; /**< validation objective (NaN without validation cells) */
    double monitored;  /**< what early stopping looks at */
    bool best;         /**< the best epoch so far */
    double seconds;    /**< of this epoch; rank 0's clock */
    int64_t cells;     /**< trained on in this epoch, all ranks */
} scs_epoch;

/** Where training stands between two steps: everything but the long vectors. */
typedef struct scs_position {
    int64_t epoch;      /**< from 1; the epochs before it are complete */
    int64_t at;         /**< steps of this epoch that are done */
    int64_t step;       /**< optimiser steps so far */
    scs_loss sum;       /**< of this epoch so far */
    double seconds;     /**< of this epoch so far, in earlier jobs too */
    int64_t best_epoch; /**< 0: none yet */
    double best;        /**< its monitored value */
} scs_position;

/** The state of a run as a file keeps it (src/train/state.h). */
typedef struct scs_state scs_state;
/** A training run between two steps, as scs_state_save takes it. */
typedef struct scs_training scs_training;
struct scs_train_options; /* src/config/profile.h */

/** What a rank wants after the step under way; bits. */
enum { SCS_REQUEST_SAVE = 1, SCS_REQUEST_STOP = 2 };

/** How the state is kept. Any function may be NULL. */
typedef struct scs_keep {
    void *ctx;
    /** Asked once a step on every rank; the requests travel with the sum of the losses. Local. */
    int (*request)(void *ctx);
    /** Some rank asked for it, or training is over (`requests` is 0). A failure, also SCS_ESTOP,
     * ends training. Called alike on every rank. Collective. */
    scs_status (*save)(void *ctx, scs_training *training, const scs_position *position,
                       int requests);
} scs_keep;

/** What is told of a run. Any member may be NULL. Called alike on every rank, except `progress`
 * (rank 0 only), which is told the mean objective of the epoch so far and the cells done and to be
 * done over all epochs. */
typedef struct scs_watch {
    void *ctx;
    void (*progress)(void *ctx, int64_t epoch, int64_t epochs, int64_t step_in_epoch, int64_t steps,
                     double objective, int64_t cells_done, int64_t cells_all);
    scs_status (*epoch_end)(void *ctx, const scs_epoch *report); /**< a failure stops training */
    scs_keep keep;
} scs_watch;

/** A way through cells that are on disk. */
typedef enum scs_feed_pass {
    SCS_FEED_SAMPLE, /**< the cells that an epoch begins with, of every role: once */
    SCS_FEED_TRAIN,  /**< the training cells in the order of an epoch, by steps */
    SCS_FEED_VALID,  /**< the validation cells in a fixed order */
    SCS_FEED_ALL     /**< all used cells in a fixed order */
} scs_feed_pass;

/** Some of a shard's cells, in memory. Borrowed until the feed is asked again. */
typedef struct scs_feed_rows {
    const scs_packed *x;
    const int64_t *cell; /**< [n] global numbers of x's rows */
    const int64_t *row;  /**< [n] their numbers in the shard, ascending */
    int64_t n;
} scs_feed_rows;

/** Cells that do not stand in memory but come as they are needed. All functions are Collective but
 * `rest`, and called alike on every rank: begin, then next until there are no more (or batch for
 * ascending steps), then end. */
typedef struct scs_feed {
    void *ctx;
    /** @param epoch from 1; of SCS_FEED_SAMPLE and SCS_FEED_TRAIN  @param per_step cells of each
     * shard that a step takes, of SCS_FEED_TRAIN */
    scs_status (*begin)(void *ctx, int pass, int64_t epoch, int32_t per_step);
    /** The next cells of every shard of this rank. @param[out] rows [n_local]
     *  @param[out] more false: there were none, and rows are empty */
    scs_status (*next)(void *ctx, scs_feed_rows *rows, bool *more);
    /** Those of step `at` of the epoch. @param[out] batch [n_local] */
    scs_status (*batch)(void *ctx, int64_t at, scs_batch *batch);
    scs_status (*end)(void *ctx);
    /** No file is being read until the next call: others may be written. Local. */
    void (*rest)(void *ctx);
} scs_feed;

typedef struct scs_outcome {
    int64_t epochs, steps, best_epoch;
    double best; /**< monitored value of the best epoch */
    bool stopped_early;
} scs_outcome;

/** Steps of an epoch, and what scs_train refuses before the first of them: SCS_EARG, SCS_EDATA.
 * Local. */
SCS_MUST_USE scs_status scs_train_plan(const struct scs_train_options *options,
                                       const scs_deal *deal, int64_t *steps);

/** Train in place; afterwards the model holds the best epoch's weights (monitor objective) or the
 * last (reference).
 *
 *  A step takes batch / V cells of each shard (SCS_EARG unless V divides the batch; the message
 * names the nearest that fits); the last, smaller batch of an epoch is used when it has at least 3
 * cells. Every random number is f(seed, purpose, epoch, cell, unit). A NaN or Inf objective is
 * SCS_ENUMERIC with the step's number, on all ranks.
 *  @param resume where an earlier run stood (scs_state_probe), or NULL; training then ends in the
 * bytes of a run that was never interrupted, on any number of ranks
 *  @param shard [team->last - team->first]  Collective. */
SCS_MUST_USE scs_status scs_train(const scs_config *config, scs_model *model,
                                  const scs_shard *shard, const scs_deal *deal,
                                  const scs_team *team, const scs_watch *watch,
                                  const scs_state *resume, scs_outcome *outcome);
/** The same of cells that come from a feed: in other words the shards have no rows. What scs_train
 * takes from all cells before it begins (output biases at the genes' means, density) is that of the
 * feed's sample. @param shard their counts and cells alone are looked at  Collective. */
SCS_MUST_USE scs_status scs_train_streamed(const scs_config *config, scs_model *model,
                                           const scs_feed *feed, const scs_shard *shard,
                                           const scs_deal *deal, const scs_team *team,
                                           const scs_watch *watch, const scs_state *resume,
                                           scs_outcome *outcome);

#endif
