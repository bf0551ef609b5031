/** The inner loops of src/kernels/sparse.c, which includes this once for each kind of processor.
 *
 *  SCS_KERNEL(name) is what a function is called there, SCS_VECTOR_BYTES a register's size; both
 *  are undefined at the end. A vector type that is longer than the registers would be taken
 *  apart in memory, and a shorter one would leave half of them idle: hence a version for each,
 *  not one that the compiler clones.
 *
 *  The number of registers of a row is a constant in each loop (the switch below), so that its
 *  sums stay in registers: n_vec of them, and one for the value.
 */

#include "src/kernels/adam_kernel.h"

/** Rows whose moments are asked for before they are worked on. */
enum { SCS_KERNEL(AHEAD) = 4 };

/** All rows of the task, in one block: sum += value_k * (row column_k of the dense block), entries
 * ascending. The first block begins with the base, the others with the sums so far. What does not
 * change from row to row is in variables of its own: no store to the sums may change it.
 *  @param updates the sums are gradients, and go into the weights at once */
static inline __attribute__((always_inline)) void
SCS_KERNEL(add_rows)(const panel *t, int32_t block, int n_vec, bool updates)
{
    typedef SCS_KERNEL(vec) vec;
    enum { LANES = SCS_VECTOR_BYTES / sizeof(scs_real) };
    const scs_entries x = *t->product->x;
    const int64_t *first = x.first + (int64_t)block * x.n_out;
    const scs_real *base_scale = t->product->base_scale, *dense = t->dense;
    const vec *base = (const vec *)t->base;
    int64_t last = t->last, dense_stride = t->dense_stride, stride = t->sums_stride;
    const scs_adam adam = updates ? *t->product->adam : (scs_adam){0};
    const scs_adam_state state = t->state;
    scs_real *to = t->sums;

    for (int64_t i = t->row, at = 0; i < last; i++, at += stride) {
        vec *sums = updates ? NULL : (vec *)(to + at), sum[MAX_VEC];

        if (block == 0)
            for (int v = 0; v < n_vec; v++)
                sum[v] = (base_scale ? base_scale[i] : 1) * base[v];
        else
            for (int v = 0; v < n_vec; v++)
                sum[v] = sums[v];
        for (int64_t k = first[i]; k < first[i + 1]; k++) {
            const vec *from = (const vec *)(dense + x.column[k] * dense_stride);
            scs_real value = x.value[k];

            for (int v = 0; v < n_vec; v++)
                sum[v] += value * from[v];
        }
        for (int v = 0; updates && v < n_vec; v++) {
            int64_t here = at + v * LANES, soon = here + SCS_KERNEL(AHEAD) * stride;

            __builtin_prefetch(state.param + soon, 1);
            __builtin_prefetch(state.m + soon, 1);
            __builtin_prefetch(state.v + soon, 1);
            SCS_KERNEL(adam)(&adam, &state, here, sum[v]);
        }
        for (int v = 0; !updates && v < n_vec; v++)
            sums[v] = sum[v];
    }
}

/** Those loops for n_vec registers. */
static inline __attribute__((always_inline)) void SCS_KERNEL(run_rows)(const panel *t,
                                                                       int32_t block, int n_vec)
{
    if (t->updates)
        SCS_KERNEL(add_rows)(t, 0, n_vec, true);
    else
        SCS_KERNEL(add_rows)(t, block, n_vec, false);
}

/** The loop for this panel's number of registers. */
static void SCS_KERNEL(add_block)(const panel *t, int32_t block)
{
    switch (t->n_vec) {
    case 1:
        SCS_KERNEL(run_rows)(t, block, 1);
        break;
    case 2:
        SCS_KERNEL(run_rows)(t, block, 2);
        break;
    case 3:
        SCS_KERNEL(run_rows)(t, block, 3);
        break;
    case 4:
        SCS_KERNEL(run_rows)(t, block, 4);
        break;
    case 5:
        SCS_KERNEL(run_rows)(t, block, 5);
        break;
    case 6:
        SCS_KERNEL(run_rows)(t, block, 6);
        break;
    case 7:
        SCS_KERNEL(run_rows)(t, block, 7);
        break;
    case 8:
        SCS_KERNEL(run_rows)(t, block, 8);
        break;
    case 9:
        SCS_KERNEL(run_rows)(t, block, 9);
        break;
    default:
        SCS_KERNEL(run_rows)(t, block, MAX_VEC);
    }
}

static const kind SCS_KERNEL(kind) = {SCS_VECTOR_BYTES / sizeof(scs_real), SCS_KERNEL(add_block)};

#undef SCS_KERNEL
#undef SCS_VECTOR_BYTES
