/* Each rank hashes some of its cells; rank 0 compares them, and tells all what it found. */
#include "mpi/data/repeated_cells.h"

#include "src/base/collective.h"

#include <stdlib.h>

/* Of all parts. Local. */
static scs_status make_prints(const scs_dataset *dataset, const scs_cell_part *part, int32_t n_part,
                              scs_print **print, int64_t *n)
{
    for (int32_t p = 0; p < n_part; p++)
        SCS_TRY(scs_repeated_add(dataset, part[p].x, part[p].cell, part[p].first, print, n));
    return SCS_OK;
}

/* All ranks' prints on rank 0, none on the others. Collective.
 *  @param send, receive [n_rank] bytes for and of each rank, zeroed
 *  @param[out] all caller frees */
static scs_status gather(scs_comm *comm, const scs_print *print, int64_t n, int64_t *send,
                         int64_t *receive, scs_print **all, int64_t *n_all)
{
    int64_t bytes = 0;

    send[0] = n * (int64_t)sizeof *print;
    SCS_TRY(scs_comm_exchange_counts(comm, send, receive));
    for (int32_t r = 0; r < scs_comm_size(comm); r++)
        bytes += receive[r];
    *n_all = bytes / (int64_t)sizeof *print;
    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(*all, *n_all)));
    return scs_comm_alltoallv(comm, print, send, *all, receive);
}

scs_status scs_repeated_cells_find(scs_comm *comm, const scs_dataset *dataset,
                                   const scs_cell_part *part, int32_t n_part, scs_repeated *found)
{
    scs_print *print = NULL, *all = NULL;
    int64_t *send = NULL, *receive = NULL, n = 0, n_all = 0;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, make_prints(dataset, part, n_part, &print, &n)));
    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(send, scs_comm_size(comm))));
    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(receive, scs_comm_size(comm))));
    SCS_GO(st, gather(comm, print, n, send, receive, &all, &n_all));
    scs_repeated_count(all, n_all, dataset->n_input, found);
    st = scs_comm_broadcast(comm, found, dataset->n_input * (int64_t)sizeof *found);
done:
    free(print);
    free(all);
    free(send);
    free(receive);
    return st;
}
