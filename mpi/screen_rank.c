#include "mpi/screen_rank.h"

#include "src/file.h"
#include "src/ranking.h"

#include <stdlib.h>

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
                           const scs_result_rows *all)
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
