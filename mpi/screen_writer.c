#include "mpi/screen_writer.h"

#include "mpi/comm_state.h"
#include "src/clock.h"

/* @return SCS_OK, or the block's failure with its message on this thread */
static scs_status write_block(scs_screen_writer *w, int64_t block, const scs_result_rows *rows)
{
    double begun = scs_clock(), seconds;
    scs_status st;

    (void)scs_writer_take_turn(w, true);
    st = scs_store_put(w->store, block, rows);
    scs_writer_end_turn(w);
    seconds = scs_clock() - begun;
    (void)pthread_mutex_lock(&w->lock);
    w->longest = seconds > w->longest ? seconds : w->longest;
    (void)pthread_mutex_unlock(&w->lock);
    return st;
}

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
        scs_failure_note(&w->failed, 0, st);
        w->rows = NULL;
        (void)pthread_cond_broadcast(&w->change);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

void scs_writer_open(scs_screen_store *store, scs_screen_writer *writer)
{
    int level = MPI_THREAD_SINGLE;

    *writer = (scs_screen_writer){.store = store};
    (void)pthread_mutex_init(&writer->turn, NULL);
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_cond_init(&writer->change, NULL);
    writer->threaded = MPI_Query_thread(&level) == MPI_SUCCESS && level >= MPI_THREAD_SERIALIZED &&
                       pthread_create(&writer->thread, NULL, write_blocks, writer) == 0;
}

/* Until the block that is being written is there. The lock is held afterwards. */
static scs_status wait_locked(scs_screen_writer *w)
{
    (void)pthread_mutex_lock(&w->lock);
    while (w->rows)
        (void)pthread_cond_wait(&w->change, &w->lock);
    return scs_failure_raise(&w->failed);
}

scs_status scs_writer_put(scs_screen_writer *writer, int64_t block, const scs_result_rows *rows)
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

scs_status scs_writer_close(scs_screen_writer *writer)
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

double scs_writer_longest(scs_screen_writer *writer)
{
    double seconds;

    (void)pthread_mutex_lock(&writer->lock);
    seconds = writer->longest;
    (void)pthread_mutex_unlock(&writer->lock);
    return seconds;
}

bool scs_writer_take_turn(scs_screen_writer *writer, bool wait)
{
    if (!writer->store)
        return true;
    return (wait ? pthread_mutex_lock(&writer->turn) : pthread_mutex_trylock(&writer->turn)) == 0;
}

void scs_writer_end_turn(scs_screen_writer *writer)
{
    if (writer->store)
        (void)pthread_mutex_unlock(&writer->turn);
}
