/** Loops that the compiler should turn into vector code, and loops that are worth several
 *  threads.
 *
 *  SCS_VECTOR before a function has it compiled for three kinds of x86-64 (baseline; v3 with
 *  AVX2 and FMA; v4 with AVX-512), and the loader takes the best one for the processor: one
 *  binary runs everywhere and is fast where it can be. Results are the same bits on all
 *  processors of one kind. Between kinds they differ in the last bits: a fused multiply-add
 *  rounds once where older processors round twice (BLAS does the same).
 *
 *  Elsewhere (other processors, clang) and in instrumented builds there is one version:
 *  sanitizers do not get on with the functions that choose a clone, and coverage would count
 *  each of them.
 */
#ifndef SCS_SIMD_H
#define SCS_SIMD_H

#include "src/base/instrument.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !SCS_SANITIZE &&            \
    !SCS_COVERAGE
#define SCS_HAS_CLONES 1
#define SCS_VECTOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SCS_HAS_CLONES 0
#define SCS_VECTOR
#endif

/** SCS_VECTOR without fused multiply-adds: elementwise sums have the same bits on all kinds of
 *  processors, and as a plain loop. */
#if SCS_HAS_CLONES
#define SCS_VECTOR_UNFUSED SCS_VECTOR __attribute__((optimize("fp-contract=off")))
#else
#define SCS_VECTOR_UNFUSED
#endif

/** The bits of a float in memory, for loops that compare floats of which none is negative: their
 * bits are in the same order as numbers, and the compiler makes no vector code of comparisons that
 * may trap. */
typedef uint32_t __attribute__((may_alias)) scs_float_bits;

/** Whether these are the bits of a number above 0, NaN and infinity left out: 1 to those of
 * FLT_MAX.
 */
static inline bool scs_simd_is_positive(uint32_t bits)
{
    return bits - 1u < 0x7f7fffffu;
}

/** Whether these are the bits of 0 or of a whole number up to `most`, below 2^31: `most` as the
 * bits of a float. @param[out] whole the number, 0 where it is none */
static inline bool scs_simd_is_whole(uint32_t bits, uint32_t most, int32_t *whole)
{
    const uint32_t one = 0x3f800000u;
    uint32_t kept = bits & -(uint32_t)(bits - one <= most - one), back;
    float number;

    memcpy(&number, &kept, sizeof number);
    *whole = (int32_t)number;
    number = (float)*whole;
    memcpy(&back, &number, sizeof back);
    return back == bits;
}

/** Whether all of n values are whole numbers that fit a byte, 0 among them. */
static inline bool scs_simd_are_bytes(const float *value, int64_t n)
{
    const uint32_t most = 0x437f0000u; /* 255 */
    const scs_float_bits *bits = (const scs_float_bits *)(const void *)value;
    int32_t other = 0;

    for (int64_t k = 0; k < n; k++) {
        int32_t whole;

        other |= !scs_simd_is_whole(bits[k], most, &whole);
    }
    return !other;
}

/** Of what a *_kernel.h defines once for each kind of processor (name_plain, name_v3, name_v4, with
 * registers of 16, 32 and 64 bytes), the one for this processor. For kernels that need the
 * register's size in their code, which a clone does not give. */
#if SCS_HAS_CLONES
#define SCS_OF_PROCESSOR(name)                                                                     \
    (__builtin_cpu_supports("x86-64-v4")   ? name##_v4                                             \
     : __builtin_cpu_supports("x86-64-v3") ? name##_v3                                             \
                                           : name##_plain)
#else
#define SCS_OF_PROCESSOR(name) name##_plain
#endif

/** Whether so many multiply-adds are worth several threads; below, waking them costs more than it
 * saves. For `omp parallel for if (...)`. */
#define SCS_WORTH_THREADS(work) ((double)(work) > 2e5)

#endif
