/** The genes with the largest numbers. All functions are Local. */
#ifndef SCS_STRONGEST_H
#define SCS_STRONGEST_H

#include <stdint.h>

typedef struct scs_scored_gene {
    double score;
    int32_t gene;
} scs_scored_gene;

/** The `wanted` genes of the largest scores come first, in order, the lower gene first where equal;
 * the others follow in any order. */
void scs_strongest_first(scs_scored_gene *all, int64_t n, int64_t wanted);

#endif
