/* A row is cut into a row for each rank, packed anew: how a row is packed depends on it alone, so
 * that the words that arrive are put as they are. Row lengths travel first, in words.
 *
 * In the order of the code: where the genes are cut, what goes where, what arrives. Memory on a
 * rank is its cells once packed (x), the same as words to send, and what it gets; x is given up
 * before the words arrive. Bytes depend on the cells alone: which rank holds a gene changes nothing
 * that is computed of it. */
#include "mpi/score/gene_share.h"

#include <stdlib.h>
#include <string.h>

/* ---- where the genes are cut ---- */

/* Values of each gene over all ranks. Collective. @param[out] count [n_gene] malloc'ed */
static scs_status count_values(scs_comm *comm, const scs_packed *x, int64_t **count)
{
    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(*count, x->n_col)));
    for (int64_t i = 0; i < x->n_row; i++) {
        scs_row row = scs_packed_row(x, i);

        for (int64_t k = 0; k < row.n; k++)
            (*count)[scs_row_gene(&row, k)]++;
    }
    SCS_MPI(
        MPI_Allreduce(MPI_IN_PLACE, *count, x->n_col, MPI_INT64_T, MPI_SUM, scs_comm_mpi(comm)));
    return SCS_OK;
}

/* A gene costs its values, and some more for what is done of every gene: so that the ranks' shares
 * of the work are alike. A rank may get no gene where there are few.
 *  @param[out] gene0 [n_rank + 1] ascending, from 0 to n_gene */
static void cut(const int64_t *count, int64_t n_gene, int64_t n_rank, int64_t *gene0)
{
    const int64_t each = 256;
    int64_t all = n_gene * each, before = 0, gene = 0;

    for (int64_t g = 0; g < n_gene; g++)
        all += count[g];
    for (int64_t r = 0; r < n_rank; r++) {
        while (gene < n_gene && before < all / n_rank * r)
            before += count[gene++] + each;
        gene0[r] = gene;
    }
    gene0[n_rank] = n_gene;
}

/* ---- what goes where ---- */

/* Columns [gene0, gene1) of all rows. */
static scs_status take_columns(const scs_packed *x, int64_t gene0, int64_t gene1, scs_packed *part)
{
    enum { ROWS = 1024 };
    scs_csr rows = {0};
    scs_status st;

    SCS_TRY(scs_packed_alloc(x->n_row, (int32_t)(gene1 - gene0), 0, part));
    for (int64_t row0 = 0; row0 < x->n_row; row0 += ROWS) {
        int64_t n = x->n_row - row0 < ROWS ? x->n_row - row0 : ROWS, most = 0, at = 0;

        for (int64_t i = 0; i < n; i++)
            most += scs_packed_row(x, row0 + i).n;
        SCS_GO(st, scs_csr_alloc(n, (int32_t)(gene1 - gene0), most, &rows));
        for (int64_t i = 0; i < n; i++) {
            scs_row row = scs_packed_row(x, row0 + i);

            for (int64_t k = scs_packed_row_find(&row, (int32_t)gene0);
                 k < row.n && scs_row_gene(&row, k) < gene1; k++) {
                rows.indices[at] = scs_row_gene(&row, k) - (int32_t)gene0;
                rows.values[at++] = scs_row_value(&row, k);
            }
            rows.indptr[i + 1] = at;
        }
        SCS_GO(st, scs_packed_append(part, row0, &rows));
        scs_csr_clear(&rows);
    }
    return scs_packed_trim(part);
done:
    scs_csr_clear(&rows);
    return st;
}

/* What travels: each rank's words and lengths, rank after rank. Owned. */
typedef struct exchange {
    int64_t *send, *receive; /* [n_rank] bytes */
    uint8_t *words_out, *words_in;
    int64_t *length_out, *length_in; /* words of each row */
    int64_t n_row;
} exchange;

static void exchange_clear(exchange *e)
{
    free(e->send);
    free(e->receive);
    free(e->words_out);
    free(e->words_in);
    free(e->length_out);
    free(e->length_in);
}

/* All ranks' parts of this rank's rows, one behind another. Local. */
static scs_status fill(const scs_packed *x, const int64_t *gene0, int64_t n_rank, exchange *e)
{
    int64_t size = 0, at = 0;
    scs_packed part = {0};

    SCS_TRY(SCS_ALLOC(e->send, n_rank));
    SCS_TRY(SCS_ALLOC(e->receive, n_rank));
    SCS_TRY(SCS_ALLOC(e->length_out, n_rank * x->n_row));
    for (int64_t r = 0; r < n_rank; r++) {
        scs_status st = take_columns(x, gene0[r], gene0[r + 1], &part);
        int64_t bytes = st == SCS_OK ? part.first[x->n_row] * 4 : 0;
        uint8_t *grown = st == SCS_OK ? scs_reallocate(e->words_out, size + bytes + 1, 1) : NULL;

        if (st == SCS_OK && !grown)
            st = SCS_FAIL(SCS_ENOMEM, "out of memory: %lld bytes to send", (long long)bytes);
        if (grown) {
            e->words_out = grown;
            memcpy(grown + size, part.word, (size_t)bytes);
            for (int64_t i = 0; i < x->n_row; i++)
                e->length_out[at++] = part.first[i + 1] - part.first[i];
        }
        size += bytes;
        e->send[r] = bytes;
        scs_packed_clear(&part);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* Lengths of all cells' rows, rank after rank, which is the order of the cells. Collective. */
static scs_status send_lengths(scs_comm *comm, int64_t n_cell, exchange *e)
{
    int64_t n_rank = scs_comm_size(comm), *out = NULL, *in = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(out, n_rank)));
    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(in, n_rank)));
    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(e->length_in, n_cell)));
    for (int64_t r = 0; r < n_rank; r++) {
        out[r] = e->n_row * 8;
        in[r] = (n_cell * (r + 1) / n_rank - n_cell * r / n_rank) * 8;
    }
    SCS_GO(st, scs_comm_alltoallv(comm, e->length_out, out, e->length_in, in));
done:
    free(out);
    free(in);
    return st;
}

/* Collective. */
static scs_status send_words(scs_comm *comm, exchange *e)
{
    int64_t size = 0;

    SCS_TRY(scs_comm_exchange_counts(comm, e->send, e->receive));
    for (int64_t r = 0; r < scs_comm_size(comm); r++)
        size += e->receive[r];
    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(e->words_in, size)));
    return scs_comm_alltoallv(comm, e->words_out, e->send, e->words_in, e->receive);
}

/* What has arrived is the share as it stands. Local. */
static scs_status build(exchange *e, int64_t n_cell, int32_t n_gene, scs_packed *share)
{
    *share = (scs_packed){.n_row = n_cell, .n_col = n_gene};
    SCS_TRY(SCS_ALLOC(share->first, n_cell + 1));
    for (int64_t i = 0; i < n_cell; i++)
        share->first[i + 1] = share->first[i] + e->length_in[i];
    share->capacity = share->first[n_cell];
    share->word = e->words_in;
    e->words_in = NULL;
    return SCS_OK;
}

/* One rank has it already. */
scs_status scs_gene_share_make(scs_comm *comm, scs_packed *x, int64_t n_cell, scs_packed *share,
                               int64_t **gene0)
{
    int64_t *count = NULL, n_rank = scs_comm_size(comm), rank = scs_comm_rank(comm);
    exchange e = {.n_row = x->n_row};
    scs_status st;

    *share = (scs_packed){0};
    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(*gene0, n_rank + 1)));
    (*gene0)[1] = x->n_col;
    if (n_rank == 1) {
        *share = *x;
        *x = (scs_packed){0};
        return SCS_OK;
    }
    SCS_GO(st, count_values(comm, x, &count));
    cut(count, x->n_col, n_rank, *gene0);
    SCS_GO(st, scs_comm_agree(comm, fill(x, *gene0, n_rank, &e)));
    scs_packed_clear(x);
    SCS_GO(st, send_lengths(comm, n_cell, &e));
    SCS_GO(st, send_words(comm, &e));
    free(e.words_out);
    e.words_out = NULL;
    SCS_GO(st, scs_comm_agree(
                   comm, build(&e, n_cell, (int32_t)((*gene0)[rank + 1] - (*gene0)[rank]), share)));
done:
    free(count);
    exchange_clear(&e);
    return st;
}
