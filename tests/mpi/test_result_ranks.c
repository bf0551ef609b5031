/* One result from all ranks' rows; a failure on any rank leaves no file, or the older one. */
#include "tests/mpi/toy_result.h"

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

static void check_file(const toy_result *f)
{
    hid_t file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);

    CU_ASSERT_FATAL(file >= 0);
    check_field(file, "X", f->plan.n, TOY_GENES);
    check_field(file, "layers/control", f->plan.n, TOY_GENES);
    check_field(file, "layers/shift", f->plan.n, TOY_GENES);
    check_field(file, "layers/variance", f->plan.n, TOY_GENES);
    check_field(file, "obsm/delta", f->plan.n, TOY_LATENT);
    check_field(file, "obs/delta_norm", f->plan.n, 1);
    check_field(file, "obs/r2_all", f->plan.n, 1);
    check_field(file, "obs/support", f->plan.n, 1);
    check_flags(file, f->plan.n);
    H5Fclose(file);
}

static void rows_of_all_ranks_land_right(void)
{
    for (int64_t times = 1; times <= 32; times += 31) {
        toy_result f;

        open_toy_result(&f, times);
        CHECK_OK(scs_result_write(f.comm, f.path, &f.head, &f.rows));
        CU_ASSERT_EQUAL(count_files(&f), 1);
        check_file(&f);
        close_toy_result(&f);
    }
}

static void a_new_result_replaces_the_older(void)
{
    toy_result f;

    open_toy_result(&f, 4);
    for (int i = 0; i < 2; i++)
        CHECK_OK(scs_result_write(f.comm, f.path, &f.head, &f.rows));
    CU_ASSERT_EQUAL(count_files(&f), 1);
    check_file(&f);
    close_toy_result(&f);
}

/* Without its values, the last rank that has rows cannot go on. */
static void fail_on_one_rank(toy_result *f)
{
    scs_result_rows broken = f->rows;
    int32_t busy = scs_comm_size(f->comm) > 1 ? scs_comm_size(f->comm) - 2 : 0;

    if (scs_comm_rank(f->comm) == busy)
        broken.shift = NULL;
    CHECK_FAILS(scs_result_write(f->comm, f->path, &f->head, &broken), SCS_EINTERNAL,
                "without values");
}

static void a_failing_rank_leaves_no_file(void)
{
    toy_result f;

    open_toy_result(&f, 4);
    fail_on_one_rank(&f);
    CU_ASSERT_EQUAL(count_files(&f), 0);
    close_toy_result(&f);
}

static void a_failing_rank_leaves_the_older_result(void)
{
    toy_result f;

    open_toy_result(&f, 4);
    CHECK_OK(scs_result_write(f.comm, f.path, &f.head, &f.rows));
    fail_on_one_rank(&f);
    CU_ASSERT_EQUAL(count_files(&f), 1);
    check_file(&f);
    close_toy_result(&f);
}

static void rows_that_do_not_cover_the_plan_are_refused(void)
{
    toy_result f;

    open_toy_result(&f, 4);
    f.plan.n--;
    CHECK_FAILS(scs_result_write(f.comm, f.path, &f.head, &f.rows), SCS_EINTERNAL, "rows");
    f.plan.n++;
    CU_ASSERT_EQUAL(count_files(&f), 0);
    close_toy_result(&f);
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
    toy_result f;

    open_toy_result(&f, 40);
    CHECK_OK(scs_result_write(f.comm, f.path, &f.head, &f.rows));
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &old), 0);
    if (scs_comm_rank(f.comm) == 0)
        limit_file_size(8192);
    CHECK_FAILS(scs_result_write(f.comm, f.path, &f.head, &f.rows), SCS_ECREATE, "screen.h5ad");
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &old), 0);
    CU_ASSERT_EQUAL(count_files(&f), 1);
    check_file(&f);
    close_toy_result(&f);
}

static void a_missing_folder_is_named(void)
{
    toy_result f;
    char path[128];

    open_toy_result(&f, 1);
    snprintf(path, sizeof path, "%s/missing/screen.h5ad", f.folder);
    CHECK_FAILS(scs_result_write(f.comm, path, &f.head, &f.rows), SCS_ECREATE, "missing");
    CU_ASSERT_EQUAL(count_files(&f), 0);
    close_toy_result(&f);
}

static const scs_test tests[] = {
    {"rows of all ranks land right", rows_of_all_ranks_land_right},
    {"a new result replaces the older", a_new_result_replaces_the_older},
    {"a failing rank leaves no file", a_failing_rank_leaves_no_file},
    {"a failing rank leaves the older result", a_failing_rank_leaves_the_older_result},
    {"rows that do not cover the plan are refused", rows_that_do_not_cover_the_plan_are_refused},
    {"no room: one line, and the older result stays", no_room_leaves_the_older_result},
    {"a missing folder is named", a_missing_folder_is_named},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("result_ranks", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
