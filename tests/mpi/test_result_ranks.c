/* One result from all ranks' rows; a failure on any rank leaves no file, or the older one. */
#include "tests/mpi/fixture_result.h"

#include "mpi/job/folder_lock.h"

#include <hdf5.h>
#include <signal.h>
#include <sys/resource.h>

static void check_field(hid_t file, const char *path, int64_t n_row, int64_t cols)
{
    hid_t set = H5Dopen2(file, path, H5P_DEFAULT);
    double *values;
    int64_t wrong = 0;

    CHECK_OK(SCS_ALLOC(values, n_row * cols));
    CU_ASSERT(set >= 0);
    CU_ASSERT(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    for (int64_t i = 0; i < n_row * cols; i++)
        wrong += values[i] != value_of(strlen(path), i / cols, i % cols);
    CU_ASSERT_EQUAL(wrong, 0);
    H5Dclose(set);
    free(values);
}

static void check_flags(hid_t file, int64_t n_row)
{
    hid_t set = H5Dopen2(file, "obs/support_flag", H5P_DEFAULT), type = H5Dget_type(set);
    int8_t *flag;
    int64_t wrong = 0;

    CHECK_OK(SCS_ALLOC(flag, n_row));
    CU_ASSERT_EQUAL(H5Tget_class(type), H5T_ENUM);
    CU_ASSERT(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, flag) >= 0);
    for (int64_t i = 0; i < n_row; i++)
        wrong += flag[i] != (i % 3 == 0);
    CU_ASSERT_EQUAL(wrong, 0);
    H5Tclose(type);
    H5Dclose(set);
    free(flag);
}

static void check_file(const result_fixture *f)
{
    hid_t file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);

    CU_ASSERT_FATAL(file >= 0);
    check_field(file, "X", f->plan.n, FORMULA_GENES);
    check_field(file, "layers/control", f->plan.n, FORMULA_GENES);
    check_field(file, "layers/shift", f->plan.n, FORMULA_GENES);
    check_field(file, "layers/variance", f->plan.n, FORMULA_GENES);
    check_field(file, "obsm/delta", f->plan.n, FORMULA_LATENT);
    check_field(file, "obs/delta_norm", f->plan.n, 1);
    check_field(file, "obs/r2_all", f->plan.n, 1);
    check_field(file, "obs/support", f->plan.n, 1);
    check_flags(file, f->plan.n);
    H5Fclose(file);
}

static void put(scs_screen_store *store, int64_t block)
{
    int64_t first = block * store->block_rows, left = store->head->plan->n - first;
    scs_result_rows rows;

    make_rows(first, left < store->block_rows ? left : store->block_rows, &rows);
    CHECK_OK(scs_store_put(store, block, &rows));
    free_rows(&rows);
}

static scs_status open_store(const result_fixture *f, scs_screen_store *store)
{
    static const int64_t no_units[] = {0};

    return scs_store_open(&f->session, &f->head, no_units, 0, store);
}

/* Blocks [first, last) that are not done, the last ones first, unevenly over the ranks. */
static void put_blocks(const result_fixture *f, scs_screen_store *store, int64_t first,
                       int64_t last)
{
    int32_t rank = scs_comm_rank(f->comm), n_rank = scs_comm_size(f->comm);

    for (int64_t b = last - 1; b >= first; b--)
        if (!store->done[b] && (b * b) % n_rank == rank)
            put(store, b);
    MPI_Barrier(MPI_COMM_WORLD);
}

static void write_all(const result_fixture *f)
{
    scs_screen_store store;

    CHECK_OK(open_store(f, &store));
    put_blocks(f, &store, 0, store.n_block);
    CHECK_OK(scs_store_commit(&store, NULL));
    CHECK_OK(scs_store_close(&store));
}

/* A job that ends after blocks [first, last). */
static void write_some(const result_fixture *f, int64_t first, int64_t last)
{
    scs_screen_store store;

    CHECK_OK(open_store(f, &store));
    put_blocks(f, &store, first, last);
    CHECK_OK(scs_store_close(&store));
}

static void rows_of_all_ranks_land_right(void)
{
    for (int64_t times = 1; times <= 32; times += 31) {
        result_fixture f;

        open_result(&f, times);
        write_all(&f);
        CU_ASSERT_EQUAL(count_files(&f), 1);
        check_file(&f);
        close_result(&f);
    }
}

static void a_new_result_replaces_the_older(void)
{
    result_fixture f;

    open_result(&f, 4);
    write_all(&f);
    write_all(&f);
    CU_ASSERT_EQUAL(count_files(&f), 1);
    check_file(&f);
    close_result(&f);
}

static void numbers_are_read_back(void)
{
    result_fixture f;
    scs_screen_store store;
    scs_result_rows all, *wanted = NULL;
    bool leads;

    open_result(&f, 4);
    leads = scs_comm_rank(f.comm) == 0;
    if (leads) {
        make_rows(0, f.plan.n, &all);
        memset(all.delta_norm, 0, (size_t)f.plan.n * sizeof *all.delta_norm);
        memset(all.score, 0, (size_t)f.plan.n * sizeof *all.score);
        memset(all.confidence, 0, (size_t)f.plan.n * sizeof *all.confidence);
        wanted = &all;
    }
    CHECK_OK(open_store(&f, &store));
    put_blocks(&f, &store, 0, store.n_block);
    CHECK_OK(scs_store_commit(&store, wanted));
    CHECK_OK(scs_store_close(&store));
    for (int64_t i = 0; leads && i < f.plan.n; i++) {
        CU_ASSERT_EQUAL(all.delta_norm[i], value_of(strlen("obs/delta_norm"), i, 0));
        CU_ASSERT_EQUAL(all.score[i].r2_all, value_of(strlen("obs/r2_all"), i, 0));
        CU_ASSERT(isnan(all.score[i].r2_deg));
        CU_ASSERT_EQUAL(all.confidence[i].support, value_of(strlen("obs/support"), i, 0));
        CU_ASSERT_EQUAL(all.confidence[i].support_flag, i % 3 == 0);
    }
    if (leads)
        free_rows(&all);
    close_result(&f);
}

/* Blocks that are left of n after a job that wrote some and what then happened to its files. */
static int64_t blocks_left(const result_fixture *f)
{
    scs_screen_store store;
    int64_t left;

    CHECK_OK(open_store(f, &store));
    left = store.n_block - store.n_done;
    put_blocks(f, &store, 0, store.n_block);
    CHECK_OK(scs_store_commit(&store, NULL));
    CHECK_OK(scs_store_close(&store));
    CU_ASSERT_EQUAL(count_files(f), 1);
    check_file(f);
    return left;
}

/* Flip a byte; at < 0: from the end. Rank 0 alone does it. */
static void damage(const result_fixture *f, const char *suffix, long at)
{
    char path[128];

    MPI_Barrier(MPI_COMM_WORLD);
    if (scs_comm_rank(f->comm) == 0) {
        FILE *file;
        int byte;

        snprintf(path, sizeof path, "%s%s", f->path, suffix);
        file = fopen(path, "r+");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        CU_ASSERT_EQUAL(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
        byte = fgetc(file);
        CU_ASSERT_EQUAL(fseek(file, -1, SEEK_CUR), 0);
        fputc(byte ^ 4, file);
        fclose(file);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

static int64_t count_blocks(const result_fixture *f)
{
    int64_t rows = scs_result_fields_block_rows(&f->head);

    return (f->plan.n + rows - 1) / rows;
}

static void a_stopped_job_is_gone_on_with(void)
{
    result_fixture f;
    int64_t n;

    open_result(&f, 40);
    n = count_blocks(&f);
    write_some(&f, 0, n / 3);
    CU_ASSERT_EQUAL(count_files(&f), 2);
    write_some(&f, n / 2, n);
    CU_ASSERT_EQUAL(blocks_left(&f), n / 2 - n / 3);
    close_result(&f);
}

/* Where the rows of X lie in the unfinished file. */
static int64_t place_of_x(const result_fixture *f)
{
    char path[128];
    scs_result_file *file;
    int64_t range[SCS_RESULT_FIELDS + 1][2];
    int32_t n;

    snprintf(path, sizeof path, "%s.part", f->path);
    CHECK_OK(scs_store_file_open_alone(path, &f->head, &file));
    CHECK_OK(scs_store_file_ranges(file, range, &n));
    CHECK_OK(scs_store_file_close(&file));
    return range[0][0];
}

static void damaged_rows_are_made_again(void)
{
    result_fixture f;
    int64_t n;

    open_result(&f, 40);
    n = count_blocks(&f);
    write_some(&f, 0, n);
    damage(&f, ".part", (long)place_of_x(&f) + 4 * FORMULA_GENES * 5 + 2);
    CU_ASSERT_EQUAL(blocks_left(&f), 1);
    write_some(&f, 0, n);
    damage(&f, ".done", -16); /* the last block's slot */
    CU_ASSERT_EQUAL(blocks_left(&f), 1);
    close_result(&f);
}

static void a_damaged_skeleton_begins_anew(void)
{
    result_fixture f;
    int64_t n;

    open_result(&f, 40);
    n = count_blocks(&f);
    write_some(&f, 0, n);
    damage(&f, ".part", 40);
    CU_ASSERT_EQUAL(blocks_left(&f), n);
    write_some(&f, 0, n);
    damage(&f, ".done", 60);
    CU_ASSERT_EQUAL(blocks_left(&f), n);
    close_result(&f);
}

static void remove_rest(const result_fixture *f)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (scs_comm_rank(f->comm) == 0)
        CHECK_OK(scs_session_remove_rows(&f->session));
    MPI_Barrier(MPI_COMM_WORLD);
}

static void another_screen_is_refused(void)
{
    result_fixture f;
    scs_screen_store store;

    open_result(&f, 4);
    f.session.team.n_shard = 2;
    write_some(&f, 0, 3);
    f.session.team.n_shard = 4;
    CHECK_FAILS(open_store(&f, &store), SCS_EDATA, "start it on 2 ranks");
    CHECK_OK(scs_store_close(&store));
    f.session.team.n_shard = 2;
    f.session.config->screen.bootstrap = 7;
    CHECK_FAILS(open_store(&f, &store), SCS_EARG, "screen.bootstrap (0, now 7)");
    CHECK_OK(scs_store_close(&store));
    f.session.config->screen.bootstrap = 0;
    f.atlas->mean[1] += 1;
    CHECK_FAILS(open_store(&f, &store), SCS_EDATA, "another model");
    CHECK_OK(scs_store_close(&store));
    f.atlas->mean[1] -= 1;
    f.plan.item[2].held_out = true;
    CHECK_FAILS(open_store(&f, &store), SCS_EDATA, "other rows");
    CHECK_OK(scs_store_close(&store));
    f.plan.item[2].held_out = false;
    f.session.config->train.resume = false; /* --restart */
    CU_ASSERT_EQUAL(blocks_left(&f), count_blocks(&f));
    close_result(&f);
}

/* Without its values, a block cannot be written; the older result and the blocks before stay. */
static void a_failing_rank_leaves_the_older_result(void)
{
    result_fixture f;
    scs_screen_store store;
    scs_result_rows rows;

    open_result(&f, 4);
    write_all(&f);
    CHECK_OK(open_store(&f, &store));
    if (scs_comm_rank(f.comm) == scs_comm_size(f.comm) - 1) {
        put(&store, 0);
        make_rows(0, store.block_rows, &rows);
        free(rows.shift);
        rows.shift = NULL;
        CHECK_FAILS(scs_store_put(&store, 1, &rows), SCS_EINTERNAL, "without values");
        free_rows(&rows);
    }
    CHECK_OK(scs_store_close(&store));
    CU_ASSERT_EQUAL(count_files(&f), 3);
    check_file(&f);
    CU_ASSERT_EQUAL(blocks_left(&f), count_blocks(&f) - 1);
    close_result(&f);
}

/* Files of rank 0 may not grow beyond `size` bytes: as on a full disk, the skeleton cannot be
 * reserved. */
static void limit_file_size(rlim_t size)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void no_room_leaves_the_older_result(void)
{
    struct rlimit old;
    scs_screen_store store;
    result_fixture f;

    open_result(&f, 40);
    write_all(&f);
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &old), 0);
    if (scs_comm_rank(f.comm) == 0)
        limit_file_size(8192);
    CHECK_FAILS(open_store(&f, &store), SCS_ECREATE, "screen.h5ad");
    CHECK_OK(scs_store_close(&store));
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &old), 0);
    CU_ASSERT_EQUAL(count_files(&f), 1);
    check_file(&f);
    close_result(&f);
}

static void a_missing_folder_is_named(void)
{
    result_fixture f;
    scs_screen_store store;
    char *dir;

    open_result(&f, 1);
    dir = f.session.config->output.dir;
    f.session.config->output.dir = (char[]){"/tmp/no/such/folder"};
    CHECK_FAILS(open_store(&f, &store), SCS_ECREATE, "/tmp/no/such/folder");
    CHECK_OK(scs_store_close(&store));
    f.session.config->output.dir = dir;
    CU_ASSERT_EQUAL(count_files(&f), 0);
    close_result(&f);
}

/* flock is between open files: rank 0 stands for both jobs. */
static void a_second_job_is_kept_out(void)
{
    int first = -1, second = -1;
    bool waited = true;
    result_fixture f;

    open_result(&f, 4);
    if (scs_comm_rank(f.comm) == 0) {
        const char *dir = f.session.config->output.dir;

        CHECK_OK(scs_folder_lock_take(dir, &first, &waited));
        CU_ASSERT_FALSE(waited);
        CHECK_FAILS(scs_folder_lock_take(dir, &second, &waited), SCS_ECREATE,
                    "another job is at work there");
        CU_ASSERT(second == -1 && waited);
        scs_folder_lock_drop(&first);
        CHECK_OK(scs_folder_lock_take(dir, &second, &waited));
        scs_folder_lock_drop(&second);
        CHECK_FAILS(scs_folder_lock_take("/tmp/no/such/folder", &first, &waited), SCS_ECREATE,
                    "/tmp/no/such/folder");
    }
    remove_rest(&f);
    close_result(&f);
}

static const scs_test tests[] = {
    {"rows of all ranks land right", rows_of_all_ranks_land_right},
    {"a new result replaces the older", a_new_result_replaces_the_older},
    {"numbers are read back", numbers_are_read_back},
    {"a stopped job is gone on with", a_stopped_job_is_gone_on_with},
    {"damaged rows are made again", damaged_rows_are_made_again},
    {"a damaged skeleton begins anew", a_damaged_skeleton_begins_anew},
    {"another screen is refused", another_screen_is_refused},
    {"a failing rank leaves the older result", a_failing_rank_leaves_the_older_result},
    {"no room: one line, and the older result stays", no_room_leaves_the_older_result},
    {"a missing folder is named", a_missing_folder_is_named},
    {"a second job is kept out", a_second_job_is_kept_out},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("result_ranks", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
