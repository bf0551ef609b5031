/** A fast checksum against torn, lost and damaged writes (not against forgery). Local. */
#ifndef SCS_HASH64_H
#define SCS_HASH64_H

#include "scscreen/status.h"

enum { SCS_SUM64_LANES = 8, SCS_RANGES = 64 };

/** A sum in the making. */
typedef struct scs_hash64 {
    uint64_t lane[SCS_SUM64_LANES];
    int64_t size; /**< bytes so far */
} scs_hash64;

scs_hash64 scs_hash64_begin(void);
/** The next `size` bytes; how they are cut into calls matters, unless all but the last are whole
 * multiples of 64 bytes. */
void scs_hash64_add(scs_hash64 *sum, const void *bytes, int64_t size);
/** Never 0. */
uint64_t scs_hash64_end(const scs_hash64 *sum);
/** Of one array. */
uint64_t scs_hash64_of(const void *bytes, int64_t size);
/** Of a file's bytes that lie in none of n ranges [begin, end). SCS_EIO.
 *  @param range may overlap, in any order; at most SCS_RANGES */
SCS_MUST_USE scs_status scs_hash64_gaps(const char *path, const int64_t (*range)[2], int32_t n,
                                        uint64_t *sum);

#endif
