#include "src/factors.h"

#include "src/gram.h"
#include "src/simd.h"

#include <stdlib.h>
#include <string.h>

enum { TILE = SCS_FACTOR_TILE };

/* ---- create and destroy ---- */

int32_t scs_factor_tiles(const scs_factors *f)
{
    return (f->dense.n_out + TILE - 1) / TILE;
}

static scs_status create_lane(const scs_factors *f, scs_factor_lane *l)
{
    SCS_TRY(SCS_ALLOC(l->offset, (int64_t)f->max_rows * f->d));
    SCS_TRY(SCS_ALLOC(l->mean, f->d));
    SCS_TRY(SCS_ALLOC(l->lift, f->dense.n_out));
    SCS_TRY(SCS_ALLOC(l->gene_error, scs_factor_tiles(f)));
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
                              double scale, scs_factor_lane *l)
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

static void sum_errors(const scs_factors *f, scs_output_part *part)
{
    for (int32_t p = 0; p < f->n_part; p++) {
        double sum = 0;

        for (int32_t i = 0; i < part[p].n; i++)
            sum += f->lane[p].cell_error[i];
        for (int tile = 0; tile < scs_factor_tiles(f) && part[p].n; tile++)
            sum += f->lane[p].gene_error[tile];
        part[p].squared_error = sum;
    }
}

scs_status scs_factors_step(scs_factors *f, const scs_real *param, double scale,
                            const scs_team *team, scs_output_part *part)
{
    SCS_TRY(gram_of_weights(f, param, team));
    scs_factors_hidden_gradient(f, param, scale, part);
    centre_parts(f, scale, part);
    SCS_TRY(gram_of_cells(f, scale, team, part));
    scs_factors_weight_gradient(f, param, scale, part);
    sum_errors(f, part);
    return SCS_OK;
}
