#include "src/blas.h"
#include "src/factors.h"
#include "src/linear.h"
#include "src/simd.h"
#include "src/sparse.h"

enum { TILE = SCS_FACTOR_TILE, SPREAD_ROWS = 256 };

/* ---- the gradient of W and b ---- */

/* In vector lanes, whose sums have another order than scs_vector_dot's. */
SCS_VECTOR static double dot(const scs_real *a, const scs_real *b, int32_t n)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* A gene's sums of x and of (b - x)^2 over the cells. */
static double gene_sums(const scs_entries *x, int32_t gene, double bias, double *error)
{
    double sum = 0, square = 0;

    for (int64_t b = 0; b < scs_blocks(x->n_in); b++) {
        const int64_t *first = x->first + b * x->n_out + gene;

        for (int64_t k = first[0]; k < first[1]; k++) {
            sum += x->value[k];
            square += (double)x->value[k] * x->value[k];
        }
    }
    *error += x->n_in * bias * bias - 2 * bias * sum + square;
    return sum;
}

/* q of a tile of genes, which is the gradient of b. */
static void lift_genes(const scs_factors *f, const scs_real *param, double scale,
                       const scs_factor_cells *c, int tile)
{
    int32_t last = (tile + 1) * TILE < c->n_gene ? (tile + 1) * TILE : c->n_gene;
    const scs_real *weight = param + f->dense.weight + (int64_t)c->gene * f->d;
    const scs_real *bias = param + f->dense.bias + c->gene;

    c->gene_error[tile] = 0;
    for (int32_t g = tile * TILE; g < last; g++) {
        double sum = gene_sums(c->by_gene, g, bias[g], &c->gene_error[tile]);
        double predicted = c->n * (dot(weight + (int64_t)g * f->d, c->mean, f->d) + bias[g]);

        c->lift[g] = (scs_real)(scale * (predicted - sum));
        c->grad[f->dense.bias + c->gene + g] = c->lift[g];
    }
}

void scs_factors_weight_gradient(const scs_factors *f, const scs_real *param, double scale)
{
    int n_tile = scs_factor_tiles(f->dense.n_out);
    int n_task = scs_product_tasks(f->dense.n_out, f->d);

#pragma omp parallel for collapse(2)
    for (int32_t i = 0; i < f->n_cells; i++)
        for (int tile = 0; tile < n_tile; tile++)
            if (f->cells[i].n && tile < scs_factor_tiles(f->cells[i].n_gene))
                lift_genes(f, param, scale, &f->cells[i], tile);
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t i = 0; i < f->n_cells; i++)
        for (int task = 0; task < n_task; task++) {
            const scs_factor_cells *c = &f->cells[i];
            scs_product product = {.x = c->by_gene,
                                   .dense = c->offset,
                                   .base = c->mean,
                                   .base_scale = c->lift,
                                   .out = c->grad + f->dense.weight + (int64_t)c->gene * f->d,
                                   .n_col = f->d};

            if (c->n)
                scs_product_run(&product, task);
        }
}

static void add_spread_rows(const scs_factors *f, const scs_real *param, scs_real *grad,
                            int32_t first, int32_t n)
{
    int64_t at = f->dense.weight + (int64_t)first * f->d;

    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, f->d, f->d, 1, param + at, f->d,
             f->cell_gram, f->d, 1, grad + at, f->d);
}

void scs_factors_add_spread(const scs_factors *f, const scs_real *param,
                            const scs_output_part *part)
{
    int32_t most = 0; /* genes of a slice */

    for (int32_t p = 0; p < f->n_part; p++)
        if (f->first_gene[p + 1] - f->first_gene[p] > most)
            most = f->first_gene[p + 1] - f->first_gene[p];
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int32_t row = 0; row < most; row += SPREAD_ROWS) {
            int32_t first = f->first_gene[p] + row, left = f->first_gene[p + 1] - first;

            if (left > 0)
                add_spread_rows(f, param, part[f->n_cells > 1 ? p : 0].grad, first,
                                left < SPREAD_ROWS ? left : SPREAD_ROWS);
        }
}

/* ---- the gradient of H, and the squared error ---- */

/* grad_hidden = X W - (W'b)', whose products with h the squared error needs. */
static void multiply_cells(scs_factors *f, const scs_real *param, const scs_output_part *part)
{
    int n_task = scs_product_tasks(f->max_rows, f->d);

#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < n_task; task++) {
            scs_product product = {.x = &part[p].x->by_cell,
                                   .dense = param + f->dense.weight,
                                   .base = f->minus_wb,
                                   .out = part[p].grad_hidden,
                                   .n_col = f->d};

            if (part[p].n)
                scs_product_run(&product, task);
        }
}

/* error = factor h grad_hidden of each cell, added to what is there where `add`. */
static void add_cell_errors(scs_factors *f, double factor, bool add, const scs_output_part *part)
{
#pragma omp parallel for collapse(2)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int64_t i = 0; i < f->max_rows; i++)
            if (i < part[p].n)
                f->lane[p].cell_error[i] =
                    factor * dot(part[p].hidden + i * f->d, part[p].grad_hidden + i * f->d, f->d) +
                    (add ? f->lane[p].cell_error[i] : 0);
}

/* grad_hidden = scale (H (W'W) - grad_hidden) */
static void hidden_gradient_cut(const scs_factors *f, double scale, const scs_output_part *part,
                                const scs_cut *cut)
{
    int64_t row = (int64_t)cut->row * f->d;

    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, cut->n_row, cut->n_col, f->d,
             (scs_real)scale, part->hidden + row, f->d, f->weight_gram + cut->col, f->d,
             (scs_real)-scale, part->grad_hidden + row + cut->col, f->d);
}

static void multiply_hidden(scs_factors *f, double scale, const scs_output_part *part)
{
    int few = scs_cut_tasks(1, f->d), many = scs_cut_tasks(f->max_rows, f->d);

#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < (few > many ? few : many); task++) {
            scs_cut cut;

            if (part[p].n && scs_cut_at(part[p].n, f->d, task, &cut))
                hidden_gradient_cut(f, scale, &part[p], &cut);
        }
}

void scs_factors_hidden_gradient(scs_factors *f, const scs_real *param, double scale,
                                 const scs_output_part *part)
{
    multiply_cells(f, param, part);
    add_cell_errors(f, -1, false, part);
    multiply_hidden(f, scale, part);
    add_cell_errors(f, 1 / scale, true, part);
}
