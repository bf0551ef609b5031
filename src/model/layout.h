/** Where each layer's parameters lie in the flat buffers of a model, and who owns which.
 *
 *  Built from scs_arch alone, whenever it is needed: nothing here is stored. All functions are
 *  Local and pure.
 */
#ifndef SCS_LAYOUT_H
#define SCS_LAYOUT_H

#include "scscreen/model.h"

/** Limits of sizes; scs_model_create refuses more. */
enum { SCS_MAX_LAYERS = 8, SCS_MAX_UNITS = 65536, SCS_MAX_GENES = 1 << 20 };

/** A linear layer y = x W' + b. Offsets into param; -1 where there is none. */
typedef struct scs_dense {
    int32_t n_in, n_out;
    int64_t weight; /**< [n_out, n_in]; the first encoder layer's [n_in, n_out] */
    int64_t bias;   /**< [n_out] */
} scs_dense;

/** Linear -> batch norm -> leaky ReLU -> dropout. */
typedef struct scs_block {
    scs_dense linear;
    int64_t gamma, beta;               /**< into param, [n_out]; -1 without batch norm */
    int64_t running_mean, running_var; /**< into running, [n_out] */
} scs_block;

/** The whole network. Holds no memory. */
typedef struct scs_layout {
    int32_t n_block; /**< 2 n_layer: the encoder's, then the decoder's */
    scs_block block[2 * SCS_MAX_LAYERS];
    scs_dense mean, variance; /**< heads of the encoder, [n_latent] */
    scs_dense out;            /**< [n_gene] */
    int64_t n_param, n_running;
} scs_layout;

/** Stretches of the flat buffer that are updated one by one: the first encoder layer's weight, all
 * between, the output layer's weight and bias. */
enum { SCS_FIRST_WEIGHT, SCS_MIDDLE, SCS_OUT_WEIGHT, SCS_OUT_BIAS, SCS_SEGMENTS };

/** @param arch checked: n_gene in 1..SCS_MAX_GENES, n_hidden and n_latent in 1..SCS_MAX_UNITS,
 * n_layer in 1..SCS_MAX_LAYERS */
void scs_layout_build(const scs_arch *arch, scs_layout *layout);
/** Shard v's slice of a segment begins at bound[v] of the flat buffer. The layers that touch genes
 * are cut between blocks of genes (SCS_BLOCK), so that a shard has the same genes of all of them.
 *  @param[out] bound [n_shard + 1] */
void scs_layout_cut(const scs_layout *layout, int segment, int32_t n_shard, int64_t *bound);
/** Are the layers that touch genes split by genes in this step (gene_split.h)? Steps that are not
 *  factored always are. */
bool scs_layout_step_splits(const scs_step *step);
/** Does it leave the whole batch's gradient of this rank's slices of a segment in its first part?
 */
bool scs_layout_gradient_is_whole(const scs_step *step, int segment);
/** Does the step update these weights itself (hooks->adam), and leave no gradient in the first
 * part? Where it is whole, of the output layer's weight in steps that are not factored, and of the
 * first layer's in batches of at most SCS_BLOCK cells: in larger ones the sums of a row are
 * come back to for each block of cells. */
bool scs_layout_step_updates(const scs_step *step, int segment);
/** The first gene of shard v's slice; n_gene for v = n_shard. */
int32_t scs_layout_first_gene(int32_t n_gene, int32_t n_shard, int32_t v);

#endif
