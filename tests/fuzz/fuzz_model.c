/* What the child that reads a model file hands over, as the parent takes it: refused, or a struct
 * whose block of bytes is the same again. */
#include "scscreen/checkpoint.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scs_checkpoint *c = NULL;
    uint8_t *again = NULL;
    int64_t n = 0;
    scs_status status = scs_checkpoint_unpack(data, (int64_t)size, &c);

    if (!fuzz_accepts(status)) {
        HOLDS(!c);
        return 0;
    }
    for (int32_t g = 0; g < c->n_group; g++)
        HOLDS(c->group[g].species < c->species.n && c->group[g].cell_type < c->cell_types.n &&
              c->group[g].condition < c->conditions.n && c->group[g].count > 0);
    HOLDS(!c->has_atlas || (c->control >= 0 && c->control < c->conditions.n));
    HOLDS(scs_checkpoint_pack(c, &again, &n) == SCS_OK);
    HOLDS(n == (int64_t)size && memcmp(again, data, size) == 0);
    free(again);
    scs_checkpoint_destroy(&c);
    return 0;
}
