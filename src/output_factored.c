#include "src/factors.h"

#include "src/gram.h"
#include "src/simd.h"

#include <stdlib.h>
#include <string.h>

enum { TILE = SCS_FACTOR_TILE };

/* ---- create and destroy ---- */

int32_t scs_factor_tiles(int32_t n_gene)
{
    return (n_gene + TILE - 1) / TILE;
}

static scs_status create_lane(const scs_factors *f, scs_factor_lane *l)
{
    int64_t genes = scs_gram_tasks(f->dense.n_out), cells = scs_gram_tasks(f->max_rows);
    int64_t n_piece = genes > cells ? genes : cells;

    SCS_TRY(SCS_ALLOC(l->offset, (int64_t)f->max_rows * f->d));
    SCS_TRY(SCS_ALLOC(l->mean, f->d));
    SCS_TRY(SCS_ALLOC(l->lift, f->dense.n_out));
    SCS_TRY(SCS_ALLOC(l->gene_error, scs_factor_tiles(f->dense.n_out)));
    SCS_TRY(SCS_ALLOC(l->cell_error, f->max_rows));
    return SCS_ALLOC(l->square, n_piece * f->d * f->d);
}

static scs_status allocate(scs_factors *f)
{
    SCS_TRY(SCS_ALLOC(f->lane, f->n_part));
    for (int32_t p = 0; p < f->n_part; p++)
        SCS_TRY(create_lane(f, &f->lane[p]));
    SCS_TRY(SCS_ALLOC(f->cells, f->n_part));
    SCS_TRY(SCS_ALLOC(f->first_gene, f->n_part + 1));
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
    free(f->cells);
    free(f->first_gene);
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

/* Tasks below n_gram are of W'W, the others of W'b. */
static void weights_of_piece(scs_factors *f, const scs_real *param, int32_t p, int task)
{
    int32_t first = f->first_gene[p], n = f->first_gene[p + 1] - first;
    const scs_real *weight = param + f->dense.weight + (int64_t)first * f->d;
    int n_gram = scs_gram_tasks(n);
    int32_t column = (task - n_gram) * TILE, left = f->d - column;
    double *sum = f->parts + p * f->size + scs_gram_size(f->d);

    if (task < n_gram)
        scs_gram_run(weight, n, f->d, 1, task, f->lane[p].square + (int64_t)task * f->d * f->d);
    else if (left > 0)
        weigh_rows(weight, param + f->dense.bias + first, n, f->d, column,
                   left < TILE ? left : TILE, sum + column);
}

static scs_status gram_of_weights(scs_factors *f, const scs_real *param, const scs_team *team)
{
    int n_task = scs_gram_tasks(f->dense.n_out) + (f->d + TILE - 1) / TILE;
    int64_t packed = scs_gram_size(f->d);

#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < n_task; task++)
            weights_of_piece(f, param, p, task);
    for (int32_t p = 0; p < f->n_part; p++)
        scs_gram_pack(f->lane[p].square, f->first_gene[p + 1] - f->first_gene[p], f->d,
                      f->parts + p * f->size);
    SCS_TRY(team->sum(team->ctx, f->parts, f->size, f->total));
    scs_gram_unpack(f->total, f->d, f->weight_gram);
    for (int32_t c = 0; c < f->d; c++)
        f->minus_wb[c] = (scs_real)-f->total[packed + c];
    return SCS_OK;
}

/* ---- H, centred, and Hc'Hc ---- */

/* The mean of columns [first, first + width), and the offsets from it. */
SCS_VECTOR static void centre(const scs_factor_cells *c, int32_t d, int32_t first, int32_t width,
                              double scale)
{
    double mean[TILE] = {0};

    for (int64_t i = 0; i < c->n; i++) {
        const scs_real *row = c->hidden + i * d + first;

#pragma omp simd
        for (int32_t k = 0; k < width; k++)
            mean[k] += row[k];
    }
    for (int32_t k = 0; k < width; k++)
        c->mean[first + k] = (scs_real)(mean[k] / c->n);
    for (int64_t i = 0; i < c->n; i++) {
        const scs_real *row = c->hidden + i * d + first;
        scs_real *offset = c->offset + i * d + first;

#pragma omp simd
        for (int32_t k = 0; k < width; k++)
            offset[k] = (scs_real)scale * (c->mean[first + k] - row[k]);
    }
}

static void centre_cells(const scs_factors *f, double scale)
{
#pragma omp parallel for collapse(2)
    for (int32_t i = 0; i < f->n_cells; i++)
        for (int32_t first = 0; first < f->d; first += TILE)
            if (f->cells[i].n)
                centre(&f->cells[i], f->d, first, f->d - first < TILE ? f->d - first : TILE, scale);
}

/* A part's own rows of the offsets. */
static const scs_real *offset_of(const scs_factors *f, const scs_gene_split *split, int32_t p)
{
    return split ? split->rows + split->bound[split->first + p] : f->lane[p].offset;
}

static scs_status gram_of_cells(scs_factors *f, double scale, const scs_team *team,
                                const scs_gene_split *split, const scs_output_part *part)
{
    int n_task = scs_gram_tasks(f->max_rows);
    int64_t size = scs_gram_size(f->d), square = (int64_t)f->d * f->d;

#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < n_task; task++)
            if (task < scs_gram_tasks(part[p].n))
                scs_gram_run(offset_of(f, split, p), part[p].n, f->d, 1 / scale, task,
                             f->lane[p].square + task * square);
    for (int32_t p = 0; p < f->n_part; p++)
        scs_gram_pack(f->lane[p].square, part[p].n, f->d, f->parts + p * size);
    SCS_TRY(team->sum(team->ctx, f->parts, size, f->total));
    scs_gram_unpack(f->total, f->d, f->cell_gram);
    return SCS_OK;
}

/* ---- a step ---- */

static void take_parts(scs_factors *f, const scs_output_part *part)
{
    f->n_cells = f->n_part;
    for (int32_t p = 0; p < f->n_part; p++) {
        const scs_factor_lane *l = &f->lane[p];

        f->cells[p] = (scs_factor_cells){.n = part[p].n,
                                         .hidden = part[p].hidden,
                                         .offset = l->offset,
                                         .by_gene = &part[p].x->by_gene,
                                         .n_gene = f->dense.n_out,
                                         .mean = l->mean,
                                         .lift = l->lift,
                                         .gene_error = l->gene_error,
                                         .grad = part[p].grad};
    }
}

/* The rows that were gathered become the offsets, where they are. */
static void take_split(scs_factors *f, const scs_gene_split *split, const scs_output_part *part)
{
    const scs_factor_lane *l = &f->lane[0];

    f->n_cells = 1;
    f->cells[0] = (scs_factor_cells){.n = (int32_t)split->first_row[split->n_shard],
                                     .hidden = split->rows,
                                     .offset = split->rows,
                                     .by_gene = &split->by_gene,
                                     .gene = split->gene,
                                     .n_gene = split->n_gene,
                                     .mean = l->mean,
                                     .lift = l->lift,
                                     .gene_error = l->gene_error,
                                     .grad = part[0].grad};
}

/* What a part's cells have, and what its genes have: all genes for its cells, or its slice of the
 * genes for all cells. */
static void sum_errors(const scs_factors *f, const scs_gene_split *split, scs_output_part *part)
{
    for (int32_t p = 0; p < f->n_part; p++) {
        const scs_factor_cells *c = &f->cells[split ? 0 : p];
        int first = split ? scs_factor_tiles(f->first_gene[p] - split->gene) : 0;
        int last = scs_factor_tiles(split ? f->first_gene[p + 1] - split->gene : c->n_gene);
        double sum = 0;

        for (int32_t i = 0; i < part[p].n; i++)
            sum += f->lane[p].cell_error[i];
        for (int tile = first; tile < last && c->n; tile++)
            sum += c->gene_error[tile];
        part[p].squared_error = sum;
    }
}

scs_status scs_factors_step(scs_factors *f, const scs_real *param, double scale,
                            const scs_team *team, scs_gene_split *split, scs_output_part *part)
{
    for (int32_t p = 0; p <= f->n_part; p++)
        f->first_gene[p] = scs_first_gene(f->dense.n_out, team->n_shard, team->first + p);
    if (split)
        take_split(f, split, part);
    else
        take_parts(f, part);
    SCS_TRY(gram_of_weights(f, param, team));
    scs_factors_hidden_gradient(f, param, scale, part);
    centre_cells(f, scale);
    SCS_TRY(gram_of_cells(f, scale, team, split, part));
    scs_factors_weight_gradient(f, param, scale);
    scs_factors_add_spread(f, param, part);
    sum_errors(f, split, part);
    return SCS_OK;
}
