/* Several files read by any number of ranks: each cell once, with the reference genes and the
 * totals of its own file. */
#include "mpi/data/read_columns.h"
#include "src/data/h5ad_matrix.h"
#include "tests/mpi/mpi_suite.h"
#include "tests/mpi/fixture_formula.h"

#include "src/data/h5ad.h"
#include "src/hdf5/h5write.h"

enum { N_FILE = 2, N_VAR = 6, N_GENE = 4 };

/* Columns of the second file stand in another order; each file has genes that the other lacks. */
static const int32_t gene_of_column[N_FILE][N_VAR] = {{0, 1, -1, 2, 3, -1}, {3, -1, 2, 1, -1, 0}};
static const int64_t n_obs[N_FILE] = {11, 5};

typedef struct fixture {
    scs_comm *comm;
    scs_dataset *dataset;
    scs_h5ad meta[N_FILE];
    const scs_h5ad *metas[N_FILE];
    char folder[64], path[N_FILE][96];
} fixture;

/* Stored value of a file's cell and column; cell 3 of the first file is empty. */
static float stored(int file, int64_t row, int32_t column)
{
    return file == 0 && row == 3 ? 0 : formula_value(100 * file + row, column + 1);
}

static float first_file(int64_t row, int32_t column)
{
    return stored(0, row, column);
}

static float second_file(int64_t row, int32_t column)
{
    return stored(1, row, column);
}

/* X of one file. */
static scs_csr matrix_of(int file)
{
    return formula_matrix(file == 0 ? first_file : second_file, 0, n_obs[file], N_VAR);
}

static scs_status write_file(const char *path, int file)
{
    scs_csr x = matrix_of(file);
    int64_t nnz = x.indptr[x.n_row], n_ptr = x.n_row + 1;
    scs_h5_out out;
    scs_status st;

    SCS_GO(st, scs_h5_out_create(path, &out));
    SCS_GO(st, scs_h5_write(out.file, "X/data", H5T_NATIVE_FLOAT, 1, &nnz, x.values));
    SCS_GO(st, scs_h5_write(out.file, "X/indices", H5T_NATIVE_INT32, 1, &nnz, x.indices));
    SCS_GO(st, scs_h5_write(out.file, "X/indptr", H5T_NATIVE_INT64, 1, &n_ptr, x.indptr));
    SCS_GO(st, scs_h5_out_commit(&out));
done:
    scs_csr_clear(&x);
    return st;
}

static void describe_file(fixture *f, int file)
{
    scs_csr x = matrix_of(file);
    scs_h5ad *meta = &f->meta[file];

    *meta = (scs_h5ad){.path = f->path[file],
                       .matrix = "X",
                       .n_row = n_obs[file],
                       .n_obs = n_obs[file],
                       .n_var = N_VAR,
                       .layout = SCS_LAYOUT_CSR,
                       .nnz = x.indptr[x.n_row],
                       .data = "X/data",
                       .indices = "X/indices",
                       .indptr = "X/indptr"};
    formula_names(&meta->genes, "column", N_VAR);
    f->metas[file] = meta;
    scs_csr_clear(&x);
}

static void describe_dataset(fixture *f)
{
    scs_dataset *d = formula_dataset(n_obs[0] + n_obs[1], N_GENE);

    d->n_input = N_FILE;
    CHECK_OK(SCS_ALLOC(d->first_cell, N_FILE + 1));
    CHECK_OK(SCS_ALLOC(d->gene_of_column, N_FILE));
    for (int i = 0; i < N_FILE; i++) {
        d->first_cell[i + 1] = d->first_cell[i] + n_obs[i];
        CHECK_OK(SCS_ALLOC(d->gene_of_column[i], N_VAR));
        memcpy(d->gene_of_column[i], gene_of_column[i], sizeof gene_of_column[i]);
    }
    f->dataset = d;
}

static void open_fixture(fixture *f)
{
    *f = (fixture){.comm = open_world(), .folder = "/tmp/test_read_ranks.XXXXXX"};
    if (scs_comm_rank(f->comm) == 0)
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(f->folder));
    CHECK_OK(scs_comm_broadcast(f->comm, f->folder, sizeof f->folder));
    for (int i = 0; i < N_FILE; i++) {
        snprintf(f->path[i], sizeof f->path[i], "%s/%d.h5ad", f->folder, i);
        describe_file(f, i);
        if (scs_comm_rank(f->comm) == 0)
            CHECK_OK(write_file(f->path[i], i));
    }
    describe_dataset(f);
    MPI_Barrier(MPI_COMM_WORLD);
}

static void close_fixture(fixture *f)
{
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; i < N_FILE; i++) {
        scs_names_clear(&f->meta[i].genes);
        if (scs_comm_rank(f->comm) == 0)
            CU_ASSERT_EQUAL(unlink(f->path[i]), 0);
    }
    if (scs_comm_rank(f->comm) == 0)
        CU_ASSERT_EQUAL(rmdir(f->folder), 0);
    scs_dataset_destroy(&f->dataset);
    scs_comm_destroy(&f->comm);
}

/* Row `at` of x against its file's row. */
static void check_cell(const scs_packed *x, int64_t at, int file, int64_t row, double total)
{
    scs_row cell = scs_packed_row(x, at);
    float dense[N_GENE] = {0}, expected[N_GENE] = {0};
    double sum = 0;

    for (int64_t k = 0; k < cell.n; k++) {
        int32_t gene = scs_row_gene(&cell, k);

        CU_ASSERT_FATAL(gene >= 0 && gene < N_GENE);
        CU_ASSERT(k == 0 || scs_row_gene(&cell, k - 1) < gene);
        dense[gene] = scs_row_value(&cell, k);
    }
    for (int32_t j = 0; j < N_VAR; j++) {
        sum += stored(file, row, j);
        if (gene_of_column[file][j] >= 0)
            expected[gene_of_column[file][j]] = stored(file, row, j);
    }
    CU_ASSERT_EQUAL(memcmp(dense, expected, sizeof dense), 0);
    CU_ASSERT_EQUAL(total, sum);
}

/* @param nnz what the files say that they hold: the more, the fewer rows are read at once */
static void check_reading(int64_t nnz)
{
    fixture f;
    int64_t first, all = 0;
    double *totals;
    scs_packed x;

    open_fixture(&f);
    for (int i = 0; i < N_FILE; i++)
        f.meta[i].nnz += nnz;
    CHECK_OK(scs_read_cells(f.comm, f.dataset, f.metas, &first, &x, &totals, NULL));
    CU_ASSERT_EQUAL(x.n_col, N_GENE);
    for (int64_t i = 0; i < x.n_row; i++) {
        int file = first + i >= n_obs[0];

        check_cell(&x, i, file, first + i - (file ? n_obs[0] : 0), totals[i]);
    }
    MPI_Allreduce(&x.n_row, &all, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
    CU_ASSERT_EQUAL(all, f.dataset->n_cell);
    scs_packed_clear(&x);
    free(totals);
    close_fixture(&f);
}

static void every_cell_is_read_once(void)
{
    check_reading(0);
}

/* In blocks of a row, and of a few rows. */
static void blocks_make_the_whole(void)
{
    scs_h5ad meta = {.n_row = 100, .nnz = (int64_t)1 << 40};

    CU_ASSERT_EQUAL(scs_h5ad_matrix_block_rows(&meta), 1);
    check_reading(meta.nnz);
    meta.nnz = 4 << 20;
    CU_ASSERT(scs_h5ad_matrix_block_rows(&meta) > 1 && scs_h5ad_matrix_block_rows(&meta) < 5);
    check_reading(meta.nnz);
    meta.layout = SCS_LAYOUT_CSC;
    CU_ASSERT_EQUAL(scs_h5ad_matrix_block_rows(&meta), 100);
    meta.layout = SCS_LAYOUT_DENSE;
    meta.nnz = 100 << 20;
    meta.chunk = 6 << 20; /* 16 chunks of them */
    CU_ASSERT(scs_h5ad_matrix_block_rows(&meta) >= 96 && scs_h5ad_matrix_block_rows(&meta) < 100);
    meta.chunk = 100 << 20; /* all in one */
    CU_ASSERT_EQUAL(scs_h5ad_matrix_block_rows(&meta), 100);
    meta.n_row = 0;
    CU_ASSERT(scs_h5ad_matrix_block_rows(&meta) > 0);
}

/* A file that only the last ranks read is gone: all ranks say so, and hold nothing. */
static void a_missing_file_stops_all_ranks(void)
{
    fixture f;
    int64_t first;
    double *totals;
    scs_packed x;

    open_fixture(&f);
    f.meta[1].path = "/nowhere/gone.h5ad";
    CHECK_FAILS(scs_read_cells(f.comm, f.dataset, f.metas, &first, &x, &totals, NULL), SCS_EDATA,
                "gone.h5ad");
    CU_ASSERT_PTR_NULL(totals);
    CU_ASSERT_PTR_NULL(x.first);
    close_fixture(&f);
}

/* ---- stored by columns ---- */

/* More values than one round takes from a rank to another. */
enum { TALL = 3000, WIDE = 300, STORED = TALL * WIDE };

/* Of which one in five is a stored 0, and the first rows, all that rank 0 of seven reads. */
static float tall(int64_t row, int32_t column)
{
    int64_t k = row <= TALL / 7 ? 0 : (row * 7 + column * 13 + row * column) % 5;

    return (float)k * (float)(1 + row % 11);
}

/* All of it by columns; the rows of each third one descend. @param bad the value of its last */
static scs_status write_columns(const char *path, float bad)
{
    int64_t nnz = STORED, n_ptr = WIDE + 1, *indptr = NULL;
    int32_t *rows = NULL;
    float *values = NULL;
    scs_h5_out out;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(indptr, n_ptr));
    SCS_GO(st, SCS_ALLOC(rows, nnz));
    SCS_GO(st, SCS_ALLOC(values, nnz));
    for (int32_t j = 0; j < WIDE; j++) {
        indptr[j + 1] = (int64_t)(j + 1) * TALL;
        for (int32_t i = 0; i < TALL; i++) {
            int64_t k = (int64_t)j * TALL + i;

            rows[k] = j % 3 == 2 ? TALL - 1 - i : i;
            values[k] = tall(rows[k], j);
        }
    }
    values[nnz - 1] = bad;
    SCS_GO(st, scs_h5_out_create(path, &out));
    SCS_GO(st, scs_h5_write(out.file, "X/data", H5T_NATIVE_FLOAT, 1, &nnz, values));
    SCS_GO(st, scs_h5_write(out.file, "X/indices", H5T_NATIVE_INT32, 1, &nnz, rows));
    SCS_GO(st, scs_h5_write(out.file, "X/indptr", H5T_NATIVE_INT64, 1, &n_ptr, indptr));
    SCS_GO(st, scs_h5_out_commit(&out));
done:
    free(indptr);
    free(rows);
    free(values);
    return st;
}

/* Rows [row0, row0 + x->n_row). */
static void check_block(const scs_csr *x, int64_t row0)
{
    int64_t wrong = 0;

    for (int64_t i = 0; i < x->n_row; i++) {
        int64_t at = x->indptr[i];

        for (int32_t j = 0; j < WIDE; j++)
            if (tall(row0 + i, j) > 0) {
                wrong += at >= x->indptr[i + 1] || x->indices[at] != j ||
                         x->values[at] != tall(row0 + i, j);
                at++;
            }
        wrong += at != x->indptr[i + 1];
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Rows that ranks want: as many each; all by the last; more by the higher, and none by the first.
 */
static void split_by(int how, int32_t n_rank, int64_t *split)
{
    for (int64_t r = 0; r <= n_rank; r++)
        split[r] = how == 0 ? TALL * r / n_rank
                   : how == 1
                       ? (r < n_rank ? 0 : TALL)
                       : TALL * (r > 0 ? r - 1 : 0) * r / (n_rank * (n_rank - 1) + !(n_rank - 1));
    split[n_rank] = TALL;
}

/* All rows of this rank, in their order. */
static void check_columns(scs_comm *comm, const scs_h5ad *meta, const int64_t *split, int64_t limit)
{
    int64_t row = split[scs_comm_rank(comm)], row0;
    scs_read_columns *columns;
    bool more = true;
    scs_csr *x;

    CHECK_OK(scs_read_columns_open(comm, meta, split, limit, &columns));
    while (more) {
        CHECK_OK(scs_read_columns_next(columns, &more));
        for (x = NULL; more;) {
            CHECK_OK(scs_read_columns_rows(columns, &row0, &x));
            if (!x)
                break;
            CU_ASSERT_EQUAL(row0, row);
            CU_ASSERT_PTR_NOT_NULL(x->values); /* also where there is none */
            check_block(x, row0);
            row += x->n_row;
        }
    }
    CU_ASSERT_EQUAL(row, split[scs_comm_rank(comm) + 1]);
    scs_read_columns_close(&columns);
}

/* The last value is wrong: all ranks say so. */
static void check_refusal(scs_comm *comm, const scs_h5ad *meta, const int64_t *split)
{
    scs_read_columns *columns;
    bool more;

    CHECK_OK(scs_read_columns_open(comm, meta, split, 0, &columns));
    CHECK_FAILS(scs_read_columns_next(columns, &more), SCS_EDATA,
                "cell row 0, gene column299 holds -1");
    scs_read_columns_close(&columns);
    CU_ASSERT_PTR_NULL(columns);
}

/* In one pass over the columns, and in several. */
static void columns_of_all_ranks_make_the_rows(void)
{
    fixture f;
    scs_h5ad meta = {.matrix = "X",
                     .n_row = TALL,
                     .n_obs = TALL,
                     .n_var = WIDE,
                     .layout = SCS_LAYOUT_CSC,
                     .nnz = STORED,
                     .data = "X/data",
                     .indices = "X/indices",
                     .indptr = "X/indptr"};
    int64_t split[64];
    int32_t rank, n_rank;

    open_fixture(&f);
    rank = scs_comm_rank(f.comm);
    n_rank = scs_comm_size(f.comm);
    meta.path = f.path[0];
    formula_names(&meta.genes, "column", WIDE);
    for (int how = 0; how < 4; how++) {
        if (rank == 0)
            CHECK_OK(write_columns(meta.path, how == 3 ? -1.0F : tall(0, WIDE - 1)));
        MPI_Barrier(MPI_COMM_WORLD);
        split_by(how % 3, n_rank, split);
        if (how == 3)
            check_refusal(f.comm, &meta, split);
        else {
            check_columns(f.comm, &meta, split, 0);
            check_columns(f.comm, &meta, split, STORED);
        }
        MPI_Barrier(MPI_COMM_WORLD);
    }
    scs_names_clear(&meta.genes);
    close_fixture(&f);
}

static const scs_test tests[] = {
    {"columns of all ranks make the rows", columns_of_all_ranks_make_the_rows},
    {"every cell is read once", every_cell_is_read_once},
    {"blocks make the whole", blocks_make_the_whole},
    {"a missing file stops all ranks", a_missing_file_stops_all_ranks},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("read_ranks", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
