/** Counter-based random numbers (Philox4x32-10 from Random123; Salmon et al., SC 2011): f(seed,
 * purpose, epoch, cell, unit). No state exists. All functions are Local and pure. */
#ifndef SCS_RANDOM_H
#define SCS_RANDOM_H

#include "scscreen/status.h"

#include <stdint.h>

typedef enum scs_purpose {
    SCS_RANDOM_SPLIT = 1, /**< validation split */
    SCS_RANDOM_DEAL,      /**< cells to shards */
    SCS_RANDOM_ORDER,     /**< training order of an epoch */
    SCS_RANDOM_INIT,      /**< initial weights (cell = tensor number) */
    SCS_RANDOM_NOISE,     /**< reparameterisation noise in training */
    SCS_RANDOM_VALIDATE,  /**< the same in validation (epoch 0 always) */
    SCS_RANDOM_SIMULATE,
    SCS_RANDOM_PERMUTE,     /**< labels within types (epoch = permutation, cell = group) */
    SCS_RANDOM_BOOTSTRAP,   /**< group means (epoch = replicate, cell = group) */
    SCS_RANDOM_DROPOUT = 64 /**< + layer number */
} scs_purpose;

typedef struct scs_stream {
    uint64_t seed;
    uint32_t purpose;
    uint32_t epoch; /**< < 2^24 */
    uint64_t cell;  /**< < 2^40 */
} scs_stream;

/** Four 32-bit words of block b (words 4b .. 4b+3 of the stream). */
void scs_random_block(const scs_stream *stream, uint32_t b, uint32_t word[4]);

/** Blocks first .. first + SCS_RANDOM_BLOCKS - 1 at once, much faster: word k of block first + i in
 * word[k][i]. */
enum { SCS_RANDOM_BLOCKS = 16 };

void scs_random_blocks(const scs_stream *stream, uint32_t first,
                       uint32_t word[4][SCS_RANDOM_BLOCKS]);
/** 64 bits for sorting keys: words 0 and 1 of block 0. */
uint64_t scs_random_key(const scs_stream *stream);
/** n uniforms in [0, 1) with 24 bits, element i from word i. */
void scs_random_uniform(const scs_stream *stream, int64_t n, float *out);
/** n standard normals (Box-Muller in double on word pairs). */
void scs_random_normal(const scs_stream *stream, int64_t n, double *out);

/* Cells in a random order that depends on their global ids alone. Local. */

/** Positions 0 .. n-1 sorted by f(seed, purpose, epoch, cell[position]); equal keys by cell id.
 *  @param stream seed, purpose and epoch; its cell is not looked at
 *  @param cell [n] distinct global ids; borrowed  @param[out] position [n] */
SCS_MUST_USE scs_status scs_random_order_cells(const scs_stream *stream, const int64_t *cell,
                                               int64_t n, int64_t *position);

#endif
