/* The network in evaluation mode: running statistics normalise, nothing is dropped.
 *
 * A cell's result then depends on that cell alone, so that any rows may be encoded or decoded
 * together, in any grouping. Used for early stopping (evaluate), for the latent atlas (encode)
 * and for screening (decode_hidden; whole cells are decoded in tests and for a few only, since
 * means of decoded cells need no decoding: src/screen/decode_mean.h).
 *
 * Cost of n cells: O(nnz n_hidden + n n_hidden^2), and O(n n_hidden n_gene) where all genes are
 * decoded. All functions are Local.
 */
#include "src/base/random.h"
#include "src/base/simd.h"
#include "src/kernels/nonzeros.h"
#include "src/model/layer.h"
#include "src/model/linear.h"
#include "src/model/output.h"
#include "src/model/output_dense.h"
#include "scscreen/model.h"

#include <math.h>
#include <stdlib.h>

/* ---- a stack of blocks ---- */

/* Some cells on their way through the encoder's or the decoder's blocks. Owned but for the model.
 */
typedef struct stack {
    const scs_model *model;
    scs_layout layout;
    int32_t n;
    scs_norm norm;
    scs_real *spare; /* [n, n_hidden] */
} stack;

/* Also after open_stack has failed. */
static void close_stack(stack *s)
{
    free(s->norm.mean);
    free(s->norm.inv_std);
    free(s->spare);
}

/* @param[out] s nothing is left behind after an error */
static scs_status open_stack(const scs_model *model, int32_t n, stack *s)
{
    int32_t n_hidden = model->arch.n_hidden;
    scs_status st;

    *s = (stack){.model = model, .n = n, .norm = {.n_col = n_hidden}};
    scs_layout_build(&model->arch, &s->layout);
    SCS_GO(st, SCS_ALLOC(s->norm.mean, n_hidden));
    SCS_GO(st, SCS_ALLOC(s->norm.inv_std, n_hidden));
    SCS_GO(st, SCS_ALLOC(s->spare, (int64_t)n * n_hidden));
    return SCS_OK;
done:
    close_stack(s);
    return st;
}

/* Batch norm by the running statistics and leaky ReLU, in place.
 *  @param x [n, n_hidden] */
static void activate(stack *s, int b, scs_real *x)
{
    const scs_block *block = &s->layout.block[b];
    const scs_arch *arch = &s->model->arch;

    if (block->gamma >= 0)
        scs_layer_batch_norm_from_running(block, s->model->running, arch->bn_epsilon, &s->norm);
#pragma omp parallel for if (SCS_WORTH_THREADS((int64_t)s->n * arch->n_hidden * 4))
    for (int32_t i = 0; i < s->n; i++) {
        scs_real *row = x + (int64_t)i * arch->n_hidden;

        if (block->gamma >= 0)
            scs_layer_batch_norm_forward(&s->norm, block, s->model->param, row, row);
        scs_layer_activation_forward(arch->leaky_slope, scs_layer_dropout_of(0), NULL,
                                     arch->n_hidden, row, row);
    }
}

/* Blocks [first, first + n_layer). The last one writes into out, the ones before by turns into
 * it and the spare rows, so that two buffers do for any number of layers.
 *  @param x the cells, for the first encoder block alone
 *  @param in [n, n_in] for all others
 *  @param[out] out [n, n_hidden] */
static void run_stack(stack *s, int first, const scs_nonzeros *x, const scs_real *in, scs_real *out)
{
    int last = first + s->model->arch.n_layer;

    for (int b = first; b < last; b++) {
        /* The last block (last - b = 1) writes into out. */
        scs_real *to = (last - b) % 2 ? out : s->spare;
        scs_flow flow = {.n = s->n, .in = in, .out = to, .x = x};

        if (b == 0)
            scs_linear_sparse_forward(&s->layout.block[b].linear, s->model->param, &flow, 1);
        else
            scs_linear_forward(&s->layout.block[b].linear, s->model->param, &flow, 1);
        activate(s, b, to);
        in = to;
    }
}

/* @param hidden [n, n_hidden]
 *  @param[out] out [n, n_latent] */
static void run_head(const stack *s, const scs_dense *head, const scs_real *hidden, scs_real *out)
{
    scs_flow flow = {.n = s->n, .in = hidden, .out = out};

    scs_linear_forward(head, s->model->param, &flow, 1);
}

/* ---- encode and decode ---- */

/* @param x the cells, by cell
 *  @param n cells > 0
 *  @param[out] mean, head [n, n_latent]; head: variance = exp(head) + floor; NULL: not wanted */
static scs_status encode_heads(const scs_model *model, const scs_nonzeros *x, int32_t n,
                               scs_real *mean, scs_real *head)
{
    stack s;
    scs_real *hidden = NULL;
    scs_status st;

    SCS_TRY(open_stack(model, n, &s));
    SCS_GO(st, SCS_ALLOC(hidden, (int64_t)n * model->arch.n_hidden));
    run_stack(&s, 0, x, NULL, hidden);
    run_head(&s, &s.layout.mean, hidden, mean);
    if (head)
        run_head(&s, &s.layout.variance, hidden, head);
done:
    free(hidden);
    close_stack(&s);
    return st;
}

/* The variance is exp(head) + floor, in double. */
scs_status scs_model_encode(const scs_model *model, const scs_packed *x, int64_t row0, int32_t n,
                            scs_real *mean, scs_real *variance)
{
    scs_nonzeros cells = {0};
    scs_status st;

    if (n == 0)
        return SCS_OK;
    SCS_GO(st, scs_nonzeros_reserve(&cells, x, NULL, row0, n, false));
    scs_nonzeros_fill(&cells, x, NULL, row0, false);
    SCS_GO(st, encode_heads(model, &cells, n, mean, variance));
    for (int64_t i = 0; variance && i < (int64_t)n * model->arch.n_latent; i++)
        variance[i] = (scs_real)(exp((double)variance[i]) + model->arch.variance_floor);
done:
    scs_nonzeros_clear(&cells);
    return st;
}

/* Where most callers stop: means and variances over decoded cells follow from these activations
 * alone. */
scs_status scs_model_decode_hidden(const scs_model *model, const scs_real *z, int32_t n,
                                   scs_real *h)
{
    stack s;

    if (n == 0)
        return SCS_OK;
    SCS_TRY(open_stack(model, n, &s));
    run_stack(&s, model->arch.n_layer, NULL, z, h);
    close_stack(&s);
    return SCS_OK;
}

scs_status scs_model_decode(const scs_model *model, const scs_real *z, int32_t n, scs_real *x)
{
    scs_real *hidden;
    scs_status st;

    SCS_TRY(SCS_ALLOC(hidden, (int64_t)n * model->arch.n_hidden));
    st = scs_model_decode_hidden(model, z, n, hidden);
    if (st == SCS_OK && n > 0)
        scs_output_decode(&model->arch, model->param, hidden, n, x);
    free(hidden);
    return st;
}

/* ---- the objective of validation cells ---- */

/* Some cells in evaluation mode. Owned but for model and batch. */
typedef struct evaluation {
    const scs_model *model;
    const scs_batch *batch;
    scs_nonzeros x;
    scs_real *mean, *head, *variance, *z; /* [n, n_latent] */
    scs_real *hidden;                     /* [n, n_hidden] */
    double *noise;                        /* [n_latent] of the cell in hand */
    scs_output_dense *output;
} evaluation;

/* The caller closes it, after an error too. */
static scs_status open_evaluation(evaluation *e)
{
    const scs_arch *arch = &e->model->arch;
    int32_t n = e->batch->n;
    int64_t latent = (int64_t)n * arch->n_latent;

    SCS_TRY(scs_nonzeros_reserve(&e->x, e->batch->x, e->batch->rows, 0, n, false));
    SCS_TRY(SCS_ALLOC(e->mean, latent));
    SCS_TRY(SCS_ALLOC(e->head, latent));
    SCS_TRY(SCS_ALLOC(e->variance, latent));
    SCS_TRY(SCS_ALLOC(e->z, latent));
    SCS_TRY(SCS_ALLOC(e->hidden, (int64_t)n * arch->n_hidden));
    SCS_TRY(SCS_ALLOC(e->noise, arch->n_latent));
    return scs_output_dense_create(arch, 1, 1, n, &e->output);
}

static void close_evaluation(evaluation *e)
{
    scs_nonzeros_clear(&e->x);
    scs_output_dense_destroy(&e->output);
    free(e->mean);
    free(e->head);
    free(e->variance);
    free(e->z);
    free(e->hidden);
    free(e->noise);
}

/* z of every cell, with the same noise in every epoch: epochs can then be compared by their
 * loss.
 *  @return sum of KL */
static double draw_latent(const evaluation *e, int64_t seed)
{
    int32_t n_latent = e->model->arch.n_latent;
    double kl = 0;

    for (int64_t i = 0; i < e->batch->n; i++) {
        uint64_t id = (uint64_t)e->batch->cell[e->batch->rows[i]];
        scs_stream stream = {(uint64_t)seed, SCS_RANDOM_VALIDATE, 0, id};
        int64_t at = i * n_latent;
        scs_posterior cell = {e->mean + at, e->head + at, e->variance + at, e->z + at, e->noise};

        scs_random_normal(&stream, n_latent, e->noise);
        kl += scs_layer_posterior_forward(&e->model->arch, &cell);
    }
    return kl;
}

/* The dense output layer takes a batch as a gene split: here one shard, one rank, all genes; a
 * gradient is not asked for. */
static scs_status run_evaluation(evaluation *e, int64_t seed, scs_loss *loss)
{
    const scs_model *model = e->model;
    const scs_batch *batch = e->batch;
    int64_t first_row[] = {0, batch->n};
    scs_gene_split all = {.n_shard = 1,
                          .last = 1,
                          .n_all = model->arch.n_gene,
                          .n_gene = model->arch.n_gene,
                          .first_row = first_row,
                          .part = &e->x.by_cell,
                          .rows = e->hidden};
    double kl;

    scs_nonzeros_fill(&e->x, batch->x, batch->rows, 0, false);
    SCS_TRY(encode_heads(model, &e->x, batch->n, e->mean, e->head));
    kl = draw_latent(e, seed);
    SCS_TRY(scs_model_decode_hidden(model, e->z, batch->n, e->hidden));
    scs_output_dense_step(e->output, model->param, 0, &all, NULL, NULL);
    *loss = scs_output_loss(&model->arch, scs_output_dense_error(e->output, 0), kl, batch->n);
    return SCS_OK;
}

scs_status scs_model_evaluate(const scs_model *model, const scs_batch *batch, int64_t seed,
                              scs_loss *loss)
{
    evaluation e = {.model = model, .batch = batch};
    scs_status st;

    *loss = (scs_loss){0};
    if (batch->n == 0)
        return SCS_OK;
    SCS_GO(st, open_evaluation(&e));
    SCS_GO(st, run_evaluation(&e, seed, loss));
done:
    close_evaluation(&e);
    return st;
}
