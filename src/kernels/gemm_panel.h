/** Products of small dense matrices: a panel of SCS_PANEL columns at a time, its sums in registers.
 *
 *  BLAS packs both factors of a product before it multiplies. In a training step of few cells that
 *  is a large part of its work, as each factor is used once or twice; and it chooses its kernels
 *  by the processors that its authors knew. Here factors are read where they are: the left one
 *  element by element in any order (so that a transpose costs nothing), the right one in rows of
 *  a panel. Measured beside OpenBLAS 0.3.21 in doc/performance.md.
 *
 *  An output is added up along ascending k by itself, so that its bits do not depend on m, on the
 *  size of registers or on threads. With and without fused multiply-adds they differ
 *  (src/base/simd.h).
 *
 *  Local; any thread.
 */
#ifndef SCS_GEMM_PANEL_H
#define SCS_GEMM_PANEL_H

#include "src/kernels/adam.h"

#include <stdbool.h>
#include <stdint.h>

/** Columns of a panel: a whole number of registers on every kind of processor. */
enum { SCS_PANEL = 32 };

/** out (m, j) = start + sum over k of a (m, k) b (k, j), for j < SCS_PANEL. All borrowed. */
typedef struct scs_gemm_panel {
    int32_t m, n_k;
    const scs_real *a; /**< element (i, k) is a[i a_row + k a_step] */
    int64_t a_row, a_step;
    const scs_real *b; /**< [n_k] rows of SCS_PANEL, b_row apart */
    int64_t b_row;
    const scs_real *base; /**< [m] what the sums of row i start with; NULL: see add */
    bool add;             /**< they start with what is in out; else with zeros */
    scs_real *out;        /**< [m] rows of SCS_PANEL, out_row apart */
    int64_t out_row;
    /** The product is a gradient, and updates weights instead: `state`'s arrays have out's shape,
     * which is not written; no base, no add. NULL: it is written. */
    const scs_adam *adam;
    scs_adam_state state;
    /** What is read next: n_soon bytes are asked for while the product is made, a cache line for
     * each step of k. NULL: nothing. */
    const void *soon;
    int64_t n_soon;
} scs_gemm_panel;

/** Make the product; O(m n_k). */
void scs_gemm_panel_run(const scs_gemm_panel *p);

/** A right factor by its own strides, of any number of columns. All borrowed. */
typedef struct scs_gemm_factor {
    int32_t n_k, n_col;
    const scs_real *at; /**< element (k, j) is at[k row + j col] */
    int64_t row, col;
} scs_gemm_factor;

/** Rows of a factor that are laid out at once, and of an output that are made aside. */
enum { SCS_GEMM_DEPTH = 128, SCS_GEMM_ROWS = 64 };

/** Columns [SCS_PANEL panel, + SCS_PANEL) of rows [first, first + SCS_GEMM_DEPTH) of the factor, as
 * far as there are such: where they lie if they lie in rows, else a copy with zeros behind the last
 * column.
 *  @param[out] copy [SCS_GEMM_DEPTH, SCS_PANEL] @param[out] stride of rows of what is returned */
const scs_real *scs_gemm_panel_lay(const scs_gemm_factor *b, int32_t panel, int32_t first,
                                   scs_real *copy, int64_t *stride);
/** The same for outputs of fewer columns: the product is made aside, and its first `width` columns
 * are written. */
void scs_gemm_panel_run_narrow(const scs_gemm_panel *p, int32_t width);

/** Panels that n columns fill, the last one perhaps not. */
static inline int32_t scs_gemm_panel_count(int64_t n)
{
    return (int32_t)((n + SCS_PANEL - 1) / SCS_PANEL);
}

#endif
