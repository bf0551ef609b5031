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

typedef scs_real SCS_KERNEL(vec)
    __attribute__((vector_size(SCS_VECTOR_BYTES), aligned(sizeof(scs_real)), may_alias));

/** One row of one block: sum += value_k * (row column_k of the dense block), entries ascending.
 * The first block begins with the base, the others with the sums so far. */
static inline __attribute__((always_inline)) void SCS_KERNEL(add_row)(const panel *t, int32_t block,
                                                                      int n_vec, int64_t i)
{
    typedef SCS_KERNEL(vec) vec;
    const scs_entries *x = t->product->x;
    const scs_real *base_scale = t->product->base_scale;
    const int64_t *first = x->first + (int64_t)block * x->n_out + i;
    vec *sums = (vec *)(t->sums + (i - t->row) * t->sums_stride), sum[MAX_VEC];

    if (block == 0)
        for (int v = 0; v < n_vec; v++)
            sum[v] = (base_scale ? base_scale[i] : 1) * ((const vec *)t->base)[v];
    else
        for (int v = 0; v < n_vec; v++)
            sum[v] = sums[v];
    for (int64_t k = first[0]; k < first[1]; k++) {
        const vec *row = (const vec *)(t->dense + x->column[k] * t->dense_stride);
        scs_real value = x->value[k];

        for (int v = 0; v < n_vec; v++)
            sum[v] += value * row[v];
    }
    for (int v = 0; v < n_vec; v++)
        sums[v] = sum[v];
}

/** All rows of the task. */
static inline __attribute__((always_inline)) void SCS_KERNEL(add_rows)(const panel *t,
                                                                       int32_t block, int n_vec)
{
    for (int64_t i = t->row; i < t->last; i++)
        SCS_KERNEL(add_row)(t, block, n_vec, i);
}

/** The loop for this panel's number of registers. */
static void SCS_KERNEL(add_block)(const panel *t, int32_t block)
{
    switch (t->n_vec) {
    case 1:
        SCS_KERNEL(add_rows)(t, block, 1);
        break;
    case 2:
        SCS_KERNEL(add_rows)(t, block, 2);
        break;
    case 3:
        SCS_KERNEL(add_rows)(t, block, 3);
        break;
    case 4:
        SCS_KERNEL(add_rows)(t, block, 4);
        break;
    case 5:
        SCS_KERNEL(add_rows)(t, block, 5);
        break;
    case 6:
        SCS_KERNEL(add_rows)(t, block, 6);
        break;
    case 7:
        SCS_KERNEL(add_rows)(t, block, 7);
        break;
    case 8:
        SCS_KERNEL(add_rows)(t, block, 8);
        break;
    case 9:
        SCS_KERNEL(add_rows)(t, block, 9);
        break;
    default:
        SCS_KERNEL(add_rows)(t, block, MAX_VEC);
    }
}

static const kind SCS_KERNEL(kind) = {SCS_VECTOR_BYTES / sizeof(scs_real), SCS_KERNEL(add_block)};

#undef SCS_KERNEL
#undef SCS_VECTOR_BYTES
