#include "tests/unit/fixture_model.h"

#include "src/base/random.h"

scs_arch dropout_arch(int profile, int32_t n_gene, int32_t n_hidden, int32_t n_latent)
{
    scs_config config = {0};

    config.model.hidden = n_hidden;
    config.model.layers = 2;
    config.model.latent = n_latent;
    config.model.dropout = 0.2;
    config.model.kl_weight = 5e-5;
    config.model.profile = profile;
    return scs_model_arch_from_config(&config, n_gene);
}

/* Uniform in [0, 1) for gene g of cell i; which = 0: is it there, 1: its value. */
static double entry_uniform(uint64_t seed, int64_t i, int32_t g, int which)
{
    scs_stream stream = {seed, SCS_RANDOM_SIMULATE, 0, (uint64_t)i};
    uint32_t word[4];

    scs_random_block(&stream, (uint32_t)g, word);
    return word[which] * 0x1p-32;
}

scs_status random_cells(int64_t n, int32_t n_gene, double density, uint64_t seed, scs_csr *x)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < n; i++)
        for (int32_t g = 0; g < n_gene; g++)
            nnz += entry_uniform(seed, i, g, 0) < density;
    SCS_TRY(scs_csr_alloc(n, n_gene, nnz, x));
    nnz = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int32_t g = 0; g < n_gene; g++) {
            if (entry_uniform(seed, i, g, 0) >= density)
                continue;
            x->indices[nnz] = g;
            x->values[nnz++] = (float)(3 * entry_uniform(seed, i, g, 1) + 1e-3);
        }
        x->indptr[i + 1] = nnz;
    }
    return SCS_OK;
}

int64_t *number_range(int64_t first, int64_t n)
{
    int64_t *range = scs_allocate(n, sizeof *range);

    for (int64_t i = 0; range && i < n; i++)
        range[i] = first + i;
    return range;
}
