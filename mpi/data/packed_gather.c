/* Lengths of rows go round first, then their words (packed_gather.h). Rows travel as they lie:
 * nothing is unpacked, and a word means the same wherever it stands. */
#include "mpi/data/packed_gather.h"

#include "mpi/comm/collectives.h"
#include "src/base/collective.h"

#include <stdlib.h>
#include <string.h>

/* Rows of all ranks, which follow one another, on their way. */
typedef struct gathering {
    int64_t *count;      /* [n_rank, 2] rows and words of each rank */
    int64_t *row, *word; /* [n_rank + 1] bytes before each rank's */
    int64_t *length;     /* words of each row */
} gathering;

/* Places of all ranks' rows, from their numbers. Local. @param[out] all room only */
static scs_status make_room(int32_t n_rank, int32_t n_col, gathering *g, scs_packed *all)
{
    int64_t rows = 0, words = 0;

    SCS_TRY(SCS_ALLOC(g->row, n_rank + 1));
    SCS_TRY(SCS_ALLOC(g->word, n_rank + 1));
    for (int32_t r = 0; r < n_rank; r++) {
        rows += g->count[2 * r];
        words += g->count[2 * r + 1];
        g->row[r + 1] = rows * (int64_t)sizeof *g->length;
        g->word[r + 1] = words * 4;
    }
    SCS_TRY(SCS_ALLOC(g->length, rows));
    return scs_packed_alloc(rows, n_col, words, all);
}

/* This rank's rows to their place among all. Local. */
static void put_own(const scs_packed *own, int32_t rank, gathering *g, scs_packed *all)
{
    int64_t row = g->row[rank] / (int64_t)sizeof *g->length;

    for (int64_t i = 0; i < own->n_row; i++)
        g->length[row + i] = own->first[i + 1] - own->first[i];
    if (own->n_row > 0)
        memcpy(all->word + g->word[rank], own->word, (size_t)own->first[own->n_row] * 4);
}

scs_status scs_packed_gather(scs_comm *comm, const scs_packed *own, scs_packed *all)
{
    int32_t n_rank = scs_comm_size(comm);
    int64_t mine[2] = {own->n_row, own->first[own->n_row]};
    gathering g = {0};
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(g.count, 2 * (int64_t)n_rank)));
    SCS_GO(st, scs_comm_mpi_status(
                   MPI_Allgather(mine, 2, MPI_INT64_T, g.count, 2, MPI_INT64_T, scs_comm_mpi(comm)),
                   "MPI_Allgather"));
    SCS_GO(st, scs_comm_agree(comm, make_room(n_rank, own->n_col, &g, all)));
    put_own(own, scs_comm_rank(comm), &g, all);
    SCS_GO(st, scs_comm_allgather(comm, g.length, g.row));
    SCS_GO(st, scs_comm_allgather(comm, all->word, g.word));
    for (int64_t i = 0; i < all->n_row; i++)
        all->first[i + 1] = all->first[i] + g.length[i];
done:
    free(g.count);
    free(g.row);
    free(g.word);
    free(g.length);
    return st;
}
