/** An atlas whose groups' means are drawn anew, and the shifts that follow. All functions are
 *  Local.
 *
 *  Permutations and the bootstrap change nothing but means, and a shift is a weighted sum of
 *  means: so a replicate is the real atlas with a `mean` of its own, and every rule of
 *  screen.shift estimates from it as from the real one, weights included.
 */
#ifndef SCS_RESAMPLE_H
#define SCS_RESAMPLE_H

#include "src/screen/confidence.h"

/** For one thread: made once, used for many draws. */
typedef struct scs_replica {
    scs_atlas atlas; /**< but for mean, everything is the real atlas' */
    scs_sources *sources;
} scs_replica;

/** The means are those of the atlas, which is borrowed. SCS_ENOMEM. Clear it even after a
 *  failure. */
SCS_MUST_USE scs_status scs_resample_replica_make(const scs_atlas *atlas, scs_replica *replica);
/** Free the means and the sources; the atlas stays. */
void scs_resample_replica_clear(scs_replica *replica);
/** Of `permuted->n` permutations, how many give each combination a shift at least as long as the
 * atlas' own means do. Afterwards the replica's means are the atlas' own again.
 *  @param delta [n_latent] scratch  @param[out] count [n_target] */
SCS_MUST_USE scs_status scs_resample_replica_count(scs_replica *replica, const scs_method *method,
                                                   const scs_permutation *permuted,
                                                   const scs_combination *const *target,
                                                   int64_t n_target, double *delta, int32_t *count);

#endif
