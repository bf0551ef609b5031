/* The inner loops of decode_mean.c's output layer, which includes this once for each kind of
 * processor: out = rows of hidden x a panel of weights, in double.
 *
 * SCS_KERNEL(name) is what a function is called there, SCS_VECTOR_BYTES a register's size,
 * SCS_ROWS the rows whose sums stay in registers. A vector type that is longer than the registers
 * would be taken apart in memory, hence one copy for each. Every row is summed over d in the same
 * order in all of them: which rows are taken together changes no bit.
 */

typedef double SCS_KERNEL(vec)
    __attribute__((vector_size(SCS_VECTOR_BYTES), aligned(sizeof(double)), may_alias));

/* n rows of a panel. @param panel [d, WIDTH]  @param[out] out [n, WIDTH] */
static inline __attribute__((always_inline)) void
SCS_KERNEL(multiply_rows)(const double *panel, const double *hidden, int32_t d, int n, double *out)
{
    typedef SCS_KERNEL(vec) vec;
    enum { N_VEC = WIDTH * sizeof(double) / SCS_VECTOR_BYTES };
    const vec *row = (const vec *)panel;
    vec sum[SCS_ROWS][N_VEC] = {0};

    for (int64_t j = 0; j < d; j++, row += N_VEC)
        for (int64_t i = 0; i < n; i++)
            for (int v = 0; v < N_VEC; v++)
                sum[i][v] += hidden[i * d + j] * row[v];
    memcpy(out, sum, sizeof *sum * (size_t)n);
}

/* @return how many rows were taken */
static int SCS_KERNEL(multiply)(const double *panel, const double *hidden, int32_t d, int64_t n,
                                double *out)
{
    if (n >= SCS_ROWS) {
        SCS_KERNEL(multiply_rows)(panel, hidden, d, SCS_ROWS, out);
        return SCS_ROWS;
    }
#if SCS_ROWS > 4
    if (n >= 4) {
        SCS_KERNEL(multiply_rows)(panel, hidden, d, 4, out);
        return 4;
    }
#endif
    SCS_KERNEL(multiply_rows)(panel, hidden, d, 1, out);
    return 1;
}

#undef SCS_KERNEL
#undef SCS_VECTOR_BYTES
#undef SCS_ROWS
