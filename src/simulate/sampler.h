/** Exact draws from the distributions of the simulation, on counter-based random numbers. All
 * functions are Local.
 *
 *  A sampler walks along one stream of src/random.h: how many words a draw takes depends on
 * rejections, so draws from one sampler are made in a fixed order, and each cell has a sampler (a
 * stream) of its own. */
#ifndef SCS_SAMPLER_H
#define SCS_SAMPLER_H

#include "src/base/random.h"

typedef struct scs_sampler {
    scs_stream stream;
    uint32_t block; /**< the next block of the stream */
    uint32_t word[4];
    int left; /**< words not used yet */
} scs_sampler;

scs_sampler scs_sampler_start(const scs_stream *stream);
/** Uniform in (0, 1), 53 bits. */
double scs_sampler_uniform(scs_sampler *sampler);
double scs_sampler_normal(scs_sampler *sampler);
/** Gamma of this shape (> 0) and scale 1: Marsaglia and Tsang, ACM TOMS 26 (2000). */
double scs_sampler_gamma(scs_sampler *sampler, double shape);
/** Poisson: inversion below a mean of 10, else transformed rejection PTRS (Hoermann, Insurance:
 * Mathematics and Economics 12, 1993). @param mean >= 0 */
int64_t scs_sampler_poisson(scs_sampler *sampler, double mean);
/** Negative binomial of variance mean + mean^2 / dispersion: Poisson of a gamma-distributed mean.
 */
int64_t scs_sampler_count(scs_sampler *sampler, double mean, double dispersion);

#endif
