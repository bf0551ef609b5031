#include "src/gene_index.h"

#include <stdlib.h>
#include <string.h>

scs_status scs_gene_index_create(int32_t n_gene, scs_gene_index *index)
{
    memset(index, 0, sizeof *index);
    index->n_gene = n_gene;
    return SCS_ALLOC(index->first, (int64_t)n_gene + 1);
}

void scs_gene_index_clear(scs_gene_index *index)
{
    free(index->first);
    free(index->row);
    free(index->value);
    memset(index, 0, sizeof *index);
}

static int64_t row_at(const int64_t *rows, int64_t row0, int32_t i)
{
    return rows ? rows[i] : row0 + i;
}

scs_status scs_gene_index_reserve(scs_gene_index *index, const scs_csr *x, const int64_t *rows,
                                  int64_t row0, int32_t n)
{
    int64_t nnz = 0;

    for (int32_t i = 0; i < n; i++) {
        int64_t row = row_at(rows, row0, i);

        nnz += x->indptr[row + 1] - x->indptr[row];
    }
    if (nnz <= index->capacity)
        return SCS_OK;
    nnz += nnz / 4;
    free(index->row);
    free(index->value);
    index->row = NULL;
    index->value = NULL;
    index->capacity = 0;
    SCS_TRY(SCS_ALLOC(index->row, nnz));
    SCS_TRY(SCS_ALLOC(index->value, nnz));
    index->capacity = nnz;
    return SCS_OK;
}

/* Afterwards first[g + 1] is where gene g's entries begin. */
static void count_genes(scs_gene_index *index, const scs_csr *x, const int64_t *rows, int64_t row0,
                        int32_t n)
{
    int64_t begin = 0;

    memset(index->first, 0, ((size_t)index->n_gene + 1) * sizeof *index->first);
    for (int32_t i = 0; i < n; i++) {
        int64_t row = row_at(rows, row0, i);

        for (int64_t k = x->indptr[row]; k < x->indptr[row + 1]; k++)
            index->first[x->indices[k] + 1]++;
    }
    for (int32_t g = 0; g < index->n_gene; g++) {
        int64_t count = index->first[g + 1];

        index->first[g + 1] = begin;
        begin += count;
    }
}

void scs_gene_index_fill(scs_gene_index *index, const scs_csr *x, const int64_t *rows, int64_t row0,
                         int32_t n)
{
    count_genes(index, x, rows, row0, n);
    for (int32_t i = 0; i < n; i++) {
        int64_t row = row_at(rows, row0, i);

        for (int64_t k = x->indptr[row]; k < x->indptr[row + 1]; k++) {
            int64_t at = index->first[x->indices[k] + 1]++;

            index->row[at] = i;
            index->value[at] = x->values[k];
        }
    }
}
