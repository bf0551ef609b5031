#include "src/sparse.h"

#include "src/simd.h"

#include <string.h>

/* A vector register's worth; the compiler splits it where registers are shorter. */
typedef scs_real vec __attribute__((vector_size(64), aligned(64), may_alias));
typedef scs_real loose_vec __attribute__((vector_size(64), aligned(sizeof(scs_real)), may_alias));

enum {
    LANES = 64 / sizeof(scs_real),
    MAX_VEC = 8,                 /* registers that a row's sums take at most */
    MAX_WIDTH = MAX_VEC * LANES, /* columns of a panel: with SCS_BLOCK rows it fits near the core */
    FEW_ROWS = 64,               /* of a task that reads the dense matrix where it is */
    ROWS = 512 /* of a task, or twice as many: a panel is packed once for all of them */
};

/* Columns [first, first + width) of a product, and rows [row, last). */
typedef struct panel {
    int32_t first, width, row, last;
    vec base[MAX_VEC];
    const scs_real *dense; /* the block in hand: [SCS_BLOCK] rows, a stride apart */
    int64_t stride;
    vec packed[SCS_BLOCK * MAX_VEC]; /* where it is worth a copy, or has a ragged edge */
} panel;

/* The block's rows of `dense`, padded with zeros to whole vectors. */
static void pack(const scs_real *from, int32_t n, int64_t stride, int n_vec, panel *to)
{
    for (int32_t j = 0; j < n; j++) {
        scs_real *row = (scs_real *)(to->packed + j * n_vec);

        memcpy(row, from + j * stride, (size_t)to->width * sizeof *row);
        memset(row + to->width, 0, (size_t)(n_vec * LANES - to->width) * sizeof *row);
    }
}

/* Few rows of a product read a panel too seldom to pay for its copy. */
static void take_block(const scs_product *p, int32_t block, panel *t)
{
    int32_t first = block * SCS_BLOCK, n_vec = (t->width + LANES - 1) / LANES;
    int32_t n = p->x->n_in - first < SCS_BLOCK ? p->x->n_in - first : SCS_BLOCK;

    t->dense = p->dense + (int64_t)first * p->n_col + t->first;
    t->stride = p->n_col;
    if (t->width == n_vec * LANES && t->last - t->row <= FEW_ROWS)
        return;
    pack(t->dense, n, t->stride, n_vec, t);
    t->dense = (const scs_real *)t->packed;
    t->stride = n_vec * LANES;
}

/* One row of one block: sums stay in registers. */
static inline __attribute__((always_inline)) void
add_entries(const scs_entries *x, int64_t k, int64_t end, const panel *t, int n_vec, vec *sum)
{
    for (; k < end; k++) {
        const loose_vec *row = (const loose_vec *)(t->dense + x->column[k] * t->stride);
        scs_real value = x->value[k];

        for (int v = 0; v < n_vec; v++)
            sum[v] += value * row[v];
    }
}

/* What row i of the first block begins with. */
static inline __attribute__((always_inline)) void begin_row(const scs_product *p, int64_t i,
                                                            int n_vec, const panel *t, vec *sum)
{
    scs_real scale = p->base_scale ? p->base_scale[i] : 1;

    for (int v = 0; v < n_vec; v++)
        sum[v] = scale * t->base[v];
}

static inline __attribute__((always_inline)) void run_block(const scs_product *p, int32_t block,
                                                            int n_vec, const panel *t)
{
    const int64_t *first = p->x->first + (int64_t)block * p->x->n_out;

    for (int64_t i = t->row; i < t->last; i++) {
        loose_vec *out = (loose_vec *)(p->out + i * p->n_col + t->first);
        vec sum[MAX_VEC];

        if (block > 0 && first[i] == first[i + 1])
            continue;
        if (block == 0)
            begin_row(p, i, n_vec, t, sum);
        else
            for (int v = 0; v < n_vec; v++)
                sum[v] = out[v];
        add_entries(p->x, first[i], first[i + 1], t, n_vec, sum);
        for (int v = 0; v < n_vec; v++)
            out[v] = sum[v];
    }
}

/* The last columns, where they are no whole vector. */
static inline void run_narrow(const scs_product *p, int32_t block, const panel *t)
{
    const int64_t *first = p->x->first + (int64_t)block * p->x->n_out;

    for (int64_t i = t->row; i < t->last; i++) {
        scs_real *out = p->out + i * p->n_col + t->first;
        vec sum;

        begin_row(p, i, 1, t, &sum);
        if (block > 0)
            memcpy(&sum, out, (size_t)t->width * sizeof *out);
        add_entries(p->x, first[i], first[i + 1], t, 1, &sum);
        memcpy(out, &sum, (size_t)t->width * sizeof *out);
    }
}

SCS_VECTOR static void multiply(const scs_product *p, int32_t block, const panel *t)
{
    if (t->width == 8 * LANES)
        run_block(p, block, 8, t);
    else if (t->width == 4 * LANES)
        run_block(p, block, 4, t);
    else if (t->width == 2 * LANES)
        run_block(p, block, 2, t);
    else if (t->width == LANES)
        run_block(p, block, 1, t);
    else
        run_narrow(p, block, t);
}

/* Columns are dealt to panels of 8, 8, ..., then 4, 2, 1 vectors and the rest: no panel is padded
 * by more than a vector. */
static int32_t panel_width(int32_t left)
{
    int32_t width = MAX_WIDTH;

    while (width > left && width > LANES)
        width /= 2;
    return left < width ? left : width;
}

static int n_panel(int32_t n_col)
{
    int n = 0;

    for (int32_t at = 0; at < n_col; n++)
        at += panel_width(n_col - at);
    return n;
}

int scs_product_tasks(int32_t n_out, int32_t n_col)
{
    return (n_out + ROWS - 1) / ROWS * n_panel(n_col);
}

static void find_panel(const scs_product *p, int task, panel *t)
{
    int n = n_panel(p->n_col);
    int32_t rows = p->x->n_out < 8 * ROWS ? ROWS : 2 * ROWS;

    t->row = task / n * rows;
    t->last = p->x->n_out - t->row < rows ? p->x->n_out : t->row + rows;
    t->first = 0;
    for (int i = 0; i < task % n; i++)
        t->first += panel_width(p->n_col - t->first);
    t->width = panel_width(p->n_col - t->first);
    memset(t->base, 0, sizeof t->base);
    if (p->base)
        memcpy(t->base, p->base + t->first, (size_t)t->width * sizeof *p->base);
}

void scs_product_run(const scs_product *p, int task)
{
    panel t;

    find_panel(p, task, &t);
    if (t.row >= p->x->n_out)
        return;
    for (int32_t b = 0; b < scs_blocks(p->x->n_in); b++) {
        take_block(p, b, &t);
        multiply(p, b, &t);
    }
}
