/* A model: its constants, its parameters, and the table that names them as scGen's state_dict
 * does.
 *
 * Names and shapes are torch's, so that weights of scGen 2.x load and ours go back; two tensors
 * are kept transposed in memory (scscreen/model.h says why), which only tensor_import and
 * tensor_export know. Constants by profile are those of the public implementations: scGen 2.1
 * (torch) and, for `paper`, 1.x (TensorFlow): leaky slope 0.2, no bias in hidden layers, no batch
 * norm in the last decoder block, ReLU on the output, KL weight twice as large, Adam's epsilon
 * 1e-8. All functions are Local.
 */
#include "src/base/random.h"
#include "src/config/profile.h"
#include "src/model/layout.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The profiles also differ in what has no key: those numbers stand here and nowhere else. */
scs_arch scs_model_arch_from_config(const scs_config *config, int32_t n_gene)
{
    bool paper = config->model.profile == SCS_PROFILE_PAPER;

    return (scs_arch){.n_gene = n_gene,
                      .n_hidden = scs_profile_hidden(config),
                      .n_layer = (int32_t)config->model.layers,
                      .n_latent = scs_profile_latent(config),
                      .dropout = scs_profile_dropout(config),
                      .kl_weight = config->model.kl_weight,
                      .kl_factor = paper ? 1.0 : 0.5,
                      .leaky_slope = paper ? 0.2 : 0.01,
                      .variance_floor = paper ? 0.0 : 1e-4,
                      .bn_epsilon = 1e-3,
                      .bn_momentum = 0.01,
                      .hidden_bias = !paper,
                      .last_block_bn = !paper,
                      .output_relu = paper,
                      .adam_epsilon = paper ? 1e-8 : 0.01,
                      .weight_decay = paper ? 0.0 : 1e-6,
                      .beta1 = 0.9,
                      .beta2 = 0.999};
}

/* ---- the table of tensors ---- */

/* @param offset into param; the caller sets is_running where it is into running
 *  @param cols 0: a vector
 *  @return the tensor, in the table; room is there */
static scs_tensor *add_tensor(scs_model *model, int64_t offset, int32_t rows, int32_t cols,
                              const char *format, ...) SCS_PRINTF(5, 6);

static scs_tensor *add_tensor(scs_model *model, int64_t offset, int32_t rows, int32_t cols,
                              const char *format, ...)
{
    scs_tensor *tensor = &model->tensor[model->n_tensor++];
    va_list args;

    va_start(args, format);
    vsnprintf(tensor->name, sizeof tensor->name, format, args);
    va_end(args);
    tensor->offset = offset;
    tensor->rows = rows;
    tensor->cols = cols;
    return tensor;
}

/* Weight and, where there is one, bias. */
static void add_dense(scs_model *model, const scs_dense *dense, const char *name)
{
    add_tensor(model, dense->weight, dense->n_out, dense->n_in, "%s.weight", name);
    if (dense->bias >= 0)
        add_tensor(model, dense->bias, dense->n_out, 0, "%s.bias", name);
}

/* torch's names of a block: ".0" is the Linear, ".1" the BatchNorm1d. */
static void add_block(scs_model *model, const scs_block *block, const char *stack, int32_t layer)
{
    int32_t n = block->linear.n_out;
    char name[64];

    snprintf(name, sizeof name, "%s.fc_layers.Layer %d.0", stack, layer);
    add_dense(model, &block->linear, name);
    if (block->gamma < 0)
        return;
    add_tensor(model, block->gamma, n, 0, "%s.fc_layers.Layer %d.1.weight", stack, layer);
    add_tensor(model, block->beta, n, 0, "%s.fc_layers.Layer %d.1.bias", stack, layer);
    add_tensor(model, block->running_mean, n, 0, "%s.fc_layers.Layer %d.1.running_mean", stack,
               layer)
        ->is_running = true;
    add_tensor(model, block->running_var, n, 0, "%s.fc_layers.Layer %d.1.running_var", stack, layer)
        ->is_running = true;
}

/* In state_dict's order, without num_batches_tracked, which nothing reads. */
static void add_all_tensors(scs_model *model, const scs_layout *layout)
{
    int32_t n_layer = model->arch.n_layer;

    for (int32_t i = 0; i < n_layer; i++)
        add_block(model, &layout->block[i], "z_encoder.encoder", i);
    model->tensor[0].transposed = true;
    add_dense(model, &layout->mean, "z_encoder.mean_encoder");
    add_dense(model, &layout->variance, "z_encoder.var_encoder");
    for (int32_t i = 0; i < n_layer; i++)
        add_block(model, &layout->block[n_layer + i], "decoder.decoder", i);
    add_dense(model, &layout->out, "decoder.linear_out");
}

/* ---- create and destroy ---- */

/* @param what as the user knows it, for the message */
static scs_status check_size(const char *what, int32_t size, int32_t max)
{
    SCS_REQUIRE(size >= 1 && size <= max, SCS_EARG, "%s is %d; it must be 1 to %d", what, size,
                max);
    return SCS_OK;
}

/* Sizes may come from a config or from a damaged checkpoint; the limits keep all products of two
 * sizes within int64. */
static scs_status check_arch(const scs_arch *arch)
{
    SCS_TRY(check_size("the number of genes", arch->n_gene, SCS_MAX_GENES));
    SCS_TRY(check_size("model.hidden", arch->n_hidden, SCS_MAX_UNITS));
    SCS_TRY(check_size("model.latent", arch->n_latent, SCS_MAX_UNITS));
    SCS_TRY(check_size("model.layers", arch->n_layer, SCS_MAX_LAYERS));
    return SCS_OK;
}

/* torch's initial batch norm: gamma 1, beta 0, running mean 0 and variance 1. */
static void set_unit_norms(scs_model *model, const scs_layout *layout)
{
    for (int32_t i = 0; i < layout->n_block; i++) {
        const scs_block *block = &layout->block[i];

        for (int32_t c = 0; block->gamma >= 0 && c < block->linear.n_out; c++) {
            model->param[block->gamma + c] = 1;
            model->running[block->running_var + c] = 1;
        }
    }
}

/* At most 6 tensors a block (weight, bias, gamma, beta, mean, variance), and 3 pairs besides. */
static scs_status fill_model(scs_model *model)
{
    scs_layout layout;

    scs_layout_build(&model->arch, &layout);
    model->n_param = layout.n_param;
    model->n_running = layout.n_running;
    SCS_TRY(SCS_ALLOC(model->tensor, 6 * layout.n_block + 6));
    SCS_TRY(SCS_ALLOC(model->param, model->n_param));
    SCS_TRY(SCS_ALLOC(model->running, model->n_running));
    add_all_tensors(model, &layout);
    set_unit_norms(model, &layout);
    return SCS_OK;
}

scs_status scs_model_create(const scs_arch *arch, scs_model **model)
{
    scs_status st;

    *model = NULL;
    SCS_TRY(check_arch(arch));
    SCS_TRY(SCS_ALLOC(*model, 1));
    (*model)->arch = *arch;
    SCS_GO(st, fill_model(*model));
    return SCS_OK;
done:
    scs_model_destroy(model);
    return st;
}

void scs_model_destroy(scs_model **model)
{
    if (!*model)
        return;
    free((*model)->tensor);
    free((*model)->param);
    free((*model)->running);
    free(*model);
    *model = NULL;
}

/* ---- tensors by name ---- */

const scs_tensor *scs_model_find(const scs_model *model, const char *name)
{
    for (int32_t i = 0; i < model->n_tensor; i++)
        if (strcmp(model->tensor[i].name, name) == 0)
            return &model->tensor[i];
    return NULL;
}

scs_real *scs_model_data(const scs_model *model, const scs_tensor *tensor)
{
    return (tensor->is_running ? model->running : model->param) + tensor->offset;
}

/* Elements; cols = 0 is a vector. */
static int64_t tensor_size(const scs_tensor *tensor)
{
    return (int64_t)tensor->rows * (tensor->cols ? tensor->cols : 1);
}

/* Where element i in torch's order is kept. */
static int64_t place(const scs_tensor *tensor, int64_t i)
{
    return tensor->transposed ? i % tensor->cols * tensor->rows + i / tensor->cols : i;
}

void scs_model_tensor_import(scs_model *model, const scs_tensor *tensor, const float *values)
{
    scs_real *data = scs_model_data(model, tensor);

    for (int64_t i = 0; i < tensor_size(tensor); i++)
        data[place(tensor, i)] = values[i];
}

void scs_model_tensor_export(const scs_model *model, const scs_tensor *tensor, float *values)
{
    const scs_real *data = scs_model_data(model, tensor);

    for (int64_t i = 0; i < tensor_size(tensor); i++)
        values[i] = (float)data[place(tensor, i)];
}

/* ---- initial weights ---- */

/* Uniform in (-bound, bound): element i, in torch's order, from word i of the tensor's own
 * stream; 24 bits, symmetric about 0, never the ends. So it does not matter how a tensor is
 * stored. */
static void init_tensor(scs_model *model, int32_t at, int64_t seed, double bound)
{
    const scs_tensor *tensor = &model->tensor[at];
    scs_stream stream = {(uint64_t)seed, SCS_RANDOM_INIT, 0, (uint64_t)at};
    scs_real *data = scs_model_data(model, tensor);
    uint32_t word[4];

    for (int64_t i = 0; i < tensor_size(tensor); i++) {
        if (i % 4 == 0)
            scs_random_block(&stream, (uint32_t)(i / 4), word);
        data[place(tensor, i)] =
            (scs_real)(bound * ((double)(word[i % 4] >> 8) * 0x1p-23 - 1.0 + 0x1p-24));
    }
}

/* torch's Linear init: bound = 1 / sqrt(fan_in) for the weight and for the bias that follows it.
 * gamma and beta of batch norms keep 1 and 0. */
void scs_model_init(scs_model *model, int64_t seed)
{
    double bound = 0;

    for (int32_t i = 0; i < model->n_tensor; i++) {
        const scs_tensor *tensor = &model->tensor[i];
        /* A bias that follows a weight; batch norm's beta is called ".bias" as well, but follows
         * gamma. */
        bool bias_of_dense = i > 0 && model->tensor[i - 1].cols > 0 && !tensor->cols &&
                             strstr(tensor->name, ".bias") != NULL;

        if (tensor->cols)
            bound = 1.0 / sqrt((double)tensor->cols);
        if (tensor->cols || bias_of_dense)
            init_tensor(model, i, seed, bound);
    }
}
