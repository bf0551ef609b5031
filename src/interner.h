/** Names that many rows share: each once, in order of appearance, found in constant time. Local. */
#ifndef SCS_INTERNER_H
#define SCS_INTERNER_H

#include "src/names.h"

typedef struct scs_interner {
    scs_names names;
    int64_t size;  /**< of slot: 0 or a power of two, at least twice names.n */
    int32_t *slot; /**< 1 + position in names; 0: free */
} scs_interner;

/** The position of a name, which is added if it is new. A zeroed interner is empty. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_interner_find(scs_interner *interner, const char *name, int32_t *at);
void scs_interner_clear(scs_interner *interner);

#endif
