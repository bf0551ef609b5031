/* Values that come by columns, and go by rows (transpose.h).
 *
 * A column's values of one block are written at once, in vector code that writes some elements
 * more than there are: what comes next overwrites them. A block's bytes stand in pieces, which are
 * cut from slabs of its group. So a column that ascends writes to one block after the other, in as
 * many cache lines as there are blocks, and what a group has taken goes back as a whole. */
#include "src/data/transpose.h"

#include "src/base/simd.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Elements of a register, and those that are looked at and written at once: two registers, since
 * most runs have fewer, and to ask whether one is enough costs more than the other. */
enum { AT_ONCE = 16, TWICE = SCS_TRANSPOSE_SLACK };
typedef uint32_t number16 __attribute__((vector_size(AT_ONCE * 4)));
typedef float float16 __attribute__((vector_size(AT_ONCE * 4)));
typedef uint16_t short16 __attribute__((vector_size(AT_ONCE * 2)));
typedef uint8_t byte16 __attribute__((vector_size(AT_ONCE)));
/* Before a run: a varint of at most 5 bytes, and its length. Its longest one, with what is written
 * too much. */
enum { HEAD = 6, OVER = AT_ONCE * 4, LONGEST = HEAD + 5 * SCS_TRANSPOSE_ROWS + OVER };
/* Bytes of a piece and of a slab. */
enum { MOST_PIECE = 16 << 10, LEAST_PIECE = 256, LEAST_SLAB = 64 << 10, MOST_SLAB = 1 << 20 };
/* Rows for which the first block is looked up: 1 << LOOKUP. */
enum { LOOKUP = 8 };

typedef struct piece {
    struct piece *next;
    int64_t used;
    uint8_t byte[];
} piece;

typedef struct slab {
    struct slab *next;
    int64_t bytes; /* of it, this among them */
    uint8_t byte[];
} slab;

/* Of a block. */
typedef struct stream {
    uint8_t *at, *end; /* what is left of the last piece */
    piece *first, *last;
    int64_t bytes;  /* of the pieces before the last */
    int32_t column; /* that it has had last; 0 before the first */
    int32_t group;
} stream;

typedef struct group {
    slab *first;
    uint8_t *at, *end; /* what is left of it */
    uint8_t *touched;  /* the end of its pages that were asked for */
} group;

/* Arrays are owned, but for bound. */
struct scs_transpose {
    const int64_t *bound; /* [n_block + 1] */
    int32_t n_block, n_group;
    stream *stream;   /* [n_block] */
    group *group;     /* [n_group] */
    int32_t *lookup;  /* [rows >> LOOKUP + 1] the block of the first of each 1 << LOOKUP rows */
    int64_t piece;    /* bytes of a piece's values */
    int64_t slab;     /* bytes of a slab */
    int32_t from, to; /* groups that take values */
    int32_t *row;     /* [room] of values that are above 0 */
    float *value;
    int64_t room;
};

/* ---- create and destroy ---- */

static int64_t between(int64_t least, int64_t x, int64_t most)
{
    return x < least ? least : x > most ? most : x;
}

static scs_status make_lookup(scs_transpose *t)
{
    int64_t first = t->bound[0], n = ((t->bound[t->n_block] - first) >> LOOKUP) + 1;
    int32_t block = 0;

    SCS_TRY(SCS_ALLOC(t->lookup, n));
    for (int64_t k = 0; k < n; k++) {
        while (block + 1 < t->n_block && t->bound[block + 1] <= first + (k << LOOKUP))
            block++;
        t->lookup[k] = block;
    }
    return SCS_OK;
}

static scs_status open_transpose(scs_transpose *t, const int32_t *of, int64_t expected)
{
    int64_t piece_size = expected / 8 / (t->n_block + 1),
            slab_size = expected / 4 / (t->n_group + 1);

    t->piece = between(LEAST_PIECE, piece_size, MOST_PIECE) / 8 * 8;
    t->slab = between(LEAST_SLAB, slab_size, MOST_SLAB);
    SCS_TRY(SCS_ALLOC(t->stream, t->n_block));
    SCS_TRY(SCS_ALLOC(t->group, t->n_group));
    for (int32_t b = 0; b < t->n_block; b++)
        t->stream[b].group = of[b];
    return make_lookup(t);
}

scs_status scs_transpose_create(int32_t n_block, const int64_t *bound, const int32_t *of,
                                int32_t n_group, int64_t expected, scs_transpose **transpose)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*transpose, 1));
    **transpose = (scs_transpose){
        .bound = bound, .n_block = n_block, .n_group = n_group, .from = 0, .to = n_group};
    st = open_transpose(*transpose, of, expected);
    if (st != SCS_OK)
        scs_transpose_destroy(transpose);
    return st;
}

/* Slabs are mapped, not malloc'ed, so that their memory goes back at once. */
static void free_slabs(slab **list)
{
    while (*list) {
        slab *next = (*list)->next;

        (void)munmap(*list, (size_t)(*list)->bytes);
        *list = next;
    }
}

void scs_transpose_destroy(scs_transpose **transpose)
{
    scs_transpose *t = *transpose;

    if (!t)
        return;
    for (int32_t g = 0; t->group && g < t->n_group; g++)
        free_slabs(&t->group[g].first);
    free(t->stream);
    free(t->group);
    free(t->lookup);
    free(t->row);
    free(t->value);
    free(t);
    *transpose = NULL;
}

void scs_transpose_restart(scs_transpose *t, int32_t first, int32_t last)
{
    t->from = first;
    t->to = last;
}

void scs_transpose_forget(scs_transpose *t, int32_t number)
{
    free_slabs(&t->group[number].first);
    t->group[number] = (group){0};
}

/* ---- write ---- */

static scs_status take_slab(scs_transpose *t, group *g)
{
    slab *s =
        mmap(NULL, (size_t)t->slab, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    SCS_REQUIRE(s != MAP_FAILED, SCS_ENOMEM,
                "out of memory: %lld KiB for values that are stored by columns",
                (long long)(t->slab >> 10));
    s->bytes = t->slab;
    s->next = g->first;
    g->first = s;
    g->at = s->byte;
    g->end = (uint8_t *)s + t->slab;
    g->touched = (uint8_t *)s;
    return SCS_OK;
}

/* Fresh pages up to `end`, some at a time, which costs less than touching each. Where the system
 * cannot, they come when they are touched. */
static void touch(group *g, const uint8_t *end)
{
    enum { AT_A_TIME = 64 << 10 };

    while (g->touched < end) {
        int64_t n = g->end - g->touched < AT_A_TIME ? g->end - g->touched : AT_A_TIME;

#ifdef MADV_POPULATE_WRITE
        (void)madvise(g->touched, (size_t)n, MADV_POPULATE_WRITE);
#endif
        g->touched += n;
    }
}

/* Another piece behind the stream's last. */
static scs_status take_piece(scs_transpose *t, stream *s)
{
    group *g = &t->group[s->group];
    int64_t size = t->piece + (int64_t)sizeof(piece);
    piece *p;

    if (g->end - g->at < size)
        SCS_TRY(take_slab(t, g));
    p = (piece *)(void *)g->at;
    g->at += size;
    touch(g, g->at);
    p->next = NULL;
    p->used = 0;
    if (s->last) {
        s->last->used = s->at - s->last->byte;
        s->bytes += s->last->used;
        s->last->next = p;
    } else
        s->first = p;
    s->last = p;
    s->at = p->byte;
    s->end = p->byte + t->piece;
    return SCS_OK;
}

/* The last byte of each. */
static inline void write_bytes(const number16 *number, uint8_t *to)
{
    byte16 byte = __builtin_convertvector(__builtin_convertvector(*number, short16), byte16);

    memcpy(to, &byte, sizeof byte);
}

static inline void write_rows(const int32_t *row, uint32_t first, uint8_t *to)
{
    number16 number;

    memcpy(&number, row, sizeof number);
    number -= first;
    write_bytes(&number, to);
}

static inline void write_counts(const float *value, uint8_t *to)
{
    float16 number;
    number16 bits;

    memcpy(&number, value, sizeof number);
    number += 0x1p23F; /* the last bits are those of a whole number then */
    memcpy(&bits, &number, sizeof bits);
    write_bytes(&bits, to);
}

/* A run of n values, of a block that begins with row `first`. TWICE more elements are read, and
 * OVER more bytes written.
 *  @return its end */
static inline uint8_t *write_run(uint8_t *to, uint64_t columns, const int32_t *row,
                                 const float *value, int64_t n, uint32_t first, bool wide)
{
    uint64_t head = columns << 1 | wide;

    for (; head >= 0x80; head >>= 7)
        *to++ = (uint8_t)(head | 0x80);
    *to++ = (uint8_t)head;
    *to++ = (uint8_t)(n - 1);
    for (int64_t k = 0; k < n; k += TWICE) {
        write_rows(row + k, first, to + k);
        write_rows(row + k + AT_ONCE, first, to + k + AT_ONCE);
    }
    to += n;
    if (wide) {
        for (int64_t k = 0; k < n; k += AT_ONCE)
            memcpy(to + k * 4, value + k, AT_ONCE * sizeof *value);
        return to + n * 4;
    }
    for (int64_t k = 0; k < n; k += TWICE) {
        write_counts(value + k, to + k);
        write_counts(value + k + AT_ONCE, to + k + AT_ONCE);
    }
    return to + n;
}

/* A run for which the last piece has no room: it goes on in the next ones. */
static scs_status write_cut(scs_transpose *t, stream *s, uint64_t columns, const int32_t *row,
                            const float *value, int64_t n, uint32_t first, bool wide)
{
    uint8_t run[LONGEST];
    int64_t size = write_run(run, columns, row, value, n, first, wide) - run;

    for (int64_t at = 0, m; at < size; at += m) {
        if (s->at == s->end)
            SCS_TRY(take_piece(t, s));
        m = s->end - s->at < size - at ? s->end - s->at : size - at;
        memcpy(s->at, run + at, (size_t)m);
        s->at += m;
    }
    return SCS_OK;
}

/* Of AT_ONCE rows, -1 for each that is of the block with `rows` rows from `first` on. By way of 16
 * bits, for which compilers have one instruction. */
static inline byte16 within(const int32_t *row, uint32_t first, uint32_t rows)
{
    number16 number;

    memcpy(&number, row, sizeof number);
    return __builtin_convertvector(__builtin_convertvector(number - first < rows, short16), byte16);
}

/* Of TWICE rows that ascend, how many are of the block: the first ones. */
static inline int64_t count_within(const int32_t *row, uint32_t first, uint32_t rows)
{
    byte16 n = -(within(row, first, rows) + within(row + AT_ONCE, first, rows));
    uint64_t half[2];

    memcpy(half, &n, sizeof half);
    return (int64_t)((half[0] + half[1]) * 0x0101010101010101U >> 56); /* its bytes added up */
}

/* Rows from the first of n on that are of its block, which has `rows` rows from `first` on. */
static inline int64_t run_length(const int32_t *row, int64_t n, uint32_t first, uint32_t rows,
                                 bool ascends)
{
    int64_t m = 0;

    for (; ascends && m + TWICE <= n; m += TWICE) {
        int64_t k = count_within(row + m, first, rows);

        if (k < TWICE)
            return m + k;
    }
    for (; m < n; m++)
        if ((uint32_t)row[m] - first >= rows)
            return m;
    return n;
}

/* Values above 0, run by run. A run ends with its block, or where a row is of another one. */
SCS_VECTOR static scs_status write_runs(scs_transpose *t, int32_t column, const int32_t *row,
                                        const float *value, int64_t n, bool ascends)
{
    int64_t lowest = t->bound[0], highest = t->bound[t->n_block], m;
    bool small = scs_simd_are_bytes(value, n);

    for (int64_t k = 0; k < n; k += m) {
        int32_t b;
        uint32_t first, rows;
        uint64_t columns;
        stream *s;
        bool wide;

        m = 1;
        if (row[k] < lowest || row[k] >= highest)
            continue;
        for (b = t->lookup[(row[k] - lowest) >> LOOKUP]; row[k] >= t->bound[b + 1];)
            b++;
        first = (uint32_t)t->bound[b];
        rows = (uint32_t)t->bound[b + 1] - first;
        m = run_length(row + k, n - k, first, rows, ascends);
        m = m < SCS_TRANSPOSE_ROWS ? m : SCS_TRANSPOSE_ROWS;
        s = &t->stream[b];
        if (s->group < t->from || s->group >= t->to)
            continue;
        wide = !small && !scs_simd_are_bytes(value + k, m);
        columns = (uint64_t)(column - s->column);
        s->column = column;
        if (s->end - s->at >= HEAD + m * (wide ? 5 : 2) + OVER)
            s->at = write_run(s->at, columns, row + k, value + k, m, first, wide);
        else
            SCS_TRY(write_cut(t, s, columns, row + k, value + k, m, first, wide));
    }
    return SCS_OK;
}

/* Those above 0. */
static scs_status write_some(scs_transpose *t, int32_t column, const int32_t *row,
                             const float *value, int64_t n)
{
    int64_t kept = 0;

    if (n > t->room) {
        free(t->row);
        free(t->value);
        t->row = NULL;
        t->value = NULL;
        t->room = 0;
        SCS_TRY(SCS_ALLOC(t->row, n + SCS_TRANSPOSE_SLACK));
        SCS_TRY(SCS_ALLOC(t->value, n + SCS_TRANSPOSE_SLACK));
        t->room = n;
    }
    for (int64_t k = 0; k < n; k++)
        if (value[k] > 0) {
            t->row[kept] = row[k];
            t->value[kept++] = value[k];
        }
    return write_runs(t, column, t->row, t->value, kept, false);
}

scs_status scs_transpose_add(scs_transpose *t, int32_t column, const int32_t *row,
                             const float *value, int64_t n, bool plain)
{
    return plain ? write_runs(t, column, row, value, n, true)
                 : write_some(t, column, row, value, n);
}

int64_t scs_transpose_bytes(const scs_transpose *t, int32_t block)
{
    const stream *s = &t->stream[block];

    return s->last ? s->bytes + (s->at - s->last->byte) : 0;
}

void scs_transpose_copy(const scs_transpose *t, int32_t block, uint8_t *to)
{
    const stream *s = &t->stream[block];

    for (const piece *p = s->first; p; p = p->next) {
        int64_t n = p == s->last ? s->at - p->byte : p->used;

        memcpy(to, p->byte, (size_t)n);
        to += n;
    }
}

/* ---- read ---- */

/* A run's head. @param[in,out] column of the run before  @return where its rows stand */
static inline const uint8_t *read_head(const uint8_t *at, int32_t *column, int64_t *n, bool *wide)
{
    uint64_t head = *at & 0x7f;

    for (int shift = 7; *at++ & 0x80; shift += 7)
        head |= (uint64_t)(*at & 0x7f) << shift;
    *column += (int32_t)(head >> 1);
    *wide = head & 1;
    *n = *at++ + 1;
    return at;
}

void scs_transpose_count(const uint8_t *const *byte, const int64_t *size, int32_t n_sender,
                         int64_t n_row, int64_t *indptr)
{
    int32_t count[SCS_TRANSPOSE_ROWS] = {0};

    for (int32_t r = 0; r < n_sender; r++) {
        const uint8_t *at = byte[r], *end = at + size[r];
        int32_t column = 0;

        while (at < end) {
            int64_t n;
            bool wide;

            at = read_head(at, &column, &n, &wide);
            for (int64_t k = 0; k < n; k++)
                count[at[k]]++;
            at += n * (wide ? 5 : 2);
        }
    }
    for (int64_t i = 0; i < n_row; i++)
        indptr[i + 1] = indptr[i] + count[i];
}

void scs_transpose_place(const uint8_t *const *byte, const int64_t *size, int32_t n_sender,
                         int64_t n_row, const int64_t *indptr, int32_t *indices, float *values)
{
    int64_t next[SCS_TRANSPOSE_ROWS];

    memcpy(next, indptr, (size_t)n_row * sizeof *next);
    for (int32_t r = 0; r < n_sender; r++) {
        const uint8_t *at = byte[r], *end = at + size[r];
        int32_t column = 0;

        while (at < end) {
            const uint8_t *value;
            int64_t n;
            bool wide;

            at = read_head(at, &column, &n, &wide);
            value = at + n;
            for (int64_t k = 0; k < n; k++) {
                int64_t to = next[at[k]]++;

                indices[to] = column;
                if (wide)
                    memcpy(&values[to], value + 4 * k, sizeof *values);
                else
                    values[to] = (float)value[k];
            }
            at = value + n * (wide ? 4 : 1);
        }
    }
}

/* ---- lists ---- */

/* A list is full where the next value would begin another one. */
static bool is_boundary(int32_t at)
{
    return at % SCS_TRANSPOSE_LIST == 0;
}

void scs_transpose_lists_clear(scs_transpose_lists *l)
{
    free(l->column);
    free(l->count);
    free(l->next);
    *l = (scs_transpose_lists){0};
}

/* Room for rows of so many bytes: values take 2 at least, and each row's last list has room left.
 */
static scs_status make_lists(scs_transpose_lists *l, const int64_t *size, int32_t n_sender,
                             int64_t n_row)
{
    int64_t room = 2 * n_row;

    for (int32_t r = 0; r < n_sender; r++)
        room += size[r] / 2 / SCS_TRANSPOSE_LIST + 1;
    SCS_REQUIRE(room < INT32_MAX / SCS_TRANSPOSE_LIST, SCS_EINTERNAL,
                "%lld lists for the rows of a block", (long long)room);
    if (room <= l->room)
        return SCS_OK;
    scs_transpose_lists_clear(l);
    room += room / 8;
    SCS_TRY(SCS_ALLOC(l->column, room * SCS_TRANSPOSE_LIST));
    SCS_TRY(SCS_ALLOC(l->count, room * SCS_TRANSPOSE_LIST));
    SCS_TRY(SCS_ALLOC(l->next, room));
    l->room = room;
    return SCS_OK;
}

/* A list that will be written. */
static inline void prefetch_list(const scs_transpose_lists *l, int32_t at)
{
    __builtin_prefetch(l->column + at, 1);
    __builtin_prefetch(l->column + at + SCS_TRANSPOSE_LIST / 2, 1);
    __builtin_prefetch(l->count + at, 1);
}

/* A sender's runs.
 *  @param[in,out] end [SCS_TRANSPOSE_ROWS] as the lists have it  @param[in,out] used lists
 *  @return false at a run that is wide */
static bool list_runs(const scs_transpose_lists *l, const uint8_t *at, int64_t size, int32_t *end,
                      int32_t *used)
{
    const uint8_t *stop = at + size;
    uint16_t *to_column = l->column;
    uint8_t *to_count = l->count;
    int32_t column = 0;

    while (at < stop) {
        int64_t n;
        bool wide;

        at = read_head(at, &column, &n, &wide);
        if (wide)
            return false;
        for (int64_t k = 0; k < n; k++) {
            int32_t to = end[at[k]];

            to_column[to] = (uint16_t)column;
            to_count[to] = at[n + k];
            if (__builtin_expect(is_boundary(++to), false)) {
                l->next[(to - 1) / SCS_TRANSPOSE_LIST] = *used;
                to = (*used)++ * SCS_TRANSPOSE_LIST;
                prefetch_list(l, to + SCS_TRANSPOSE_LIST); /* that of the next */
            }
            end[at[k]] = to;
        }
        at += 2 * n;
    }
    return true;
}

scs_status scs_transpose_list(const uint8_t *const *byte, const int64_t *size, int32_t n_sender,
                              int64_t n_row, scs_transpose_lists *l, bool *all)
{
    int32_t end[SCS_TRANSPOSE_ROWS] = {0}, used = (int32_t)n_row;

    SCS_TRY(make_lists(l, size, n_sender, n_row));
    for (int32_t i = 0; i < n_row; i++) {
        l->first[i] = i;
        end[i] = i * SCS_TRANSPOSE_LIST;
    }
    *all = true;
    for (int32_t r = 0; *all && r < n_sender; r++)
        *all = list_runs(l, byte[r], size[r], end, &used);
    memcpy(l->end, end, sizeof end);
    return SCS_OK;
}

int64_t scs_transpose_length(const scs_transpose_lists *l, int64_t row)
{
    int32_t last = l->end[row] / SCS_TRANSPOSE_LIST;
    int64_t n = l->end[row] % SCS_TRANSPOSE_LIST;

    for (int32_t list = l->first[row]; list != last; list = l->next[list])
        n += SCS_TRANSPOSE_LIST;
    return n;
}

/* A whole list, whatever it holds. */
SCS_VECTOR static void widen(const uint16_t *restrict column, const uint8_t *restrict count,
                             int32_t *restrict indices, float *restrict values)
{
    for (int k = 0; k < SCS_TRANSPOSE_LIST; k++)
        indices[k] = column[k];
    for (int k = 0; k < SCS_TRANSPOSE_LIST; k++)
        values[k] = count[k];
}

void scs_transpose_row(const scs_transpose_lists *l, int64_t row, int32_t *indices, float *values)
{
    int32_t list = l->first[row], last = l->end[row] / SCS_TRANSPOSE_LIST;

    for (;; list = l->next[list]) {
        widen(l->column + (int64_t)list * SCS_TRANSPOSE_LIST,
              l->count + (int64_t)list * SCS_TRANSPOSE_LIST, indices, values);
        if (list == last)
            return;
        indices += SCS_TRANSPOSE_LIST;
        values += SCS_TRANSPOSE_LIST;
    }
}
