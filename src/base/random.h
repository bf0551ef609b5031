/** Counter-based random numbers: f(seed, purpose, epoch, cell, unit), Philox4x32-10 (Salmon,
 *  Moraes, Dror, Shaw, SC 2011; from Random123).
 *
 *  There is no state: a number is computed from what it is for. So nothing has to be saved for a
 *  run to go on, any rank or thread can draw any cell's numbers, and results do not depend on
 *  how cells are spread or in which order they are visited.
 *
 *      key      the seed, 64 bits
 *      counter  block (32) | low 32 bits of the cell | its high 8 bits and the epoch's 24 | purpose
 *
 *  A stream is one (seed, purpose, epoch, cell); its 2^32 blocks of four words are the units.
 *  Two streams never share a block as long as epoch < 2^24 and cell < 2^40.
 *
 *  These numbers are part of the results: no line here may change what it gives for a stream.
 *
 *  All functions are Local; any thread.
 */
#ifndef SCS_RANDOM_H
#define SCS_RANDOM_H

#include "scscreen/status.h"

#include <stdint.h>

/** What a number is for; keeps streams of the same seed, epoch and cell apart. Values are part of
 * the results: new ones go at the end, before SCS_RANDOM_DROPOUT. */
typedef enum scs_purpose {
    SCS_RANDOM_SPLIT = 1, /**< validation split */
    SCS_RANDOM_DEAL,      /**< cells to shards */
    SCS_RANDOM_ORDER,     /**< training order of an epoch */
    SCS_RANDOM_INIT,      /**< initial weights (cell = tensor number) */
    SCS_RANDOM_NOISE,     /**< reparameterisation noise in training */
    SCS_RANDOM_VALIDATE,  /**< the same in validation (epoch 0 always) */
    SCS_RANDOM_SIMULATE, /**< a simulated atlas (epoch = what is drawn, src/simulate/sim_model.c) */
    SCS_RANDOM_PERMUTE,  /**< labels within types (epoch = permutation, cell = group) */
    SCS_RANDOM_BOOTSTRAP,   /**< group means (epoch = replicate, cell = group) */
    SCS_RANDOM_TEMPLATE,    /**< control cells that predicted ones start from (epoch = round) */
    SCS_RANDOM_CELLS,       /**< counts of predicted cells (src/cells/draw.h) */
    SCS_RANDOM_SCORE,       /**< labels that a score is compared with (epoch = which of them) */
    SCS_RANDOM_HALVES,      /**< halves of a group's cells (epoch = split) */
    SCS_RANDOM_RESAMPLE,    /**< combinations of a validation (epoch = replicate) */
    SCS_RANDOM_WINDOW,      /**< order of an epoch's blocks (cell = block; src/data/windows.h) */
    SCS_RANDOM_SILHOUETTE,  /**< cells that silhouettes are measured on */
    SCS_RANDOM_COMPONENTS,  /**< vectors that eigenvectors are searched from (epoch = which) */
    SCS_RANDOM_TABLE,       /**< features of other perturbations (epoch = table, cell = row) */
    SCS_RANDOM_DROPOUT = 64 /**< + layer number */
} scs_purpose;

/** What numbers are for; a plain value. */
typedef struct scs_stream {
    uint64_t seed;
    uint32_t purpose; /**< scs_purpose */
    uint32_t epoch;   /**< < 2^24 */
    uint64_t cell;    /**< < 2^40; a global cell id, or what the purpose says */
} scs_stream;

/* ---- words and numbers of a stream ---- */

/** Four 32-bit words of block b: words 4b .. 4b + 3 of the stream. */
void scs_random_block(const scs_stream *stream, uint32_t b, uint32_t word[4]);

/** Blocks made at once by scs_random_blocks. */
enum { SCS_RANDOM_BLOCKS = 16 };

/** Blocks first .. first + SCS_RANDOM_BLOCKS - 1, the same bits as scs_random_block gives, in
 * vector registers: word k of block first + i in word[k][i]. For dropout, which needs a word for
 * every unit of every cell. */
void scs_random_blocks(const scs_stream *stream, uint32_t first,
                       uint32_t word[4][SCS_RANDOM_BLOCKS]);
/** 64 bits to sort by: words 0 and 1 of block 0. */
uint64_t scs_random_key(const scs_stream *stream);
/** n uniforms in [0, 1) on a grid of 2^-24, element i from word i. @param[out] out [n] */
void scs_random_uniform(const scs_stream *stream, int64_t n, float *out);
/** n standard normals, Box-Muller in double on pairs of words: elements 2i and 2i + 1 from words 2i
 * and 2i + 1. @param[out] out [n] */
void scs_random_normal(const scs_stream *stream, int64_t n, double *out);

/* ---- random orders ---- */

/** Positions 0 .. n-1 sorted by f(seed, purpose, epoch, cell[position]); equal keys by cell id.
 *
 *  A random permutation in which the relative order of two cells depends on their ids alone: taking
 *  cells away or adding some leaves the others in the same order. O(n log n). SCS_ENOMEM.
 *  @param stream seed, purpose and epoch; its cell is not looked at
 *  @param cell [n] distinct global ids; borrowed  @param[out] position [n] */
SCS_MUST_USE scs_status scs_random_order_cells(const scs_stream *stream, const int64_t *cell,
                                               int64_t n, int64_t *position);

#endif
