/* Both ways through the output layer in float, against sums in double near a least-squares optimum,
 * where what is left of the difference of large products is smallest. */
#include "src/model/layout.h"
#include "src/model/linear.h"
#include "src/model/output.h"
#include "tests/unit/packing.h"
#include "tests/unit/fixture_model.h"

#include <math.h>
#include <string.h>

enum { N_CELL = 600, N_GENE = 300, D = 40 };
static const double scale = 1.0 / N_CELL;

typedef struct layer {
    scs_arch arch;
    scs_layout layout;
    scs_csr x;
    scs_packed packed;
    scs_nonzeros cells;
    float *hidden;         /* [N_CELL, D] */
    float *param;          /* [n_param] */
    double *dense_x;       /* [N_CELL, N_GENE] */
    double *residual;      /* [N_CELL, N_GENE] */
    double *weight, *bias; /* the output layer's gradients [N_GENE, D], [N_GENE] */
    double *grad_hidden;   /* [N_CELL, D] */
    double squared_error;
} layer;

/* Units with means far from zero, as after a leaky ReLU, and with common factors. */
static float unit(int64_t i, int64_t c, double mean)
{
    double wave = sin(0.37 * (double)(i * (c % 7 + 1))) + cos(1.7 * (double)(i + 3 * c));

    return (float)(mean + 0.3 * wave);
}

static void fill(layer *l, double mean)
{
    for (int64_t i = 0; i < N_CELL; i++) {
        for (int64_t c = 0; c < D; c++)
            l->hidden[i * D + c] = unit(i, c, mean);
        for (int64_t k = l->x.indptr[i]; k < l->x.indptr[i + 1]; k++) {
            l->x.values[k] = (float)fabs(1 + unit(i, l->x.indices[k], 0));
            l->dense_x[i * N_GENE + l->x.indices[k]] = l->x.values[k];
        }
    }
}

static void open_layer(layer *l, double mean)
{
    memset(l, 0, sizeof *l);
    l->arch = dropout_arch(SCS_PROFILE_SCGEN2, N_GENE, D, 3);
    scs_layout_build(&l->arch, &l->layout);
    CHECK_OK(random_cells(N_CELL, N_GENE, 0.1, 3, &l->x));
    CHECK_OK(SCS_ALLOC(l->hidden, N_CELL * D));
    CHECK_OK(SCS_ALLOC(l->param, l->layout.n_param));
    CHECK_OK(SCS_ALLOC(l->dense_x, N_CELL * N_GENE));
    CHECK_OK(SCS_ALLOC(l->residual, N_CELL * N_GENE));
    CHECK_OK(SCS_ALLOC(l->weight, N_GENE * D));
    CHECK_OK(SCS_ALLOC(l->bias, N_GENE));
    CHECK_OK(SCS_ALLOC(l->grad_hidden, N_CELL * D));
    fill(l, mean);
    l->packed = packed(&l->x);
    CHECK_OK(scs_nonzeros_reserve(&l->cells, &l->packed, NULL, 0, N_CELL, true));
    scs_nonzeros_fill(&l->cells, &l->packed, NULL, 0, true);
}

static void close_layer(layer *l)
{
    scs_csr_clear(&l->x);
    scs_packed_clear(&l->packed);
    scs_nonzeros_clear(&l->cells);
    free(l->hidden);
    free(l->param);
    free(l->dense_x);
    free(l->residual);
    free(l->weight);
    free(l->bias);
    free(l->grad_hidden);
}

static void predict(layer *l)
{
    const float *w = l->param + l->layout.out.weight, *b = l->param + l->layout.out.bias;

    l->squared_error = 0;
    for (int64_t i = 0; i < N_CELL; i++)
        for (int64_t g = 0; g < N_GENE; g++) {
            double sum = b[g] - l->dense_x[i * N_GENE + g];

            for (int64_t c = 0; c < D; c++)
                sum += (double)l->hidden[i * D + c] * w[g * D + c];
            l->residual[i * N_GENE + g] = sum;
            l->squared_error += sum * sum;
        }
}

/* The definition, in double. */
static void differentiate(layer *l)
{
    const float *w = l->param + l->layout.out.weight;

    predict(l);
    memset(l->weight, 0, N_GENE * D * sizeof *l->weight);
    memset(l->bias, 0, N_GENE * sizeof *l->bias);
    memset(l->grad_hidden, 0, N_CELL * D * sizeof *l->grad_hidden);
    for (int64_t i = 0; i < N_CELL; i++)
        for (int64_t g = 0; g < N_GENE; g++) {
            double r = scale * l->residual[i * N_GENE + g];

            l->bias[g] += r;
            for (int64_t c = 0; c < D; c++) {
                l->weight[g * D + c] += r * l->hidden[i * D + c];
                l->grad_hidden[i * D + c] += r * w[g * D + c];
            }
        }
}

/* Some steps down the gradient: what is left of it is small beside the products it is made of. */
static void descend(layer *l, int steps, double rate)
{
    for (int step = 0; step < steps; step++) {
        differentiate(l);
        for (int64_t i = 0; i < N_GENE * D; i++)
            l->param[l->layout.out.weight + i] -= (float)(rate * l->weight[i]);
        for (int64_t g = 0; g < N_GENE; g++)
            l->param[l->layout.out.bias + g] -= (float)(rate * l->bias[g]);
    }
    differentiate(l);
}

static double largest_of(const double *a, int64_t n)
{
    double most = 0;

    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(a[i]));
    return most;
}

/* Largest difference relative to the largest number. */
static double off(const float *ours, const double *exact, int64_t n)
{
    double worst = 0;

    for (int64_t i = 0; i < n; i++)
        worst = isfinite(ours[i]) ? fmax(worst, fabs(ours[i] - exact[i])) : INFINITY;
    return worst / largest_of(exact, n);
}

typedef struct error {
    double weight, bias, hidden, loss;
} error;

static error run_way(layer *l, bool factored, bool split_genes)
{
    float *grad, *grad_hidden;
    scs_output *output;
    scs_team team = scs_team_alone(1);
    scs_output_part part = {.n = N_CELL, .hidden = l->hidden, .x = &l->cells};
    scs_gene_split split = {0};
    const scs_entries *cells = &l->cells.by_cell;
    error e;

    CHECK_OK(SCS_ALLOC(grad, l->layout.n_param));
    CHECK_OK(SCS_ALLOC(grad_hidden, N_CELL * D));
    part.grad = grad;
    part.grad_hidden = grad_hidden;
    CHECK_OK(scs_output_create(&l->arch, 1, N_CELL, &output));
    CHECK_OK(scs_output_prepare(output, factored, &team, N_CELL));
    CHECK_OK(scs_gene_split_prepare(&split, &team, N_GENE, D, N_CELL));
    CHECK_OK(scs_gene_split_fill(&split, &team, &cells));
    CHECK_OK(
        scs_output_step(output, l->param, scale, &team, split_genes ? &split : NULL, NULL, &part));
    e = (error){off(grad + l->layout.out.weight, l->weight, N_GENE * D),
                off(grad + l->layout.out.bias, l->bias, N_GENE),
                off(grad_hidden, l->grad_hidden, N_CELL * D),
                fabs(part.squared_error - l->squared_error) / l->squared_error};
    scs_output_destroy(&output);
    scs_gene_split_clear(&split);
    free(grad);
    free(grad_hidden);
    return e;
}

static void check_error(const char *what, error e, error bound)
{
    fprintf(stderr, "\n    %s: dW %.1e, db %.1e, dH %.1e, loss %.1e", what, e.weight, e.bias,
            e.hidden, e.loss);
    CU_ASSERT(e.weight < bound.weight);
    CU_ASSERT(e.bias < bound.bias);
    CU_ASSERT(e.hidden < bound.hidden);
    CU_ASSERT(e.loss < bound.loss);
}

/* At the start the gradient is as large as what it is made of. */
static void test_far_from_optimum(void)
{
    layer l;

    open_layer(&l, 0.5);
    descend(&l, 1, 0.01);
    check_error("dense", run_way(&l, false, true), (error){3e-6, 3e-6, 2e-6, 1e-8});
    check_error("factored", run_way(&l, true, false), (error){3e-6, 3e-6, 2e-6, 1e-8});
    check_error("factored, split", run_way(&l, true, true), (error){3e-6, 3e-6, 2e-6, 1e-8});
    close_layer(&l);
}

static void test_near_optimum(void)
{
    layer l;

    open_layer(&l, 0.5);
    descend(&l, 60, 0.1);
    check_error("dense", run_way(&l, false, true), (error){3e-5, 1e-5, 2e-6, 1e-8});
    check_error("factored", run_way(&l, true, false), (error){3e-5, 1e-5, 2e-6, 1e-8});
    check_error("factored, split", run_way(&l, true, true), (error){3e-5, 1e-5, 2e-6, 1e-8});
    close_layer(&l);
}

/* The common part of the units cancels before anything is rounded. */
static void test_far_means(void)
{
    layer l;

    open_layer(&l, 30);
    descend(&l, 60, 5e-5);
    check_error("dense", run_way(&l, false, true), (error){2e-4, 5e-4, 2e-6, 1e-8});
    check_error("factored", run_way(&l, true, false), (error){5e-5, 1e-5, 5e-6, 2e-8});
    check_error("factored, split", run_way(&l, true, true), (error){5e-5, 1e-5, 5e-6, 2e-8});
    close_layer(&l);
}

static void test_relu_is_not_factored(void)
{
    scs_arch arch = dropout_arch(SCS_PROFILE_PAPER, N_GENE, D, 3);
    scs_team team = scs_team_alone(1);
    scs_output *output;

    CHECK_OK(scs_output_create(&arch, 1, 10, &output));
    CHECK_FAILS(scs_output_prepare(output, true, &team, 1), SCS_EARG, "linear output");
    scs_output_destroy(&output);
    CU_ASSERT_FALSE(scs_output_factors(&arch, 1e6, 0.05));
}

/* Small batches go dense, large ones factored, and the turn lies where both cost the same. */
static void test_cost_model(void)
{
    scs_arch arch = dropout_arch(SCS_PROFILE_SCGEN2, 7000, 800, 100);

    CU_ASSERT_FALSE(scs_output_factors(&arch, 32, 0.08));
    CU_ASSERT_FALSE(scs_output_factors(&arch, 128, 0.08));
    CU_ASSERT(scs_output_factors(&arch, 1024, 0.08));
    CU_ASSERT(scs_output_factors(&arch, 4096, 0.08));
    CU_ASSERT_FALSE(scs_output_factors(&arch, 1e6, 0.9)); /* sparse products of dense cells */
}

/* Weights and moments before and after a step that updates them itself. */
typedef struct weights {
    scs_adam adam;
    int64_t n;
    scs_adam_state is;     /* [n_param] each, updated by the step */
    scs_adam_state wanted; /* likewise, by a gradient that is stored */
} weights;

static void locate(void *ctx, int64_t lo, scs_real **m, scs_real **v)
{
    const weights *w = ctx;

    *m = w->is.m + lo;
    *v = w->is.v + lo;
}

static void open_state(const float *param, int64_t n, scs_adam_state *state)
{
    CHECK_OK(SCS_ALLOC(state->param, n));
    CHECK_OK(SCS_ALLOC(state->m, n));
    CHECK_OK(SCS_ALLOC(state->v, n));
    memcpy(state->param, param, (size_t)n * sizeof *param);
    for (int64_t i = 0; i < n; i++) {
        state->m[i] = 1e-3f * (float)(i % 17 - 8);
        state->v[i] = 1e-4f * (float)(i % 13);
    }
}

static void free_state(scs_adam_state *state)
{
    free(state->param);
    free(state->m);
    free(state->v);
}

/* [at, at + n) of all three by the stored gradient, and all the rest as it was. Compilers may fuse
 * multiplications and additions differently in the two loops: a few last bits. */
static void check_weights(weights *w, const float *grad, int64_t at, int64_t n)
{
    scs_adam_state state = scs_adam_state_at(&w->wanted, at);
    const float *is[] = {w->is.param, w->is.m, w->is.v};
    const float *wanted[] = {w->wanted.param, w->wanted.m, w->wanted.v};

    scs_adam_step(&w->adam, n, &state, grad + at);
    for (int a = 0; a < 3; a++)
        for (int64_t i = 0; i < w->n; i++) {
            bool updated = i >= at && i < at + n;
            double most = updated ? 1e-9 + 1e-6 * fabs((double)wanted[a][i]) : 0;

            CU_ASSERT_DOUBLE_EQUAL(is[a][i], wanted[a][i], most);
        }
    memcpy(w->wanted.param, w->is.param, (size_t)w->n * sizeof *w->is.param);
    memcpy(w->wanted.m, w->is.m, (size_t)w->n * sizeof *w->is.m);
    memcpy(w->wanted.v, w->is.v, (size_t)w->n * sizeof *w->is.v);
}

/* Both layers that touch genes, on a split of all cells. */
static void test_updates(void)
{
    layer l;
    scs_team team = scs_team_alone(1);
    scs_adam_rule rule = {1e-6, 0.9, 0.999, 0.01};
    weights w = {.adam = scs_adam_at(&rule, 1e-2, 3)};
    scs_gene_split split = {0};
    const scs_entries *cells;
    scs_output_part part = {.n = N_CELL};
    scs_step_hooks hooks = {.ctx = &w, .adam = &w.adam, .moments = locate};
    scs_output *output;
    const scs_dense *in;
    scs_adam_state first;
    float *grad, *scratch;

    open_layer(&l, 0.5);
    descend(&l, 1, 0.01);
    in = &l.layout.block[0].linear;
    cells = &l.cells.by_cell;
    w.n = l.layout.n_param;
    open_state(l.param, w.n, &w.is);
    open_state(l.param, w.n, &w.wanted);
    CHECK_OK(SCS_ALLOC(grad, w.n));
    CHECK_OK(SCS_ALLOC(scratch, w.n));
    CHECK_OK(SCS_ALLOC(part.grad_hidden, N_CELL * D));
    part.hidden = l.hidden;
    part.x = &l.cells;
    CHECK_OK(scs_output_create(&l.arch, 1, N_CELL, &output));
    CHECK_OK(scs_output_prepare(output, false, &team, N_CELL));
    CHECK_OK(scs_gene_split_prepare(&split, &team, N_GENE, D, N_CELL));
    CHECK_OK(scs_gene_split_fill(&split, &team, &cells));
    part.grad = grad;
    CHECK_OK(scs_output_step(output, l.param, scale, &team, &split, NULL, &part));
    CU_ASSERT_EQUAL(memcmp(l.param, w.is.param, (size_t)w.n * sizeof *l.param), 0);
    part.grad = scratch;
    CHECK_OK(scs_output_step(output, w.is.param, scale, &team, &split, &hooks, &part));
    check_weights(&w, grad, l.layout.out.weight, (int64_t)N_GENE * D);
    scs_linear_sparse_gene_gradient(&split.by_gene, l.hidden, D, grad + in->weight);
    first = scs_adam_state_at(&w.is, in->weight);
    scs_linear_sparse_gene_update(&split.by_gene, l.hidden, D, &w.adam, &first);
    check_weights(&w, grad, in->weight, (int64_t)N_GENE * D);
    scs_output_destroy(&output);
    scs_gene_split_clear(&split);
    free_state(&w.is);
    free_state(&w.wanted);
    free(grad);
    free(scratch);
    free(part.grad_hidden);
    close_layer(&l);
}

int main(void)
{
    static const scs_test tests[] = {
        {"far from the optimum", test_far_from_optimum},
        {"near the optimum", test_near_optimum},
        {"units with large means", test_far_means},
        {"a step updates the layers that touch genes as a gradient that is stored does",
         test_updates},
        {"an output ReLU is not factored", test_relu_is_not_factored},
        {"the cost model", test_cost_model},
    };

    return run_suite("output", tests, sizeof tests / sizeof *tests);
}
