#include "mpi/screen_store.h"

#include "mpi/comm_state.h"
#include "mpi/screen_resume.h"
#include "mpi/watchdog.h"
#include "src/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static scs_status name_files(const scs_session *session, scs_screen_store *s)
{
    SCS_TRY(scs_session_path(session, "screen.h5ad", s->path, sizeof s->path));
    snprintf(s->part, sizeof s->part, "%s.part", s->path);
    snprintf(s->done_path, sizeof s->done_path, "%s.done", s->path);
    return SCS_OK;
}

scs_status scs_store_remove(const scs_session *session)
{
    scs_screen_store s;

    SCS_TRY(name_files(session, &s));
    return scs_store_remove_files(&s);
}

static int64_t rows_of(const scs_screen_store *s, int64_t block)
{
    int64_t left = s->head->plan->n - block * s->block_rows;

    return left < s->block_rows ? left : s->block_rows;
}

/* What is noted as done and reads back as it was written; each rank looks at some blocks. */
static scs_status compare_old(scs_screen_store *s)
{
    int32_t rank = scs_comm_rank(s->session->comm), n_rank = scs_comm_size(s->session->comm);

    for (int64_t b = rank; b < s->n_block; b += n_rank) {
        uint64_t sum;

        if (s->sum[b] == 0)
            continue;
        SCS_TRY(scs_result_file_sum(s->file, b * s->block_rows, rows_of(s, b), &sum));
        s->done[b] = sum == s->sum[b];
    }
    return SCS_OK;
}

static scs_status find_done(scs_screen_store *s)
{
    scs_comm *comm = s->session->comm;
    int64_t step = 1 << 30;

    SCS_TRY(scs_agree(comm, scs_done_map_blocks(s->map, s->sum)));
    SCS_TRY(scs_agree(comm, compare_old(s)));
    for (int64_t b = 0; b < s->n_block; b += step)
        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, s->done + b,
                              (int)(s->n_block - b < step ? s->n_block - b : step), MPI_UINT8_T,
                              MPI_BOR, scs_comm_mpi(comm)));
    for (int64_t b = 0; b < s->n_block; b++)
        s->n_done += s->done[b];
    memset(s->sum, 0, (size_t)s->n_block * sizeof *s->sum);
    return SCS_OK;
}

static scs_status open_files(scs_screen_store *s, const int64_t *unit_first)
{
    scs_comm *comm = s->session->comm;

    SCS_TRY(scs_result_file_open(comm, s->part, s->head, &s->file));
    SCS_TRY(scs_agree(comm, scs_done_map_open(s->done_path, unit_first, &s->map)));
    return find_done(s);
}

static scs_status set_up(const scs_session *session, const scs_result_head *head,
                         scs_screen_store *s)
{
    *s = (scs_screen_store){.session = session, .head = head, .lock = -1, .fd = -1};
    s->block_rows = scs_result_block_rows(head);
    s->n_block = (head->plan->n + s->block_rows - 1) / s->block_rows;
    SCS_TRY(name_files(session, s));
    SCS_TRY(SCS_ALLOC(s->sum, s->n_block));
    return SCS_ALLOC(s->done, s->n_block);
}

scs_status scs_store_open(const scs_session *session, const scs_result_head *head,
                          const int64_t *unit_first, int64_t n_unit, scs_screen_store *store)
{
    scs_comm *comm = session->comm;
    uint8_t resumed;
    scs_status st;

    SCS_TRY(scs_agree(comm, set_up(session, head, store)));
    scs_watchdog_begin(comm, store->path);
    st = scs_agree(comm, scs_session_leads(session) ? scs_store_prepare(store, unit_first, n_unit)
                                                    : SCS_OK);
    resumed = store->resumed;
    if (st == SCS_OK)
        st = scs_broadcast(comm, &resumed, 1);
    store->resumed = resumed;
    scs_watchdog_step(comm, "opening");
    if (st == SCS_OK)
        st = open_files(store, unit_first);
    scs_watchdog_end(comm);
    return st;
}

scs_status scs_store_put(scs_screen_store *store, int64_t block, const scs_result_rows *rows)
{
    scs_comm *comm = store->session->comm;
    scs_status st;

    scs_watchdog_begin_alone(comm, store->path);
    st = scs_result_file_put(store->file, rows, &store->sum[block]);
    if (st == SCS_OK)
        st = scs_done_map_put_block(store->map, block, store->sum[block]);
    scs_watchdog_end(comm);
    return st;
}

/* ---- the end ---- */

static scs_status compare_block(const scs_screen_store *s, scs_result_file *alone, int64_t block)
{
    int64_t first = block * s->block_rows, n = rows_of(s, block);
    uint64_t sum;

    SCS_TRY(scs_result_file_sum(alone, first, n, &sum));
    SCS_REQUIRE(sum == s->sum[block], SCS_EIO,
                "%s does not read back as it was written (rows %lld to %lld); check the disk",
                s->part, (long long)first, (long long)(first + n - 1));
    return SCS_OK;
}

static scs_status compare_new(const scs_screen_store *s, scs_result_rows *numbers)
{
    scs_result_file *alone = NULL;
    scs_status st, closed;

    st = scs_result_file_open_alone(s->part, s->head, &alone);
    for (int64_t b = 0; b < s->n_block && st == SCS_OK; b++)
        if (s->sum[b]) {
            scs_watchdog_step(s->session->comm, "reading back");
            st = compare_block(s, alone, b);
        }
    if (st == SCS_OK && numbers)
        st = scs_result_file_numbers(alone, numbers);
    closed = scs_result_file_close(NULL, &alone);
    return st != SCS_OK ? st : closed;
}

/* Only what this job wrote into gets the name. */
static scs_status rename_part(const scs_screen_store *s)
{
    struct stat ours, there;

    SCS_REQUIRE(fstat(s->fd, &ours) == 0 && stat(s->part, &there) == 0 &&
                    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev,
                SCS_EIO, "%s: was removed or replaced by somebody else", s->part);
    SCS_TRY(scs_result_commit(s->part, s->path));
    return scs_file_remove(s->done_path);
}

scs_status scs_store_commit(scs_screen_store *s, scs_result_rows *numbers)
{
    scs_comm *comm = s->session->comm;
    scs_status st;

    scs_watchdog_begin(comm, s->path);
    scs_watchdog_step(comm, "flushing");
    st = scs_result_file_close(comm, &s->file);
    if (st == SCS_OK)
        st = scs_agree(comm, compare_new(s, numbers));
    scs_watchdog_step(comm, "renaming");
    if (st == SCS_OK)
        st = scs_agree(comm, scs_session_leads(s->session) ? rename_part(s) : SCS_OK);
    scs_watchdog_end(comm);
    return st;
}

scs_status scs_store_close(scs_screen_store *s)
{
    scs_status st = SCS_OK, closed;

    if (!s->session)
        return SCS_OK;
    if (s->file)
        st = scs_result_file_close(s->session->comm, &s->file);
    closed = scs_done_map_close(&s->map);
    free(s->sum);
    free(s->done);
    if (s->fd >= 0)
        (void)close(s->fd);
    if (s->lock >= 0)
        (void)close(s->lock);
    *s = (scs_screen_store){0};
    return st != SCS_OK ? st : closed;
}
