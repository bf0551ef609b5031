/** A growing block of bytes, and checked reading from one: how plain structs travel between
 * processes. All Local. Native byte order: both ends are the same program. */
#ifndef SCS_BYTES_H
#define SCS_BYTES_H

#include "src/base/names.h"

typedef struct scs_bytes {
    uint8_t *data;
    int64_t size, capacity;
    int64_t at; /**< read position */
} scs_bytes;

void scs_bytes_clear(scs_bytes *b);
SCS_MUST_USE scs_status scs_bytes_put(scs_bytes *b, const void *data, int64_t size);
SCS_MUST_USE scs_status scs_bytes_put_int(scs_bytes *b, int64_t value);
SCS_MUST_USE scs_status scs_bytes_put_text(scs_bytes *b,
                                           const char *text); /**< NULL is kept as NULL */
SCS_MUST_USE scs_status scs_bytes_put_names(scs_bytes *b, const scs_names *names);
/** Hand over what was put together, where it succeeded; else clear it and hand over nothing.
 *  @param put how that ended  @param[out] data malloc'ed  @return put */
SCS_MUST_USE scs_status scs_bytes_take(scs_bytes *b, scs_status put, uint8_t **data, int64_t *size);
/* Reading: SCS_EDATA when the block ends early or a length is absurd. Text is malloc'ed. */
SCS_MUST_USE scs_status scs_bytes_get(scs_bytes *b, void *data, int64_t size);
SCS_MUST_USE scs_status scs_bytes_get_int(scs_bytes *b, int64_t *value);
/** An integer that must be within [lo, hi]. */
SCS_MUST_USE scs_status scs_bytes_get_within(scs_bytes *b, int64_t lo, int64_t hi, int64_t *value);
SCS_MUST_USE scs_status scs_bytes_get_text(scs_bytes *b, char **text);
SCS_MUST_USE scs_status scs_bytes_get_names(scs_bytes *b, scs_names *names);

#endif
