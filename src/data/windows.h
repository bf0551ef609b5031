/** The order in which cells are read from disk: blocks of consecutive cells, and windows of blocks.
 *
 *  A block is some consecutive cells of one input: reading them costs little more than their
 *  bytes. A window is as many blocks as are held at a time. In a pass through the inputs the
 *  windows come one after another; in an epoch of training the blocks are dealt to windows at
 *  random, anew for each epoch, and cells come in random order within their window. So cells
 *  that are neighbours on disk are mixed with those of all other blocks of a window.
 *
 *  Everything is a function of cell numbers, seed and epoch: alike on all ranks, on any number of
 *  them, and known without reading. With one window for all cells an epoch's order is that of
 *  scs_shard_epoch_order. All functions are Local.
 */
#ifndef SCS_WINDOWS_H
#define SCS_WINDOWS_H

#include "scscreen/shard.h"

/** Cells of a block of the program's own streams: few, since a window's cells come from as many
 * places as it has blocks; enough for a few chunks of a file. */
enum { SCS_WINDOWS_BLOCK = 64 };

/** Blocks of all inputs and how they stand in windows. Made by scs_windows_create. */
typedef struct scs_windows {
    int64_t block;        /**< cells of a block; the last one of an input has fewer */
    int32_t n_input;      /**< of the dataset */
    const int64_t *cell;  /**< [n_input + 1] first cell of each input, borrowed */
    int64_t *first_block; /**< [n_input + 1] first block of each input */
    int64_t n_block;      /**< of all inputs */
    int32_t n_window;     /**< at least 1 */
    int64_t *order;       /**< [n_block] blocks, window after window, ascending within each */
    int32_t *window_of;   /**< [n_block] the window of each block */
} scs_windows;

/** In the order of the inputs.
 *  @param dataset borrowed as long as the windows are used
 *  @param block cells of a block, at least 1  @param window cells of a window, about
 *  @param[out] windows caller clears; empty after an error
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_windows_create(const scs_dataset *dataset, int64_t block,
                                           int64_t window, scs_windows *windows);
/** Free what it owns; zeroed is let through. */
void scs_windows_clear(scs_windows *windows);
/** Blocks in the inputs' order, as at first. */
void scs_windows_in_order(scs_windows *windows);
/** Blocks in the order of f(seed, epoch, block). SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_windows_shuffle(scs_windows *windows, int64_t seed, int64_t epoch);

/** Where window w begins in windows->order; w = n_window: where the last one ends. */
int64_t scs_windows_first(const scs_windows *windows, int32_t w);
/** The cells [*first, *end) of a block. @return the input that they are of */
int32_t scs_windows_cells(const scs_windows *windows, int64_t block, int64_t *first, int64_t *end);
/** The window that a cell is in. O(log n_input). */
int32_t scs_windows_of_cell(const scs_windows *windows, int64_t cell);
/** Sort rows of a shard by the window of their cell; rows of one window keep their order.
 *  @param cell [rows of the shard] global numbers
 *  @param[in,out] row [n]  @param[out] first [n_window + 1] where each window's rows begin
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_windows_sort_rows(const scs_windows *windows, const int64_t *cell,
                                              int64_t *row, int64_t n, int64_t *first);

#endif
