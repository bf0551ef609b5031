/** A result whose rows are spread unevenly over the ranks, and a folder to write it to. */
#ifndef SCS_TESTS_FIXTURE_RESULT_H
#define SCS_TESTS_FIXTURE_RESULT_H

#include "mpi/screen/store.h"
#include "src/screen/plan.h"
#include "tests/mpi/mpi_suite.h"
#include "tests/mpi/fixture_formula.h"

#include <dirent.h>
#include <math.h>

enum { FORMULA_GENES = 7, FORMULA_LATENT = 3, FORMULA_CELLS = 60 };

typedef struct result_fixture {
    scs_comm *comm;
    scs_dataset *dataset;
    scs_atlas *atlas;
    scs_plan plan;
    scs_fact fact;
    scs_result_head head;
    scs_session session; /* as much of one as the store looks at */
    char folder[64], path[96];
} result_fixture;

/* Value of column j of row i in the field whose path has this length: distinct everywhere. */
static inline double value_of(size_t path_length, int64_t row, int64_t j)
{
    return (double)path_length * 1000 + (double)row * 20 + (double)j + 0.5;
}

static inline float *float_rows(const char *path, int64_t first, int64_t n, int64_t cols)
{
    float *values;

    CHECK_OK(SCS_ALLOC(values, n * cols));
    for (int64_t i = 0; i < n * cols; i++)
        values[i] = (float)value_of(strlen(path), first + i / cols, i % cols);
    return values;
}

static inline void fill_scores(scs_result_rows *rows)
{
    CHECK_OK(SCS_ALLOC(rows->score, rows->n));
    CHECK_OK(SCS_ALLOC(rows->confidence, rows->n));
    CHECK_OK(SCS_ALLOC(rows->delta_norm, rows->n));
    for (int64_t i = 0; i < rows->n; i++) {
        rows->delta_norm[i] = value_of(strlen("obs/delta_norm"), rows->first + i, 0);
        rows->score[i].r2_all = value_of(strlen("obs/r2_all"), rows->first + i, 0);
        rows->score[i].r2_deg = (double)NAN;
        rows->confidence[i].support = value_of(strlen("obs/support"), rows->first + i, 0);
        rows->confidence[i].support_flag = (rows->first + i) % 3 == 0;
    }
}

static inline void make_rows(int64_t first, int64_t n, scs_result_rows *rows)
{
    *rows = (scs_result_rows){.first = first,
                              .n = n,
                              .x = float_rows("X", first, n, FORMULA_GENES),
                              .control = float_rows("layers/control", first, n, FORMULA_GENES),
                              .shift = float_rows("layers/shift", first, n, FORMULA_GENES),
                              .variance = float_rows("layers/variance", first, n, FORMULA_GENES),
                              .delta = float_rows("obsm/delta", first, n, FORMULA_LATENT)};
    fill_scores(rows);
}

static inline void free_rows(scs_result_rows *r)
{
    free(r->x), free(r->control), free(r->shift), free(r->variance), free(r->delta);
    free(r->delta_norm), free(r->score), free(r->confidence);
}

/* Every group but controls, `times` over, so that there are rows for all. */
static inline void fill_plan(result_fixture *f, int64_t times)
{
    const scs_atlas *a = f->atlas;

    CHECK_OK(SCS_ALLOC(f->plan.item, a->n_group * times));
    CHECK_OK(scs_names_add(&f->plan.sources, "own"));
    CHECK_OK(scs_names_add(&f->plan.reasons, ""));
    for (int64_t i = 0; i < a->n_group * times; i++) {
        const scs_group *g = &a->group[i / times];

        if (g->condition == a->control)
            continue;
        f->plan.item[f->plan.n++] =
            (scs_combination){.cell_type = g->cell_type,
                              .condition = g->condition,
                              .control_group = scs_atlas_group(a, 0, g->cell_type, a->control),
                              .observed_group = (int32_t)(i / times)};
    }
}

/* The folder is rank 0's; all ranks know its name. */
static inline void make_folder(result_fixture *f)
{
    if (scs_comm_rank(f->comm) == 0) {
        snprintf(f->folder, sizeof f->folder, "/tmp/test_result_ranks.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(f->folder));
    }
    CHECK_OK(scs_comm_broadcast(f->comm, f->folder, sizeof f->folder));
    snprintf(f->path, sizeof f->path, "%s/screen.h5ad", f->folder);
}

static inline void make_session(result_fixture *f)
{
    char dir[96];
    const char *sets[] = {dir};

    snprintf(dir, sizeof dir, "output.dir=%s", f->folder);
    f->session = (scs_session){.comm = f->comm, .dataset = f->dataset, .atlas = f->atlas};
    CHECK_OK(scs_config_parse("formula.yaml", "", sets, 1, &f->session.config));
}

static inline void open_result(result_fixture *f, int64_t times)
{
    *f = (result_fixture){.comm = open_world(),
                          .dataset = formula_dataset(FORMULA_CELLS, FORMULA_GENES)};
    CHECK_OK(scs_atlas_create(f->dataset, FORMULA_LATENT, &f->atlas));
    fill_plan(f, times);
    make_folder(f);
    make_session(f);
    f->fact = (scs_fact){.key = "made_by", .text = "a test"};
    f->head = (scs_result_head){.atlas = f->atlas,
                                .plan = &f->plan,
                                .dense = true,
                                .variance = true,
                                .fact = &f->fact,
                                .n_fact = 1};
}

static inline void close_result(result_fixture *f)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (scs_comm_rank(f->comm) == 0) {
        (void)unlink(f->path);
        CU_ASSERT_EQUAL(rmdir(f->folder), 0); /* nothing else was left there */
    }
    scs_config_destroy(&f->session.config);
    scs_plan_clear(&f->plan);
    scs_atlas_destroy(&f->atlas);
    scs_dataset_destroy(&f->dataset);
    scs_comm_destroy(&f->comm);
}

/* Files in the folder, on all ranks. */
static inline int count_files(const result_fixture *f)
{
    struct dirent *entry;
    DIR *dir = opendir(f->folder);
    int n = 0;

    while (dir && (entry = readdir(dir)))
        n += entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return n;
}

#endif
