/* What the child that reads a training state hands over, as the parent takes it: refused, or a
 * struct whose block of bytes is the same again. */
#include "src/train/state.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scs_state *s = NULL;
    uint8_t *again = NULL;
    int64_t n = 0;
    scs_status status = scs_state_unpack(data, (int64_t)size, &s);

    if (!fuzz_accepts(status)) {
        HOLDS(!s);
        return 0;
    }
    HOLDS(s->n_param >= 0 && s->n_shard > 0 && s->path && s->config && s->data && s->program);
    HOLDS(scs_state_pack(s, &again, &n) == SCS_OK);
    HOLDS(n == (int64_t)size && memcmp(again, data, size) == 0);
    free(again);
    scs_state_destroy(&s);
    return 0;
}
