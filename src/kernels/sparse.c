/** Tasks of a sparse product (src/kernels/sparse.h): which rows and columns, where the dense
 *  block and the sums lie, and the walk over the blocks. The inner loops are in
 *  src/kernels/sparse_kernel.h, compiled three times.
 */
#include "src/kernels/sparse.h"

#include "src/base/simd.h"
#include "src/kernels/nonzeros.h"

#include <math.h>
#include <string.h>
#if SCS_HAS_CLONES
#include <immintrin.h>
#endif

enum {
    MAX_VEC = 10,   /* registers that a row's sums take at most */
    MAX_BYTES = 64, /* of the longest register */
    ROW_BYTES = MAX_VEC * MAX_BYTES,
    ROW = ROW_BYTES / sizeof(scs_real),
    FEW_ROWS = 64, /* of a task that reads the dense matrix where it is */
    ROWS = 512,
    MAX_ROWS = 1024 /* of a task: a panel is packed once for all of them */
};

/* Rows [row, last) and columns [first, first + width) of a product: what a task works on. On the
 * task's stack, about 0.7 MB with its copies. */
typedef struct panel {
    const scs_product *product;
    int32_t first, width, n_vec, row, last;
    const scs_real *dense; /* the block in hand: [SCS_BLOCK] rows, a stride apart */
    int64_t dense_stride;
    scs_real *sums; /* [last - row] rows, a stride apart */
    int64_t sums_stride;
    bool updates;         /* the sums go into `state`, whose rows are a stride apart too */
    scs_adam_state state; /* from the panel's first row and column on */
    scs_real base[ROW];
    scs_real packed_dense[SCS_BLOCK * ROW] __attribute__((aligned(MAX_BYTES)));
    scs_real packed_sums[MAX_ROWS * ROW] __attribute__((aligned(MAX_BYTES)));
} panel;

/* ---- kinds of processors ---- */

/* A kind of processor: the inner loops of src/kernels/sparse_kernel.h, compiled for its
 * registers. */
typedef struct kind {
    int32_t lanes; /* of a register */
    void (*add_block)(const panel *t, int32_t block);
} kind;

#define SCS_KERNEL(name) name##_plain
#define SCS_VECTOR_BYTES 16

#include "src/kernels/sparse_kernel.h"

#if SCS_HAS_CLONES
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define SCS_KERNEL(name) name##_v3
#define SCS_VECTOR_BYTES 32
#include "src/kernels/sparse_kernel.h"
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")
#define SCS_KERNEL(name) name##_v4
#define SCS_VECTOR_BYTES 64
#include "src/kernels/sparse_kernel.h"
#pragma GCC pop_options
#endif

/* The best kind that this processor can run. */
static kind find_kind(void)
{
    return SCS_OF_PROCESSOR(kind);
}

/* ---- panels ---- */

/* Vector registers that n_col columns fill, the last one perhaps not. */
static int32_t vectors(kind here, int32_t n_col)
{
    return (n_col + here.lanes - 1) / here.lanes;
}

/* Panels that a row of the product is cut into. */
static int32_t n_panel(kind here, int32_t n_col)
{
    return (vectors(here, n_col) + MAX_VEC - 1) / MAX_VEC;
}

/* Counted with the smaller of the two sizes of a task: larger products leave some tasks empty. */
int scs_sparse_product_tasks(int32_t n_out, int32_t n_col)
{
    return (n_out + ROWS - 1) / ROWS * n_panel(find_kind(), n_col);
}

/* Tasks of the same rows follow one another, panel by panel. The panels of a row are as wide as
 * each other, or one vector wider. Large products have larger tasks: a panel of the dense matrix
 * is packed once for all of a task's rows. */
static void find_panel(const scs_product *p, int task, kind here, panel *t)
{
    int32_t n = n_panel(here, p->n_col), n_vec = vectors(here, p->n_col), lanes = here.lanes;
    int32_t rows = p->x->n_out <= 2 * MAX_ROWS ? ROWS : MAX_ROWS;
    int32_t first = task % n * n_vec / n, last = (task % n + 1) * n_vec / n;

    t->product = p;
    t->row = task / n * rows;
    t->last = p->x->n_out - t->row < rows ? p->x->n_out : t->row + rows;
    t->first = first * lanes;
    t->n_vec = last - first;
    t->width = t->n_vec * lanes < p->n_col - t->first ? t->n_vec * lanes : p->n_col - t->first;
    memset(t->base, 0, sizeof t->base);
    if (p->base)
        memcpy(t->base, p->base + t->first, (size_t)t->width * sizeof *p->base);
}

/* The block's rows of the panel one after the other, padded with zeros to whole vectors; in
 * the dense matrix they are n_col apart.
 * @param from the first row, [n] rows a stride apart */
static void pack(const scs_real *from, int32_t n, int64_t stride, int32_t row_len, panel *to)
{
    for (int32_t j = 0; j < n; j++) {
        scs_real *row = to->packed_dense + (int64_t)j * row_len;

        memcpy(row, from + j * stride, (size_t)to->width * sizeof *row);
        memset(row + to->width, 0, (size_t)(row_len - to->width) * sizeof *row);
    }
}

/* Where the block's rows of the panel are. Few rows of a product read a panel too seldom to pay
 * for its copy, unless the last vector reaches past the matrix. */
static void take_block(int32_t block, int32_t row_len, panel *t)
{
    const scs_product *p = t->product;
    int32_t first = block * SCS_BLOCK;
    int32_t n = p->x->n_in - first < SCS_BLOCK ? p->x->n_in - first : SCS_BLOCK;

    t->dense = p->dense + (int64_t)first * p->n_col + t->first;
    t->dense_stride = p->n_col;
    if (t->width == row_len && t->last - t->row <= FEW_ROWS)
        return;
    pack(t->dense, n, t->dense_stride, row_len, t);
    t->dense = t->packed_dense;
    t->dense_stride = row_len;
}

/* Sums that several blocks come back to lie side by side, near the core; those of one block, or
 * of whole vectors, are made where the output is, or go into the weights at once. */
static void place_sums(int32_t row_len, panel *t)
{
    const scs_product *p = t->product;
    bool packed = t->width != row_len || p->x->n_in > SCS_BLOCK;
    int64_t at = (int64_t)t->row * p->n_col + t->first;

    t->updates = p->adam && !packed;
    if (p->adam)
        t->state = scs_adam_state_at(&p->state, at);
    t->sums = packed ? t->packed_sums : p->adam ? NULL : p->out + at;
    t->sums_stride = packed ? row_len : p->n_col;
}

/* Packed sums to the output or into the weights, without the padding. */
static void write_sums(const panel *t)
{
    const scs_product *p = t->product;

    if (t->sums != t->packed_sums)
        return;
    for (int64_t i = 0; i < t->last - t->row; i++) {
        const scs_real *sums = t->sums + i * t->sums_stride;
        int64_t at = (t->row + i) * p->n_col + t->first;

        if (p->adam) {
            scs_adam_state state = scs_adam_state_at(&p->state, at);

            scs_adam_update(p->adam, t->width, &state, sums);
        } else
            memcpy(p->out + at, sums, (size_t)t->width * sizeof *sums);
    }
}

/* Block by block, in ascending order: the order in which an output is added up. */
static void run_task(const scs_product *p, int task, kind here)
{
    int32_t row_len;
    panel t;

    find_panel(p, task, here, &t);
    if (t.row >= t.last)
        return;
    row_len = t.n_vec * here.lanes;
    place_sums(row_len, &t);
    for (int32_t b = 0; b < scs_entries_blocks(p->x->n_in); b++) {
        take_block(b, row_len, &t);
        here.add_block(&t, b);
    }
    write_sums(&t);
}

void scs_sparse_product_run(const scs_product *p, int task)
{
    run_task(p, task, find_kind());
}
