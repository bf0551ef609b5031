/* One screen from its plan to its file: rows in blocks, blocks from a queue, one block written
 * while the next is made.
 *
 *  Division of work: the plan's rows are cut into blocks of a fixed size; undone blocks are
 *  numbered by falling cost, and a rank that is free takes the next number (mpi/comm/queue.h). So
 *  the last blocks are cheap ones and ranks end about together; measured idle shares are in
 *  doc/performance.md. Any rank may get any row, therefore the latent cells of all control groups
 *  go to every rank first. Rows depend neither on the rank that makes them nor on when.
 *
 *  Messages: none for rows. Taking a block is one atomic operation on rank 0's counter; stopping
 *  sets the counter high, which all see when they take a number or look.
 *
 *  Memory: every rank holds the atlas, the latent cells of all control groups, and two blocks of
 *  rows. What is known of all rows at once (p, q and the numbers of the tables) is on rank 0 only.
 *
 *  MPI by two threads in turn: a rank's writer thread calls HDF5 over MPI-IO while its other
 *  threads compute. MPI_THREAD_SERIALIZED allows calls from several threads one at a time; `turn`
 *  is the lock for that. Without that level blocks are written at once.
 *
 *  Two threads of a rank, and what each may touch:
 *      main      rows of the block in work, the queue (in its turn), stop requests
 *      writer    the block that was handed over, the file and the map (in its turn)
 *  The block that is handed over stays as it is until the next one is, so there are two sets of
 *  rows. `lock` guards the handing over, `turn` MPI and HDF5; the writer takes `turn` without
 *  holding `lock`, so that the two cannot block each other.
 *
 *  A failure on one rank stops the queue for all; then all agree. Nothing that is done is lost:
 *  blocks and units of permutations are in the done map. */
#include "mpi/screen/screen_run.h"
#include "mpi/screen/screen_method.h"
#include "mpi/job/session_model.h"
#include "mpi/comm/collectives.h"
#include "mpi/comm/queue.h"
#include "mpi/job/provenance.h"
#include "mpi/job/session.h"
#include "mpi/job/stop.h"
#include "mpi/screen/row.h"
#include "mpi/screen/screen_features.h"
#include "mpi/screen/screen_permute.h"
#include "mpi/screen/store.h"
#include "src/screen/plan.h"
#include "src/screen/shift.h"
#include "src/base/clock.h"
#include "src/base/collective.h"
#include "src/base/file.h"
#include "src/base/parallel.h"
#include "src/base/text.h"
#include "src/result/gene_sets.h"
#include "src/result/ranking.h"

#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of ranking.tsv, on stdout. */
enum { ROWS_PRINTED = 20 };

/* Writes blocks behind the computing. A thread of its own where MPI allows calls from several
 * threads in turn; else blocks are written at once. While it is open, everything else that calls
 * MPI takes `turn` first. */
typedef struct scs_screen_writer {
    scs_screen_store *store; /* NULL: not open, and it is always one's turn */
    bool threaded;
    pthread_t thread;
    pthread_mutex_t turn; /* held by the thread that calls MPI or HDF5 */
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t change;
    const scs_result_rows *rows; /* to be written; NULL: nothing */
    int64_t block;
    bool over;                 /* no more blocks come: the thread ends */
    double longest;            /* seconds that a block took */
    scs_parallel_error failed; /* the first failing block's */
} scs_screen_writer;

/* Who works on what, and until when. */
typedef struct scs_screen_work {
    const scs_session *session;
    scs_screen_store *store;
    scs_queue queue;
    scs_stop_request stop;
    scs_screen_writer writer;
    int64_t *order; /* [n_order] blocks to do, expensive ones first; alike on all ranks */
    int64_t n_order;
    bool stopped;        /* the job is to end: a rank asked for it, or one failed */
    char reason[128];    /* why this rank wants it; "" otherwise */
    double longest;      /* seconds of a block so far, without writing it */
    double checked;      /* when this rank looked last whether to stop */
    double begun, ended; /* of the work */
    double busy;         /* seconds of it that this rank worked */
    double waited;       /* seconds of these in which it waited for blocks to be written */
} scs_screen_work;

/* ---- Ranked table ---- */

/* What the writer of ranking.tsv is given. */
typedef struct ranked {
    const scs_ranking *ranking;
    const int64_t *order; /* [plan->n] */
} ranked;

/* Hook of scs_file_write, which makes the file whole or not at all. */
static scs_status write_all(void *ctx, FILE *out)
{
    const ranked *r = ctx;

    scs_ranking_write(r->ranking, r->order, r->ranking->plan->n, out);
    return SCS_OK;
}

/* Its rows were those of the screen that has just been replaced. */
static scs_status remove_older_ranking(const scs_session *session, const char *path)
{
    if (access(path, F_OK) != 0)
        return SCS_OK;
    SCS_TRY(scs_file_remove(path));
    scs_session_say(session, "removed %s: it ranked the screen before this one", path);
    return SCS_OK;
}

/* With screen.rank_by: output.dir/ranking.tsv and its first rows on stdout. Rank 0 alone. Local.
 * @param permutations that p-values rest on, or 0
 * @param all delta_norm, score and confidence of all rows */
static scs_status write_ranking(const scs_session *session, const scs_plan *plan,
                                int64_t permutations, const scs_result_rows *all)
{
    scs_ranking ranking = {.atlas = session->atlas,
                           .plan = plan,
                           .delta_norm = all->delta_norm,
                           .confidence = all->confidence,
                           .score = all->score,
                           .by = session->config->screen.rank_by,
                           .permutations = permutations};
    int64_t *order = NULL, n = plan->n < ROWS_PRINTED ? plan->n : ROWS_PRINTED;
    ranked r = {.ranking = &ranking};
    char path[4096];
    scs_status st;

    SCS_TRY(scs_session_path(session, "ranking.tsv", path, sizeof path));
    if (ranking.by == SCS_RANK_NONE)
        return remove_older_ranking(session, path);
    SCS_GO(st, SCS_ALLOC(order, plan->n));
    SCS_GO(st, scs_ranking_order(&ranking, order));
    r.order = order;
    SCS_GO(st, scs_file_write(path, write_all, &r));
    scs_session_say(session, "wrote %s", path);
    printf("\nThe first %lld of %lld combinations:\n", (long long)n, (long long)plan->n);
    scs_ranking_print(&ranking, order, n, stdout);
done:
    free(order);
    return st;
}

/* ---- The writer: one block under way at most ---- */

/* Before calls to MPI or HDF5 while the writer may be open; writer_end_turn afterwards. Local.
 *  @param wait false: only if nothing is being written
 *  @return whether it may be called */
static bool writer_take_turn(scs_screen_writer *writer, bool wait)
{
    if (!writer->store)
        return true;
    return (wait ? pthread_mutex_lock(&writer->turn) : pthread_mutex_trylock(&writer->turn)) == 0;
}

/* After writer_take_turn that gave it. */
static void writer_end_turn(scs_screen_writer *writer)
{
    if (writer->store)
        (void)pthread_mutex_unlock(&writer->turn);
}

/* On the writer's thread, or the caller's. @return SCS_OK, or the block's failure with its message
 * on this thread */
static scs_status write_block(scs_screen_writer *w, int64_t block, const scs_result_rows *rows)
{
    double begun = scs_clock(), seconds;
    scs_status st;

    (void)writer_take_turn(w, true);
    st = scs_store_put(w->store, block, rows);
    writer_end_turn(w);
    seconds = scs_clock() - begun;
    (void)pthread_mutex_lock(&w->lock);
    w->longest = seconds > w->longest ? seconds : w->longest;
    (void)pthread_mutex_unlock(&w->lock);
    return st;
}

/* The thread: after a failure blocks are taken and dropped, until the caller has seen it. */
static void *write_blocks(void *arg)
{
    scs_screen_writer *w = arg;

    (void)pthread_mutex_lock(&w->lock);
    for (;;) {
        scs_status st = SCS_OK;

        while (!w->rows && !w->over)
            (void)pthread_cond_wait(&w->change, &w->lock);
        if (!w->rows)
            break;
        if (w->failed.status == SCS_OK) {
            (void)pthread_mutex_unlock(&w->lock);
            st = write_block(w, w->block, w->rows);
            (void)pthread_mutex_lock(&w->lock);
        }
        scs_parallel_error_note(&w->failed, 0, st);
        w->rows = NULL;
        (void)pthread_cond_broadcast(&w->change);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* Local. Never fails: without a thread blocks are written at once, which costs time only. */
static void writer_open(scs_screen_store *store, scs_screen_writer *writer)
{
    int level = MPI_THREAD_SINGLE;

    *writer = (scs_screen_writer){.store = store};
    (void)pthread_mutex_init(&writer->turn, NULL);
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_cond_init(&writer->change, NULL);
    writer->threaded = MPI_Query_thread(&level) == MPI_SUCCESS && level >= MPI_THREAD_SERIALIZED &&
                       pthread_create(&writer->thread, NULL, write_blocks, writer) == 0;
}

/* Until the block that is being written is there. The lock is held afterwards, also after a
 * failure. */
static scs_status wait_locked(scs_screen_writer *w)
{
    (void)pthread_mutex_lock(&w->lock);
    while (w->rows)
        (void)pthread_cond_wait(&w->change, &w->lock);
    return scs_parallel_error_raise(&w->failed);
}

/* Hand a block to the thread once the one before is written: so at most one is under way, and two
 * sets of rows are enough. Local.
 *  @param rows stay as they are until the next call
 *  @return that block's status, or an earlier one's */
static scs_status writer_put(scs_screen_writer *writer, int64_t block, const scs_result_rows *rows)
{
    scs_status st;

    if (!writer->threaded)
        return write_block(writer, block, rows);
    st = wait_locked(writer);
    if (st == SCS_OK) {
        writer->block = block;
        writer->rows = rows;
        (void)pthread_cond_broadcast(&writer->change);
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return st;
}

/* Until all is written, and the thread has ended. Local. @return the first failing block's status
 */
static scs_status writer_close(scs_screen_writer *writer)
{
    scs_status st = SCS_OK;

    if (writer->threaded) {
        st = wait_locked(writer);
        writer->over = true;
        (void)pthread_cond_broadcast(&writer->change);
        (void)pthread_mutex_unlock(&writer->lock);
        (void)pthread_join(writer->thread, NULL);
    }
    (void)pthread_cond_destroy(&writer->change);
    (void)pthread_mutex_destroy(&writer->lock);
    (void)pthread_mutex_destroy(&writer->turn);
    writer->store = NULL;
    return st;
}

/* Seconds that the longest block so far took to write. Local. */
static double writer_longest(scs_screen_writer *writer)
{
    double seconds;

    (void)pthread_mutex_lock(&writer->lock);
    seconds = writer->longest;
    (void)pthread_mutex_unlock(&writer->lock);
    return seconds;
}

/* ---- Blocks: order, stop, work ---- */

/* In the line about idle ranks. */
enum { RANKS_NAMED = 16 };

static const double check_every =
    .2; /* seconds between looks at whether another rank has stopped the queue */

typedef struct block_cost {
    int64_t block;
    double cost;
} block_cost;

/* Ties by number, so that the order is one. */
static int expensive_first(const void *a, const void *b)
{
    const block_cost *x = a, *y = b;

    if (x->cost != y->cost)
        return x->cost > y->cost ? -1 : 1;
    return (x->block > y->block) - (x->block < y->block);
}

/* Blocks that are not done, by falling cost: an expensive block at the end would leave the other
 * ranks waiting. Alike on all ranks. */
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
    qsort(all, (size_t)w->n_order, sizeof *all, expensive_first);
    w->order = scs_allocate(w->n_order, sizeof *w->order);
    for (int64_t i = 0; w->order && i < w->n_order; i++)
        w->order[i] = all[i].block;
    free(all);
    SCS_REQUIRE(w->order, SCS_ENOMEM, "out of memory for %lld blocks", (long long)w->n_order);
    return SCS_OK;
}

/* What the screen holds, in the order in which it comes to be. */
typedef struct screening {
    scs_method method;
    scs_plan *plan;
    scs_real **control_z; /* [n_group] cells of controls, and of what this rank permutes */
    scs_permutations permutations;
    scs_gene_sets *sets; /* or NULL */
    scs_gene_maps *maps; /* on rank 0 */
    scs_provenance *provenance;
    scs_result_head head;
    scs_screen_store store;
    scs_screen_work work;
    double *p, *q;           /* [plan->n] on rank 0, or NULL */
    scs_result_rows numbers; /* delta_norm, confidence, score of all rows, on rank 0 if asked for */
} screening;

/* Seconds until what is begun is written, by the longest of each so far. */
static double time_to_end(scs_screen_work *w)
{
    return w->longest + (w->writer.store ? writer_longest(&w->writer) : 0);
}

/* Tell all ranks: they see it when they take or look. */
static scs_status stop_all(scs_screen_work *w)
{
    scs_status st;

    w->stopped = true;
    (void)writer_take_turn(&w->writer, true);
    st = scs_queue_stop(&w->queue, SCS_QUEUE_STOPPED);
    writer_end_turn(&w->writer);
    return st;
}

/* Whether to end: this rank is asked to, or another was (from then on the queue is empty). Cheap,
 * called often: the counter is looked at five times a second at most, and never while the writer
 * has its turn. Local. @param work a scs_screen_work */
static bool work_is_over(void *work)
{
    scs_screen_work *w = work;
    double t = scs_clock();
    int64_t next = 0;

    if (w->stopped)
        return true;
    snprintf(w->reason, sizeof w->reason, "%s",
             scs_stop_request_reason(&w->stop, 2 * time_to_end(w)));
    if (w->reason[0])
        return stop_all(w) != SCS_OK || w->stopped;
    if (t - w->checked < check_every || !writer_take_turn(&w->writer, false))
        return false;
    w->checked = t;
    w->stopped = scs_queue_look(&w->queue, &next) != SCS_OK || next >= SCS_QUEUE_STOPPED;
    writer_end_turn(&w->writer);
    return w->stopped;
}

/* Rank 0 lets the others' requests through while it computes: between rows, from its first thread.
 * Local. */
static void serve(void *ctx)
{
    scs_screen_work *w = ctx;

    if (!scs_session_leads(w->session) || scs_comm_size(w->session->comm) == 1 ||
        !writer_take_turn(&w->writer, false))
        return;
    if (scs_queue_serve(&w->queue) != SCS_OK)
        w->stopped = true; /* the next call of the queue says why */
    writer_end_turn(&w->writer);
}

/* Until the last block is written. @return the first failure of the two, with its message */
static scs_status finish_writing(scs_screen_work *w, scs_status status)
{
    char first[SCS_MESSAGE_MAX];
    double begun = scs_clock();
    scs_status st;

    snprintf(first, sizeof first, "%s", scs_message());
    st = writer_close(&w->writer);
    w->waited += scs_clock() - begun;
    if (status == SCS_OK)
        return st;
    scs_message_set(first);
    return status;
}

/* The next number of the queue, in turn with the writer. */
static scs_status take_next(scs_screen_work *w, int64_t *next)
{
    scs_status st;

    (void)writer_take_turn(&w->writer, true);
    st = scs_queue_take(&w->queue, next);
    writer_end_turn(&w->writer);
    return st;
}

/* Make a block and hand it to the writer, waiting for the block before. */
static scs_status do_block(scs_screen_work *w, scs_row_block *at, scs_result_rows *rows,
                           int64_t block)
{
    const scs_screen_store *s = w->store;
    int64_t first = block * s->block_rows, left = at->job->plan->n - first;
    double begun = scs_clock(), made;

    rows->first = first;
    rows->n = left < s->block_rows ? left : s->block_rows;
    SCS_TRY(scs_row_make_all(at, rows));
    made = scs_clock();
    w->longest = made - begun > w->longest ? made - begun : w->longest;
    SCS_TRY(writer_put(&w->writer, block, rows));
    w->waited += scs_clock() - made;
    return SCS_OK;
}

/* Until the queue is empty or the work is over. @param rows [2] filled in turn: one is written
 * while the other is made */
static scs_status do_blocks(scs_screen_work *w, scs_row_block *at, scs_result_rows *rows)
{
    for (int turn = 0; !work_is_over(w); turn = !turn) {
        int64_t next;

        SCS_TRY(take_next(w, &next));
        if (next >= w->n_order) {
            w->stopped = next >= SCS_QUEUE_STOPPED;
            return SCS_OK;
        }
        SCS_TRY(do_block(w, at, &rows[turn], w->order[next]));
    }
    return SCS_OK;
}

/* This rank has failed: the others shall not go on. The first failure's message stays. Local. */
static void work_abandon(scs_screen_work *work)
{
    char first[SCS_MESSAGE_MAX];

    snprintf(first, sizeof first, "%s", scs_message());
    if (stop_all(work) != SCS_OK)
        scs_message_set(first); /* the one to report */
}

/* Fill and write blocks until none is left or the work is over. A failure stops the others. Local.
 * @param job without `idle` */
static scs_status work_blocks(scs_screen_work *work, const scs_row_job *job)
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
        st = scs_row_results_alloc(&own, &rows[i]);
    if (st == SCS_OK) {
        writer_open(work->store, &work->writer);
        st = finish_writing(work, do_blocks(work, &block, rows));
    }
    if (st != SCS_OK)
        work_abandon(work);
    for (int i = 0; i < 2; i++)
        scs_row_results_clear(&rows[i]);
    scs_row_block_clear(&block);
    return st;
}

/* All that rows are made from. Borrowed from both. */
static scs_row_job row_job(const scs_session *s, const screening *w)
{
    return (scs_row_job){.session = s,
                         .method = &w->method,
                         .plan = w->plan,
                         .control_z = w->control_z,
                         .top_genes = w->head.top_genes,
                         .bootstrap = s->config->screen.bootstrap,
                         .errors = w->head.errors,
                         .gene_sets = w->sets};
}

/* What this rank does without the others: first its units of permutations, then blocks. Local. */
static scs_status work(const scs_session *s, screening *w)
{
    scs_row_job job = row_job(s, w);
    double begun = scs_clock();
    scs_status status;

    status = scs_screen_permute_run(&w->permutations, w->control_z, w->store.map, work_is_over,
                                    &w->work);
    if (status == SCS_OK)
        status = work_blocks(&w->work, &job);
    else
        work_abandon(&w->work);
    w->work.busy = scs_clock() - begun;
    return status;
}

/* The queue, and the order of the blocks. Close it even after a failure. Collective. */
static scs_status work_open(const scs_session *session, const scs_plan *plan,
                            scs_screen_store *store, scs_screen_work *work)
{
    scs_status st;

    *work = (scs_screen_work){.session = session, .store = store, .begun = scs_clock()};
    SCS_TRY(scs_queue_open(session->comm, &work->queue));
    st = scs_stop_request_open(session, &work->stop);
    if (st == SCS_OK)
        st = order_blocks(work, plan);
    return scs_comm_agree(session->comm, st);
}

/* Collective: the window of the queue is freed. */
static void work_close(scs_screen_work *work)
{
    if (!work->session)
        return;
    scs_queue_close(&work->queue);
    free(work->order);
    *work = (scs_screen_work){0};
}

/* A number for each rank; of many ranks mean and largest. @param idle [n_rank] in % */
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

/* What the ranks did, in one line on stderr. Collective. */
static scs_status report(const scs_screen_work *w, int64_t n_row)
{
    scs_comm *comm = w->session->comm;
    double seconds = w->ended - w->begun, memory = 0, most, waited = w->waited;
    double mine = seconds > 0 ? 100 * (1 - w->busy / seconds) : 0, *idle;
    char text[256];

    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(idle, scs_comm_size(comm))));
    SCS_MPI(MPI_Gather(&mine, 1, MPI_DOUBLE, idle, 1, MPI_DOUBLE, 0, scs_comm_mpi(comm)));
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, &waited, 1, MPI_DOUBLE, MPI_SUM, scs_comm_mpi(comm)));
    SCS_TRY(scs_comm_peak_memory(comm, &memory, &most));
    list_idle(idle, scs_comm_size(comm), text, sizeof text);
    scs_session_say(w->session,
                    "screened %lld combinations in %.1f s (%.0f a second); idle share of the ranks "
                    "in %%:%s; waiting for writes %.1f %%; peak memory of all ranks %.0f MiB",
                    (long long)n_row, seconds, seconds > 0 ? (double)n_row / seconds : 0, text,
                    seconds > 0 ? 100 * waited / seconds / scs_comm_size(comm) : 0, memory);
    free(idle);
    return SCS_OK;
}

/* After all ranks' work: reports, or SCS_ESTOP where something is left to do. A block counts as
 * done where some rank has its sum. Collective. @param n_unit_left this rank's units of
 * permutations that are not done */
static scs_status work_end(scs_screen_work *work, int64_t n_unit_left)
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
    scs_stop_request_done(&work->stop);
    return SCS_FAIL(SCS_ESTOP,
                    "by %s with %lld of %lld blocks of %lld combinations done; the same command "
                    "goes on from %s",
                    work->reason[0] ? work->reason : "a signal to another rank",
                    (long long)(s->n_block - left[1]), (long long)s->n_block,
                    (long long)s->block_rows, work->session->config->output.dir);
}

/* ---- The steps of a screen ---- */

/* The rows that the config asks for. Costs of rows need the network's shape. Local, alike on all
 * ranks. @param groups the atlas, or one that has only the groups yet */
static scs_status select_rows(const scs_session *s, const scs_atlas *groups, scs_plan **plan)
{
    scs_arch plain = {.n_gene = groups->n_gene, .n_hidden = 1, .n_layer = 1, .n_latent = 1};

    return scs_plan_create(s->config, groups, s->model ? &s->model->arch : &plain, plan);
}

/* @param[out] sets NULL where the config names none */
static scs_status read_sets(const scs_session *s, scs_gene_sets **sets)
{
    const char *path = s->config->screen.gene_sets;

    *sets = NULL;
    return *path ? scs_gene_sets_read(path, &s->dataset->genes, sets) : SCS_OK;
}

/* What of the sets is not among the genes: a set of other names scores nothing, which is said also
 * with --quiet. */
static void report_sets(const scs_session *s, const scs_gene_sets *sets)
{
    int64_t empty = 0;
    char first[120];

    for (int32_t k = 0; k < sets->name.n; k++)
        if (sets->first[k + 1] == sets->first[k] && empty++ == 0)
            scs_text_escape(sets->name.name[k], first, sizeof first);
    scs_session_say(s, "%s: %d gene set%s, %lld of their genes are in the data",
                    s->config->screen.gene_sets, sets->name.n, sets->name.n == 1 ? "" : "s",
                    (long long)sets->first[sets->name.n]);
    if (empty && scs_session_leads(s))
        fprintf(stderr,
                "scscreen: warning: %s: %lld of %d gene sets (first: %s) have no gene in the data "
                "and get no scores (NaN)\n",
                s->config->screen.gene_sets, (long long)empty, sets->name.n, first);
}

/* On groups alone: there is no atlas before training. Every rank checks, and all agree on the
 * lowest rank's message. */
scs_status scs_screen_run_check(const scs_session *session)
{
    scs_atlas *groups = NULL;
    scs_plan *plan = NULL;
    scs_gene_sets *sets = NULL;
    double *likeness = NULL;
    int32_t n_unseen;
    scs_status status = scs_atlas_create(session->dataset, 1, &groups);

    if (status == SCS_OK)
        status = scs_plan_restrict(session->config, groups);
    if (status == SCS_OK)
        status = scs_screen_features_add(session, groups, &n_unseen);
    if (status == SCS_OK)
        status = scs_screen_features_distance(session, groups, &likeness);
    if (status == SCS_OK)
        status = select_rows(session, groups, &plan);
    if (status == SCS_OK)
        status = read_sets(session, &sets);
    if (sets)
        report_sets(session, sets);
    free(likeness);
    scs_gene_sets_destroy(&sets);
    scs_plan_destroy(&plan);
    scs_atlas_destroy(&groups);
    return scs_comm_agree(session->comm, status);
}

/* "N of M rows have no prediction, because ...", a line for each reason.
 *  @param like what no cell shows may be predicted from like perturbations */
static void print_reasons(const scs_plan *plan, bool like)
{
    char reason[400];
    int64_t self = 0, unseen = 0;

    for (int64_t i = 0; i < plan->n; i++)
        unseen += like && plan->item[i].status == SCS_ROW_NO_SOURCE;
    if (unseen)
        printf(
            "%lld of %lld rows are of perturbations that no cell outside hold_out shows: predicted "
            "from like ones if screen.perturbation_features tells of the responses, which the "
            "screen finds out\n",
            (long long)unseen, (long long)plan->n);
    for (scs_lidx k = 0; k < plan->reasons.n; k++) {
        int64_t n = 0;

        for (int64_t i = 0; i < plan->n; i++)
            n += plan->item[i].reason == k && plan->item[i].status != SCS_ROW_OK &&
                 !(like && plan->item[i].status == SCS_ROW_NO_SOURCE);
        if (n)
            printf("%lld of %lld rows have no prediction, because %s\n", (long long)n,
                   (long long)plan->n,
                   scs_text_escape(plan->reasons.name[k], reason, sizeof reason));
    }
    for (int64_t i = 0; i < plan->n; i++)
        self += plan->item[i].status == SCS_ROW_OK && plan->item[i].kind == SCS_SOURCE_SELF;
    if (self)
        printf("%lld of %lld rows are predicted from their own cells alone, because no other group "
               "shows the perturbation\n",
               (long long)self, (long long)plan->n);
}

/* Local, alike on all ranks. Whether a row has a source does not depend on the rule that weighs
 * them, nor on closeness; so the plainest rule is asked. */
static scs_status foresee(const scs_session *s)
{
    scs_method method = scs_shift_method_from_config(s->config);
    scs_atlas *groups = NULL;
    scs_plan *plan = NULL;
    int32_t n_unseen;
    scs_status status;

    method.shift = SCS_SHIFT_PAIRED;
    SCS_GO(status, scs_atlas_create(s->dataset, 1, &groups));
    SCS_GO(status, scs_plan_restrict(s->config, groups));
    SCS_GO(status, scs_screen_features_add(s, groups, &n_unseen));
    SCS_GO(status, select_rows(s, groups, &plan));
    SCS_GO(status, scs_plan_resolve(groups, &method, plan));
    if (scs_session_leads(s)) {
        printf("%lld rows to predict\n", (long long)plan->n);
        print_reasons(plan, *s->config->screen.perturbation_features != '\0');
    }
done:
    scs_plan_destroy(&plan);
    scs_atlas_destroy(&groups);
    return status;
}

scs_status scs_screen_run_foresee(const scs_session *session)
{
    return scs_comm_agree(session->comm, foresee(session));
}

/* What made the result, on rank 0, which writes it. */
static scs_status add_provenance(const scs_session *s, screening *w)
{
    SCS_TRY(scs_provenance_create(s, &w->method, w->plan, w->permutations.n, &w->provenance));
    return scs_genes_maps_create(s->config, s->dataset, (const scs_h5ad *const *)s->meta, &w->maps);
}

/* Every rank resolves the whole plan: O(rows), and nothing is sent. Local, alike on all ranks. */
static scs_status make_plan(const scs_session *s, screening *w)
{
    SCS_TRY(read_sets(s, &w->sets));
    SCS_TRY(select_rows(s, s->atlas, &w->plan));
    SCS_TRY(scs_plan_resolve(s->atlas, &w->method, w->plan));
    SCS_TRY(SCS_ALLOC(w->control_z, s->atlas->n_group));
    return scs_screen_permute_create(s, &w->method, w->plan, &w->permutations);
}

/* Latent cells of the controls that rows start from reach every rank: any rank may get any row.
 * Cells for permutations go to the ranks that have those units. Collective. */
static scs_status send_cells(const scs_session *s, const screening *w)
{
    int32_t n_rank = scs_comm_size(s->comm);
    int64_t n_group = s->atlas->n_group;
    uint8_t *needed;
    scs_status status;

    if (!scs_session_model_has_latent(s))
        return scs_collective_ok();
    SCS_TRY(scs_comm_agree(s->comm, SCS_ALLOC(needed, n_rank * n_group)));
    scs_screen_permute_need(&w->permutations, needed);
    for (int64_t i = 0; i < w->plan->n; i++)
        for (int32_t r = 0; r < n_rank && w->plan->item[i].status == SCS_ROW_OK; r++)
            needed[r * n_group + w->plan->item[i].control_group] = 1;
    status = scs_redistribute_groups(s->comm, s->dataset, s->atlas, needed, s->shard, &s->team,
                                     s->z, w->control_z);
    free(needed);
    return status;
}

/* Which fields the file has; it and all that it borrows stay until the store is closed. Local. */
static void make_head(const scs_session *s, screening *w)
{
    w->head = (scs_result_head){.atlas = s->atlas,
                                .plan = w->plan,
                                .dense = s->config->output.rows == SCS_ROWS_DENSE,
                                .variance = w->method.variance,
                                .errors = s->config->screen.bootstrap > 0 ||
                                          scs_shift_rule_knows_error(&w->method),
                                .tests = s->config->screen.de,
                                .bootstrap = s->config->screen.bootstrap > 0,
                                .top_genes = s->config->output.top_genes,
                                .permutations = w->permutations.n > 0,
                                .gene_sets = w->sets,
                                .gene_maps = w->maps};
    if (w->provenance) {
        w->head.fact = w->provenance->fact;
        w->head.n_fact = w->provenance->n;
    }
}

/* Collective. */
static scs_status open_store(const scs_session *s, screening *w)
{
    SCS_TRY(scs_comm_agree(s->comm, scs_session_leads(s) ? add_provenance(s, w) : SCS_OK));
    make_head(s, w);
    SCS_TRY(
        scs_store_open(s, &w->head, w->permutations.unit_first, w->permutations.n_unit, &w->store));
    if (w->store.resumed)
        scs_session_say(s, "going on from %s: %lld of %lld blocks are done and compared",
                        w->store.part, (long long)w->store.n_done, (long long)w->store.n_block);
    return work_open(s, w->plan, &w->store, &w->work);
}

/* SIGTERM and SIGINT ask for a stop only while there is something to stop. Collective. */
static scs_status do_work(const scs_session *s, screening *w)
{
    scs_status status;

    scs_stop_signals_catch();
    status = scs_comm_agree(s->comm, work(s, w));
    scs_stop_signals_release();
    SCS_TRY(status);
    return work_end(&w->work, w->permutations.n_left);
}

/* Late fields: all rows at once, by rank 0. Collective. */
static scs_status put_p_values(const scs_session *s, screening *w)
{
    scs_status status = SCS_OK;

    if (w->permutations.n == 0)
        return scs_collective_ok();
    if (scs_session_leads(s)) {
        status = SCS_ALLOC(w->p, w->plan->n);
        if (status == SCS_OK)
            status = SCS_ALLOC(w->q, w->plan->n);
    }
    SCS_TRY(scs_comm_agree(s->comm, status));
    SCS_TRY(scs_screen_permute_finish(&w->permutations, w->p, w->q));
    if (scs_session_leads(s)) {
        status = scs_store_file_put_column(w->store.file, "obs/p_value", w->p);
        if (status == SCS_OK)
            status = scs_store_file_put_column(w->store.file, "obs/q_value", w->q);
    }
    return scs_comm_agree(s->comm, status);
}

/* Hook of scs_screen_late. */
static scs_status put_late(void *ctx, const scs_result_rows *rows)
{
    return scs_store_file_put_late(ctx, rows);
}

/* A job that is stopped here makes all of them anew. Collective. */
static scs_status put_tests(const scs_session *s, screening *w, scs_screen_tests tests)
{
    const scs_screen_late late = {.method = &w->method,
                                  .plan = w->plan,
                                  .control_z = w->control_z,
                                  .put = put_late,
                                  .ctx = w->store.file};

    return tests ? tests(s, &late) : scs_collective_ok();
}

/* Whether any row has an observed group, so that there is something to compare. */
static bool is_observed(const scs_plan *plan)
{
    for (int64_t i = 0; i < plan->n; i++)
        if (plan->item[i].observed_group >= 0)
            return true;
    return false;
}

/* Room on rank 0 for what the tables show; a number that the file does not hold stays NaN. */
static scs_status reserve_numbers(const scs_session *s, screening *w)
{
    if (!scs_session_leads(s) ||
        (s->config->screen.rank_by == SCS_RANK_NONE && !is_observed(w->plan)))
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(w->numbers.delta_norm, w->plan->n));
    SCS_TRY(SCS_ALLOC(w->numbers.confidence, w->plan->n));
    SCS_TRY(SCS_ALLOC(w->numbers.score, w->plan->n));
    for (int64_t i = 0; i < w->plan->n; i++) {
        w->numbers.confidence[i] = scs_confidence_none();
        w->numbers.score[i] = scs_score_none();
    }
    w->numbers.n = w->plan->n;
    return SCS_OK;
}

/* Held-out rows where there are any; else those that were observed. On stdout. */
static void print_table(const scs_session *s, const screening *w)
{
    bool held_out = false;

    for (int64_t i = 0; i < w->plan->n; i++)
        held_out |= w->plan->item[i].held_out && w->plan->item[i].observed_group >= 0;
    scs_ranking_table(stdout, s->atlas, w->plan, w->numbers.score, held_out);
    fflush(stdout);
}

/* On stdout. Rank 0. */
static scs_status print_tables(const scs_session *s, const screening *w)
{
    if (w->numbers.n && is_observed(w->plan))
        print_table(s, w);
    return write_ranking(s, w->plan, w->permutations.n, &w->numbers);
}

/* Whatever is there, from any step on. @return `status`, or else how closing went. Collective
 * where the store is open. */
static scs_status clear(const scs_session *s, screening *w, scs_status status)
{
    scs_status closed;

    work_close(&w->work);
    closed = scs_store_close(&w->store);
    for (int32_t g = 0; w->control_z && g < s->atlas->n_group; g++)
        free(w->control_z[g]);
    free(w->control_z);
    free(w->numbers.delta_norm);
    free(w->numbers.confidence);
    free(w->numbers.score);
    free(w->p);
    free(w->q);
    scs_screen_permute_clear(&w->permutations);
    scs_provenance_destroy(&w->provenance);
    scs_gene_sets_destroy(&w->sets);
    scs_genes_maps_destroy(&w->maps);
    scs_plan_destroy(&w->plan);
    return status != SCS_OK ? status : closed;
}

/* How rows are made, and which. Collective. */
static scs_status prepare(scs_session *s, screening *w)
{
    SCS_TRY(scs_screen_features_open(s));
    SCS_TRY(scs_screen_method(s, s->config->screen.decode, &w->method));
    return scs_comm_agree(s->comm, make_plan(s, w));
}

/* In the order of struct screening. Collective. */
static scs_status screen(scs_session *s, screening *w, scs_screen_tests tests)
{
    SCS_TRY(prepare(s, w));
    scs_session_say(s, "screening %lld combination%s", (long long)w->plan->n,
                    w->plan->n > 1 ? "s" : "");
    if (!s->model_stored) { /* else it was said before training */
        scs_stop_say_how(s);
        if (w->sets)
            report_sets(s, w->sets);
    }
    SCS_TRY(send_cells(s, w));
    SCS_TRY(open_store(s, w));
    SCS_TRY(do_work(s, w));
    SCS_TRY(put_p_values(s, w));
    SCS_TRY(put_tests(s, w, tests));
    SCS_TRY(scs_comm_agree(s->comm, reserve_numbers(s, w)));
    SCS_TRY(scs_store_commit(&w->store, w->numbers.n ? &w->numbers : NULL));
    scs_session_say(s, "wrote %s", w->store.path);
    return scs_comm_agree(s->comm, scs_session_leads(s) ? print_tables(s, w) : SCS_OK);
}

/* Closing is part of the outcome: a close that fails may have lost rows. */
scs_status scs_screen_run(scs_session *session, scs_screen_tests tests)
{
    screening w = {0};

    return scs_comm_agree(session->comm, clear(session, &w, screen(session, &w, tests)));
}

/* ---- A trial: what a screen takes ---- */

/* Of permutations, and again of rows. */
static const double trial_seconds = 1;

/* @param until on the clock */
static bool trial_is_over(void *until)
{
    return scs_clock() > *(const double *)until;
}

/* Of rows that can be predicted; the others are made in no time. */
static double cost_of_rows(const scs_plan *plan, int64_t first, int64_t n)
{
    double cost = 0;

    for (int64_t i = first; i < first + n; i++)
        cost += plan->item[i].status == SCS_ROW_OK ? plan->item[i].cost : 0;
    return cost;
}

/* Blocks of one row a thread, then of twice as many, up to those of a screen, from this rank's own
 * place in the plan: what counts is the last block, where what is made once is ready and products
 * have their size. Local. @param[out] done [2] its seconds and its cost */
static scs_status try_rows(const scs_row_job *job, int64_t most, double *done)
{
    const scs_plan *plan = job->plan;
    const scs_comm *comm = job->session->comm;
    scs_result_rows rows = {.n = most};
    scs_row_block block = {0};
    double until = scs_clock() + trial_seconds;
    int64_t n = omp_get_max_threads(), at = plan->n * scs_comm_rank(comm) / scs_comm_size(comm);
    scs_status st;

    SCS_GO(st, scs_row_block_make(job, most, &block));
    SCS_GO(st, scs_row_results_alloc(job, &rows));
    while (at < plan->n && !trial_is_over(&until)) {
        double begun = scs_clock(), cost;

        n = n < most ? n : most;
        rows.first = at;
        rows.n = n < plan->n - at ? n : plan->n - at;
        SCS_GO(st, scs_row_make_all(&block, &rows));
        cost = cost_of_rows(plan, at, rows.n);
        if (cost > 0) {
            done[0] = scs_clock() - begun;
            done[1] = cost;
        }
        at += rows.n;
        n *= 2;
    }
done:
    rows.n = most;
    scs_row_results_clear(&rows);
    scs_row_block_clear(&block);
    return st;
}

/* @param[out] part [3] seconds of this rank's permutations in full; seconds and cost of rows */
static scs_status try_work(const scs_session *s, screening *w, double *part)
{
    scs_row_job job = row_job(s, w);
    double begun = scs_clock(), until = begun + trial_seconds, share;

    SCS_TRY(scs_screen_permute_run(&w->permutations, w->control_z, NULL, trial_is_over, &until));
    share = scs_screen_permute_share(&w->permutations);
    part[0] = share > 0 ? (scs_clock() - begun) / share : 0;
    return try_rows(&job, scs_result_fields_block_rows(&w->head), part + 1);
}

/* Ranks that had no row to try, or only ones without a prediction, add nothing to the two sums.
 * Collective. */
static scs_status try_screen(scs_session *s, screening *w, scs_screen_cost *cost)
{
    double begun = scs_clock(), part[3] = {0, 0, 0};
    int n_rank = scs_comm_size(s->comm);

    SCS_TRY(prepare(s, w));
    make_head(s, w);
    SCS_TRY(send_cells(s, w));
    cost->before = scs_clock() - begun;
    SCS_TRY(scs_comm_agree(s->comm, try_work(s, w, part)));
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, part, 3, MPI_DOUBLE, MPI_SUM, scs_comm_mpi(s->comm)));
    cost->permutations = part[0] / n_rank;
    cost->rows =
        part[2] > 0 ? cost_of_rows(w->plan, 0, w->plan->n) * part[1] / part[2] / n_rank : 0;
    return scs_collective_ok();
}

/* Nothing of it is kept, and no file is opened. */
scs_status scs_screen_run_try(scs_session *session, scs_screen_cost *cost)
{
    screening w = {0};

    *cost = (scs_screen_cost){0};
    return scs_comm_agree(session->comm, clear(session, &w, try_screen(session, &w, cost)));
}
