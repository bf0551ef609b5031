#include "src/output_factored.h"

#include "src/gram.h"
#include "src/linear.h"
#include "src/simd.h"
#include "src/sparse.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 128 }; /* genes, or columns, of a task */

/* One part's own numbers. */
typedef struct lane {
    scs_real *offset;   /* [max_rows, d] scale (c - H) */
    scs_real *mean;     /* [d] c */
    scs_real *lift;     /* [n_gene] scale q */
    double *gene_error; /* [tiles of genes] sum of (b - x)^2 over the part's cells */
    double *cell_error; /* [max_rows] what h adds to the squared error */
    scs_real *square;   /* [d, d] upper triangle of a product in hand */
} lane;

struct scs_factors {
    scs_dense dense;
    int64_t n_param;
    int32_t n_part, max_rows, d;
    int64_t size;          /* of a packed triangle and a row of d */
    lane *lane;            /* [n_part] */
    double *parts, *total; /* [n_part, size], [size] */
    scs_real *weight_gram; /* [d, d] W'W */
    scs_real *cell_gram;   /* [d, d] scale Hc'Hc of the whole batch */
    scs_real *minus_wb;    /* [d] -W'b */
};

/* ---- create and destroy ---- */

static int32_t gene_tiles(const scs_factors *f)
{
    return (f->dense.n_out + TILE - 1) / TILE;
}

static scs_status create_lane(const scs_factors *f, lane *l)
{
    SCS_TRY(SCS_ALLOC(l->offset, (int64_t)f->max_rows * f->d));
    SCS_TRY(SCS_ALLOC(l->mean, f->d));
    SCS_TRY(SCS_ALLOC(l->lift, f->dense.n_out));
    SCS_TRY(SCS_ALLOC(l->gene_error, gene_tiles(f)));
    SCS_TRY(SCS_ALLOC(l->cell_error, f->max_rows));
    return SCS_ALLOC(l->square, (int64_t)f->d * f->d);
}

static scs_status allocate(scs_factors *f)
{
    SCS_TRY(SCS_ALLOC(f->lane, f->n_part));
    for (int32_t p = 0; p < f->n_part; p++)
        SCS_TRY(create_lane(f, &f->lane[p]));
    SCS_TRY(SCS_ALLOC(f->parts, f->n_part * f->size));
    SCS_TRY(SCS_ALLOC(f->total, f->size));
    SCS_TRY(SCS_ALLOC(f->weight_gram, (int64_t)f->d * f->d));
    SCS_TRY(SCS_ALLOC(f->cell_gram, (int64_t)f->d * f->d));
    return SCS_ALLOC(f->minus_wb, f->d);
}

scs_status scs_factors_create(const scs_arch *arch, int32_t n_part, int32_t max_rows,
                              scs_factors **factors)
{
    scs_layout layout;
    scs_status st;

    SCS_REQUIRE(!arch->output_relu, SCS_EARG,
                "train.output_layer: factored needs a linear output; that of profile paper is not");
    scs_layout_build(arch, &layout);
    SCS_TRY(SCS_ALLOC(*factors, 1));
    **factors = (scs_factors){.dense = layout.out,
                              .n_param = layout.n_param,
                              .n_part = n_part,
                              .max_rows = max_rows,
                              .d = arch->n_hidden,
                              .size = scs_gram_size(arch->n_hidden) + arch->n_hidden};
    SCS_GO(st, allocate(*factors));
    return SCS_OK;
done:
    scs_factors_destroy(factors);
    return st;
}

void scs_factors_destroy(scs_factors **factors)
{
    scs_factors *f = *factors;

    if (!f)
        return;
    for (int32_t p = 0; f->lane && p < f->n_part; p++) {
        free(f->lane[p].offset);
        free(f->lane[p].mean);
        free(f->lane[p].lift);
        free(f->lane[p].gene_error);
        free(f->lane[p].cell_error);
        free(f->lane[p].square);
    }
    free(f->lane);
    free(f->parts);
    free(f->total);
    free(f->weight_gram);
    free(f->cell_gram);
    free(f->minus_wb);
    free(f);
    *factors = NULL;
}

/* ---- W'W and W'b ---- */

/* Columns [first, first + width) of a piece's share of W'b. @param weight [n, d] */
SCS_VECTOR static void weigh_rows(const scs_real *weight, const scs_real *bias, int32_t n,
                                  int32_t d, int32_t first, int32_t width, double *sum)
{
    memset(sum, 0, (size_t)width * sizeof *sum);
    for (int64_t g = 0; g < n; g++) {
        const scs_real *row = weight + g * d + first;

#pragma omp simd
        for (int32_t c = 0; c < width; c++)
            sum[c] += (double)bias[g] * row[c];
    }
}

/* Shard v's piece of the genes is [n_gene v / V, n_gene (v + 1) / V). */
static void gram_of_piece(scs_factors *f, const scs_real *param, const scs_team *team, int32_t p,
                          int task)
{
    int64_t n_gene = f->dense.n_out, v = team->first + p;
    int64_t first = n_gene * v / team->n_shard, last = n_gene * (v + 1) / team->n_shard;
    int32_t column = task * TILE, width = f->d - column < TILE ? f->d - column : TILE;
    const scs_real *weight = param + f->dense.weight + first * f->d;
    double *bias_sum = f->parts + p * f->size + scs_gram_size(f->d);

    scs_gram_run(weight, (int32_t)(last - first), f->d, 1, task, f->lane[p].square);
    weigh_rows(weight, param + f->dense.bias + first, (int32_t)(last - first), f->d, column, width,
               bias_sum + column);
}

static scs_status gram_of_weights(scs_factors *f, const scs_real *param, const scs_team *team)
{
    int n_task = scs_gram_tasks(f->d);
    int64_t packed = scs_gram_size(f->d);

#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < n_task; task++)
            gram_of_piece(f, param, team, p, task);
    for (int32_t p = 0; p < f->n_part; p++)
        scs_gram_pack(f->lane[p].square, f->d, f->parts + p * f->size);
    SCS_TRY(team->sum(team->ctx, f->parts, f->size, f->total));
    scs_gram_unpack(f->total, f->d, f->weight_gram);
    for (int32_t c = 0; c < f->d; c++)
        f->minus_wb[c] = (scs_real)-f->total[packed + c];
    return SCS_OK;
}

/* ---- H, centred, and Hc'Hc ---- */

/* The part's mean of columns [first, first + width), and their offsets from it. */
SCS_VECTOR static void centre(const scs_output_part *part, int32_t d, int32_t first, int32_t width,
                              double scale, lane *l)
{
    double mean[TILE] = {0};

    for (int64_t i = 0; i < part->n; i++) {
        const scs_real *row = part->hidden + i * d + first;

#pragma omp simd
        for (int32_t c = 0; c < width; c++)
            mean[c] += row[c];
    }
    for (int32_t c = 0; c < width; c++)
        l->mean[first + c] = (scs_real)(mean[c] / part->n);
    for (int64_t i = 0; i < part->n; i++) {
        const scs_real *row = part->hidden + i * d + first;
        scs_real *offset = l->offset + i * d + first;

#pragma omp simd
        for (int32_t c = 0; c < width; c++)
            offset[c] = (scs_real)scale * (l->mean[first + c] - row[c]);
    }
}

static void centre_parts(scs_factors *f, double scale, const scs_output_part *part)
{
#pragma omp parallel for collapse(2)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int32_t first = 0; first < f->d; first += TILE)
            if (part[p].n)
                centre(&part[p], f->d, first, f->d - first < TILE ? f->d - first : TILE, scale,
                       &f->lane[p]);
}

static scs_status gram_of_cells(scs_factors *f, double scale, const scs_team *team,
                                const scs_output_part *part)
{
    int n_task = scs_gram_tasks(f->d);
    int64_t size = scs_gram_size(f->d);

#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < n_task; task++)
            if (part[p].n)
                scs_gram_run(f->lane[p].offset, part[p].n, f->d, 1 / scale, task,
                             f->lane[p].square);
    for (int32_t p = 0; p < f->n_part; p++)
        if (part[p].n)
            scs_gram_pack(f->lane[p].square, f->d, f->parts + p * size);
        else
            memset(f->parts + p * size, 0, (size_t)size * sizeof *f->parts);
    SCS_TRY(team->sum(team->ctx, f->parts, size, f->total));
    scs_gram_unpack(f->total, f->d, f->cell_gram);
    return SCS_OK;
}

/* ---- the gradient of W and b ---- */

SCS_VECTOR static double dot(const scs_real *a, const scs_real *b, int32_t n)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* A gene's sums of x and of (b - x)^2 over the part. */
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
                       const scs_output_part *part, lane *l, int tile)
{
    int32_t last = (tile + 1) * TILE < f->dense.n_out ? (tile + 1) * TILE : f->dense.n_out;
    const scs_real *weight = param + f->dense.weight, *bias = param + f->dense.bias;

    l->gene_error[tile] = 0;
    for (int32_t g = tile * TILE; g < last; g++) {
        double sum = gene_sums(&part->x->by_gene, g, bias[g], &l->gene_error[tile]);
        double predicted = part->n * (dot(weight + (int64_t)g * f->d, l->mean, f->d) + bias[g]);

        l->lift[g] = (scs_real)(scale * (predicted - sum));
        part->grad[f->dense.bias + g] = l->lift[g];
    }
}

static void weight_gradient(scs_factors *f, const scs_real *param, double scale,
                            const scs_output_part *part)
{
    int n_tile = gene_tiles(f), n_task = scs_product_tasks(f->dense.n_out, f->d);

#pragma omp parallel for collapse(2)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int tile = 0; tile < n_tile; tile++)
            if (part[p].n)
                lift_genes(f, param, scale, &part[p], &f->lane[p], tile);
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < n_task; task++) {
            scs_product product = {.x = &part[p].x->by_gene,
                                   .dense = f->lane[p].offset,
                                   .base = f->lane[p].mean,
                                   .base_scale = f->lane[p].lift,
                                   .out = part[p].grad + f->dense.weight,
                                   .n_col = f->d};

            if (part[p].n)
                scs_product_run(&product, task);
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

static void hidden_gradient(scs_factors *f, double scale, const scs_output_part *part)
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

static void sum_errors(const scs_factors *f, scs_output_part *part)
{
    for (int32_t p = 0; p < f->n_part; p++) {
        double sum = 0;

        for (int32_t i = 0; i < part[p].n; i++)
            sum += f->lane[p].cell_error[i];
        for (int tile = 0; tile < gene_tiles(f) && part[p].n; tile++)
            sum += f->lane[p].gene_error[tile];
        part[p].squared_error = sum;
    }
}

scs_status scs_factors_step(scs_factors *f, const scs_real *param, double scale,
                            const scs_team *team, scs_output_part *part)
{
    SCS_TRY(gram_of_weights(f, param, team));
    multiply_cells(f, param, part);
    add_cell_errors(f, -1, false, part);
    hidden_gradient(f, scale, part);
    add_cell_errors(f, 1 / scale, true, part);
    centre_parts(f, scale, part);
    SCS_TRY(gram_of_cells(f, scale, team, part));
    weight_gradient(f, param, scale, part);
    sum_errors(f, part);
    return SCS_OK;
}

/* ---- W (Hc'Hc), added to the sum over all shards ---- */

/* Elements [first, last) of one row of W. @param scratch [d] */
static void finish_part_of_row(const scs_factors *f, const scs_real *weight, int64_t first,
                               int64_t last, scs_real *scratch, scs_real *sum)
{
    int64_t row = first / f->d * f->d;

    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, 1, f->d, f->d, 1, weight + row, f->d,
             f->cell_gram, f->d, 0, scratch, f->d);
    for (int64_t i = first; i < last; i++)
        sum[i - first] += scratch[i - row];
}

static void finish_rows(const scs_factors *f, const scs_real *weight, int64_t first, int64_t last,
                        scs_real *sum)
{
    int64_t n_row = (last - first) / f->d;

#pragma omp parallel for if (SCS_WORTH_THREADS((double)n_row * f->d * f->d))
    for (int64_t row = 0; row < n_row; row += TILE)
        SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans,
                 (int32_t)(n_row - row < TILE ? n_row - row : TILE), f->d, f->d, 1,
                 weight + first + row * f->d, f->d, f->cell_gram, f->d, 1, sum + row * f->d, f->d);
}

/* Elements [first, last) of W: whole rows, and at both ends the rows that pieces share. */
static void finish_piece(const scs_factors *f, const scs_real *weight, int64_t first, int64_t last,
                         scs_real *scratch, scs_real *sum)
{
    int64_t d = f->d, head = (first + d - 1) / d * d, tail = last / d * d;

    if (head > last)
        head = last;
    if (first < head)
        finish_part_of_row(f, weight, first, head, scratch, sum);
    if (head < tail)
        finish_rows(f, weight, head, tail, sum + (head - first));
    else
        tail = head;
    if (tail < last)
        finish_part_of_row(f, weight, tail, last, scratch, sum + (tail - first));
}

scs_status scs_factors_finish(const scs_factors *f, const scs_real *param, const scs_team *team,
                              scs_real *slice)
{
    int64_t begin = f->dense.weight, size = (int64_t)f->dense.n_out * f->d, lo, hi;
    scs_real *scratch;

    SCS_TRY(SCS_ALLOC(scratch, f->d));
    scs_team_slice(team, f->n_param, &lo, &hi);
    for (int64_t v = team->first; v < team->last; v++) {
        int64_t first = f->n_param * v / team->n_shard - begin;
        int64_t last = f->n_param * (v + 1) / team->n_shard - begin;

        first = first < 0 ? 0 : first;
        last = last > size ? size : last;
        if (first < last)
            finish_piece(f, param + begin, first, last, scratch, slice + (begin + first - lo));
    }
    free(scratch);
    return SCS_OK;
}
