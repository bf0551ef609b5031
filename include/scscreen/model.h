/** scGen's variational autoencoder: one flat buffer of parameters with named views.
 *
 *  Names are scGen 2.x's own state_dict names. Two tensors are [n_gene, n_hidden] in memory, so
 * that a cell's non-zero genes touch whole rows: "decoder.linear_out.weight" is that in torch too,
 * and "z_encoder.encoder.fc_layers.Layer 0.0.weight" ([n_hidden, n_gene] in torch) is kept
 * transposed. All functions are Local.
 */
#ifndef SCSCREEN_MODEL_H
#define SCSCREEN_MODEL_H

#include "scscreen/shard.h"

/** The shape and the constants of a network; values are those of scGen 2.x, and where it says so of
 *  the paper's 1.x. */
typedef struct scs_arch {
    int32_t n_gene, n_hidden, n_layer, n_latent;
    double dropout;
    double kl_weight; /**< as in the config (5e-5) */
    double
        kl_factor; /**< loss = 0.5 SSE + kl_factor * kl_weight * KL: 0.5 (scGen 2.x), 1 (paper) */
    double leaky_slope;    /**< 0.01; paper 0.2 */
    double variance_floor; /**< variance = exp(head) + floor: 1e-4; paper 0 */
    double bn_epsilon;     /**< 1e-3 */
    double bn_momentum;    /**< 0.01 */
    bool hidden_bias;      /**< hidden Linear layers have a bias (paper: no) */
    bool last_block_bn;    /**< the last decoder block has batch norm (paper: no) */
    bool output_relu;      /**< paper: yes */
    double adam_epsilon;   /**< 0.01; paper 1e-8 */
    double weight_decay;   /**< L2 added to the gradient: 1e-6; paper 0 */
    double beta1, beta2;   /**< 0.9, 0.999 */
} scs_arch;

/** A named view of the flat buffers. */
typedef struct scs_tensor {
    char name[80];
    int64_t offset;     /**< into param, or into running where is_running */
    int32_t rows, cols; /**< torch's shape; cols = 0 for a vector of `rows` */
    bool transposed;    /**< kept as [cols, rows] */
    bool is_running;    /**< running_mean or running_var: no gradient */
} scs_tensor;

/** Made by scs_model_create; everything is owned. */
typedef struct scs_model {
    scs_arch arch;
    int32_t n_tensor;
    scs_tensor *tensor; /**< [n_tensor] in state_dict order (without num_batches_tracked) */
    int64_t n_param, n_running;
    scs_real *param; /**< [n_param] owned */
    scs_real
        *running; /**< [n_running] owned: batch norms' running means and (unbiased) variances */
} scs_model;

/** Constants of a profile with the config's sizes. */
scs_arch scs_model_arch_from_config(const scs_config *config, int32_t n_gene);
/** Zeroed parameters, running variance 1, gamma 1.
 *  @param[out] model caller destroys; NULL after an error
 *  @return SCS_EARG for sizes < 1, > 65536 units or > 1048576 genes, layers not in 1..8; SCS_ENOMEM
 */
SCS_MUST_USE scs_status scs_model_create(const scs_arch *arch, scs_model **model);
/** Sets *model to NULL; it may be NULL. */
void scs_model_destroy(scs_model **model);
/** torch's Linear init, U(-1/sqrt(fan_in), 1/sqrt(fan_in)) for weight and bias, from counter-based
 * numbers: element (row, col) in torch's order does not depend on how it is stored. */
void scs_model_init(scs_model *model, int64_t seed);
/** The tensor of this state_dict name, or NULL. Borrowed. */
const scs_tensor *scs_model_find(const scs_model *model, const char *name);
/** Its first element, in memory order (transposed or not). Borrowed. */
scs_real *scs_model_data(const scs_model *model, const scs_tensor *tensor);
/** Copy a tensor in from torch's own layout.
 *  @param values [rows, cols], or [rows] of a vector */
void scs_model_tensor_import(scs_model *model, const scs_tensor *tensor, const float *values);
/** Copy it out, as float32 whatever scs_real is. @param[out] values [rows, cols], or [rows] */
void scs_model_tensor_export(const scs_model *model, const scs_tensor *tensor, float *values);

/* ---- training ---- */

/** One shard's part of a batch. */
typedef struct scs_batch {
    const scs_packed *x; /**< the shard's cells; borrowed */
    const int64_t *cell; /**< [x->n_row] global ids, for random numbers */
    const int64_t *rows; /**< [n] rows of x in this batch */
    int32_t n;           /**< may be 0 */
    const float *noise;  /**< [n, n_latent] standard normals given from outside (parity), or NULL */
} scs_batch;

/** What happens between the parts of a step; each may be Collective, and its failure, alike on all
 * ranks, ends the step. */
typedef struct scs_step_hooks {
    void *ctx;
    /** The batch has been gathered; no weight has been read. */
    scs_status (*before_weights)(void *ctx);
    /** The losses are known, and the gradient of the output layer is complete as far as it is of
     * this rank; no rank reads the layer's weights any more. */
    scs_status (*after_output)(void *ctx);
    /** Adam's constants (src/kernels/adam.h). The step updates the layers that touch genes itself,
     * row by row as their gradient is made, when no rank reads them any more (src/model/layout.h
     * says in which steps); it does not come in `grad` then. NULL: all of it comes there. */
    const struct scs_adam *adam;
    /** Adam's moments of the parameters from lo on, within one segment. Local; any thread. */
    void (*moments)(void *ctx, int64_t lo, scs_real **m, scs_real **v);
} scs_step_hooks;

/** How a step is made; alike on all ranks. */
typedef struct scs_step {
    int64_t seed, epoch;
    int64_t n_global; /**< cells of the batch over all shards */
    bool dropout;     /**< false: as if dropout were 0 */
    int batch_norm;   /**< scs_batch_norm; a shard's part of one cell is normalised by the running
                           statistics, and does not move them */
    bool factored; /**< the output layer's gradient from H'H, X'H and W'W instead of tile by tile:
                      the same up to rounding; linear outputs only */
    bool split;    /**< each rank makes the gradients of its own genes from all cells, instead of
                      those of all genes from its own cells; steps that are not factored always do
                    */
    const scs_step_hooks *hooks; /**< or NULL */
} scs_step;

/** Sums over a shard's part of the batch (not means). */
typedef struct scs_loss {
    double objective;      /**< sum of 0.5 SSE + kl_factor kl_weight KL */
    double reconstruction; /**< sum of SSE (squared error over genes) */
    double kl;             /**< sum of unweighted KL */
    double n;              /**< cells */
} scs_loss;

/** Workspace for n_local shards of at most max_rows cells a step. */
typedef struct scs_network scs_network;
/** @param[out] net caller destroys; NULL after an error  @return SCS_OK or SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_network_create(const scs_arch *arch, int32_t n_local, int32_t max_rows,
                                           scs_network **net);
/** Sets *net to NULL; it may be NULL. Local. */
void scs_network_destroy(scs_network **net);

/** Forward and backward over all local shards in lockstep; updates the running statistics (alike on
 * all ranks).
 *
 *  The gradient is that of the mean objective over the n_global cells; a shard's partial is
 * computed alone with BLAS shapes that do not depend on ranks or threads. In a split
 * step the layers that touch genes are an exception: grad[0] holds the whole batch's gradient
 * of this rank's genes (src/model/gene_split.h).
 *  @param batch [n_local]  @param grad [n_local] pointers to n_param values, overwritten
 *  @param loss  [n_local]
 *  @return on all ranks alike: SCS_ENOMEM, SCS_EINTERNAL for a batch that does not fit, or what a
 *          hook of team or step returned. NaN is no error here: it reaches the loss.
 *  Collective where team->sum is (two small sums a batch norm). */
SCS_MUST_USE scs_status scs_network_step(scs_network *net, scs_model *model, const scs_batch *batch,
                                         const scs_step *step, const scs_team *team,
                                         scs_real *const *grad, scs_loss *loss);

/* ---- evaluation mode (running statistics, no dropout) ---- */

/** Objective of validation cells, z drawn with SCS_RANDOM_VALIDATE noise that is the same in every
 *  epoch.
 *  @param[out] loss sums over the batch  @return SCS_OK or SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_model_evaluate(const scs_model *model, const scs_batch *batch,
                                           int64_t seed, scs_loss *loss);
/** Posterior mean and variance of rows [row0, row0 + n) of x, O(nnz n_hidden + n n_hidden^2).
 *  @param[out] mean, variance [n, n_latent]; variance may be NULL  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_model_encode(const scs_model *model, const scs_packed *x, int64_t row0,
                                         int32_t n, scs_real *mean, scs_real *variance);
/** Last hidden activations of the decoder.
 *  @param z [n, n_latent]  @param[out] h [n, n_hidden]  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_model_decode_hidden(const scs_model *model, const scs_real *z,
                                                int32_t n, scs_real *h);
/** Decoded expression, for a few cells only.
 *  @param z [n, n_latent]  @param[out] x [n, n_gene]  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_model_decode(const scs_model *model, const scs_real *z, int32_t n,
                                         scs_real *x);

#endif
