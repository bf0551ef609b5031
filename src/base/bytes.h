/** A growing block of bytes, and checked reading from one: how structs travel between processes.
 *
 *  The sandbox's child hands what it read of a file to its parent this way, and rank 0 what it
 *  read to the other ranks. Writer and reader are the same program on the same kind of machine,
 *  so numbers are in native byte order and there are no tags: what is put in one order is got in
 *  the same order.
 *
 *      integer   8 bytes, int64_t
 *      text      an integer, its length without the final NUL; then its bytes. Length -1: NULL
 *      names     an integer, how many; then as many texts
 *
 *  Reading takes nothing for granted: a child that a damaged file has led astray may have
 *  written anything, so every length is compared with what is left before memory is asked for.
 *
 *  All functions are Local. Those that put fail with SCS_ENOMEM, those that get with SCS_EDATA
 *  (the block ends early, or a length cannot be) or SCS_ENOMEM.
 */
#ifndef SCS_BYTES_H
#define SCS_BYTES_H

#include "src/base/names.h"

/** A zeroed struct is an empty block. */
typedef struct scs_bytes {
    uint8_t *data;          /**< [capacity] owned, of which `size` bytes are in use */
    int64_t size, capacity; /**< bytes */
    int64_t at;             /**< where the next read begins; 0 <= at <= size */
} scs_bytes;

/** Free the memory and leave an empty block. */
void scs_bytes_clear(scs_bytes *b);

/* ---- writing: at the end ---- */

/** Append bytes as they are; a struct's padding travels with it.
 *  @param data [size]; may be NULL where size is 0 */
SCS_MUST_USE scs_status scs_bytes_put(scs_bytes *b, const void *data, int64_t size);
/** Append an integer. */
SCS_MUST_USE scs_status scs_bytes_put_int(scs_bytes *b, int64_t value);
/** Append a text. NULL stays NULL on the other side, which is not the empty text. */
SCS_MUST_USE scs_status scs_bytes_put_text(scs_bytes *b, const char *text);
/** Append a list of names, in its order. */
SCS_MUST_USE scs_status scs_bytes_put_names(scs_bytes *b, const scs_names *names);
/** End of a series of puts: hand over the memory, or clear it and hand over nothing where one
 * failed.
 *  @param put       how the puts ended
 *  @param[out] data the block's bytes, the caller's to free; NULL after a failure
 *  @return put */
SCS_MUST_USE scs_status scs_bytes_take(scs_bytes *b, scs_status put, uint8_t **data, int64_t *size);

/* ---- reading: from b->at on, which moves behind what was read ---- */

/** The next `size` bytes. @param[out] data [size] */
SCS_MUST_USE scs_status scs_bytes_get(scs_bytes *b, void *data, int64_t size);
/** The next integer. */
SCS_MUST_USE scs_status scs_bytes_get_int(scs_bytes *b, int64_t *value);
/** An integer that must be within [lo, hi]; SCS_EDATA if not: for enum values and counts that are
 * used without another look. */
SCS_MUST_USE scs_status scs_bytes_get_within(scs_bytes *b, int64_t lo, int64_t hi, int64_t *value);
/** The next text; the caller frees it. NULL where NULL was put. */
SCS_MUST_USE scs_status scs_bytes_get_text(scs_bytes *b, char **text);
/** The next list of names, added to `names`, which is empty again after a failure. */
SCS_MUST_USE scs_status scs_bytes_get_names(scs_bytes *b, scs_names *names);

#endif
