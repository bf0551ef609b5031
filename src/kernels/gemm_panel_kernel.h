/** The loops of src/kernels/gemm_panel.c, which includes this once for each kind of processor.
 *
 *  SCS_KERNEL(name) is what a function is called there, SCS_VECTOR_BYTES a register's size,
 *  SCS_KERNEL_ROWS the rows of a block; all are undefined at the end. Why not one version that the
 *  compiler clones: src/kernels/sparse_kernel.h.
 *
 *  The number of rows is a constant in each loop, so that their sums stay in registers.
 */

#include "src/kernels/adam_kernel.h"

/** What the sums of a row start with: lanes [0, vector) of a register. */
static inline __attribute__((always_inline)) SCS_KERNEL(vec)
    SCS_KERNEL(start)(const scs_gemm_panel *p, int64_t row, int64_t col)
{
    typedef SCS_KERNEL(vec) vec;

    if (p->base)
        return (vec){0} + p->base[row];
    return p->add ? *(const vec *)(p->out + row * p->out_row + col) : (vec){0};
}

/** n_row rows from `row` on, two registers of columns from `col` on.
 *  @param soon the cache line that is asked for first  @return the one behind the last */
static inline __attribute__((always_inline)) const char *
SCS_KERNEL(add_rows)(const scs_gemm_panel *p, int64_t row, int64_t col, int n_row, const char *soon)
{
    typedef SCS_KERNEL(vec) vec;
    enum { LANES = SCS_VECTOR_BYTES / sizeof(scs_real) };
    const scs_real *a = p->a + row * p->a_row, *b = p->b + col;
    int64_t a_row = p->a_row, a_step = p->a_step, b_row = p->b_row;
    const char *end = p->soon ? (const char *)p->soon + p->n_soon : NULL;
    vec sum[SCS_KERNEL_ROWS][2];

    for (int i = 0; p->adam && i < n_row; i++)
        for (int v = 0; v < 2; v++) {
            int64_t at = (row + i) * p->out_row + col + v * LANES;

            __builtin_prefetch(p->state.param + at, 1);
            __builtin_prefetch(p->state.m + at, 1);
            __builtin_prefetch(p->state.v + at, 1);
        }
    for (int i = 0; i < n_row; i++)
        for (int v = 0; v < 2; v++)
            sum[i][v] = SCS_KERNEL(start)(p, row + i, col + v * LANES);
    for (int32_t k = 0; k < p->n_k; k++, a += a_step, b += b_row) {
        vec left = *(const vec *)b, right = *(const vec *)(b + LANES);

        if (soon < end) {
            __builtin_prefetch(soon, 0, 2);
            soon += LINE;
        }
        for (int i = 0; i < n_row; i++) {
            scs_real value = a[i * a_row];

            sum[i][0] += value * left;
            sum[i][1] += value * right;
        }
    }
    for (int i = 0; p->adam && i < n_row; i++)
        for (int v = 0; v < 2; v++) {
            int64_t at = (row + i) * p->out_row + col + v * LANES;

            SCS_KERNEL(adam)(p->adam, &p->state, at, sum[i][v]);
        }
    for (int i = 0; !p->adam && i < n_row; i++)
        for (int v = 0; v < 2; v++)
            *(vec *)(p->out + (row + i) * p->out_row + col + v * LANES) = sum[i][v];
    return soon;
}

/** The whole product; rows that are left over by pairs, then alone. The copy of *p can be in
 * registers: no store to the output may change it. */
static void SCS_KERNEL(multiply)(const scs_gemm_panel *of)
{
    enum { COLS = 2 * SCS_VECTOR_BYTES / sizeof(scs_real) };
    const scs_gemm_panel copy = *of, *p = &copy;
    const char *soon = p->soon;

    for (int64_t col = 0; col < SCS_PANEL; col += COLS) {
        int64_t row = 0;

        for (; row + SCS_KERNEL_ROWS <= p->m; row += SCS_KERNEL_ROWS)
            soon = SCS_KERNEL(add_rows)(p, row, col, SCS_KERNEL_ROWS, soon);
        for (; row + 2 <= p->m; row += 2)
            soon = SCS_KERNEL(add_rows)(p, row, col, 2, soon);
        if (row < p->m)
            soon = SCS_KERNEL(add_rows)(p, row, col, 1, soon);
    }
}

#undef SCS_KERNEL
#undef SCS_VECTOR_BYTES
#undef SCS_KERNEL_ROWS
