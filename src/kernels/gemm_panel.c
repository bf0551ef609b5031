/** Products of small dense matrices (src/kernels/gemm_panel.h): the loops of
 *  src/kernels/gemm_panel_kernel.h, compiled for each kind of processor.
 */
#include "src/kernels/gemm_panel.h"

#include "src/base/simd.h"

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
