/** Adam on a register of elements, for products that update their weights themselves: included once
 *  for each kind of processor by src/kernels/sparse.c and gemm_panel.c, which say what
 *  SCS_KERNEL(name) and SCS_VECTOR_BYTES are. src/kernels/adam.h has the formula.
 */

typedef scs_real SCS_KERNEL(vec)
    __attribute__((vector_size(SCS_VECTOR_BYTES), aligned(sizeof(scs_real)), may_alias));

/** Square roots; compilers have no operator for those of a vector. */
static inline __attribute__((always_inline)) SCS_KERNEL(vec) SCS_KERNEL(root)(SCS_KERNEL(vec) x)
{
#if SCS_HAS_CLONES && !defined(SCS_DOUBLE) && SCS_VECTOR_BYTES == 64
    return (SCS_KERNEL(vec))_mm512_sqrt_ps((__m512)x);
#elif SCS_HAS_CLONES && !defined(SCS_DOUBLE) && SCS_VECTOR_BYTES == 32
    return (SCS_KERNEL(vec))_mm256_sqrt_ps((__m256)x);
#elif SCS_HAS_CLONES && !defined(SCS_DOUBLE)
    return (SCS_KERNEL(vec))_mm_sqrt_ps((__m128)x);
#else
    SCS_KERNEL(vec) y = {0};

    for (unsigned i = 0; i < SCS_VECTOR_BYTES / sizeof(scs_real); i++)
        y[i] = (scs_real)sqrt((double)x[i]);
    return y;
#endif
}

/** A register of elements at `at`, whose gradient is known. */
static inline __attribute__((always_inline)) void
SCS_KERNEL(adam)(const scs_adam *c, const scs_adam_state *state, int64_t at, SCS_KERNEL(vec) grad)
{
    typedef SCS_KERNEL(vec) vec;
    vec param = *(const vec *)(state->param + at);
    vec g = grad + c->decay * param;
    vec m = c->beta1 * *(const vec *)(state->m + at) + c->rest1 * g;
    vec v = c->beta2 * *(const vec *)(state->v + at) + c->rest2 * g * g;

    *(vec *)(state->m + at) = m;
    *(vec *)(state->v + at) = v;
    *(vec *)(state->param + at) =
        param - c->step_size * m / (SCS_KERNEL(root)(v) * c->root_correction + c->epsilon);
}
