#include "src/layout.h"

#include <string.h>

static int64_t take(int64_t *used, int64_t n)
{
    int64_t offset = *used;

    *used += n;
    return offset;
}

static scs_dense take_dense(scs_layout *layout, int32_t n_in, int32_t n_out, bool bias)
{
    scs_dense dense = {.n_in = n_in, .n_out = n_out, .bias = -1};

    dense.weight = take(&layout->n_param, (int64_t)n_in * n_out);
    if (bias)
        dense.bias = take(&layout->n_param, n_out);
    return dense;
}

static void take_block(scs_layout *layout, const scs_arch *arch, int32_t n_in, bool batch_norm)
{
    scs_block *block = &layout->block[layout->n_block++];

    block->linear = take_dense(layout, n_in, arch->n_hidden, arch->hidden_bias);
    block->gamma = block->beta = block->running_mean = block->running_var = -1;
    if (!batch_norm)
        return;
    block->gamma = take(&layout->n_param, arch->n_hidden);
    block->beta = take(&layout->n_param, arch->n_hidden);
    block->running_mean = take(&layout->n_running, arch->n_hidden);
    block->running_var = take(&layout->n_running, arch->n_hidden);
}

void scs_layout_build(const scs_arch *arch, scs_layout *layout)
{
    memset(layout, 0, sizeof *layout);
    for (int32_t i = 0; i < arch->n_layer; i++)
        take_block(layout, arch, i ? arch->n_hidden : arch->n_gene, true);
    layout->mean = take_dense(layout, arch->n_hidden, arch->n_latent, true);
    layout->variance = take_dense(layout, arch->n_hidden, arch->n_latent, true);
    for (int32_t i = 0; i < arch->n_layer; i++)
        take_block(layout, arch, i ? arch->n_hidden : arch->n_latent,
                   i + 1 < arch->n_layer || arch->last_block_bn);
    layout->out = take_dense(layout, arch->n_hidden, arch->n_gene, true);
}
