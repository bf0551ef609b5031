#include "mpi/comm_state.h"
#include "mpi/result_rows.h"
#include "mpi/watchdog.h"
#include "src/file.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ranks' rows follow one another, cover the plan, and are all there. @param before, all rows of
 * lower ranks, of all ranks */
static scs_status check_rows(const scs_result_head *head, const scs_result_rows *rows,
                             int64_t before, int64_t all)
{
    bool missing =
        !rows->x || !rows->control || !rows->shift || !rows->delta || !rows->delta_norm ||
        !rows->score || !rows->trust || (head->variance && !rows->variance) ||
        (head->bootstrap && (!rows->shift_se || !rows->delta_se)) ||
        (head->gene_sets && (!rows->set_score || !rows->set_z)) ||
        (head->top_genes > 0 &&
         (!rows->top_up || !rows->top_down || !rows->top_up_shift || !rows->top_down_shift));

    SCS_REQUIRE(rows->n >= 0 && rows->first == before && all == head->plan->n, SCS_EINTERNAL,
                "rows %lld + %lld of %lld, of which %lld came before", (long long)rows->first,
                (long long)rows->n, (long long)head->plan->n, (long long)before);
    SCS_REQUIRE(rows->n == 0 || !missing, SCS_EINTERNAL, "a result without values");
    return SCS_OK;
}

static scs_status agree_on_rows(scs_comm *comm, const scs_result_head *head,
                                const scs_result_rows *rows)
{
    int64_t before = 0, all = 0;

    SCS_MPI(MPI_Exscan(&rows->n, &before, 1, MPI_INT64_T, MPI_SUM, comm->mpi));
    SCS_MPI(MPI_Allreduce(&rows->n, &all, 1, MPI_INT64_T, MPI_SUM, comm->mpi));
    return scs_agree(comm, check_rows(head, rows, comm->rank > 0 ? before : 0, all));
}

/* Rank 0's name for the temporary file, on all ranks. @param[out] temp malloc'ed */
static scs_status name_temp(scs_comm *comm, const char *path, char **temp)
{
    scs_status st = comm->rank == 0 ? scs_temp_name(path, temp) : SCS_OK;
    uint8_t *bytes = (uint8_t *)*temp;
    int64_t size = bytes ? (int64_t)strlen(*temp) + 1 : 0;

    SCS_TRY(scs_agree(comm, st));
    st = scs_broadcast_blob(comm, &bytes, &size);
    *temp = (char *)bytes;
    return st;
}

/* From an empty place to a complete, compared file. *made says that rank 0 has to remove it on
 * failure. */
static scs_status write_temp(scs_comm *comm, const char *temp, const scs_result_head *head,
                             const scs_result_rows *rows, bool *made)
{
    scs_status st = comm->rank == 0 ? scs_result_skeleton(temp, head) : SCS_OK;

    *made = comm->rank == 0 && st == SCS_OK;
    SCS_TRY(scs_agree(comm, st));
    SCS_TRY(scs_result_rows_write(comm, temp, head, rows));
    scs_watchdog_step(comm, "reading back");
    return scs_agree(comm, scs_result_rows_compare(temp, head, rows));
}

scs_status scs_result_write(scs_comm *comm, const char *path, const scs_result_head *head,
                            const scs_result_rows *rows)
{
    char *temp = NULL;
    bool made = false;
    scs_status st;

    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    SCS_GO(st, agree_on_rows(comm, head, rows));
    SCS_GO(st, name_temp(comm, path, &temp));
    scs_watchdog_begin(comm, path);
    SCS_GO(st, write_temp(comm, temp, head, rows, &made));
    SCS_GO(st, scs_agree(comm, comm->rank == 0 ? scs_result_commit(temp, path) : SCS_OK));
done:
    scs_watchdog_end(comm);
    if (st != SCS_OK && made)
        (void)unlink(temp);
    free(temp);
    return st;
}
