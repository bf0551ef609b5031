/* What the reader's child hands over, as the parent takes it: refused, or a struct whose block of
 * bytes is the same again. */
#include "src/data/h5ad.h"
#include "tests/fuzz/target.h"

static void check_labels(const scs_h5ad *meta, const scs_labels *labels)
{
    if (!labels->column)
        return;
    for (int64_t i = 0; i < meta->n_obs; i++)
        HOLDS(labels->codes[i] >= -1 && labels->codes[i] < labels->categories.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scs_h5ad *meta = NULL;
    uint8_t *again = NULL;
    int64_t n = 0;
    scs_status status = scs_h5ad_unpack(data, (int64_t)size, &meta);

    if (!fuzz_accepts(status)) {
        HOLDS(!meta);
        return 0;
    }
    HOLDS(meta->genes.n == meta->n_var && meta->n_obs >= 0);
    check_labels(meta, &meta->cell_type);
    check_labels(meta, &meta->condition);
    check_labels(meta, &meta->species);
    HOLDS(scs_h5ad_pack(meta, &again, &n) == SCS_OK);
    HOLDS(n == (int64_t)size && memcmp(again, data, size) == 0);
    free(again);
    scs_h5ad_destroy(&meta);
    return 0;
}
