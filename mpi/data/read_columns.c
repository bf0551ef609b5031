/* Two walks over each rank's columns (read_columns.h, src/data/h5ad_csc.h).
 *
 * The first counts the values of every row. Counts go to the ranks that want the rows, which so
 * know where the values of each sender belong: the lower rank has the lower columns, and sends them
 * in order, so that every row's columns ascend and nothing is sorted.
 *
 * In the second walk values go to a buffer for each rank. Whenever one is full all ranks exchange
 * what they have: a round. A rank that is through its columns, or has failed, takes part until all
 * are; then the lowest failing rank's message, which is about the lowest columns, is that of all.
 */
#include "mpi/data/read_columns.h"

#include "src/base/collective.h"
#include "src/data/h5ad_csc.h"
#include "src/hdf5/h5read.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of the buffers for all ranks together, and of one at least. */
enum { STAGE = 1 << 20, LEAST_BUFFER = 16 << 10 };

/* Before some values of a column in a message: their rows follow, then the values. */
typedef struct column_header {
    int32_t column, n;
} column_header;

enum { VALUE_BYTES = sizeof(int32_t) + sizeof(float) };

/* Arrays are owned. */
typedef struct columns {
    scs_comm *comm;
    const scs_h5ad *meta;
    const int64_t *split;
    int32_t rank, n_rank;
    int64_t row0, n_row; /* this rank's rows of the file */
    scs_csr *x;          /* these */
    int32_t *count;      /* [rows of the file] values of this rank's columns */
    int32_t *counts;     /* [n_rank, n_row] of this rank's rows, by who has the columns */
    int64_t *at, *end;   /* [n_rank, n_row] where each one's values go on in x, and end */
    uint8_t *out, *in;   /* [n_rank, room] messages */
    int64_t room;        /* bytes of a message */
    int64_t *to, *from;  /* [n_rank] bytes of them */
    scs_status placed;   /* the first failure of placing what has come, with its message: */
    char why[SCS_MESSAGE_MAX];
    bool broken; /* a round has failed, on all ranks */
} columns;

/* ---- counting ---- */

static scs_status count_values(void *ctx, int32_t column, const int32_t *row, const float *value,
                               int64_t n, bool ascending)
{
    columns *c = ctx;

    (void)column, (void)value, (void)ascending;
    for (int64_t k = 0; k < n; k++)
        c->count[row[k]]++;
    return SCS_OK;
}

/* Each rank's counts of every rank's rows to that rank. Collective. */
static scs_status send_counts(columns *c)
{
    for (int32_t r = 0; r < c->n_rank; r++) {
        c->to[r] = (c->split[r + 1] - c->split[r]) * (int64_t)sizeof *c->count;
        c->from[r] = c->n_row * (int64_t)sizeof *c->counts;
    }
    return scs_comm_alltoallv(c->comm, c->count, c->to, c->counts, c->from);
}

/* Where each row begins, and within it each rank's values. Local. */
static scs_status make_places(columns *c)
{
    int64_t nnz = 0;

    for (int64_t k = 0; k < c->n_rank * c->n_row; k++)
        nnz += c->counts[k];
    SCS_TRY(scs_csr_alloc(c->n_row, c->meta->n_var, nnz, c->x));
    SCS_TRY(SCS_ALLOC(c->at, c->n_rank * c->n_row));
    SCS_TRY(SCS_ALLOC(c->end, c->n_rank * c->n_row));
    nnz = 0;
    for (int64_t i = 0; i < c->n_row; i++) {
        for (int32_t r = 0; r < c->n_rank; r++) {
            c->at[r * c->n_row + i] = nnz;
            nnz += c->counts[r * c->n_row + i];
            c->end[r * c->n_row + i] = nnz;
        }
        c->x->indptr[i + 1] = nnz;
    }
    return SCS_OK;
}

/* ---- values to their rows ---- */

/* Values of one column and this rank's rows, from rank r. A file that another program writes to
 * meanwhile may have more of them than were counted: refused before anything is overrun. Explicit
 * zeros leave gaps.
 *  @param row [n] of the file */
static scs_status place(columns *c, int32_t r, int32_t column, const int32_t *row,
                        const float *value, int64_t n)
{
    int64_t *at = c->at + r * c->n_row, *end = c->end + r * c->n_row;

    for (int64_t k = 0; k < n; k++) {
        int64_t i = row[k] - c->row0;

        if (!(value[k] > 0))
            continue;
        SCS_REQUIRE(at[i] < end[i], SCS_EDATA, "%s: changed while it was being read",
                    c->meta->path);
        c->x->indices[at[i]] = column;
        c->x->values[at[i]++] = value[k];
    }
    return SCS_OK;
}

/* Rank r's message of this round. Local. */
static scs_status place_message(columns *c, int32_t r, const uint8_t *message)
{
    column_header h;

    for (int64_t at = 0; at < c->from[r]; at += h.n * (int64_t)VALUE_BYTES) {
        const int32_t *row;

        memcpy(&h, message + at, sizeof h);
        at += (int64_t)sizeof h;
        row = (const int32_t *)(const void *)(message + at);
        SCS_TRY(place(c, r, h.column, row, (const float *)(const void *)(row + h.n), h.n));
    }
    return SCS_OK;
}

/* What has come. A failure is kept until all ranks are through. Local. */
static void place_messages(columns *c)
{
    const uint8_t *message = c->in;

    for (int32_t r = 0; r < c->n_rank && c->placed == SCS_OK; r++) {
        c->placed = place_message(c, r, message);
        message += c->from[r];
    }
    if (c->placed != SCS_OK && !*c->why)
        snprintf(c->why, sizeof c->why, "%s", scs_message());
}

/* Messages behind one another, as they are sent. */
static void pack_messages(columns *c)
{
    int64_t at = 0;

    for (int32_t r = 0; r < c->n_rank; r++) {
        memmove(c->out + at, c->out + r * c->room, (size_t)c->to[r]);
        at += c->to[r];
    }
}

/* @param more whether this rank has more to send  @param[out] any whether some rank has.
 * Collective. */
static scs_status exchange(columns *c, bool more, bool *any)
{
    int flag = more;

    pack_messages(c);
    SCS_TRY(scs_comm_exchange_counts(c->comm, c->to, c->from));
    SCS_TRY(scs_comm_alltoallv(c->comm, c->out, c->to, c->in, c->from));
    memset(c->to, 0, (size_t)c->n_rank * sizeof *c->to);
    place_messages(c);
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, &flag, 1, MPI_INT, MPI_MAX, scs_comm_mpi(c->comm)));
    *any = flag;
    return scs_collective_ok();
}

/* The same; its own failure is that of MPI, after which there are no rounds. */
static scs_status make_round(columns *c, bool more, bool *any)
{
    scs_status st = exchange(c, more, any);

    c->broken = st != SCS_OK;
    return st;
}

/* Values of one column for rank r, in as many messages as they take. Collective where one is full.
 */
static scs_status send(columns *c, int32_t r, int32_t column, const int32_t *row,
                       const float *value, int64_t n)
{
    while (n > 0) {
        int64_t left = c->room - c->to[r] - (int64_t)sizeof(column_header), m = left / VALUE_BYTES;
        uint8_t *out = c->out + r * c->room + c->to[r];
        column_header h;
        bool any;

        if (m <= 0) {
            SCS_TRY(make_round(c, true, &any));
            continue;
        }
        m = m < n ? m : n;
        h = (column_header){column, (int32_t)m};
        memcpy(out, &h, sizeof h);
        memcpy(out + sizeof h, row, (size_t)m * sizeof *row);
        memcpy(out + sizeof h + (size_t)m * sizeof *row, value, (size_t)m * sizeof *value);
        c->to[r] += (int64_t)sizeof h + m * (int64_t)VALUE_BYTES;
        row += m;
        value += m;
        n -= m;
    }
    return SCS_OK;
}

/* The rank that wants a row. */
static int32_t owner_of(const columns *c, int64_t row)
{
    int32_t first = 0, last = c->n_rank - 1;

    while (first < last) {
        int32_t middle = first + (last - first) / 2;

        if (c->split[middle + 1] <= row)
            first = middle + 1;
        else
            last = middle;
    }
    return first;
}

/* Rows mostly ascend, so that those of one rank stand together. */
static scs_status send_values(void *ctx, int32_t column, const int32_t *row, const float *value,
                              int64_t n, bool ascending)
{
    columns *c = ctx;

    (void)ascending;
    for (int64_t k = 0, m; k < n; k += m) {
        int32_t r = owner_of(c, row[k]);

        for (m = 1; k + m < n && row[k + m] >= c->split[r] && row[k + m] < c->split[r + 1];)
            m++;
        SCS_TRY(r == c->rank ? place(c, r, column, row + k, value + k, m)
                             : send(c, r, column, row + k, value + k, m));
    }
    return SCS_OK;
}

/* Collective. */
static scs_status send_all(columns *c, scs_h5ad_csc *csc, int32_t first, int32_t last)
{
    char message[SCS_MESSAGE_MAX] = "";
    scs_status mine = scs_h5ad_csc_walk(csc, first, last, true, send_values, c);
    bool any = true;

    if (c->broken)
        return mine;
    if (mine != SCS_OK) {
        snprintf(message, sizeof message, "%s", scs_message());
        memset(c->to, 0, (size_t)c->n_rank * sizeof *c->to);
    }
    while (any)
        SCS_TRY(make_round(c, false, &any));
    if (mine == SCS_OK) {
        mine = c->placed;
        snprintf(message, sizeof message, "%s", c->why);
    }
    if (mine != SCS_OK)
        scs_message_set(message);
    return scs_comm_agree(c->comm, mine);
}

/* Gaps that explicit zeros have left in each row's parts. Local. */
static void close_gaps(columns *c)
{
    scs_csr *x = c->x;
    int64_t used = 0, begin = 0;

    for (int64_t i = 0; i < c->n_row; i++) {
        for (int32_t r = 0; r < c->n_rank; r++) {
            int64_t n = c->at[r * c->n_row + i] - begin;

            if (used < begin) {
                memmove(x->indices + used, x->indices + begin, (size_t)n * sizeof *x->indices);
                memmove(x->values + used, x->values + begin, (size_t)n * sizeof *x->values);
            }
            used += n;
            begin = c->end[r * c->n_row + i];
        }
        x->indptr[i + 1] = used;
    }
}

/* ---- all of it ---- */

static scs_status open_columns(columns *c, scs_h5 *h5, scs_h5ad_csc **csc)
{
    const scs_h5ad *meta = c->meta;

    c->row0 = c->split[c->rank];
    c->n_row = c->split[c->rank + 1] - c->row0;
    c->room = STAGE / c->n_rank > LEAST_BUFFER ? STAGE / c->n_rank : LEAST_BUFFER;
    SCS_TRY(SCS_ALLOC(c->count, meta->n_row));
    SCS_TRY(SCS_ALLOC(c->counts, c->n_rank * c->n_row));
    SCS_TRY(SCS_ALLOC(c->to, c->n_rank));
    SCS_TRY(SCS_ALLOC(c->from, c->n_rank));
    SCS_TRY(SCS_ALLOC(c->out, c->n_rank * c->room));
    SCS_TRY(SCS_ALLOC(c->in, c->n_rank * c->room));
    SCS_TRY(scs_h5_open(meta->path, meta->memory, h5));
    if (meta->root)
        SCS_TRY(scs_h5_enter(h5, meta->root));
    return scs_h5ad_csc_open(h5, meta, csc);
}

static void close_columns(columns *c)
{
    free(c->count);
    free(c->counts);
    free(c->at);
    free(c->end);
    free(c->out);
    free(c->in);
    free(c->to);
    free(c->from);
}

scs_status scs_read_columns(scs_comm *comm, const scs_h5ad *meta, const int64_t *split, scs_csr *x)
{
    columns c = {.comm = comm,
                 .meta = meta,
                 .split = split,
                 .rank = scs_comm_rank(comm),
                 .n_rank = scs_comm_size(comm),
                 .x = x};
    scs_h5ad_csc *csc = NULL;
    scs_h5 h5 = {0};
    int32_t first, last;
    scs_status st;

    *x = (scs_csr){0};
    SCS_GO(st, scs_comm_agree(comm, open_columns(&c, &h5, &csc)));
    first = scs_h5ad_csc_first(csc, c.rank, c.n_rank);
    last = scs_h5ad_csc_first(csc, c.rank + 1, c.n_rank);
    SCS_GO(st, scs_comm_agree(comm, scs_h5ad_csc_walk(csc, first, last, false, count_values, &c)));
    SCS_GO(st, send_counts(&c));
    SCS_GO(st, scs_comm_agree(comm, make_places(&c)));
    memset(c.to, 0, (size_t)c.n_rank * sizeof *c.to);
    SCS_GO(st, send_all(&c, csc, first, last));
    close_gaps(&c);
done:
    scs_h5ad_csc_close(&csc);
    scs_h5_close(&h5);
    close_columns(&c);
    if (st != SCS_OK)
        scs_csr_clear(x);
    return st;
}
