/** Exact draws from the distributions of the simulation, on counter-based random numbers.
 *
 *  A sampler walks along one stream of src/base/random.h, word by word. How many words a draw
 *  takes depends on rejections, so draws from one sampler are made in a fixed order, and each
 *  cell has a sampler (a stream) of its own: cells can be drawn in any order, by any thread.
 *
 *  All draws are exact in distribution, up to the grid of the uniforms; none is an approximation
 *  for large means. Their bits are those of the machine's log, exp and cos. A stream is long
 *  enough for 2^34 words.
 *
 *  All functions are Local and cannot fail.
 */
#ifndef SCS_SAMPLER_H
#define SCS_SAMPLER_H

#include "src/base/random.h"

/** A place in a stream; a plain value. */
typedef struct scs_sampler {
    scs_stream stream;
    uint32_t block;   /**< the next block of the stream */
    uint32_t word[4]; /**< the block in use */
    int left;         /**< its words that were not used yet, the last ones */
} scs_sampler;

/** A sampler at the beginning of a stream. */
scs_sampler scs_sampler_start(const scs_stream *stream);
/** Uniform in (0, 1): neither end, so that its logarithm is finite. 52 bits, two words. */
double scs_sampler_uniform(scs_sampler *sampler);
/** Standard normal, by Box and Muller; the second of the pair is dropped, so that a draw takes four
 * words whatever came before. */
double scs_sampler_normal(scs_sampler *sampler);
/** Gamma of this shape and scale 1: Marsaglia and Tsang, ACM TOMS 26 (2000). @param shape > 0 */
double scs_sampler_gamma(scs_sampler *sampler, double shape);
/** Poisson: inversion below a mean of 10, else transformed rejection PTRS (Hoermann, Insurance:
 * Mathematics and Economics 12, 1993). @param mean >= 0 */
int64_t scs_sampler_poisson(scs_sampler *sampler, double mean);
/** Negative binomial of variance mean + mean^2 / dispersion: Poisson of a gamma-distributed mean.
 *  @param mean >= 0  @param dispersion > 0 */
int64_t scs_sampler_count(scs_sampler *sampler, double mean, double dispersion);

#endif
