/* Blocks of cells that a thread reads: the rows that are wanted, as any that are read; and files
 * that change are refused. */
#include "tests/unit/suite.h"

#include "src/base/names.h"
#include "src/data/block_reader.h"
#include "src/data/h5ad.h"
#include "src/data/h5ad_matrix.h"
#include "src/hdf5/h5write.h"
#include "tests/unit/scratch.h"

#include <math.h>
#include <string.h>

enum { N_FILE = 2, ROWS = 50, N_VAR = 5, N_GENE = 4, BLOCK = 8 };

static const int32_t gene_of_column[N_FILE][N_VAR] = {{0, 1, -1, 2, 3}, {3, -1, 2, 1, 0}};

/* Two files of ROWS rows; of the second every third row is not taken. */
typedef struct fixture {
    char folder[SCRATCH_PATH], path[N_FILE][2 * SCRATCH_PATH];
    scs_h5ad meta[N_FILE];
    const scs_h5ad *metas[N_FILE];
    uint8_t keep[ROWS], role[N_FILE * ROWS];
    int32_t column[N_FILE][N_VAR], *columns[N_FILE];
    int64_t first[N_FILE + 1];
    scs_dataset dataset;
    scs_windows windows;
    scs_block_reader *reader;
} fixture;

/* 0 is not stored. The second block of a file has no value at all. */
static float value(int file, int64_t row, int32_t column)
{
    if (row / BLOCK == 1)
        return 0;
    return (float)((row * 7 + column * 3 + file) % 6);
}

static scs_csr matrix(int file, float bad)
{
    scs_csr x;
    int64_t n = 0;

    CHECK_OK(scs_csr_alloc(ROWS, N_VAR, ROWS * N_VAR, &x));
    for (int64_t i = 0; i < ROWS; i++) {
        for (int32_t j = 0; j < N_VAR; j++)
            if (value(file, i, j) > 0) {
                x.indices[n] = j;
                x.values[n++] =
                    file == 0 && i == 21 && j == 4 && bad != 0 ? bad : value(file, i, j);
            }
        x.indptr[i + 1] = n;
    }
    return x;
}

/* @param bad in place of the value in row 21 and column 4 of the first file; 0: none */
static void write_file(fixture *f, int file, float bad)
{
    scs_csr x = matrix(file, bad);
    int64_t nnz = x.indptr[ROWS], n_ptr = ROWS + 1;
    scs_h5_out out;

    CHECK_OK(scs_h5_out_create(f->path[file], &out));
    CHECK_OK(scs_h5_write(out.file, "X/data", H5T_NATIVE_FLOAT, 1, &nnz, x.values));
    CHECK_OK(scs_h5_write(out.file, "X/indices", H5T_NATIVE_INT32, 1, &nnz, x.indices));
    CHECK_OK(scs_h5_write(out.file, "X/indptr", H5T_NATIVE_INT64, 1, &n_ptr, x.indptr));
    CHECK_OK(scs_h5_out_commit(&out));
    scs_names_clear(&f->meta[file].genes); /* of the file that was there before */
    f->meta[file] = (scs_h5ad){.path = f->path[file],
                               .matrix = "X",
                               .n_row = ROWS,
                               .n_obs = ROWS,
                               .n_var = N_VAR,
                               .layout = SCS_LAYOUT_CSR,
                               .nnz = nnz,
                               .data = "X/data",
                               .indices = "X/indices",
                               .indptr = "X/indptr"};
    for (int32_t j = 0; j < N_VAR; j++)
        CHECK_OK(scs_names_add(&f->meta[file].genes, "gene"));
    scs_csr_clear(&x);
}

static void open_fixture(fixture *f, float bad)
{
    *f = (fixture){0};
    scratch_make(f->folder);
    for (int i = 0; i < N_FILE; i++) {
        char path[2 * SCRATCH_PATH]; /* gcc fears that folder and path overlap */

        (void)scratch_path(f->folder, i == 0 ? "a.h5ad" : "b.h5ad", path);
        memcpy(f->path[i], path, sizeof path);
        write_file(f, i, bad);
        memcpy(f->column[i], gene_of_column[i], sizeof gene_of_column[i]);
        f->columns[i] = f->column[i];
        f->metas[i] = &f->meta[i];
    }
    for (int64_t i = 0; i < ROWS; i++)
        f->meta[1].n_obs -= !(f->keep[i] = i % 3 != 0);
    f->meta[1].keep = f->keep;
    f->first[1] = ROWS;
    f->first[2] = ROWS + f->meta[1].n_obs;
    for (int64_t c = 0; c < f->first[2]; c++)
        f->role[c] = c % 4 == 1 ? SCS_ROLE_VALID : c % 9 == 8 ? SCS_ROLE_UNUSED : SCS_ROLE_TRAIN;
    f->dataset = (scs_dataset){.n_cell = f->first[2],
                               .n_gene = N_GENE,
                               .n_input = N_FILE,
                               .first_cell = f->first,
                               .gene_of_column = f->columns,
                               .role = f->role};
    CHECK_OK(scs_windows_create(&f->dataset, BLOCK, 1000, &f->windows));
    CHECK_OK(scs_block_reader_create(&f->dataset, f->metas, &f->windows, &f->reader));
}

static void close_fixture(fixture *f)
{
    scs_block_reader_destroy(&f->reader);
    scs_windows_clear(&f->windows);
    for (int i = 0; i < N_FILE; i++)
        scs_names_clear(&f->meta[i].genes);
    scratch_remove(f->folder);
}

/* The file and row of a cell. */
static int place(const fixture *f, int64_t cell, int64_t *row)
{
    *row = cell;
    if (cell < ROWS)
        return 0;
    *row = scs_h5ad_row(&f->meta[1], cell - ROWS);
    return 1;
}

/* Row k of what was read against its file's. */
static void check_row(const fixture *f, const scs_block_rows *rows, int64_t k, double target)
{
    scs_row found = scs_packed_row(&rows->x, k);
    float expected[N_GENE] = {0}, dense[N_GENE] = {0};
    double total = 0;
    int64_t row;
    int file = place(f, rows->cell[k], &row);

    for (int32_t j = 0; j < N_VAR; j++)
        total += (double)value(file, row, j);
    for (int32_t j = 0; j < N_VAR; j++)
        if (gene_of_column[file][j] >= 0)
            expected[gene_of_column[file][j]] =
                target > 0 && total > 0
                    ? (float)log1p((double)value(file, row, j) * (target / total))
                    : value(file, row, j);
    for (int32_t e = 0; e < found.n; e++)
        dense[scs_row_gene(&found, e)] = scs_row_value(&found, e);
    for (int32_t g = 0; g < N_GENE; g++)
        CU_ASSERT_EQUAL(dense[g], expected[g]);
    CU_ASSERT_EQUAL(rows->total[k], total);
}

/* Blocks 1, 4, 6 (the last of the first file) and all of the second. */
static const int64_t blocks[] = {1, 4, 6, 7, 8, 9, 10, 11};

static scs_block_request ask(unsigned roles, double target)
{
    return (scs_block_request){.block = blocks, .n = 8, .roles = roles, .target = target};
}

static void check_read(fixture *f, unsigned roles, double target)
{
    scs_block_request request = ask(roles, target);
    scs_block_rows rows;
    int64_t n = 0;

    CU_ASSERT_EQUAL(f->windows.n_block, 12);
    scs_block_reader_start(f->reader, &request);
    CHECK_OK(scs_block_reader_take(f->reader, &rows));
    for (int k = 0; k < 8; k++) {
        int64_t first, end;

        (void)scs_windows_cells(&f->windows, blocks[k], &first, &end);
        for (int64_t c = first; c < end; c++) {
            if (!((roles >> f->role[c]) & 1U))
                continue;
            CU_ASSERT_FATAL(n < rows.x.n_row);
            CU_ASSERT_EQUAL(rows.cell[n], c);
            check_row(f, &rows, n++, target);
        }
    }
    CU_ASSERT_EQUAL(rows.x.n_row, n);
    scs_block_reader_rows_clear(&rows);
}

static void rows_are_those_of_the_files(void)
{
    const unsigned train = 1U << SCS_ROLE_TRAIN, valid = 1U << SCS_ROLE_VALID;
    fixture f;

    open_fixture(&f, 0);
    check_read(&f, train, 0);
    check_read(&f, valid, 0);
    check_read(&f, train | valid, 100);
    check_read(&f, 0, 0);
    close_fixture(&f);
}

/* memcpy must not be given NULL, not even for no bytes. */
static void rows_without_values_have_arrays(void)
{
    scs_h5ad_reader *reader;
    scs_csr *x;
    fixture f;

    open_fixture(&f, 0);
    CHECK_OK(scs_h5ad_matrix_open(&f.meta[0], &reader));
    CHECK_OK(scs_h5ad_matrix_rows(reader, BLOCK, 2 * BLOCK, &x));
    CU_ASSERT_EQUAL(x->indptr[BLOCK], 0);
    CU_ASSERT_PTR_NOT_NULL(x->indices);
    CU_ASSERT_PTR_NOT_NULL(x->values);
    scs_h5ad_matrix_close(&reader);
    close_fixture(&f);
}

/* What is read and not taken is dropped. */
static void the_last_request_counts(void)
{
    fixture f;
    scs_block_request first = ask(1U << SCS_ROLE_VALID, 0);
    scs_block_rows rows;

    open_fixture(&f, 0);
    CHECK_FAILS(scs_block_reader_take(f.reader, &rows), SCS_EINTERNAL, "no blocks");
    scs_block_reader_start(f.reader, &first);
    check_read(&f, 1U << SCS_ROLE_TRAIN, 0);
    scs_block_reader_start(f.reader, &first);
    scs_block_reader_wait(f.reader);
    scs_block_reader_wait(f.reader);
    CHECK_OK(scs_block_reader_take(f.reader, &rows));
    CU_ASSERT(rows.x.n_row > 0);
    scs_block_reader_rows_clear(&rows);
    scs_block_reader_start(f.reader, &first); /* destroyed while it reads */
    close_fixture(&f);
}

/* Also where its cell is not wanted; the message is the thread's. */
static void a_bad_value_is_refused(void)
{
    static const int64_t good[] = {0, 1, 3}, bad[] = {0, 2};
    scs_block_request request = {.block = good, .n = 3, .roles = 1U << SCS_ROLE_VALID};
    scs_block_rows rows;
    fixture f;

    open_fixture(&f, NAN);
    scs_block_reader_start(f.reader, &request);
    CHECK_OK(scs_block_reader_take(f.reader, &rows));
    scs_block_reader_rows_clear(&rows);
    request.block = bad;
    request.n = 2;
    scs_block_reader_start(f.reader, &request);
    CHECK_FAILS(scs_block_reader_take(f.reader, &rows), SCS_EDATA,
                "a.h5ad: X: cell row 21, gene gene holds a missing value");
    CU_ASSERT_PTR_NULL(rows.cell);
    close_fixture(&f);
}

/* The same size, another time of change: an hour later, so that no clock is too coarse. */
static void a_file_that_changes_is_refused(void)
{
    scs_block_request request = ask(1U << SCS_ROLE_TRAIN, 0);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
    struct stat was;
    scs_block_rows rows;
    fixture f;

    open_fixture(&f, 0);
    check_read(&f, 1U << SCS_ROLE_TRAIN, 0);
    CU_ASSERT_EQUAL_FATAL(stat(f.path[1], &was), 0);
    times[1] = was.st_mtim;
    times[1].tv_sec += 3600;
    CU_ASSERT_EQUAL_FATAL(utimensat(AT_FDCWD, f.path[1], times, 0), 0);
    scs_block_reader_start(f.reader, &request);
    CHECK_FAILS(scs_block_reader_take(f.reader, &rows), SCS_EDATA,
                "b.h5ad: changed while cells were streamed from it");
    CU_ASSERT_EQUAL_FATAL(unlink(f.path[1]), 0);
    scs_block_reader_start(f.reader, &request);
    CHECK_FAILS(scs_block_reader_take(f.reader, &rows), SCS_EDATA, "b.h5ad");
    /* cut short, a file cannot be read: that it has changed is what is wrong with it */
    CU_ASSERT_EQUAL_FATAL(truncate(f.path[0], 3000), 0);
    scs_block_reader_start(f.reader, &request);
    CHECK_FAILS(scs_block_reader_take(f.reader, &rows), SCS_EDATA,
                "a.h5ad: changed while cells were streamed from it");
    write_file(&f, 1, 0); /* to be removed */
    close_fixture(&f);
}

static const scs_test tests[] = {
    {"rows are those of the files", rows_are_those_of_the_files},
    {"rows without values have arrays", rows_without_values_have_arrays},
    {"the last request counts", the_last_request_counts},
    {"a bad value is refused", a_bad_value_is_refused},
    {"a file that changes is refused", a_file_that_changes_is_refused},
};

int main(void)
{
    return run_suite("block_reader", tests, sizeof tests / sizeof *tests);
}
