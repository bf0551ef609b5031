/** Products of small dense matrices (src/kernels/gemm_panel.h): the loops of
 *  src/kernels/gemm_panel_kernel.h, compiled for each kind of processor.
 */
#include "src/kernels/gemm_panel.h"

#include "src/base/simd.h"

#include <math.h>
#include <string.h>
#if SCS_HAS_CLONES
#include <immintrin.h>
#endif

/* Bytes of a cache line. */
enum { LINE = 64 };

/* Rows whose sums are in registers at once, two registers each: of 16 registers 12, of 32 16. The
 * others hold the right factor's row and an element of the left one. */
#define SCS_KERNEL(name) name##_plain
#define SCS_VECTOR_BYTES 16
#define SCS_KERNEL_ROWS 6
#include "src/kernels/gemm_panel_kernel.h"

#if SCS_HAS_CLONES
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define SCS_KERNEL(name) name##_v3
#define SCS_VECTOR_BYTES 32
#define SCS_KERNEL_ROWS 6
#include "src/kernels/gemm_panel_kernel.h"
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")
#define SCS_KERNEL(name) name##_v4
#define SCS_VECTOR_BYTES 64
#define SCS_KERNEL_ROWS 8
#include "src/kernels/gemm_panel_kernel.h"
#pragma GCC pop_options
#endif

void scs_gemm_panel_run(const scs_gemm_panel *p)
{
    SCS_OF_PROCESSOR(multiply)(p);
}

/* Rows of the factor in the outer loop where its columns are apart: they are next to one another
 * then. */
const scs_real *scs_gemm_panel_lay(const scs_gemm_factor *b, int32_t panel, int32_t first,
                                   scs_real *copy, int64_t *stride)
{
    int32_t width = b->n_col - panel * SCS_PANEL, n = b->n_k - first;
    const scs_real *from = b->at + first * b->row + (int64_t)panel * SCS_PANEL * b->col;

    *stride = b->row;
    if (b->col == 1 && width >= SCS_PANEL)
        return from;
    *stride = SCS_PANEL;
    n = n < SCS_GEMM_DEPTH ? n : SCS_GEMM_DEPTH;
    width = width < SCS_PANEL ? width : SCS_PANEL;
    /* cppcheck-suppress knownConditionTrueFalse; columns that are far apart are copied, too */
    if (width < SCS_PANEL)
        memset(copy, 0, (size_t)n * SCS_PANEL * sizeof *copy);
    for (int64_t j = 0; j < width; j++)
        for (int64_t k = 0; k < n; k++)
            copy[k * SCS_PANEL + j] = from[k * b->row + j * b->col];
    return copy;
}

void scs_gemm_panel_run_narrow(const scs_gemm_panel *p, int32_t width)
{
    scs_real aside[SCS_GEMM_ROWS * SCS_PANEL] = {0};

    if (width >= SCS_PANEL) {
        scs_gemm_panel_run(p);
        return;
    }
    for (int64_t row = 0; row < p->m; row += SCS_GEMM_ROWS) {
        scs_gemm_panel some = *p;

        some.m = p->m - row < SCS_GEMM_ROWS ? (int32_t)(p->m - row) : SCS_GEMM_ROWS;
        some.a = p->a + row * p->a_row;
        some.base = p->base ? p->base + row : NULL;
        some.out = aside;
        some.out_row = SCS_PANEL;
        for (int64_t i = 0; p->add && i < some.m; i++)
            memcpy(aside + i * SCS_PANEL, p->out + (row + i) * p->out_row,
                   (size_t)width * sizeof *aside);
        scs_gemm_panel_run(&some);
        for (int64_t i = 0; i < some.m; i++)
            memcpy(p->out + (row + i) * p->out_row, aside + i * SCS_PANEL,
                   (size_t)width * sizeof *aside);
    }
}
