/* Rows in as few bytes as hold them exactly; packed.h has the format.
 *
 * A row of n entries with L distinct values is coded where that is shorter: n genes, n one-byte
 * codes and L floats against n genes and n floats, that is where n + 4 L < 4 n up to padding.
 * Which of the two a row is follows from its length when it is read (a coded row is shorter than
 * the plain one by construction), so that no flag is stored. Distinct values are found by an
 * open-addressed table of 512 slots for at most 256 levels, at most half full; levels stand in
 * order of first appearance. How a row is kept so depends on that row alone, and not on who
 * packed it.
 *
 * Packing is done once a job, unpacking for every cell of every batch: only the latter is inline.
 * All functions are Local.
 */
#include "src/data/packed.h"

#include "src/base/simd.h"
#include "src/data/csr.h"
#include "scscreen/shard.h"

#if SCS_HAS_CLONES
#include <immintrin.h>
#endif
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { WORD = 4, MOST_LEVELS = 256, SLOTS = 512, GROWTH = 1 << 20 /* words */ };
/* Counts that are small, and the code of those that have none yet. */
enum { SMALL = 256, NO_CODE = 255 };
/* Rows that are asked for at once. */
enum { AHEAD = 16 };

_Static_assert(sizeof(float) == WORD && sizeof(int32_t) == WORD, "rows of 4-byte words");

/* A row's distinct values, by their bits: 0 and -0 are two. */
typedef struct coder {
    int n;
    float level[MOST_LEVELS];
    uint32_t bits[SLOTS];
    int16_t code[SLOTS];  /* -1: a free slot */
    uint8_t small[SMALL]; /* codes of the counts below SMALL; NO_CODE: none yet */
} coder;

/* Words that hold so many bytes; what pads the last one is not looked at. */
static int64_t words_of(int64_t bytes)
{
    return (bytes + WORD - 1) / WORD;
}

/* Of n gene numbers: 2 bytes each up to 65,536 columns, 4 beyond. */
static int64_t gene_bytes(const scs_packed *x, int64_t n)
{
    return n * (x->n_col <= UINT16_MAX + 1 ? 2 : 4);
}

/* A row of n entries whose values stand as they are: its length, its genes, its values. */
static int64_t plain_words(const scs_packed *x, int64_t n)
{
    return 1 + words_of(gene_bytes(x, n)) + n;
}

/* The same with codes, without its levels. */
static int64_t coded_words(const scs_packed *x, int64_t n)
{
    return 1 + words_of(gene_bytes(x, n) + n);
}

/* ---- create and destroy ---- */

/* Zeroed, as rows that are put in behind one another begin where the last ended. */
scs_status scs_packed_alloc(int64_t n_row, int32_t n_col, int64_t n_word, scs_packed *x)
{
    scs_status st;

    *x = (scs_packed){.n_row = n_row, .n_col = n_col, .capacity = n_word};
    SCS_REQUIRE(n_row >= 0 && n_col >= 0 && n_word >= 0 && n_row < INT64_MAX &&
                    n_word <= INT64_MAX / WORD,
                SCS_EINTERNAL, "a packed matrix of %lld x %d in %lld words", (long long)n_row,
                n_col, (long long)n_word);
    SCS_GO(st, SCS_ALLOC(x->first, n_row + 1));
    SCS_GO(st, SCS_ALLOC(x->word, n_word * WORD));
    return SCS_OK;
done:
    scs_packed_clear(x);
    return st;
}

void scs_packed_clear(scs_packed *x)
{
    free(x->first);
    free(x->length);
    free(x->word);
    *x = (scs_packed){0};
}

/* Room for n_word words; rows that fit stay as they are. */
static scs_status resize(scs_packed *x, int64_t n_word)
{
    uint8_t *word = scs_reallocate(x->word, n_word, WORD);

    SCS_REQUIRE(word, SCS_ENOMEM, "out of memory: %lld MiB of cells",
                (long long)(n_word / (1 << 20) * WORD));
    x->word = word;
    x->capacity = n_word;
    return SCS_OK;
}

/* Rows were given the room that they take without codes; what codes saved goes back here. */
scs_status scs_packed_trim(scs_packed *x)
{
    return resize(x, x->first[x->n_row]);
}

/* ---- packing ---- */

/* The value's code, added where it is new; -1 when there are too many. Values are compared by
 * their bits. 2654435769 is 2^32 over the golden ratio (Knuth's multiplicative hashing); the top
 * 9 bits are the slot. */
static int code_of(coder *c, float value)
{
    uint32_t bits, at;

    memcpy(&bits, &value, sizeof bits);
    at = bits * 2654435769U >> 23;
    while (c->code[at] >= 0 && c->bits[at] != bits)
        at = (at + 1) % SLOTS;
    if (c->code[at] >= 0)
        return c->code[at];
    if (c->n == MOST_LEVELS)
        return -1;
    c->bits[at] = bits;
    c->level[c->n] = value;
    c->code[at] = (int16_t)c->n;
    return c->n++;
}

/* Values as bytes. @return whether all are counts below SMALL */
SCS_VECTOR static bool take_small(const float *value, int64_t n, uint8_t *byte)
{
    const uint32_t most = 0x437f0000u; /* 255 */
    const scs_float_bits *bits = (const scs_float_bits *)(const void *)value;
    int32_t other = 0;

    for (int64_t k = 0; k < n; k++) {
        int32_t whole;

        other |= !scs_simd_is_whole(bits[k], most, &whole);
        byte[k] = (uint8_t)whole;
    }
    return !other;
}

/* The next level, a count. @return its code */
static void add_small(coder *c, uint8_t count)
{
    c->level[c->n] = count;
    c->small[count] = (uint8_t)c->n++;
}

#if SCS_HAS_CLONES
#define WITH_TABLES __attribute__((target("avx512f,avx512bw,avx512vbmi,bmi2")))

/* 64 counts at a time by a table in four registers; what is no whole 64 is left to the caller.
 *  @return the first that is not coded */
WITH_TABLES static int64_t encode_by_table(coder *c, int64_t n, uint8_t *code)
{
    const __m512i none = _mm512_set1_epi8((char)NO_CODE);
    __m512i table[4];
    int64_t k = 0;
    uint8_t new;

    for (int i = 0; i < 4; i++)
        table[i] = _mm512_loadu_si512(c->small + 64 * i);
    while (n - k >= 64) {
        __m512i count = _mm512_loadu_si512(code + k);
        __mmask64 large = _mm512_movepi8_mask(count), without;
        __m512i coded = _mm512_permutex2var_epi8(table[0], count, table[1]);

        if (large)
            coded = _mm512_mask_blend_epi8(large, coded,
                                           _mm512_permutex2var_epi8(table[2], count, table[3]));
        without = _mm512_cmpeq_epi8_mask(coded, none);
        if (!without) {
            _mm512_storeu_si512(code + k, coded);
            k += 64;
            continue;
        }
        if (c->n == MOST_LEVELS - 1)
            return k;
        new = code[k + __builtin_ctzll(without)];
        for (int i = 0; i < 4; i++)
            table[i] =
                _mm512_mask_set1_epi8(table[i], i == new >> 6 ? 1ULL << (new & 63) : 0, (char)c->n);
        add_small(c, new);
    }
    return k;
}
#endif

/* encode where all are counts below SMALL: they are their own places in a table. Levels stand in
 * the order of their appearance here, too.
 *  @param[in,out] code [n] the counts, and then their codes
 *  @return false: so many levels that one would have NO_CODE */
static bool encode_small(coder *c, int64_t n, uint8_t *code)
{
    int64_t k = 0;

    memset(c->small, NO_CODE, sizeof c->small);
#if SCS_HAS_CLONES
    if (__builtin_cpu_supports("avx512vbmi"))
        k = encode_by_table(c, n, code);
#endif
    for (; k < n; k++) {
        if (c->small[code[k]] == NO_CODE) {
            if (c->n == MOST_LEVELS - 1)
                return false;
            add_small(c, code[k]);
        }
        code[k] = c->small[code[k]];
    }
    return true;
}

/* @param[out] code [n]
 *  @return whether codes for all n values were written; c's levels are theirs / */
static bool encode(coder *c, const float *value, int64_t n, uint8_t *code)
{
    c->n = 0;
    if (take_small(value, n, code) && encode_small(c, n, code))
        return true;
    c->n = 0; /* from the values, as the counts are overwritten */
    memset(c->code, -1, sizeof c->code);
    for (int64_t k = 0; k < n; k++) {
        int found = code_of(c, value[k]);

        if (found < 0)
            return false;
        code[k] = (uint8_t)found;
    }
    return true;
}

SCS_VECTOR static void narrow_genes(const int32_t *gene, int64_t n, uint16_t *to)
{
    for (int64_t k = 0; k < n; k++)
        to[k] = (uint16_t)gene[k];
}

/* @param gene [n]
 *  @param[out] to 4-byte aligned, as all rows are whole words */
static void write_genes(const scs_packed *x, const int32_t *gene, int64_t n, uint8_t *to)
{
    if (gene_bytes(x, 1) == 2)
        narrow_genes(gene, n, (uint16_t *)(void *)to);
    else
        memcpy(to, gene, (size_t)n * sizeof *gene);
}

/* @param c scratch
 *  @param[out] to room for plain_words
 *  @return the words that the row takes, plain_words at most */
static int64_t write_row(const scs_packed *x, coder *c, const int32_t *gene, const float *value,
                         int32_t n, uint8_t *to)
{
    uint8_t *behind_genes = to + WORD + gene_bytes(x, n);
    int64_t plain = plain_words(x, n), coded = coded_words(x, n);

    memcpy(to, &n, sizeof n);
    write_genes(x, gene, n, to + WORD);
    /* Codes are written where they belong while values are looked up; where there are too many,
     * values overwrite them. */
    if (coded < plain && encode(c, value, n, behind_genes) && coded + c->n < plain) {
        memcpy(to + coded * WORD, c->level, (size_t)c->n * sizeof *c->level);
        return coded + c->n;
    }
    memcpy(to + (plain - n) * WORD, value, (size_t)n * sizeof *value);
    return plain;
}

/* Room for the worst case first, so that packing itself cannot fail half-way. */
scs_status scs_packed_append(scs_packed *x, int64_t row, const scs_csr *part)
{
    int64_t most = x->first[row];
    coder c;

    for (int64_t i = 0; i < part->n_row; i++)
        most += plain_words(x, part->indptr[i + 1] - part->indptr[i]);
    if (most > x->capacity)
        SCS_TRY(resize(x, most + GROWTH));
    for (int64_t i = 0; i < part->n_row; i++) {
        int64_t begin = part->indptr[i], at = x->first[row + i];

        x->first[row + i + 1] =
            at + write_row(x, &c, part->indices + begin, part->values + begin,
                           (int32_t)(part->indptr[i + 1] - begin), x->word + at * WORD);
    }
    return SCS_OK;
}

/* A row of words is position-independent: no offset in it points anywhere. */
void scs_packed_put(scs_packed *x, int64_t i, const void *word, int64_t n)
{
    memcpy(x->word + x->first[i] * WORD, word, (size_t)n * WORD);
    x->first[i + 1] = x->first[i] + n;
}

void scs_packed_copy(scs_packed *x, int64_t i, const scs_packed *from, int64_t row)
{
    scs_packed_put(x, i, from->word + from->first[row] * WORD, scs_packed_row_words(from, row));
}

scs_status scs_packed_restart(scs_packed *x, int64_t n_row)
{
    if (n_row > x->n_row) {
        int64_t *first;

        SCS_TRY(SCS_ALLOC(first, n_row + 1));
        free(x->first);
        x->first = first;
    }
    x->n_row = n_row;
    return SCS_OK;
}

/* ---- rows in any order ---- */

/* Words are not zeroed: pages that no row has touched yet take no memory, and rows that arrive in
 * any order touch each word once. */
scs_status scs_packed_alloc_any_order(int64_t n_row, int32_t n_col, int64_t n_word, scs_packed *x)
{
    scs_status st;

    SCS_TRY(scs_packed_alloc(n_row, n_col, 0, x));
    SCS_GO(st, SCS_ALLOC(x->length, n_row));
    free(x->word);
    x->word = scs_reallocate(NULL, n_word, WORD);
    if (!x->word)
        SCS_GO(st, SCS_FAIL(SCS_ENOMEM, "out of memory: %lld MiB of cells",
                            (long long)(n_word / (1 << 20) * WORD)));
    x->capacity = n_word;
    return SCS_OK;
done:
    scs_packed_clear(x);
    return st;
}

/* Fresh pages are asked for a piece at a time, which costs half of what it does when each is
 * touched first by a row. Where the system cannot, rows touch them. Words [at, end) are written
 * next. */
static void touch_ahead(const scs_packed *x, int64_t at, int64_t end)
{
#ifdef MADV_POPULATE_WRITE
    enum { PIECE = 1 << 18, PAGE = 4096 };
    int64_t piece = end * WORD / PIECE, last = (piece + 1) * PIECE, all = x->capacity * WORD;
    uintptr_t word = (uintptr_t)x->word;
    uintptr_t from = (word + (uintptr_t)(piece * PIECE) + PAGE - 1) / PAGE * PAGE;
    uintptr_t to = (word + (uintptr_t)(last < all ? last : all)) / PAGE * PAGE;

    if (at * WORD / PIECE < piece && from < to)
        (void)madvise(x->word + (from - word), to - from, MADV_POPULATE_WRITE);
#else
    (void)x, (void)at, (void)end;
#endif
}

/* Rows stand in the order in which they come. Room grows by an eighth: what is not written yet
 * takes no memory of the system. */
scs_status scs_packed_place(scs_packed *x, int64_t i, const void *word, int64_t n)
{
    int64_t at = x->first[x->n_row];

    SCS_REQUIRE(i >= 0 && i < x->n_row && n > 0 && n <= INT32_MAX && x->length[i] == 0,
                SCS_EINTERNAL, "row %lld of %lld, of %lld words, comes twice or out of range",
                (long long)i, (long long)x->n_row, (long long)n);
    if (at + n > x->capacity)
        SCS_TRY(resize(x, at + n + at / 8 + GROWTH));
    touch_ahead(x, at, at + n);
    memcpy(x->word + at * WORD, word, (size_t)n * WORD);
    x->first[i] = at;
    x->length[i] = (int32_t)n;
    x->first[x->n_row] = at + n;
    return SCS_OK;
}

/* Appended and trimmed: what the rows take is known only once they are packed. */
scs_status scs_packed_make(const scs_csr *x, scs_packed *packed)
{
    scs_status st;

    SCS_GO(st, scs_packed_alloc(x->n_row, x->n_col, 0, packed));
    SCS_GO(st, scs_packed_append(packed, 0, x));
    SCS_GO(st, scs_packed_trim(packed));
    return SCS_OK;
done:
    scs_packed_clear(packed);
    return st;
}

/* ---- fewer columns ---- */

/* Row i's entries in kept columns. @return how many */
static int32_t kept_entries(const scs_packed *x, int64_t i, const int32_t *to, int32_t *gene,
                            float *value)
{
    scs_row row = scs_packed_row(x, i);
    int32_t n = 0;

    if (!row.gene16 && !row.gene32)
        return 0; /* no row has an entry */
    for (int32_t k = 0; k < row.n; k++) {
        int32_t g = to[scs_row_gene(&row, k)];

        if (g >= 0) {
            gene[n] = g;
            value[n++] = scs_row_value(&row, k);
        }
    }
    return n;
}

/* Where a row stands. */
typedef struct stand {
    int64_t first, row;
} stand;

static int by_first(const void *a, const void *b)
{
    const stand *p = a, *q = b;

    return (p->first > q->first) - (p->first < q->first);
}

/* The rows in the order in which they stand in memory. @param[out] order [n_row] */
static void order_rows(const scs_packed *x, stand *order)
{
    for (int64_t i = 0; i < x->n_row; i++)
        order[i] = (stand){x->first[i], i};
    if (x->length)
        qsort(order, (size_t)x->n_row, sizeof *order, by_first);
}

/* Fewer entries take no more room than they had: genes are no wider, and a part of a row has no
 * more distinct values than the row. So each row is written where, or before, it stood. A row
 * without a length of its own ends where the next begins, which is moved only after it. */
scs_status scs_packed_select(scs_packed *x, const int32_t *to, int32_t n_col)
{
    scs_packed narrow = {.n_col = n_col};
    int32_t *gene = NULL;
    float *value = NULL;
    stand *order = NULL;
    int64_t at = 0;
    coder c;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(gene, x->n_col));
    SCS_GO(st, SCS_ALLOC(value, x->n_col));
    SCS_GO(st, SCS_ALLOC(order, x->n_row));
    order_rows(x, order);
    for (int64_t k = 0; k < x->n_row; k++) {
        int64_t i = order[k].row, words;
        int32_t n;

        n = kept_entries(x, i, to, gene, value);
        words = write_row(&narrow, &c, gene, value, n, x->word + at * WORD);
        x->first[i] = at;
        at += words;
        if (x->length)
            x->length[i] = (int32_t)words;
    }
    x->first[x->n_row] = at;
    x->n_col = n_col;
    SCS_GO(st, scs_packed_trim(x));
done:
    free(gene);
    free(value);
    free(order);
    return st;
}

/* ---- normalisation ---- */

int64_t scs_packed_row_words(const scs_packed *x, int64_t i)
{
    return x->length ? x->length[i] : x->first[i + 1] - x->first[i];
}

/* Values that a row has: its levels, or one an entry. */
static int64_t count_values(const scs_packed *x, int64_t i, const scs_row *row)
{
    return row->code ? scs_packed_row_words(x, i) - coded_words(x, row->n) : row->n;
}

/* Rows that came in any order lie far apart. Of some of them the head, which has the length, and
 * the last values are brought near at once, as one such row after the other would wait for each. */
static void ask_for(const scs_packed *x, int64_t i)
{
    enum { LINE = 64, LINES = 2 };
    int64_t last = i + AHEAD < x->n_row ? i + AHEAD : x->n_row;

    for (; i < last; i++) {
        const uint8_t *begin = x->word + x->first[i] * WORD;
        const uint8_t *end = begin + scs_packed_row_words(x, i) * WORD - 1;

        (void)*(const volatile uint8_t *)begin;
        for (int k = 0; k < LINES && end - k * LINE > begin; k++)
            (void)*(const volatile uint8_t *)(end - k * LINE);
    }
}

/* Values stand at the end of a row in either form, so that both are one loop. log1p and the scale
 * are taken in double and rounded to float once. */
static void normalize_row(scs_packed *x, int64_t i, double scale)
{
    scs_row row = scs_packed_row(x, i);
    int64_t n = count_values(x, i, &row);
    int64_t end = x->first[i] + scs_packed_row_words(x, i);
    float *value = (float *)(void *)(x->word + end * WORD) - n;

    for (int64_t k = 0; k < n; k++)
        value[k] = (float)log1p(value[k] * scale);
}

void scs_packed_log_normalize(scs_packed *x, const double *totals, double target)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < x->n_row; i++) {
        if (i % AHEAD == 0)
            ask_for(x, i);
        normalize_row(x, i, totals[i] > 0 ? target / totals[i] : 0);
    }
}

/* ---- looking at it ---- */

/* The form follows from the length: a coded row is shorter than the plain one of as many entries.
 */
scs_row scs_packed_row(const scs_packed *x, int64_t i)
{
    const uint8_t *word = x->word + x->first[i] * WORD, *gene = word + WORD;
    scs_row row = {0};
    int64_t plain, coded;

    memcpy(&row.n, word, sizeof row.n);
    plain = plain_words(x, row.n);
    coded = coded_words(x, row.n);
    if (gene_bytes(x, 1) == 2)
        row.gene16 = (const uint16_t *)(const void *)gene;
    else
        row.gene32 = (const int32_t *)(const void *)gene;
    if (scs_packed_row_words(x, i) < plain)
        row.code = gene + gene_bytes(x, row.n);
    row.value = (const float *)(const void *)(word + (row.code ? coded : plain - row.n) * WORD);
    return row;
}

/* In double, in the order of genes: exact for counts, whatever their number. */
double scs_packed_row_sum(const scs_packed *x, int64_t i)
{
    scs_row row = scs_packed_row(x, i);
    double sum = 0;

    for (int32_t k = 0; k < row.n; k++)
        sum += (double)scs_row_value(&row, k);
    return sum;
}

const float *scs_packed_values(const scs_packed *x, int64_t i, int64_t *n)
{
    scs_row row = scs_packed_row(x, i);

    *n = count_values(x, i, &row);
    return row.value;
}

int64_t scs_packed_nnz(const scs_packed *x)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < x->n_row; i++) {
        if (i % AHEAD == 0)
            ask_for(x, i);
        nnz += scs_packed_row(x, i).n;
    }
    return nnz;
}

int64_t scs_packed_bytes(const scs_packed *x)
{
    return x->first[x->n_row] * WORD + (x->n_row + 1) * (int64_t)sizeof *x->first +
           (x->length ? x->n_row * (int64_t)sizeof *x->length : 0);
}

/* Genes ascend: O(log entries). */
int32_t scs_packed_row_find(const scs_row *row, int32_t gene)
{
    int32_t first = 0, end = row->n;

    while (first < end) {
        int32_t middle = first + (end - first) / 2;

        if (scs_row_gene(row, middle) < gene)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}
