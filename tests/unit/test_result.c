/* The result file: a skeleton that plain HDF5 fills and reads, and the table for the terminal. */
#include "scscreen/result.h"
#include "src/hdf5/h5write.h"
#include "src/result/result_type.h"
#include "tests/unit/full_disk.h"
#include "tests/unit/scratch.h"

#include <math.h>

enum { GENES = 5, LATENT = 3, ROWS = 4 };

static char *species[] = {"human", "mouse"};
static char *cell_types[] = {"B", "CD4 T\x1b[1m"}; /* a label that would colour a terminal */
static char *conditions[] = {"control", "drug_1", "drug_2"};
static char *genes[] = {"G1", "G2", "G3", "G4", "G5"};
static char *sources[] = {"own", "donors: human", "self"};
static char *reasons[] = {"", "too far away"};
static scs_group groups[] = {{0, 0, 0, false, 11}, {0, 0, 1, true, 7},   {0, 1, 0, false, 12},
                             {0, 1, 1, false, 9},  {1, 0, 0, false, 13}, {1, 0, 2, true, 8}};
static scs_combination items[ROWS] = {
    {.cell_type = 0, .condition = 1, .control_group = 0, .observed_group = 1, .held_out = true},
    {.condition = 2, .control_group = 0, .observed_group = -1, .source = 1},
    {.cell_type = 1, .condition = 1, .control_group = 2, .observed_group = 3},
    {.species = 1,
     .condition = 2,
     .control_group = 4,
     .observed_group = 5,
     .held_out = true,
     .status = SCS_ROW_NO_SOURCE,
     .source = 2,
     .reason = 1}};
static const scs_plan plan = {
    .n = ROWS, .item = items, .sources = {3, sources}, .reasons = {2, reasons}};
static const scs_fact facts[] = {
    {"version", "1.2.3", 0}, {"config", "a: 1\nb: 2\n", 0}, {"seed", NULL, 7}};
static scs_scores scores[ROWS] = {{.9, .8, .7, .6, .5, .4, .3},
                                  {NAN, NAN, NAN, NAN, NAN, NAN, NAN},
                                  {.95, .85, .75, .65, .55, .45, 1.35},
                                  {.7, NAN, .5, .4, .3, .2, .1}};

static scs_atlas atlas_of(int32_t n_species)
{
    return (scs_atlas){.species = {n_species, species},
                       .cell_types = {2, cell_types},
                       .conditions = {3, conditions},
                       .genes = {GENES, genes},
                       .n_group = 6,
                       .n_latent = LATENT,
                       .n_gene = GENES,
                       .group = groups};
}

static scs_result_head head_of(const scs_atlas *atlas, bool variance)
{
    return (scs_result_head){.atlas = atlas,
                             .plan = &plan,
                             .dense = true,
                             .variance = variance,
                             .errors = variance,
                             .bootstrap = variance,
                             .permutations = true,
                             .fact = facts,
                             .n_fact = 3};
}

/* Values that say where they belong: matrix m, row, column. */
static float value(int matrix, int64_t row, int64_t column)
{
    return (float)(100 * matrix + 10 * row + column);
}

typedef struct filled {
    scs_result_rows rows;
    float matrix[4][ROWS * GENES], delta[ROWS * LATENT];
    double norm[ROWS];
    scs_confidence confidence[ROWS];
} filled;

static void fill(filled *f)
{
    for (int64_t i = 0; i < ROWS; i++) {
        for (int m = 0; m < 4; m++)
            for (int64_t g = 0; g < GENES; g++)
                f->matrix[m][i * GENES + g] = value(m, i, g);
        for (int64_t k = 0; k < LATENT; k++)
            f->delta[i * LATENT + k] = value(4, i, k);
        f->norm[i] = 1.5 * (double)i;
        f->confidence[i] = scs_confidence_none();
        f->confidence[i].support = 10 * (double)i;
        f->confidence[i].q_value = .25 * (double)i;
        f->confidence[i].support_flag = i == 2;
    }
    f->rows = (scs_result_rows){.n = ROWS,
                                .x = f->matrix[0],
                                .control = f->matrix[1],
                                .shift = f->matrix[2],
                                .variance = f->matrix[3],
                                .shift_se = f->matrix[1],
                                .delta = f->delta,
                                .delta_se = f->delta,
                                .delta_norm = f->norm,
                                .score = scores,
                                .confidence = f->confidence};
}

/* What the ranks do together, done alone: rows in two parts, with plain HDF5. */
static void fill_file(const char *path, const scs_result_head *head, const filled *f)
{
    scs_result_field field[SCS_RESULT_FIELDS];
    int32_t n = scs_result_fields(head, field);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    double scratch[ROWS];

    CU_ASSERT_FATAL(file >= 0);
    for (int32_t i = 0; i < n; i++) {
        hid_t type = scs_result_type(field[i].type);
        size_t row = scs_result_fields_value_size(field[i].type) *
                     (size_t)(field[i].cols ? field[i].cols : 1);
        const char *data = scs_result_fields_data(&f->rows, &field[i], scratch);

        CU_ASSERT_PTR_NOT_NULL_FATAL(data);
        CHECK_OK(scs_h5_write_part(file, field[i].path, type, 0, 1, data));
        CHECK_OK(scs_h5_write_part(file, field[i].path, type, 1, ROWS - 1, data + row));
        H5Tclose(type);
    }
    CU_ASSERT(H5Fclose(file) >= 0);
}

static void read_doubles(hid_t file, const char *path, int n, double *out)
{
    hid_t set = H5Dopen2(file, path, H5P_DEFAULT), space = H5Dget_space(set);

    CU_ASSERT_EQUAL_FATAL(H5Sget_simple_extent_npoints(space), n);
    CU_ASSERT(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
    H5Sclose(space);
    H5Dclose(set);
}

static void check_matrix(hid_t file, const char *path, int matrix, int cols)
{
    double x[ROWS * GENES];

    read_doubles(file, path, ROWS * cols, x);
    for (int i = 0; i < ROWS; i++)
        for (int c = 0; c < cols; c++)
            CU_ASSERT_EQUAL(x[i * cols + c], value(matrix, i, c));
}

static void check_column(hid_t file, const char *path, const double *expected)
{
    double x[ROWS];

    read_doubles(file, path, ROWS, x);
    for (int i = 0; i < ROWS; i++)
        CU_ASSERT(x[i] == expected[i] || (isnan(x[i]) && isnan(expected[i])));
}

static void check_flags(hid_t file, const char *path, const int8_t *expected)
{
    hid_t set = H5Dopen2(file, path, H5P_DEFAULT), type = scs_h5_bool_type();
    int8_t flag[ROWS];

    CU_ASSERT(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, flag) >= 0);
    CU_ASSERT(memcmp(flag, expected, ROWS) == 0);
    H5Tclose(type);
    H5Dclose(set);
}

static void check_counts(hid_t file)
{
    const double control[ROWS] = {11, 11, 12, 13}, observed[ROWS] = {7, 0, 9, 8};
    const double norm[ROWS] = {0, 1.5, 3, 4.5}, all[ROWS] = {.9, NAN, .95, .7};
    const double deg_control[ROWS] = {.4, NAN, .45, .2}, size[ROWS] = {.3, NAN, 1.35, .1};
    const double support[ROWS] = {0, 10, 20, 30}, q[ROWS] = {0, .25, .5, .75};

    check_column(file, "obs/n_control", control);
    check_column(file, "obs/n_observed", observed);
    check_column(file, "obs/delta_norm", norm);
    check_column(file, "obs/r2_all", all);
    check_column(file, "obs/r2_deg_control", deg_control);
    check_column(file, "obs/change_size", size);
    check_column(file, "obs/support", support);
    check_column(file, "obs/q_value", q);
    check_flags(file, "obs/held_out", (const int8_t[ROWS]){1, 0, 0, 1});
    check_flags(file, "obs/support_flag", (const int8_t[ROWS]){0, 0, 1, 0});
}

static void write_filled(const char *path, bool variance)
{
    scs_atlas atlas = atlas_of(2);
    scs_result_head head = head_of(&atlas, variance);
    filled f;
    char *temp;

    fill(&f);
    CHECK_OK(scs_file_temp_name(path, &temp));
    CHECK_OK(scs_result_skeleton(temp, &head));
    fill_file(temp, &head, &f);
    CHECK_OK(scs_result_commit(temp, path));
    free(temp);
}

static void rows_land_where_they_belong(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    hid_t file;

    scratch_make(folder);
    write_filled(scratch_path(folder, "screen.h5ad", path), true);
    CU_ASSERT_EQUAL(scratch_count(folder), 1);
    file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    CU_ASSERT_FATAL(file >= 0);
    check_matrix(file, "X", 0, GENES);
    check_matrix(file, "layers/control", 1, GENES);
    check_matrix(file, "layers/shift", 2, GENES);
    check_matrix(file, "layers/variance", 3, GENES);
    check_matrix(file, "obsm/delta", 4, LATENT);
    check_counts(file);
    CU_ASSERT(H5Fclose(file) >= 0);
    write_filled(path, false);
    file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    CU_ASSERT_EQUAL(H5Lexists(file, "layers/variance", H5P_DEFAULT), 0);
    CU_ASSERT(H5Fclose(file) >= 0);
    scratch_remove(folder);
}

/* So that ranks can write rows in any order, and no row can run out of disk. */
static void fields_are_contiguous_and_reserved(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    scs_result_field field[SCS_RESULT_FIELDS];
    scs_atlas atlas = atlas_of(2);
    scs_result_head head = head_of(&atlas, true);
    struct stat info;
    hid_t file;

    scratch_make(folder);
    CHECK_OK(scs_result_skeleton(scratch_path(folder, "t", path), &head));
    CU_ASSERT_EQUAL_FATAL(stat(path, &info), 0);
    CU_ASSERT(info.st_blocks * 512 >= info.st_size);
    file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    for (int32_t i = 0; i < scs_result_fields(&head, field); i++) {
        hid_t set = H5Dopen2(file, field[i].path, H5P_DEFAULT), dcpl = H5Dget_create_plist(set);
        H5D_fill_time_t fill_time;
        haddr_t at = H5Dget_offset(set);

        CU_ASSERT_EQUAL(H5Pget_layout(dcpl), H5D_CONTIGUOUS);
        CU_ASSERT(H5Pget_fill_time(dcpl, &fill_time) >= 0 && fill_time == H5D_FILL_TIME_NEVER);
        CU_ASSERT(at != HADDR_UNDEF && at + H5Dget_storage_size(set) <= (haddr_t)info.st_size);
        H5Pclose(dcpl);
        H5Dclose(set);
    }
    CU_ASSERT(H5Fclose(file) >= 0);
    CHECK_FAILS(scs_result_skeleton(path, &head), SCS_ECREATE, "exists");
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    scratch_remove(folder);
}

static scs_status write_and_commit(void *path)
{
    scs_atlas atlas = atlas_of(2);
    scs_result_head head = head_of(&atlas, true);
    char *temp;
    scs_status st;

    SCS_TRY(scs_file_temp_name(path, &temp));
    st = scs_result_skeleton(temp, &head);
    st = st == SCS_OK ? scs_result_commit(temp, path) : st;
    free(temp);
    return st;
}

static void full_disk_leaves_the_older_result(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH], *text;
    int n_failed = 0, status = SCS_ECREATE;
    size_t size;

    scratch_make(folder);
    scratch_path(folder, "screen.h5ad", path);
    for (int64_t limit = 256; status != SCS_OK; limit += 2048, n_failed++) {
        scratch_write(path, "old");
        status = full_disk_run(limit, write_and_commit, path, "screen.h5ad");
        CU_ASSERT_EQUAL(scratch_count(folder), 1);
        CU_ASSERT_FATAL(status == SCS_OK || status == SCS_ECREATE);
        text = scratch_read(path, &size);
        CU_ASSERT_EQUAL(strcmp(text, "old") == 0, status != SCS_OK);
        free(text);
    }
    CU_ASSERT(n_failed > 5);
    scratch_path(folder, "none/screen.h5ad", path);
    CHECK_FAILS(write_and_commit(path), SCS_ECREATE, "none/screen.h5ad");
    scratch_remove(folder);
}

/* The table as text. */
static void table_text(int32_t n_species, const scs_plan *p, bool held_out_only, char *text,
                       size_t size)
{
    scs_atlas atlas = atlas_of(n_species);
    FILE *out = fmemopen(text, size, "w");

    memset(text, 0, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    scs_ranking_table(out, &atlas, p, scores, held_out_only);
    fclose(out);
}

static int lines_of(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void table_shows_scores_beside_no_change(void)
{
    const scs_plan one_species = {
        .n = 3, .item = items, .sources = {3, sources}, .reasons = {2, reasons}};
    char text[4096];

    table_text(2, &plan, true, text, sizeof text);
    CU_ASSERT_EQUAL(lines_of(text), 6); /* heading, titles, two rows, their mean */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "never seen in training"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "0.900 (0.500)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "    - (0.200)")); /* a score that is NaN */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "0.800 (0.400)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "0.800 (0.300)")); /* means: r2_deg over its one number */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "mouse"));
    table_text(1, &one_species, false, text, sizeof text);
    CU_ASSERT_EQUAL(lines_of(text), 6);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "predicted from the others"));
    CU_ASSERT_PTR_NULL(strstr(text, "human "));
    CU_ASSERT_PTR_NULL(strchr(text, '\x1b'));
    CU_ASSERT_PTR_NULL(strstr(text, "drug_2")); /* was never observed */
}

/* Scores of a row against the cells that it was made of are no test: it is counted, not listed, and
 * moves no mean. */
static void rows_of_their_own_cells_stand_apart(void)
{
    scs_combination item[3] = {items[0], items[2], items[2]};
    const scs_plan some = {.n = 3, .item = item, .sources = {3, sources}, .reasons = {2, reasons}};
    char text[4096], mean[4096];

    item[0].held_out = false;
    table_text(1, &some, false, mean, sizeof mean);
    CU_ASSERT_PTR_NOT_NULL(strstr(mean, "0.850 (")); /* of .9, .7 and NaN */
    item[2].kind = SCS_SOURCE_SELF;
    item[2].source = 2;
    table_text(1, &some, false, text, sizeof text);
    CU_ASSERT_EQUAL(lines_of(text),
                    8); /* two rows and their mean; an empty line and one of words */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "1 of 3 combinations have no source but their own cells"));
    CU_ASSERT_PTR_NULL(strstr(text, "With one cell type")); /* there are two */
    item[0].kind = item[1].kind = SCS_SOURCE_SELF;
    table_text(1, &some, false, text, sizeof text);
    CU_ASSERT_EQUAL(lines_of(text), 2);
    CU_ASSERT_PTR_NULL(strstr(text, "predicted from the others"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "3 of 3 combinations"));
    CU_ASSERT_PTR_NULL(strstr(text, "mean  "));
}

static void table_without_rows_is_empty(void)
{
    const scs_plan unscored = {
        .n = 1, .item = items + 1, .sources = {3, sources}, .reasons = {2, reasons}};
    char text[4096];

    table_text(1, &unscored, false, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "");
}

int main(void)
{
    static const scs_test tests[] = {
        {"rows land where they belong", rows_land_where_they_belong},
        {"fields are contiguous and reserved", fields_are_contiguous_and_reserved},
        {"a full disk leaves the older result", full_disk_leaves_the_older_result},
        {"the table shows scores beside no change", table_shows_scores_beside_no_change},
        {"rows of their own cells stand apart", rows_of_their_own_cells_stand_apart},
        {"a table without rows is empty", table_without_rows_is_empty},
    };

    return run_suite("result", tests, sizeof tests / sizeof *tests);
}
