#include "src/encode.h"

#include "src/activation.h"
#include "src/batchnorm.h"
#include "src/linear.h"
#include "src/output.h"
#include "src/simd.h"

#include <math.h>
#include <stdlib.h>

/* Some cells on their way through blocks [first, last) of the network. */
typedef struct stack {
    const scs_model *model;
    scs_layout layout;
    int32_t n;
    scs_norm norm;
    scs_real *spare; /* [n, n_hidden] */
} stack;

static void close_stack(stack *s)
{
    free(s->norm.mean);
    free(s->norm.inv_std);
    free(s->spare);
}

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

/* Batch norm by the running statistics and leaky ReLU, in place. */
static void activate(stack *s, int b, scs_real *x)
{
    const scs_block *block = &s->layout.block[b];
    const scs_arch *arch = &s->model->arch;

    if (block->gamma >= 0)
        scs_norm_from_running(block, s->model->running, arch->bn_epsilon, &s->norm);
#pragma omp parallel for if (SCS_WORTH_THREADS((int64_t)s->n * arch->n_hidden * 4))
    for (int32_t i = 0; i < s->n; i++) {
        scs_real *row = x + (int64_t)i * arch->n_hidden;

        if (block->gamma >= 0)
            scs_norm_forward(&s->norm, block, s->model->param, row, row);
        scs_activation_forward(arch->leaky_slope, scs_dropout_of(0), NULL, arch->n_hidden, row,
                               row);
    }
}

/* The last block writes into out, the ones before by turns into it and the spare rows. */
static void run_stack(stack *s, int first, const scs_nonzeros *x, const scs_real *in, scs_real *out)
{
    int last = first + s->model->arch.n_layer;

    for (int b = first; b < last; b++) {
        scs_real *to = (last - b) % 2 ? out : s->spare;
        scs_flow flow = {.n = s->n, .in = in, .out = to, .x = x};

        if (b == 0)
            scs_sparse_forward(&s->layout.block[b].linear, s->model->param, &flow, 1);
        else
            scs_linear_forward(&s->layout.block[b].linear, s->model->param, &flow, 1);
        activate(s, b, to);
        in = to;
    }
}

static void run_head(const stack *s, const scs_dense *head, const scs_real *hidden, scs_real *out)
{
    scs_flow flow = {.n = s->n, .in = hidden, .out = out};

    scs_linear_forward(head, s->model->param, &flow, 1);
}

scs_status scs_encode_heads(const scs_model *model, const scs_nonzeros *x, int32_t n,
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

scs_status scs_model_encode(const scs_model *model, const scs_packed *x, int64_t row0, int32_t n,
                            scs_real *mean, scs_real *variance)
{
    scs_nonzeros cells = {0};
    scs_status st;

    if (n == 0)
        return SCS_OK;
    SCS_GO(st, scs_nonzeros_reserve(&cells, x, NULL, row0, n, false));
    scs_nonzeros_fill(&cells, x, NULL, row0, false);
    SCS_GO(st, scs_encode_heads(model, &cells, n, mean, variance));
    for (int64_t i = 0; variance && i < (int64_t)n * model->arch.n_latent; i++)
        variance[i] = (scs_real)(exp((double)variance[i]) + model->arch.variance_floor);
done:
    scs_nonzeros_clear(&cells);
    return st;
}

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
