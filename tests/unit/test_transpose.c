/* scs_transpose: values that go in by columns come out by rows, whatever they are. */
#include "tests/unit/suite.h"

#include "src/data/transpose.h"

#include <string.h>

/* A matrix, how it is cut into blocks and who has which columns. */
typedef struct shape {
    int32_t n_row, n_col;
    int32_t rows, in_group; /* of a block; blocks of a group */
    int32_t n_sender;
    int32_t every;      /* one place in so many has a value, about */
    float scale;        /* of the values 0 to 6 */
    bool descends;      /* rows of each second column */
    int32_t row0, row1; /* that are wanted */
} shape;

static const shape shapes[] = {
    {1000, 50, 256, 1, 1, 3, 1, false, 0, 1000},    /* counts */
    {1000, 50, 256, 2, 3, 3, 1, true, 0, 1000},     /* in any order, of three senders */
    {1000, 50, 100, 2, 2, 3, 50, false, 0, 1000},   /* some above 255 */
    {1000, 50, 256, 4, 2, 3, 0.3F, true, 0, 1000},  /* none whole */
    {5000, 9, 7, 1, 2, 400, 1, false, 0, 5000},     /* few */
    {300, 400, 256, 1, 2, 1, 70000, false, 0, 300}, /* every place; values of 5 bytes only */
    {700, 300, 1, 5, 2, 1, 1, true, 90, 611},       /* blocks of a row; not all are wanted */
    {3, 70000, 256, 1, 1, 60000, 1, false, 0, 3},   /* columns far apart */
};
enum { N_SHAPE = sizeof shapes / sizeof *shapes, MOST_SENDER = 3 };

/* Of which some are 0 and stored. @return false: there is none */
static bool stored(const shape *s, int64_t row, int64_t column, float *value)
{
    uint64_t h = ((uint64_t)row * 2654435761u + (uint64_t)column * 40503u) * 0x9e3779b97f4a7c15u;

    *value = (float)(h >> 40) / (float)(1 << 24) * 7;
    *value = (float)(int)*value * s->scale;
    return (h >> 20) % (uint64_t)s->every == 0;
}

/* Columns [first, last), each in two parts. */
static void add_columns(const shape *s, scs_transpose *t, int32_t first, int32_t last)
{
    int32_t *row;
    float *value;

    CHECK_OK(SCS_ALLOC(row, s->n_row + SCS_TRANSPOSE_SLACK));
    CHECK_OK(SCS_ALLOC(value, s->n_row + SCS_TRANSPOSE_SLACK));
    for (int32_t j = first; j < last; j++) {
        bool descends = s->descends && j % 2, plain = !descends;
        int64_t n = 0;

        for (int32_t i = 0; i < s->n_row; i++) {
            row[n] = descends ? s->n_row - 1 - i : i;
            n += stored(s, row[n], j, &value[n]);
        }
        for (int64_t k = 0; k < n; k++)
            plain = plain && value[k] > 0;
        CHECK_OK(scs_transpose_add(t, j, row, value, n / 3, plain));
        CHECK_OK(scs_transpose_add(t, j, row + n / 3, value + n / 3, n - n / 3, plain));
    }
    free(row);
    free(value);
}

/* Rows [row0, row0 + n) of a block. */
static void check_rows(const shape *s, int64_t row0, int64_t n, const int64_t *indptr,
                       const int32_t *indices, const float *values)
{
    int64_t wrong = 0;

    for (int64_t i = 0; i < n; i++) {
        int64_t at = indptr[i];

        for (int32_t j = 0; j < s->n_col; j++) {
            float value;

            if (!stored(s, row0 + i, j, &value) || !(value > 0))
                continue;
            wrong += at >= indptr[i + 1] || indices[at] != j || values[at] != value;
            at++;
        }
        wrong += at != indptr[i + 1];
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* The same by way of lists, where all are counts up to 255. */
static void check_lists(const shape *s, const uint8_t *const *byte, const int64_t *size,
                        int64_t row0, int64_t n, const int64_t *indptr, bool counts)
{
    static scs_transpose_lists lists; /* used again and again */
    int64_t values = indptr[n] - indptr[0], at[SCS_TRANSPOSE_ROWS + 1] = {0};
    int32_t *indices;
    float *value;
    bool all;

    CHECK_OK(scs_transpose_list(byte, size, s->n_sender, n, &lists, &all));
    CU_ASSERT_EQUAL(all, counts);
    if (all && s->n_col <= UINT16_MAX + 1) {
        CHECK_OK(SCS_ALLOC(indices, values + SCS_TRANSPOSE_LIST));
        CHECK_OK(SCS_ALLOC(value, values + SCS_TRANSPOSE_LIST));
        for (int64_t i = 0; i < n; i++) {
            at[i + 1] = at[i] + scs_transpose_length(&lists, i);
            CU_ASSERT_EQUAL_FATAL(at[i + 1], indptr[i + 1] - indptr[0]);
            scs_transpose_row(&lists, i, indices + at[i], value + at[i]);
        }
        check_rows(s, row0, n, at, indices, value);
        free(indices);
        free(value);
    }
    if (row0 + n == s->row1)
        scs_transpose_lists_clear(&lists);
}

/* All senders' bytes of a block become its rows, which begin somewhere in a matrix. */
static void check_block(const shape *s, scs_transpose *const *t, int32_t b, int64_t row0, int64_t n)
{
    int64_t indptr[SCS_TRANSPOSE_ROWS + 1] = {5}, size[MOST_SENDER];
    uint8_t *byte[MOST_SENDER];
    int32_t *indices;
    float *values;
    bool counts = true;

    for (int32_t r = 0; r < s->n_sender; r++) {
        size[r] = scs_transpose_bytes(t[r], b);
        CHECK_OK(SCS_ALLOC(byte[r], size[r]));
        scs_transpose_copy(t[r], b, byte[r]);
    }
    scs_transpose_count((const uint8_t *const *)byte, size, s->n_sender, n, indptr);
    CHECK_OK(SCS_ALLOC(indices, indptr[n]));
    CHECK_OK(SCS_ALLOC(values, indptr[n]));
    scs_transpose_place((const uint8_t *const *)byte, size, s->n_sender, n, indptr, indices,
                        values);
    CU_ASSERT_EQUAL(indptr[0], 5);
    check_rows(s, row0, n, indptr, indices, values);
    for (int64_t k = 0; k < indptr[n] - 5; k++)
        counts = counts && values[5 + k] <= 255 && values[5 + k] == (float)(int)values[5 + k];
    check_lists(s, (const uint8_t *const *)byte, size, row0, n, indptr, counts);
    free(indices);
    free(values);
    for (int32_t r = 0; r < s->n_sender; r++)
        free(byte[r]);
}

/* In two passes over the columns, each for half of the groups. */
static void check_shape(const shape *s)
{
    int32_t n_block = (s->row1 - s->row0 + s->rows - 1) / s->rows;
    int32_t n_group = (n_block + s->in_group - 1) / s->in_group, half = n_group / 2;
    scs_transpose *t[MOST_SENDER];
    int64_t *bound;
    int32_t *group;

    CHECK_OK(SCS_ALLOC(bound, n_block + 1));
    CHECK_OK(SCS_ALLOC(group, n_block));
    for (int32_t b = 0; b < n_block; b++) {
        bound[b] = s->row0 + b * s->rows;
        group[b] = b / s->in_group;
    }
    bound[n_block] = s->row1;
    for (int32_t r = 0; r < s->n_sender; r++)
        CHECK_OK(scs_transpose_create(n_block, bound, group, n_group, 100, &t[r]));
    for (int32_t pass = 0; pass < 2; pass++) {
        int32_t from = pass ? half : 0, to = pass ? n_group : half;

        for (int32_t r = 0; r < s->n_sender; r++) {
            scs_transpose_restart(t[r], from, to);
            add_columns(s, t[r], s->n_col * r / s->n_sender, s->n_col * (r + 1) / s->n_sender);
        }
        for (int32_t b = 0; b < n_block; b++) {
            if (group[b] >= from && group[b] < to)
                check_block(s, t, b, bound[b], bound[b + 1] - bound[b]);
            if (group[b] >= from && (b + 1 == n_block || group[b + 1] > group[b]))
                for (int32_t r = 0; r < s->n_sender && group[b] < to; r++)
                    scs_transpose_forget(t[r], group[b]);
        }
    }
    for (int32_t r = 0; r < s->n_sender; r++) {
        scs_transpose_destroy(&t[r]);
        CU_ASSERT_PTR_NULL(t[r]);
    }
    free(bound);
    free(group);
}

static void columns_become_rows(void)
{
    for (int k = 0; k < N_SHAPE; k++)
        check_shape(&shapes[k]);
}

/* Bytes of n values in one column, of as many rows apart. */
static int64_t bytes_of(int32_t n, int32_t apart, float each)
{
    int32_t n_row = n * apart, n_block = (n_row + 255) / 256, *row, *group;
    int64_t *bound, bytes = 0;
    float *value;
    scs_transpose *t;

    CHECK_OK(SCS_ALLOC(bound, n_block + 1));
    CHECK_OK(SCS_ALLOC(group, n_block));
    CHECK_OK(SCS_ALLOC(row, n + SCS_TRANSPOSE_SLACK));
    CHECK_OK(SCS_ALLOC(value, n + SCS_TRANSPOSE_SLACK));
    for (int32_t b = 1; b <= n_block; b++)
        bound[b] = b < n_block ? b * 256 : n_row;
    for (int32_t k = 0; k < n; k++) {
        row[k] = k * apart;
        value[k] = each;
    }
    CHECK_OK(scs_transpose_create(n_block, bound, group, 1, 0, &t));
    CHECK_OK(scs_transpose_add(t, 3, row, value, n, true));
    for (int32_t b = 0; b < n_block; b++)
        bytes += scs_transpose_bytes(t, b);
    scs_transpose_destroy(&t);
    free(bound);
    free(group);
    free(row);
    free(value);
    return bytes;
}

/* What transpose.h says of bytes. */
static void values_take_few_bytes(void)
{
    CU_ASSERT_EQUAL(bytes_of(25600, 1, 255), 2 * 25600 + 2 * 100);
    CU_ASSERT_EQUAL(bytes_of(25600, 1, 256), 5 * 25600 + 2 * 100);
    CU_ASSERT_EQUAL(bytes_of(25600, 1, 0.5F), 5 * 25600 + 2 * 100);
    CU_ASSERT_EQUAL(bytes_of(300, 256, 1), 4 * 300);
    CU_ASSERT_EQUAL(bytes_of(300, 256, 1.5F), 7 * 300);
}

static const scs_test tests[] = {
    {"columns become rows", columns_become_rows},
    {"values take few bytes", values_take_few_bytes},
};

int main(void)
{
    return run_suite("transpose", tests, sizeof tests / sizeof *tests);
}
