/** Random counts of predicted cells, each a function of (seed, combination, cell, gene): which
 * other genes, cells or combinations there are does not change it. All functions are Local and
 * cannot fail.
 *
 *  A gene of a cell has 256 blocks of the cell's stream (src/base/random.h): its first numbers, and
 *  more where a draw rejects some. Draws are exact in distribution, by inversion where the mean is
 *  small (one uniform), else by src/simulate/sampler.h. */
#ifndef SCS_DRAW_H
#define SCS_DRAW_H

#include "src/base/random.h"

/** Genes that a cell has numbers for; the number behind them is the cell's own. */
enum { SCS_DRAW_GENES = (1 << 24) - 1 };

/** The key of a combination's numbers: of the seed and its labels as they are written. */
uint64_t scs_draw_key(int64_t seed, const char *species, const char *cell_type,
                      const char *perturbation, double dose);
/** The numbers of a cell. @param cell its number within the combination, < 2^40 */
scs_stream scs_draw_cell(uint64_t key, int64_t cell);

/** A uniform in (0, 1): the i-th of a cell's own, i < 512. */
double scs_draw_uniform(const scs_stream *cell, int32_t i);
/** How many of n counts stay where each stays with probability p. @param p cut to [0, 1] */
int64_t scs_draw_thin(const scs_stream *cell, int32_t gene, int64_t n, double p);
/** Poisson of this mean. */
int64_t scs_draw_poisson(const scs_stream *cell, int32_t gene, double mean);
/** What a count lacks to a rate `ratio` times its own, ratio >= 1: Poisson((ratio - 1) rate), the
 *  rate drawn from its posterior given y ~ Poisson(rate), rate ~ gamma of this mean and dispersion.
 *  So if y is negative binomial of (mean, dispersion), y + this is so of (ratio mean, dispersion).
 *  @param mean, dispersion > 0 */
int64_t scs_draw_rise(const scs_stream *cell, int32_t gene, int64_t y, double ratio, double mean,
                      double dispersion);

#endif
