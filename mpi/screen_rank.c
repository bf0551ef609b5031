#include "mpi/screen_rank.h"

#include "src/file.h"
#include "src/ranking.h"

#include <stdlib.h>

/* @param recv [n_rank] scratch */
static scs_status gather(scs_comm *comm, const int64_t *first, const void *mine, size_t size,
                         void *all, int64_t *send, int64_t *recv)
{
    int32_t me = scs_comm_rank(comm);
    int64_t bytes = (int64_t)size;

    send[0] = (first[me + 1] - first[me]) * bytes;
    for (int32_t r = 0; r < scs_comm_size(comm) && me == 0; r++)
        recv[r] = (first[r + 1] - first[r]) * bytes;
    return scs_alltoallv(comm, mine, send, all, recv);
}

static scs_status allocate(scs_row_numbers *all, int64_t n)
{
    SCS_TRY(SCS_ALLOC(all->delta_norm, n));
    SCS_TRY(SCS_ALLOC(all->trust, n));
    return SCS_ALLOC(all->score, n);
}

scs_status scs_row_numbers_gather(scs_comm *comm, const int64_t *first, const scs_result_rows *rows,
                                  scs_row_numbers *all)
{
    int32_t n_rank = scs_comm_size(comm);
    int64_t *send = NULL, *recv;
    scs_status st = SCS_ALLOC(send, 2 * n_rank);

    *all = (scs_row_numbers){0};
    if (st == SCS_OK && scs_comm_rank(comm) == 0)
        st = allocate(all, first[n_rank]);
    SCS_GO(st, scs_agree(comm, st));
    recv = send + n_rank;
    SCS_GO(st, gather(comm, first, rows->delta_norm, sizeof *all->delta_norm, all->delta_norm, send,
                      recv));
    SCS_GO(st, gather(comm, first, rows->trust, sizeof *all->trust, all->trust, send, recv));
    SCS_GO(st, gather(comm, first, rows->score, sizeof *all->score, all->score, send, recv));
done:
    free(send);
    return st;
}

void scs_row_numbers_clear(scs_row_numbers *all)
{
    free(all->delta_norm);
    free(all->trust);
    free(all->score);
    *all = (scs_row_numbers){0};
}

typedef struct ranked {
    const scs_ranking *ranking;
    const int64_t *order;
} ranked;

static scs_status write_all(void *ctx, FILE *out)
{
    const ranked *r = ctx;

    scs_ranking_write(r->ranking, r->order, r->ranking->plan->n, out);
    return SCS_OK;
}

scs_status scs_screen_rank(const scs_session *session, const scs_plan *plan,
                           const scs_row_numbers *all)
{
    scs_ranking ranking = {.atlas = session->atlas,
                           .plan = plan,
                           .delta_norm = all->delta_norm,
                           .trust = all->trust,
                           .score = all->score,
                           .by = session->config->screen.rank_by};
    int64_t *order = NULL, n = plan->n < SCS_RANK_PRINTED ? plan->n : SCS_RANK_PRINTED;
    ranked r = {.ranking = &ranking};
    char path[4096];
    scs_status st;

    if (ranking.by == SCS_RANK_NONE)
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(order, plan->n));
    SCS_GO(st, scs_ranking_order(&ranking, order));
    r.order = order;
    SCS_GO(st, scs_session_path(session, "ranking.tsv", path, sizeof path));
    SCS_GO(st, scs_file_write(path, write_all, &r));
    scs_session_say(session, "wrote %s", path);
    printf("\nThe first %lld of %lld combinations:\n", (long long)n, (long long)plan->n);
    scs_ranking_print(&ranking, order, n, stdout);
done:
    free(order);
    return st;
}
