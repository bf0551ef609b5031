/* One flat buffer of parameters, in the order of scGen's state_dict, and how it is cut into
 * slices.
 *
 * Flat, because the optimiser, reductions, checkpoints and checksums go through all parameters
 * alike; a layer knows offsets only. The order of tensors decides what is initialised from which
 * random numbers and is part of a checkpoint. Cuts are made into V slices, never into P: a rank's
 * slices are those of its shards. All functions are Local.
 */
#include "src/model/layout.h"

#include "src/kernels/entries.h"
#include "scscreen/model.h"

#include <string.h>

/* @param[in,out] used elements so far
 *  @return where the next n begin */
static int64_t take(int64_t *used, int64_t n)
{
    int64_t offset = *used;

    *used += n;
    return offset;
}

/* Weight, then bias, as torch lists them. */
static scs_dense take_dense(scs_layout *layout, int32_t n_in, int32_t n_out, bool bias)
{
    scs_dense dense = {.n_in = n_in, .n_out = n_out, .bias = -1};

    dense.weight = take(&layout->n_param, (int64_t)n_in * n_out);
    if (bias)
        dense.bias = take(&layout->n_param, n_out);
    return dense;
}

/* Running statistics lie in a buffer of their own, mean and variance of a block one after the
 * other. */
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

/* All blocks of the encoder have batch norm; the paper's last decoder block has none. */
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

/* Blocks, not genes, are divided: with fewer blocks than shards some slices are empty, which all
 * loops take. */
int32_t scs_layout_first_gene(int32_t n_gene, int32_t n_shard, int32_t v)
{
    int64_t gene = (int64_t)scs_entries_blocks(n_gene) * v / n_shard * SCS_BLOCK;

    return gene < n_gene ? (int32_t)gene : n_gene;
}

/* The first layer's weight and the output layer's are [n_gene, n_hidden]: a slice is whole rows,
 * those of the shard's genes. What lies between is cut anywhere. */
void scs_layout_cut(const scs_layout *layout, int segment, int32_t n_shard, int64_t *bound)
{
    const scs_dense *in = &layout->block[0].linear, *out = &layout->out;
    int64_t middle = in->weight + (int64_t)in->n_in * in->n_out, n_middle = out->weight - middle;

    for (int32_t v = 0; v <= n_shard; v++) {
        int64_t gene = scs_layout_first_gene(out->n_out, n_shard, v);

        bound[v] = segment == SCS_FIRST_WEIGHT ? in->weight + gene * in->n_out
                   : segment == SCS_MIDDLE     ? middle + n_middle * v / n_shard
                   : segment == SCS_OUT_WEIGHT ? out->weight + gene * out->n_in
                                               : out->bias + gene;
    }
}

/* The dense form needs all cells of a gene in one place, so that it always splits. */
bool scs_layout_step_splits(const scs_step *step)
{
    return step->split || !step->factored;
}

/* Such a gradient needs no sum over ranks: it is complete on the rank that owns the slice. */
bool scs_layout_gradient_is_whole(const scs_step *step, int segment)
{
    return scs_layout_step_splits(step) && segment != SCS_MIDDLE;
}

bool scs_layout_step_updates(const scs_step *step, int segment)
{
    if (!step->hooks || !step->hooks->adam || !scs_layout_gradient_is_whole(step, segment))
        return false;
    return segment == SCS_OUT_WEIGHT ? !step->factored
                                     : segment == SCS_FIRST_WEIGHT && step->n_global <= SCS_BLOCK;
}
