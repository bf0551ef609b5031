/** From scs_csr, which tests make and look into, to scs_packed and back. */
#ifndef SCS_TESTS_PACKING_H
#define SCS_TESTS_PACKING_H

#include "src/data/packed.h"
#include "tests/unit/suite.h"

#include <stdbool.h>
#include <string.h>

static inline scs_packed packed(const scs_csr *x)
{
    scs_packed all;

    CHECK_OK(scs_packed_make(x, &all));
    return all;
}

/** x is cleared. */
static inline scs_packed packed_away(scs_csr *x)
{
    scs_packed all = packed(x);

    scs_csr_clear(x);
    return all;
}

static inline scs_csr unpacked(const scs_packed *x)
{
    scs_csr all;
    int64_t at = 0;

    CHECK_OK(scs_csr_alloc(x->n_row, x->n_col, scs_packed_nnz(x), &all));
    for (int64_t i = 0; i < x->n_row; i++) {
        scs_row row = scs_packed_row(x, i);

        for (int64_t k = 0; k < row.n; k++, at++) {
            all.indices[at] = scs_row_gene(&row, k);
            all.values[at] = scs_row_value(&row, k);
        }
        all.indptr[i + 1] = at;
    }
    return all;
}

/** With all values as they are, whether codes save something or not. */
static inline scs_packed plainly_packed(const scs_csr *x)
{
    int64_t gene = x->n_col <= 65536 ? 2 : 4;
    scs_packed all;

    CHECK_OK(scs_packed_alloc(x->n_row, x->n_col, 2 * x->n_row + 2 * x->indptr[x->n_row], &all));
    for (int64_t i = 0; i < x->n_row; i++) {
        int32_t n = (int32_t)(x->indptr[i + 1] - x->indptr[i]);
        int64_t behind_genes = 1 + (n * gene + 3) / 4;
        const int32_t *from = x->indices + x->indptr[i];
        uint8_t *word = all.word + 4 * all.first[i];

        memcpy(word, &n, 4);
        for (int32_t k = 0; k < n; k++)
            if (gene == 2)
                ((uint16_t *)(void *)(word + 4))[k] = (uint16_t)from[k];
            else
                ((int32_t *)(void *)(word + 4))[k] = from[k];
        memcpy(word + 4 * behind_genes, x->values + x->indptr[i], 4 * (size_t)n);
        all.first[i + 1] = all.first[i] + behind_genes + n;
    }
    return all;
}

/** The k-th stored value becomes another. */
static inline void set_value(scs_packed *x, int64_t k, float value)
{
    scs_csr all = unpacked(x);

    all.values[k] = value;
    scs_packed_clear(x);
    *x = packed_away(&all);
}

#endif
