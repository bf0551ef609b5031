/* What the kernels of a training step reach, beside what the machine can do in the same run: a line
 * of JSON each.
 *
 * usage: measure_kernels CELLS GENES HIDDEN DENSITY SECONDS. scripts/bench/kernels makes a table.
 */
#include "src/data/team.h"
#include "src/base/clock.h"
#include "src/kernels/adam.h"
#include "src/model/linear.h"
#include "src/model/output.h"
#include "src/simulate/sampler.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LATENT = 100, ORDER = 1024, TIMES = 5, STREAM = 48 << 20 /* elements: past any cache */ };

typedef struct bench {
    int32_t n; /* cells of the batch */
    double seconds;
    scs_arch arch;
    scs_layout layout;
    scs_team team;
    scs_csr csr;
    scs_packed cells; /* the same */
    scs_nonzeros x;
    double nnz;
    scs_real *param, *grad, *m, *v, *other;          /* [n_param] */
    scs_real *hidden, *out, *grad_hidden, *grad_out; /* [n, n_hidden] */
    scs_flow flow;
    scs_output *output;
    scs_output_part part;
    scs_gene_split split;
    float *a, *b, *c; /* of the machine's own limits */
} bench;

/* ---- what is measured ---- */

static scs_status run_sgemm(bench *w)
{
#pragma omp parallel
    {
        int64_t at = (int64_t)omp_get_thread_num() * ORDER * ORDER;

        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, ORDER, ORDER, ORDER, 1, w->a + at,
                    ORDER, w->b + at, ORDER, 0, w->c + at, ORDER);
    }
    return SCS_OK;
}

static scs_status run_triad(bench *w)
{
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < STREAM; i++)
        w->a[i] = w->b[i] + 3 * w->c[i];
    return SCS_OK;
}

static scs_status run_gather(bench *w)
{
    scs_nonzeros_fill(&w->x, &w->cells, NULL, 0, true);
    return SCS_OK;
}

static scs_status run_xw(bench *w)
{
    scs_linear_sparse_forward(&w->layout.block[0].linear, w->param, &w->flow, 1);
    return SCS_OK;
}

static scs_status run_xta(bench *w)
{
    scs_linear_sparse_backward(&w->layout.block[0].linear, &w->flow, 1);
    return SCS_OK;
}

static scs_status run_forward(bench *w)
{
    scs_linear_forward(&w->layout.block[1].linear, w->param, &w->flow, 1);
    return SCS_OK;
}

static scs_status run_backward(bench *w)
{
    scs_linear_backward(&w->layout.block[1].linear, w->param, &w->flow, 1, false);
    return SCS_OK;
}

static scs_status run_output(bench *w, bool factored)
{
    const scs_entries *cells = &w->x.by_cell;

    SCS_TRY(scs_output_prepare(w->output, factored, &w->team, w->n));
    if (!factored) {
        SCS_TRY(
            scs_gene_split_prepare(&w->split, &w->team, w->arch.n_gene, w->arch.n_hidden, w->n));
        SCS_TRY(scs_gene_split_fill(&w->split, &w->team, &cells));
    }
    return scs_output_step(w->output, w->param, 1.0 / w->n, &w->team, &w->split, NULL, &w->part);
}

static scs_status run_dense(bench *w)
{
    return run_output(w, false);
}

static scs_status run_factored(bench *w)
{
    return run_output(w, true);
}

static scs_status run_tree(bench *w)
{
    scs_real *part[2] = {w->other, w->grad};
    scs_subtree subtree[2] = {{0, 1}, {1, 1}};

    scs_team_tree_sum_float(part, subtree, 2, 0, w->layout.n_param);
    return SCS_OK;
}

static scs_status run_adam(bench *w)
{
    scs_adam_rule rule = {w->arch.weight_decay, w->arch.beta1, w->arch.beta2, w->arch.adam_epsilon};
    scs_adam adam = scs_adam_at(&rule, 1e-9, 1);
    scs_adam_state state = {w->param, w->m, w->v};

    scs_adam_step(&adam, w->layout.n_param, &state, w->grad);
    return SCS_OK;
}

typedef struct entry {
    const char *name;
    scs_status (*run)(bench *w);
    double flops, bytes; /* of one call; bytes: each array once, as if caches held the rest */
} entry;

/* ---- timing ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Median of some windows. @param[out] seconds of one call */
static scs_status measure(bench *w, const entry *e, double *seconds)
{
    double time[TIMES];

    SCS_TRY(e->run(w));
    for (int i = 0; i < TIMES; i++) {
        double start = scs_clock();
        int64_t calls = 0;

        do
            SCS_TRY(e->run(w));
        while (++calls, scs_clock() - start < w->seconds);
        time[i] = (scs_clock() - start) / (double)calls;
    }
    qsort(time, TIMES, sizeof *time, by_value);
    *seconds = time[TIMES / 2];
    return SCS_OK;
}

static scs_status report(bench *w, const entry *list, int n)
{
    for (int i = 0; i < n; i++) {
        double seconds;

        SCS_TRY(measure(w, &list[i], &seconds));
        printf("{\"name\": \"%s\", \"ms\": %.4f, \"gflops\": %.2f, \"gbytes\": %.2f}\n",
               list[i].name, 1e3 * seconds, 1e-9 * list[i].flops / seconds,
               1e-9 * list[i].bytes / seconds);
        fflush(stdout);
    }
    return SCS_OK;
}

static scs_status report_machine(bench *w)
{
    double threads = omp_get_max_threads();
    entry machine[] = {{"peak: sgemm", run_sgemm, 2.0 * ORDER * ORDER * ORDER * threads, 0},
                       {"peak: triad", run_triad, 0, 12.0 * STREAM}};
    int64_t size = (int64_t)ORDER * ORDER * omp_get_max_threads();

    size = size < STREAM ? STREAM : size;
    SCS_TRY(SCS_ALLOC(w->a, size));
    SCS_TRY(SCS_ALLOC(w->b, size));
    SCS_TRY(SCS_ALLOC(w->c, size));
    return report(w, machine, 2);
}

static scs_status report_kernels(bench *w)
{
    double n = w->n, d = w->arch.n_hidden, genes = w->arch.n_gene, size = (double)w->layout.n_param;
    double weights = 4 * genes * d, cells = 4 * n * d, entries = 5 * w->nnz;
    entry kernel[] = {
        {"gather: cells by cell and gene", run_gather, 0, 2 * 8 * w->nnz + 2 * entries},
        {"X W: first layer forward", run_xw, 2 * w->nnz * d, entries + weights + cells},
        {"X'A: first layer backward", run_xta, 2 * w->nnz * d, entries + weights + cells},
        {"hidden layer forward", run_forward, 2 * n * d * d, 2 * cells + 4 * d * d},
        {"hidden layer backward", run_backward, 4 * n * d * d, 3 * cells + 8 * d * d},
        {"output layer, dense", run_dense, 6 * n * genes * d, 2 * weights + 2 * cells + entries},
        {"output layer, factored", run_factored, 4 * w->nnz * d + 3 * (n + genes) * d * d,
         4 * weights + 4 * cells + 2 * entries},
        {"tree sum of two gradients", run_tree, size, 12 * size},
        {"Adam", run_adam, 12 * size, 28 * size}};

    return report(w, kernel, sizeof kernel / sizeof *kernel);
}

/* ---- data ---- */

static scs_status make_cells(bench *w, double density)
{
    scs_stream stream = {1, 0, 0, 0};
    scs_sampler sampler = scs_sampler_start(&stream);
    int64_t most = (int64_t)w->n * w->arch.n_gene, k = 0;

    SCS_TRY(scs_csr_alloc(w->n, w->arch.n_gene, most, &w->csr));
    for (int32_t i = 0; i < w->n; i++) {
        for (int32_t g = 0; g < w->arch.n_gene; g++)
            if (scs_sampler_uniform(&sampler) < density) {
                w->csr.indices[k] = g;
                w->csr.values[k++] =
                    (float)log1p(floor(1 - log(1 - scs_sampler_uniform(&sampler))) * 3.7);
            }
        w->csr.indptr[i + 1] = k;
    }
    w->nnz = (double)k;
    SCS_TRY(scs_packed_make(&w->csr, &w->cells));
    SCS_TRY(scs_nonzeros_reserve(&w->x, &w->cells, NULL, 0, w->n, true));
    return run_gather(w);
}

static void fill(scs_real *values, int64_t n, double scale)
{
    for (int64_t i = 0; i < n; i++)
        values[i] = (scs_real)(scale * ((double)(i % 1009) / 1009 - 0.5));
}

static scs_status make_values(bench *w)
{
    int64_t n_param = w->layout.n_param, size = (int64_t)w->n * w->arch.n_hidden;
    scs_real **array[] = {&w->param, &w->grad, &w->m, &w->v, &w->other};
    scs_real **signal[] = {&w->hidden, &w->out, &w->grad_hidden, &w->grad_out};

    for (int i = 0; i < 5; i++)
        SCS_TRY(SCS_ALLOC(*array[i], n_param));
    for (int i = 0; i < 4; i++) {
        SCS_TRY(SCS_ALLOC(*signal[i], size));
        fill(*signal[i], size, 1);
    }
    fill(w->param, n_param, 0.05);
    w->flow = (scs_flow){w->n, w->hidden, w->out, w->grad_hidden, w->grad_out, w->grad, &w->x};
    w->part = (scs_output_part){
        .n = w->n, .hidden = w->hidden, .x = &w->x, .grad_hidden = w->grad_hidden, .grad = w->grad};
    return scs_output_create(&w->arch, 1, w->n, &w->output);
}

static scs_status run(char **argv)
{
    static bench w; /* lives as long as the program */

    w.n = atoi(argv[1]);
    w.seconds = atof(argv[5]);
    w.arch = (scs_arch){.n_gene = atoi(argv[2]),
                        .n_hidden = atoi(argv[3]),
                        .n_layer = 2,
                        .n_latent = LATENT,
                        .hidden_bias = true,
                        .last_block_bn = true,
                        .weight_decay = 1e-6,
                        .adam_epsilon = 0.01,
                        .beta1 = 0.9,
                        .beta2 = 0.999};
    w.team = scs_team_alone(1);
    SCS_REQUIRE(w.n > 0 && w.arch.n_gene > 0 && w.arch.n_hidden > 0 && w.seconds > 0, SCS_EARG,
                "sizes and seconds are above 0");
    scs_layout_build(&w.arch, &w.layout);
    SCS_TRY(report_machine(&w));
    SCS_TRY(make_cells(&w, atof(argv[4])));
    SCS_TRY(make_values(&w));
    return report_kernels(&w);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: measure_kernels CELLS GENES HIDDEN DENSITY SECONDS\n");
        return 2;
    }
    openblas_set_num_threads(1);
    if (run(argv) != SCS_OK) {
        fprintf(stderr, "measure_kernels: %s\n", scs_message());
        return 1;
    }
    return 0;
}
