/** Loops that the compiler should turn into vector code, and loops that are worth several threads.
 */
#ifndef SCS_SIMD_H
#define SCS_SIMD_H

#include "src/base/instrument.h"

/* The loader takes the best clone for the processor. Results are the same bits on all processors of
 * one kind: fused multiply-adds round once, where older processors round twice (as BLAS does). The
 * sanitizers do not like the resolver functions of clones, and coverage would count each clone. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !SCS_SANITIZE &&            \
    !SCS_COVERAGE
#define SCS_HAS_CLONES 1
#define SCS_VECTOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SCS_HAS_CLONES 0
#define SCS_VECTOR
#endif

/** Of what a *_kernel.h defines once for each kind of processor (name_plain, name_v3, name_v4, with
 * registers of 16, 32 and 64 bytes), the one for this processor. */
#if SCS_HAS_CLONES
#define SCS_OF_PROCESSOR(name)                                                                     \
    (__builtin_cpu_supports("x86-64-v4")   ? name##_v4                                             \
     : __builtin_cpu_supports("x86-64-v3") ? name##_v3                                             \
                                           : name##_plain)
#else
#define SCS_OF_PROCESSOR(name) name##_plain
#endif

/** Multiply-adds below which waking threads costs more than it saves. For `omp parallel for if
 *  (...)`. */
#define SCS_WORTH_THREADS(work) ((double)(work) > 2e5)

#endif
