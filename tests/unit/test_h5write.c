/* Writing HDF5: what was written reads back, the same content has the same bytes, and a failure
 * leaves nothing. */
#include "src/hdf5/h5write.h"
#include "tests/unit/full_disk.h"
#include "tests/unit/scratch.h"

static char *const animal[] = {"gene", "G\xc3\xa9n", ""};
static const scs_names animals = {3, (char **)animal};

static scs_status write_everything(hid_t file)
{
    const float x[6] = {1, 2, 3, 4, 5, 6};
    const int64_t dims[2] = {3, 2}, ends[2] = {0, 7};
    const int32_t codes[3] = {2, -1, 0};
    scs_names none = {0};

    SCS_TRY(scs_h5_anndata(file));
    SCS_TRY(scs_h5_dataframe(file, "obs", &animals, &animals));
    SCS_TRY(scs_h5_dataframe(file, "var", &none, &none));
    SCS_TRY(scs_h5_categorical(file, "obs/gene", &animals, codes, 3));
    SCS_TRY(scs_h5_array(file, "layers/x", H5T_NATIVE_FLOAT, 2, dims, x));
    SCS_TRY(scs_h5_growing(file, "uns/long", H5T_NATIVE_FLOAT, 4));
    for (int i = 0; i < 3; i++)
        SCS_TRY(scs_h5_append(file, "uns/long", H5T_NATIVE_FLOAT, 2 * i, x));
    SCS_TRY(scs_h5_reserve(file, "uns/deep/er/room", H5T_NATIVE_FLOAT, 2, dims));
    SCS_TRY(scs_h5_write_part(file, "uns/deep/er/room", H5T_NATIVE_FLOAT, 0, 1, x + 4));
    SCS_TRY(scs_h5_write_part(file, "uns/deep/er/room", H5T_NATIVE_FLOAT, 1, 2, x));
    SCS_TRY(scs_h5_attr_write_int64(file, "X", "ends", ends, 2, false) == SCS_EIO
                ? SCS_OK
                : SCS_FAIL(SCS_EINTERNAL, "an attribute of nothing was written"));
    SCS_TRY(scs_h5_attr_write_int64(file, "uns", "ends", ends, 2, false));
    SCS_TRY(scs_h5_scalar_text(file, "uns/text", "two words"));
    return scs_h5_scalar_double(file, "uns/number", 0.5);
}

static scs_status write_file(const char *path)
{
    scs_h5_out out;
    scs_status st;

    SCS_TRY(scs_h5_out_create(path, &out));
    SCS_GO(st, write_everything(out.file));
    SCS_GO(st, scs_h5_out_commit(&out));
done:
    scs_h5_out_abandon(&out);
    return st;
}

static void read_floats(hid_t file, const char *path, int n, float *out)
{
    hid_t set = H5Dopen2(file, path, H5P_DEFAULT), space = H5Dget_space(set);

    CU_ASSERT_EQUAL_FATAL(H5Sget_simple_extent_npoints(space), n);
    CU_ASSERT(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
    H5Sclose(space);
    H5Dclose(set);
}

static void check_numbers(hid_t file)
{
    const float room[6] = {5, 6, 1, 2, 3, 4}, grown[6] = {1, 2, 1, 2, 3, 4};
    float x[6];

    read_floats(file, "layers/x", 6, x);
    for (int i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(x[i], (float)(i + 1));
    read_floats(file, "uns/deep/er/room", 6, x);
    CU_ASSERT_EQUAL(memcmp(x, room, sizeof room), 0);
    read_floats(file, "uns/long", 6, x);
    CU_ASSERT_EQUAL(memcmp(x, grown, sizeof grown), 0);
    read_floats(file, "obs/gene/codes", 3, x);
    CU_ASSERT(x[0] == 2 && x[1] == -1 && x[2] == 0);
    read_floats(file, "uns/number", 1, x);
    CU_ASSERT_EQUAL(x[0], 0.5F);
}

static void check_strings(hid_t file)
{
    hid_t set = H5Dopen2(file, "obs/_index", H5P_DEFAULT), type = scs_h5_text_type();
    hid_t space = H5Dget_space(set);
    char *text[3] = {0};

    CU_ASSERT_FATAL(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_STRING_EQUAL(text[i], animal[i]);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, text);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(set);
}

static void reads_back_what_was_written(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    hid_t file;

    scratch_make(folder);
    CHECK_OK(write_file(scratch_path(folder, "a.h5", path)));
    CU_ASSERT_EQUAL(scratch_count(folder), 1);
    file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    CU_ASSERT_FATAL(file >= 0);
    check_numbers(file);
    check_strings(file);
    CU_ASSERT_EQUAL(H5Fget_obj_count(file, H5F_OBJ_ALL), 1);
    H5Fclose(file);
    scratch_remove(folder);
}

static void same_content_same_bytes(void)
{
    char folder[SCRATCH_PATH], a[2 * SCRATCH_PATH], b[2 * SCRATCH_PATH];

    scratch_make(folder);
    CHECK_OK(write_file(scratch_path(folder, "a.h5", a)));
    sleep(1); /* HDF5's own times have seconds */
    CHECK_OK(write_file(scratch_path(folder, "b.h5", b)));
    CU_ASSERT(scratch_same(a, b));
    scratch_remove(folder);
}

static void refuses_what_cannot_be_created(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH], file[2 * SCRATCH_PATH];

    scratch_make(folder);
    scratch_write(scratch_path(folder, "file", file), "text");
    CHECK_FAILS(write_file(scratch_path(folder, "none/a.h5", path)), SCS_ECREATE, "none/a.h5");
    CHECK_FAILS(write_file(scratch_path(folder, "none/a.h5", path)), SCS_ECREATE,
                "make its folder");
    CHECK_FAILS(write_file(scratch_path(folder, "file/a.h5", path)), SCS_ECREATE, "file/a.h5");
    CHECK_FAILS(scs_file_make_folder(scratch_path(folder, "file/out", path)), SCS_ECREATE,
                "file/out");
    CHECK_FAILS(scs_file_make_folder(file), SCS_ECREATE, "file stands where a folder is needed");
    CU_ASSERT_EQUAL(scratch_count(folder), 1);
    scratch_remove(folder);
}

static void makes_folders(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];

    scratch_make(folder);
    CHECK_OK(scs_file_make_folder(scratch_path(folder, "a//b/c/", path)));
    CHECK_OK(scs_file_make_folder(path));
    CU_ASSERT_EQUAL(access(path, W_OK), 0);
    scratch_remove(folder);
}

static void abandoned_leaves_the_old_file(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH], *text;
    scs_h5_out out;
    size_t size;

    scratch_make(folder);
    scratch_write(scratch_path(folder, "a.h5", path), "old");
    CHECK_OK(scs_h5_out_create(path, &out));
    CU_ASSERT_EQUAL(scratch_count(folder), 2);
    CHECK_OK(write_everything(out.file));
    scs_h5_out_abandon(&out);
    scs_h5_out_abandon(&out);
    CU_ASSERT_EQUAL(scratch_count(folder), 1);
    text = scratch_read(path, &size);
    CU_ASSERT_STRING_EQUAL(text, "old");
    free(text);
    scratch_remove(folder);
}

static void removes_stale_files_only(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH], *temp;
    static const char *const others[] = {"a.h5.tmp.x", "a.h5.tmp.", "b.h5.tmp.999999999",
                                         "a.h5.tmp.1"};

    scratch_make(folder);
    scratch_write(scratch_path(folder, "a.h5.tmp.999999999", path), "of a process that is gone");
    for (int i = 0; i < 4; i++)
        scratch_write(scratch_path(folder, others[i], path), "of somebody else");
    CHECK_OK(scs_file_temp_name(scratch_path(folder, "a.h5", path), &temp));
    CU_ASSERT_EQUAL(scratch_count(folder), 4);
    CU_ASSERT_EQUAL(strncmp(temp, path, strlen(path)), 0);
    CHECK_OK(scs_file_create(temp));
    /* told by the name that the user knows, but a file of somebody else's by its own */
    CHECK_FAILS(scs_file_create(temp), SCS_ECREATE, "/a.h5: cannot be created: File exists");
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(scs_file_known_length(others[i]), (int)strlen(others[i]));
    free(temp);
    scratch_remove(folder);
}

static scs_status write_path(void *path)
{
    return write_file(path);
}

/* Every size of disk: either the whole file, or SCS_ECREATE and the older file as it was. */
static void full_disk_is_noticed(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH], whole[2 * SCRATCH_PATH];
    int64_t limit = 0, most;
    int status = SCS_ECREATE;
    struct stat info;

    scratch_make(folder);
    CHECK_OK(write_file(scratch_path(folder, "whole.h5", whole)));
    CU_ASSERT_EQUAL_FATAL(stat(whole, &info), 0);
    most = info.st_size + (1 << 17); /* room that is reserved, and given back */
    scratch_path(folder, "a.h5", path);
    while (status != SCS_OK && limit < most) {
        limit += 512;
        scratch_write(path, "old");
        status = full_disk_run(limit, write_path, path, "a.h5");
        CU_ASSERT(status == SCS_OK || status == SCS_ECREATE);
        CU_ASSERT_EQUAL(scratch_same(path, whole), status == SCS_OK);
        CU_ASSERT_EQUAL(scratch_count(folder), 2);
    }
    CU_ASSERT(status == SCS_OK && limit >= info.st_size);
    scratch_remove(folder);
}

int main(void)
{
    static const scs_test tests[] = {
        {"what was written reads back", reads_back_what_was_written},
        {"same content, same bytes", same_content_same_bytes},
        {"a path that cannot be created is refused", refuses_what_cannot_be_created},
        {"folders are made with their parents", makes_folders},
        {"an abandoned file leaves the old one", abandoned_leaves_the_old_file},
        {"stale temporary files are removed, others not", removes_stale_files_only},
        {"a full disk at any byte is noticed", full_disk_is_noticed},
    };

    return run_suite("h5write", tests, sizeof tests / sizeof *tests);
}
