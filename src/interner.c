#include "src/interner.h"

#include "src/sum64.h"

#include <stdlib.h>
#include <string.h>

/* The slot that holds the name, or the free one where it belongs. */
static int64_t find_slot(const scs_interner *t, const char *name)
{
    int64_t at = (int64_t)(scs_sum64_of(name, (int64_t)strlen(name)) & (uint64_t)(t->size - 1));

    while (t->slot[at] && strcmp(t->names.name[t->slot[at] - 1], name) != 0)
        at = (at + 1) & (t->size - 1);
    return at;
}

static scs_status grow(scs_interner *t)
{
    int64_t size = t->size ? 2 * t->size : 64;
    int32_t *slot;

    SCS_TRY(SCS_ALLOC(slot, size));
    free(t->slot);
    t->slot = slot;
    t->size = size;
    for (int32_t i = 0; i < t->names.n; i++)
        t->slot[find_slot(t, t->names.name[i])] = i + 1;
    return SCS_OK;
}

scs_status scs_interner_find(scs_interner *interner, const char *name, int32_t *at)
{
    int64_t slot;

    if (2 * ((int64_t)interner->names.n + 1) > interner->size)
        SCS_TRY(grow(interner));
    slot = find_slot(interner, name);
    if (!interner->slot[slot]) {
        SCS_TRY(scs_names_add(&interner->names, name));
        interner->slot[slot] = interner->names.n;
    }
    *at = interner->slot[slot] - 1;
    return SCS_OK;
}

void scs_interner_clear(scs_interner *interner)
{
    scs_names_clear(&interner->names);
    free(interner->slot);
    *interner = (scs_interner){0};
}
