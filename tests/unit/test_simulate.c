/* A simulated atlas: same seed, same bytes; bounded memory; counts as the model says; orthologs
 * that lead back to the reference; a full disk leaves no file. */
#include "src/simulate/simulate.h"
#include "src/hdf5/h5write.h"
#include "src/simulate/sim_model.h"
#include "src/simulate/sim_truth.h"
#include "tests/unit/full_disk.h"
#include "tests/unit/scratch.h"

#include <math.h>
#include <omp.h>

static scs_config small_config(char *folder)
{
    scs_config config = {0};

    config.simulate.dir = folder;
    config.simulate.genes = 60;
    config.simulate.cells = 40;
    config.simulate.cell_types = 3;
    config.simulate.perturbations = 2;
    config.simulate.species = 2;
    config.simulate.seed = 7;
    config.simulate.effect = 1;
    config.simulate.counts = 500;
    config.simulate.dispersion = 2;
    return config;
}

static void simulate(char *folder, uint32_t seed)
{
    scs_config config = small_config(folder);

    config.simulate.seed = seed;
    CHECK_OK(scs_simulate(&config, NULL));
}

static const char *const files[] = {"species_a.h5ad", "species_b.h5ad", "species_b.orthologs.tsv",
                                    "truth.h5ad"};
enum { N_FILE = sizeof files / sizeof *files };

/* @return how many of the files are the same in both folders */
static int same_files(const char *a, const char *b)
{
    char path_a[2 * SCRATCH_PATH], path_b[2 * SCRATCH_PATH];
    int same = 0;

    for (int i = 0; i < N_FILE; i++)
        same += scratch_same(scratch_path(a, files[i], path_a), scratch_path(b, files[i], path_b));
    return same;
}

static void same_seed_same_bytes(void)
{
    char a[SCRATCH_PATH], b[SCRATCH_PATH], c[SCRATCH_PATH];

    scratch_make(a);
    scratch_make(b);
    scratch_make(c);
    omp_set_num_threads(3);
    simulate(a, 7);
    CU_ASSERT_EQUAL(scratch_count(a), N_FILE);
    sleep(1); /* HDF5's own times have seconds */
    omp_set_num_threads(1);
    simulate(b, 7);
    simulate(c, 8);
    CU_ASSERT_EQUAL(same_files(a, b), N_FILE);
    CU_ASSERT_EQUAL(same_files(a, c), 0);
    scratch_remove(c);
    scratch_remove(b);
    scratch_remove(a);
}

/* A whole 1-d dataset as double; caller frees. */
static double *read_all(const char *path, const char *dataset, int64_t *n)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, dataset, H5P_DEFAULT), space = H5Dget_space(set);
    double *out;

    *n = H5Sget_simple_extent_npoints(space);
    CHECK_OK(SCS_ALLOC(out, *n));
    CU_ASSERT(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
    return out;
}

static void matrix_is_well_formed(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    int64_t n_end, n_value, n_index, n_own = 60 + 60 / 50 + 3, n_cell = 40 * 3 * 3;
    double *end, *value, *index;

    scratch_make(folder);
    simulate(folder, 7);
    scratch_path(folder, files[1], path);
    end = read_all(path, "X/indptr", &n_end);
    value = read_all(path, "X/data", &n_value);
    index = read_all(path, "X/indices", &n_index);
    CU_ASSERT(n_end == n_cell + 1 && n_index == n_value && end[0] == 0);
    CU_ASSERT_EQUAL_FATAL(end[n_cell], (double)n_value);
    for (int64_t i = 0; i < n_cell; i++)
        for (int64_t k = (int64_t)end[i]; k < (int64_t)end[i + 1]; k++) {
            CU_ASSERT(value[k] >= 1 && value[k] == floor(value[k]));
            CU_ASSERT(index[k] >= 0 && index[k] < (double)n_own);
            CU_ASSERT(k == (int64_t)end[i] || index[k] > index[k - 1]);
        }
    free(index);
    free(value);
    free(end);
    scratch_remove(folder);
}

enum {
    OWN = 64,
    ALL = OWN
}; /* ALL: the mean over the genes of a cell, which sees the total best */

typedef struct moments {
    double sum[OWN + 1], square[OWN + 1], library;
} moments;

static void add(moments *m, int i, double x)
{
    m->sum[i] += x;
    m->square[i] += x * x;
}

/* Adds log1p(1e4 * count / total) of one cell's genes. */
static void add_cell(const scs_sim *sim, scs_sim_group group, int64_t cell, const double *share,
                     moments *m)
{
    scs_sampler sampler = scs_sim_cell(sim, group, cell);
    double library = scs_sim_library(sim, &sampler), count[OWN], total = 0, all = 0;

    for (int32_t g = 0; g < sim->n_own; g++) {
        count[g] = (double)scs_sampler_count(&sampler, library * share[g], sim->dispersion);
        total += count[g];
    }
    for (int32_t g = 0; g < sim->n_own; g++) {
        double x = log1p(1e4 * count[g] / total);

        add(m, g, x);
        all += x / sim->n_own;
    }
    add(m, ALL, all);
    m->library += library;
}

/* The mean library size is simulate.counts; the truth is the mean over many cells, within 5
 * standard errors. */
static void counts_follow_the_model(void)
{
    scs_config config = small_config(NULL);
    scs_sim_group group = {1, 2, 1};
    enum { CELLS = 30000 };
    scs_expectation table;
    moments m = {0};
    double *share, v, all = 0;
    scs_sim sim;

    CHECK_OK(scs_sim_create(&config, &sim));
    CU_ASSERT_EQUAL_FATAL(sim.n_own, OWN);
    CHECK_OK(SCS_ALLOC(share, sim.n_own));
    CHECK_OK(scs_sim_shares(&sim, group, share));
    CHECK_OK(scs_sim_truth_expectation_create(&sim, 1e4, &table));
    v = scs_sim_truth_total_variance(&sim, share);
    for (int64_t cell = 0; cell < CELLS; cell++)
        add_cell(&sim, group, cell, share, &m);
    CU_ASSERT_DOUBLE_EQUAL(m.library / CELLS, 500, 5 * 500 * 0.31 / sqrt(CELLS));
    for (int g = 0; g <= OWN; g++) {
        double expected = g < OWN ? scs_sim_truth_expectation_at(&table, share[g], v) : all / OWN;
        double mean = m.sum[g] / CELLS, variance = m.square[g] / CELLS - mean * mean;

        CU_ASSERT(variance > 0);
        CU_ASSERT_DOUBLE_EQUAL(mean, expected, 5 * sqrt(variance / CELLS));
        all += expected;
    }
    scs_sim_truth_expectation_clear(&table);
    free(share);
    scs_sim_clear(&sim);
}

static void shares_sum_to_one(void)
{
    scs_config config = small_config(NULL);
    double *share, sum;
    scs_sim sim;

    CHECK_OK(scs_sim_create(&config, &sim));
    CHECK_OK(SCS_ALLOC(share, sim.n_own));
    for (int32_t c = 0; c < 3; c++) {
        sum = 0;
        CHECK_OK(scs_sim_shares(&sim, (scs_sim_group){1, 0, c}, share));
        for (int32_t g = 0; g < sim.n_own; g++) {
            CU_ASSERT(share[g] > 0);
            sum += share[g];
        }
        CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-12);
    }
    free(share);
    scs_sim_clear(&sim);
}

/* With counts that do not vary (large dispersion and mean) the expectation has a closed form. */
static void expectation_has_its_limits(void)
{
    scs_config config = small_config(NULL);
    scs_expectation table;
    scs_sim sim;

    config.simulate.counts = 1e6;
    config.simulate.dispersion = 1e6;
    CHECK_OK(scs_sim_create(&config, &sim));
    CU_ASSERT_DOUBLE_EQUAL(scs_sim_truth_expected_log(&sim, 1e4, 0.25).value, log1p(2500), 1e-4);
    CU_ASSERT_DOUBLE_EQUAL(scs_sim_truth_expected_log(&sim, 1e4, 0).value, 0, 1e-12);
    /* rare genes: one count or none */
    CU_ASSERT_DOUBLE_EQUAL(scs_sim_truth_expected_log(&sim, 1e6, 1e-12).value / 1e-6, log(2), 0.05);
    CHECK_OK(scs_sim_truth_expectation_create(&sim, 1e4, &table));
    for (double share = 1e-9; share <= 1; share *= 1.7)
        CU_ASSERT_DOUBLE_EQUAL(scs_sim_truth_expectation_at(&table, share, 0),
                               scs_sim_truth_expected_log(&sim, 1e4, share).value, 1e-4);
    CU_ASSERT(scs_sim_truth_expectation_at(&table, 0, 1) < 1e-6);
    scs_sim_truth_expectation_clear(&table);
    scs_sim_clear(&sim);
}

static double correlation(const double *a, const double *b, int32_t n)
{
    double aa = 0, bb = 0, ab = 0;

    for (int32_t i = 0; i < n; i++) {
        aa += a[i] * a[i];
        bb += b[i] * b[i];
        ab += a[i] * b[i];
    }
    return ab / sqrt(aa * bb);
}

/* Only some genes respond; types of one lineage (0, 1) respond more alike than others (0, 2);
 * perturbations differ. */
static void close_types_respond_alike(void)
{
    static const scs_sim_group groups[] = {{0, 0, 1}, {0, 1, 1}, {0, 2, 1}, {1, 0, 1}, {0, 0, 2}};
    scs_config config = small_config(NULL);
    double *response[5];
    int32_t moved = 0;
    scs_sim sim;

    config.simulate.genes = 2000;
    CHECK_OK(scs_sim_create(&config, &sim));
    for (int i = 0; i < 5; i++) {
        CHECK_OK(SCS_ALLOC(response[i], sim.n_gene));
        CHECK_OK(scs_sim_response(&sim, groups[i], response[i]));
    }
    for (int32_t g = 0; g < sim.n_gene; g++)
        moved += response[0][g] != 0;
    CU_ASSERT(moved > 400 && moved < 600);
    CU_ASSERT(correlation(response[0], response[1], 2000) > 0.95);
    CU_ASSERT(correlation(response[0], response[2], 2000) <
              correlation(response[0], response[1], 2000) - 0.05);
    CU_ASSERT(correlation(response[0], response[3], 2000) > 0.8);
    CU_ASSERT(fabs(correlation(response[0], response[4], 2000)) < 0.2);
    for (int i = 0; i < 5; i++)
        free(response[i]);
    scs_sim_clear(&sim);
}

/* Every reference gene once by a one-to-one row, and that row's own column holds that gene. */
static void orthologs_lead_back(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH], own[64], reference[64], type[64];
    int32_t order[64], seen[60] = {0}, column, gene, dropped = 0;
    scs_config config = small_config(NULL);
    scs_sim sim;
    FILE *f;

    scratch_make(folder);
    simulate(folder, 7);
    CHECK_OK(scs_sim_create(&config, &sim));
    CU_ASSERT_EQUAL_FATAL(sim.n_own, 64);
    CHECK_OK(scs_sim_order(&sim, 1, order));
    f = fopen(scratch_path(folder, files[2], path), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fscanf(f, "%63s %63s %63s", own, reference, type), 3);
    CU_ASSERT_STRING_EQUAL(type, "type");
    while (fscanf(f, " b_gene_%d %63s %63s ", &column, reference, type) == 3) {
        if (strcmp(type, "ortholog_one2one") != 0) {
            CU_ASSERT_STRING_EQUAL(reference, "a_only_0001");
            dropped++;
            continue;
        }
        CU_ASSERT_EQUAL_FATAL(sscanf(reference, "gene_%d", &gene), 1);
        CU_ASSERT_EQUAL(order[column - 1], gene - 1);
        seen[gene - 1]++;
    }
    CU_ASSERT(feof(f));
    fclose(f);
    for (int g = 0; g < 60; g++)
        CU_ASSERT_EQUAL(seen[g], 1);
    CU_ASSERT_EQUAL(dropped, 2);
    scs_sim_clear(&sim);
    scratch_remove(folder);
}

/* Under AddressSanitizer and valgrind freed memory is held back, so that the peak says nothing. */
static bool holds_freed_memory(void)
{
    const char *preload = getenv("LD_PRELOAD"); /* valgrind sets it */
#ifdef __SANITIZE_ADDRESS__
    return true;
#endif
    return preload && strstr(preload, "vgpreload");
}

static int64_t peak_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Twice the cells (15 MB more in the file) may not need 8 MiB more. */
static void memory_does_not_grow_with_cells(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    scs_config config = small_config(folder);
    struct stat info;
    int64_t before;

    scratch_make(folder);
    config.simulate.genes = 200;
    config.simulate.species = config.simulate.perturbations = config.simulate.cell_types = 1;
    config.simulate.cells = 11000; /* more than a block */
    CHECK_OK(scs_simulate(&config, NULL));
    before = peak_kib();
    config.simulate.cells = 22000;
    CHECK_OK(scs_simulate(&config, NULL));
    CU_ASSERT_EQUAL(stat(scratch_path(folder, files[0], path), &info), 0);
    CU_ASSERT(info.st_size > 30000000);
    CU_ASSERT(peak_kib() - before < 8192 || holds_freed_memory());
    scratch_remove(folder);
}

static void refuses_bad_sizes(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    scs_config config = small_config(folder);

    scratch_make(folder);
    config.simulate.cell_types = 100000000;
    CHECK_FAILS(scs_simulate(&config, NULL), SCS_EARG, "groups");
    config.simulate.cell_types = 3;
    config.simulate.cells = (int64_t)1 << 60;
    CHECK_FAILS(scs_simulate(&config, NULL), SCS_EARG, "cells");
    config.simulate.cells = 0;
    CHECK_FAILS(scs_simulate(&config, NULL), SCS_EARG, "1 or more");
    config = small_config("");
    CHECK_FAILS(scs_simulate(&config, NULL), SCS_EARG, "simulate.dir");
    scratch_write(scratch_path(folder, "file", path), "text");
    config = small_config(path);
    CHECK_FAILS(scs_simulate(&config, NULL), SCS_ECREATE, "file");
    CU_ASSERT_EQUAL(scratch_count(folder), 1);
    scratch_remove(folder);
}

static scs_status simulate_into(void *folder)
{
    scs_config config = small_config(folder);

    return scs_simulate(&config, NULL);
}

static void full_disk_leaves_no_part(void)
{
    char folder[SCRATCH_PATH];

    scratch_make(folder);
    for (int64_t limit = 1000; limit < 120000; limit += 17000) {
        CU_ASSERT_EQUAL(full_disk_run(limit, simulate_into, folder, folder), SCS_ECREATE);
        CU_ASSERT_EQUAL(scratch_count(folder), 0);
    }
    CU_ASSERT_EQUAL(full_disk_run(10000000, simulate_into, folder, folder), SCS_OK);
    CU_ASSERT_EQUAL(scratch_count(folder), N_FILE);
    scratch_remove(folder);
}

int main(void)
{
    static const scs_test tests[] = {
        {"same seed, same bytes on any number of threads", same_seed_same_bytes},
        {"the matrix is well formed", matrix_is_well_formed},
        {"counts follow the model", counts_follow_the_model},
        {"shares sum to one", shares_sum_to_one},
        {"the expectation has its limits", expectation_has_its_limits},
        {"close types respond alike", close_types_respond_alike},
        {"orthologs lead back to the reference", orthologs_lead_back},
        {"memory does not grow with cells", memory_does_not_grow_with_cells},
        {"bad sizes are refused", refuses_bad_sizes},
        {"a full disk leaves no part of a file", full_disk_leaves_no_part},
    };

    return run_suite("simulate", tests, sizeof tests / sizeof *tests);
}
