/* One walk over each rank's columns, and the rows that all ranks' columns make (read_columns.h).
 *
 * The lower rank has the lower columns. So a row's columns ascend where the values of all ranks are
 * put behind one another, and nothing is sorted; and the lowest failing rank's message is about the
 * first wrong value in the file.
 *
 * Each rank's rows are cut into blocks. Some blocks of each rank are a round, in which all ranks
 * exchange what they have of them; then its memory goes back. */
#include "mpi/data/read_columns.h"

#include "src/base/collective.h"
#include "src/data/h5ad_csc.h"
#include "src/hdf5/h5read.h"

#include <stdlib.h>
#include <string.h>

/* Values of a block, and of the blocks that a rank gets at a time, about; and bytes that a value
 * takes on its way, with what is left empty; values of rows that are given out at a time: so few
 * stay in the second cache until they are packed. */
enum { BLOCK_VALUES = 1 << 19, ROUND_VALUES = 1 << 18, VALUE_BYTES = 6, SOME_VALUES = 1 << 14 };

/* Blocks [first[r], first[r + 1]) are rank r's. Arrays are owned. */
struct scs_read_columns {
    scs_comm *comm;
    const scs_h5ad *meta;
    const int64_t *split;
    int32_t rank, n_rank;
    scs_h5 h5;
    scs_h5ad_csc *csc;
    int32_t *first;            /* [n_rank + 1] */
    int64_t *bound;            /* [n_block + 1] first row of each, and the end of the last */
    int32_t *round;            /* [n_block] of each */
    int32_t n_round, in_round; /* rounds; blocks of a rank in one */
    int32_t in_pass;           /* rounds that a pass over the columns keeps */
    int32_t next;              /* the round that comes next */
    scs_transpose *transpose;  /* this rank's columns */
    uint8_t *out, *in, *own;   /* messages to and from others, one behind the other; to itself */
    int64_t out_room, in_room, own_room; /* bytes */
    int64_t *to, *from;                  /* [n_rank] bytes of them */
    const uint8_t **byte;      /* [n_rank] what has come of the block at hand, by sender */
    int64_t *size;             /* [n_rank] its bytes */
    const uint8_t **head;      /* [n_rank] where the sizes of the next blocks stand */
    int32_t block, last;       /* the next of the blocks that have come, and their end */
    scs_transpose_lists lists; /* rows of the block before it, where all are counts */
    int64_t row, end;          /* of these, that come next */
    scs_csr x;
    int64_t rows, values; /* room in it */
};

/* ---- open and close ---- */

static int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Rows of a block: fewer where they have many values. */
static int64_t block_rows(const scs_h5ad *meta)
{
    int64_t per_row = meta->n_row > 0 ? meta->nnz / meta->n_row + 1 : 1;
    int64_t rows = SCS_TRANSPOSE_ROWS;

    while (rows > 1 && rows * per_row > BLOCK_VALUES)
        rows /= 2;
    return rows;
}

/* Rounds of about ROUND_VALUES; as many as there are passes, at least, where there are blocks.
 *  @param rows of a block  @param most blocks of a rank */
static void cut_rounds(scs_read_columns *c, int64_t rows, int64_t most, int64_t passes)
{
    int64_t per_row = c->meta->nnz / (c->meta->n_row + 1) + 1;
    int64_t in_round = ROUND_VALUES / (rows * per_row) + 1;

    if (in_round > most / passes)
        in_round = most / passes > 0 ? most / passes : 1;
    c->in_round = (int32_t)in_round;
    c->n_round = (int32_t)divide_up(most, in_round);
    c->in_pass = (int32_t)divide_up(c->n_round, passes);
}

/* @param passes over the columns, in about as many */
static scs_status cut_rows(scs_read_columns *c, int64_t passes)
{
    int64_t rows = block_rows(c->meta), n = 0, most = 0;

    SCS_TRY(SCS_ALLOC(c->first, c->n_rank + 1));
    for (int32_t r = 0; r < c->n_rank; r++) {
        int64_t blocks = divide_up(c->split[r + 1] - c->split[r], rows);

        n += blocks;
        most = blocks > most ? blocks : most;
        c->first[r + 1] = (int32_t)n;
    }
    SCS_TRY(SCS_ALLOC(c->bound, n + 1));
    SCS_TRY(SCS_ALLOC(c->round, n));
    cut_rounds(c, rows, most, passes);
    for (int32_t r = 0; r < c->n_rank; r++)
        for (int32_t b = c->first[r]; b < c->first[r + 1]; b++) {
            c->bound[b] = c->split[r] + (b - c->first[r]) * rows;
            c->round[b] = (b - c->first[r]) / c->in_round;
        }
    c->bound[n] = c->meta->n_row;
    return SCS_OK;
}

/* @param limit as scs_read_columns_open has it */
static scs_status open_columns(scs_read_columns *c, int64_t limit)
{
    const scs_h5ad *meta = c->meta;
    int64_t passes = limit > 0 ? meta->nnz / c->n_rank * VALUE_BYTES / limit + 1 : 1;

    SCS_TRY(cut_rows(c, passes));
    SCS_TRY(SCS_ALLOC(c->to, c->n_rank));
    SCS_TRY(SCS_ALLOC(c->from, c->n_rank));
    SCS_TRY(SCS_ALLOC(c->byte, c->n_rank));
    SCS_TRY(SCS_ALLOC(c->size, c->n_rank));
    SCS_TRY(SCS_ALLOC(c->head, c->n_rank));
    SCS_TRY(scs_transpose_create(c->first[c->n_rank], c->bound, c->round, c->n_round,
                                 2 * meta->nnz / c->n_rank, &c->transpose));
    SCS_TRY(scs_h5_open(meta->path, meta->memory, &c->h5));
    if (meta->root)
        SCS_TRY(scs_h5_enter(&c->h5, meta->root));
    return scs_h5ad_csc_open(&c->h5, meta, &c->csc);
}

scs_status scs_read_columns_open(scs_comm *comm, const scs_h5ad *meta, const int64_t *split,
                                 int64_t limit, scs_read_columns **columns)
{
    scs_status st = SCS_ALLOC(*columns, 1);

    if (st == SCS_OK) {
        **columns = (scs_read_columns){.comm = comm,
                                       .meta = meta,
                                       .split = split,
                                       .rank = scs_comm_rank(comm),
                                       .n_rank = scs_comm_size(comm)};
        st = open_columns(*columns, limit);
    }
    st = scs_comm_agree(comm, st);
    if (st != SCS_OK)
        scs_read_columns_close(columns);
    return st;
}

/* Also what was opened in part. */
void scs_read_columns_close(scs_read_columns **columns)
{
    scs_read_columns *c = *columns;

    if (!c)
        return;
    scs_h5ad_csc_close(&c->csc);
    scs_h5_close(&c->h5);
    scs_transpose_destroy(&c->transpose);
    scs_transpose_lists_clear(&c->lists);
    scs_csr_clear(&c->x);
    free(c->first);
    free(c->bound);
    free(c->round);
    free(c->out);
    free(c->in);
    free(c->own);
    free(c->to);
    free(c->from);
    free(c->byte);
    free(c->size);
    free(c->head);
    free(c);
    *columns = NULL;
}

/* ---- exchange ---- */

/* Rank r's blocks of a round. */
static void blocks_of(const scs_read_columns *c, int32_t r, int32_t round, int32_t *first,
                      int32_t *last)
{
    int64_t begin = c->first[r] + (int64_t)round * c->in_round, end = begin + c->in_round;

    *first = (int32_t)(begin < c->first[r + 1] ? begin : c->first[r + 1]);
    *last = (int32_t)(end < c->first[r + 1] ? end : c->first[r + 1]);
}

/* Room for n bytes, of which none is kept. */
static scs_status make_room(uint8_t **byte, int64_t *room, int64_t n)
{
    if (n <= *room)
        return SCS_OK;
    free(*byte);
    *room = 0;
    SCS_TRY(SCS_ALLOC(*byte, n + n / 8));
    *room = n + n / 8;
    return SCS_OK;
}

/* Bytes of the message with rank r's blocks of a round. */
static int64_t message_size(const scs_read_columns *c, int32_t r, int32_t round)
{
    int32_t first, last;
    int64_t size;

    blocks_of(c, r, round, &first, &last);
    size = (last - first) * (int64_t)sizeof(int64_t);
    for (int32_t b = first; b < last; b++)
        size += scs_transpose_bytes(c->transpose, b);
    return size;
}

/* The sizes of the blocks, then their bytes. @return its end */
static uint8_t *write_message(const scs_read_columns *c, int32_t r, int32_t round, uint8_t *out)
{
    int32_t first, last;

    blocks_of(c, r, round, &first, &last);
    for (int32_t b = first; b < last; b++, out += sizeof(int64_t)) {
        int64_t size = scs_transpose_bytes(c->transpose, b);

        memcpy(out, &size, sizeof size);
    }
    for (int32_t b = first; b < last; b++) {
        scs_transpose_copy(c->transpose, b, out);
        out += scs_transpose_bytes(c->transpose, b);
    }
    return out;
}

/* A message for each rank; what is for this rank stays. Their memory goes back.
 * Local. */
static scs_status pack(scs_read_columns *c, int32_t round)
{
    int64_t all = 0;
    uint8_t *out;

    for (int32_t r = 0; r < c->n_rank; r++) {
        c->to[r] = r == c->rank ? 0 : message_size(c, r, round);
        all += c->to[r];
    }
    SCS_TRY(make_room(&c->out, &c->out_room, all));
    SCS_TRY(make_room(&c->own, &c->own_room, message_size(c, c->rank, round)));
    out = c->out;
    for (int32_t r = 0; r < c->n_rank; r++)
        if (r != c->rank)
            out = write_message(c, r, round, out);
    (void)write_message(c, c->rank, round, c->own);
    scs_transpose_forget(c->transpose, round);
    return SCS_OK;
}

/* Room for what comes, by its sizes. Local. */
static scs_status expect(scs_read_columns *c)
{
    int64_t all = 0;

    for (int32_t r = 0; r < c->n_rank; r++)
        all += c->from[r];
    return make_room(&c->in, &c->in_room, all);
}

/* What has come is gone through from its beginning. */
static void begin_round(scs_read_columns *c, int32_t round)
{
    const uint8_t *in = c->in;

    blocks_of(c, c->rank, round, &c->block, &c->last);
    for (int32_t r = 0; r < c->n_rank; r++) {
        c->head[r] = r == c->rank ? c->own : in;
        c->byte[r] = c->head[r] + (c->last - c->block) * (int64_t)sizeof(int64_t);
        c->size[r] = 0;
        in += c->from[r];
    }
}

/* This rank's columns, for the rounds of a pass. Local. */
static scs_status walk(scs_read_columns *c)
{
    scs_transpose_restart(c->transpose, c->next, c->next + c->in_pass);
    return scs_h5ad_csc_walk(c->csc, scs_h5ad_csc_first(c->csc, c->rank, c->n_rank),
                             scs_h5ad_csc_first(c->csc, c->rank + 1, c->n_rank), c->transpose);
}

scs_status scs_read_columns_next(scs_read_columns *c, bool *more)
{
    *more = c->next < c->n_round;
    if (!*more)
        return scs_collective_ok();
    if (c->next % c->in_pass == 0)
        SCS_TRY(scs_comm_agree(c->comm, walk(c)));
    SCS_TRY(scs_comm_agree(c->comm, pack(c, c->next)));
    SCS_TRY(scs_comm_exchange_counts(c->comm, c->to, c->from));
    SCS_TRY(scs_comm_agree(c->comm, expect(c)));
    SCS_TRY(scs_comm_alltoallv(c->comm, c->out, c->to, c->in, c->from));
    begin_round(c, c->next++);
    return scs_collective_ok();
}

/* ---- rows ---- */

/* Room for the block's rows, or its values; a block without a value has arrays too. */
static scs_status make_rows(scs_read_columns *c, int64_t rows, int64_t values)
{
    if (rows > c->rows) {
        free(c->x.indptr);
        c->rows = 0;
        SCS_TRY(SCS_ALLOC(c->x.indptr, rows + 1));
        c->rows = rows;
    }
    if (values > c->values || !c->x.values) {
        free(c->x.indices);
        free(c->x.values);
        c->x.indices = NULL;
        c->x.values = NULL;
        c->values = 0;
        SCS_TRY(SCS_ALLOC(c->x.indices, values + values / 8));
        SCS_TRY(SCS_ALLOC(c->x.values, values + values / 8));
        c->values = values + values / 8;
    }
    return SCS_OK;
}

/* The block at hand becomes x as a whole. */
static scs_status place_block(scs_read_columns *c, int64_t n)
{
    SCS_TRY(make_rows(c, n, 0));
    c->x.indptr[0] = 0;
    scs_transpose_count(c->byte, c->size, c->n_rank, n, c->x.indptr);
    SCS_TRY(make_rows(c, n, c->x.indptr[n]));
    scs_transpose_place(c->byte, c->size, c->n_rank, n, c->x.indptr, c->x.indices, c->x.values);
    c->x.n_row = n;
    c->row = c->end; /* all of them */
    return SCS_OK;
}

/* Some of the rows in lists become x. */
static scs_status take_lists(scs_read_columns *c)
{
    int64_t n = 0, values = 0;

    SCS_TRY(make_rows(c, c->end - c->row, 0));
    c->x.indptr[0] = 0;
    while (c->row + n < c->end && values < SOME_VALUES) {
        values += scs_transpose_length(&c->lists, c->row + n);
        c->x.indptr[++n] = values;
    }
    SCS_TRY(make_rows(c, n, values + SCS_TRANSPOSE_LIST));
    for (int64_t i = 0; i < n; i++)
        scs_transpose_row(&c->lists, c->row + i, c->x.indices + c->x.indptr[i],
                          c->x.values + c->x.indptr[i]);
    c->x.n_row = n;
    c->row += n;
    return SCS_OK;
}

/* The next of the blocks that have come. @param[out] counts whether its rows are in lists */
static scs_status next_block(scs_read_columns *c, bool *counts)
{
    int64_t n = c->bound[c->block + 1] - c->bound[c->block];

    for (int32_t r = 0; r < c->n_rank; r++) {
        c->byte[r] += c->size[r];
        memcpy(&c->size[r], c->head[r], sizeof *c->size);
        c->head[r] += sizeof *c->size;
    }
    *counts = false;
    c->block++;
    c->row = 0;
    c->end = n;
    if (c->meta->n_var <= UINT16_MAX + 1)
        SCS_TRY(scs_transpose_list(c->byte, c->size, c->n_rank, n, &c->lists, counts));
    return SCS_OK;
}

scs_status scs_read_columns_rows(scs_read_columns *c, int64_t *row0, scs_csr **x)
{
    bool counts = true;

    *x = NULL;
    if (c->row == c->end && c->block == c->last)
        return SCS_OK;
    if (c->row == c->end)
        SCS_TRY(next_block(c, &counts));
    *row0 = c->bound[c->block - 1] + c->row;
    SCS_TRY(counts ? take_lists(c) : place_block(c, c->end));
    c->x.n_col = c->meta->n_var;
    *x = &c->x;
    return SCS_OK;
}
