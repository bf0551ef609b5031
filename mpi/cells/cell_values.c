/* Cells are encoded as those of the inputs are: packed, by the session's model. */
#include "mpi/cells/cell_values.h"

#include "mpi/job/session_model.h"
#include "src/data/packed.h"

#include <math.h>
#include <stdlib.h>

/* A cell of no count has no value either. */
void scs_cell_values_log(const scs_session *s, const scs_cell_block *b, float *value)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < b->n; i++) {
        double scale = s->scaled_to / (double)b->library[i];

        for (int64_t k = b->indptr[i]; k < b->indptr[i + 1]; k++)
            value[k] = (float)log1p(b->count[k] * scale);
    }
}

/* @param[out] x caller clears */
static scs_status pack(const scs_session *s, const scs_cell_block *b, scs_packed *x)
{
    scs_csr rows = {.n_row = b->n,
                    .n_col = s->dataset->n_gene,
                    .indptr = b->indptr,
                    .indices = b->gene}; /* borrowed, but for the values */
    scs_status st;

    SCS_TRY(SCS_ALLOC(rows.values, b->indptr[b->n]));
    scs_cell_values_log(s, b, rows.values);
    st = scs_packed_make(&rows, x);
    free(rows.values);
    return st;
}

scs_status scs_cell_values_latent(const scs_session *s, const scs_cell_block *b, scs_real *z)
{
    int64_t n_latent = scs_session_model_n_latent(s);
    scs_packed x = {0};
    scs_status st;

    SCS_GO(st, pack(s, b, &x));
    for (int64_t i = 0; i < b->n; i += SCS_CELL_VALUES_TILE) {
        int64_t left = b->n - i, n = left < SCS_CELL_VALUES_TILE ? left : SCS_CELL_VALUES_TILE;

        SCS_GO(st, scs_session_model_encode_rows(s, &x, i, (int32_t)n, z + i * n_latent));
    }
done:
    scs_packed_clear(&x);
    return st;
}
