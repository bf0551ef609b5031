#include "mpi/screen_blocks.h"

#include "mpi/screen_rows.h"
#include "src/clock.h"

#include <stdlib.h>
#include <string.h>

enum { RANKS_NAMED = 16 };

static const double look_every = .2; /* seconds between looks at other ranks' wishes */

typedef struct block_cost {
    int64_t block;
    double cost;
} block_cost;

static int dear_first(const void *a, const void *b)
{
    const block_cost *x = a, *y = b;

    if (x->cost != y->cost)
        return x->cost > y->cost ? -1 : 1;
    return (x->block > y->block) - (x->block < y->block);
}

/* A dear block at the end would leave the other ranks waiting. */
static scs_status order_blocks(scs_screen_work *w, const scs_plan *plan)
{
    const scs_screen_store *s = w->store;
    block_cost *all;

    SCS_TRY(SCS_ALLOC(all, s->n_block));
    for (int64_t b = 0; b < s->n_block; b++) {
        if (s->done[b])
            continue;
        all[w->n_order].block = b;
        for (int64_t i = b * s->block_rows; i < (b + 1) * s->block_rows && i < plan->n; i++)
            all[w->n_order].cost += plan->item[i].cost;
        w->n_order++;
    }
    qsort(all, (size_t)w->n_order, sizeof *all, dear_first);
    w->order = scs_allocate(w->n_order, sizeof *w->order);
    for (int64_t i = 0; w->order && i < w->n_order; i++)
        w->order[i] = all[i].block;
    free(all);
    SCS_REQUIRE(w->order, SCS_ENOMEM, "out of memory for %lld blocks", (long long)w->n_order);
    return SCS_OK;
}

scs_status scs_work_open(const scs_session *session, const scs_plan *plan, scs_screen_store *store,
                         scs_screen_work *work)
{
    scs_status st;

    *work = (scs_screen_work){.session = session, .store = store, .begun = scs_clock()};
    SCS_TRY(scs_queue_open(session->comm, &work->queue));
    st = scs_wishes_open(session, &work->wishes);
    if (st == SCS_OK)
        st = order_blocks(work, plan);
    return scs_agree(session->comm, st);
}

void scs_work_close(scs_screen_work *work)
{
    if (!work->session)
        return;
    scs_queue_close(&work->queue);
    free(work->order);
    *work = (scs_screen_work){0};
}

/* Tells all ranks; they see it when they take or look. */
static scs_status stop_all(scs_screen_work *w)
{
    scs_status st;

    w->stopped = true;
    (void)scs_writer_take_turn(&w->writer, true);
    st = scs_queue_stop(&w->queue, SCS_QUEUE_STOPPED);
    scs_writer_end_turn(&w->writer);
    return st;
}

/* Seconds until what is begun is written. */
static double time_to_end(scs_screen_work *w)
{
    return w->longest + (w->writer.store ? scs_writer_longest(&w->writer) : 0);
}

bool scs_work_is_over(void *work)
{
    scs_screen_work *w = work;
    double t = scs_clock();
    int64_t next = 0;

    if (w->stopped)
        return true;
    snprintf(w->reason, sizeof w->reason, "%s", scs_wishes_reason(&w->wishes, 2 * time_to_end(w)));
    if (w->reason[0])
        return stop_all(w) != SCS_OK || w->stopped;
    if (t - w->looked < look_every || !scs_writer_take_turn(&w->writer, false))
        return false;
    w->looked = t;
    w->stopped = scs_queue_look(&w->queue, &next) != SCS_OK || next >= SCS_QUEUE_STOPPED;
    scs_writer_end_turn(&w->writer);
    return w->stopped;
}

/* Rank 0 lets the others' requests through while it computes. */
static void serve(void *ctx)
{
    scs_screen_work *w = ctx;

    if (!scs_session_leads(w->session) || scs_comm_size(w->session->comm) == 1 ||
        !scs_writer_take_turn(&w->writer, false))
        return;
    if (scs_queue_serve(&w->queue) != SCS_OK)
        w->stopped = true; /* the next call of the queue says why */
    scs_writer_end_turn(&w->writer);
}

static scs_status do_block(scs_screen_work *w, scs_row_block *at, scs_result_rows *rows,
                           int64_t block)
{
    const scs_screen_store *s = w->store;
    int64_t first = block * s->block_rows, left = at->job->plan->n - first;
    double begun = scs_clock(), made;

    rows->first = first;
    rows->n = left < s->block_rows ? left : s->block_rows;
    SCS_TRY(scs_screen_rows(at, rows));
    made = scs_clock();
    w->longest = made - begun > w->longest ? made - begun : w->longest;
    SCS_TRY(scs_writer_put(&w->writer, block, rows));
    w->waited += scs_clock() - made;
    return SCS_OK;
}

static scs_status take(scs_screen_work *w, int64_t *next)
{
    scs_status st;

    (void)scs_writer_take_turn(&w->writer, true);
    st = scs_queue_take(&w->queue, next);
    scs_writer_end_turn(&w->writer);
    return st;
}

/* @param rows [2] filled in turn: one is written while the other is made */
static scs_status do_blocks(scs_screen_work *w, scs_row_block *at, scs_result_rows *rows)
{
    for (int turn = 0; !scs_work_is_over(w); turn = !turn) {
        int64_t next;

        SCS_TRY(take(w, &next));
        if (next >= w->n_order) {
            w->stopped = next >= SCS_QUEUE_STOPPED;
            return SCS_OK;
        }
        SCS_TRY(do_block(w, at, &rows[turn], w->order[next]));
    }
    return SCS_OK;
}

void scs_work_abandon(scs_screen_work *work)
{
    char first[SCS_MESSAGE_MAX];

    snprintf(first, sizeof first, "%s", scs_message());
    if (stop_all(work) != SCS_OK)
        scs_message_set(first); /* the one to tell */
}

/* Until the last block is written. @return the first failure of the two */
static scs_status finish_writing(scs_screen_work *w, scs_status status)
{
    char first[SCS_MESSAGE_MAX];
    double begun = scs_clock();
    scs_status st;

    snprintf(first, sizeof first, "%s", scs_message());
    st = scs_writer_close(&w->writer);
    w->waited += scs_clock() - begun;
    if (status == SCS_OK)
        return st;
    scs_message_set(first);
    return status;
}

scs_status scs_work_blocks(scs_screen_work *work, const scs_row_job *job)
{
    int64_t most = work->store->block_rows;
    scs_result_rows rows[2] = {{.n = most}, {.n = most}};
    scs_row_job own = *job;
    scs_row_block block = {0};
    scs_status st;

    own.idle = serve;
    own.idle_ctx = work;
    st = scs_row_block_make(&own, most, &block);
    for (int i = 0; i < 2 && st == SCS_OK; i++)
        st = scs_screen_rows_alloc(&own, &rows[i]);
    if (st == SCS_OK) {
        scs_writer_open(work->store, &work->writer);
        st = finish_writing(work, do_blocks(work, &block, rows));
    }
    if (st != SCS_OK)
        scs_work_abandon(work);
    for (int i = 0; i < 2; i++)
        scs_screen_rows_clear(&rows[i]);
    scs_row_block_clear(&block);
    return st;
}

/* @param idle [n_rank] in % */
static void list_idle(const double *idle, int32_t n_rank, char *out, size_t size)
{
    int32_t worst = 0;
    double sum = 0;

    out[0] = '\0';
    for (int32_t r = 0; r < n_rank; r++) {
        size_t used = strlen(out);

        sum += idle[r];
        worst = idle[r] > idle[worst] ? r : worst;
        if (r < RANKS_NAMED)
            snprintf(out + used, size - used, " %.1f", idle[r]);
    }
    if (n_rank > RANKS_NAMED)
        snprintf(out, size, " %.1f on average, at most %.1f (rank %d)", sum / n_rank, idle[worst],
                 worst);
}

/* What the ranks did, in one line. */
static scs_status report(const scs_screen_work *w, int64_t n_row)
{
    scs_comm *comm = w->session->comm;
    double seconds = w->ended - w->begun, memory = 0, waited = w->waited;
    double mine = seconds > 0 ? 100 * (1 - w->busy / seconds) : 0, *idle;
    char text[256];

    SCS_TRY(scs_agree(comm, SCS_ALLOC(idle, scs_comm_size(comm))));
    SCS_MPI(MPI_Gather(&mine, 1, MPI_DOUBLE, idle, 1, MPI_DOUBLE, 0, scs_comm_mpi(comm)));
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, &waited, 1, MPI_DOUBLE, MPI_SUM, scs_comm_mpi(comm)));
    SCS_TRY(scs_peak_memory(comm, &memory));
    list_idle(idle, scs_comm_size(comm), text, sizeof text);
    scs_session_say(w->session,
                    "screened %lld combinations in %.1f s (%.0f a second); idle share of the ranks "
                    "in %%:%s; waiting for writes %.1f %%; peak memory of all ranks %.0f MiB",
                    (long long)n_row, seconds, seconds > 0 ? (double)n_row / seconds : 0, text,
                    seconds > 0 ? 100 * waited / seconds / scs_comm_size(comm) : 0, memory);
    free(idle);
    return SCS_OK;
}

scs_status scs_work_end(scs_screen_work *work, int64_t n_unit_left)
{
    scs_comm *comm = work->session->comm;
    const scs_screen_store *s = work->store;
    int64_t left[2] = {n_unit_left, 0};
    int64_t mine = 0;

    for (int64_t b = 0; b < s->n_block; b++)
        mine += s->sum[b] != 0;
    left[1] = mine;
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, left, 2, MPI_INT64_T, MPI_SUM, scs_comm_mpi(comm)));
    work->ended = scs_clock();
    mine = left[1];
    left[1] = s->n_block - s->n_done - mine;
    if (left[0] == 0 && left[1] == 0)
        return report(work, mine * s->block_rows < s->head->plan->n ? mine * s->block_rows
                                                                    : s->head->plan->n);
    scs_wishes_obeyed(&work->wishes);
    return SCS_FAIL(SCS_ESTOP,
                    "by %s with %lld of %lld blocks of %lld combinations done; the same command "
                    "goes on from %s",
                    work->reason[0] ? work->reason : "a signal to another rank",
                    (long long)(s->n_block - left[1]), (long long)s->n_block,
                    (long long)s->block_rows, work->session->config->output.dir);
}
