/** Cells that stay on disk and go to their shards window by window, for training and for what
 *  follows from all cells.
 *
 *  A pass goes through the windows of src/data/windows.h. Of each window every rank reads some
 *  blocks (src/data/block_reader.h), in a thread, while the window before is worked on; then the
 *  rows go to the ranks whose shards they belong to. A shard's rows of the window are in memory
 *  then, in an order that the pass gives them; those of the window before are gone, but for cells
 *  that a step has left over.
 *
 *  Which rows come when depends on seed, epoch and shard, never on ranks. Each pass reads and
 *  checks all blocks. The first complete one also judges all values: `complete` is called at its
 *  end.
 *
 *  Memory, over all ranks: a window that is worked on and one that is read ahead, in packed rows,
 *  some megabytes of messages; and on each rank 12 bytes a block, 8 bytes a cell of its own.
 */
#ifndef SCS_CELL_STREAM_H
#define SCS_CELL_STREAM_H

#include "src/data/block_reader.h"
#include "src/data/windows.h"
#include "scscreen/comm.h"
#include "scscreen/train.h"

/** A shard's rows that are in memory. */
typedef struct scs_stream_pool {
    int64_t *row;    /**< [rows of the pass] the pass' rows of the shard, in its order; owned */
    int64_t *first;  /**< [n_window + 1] where each window's begin; owned */
    int64_t lo, hi;  /**< those in memory: row[lo] to row[hi - 1] are rows 0 to hi - lo - 1 of x */
    scs_packed x;    /**< owned */
    int64_t *cell;   /**< [hi - lo] their global numbers; owned */
    int64_t *number; /**< [hi - lo] 0, 1, ...: what batches point into; owned */
} scs_stream_pool;

/** Made by scs_cell_stream_open. */
typedef struct scs_cell_stream {
    scs_comm *comm; /**< borrowed, as all up to shard */
    const scs_dataset *dataset;
    const scs_deal *deal;
    const scs_team *team;
    const scs_shard *shard; /**< [n_local] without rows: numbers and cells */
    int64_t seed;           /**< of the epochs' order */
    double target;          /**< counts that cells are scaled to before log1p; 0: they are not */
    void *ctx;              /**< of `complete` */
    /** At the end of the first pass that went through all blocks, or NULL. Collective.
     *  @param scale [n_input] of all values, over all ranks  @param n_value how many */
    scs_status (*complete)(void *ctx, const scs_scale *scale, int64_t n_value);
    scs_windows windows;
    scs_block_reader *reader;
    int32_t *owner;        /**< [n_shard] the rank of each shard */
    scs_stream_pool *pool; /**< [n_local] */
    bool judged;           /**< `complete` has been called */
    int pass;              /**< scs_feed_pass at hand */
    int32_t per_step;      /**< cells that a step takes of each shard */
    int32_t next;          /**< window that is loaded next */
    int32_t reading;       /**< window that the thread reads, or has read; -1: none of the pass */
    int32_t last;          /**< windows of the pass: n_window, or 1 of the sample */
    bool whole;            /**< the pass has begun at its first window, and judges */
    int64_t *due;          /**< [n_window] step that first needs a window */
    int64_t at;            /**< step at hand */
    int64_t n_value;       /**< read in the pass by this rank */
    double words;          /**< of a row, about; as of the last window, once there is one */
} scs_cell_stream;

/** Refuses what cannot be streamed (SCS_EARG names the input, and what to do), else makes ready.
 *  @param stream comm to seed and ctx are set; target may be set until the first pass
 *  @param window cells of a window, over all ranks
 *  @return on all ranks alike. Close it also then. Collective. */
SCS_MUST_USE scs_status scs_cell_stream_open(scs_cell_stream *stream, const scs_h5ad *const *metas,
                                             int64_t window);
/** Waits for what is being read. Zeroed is let through. Local. */
void scs_cell_stream_close(scs_cell_stream *stream);
/** The cells [*first, *end) that the window in memory is, in a pass of SCS_FEED_ALL or
 * SCS_FEED_VALID. Local. */
void scs_cell_stream_range(const scs_cell_stream *stream, int64_t *first, int64_t *end);
/** What the values of each input look like, from some of its blocks: enough of them to know what to
 *  do with all.
 *  @param[out] scale [n_input]  @param[out] all whether these were all blocks. Collective. */
SCS_MUST_USE scs_status scs_cell_stream_look(scs_cell_stream *stream, scs_scale *scale, bool *all);
/** The stream for scs_train_streamed, and for other passes. Local. */
scs_feed scs_cell_stream_feed(scs_cell_stream *stream);

#endif
