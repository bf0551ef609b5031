/** A fast 64-bit checksum against torn, lost and damaged writes (not against forgery).
 *
 *  A run that goes on from a file compares the sums of what it already wrote. Eight lanes of a
 *  multiplication and a shift, one 64-bit word each, are far cheaper than SHA-256 and run in
 *  vector registers. A changed word always changes its lane (src/base/hash64.c), so that any one
 *  wrong word is found for certain. Also the hash of the tables of names in src/result/.
 *
 *  Bytes are taken in steps of 64; the last step is filled up with zeros, and the size is mixed
 *  in at the end, so that trailing zeros count. Words are in native byte order: a sum is for the
 *  machine that wrote it, or one like it.
 *
 *  All functions are Local.
 */
#ifndef SCS_HASH64_H
#define SCS_HASH64_H

#include "scscreen/status.h"

/** SCS_HASH64_RANGES: how many ranges scs_hash64_gaps takes at most. */
enum { SCS_HASH64_LANES = 8, SCS_HASH64_RANGES = 64 };

/** A sum in the making. */
typedef struct scs_hash64 {
    uint64_t lane[SCS_HASH64_LANES];
    int64_t size; /**< bytes so far */
} scs_hash64;

/** The sum of no bytes. */
scs_hash64 scs_hash64_begin(void);
/** Add `size` bytes. How they are cut into calls matters, unless all calls but the last add whole
 * multiples of 64 bytes. */
void scs_hash64_add(scs_hash64 *sum, const void *bytes, int64_t size);
/** The checksum; never 0, which is free to mean "none". */
uint64_t scs_hash64_end(const scs_hash64 *sum);
/** Of one array. */
uint64_t scs_hash64_of(const void *bytes, int64_t size);
/** Of a file's bytes that lie in none of n ranges [begin, end): all that is not rows of a result,
 * which have sums of their own. SCS_EIO when it cannot be read or is shorter than a range says,
 * SCS_EDATA for more than SCS_HASH64_RANGES.
 *  @param range [n] may overlap, in any order */
SCS_MUST_USE scs_status scs_hash64_gaps(const char *path, const int64_t (*range)[2], int32_t n,
                                        uint64_t *sum);

#endif
