/** What a combination's shift is put together from. All functions are Local. */
#ifndef SCS_PARTS_H
#define SCS_PARTS_H

#include "scscreen/screen.h"

enum { SCS_MAX_PARTS = 4 }; /* two perturbations, two doses each */

/** A measured condition in the target's place, and how much of its shift counts. */
typedef struct scs_part {
    scs_combination target;
    double share;
} scs_part;

/** Take a combination to pieces.
 *
 *  One part, itself, where its condition can be estimated. A dose that nothing can be said about
 * lies between the nearest lower and higher doses that something can be said about (in the species;
 * else across species), on the scale of scs_dose_way; without a lower one, between no shift at dose
 * 0 and the higher one; above the largest, there are no parts: shifts are not extrapolated. A pair
 * is the sum of its two, each of them taken to pieces likewise.
 *  @param[out] part [SCS_MAX_PARTS]  @return how many; 0: no prediction */
int32_t scs_parts(const scs_atlas *atlas, const scs_method *method, const scs_combination *target,
                  scs_part *part);

#endif
