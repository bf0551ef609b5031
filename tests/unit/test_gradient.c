/* Compiled with -DSCS_DOUBLE together with the network's sources: every element of every gradient
 * against central differences of the objective. */
#include "tests/unit/packing.h"
#include "src/model/layout.h"
#include "tests/unit/fixture_model.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { N_CELL = 12, N_LATENT = 3, MAX_SHARD = 4 };

/* The small size is gone through element by element. The wide one has several tiles of every kind;
 * each tensor is probed at about n_probe elements. */
typedef struct size {
    int32_t n_gene, n_hidden;
    int64_t n_probe; /* 0: all */
} size;
static const size small = {40, 7, 0}, wide = {1100, 140, 7};

/* A model, its cells in parts, and room for gradients. */
typedef struct bench {
    scs_model *model;
    scs_network *net;
    scs_packed x;
    int64_t *cell;
    scs_batch batch[MAX_SHARD];
    scs_step step;
    scs_team team;
    scs_real *grad[MAX_SHARD];
    scs_real *running; /* the running statistics before a step */
} bench;

/* Parts that differ, one of a single cell and one empty. */
static const int32_t parts_of[2][MAX_SHARD] = {{N_CELL, 0, 0, 0}, {6, 5, 1, 0}};

/* What a step is about, besides the size. */
typedef struct way {
    int profile, batch_norm, n_shard;
    bool factored, split;
} way;

static void open_bench(const size *dims, way w, bench *b)
{
    const int32_t *n = parts_of[w.n_shard > 1];
    scs_arch arch = dropout_arch(w.profile, dims->n_gene, dims->n_hidden, N_LATENT);
    int64_t at = 0;
    scs_csr x;

    arch.kl_weight = 0.3; /* so that KL's gradient shows */
    memset(b, 0, sizeof *b);
    CHECK_OK(scs_model_create(&arch, &b->model));
    scs_model_init(b->model, 5);
    CHECK_OK(scs_network_create(&arch, w.n_shard, N_CELL, &b->net));
    CHECK_OK(random_cells(N_CELL, dims->n_gene, 0.3, 1, &x));
    b->x = packed_away(&x);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->cell = number_range(0, N_CELL));
    for (int v = 0; v < w.n_shard; at += n[v++]) {
        b->batch[v] = (scs_batch){&b->x, b->cell, b->cell + at, n[v], NULL};
        CHECK_OK(SCS_ALLOC(b->grad[v], b->model->n_param));
    }
    CHECK_OK(SCS_ALLOC(b->running, b->model->n_running));
    for (int64_t i = 0; i < b->model->n_running; i++)
        b->model->running[i] += 0.01 * (double)(i % 5);
    memcpy(b->running, b->model->running, (size_t)b->model->n_running * sizeof *b->running);
    b->step = (scs_step){9, 2, N_CELL, true, w.batch_norm, w.factored, w.split, NULL};
    b->team = scs_team_alone(w.n_shard);
}

static void close_bench(bench *b)
{
    scs_model_destroy(&b->model);
    scs_network_destroy(&b->net);
    scs_packed_clear(&b->x);
    free(b->cell);
    free(b->running);
    for (int v = 0; v < MAX_SHARD; v++)
        free(b->grad[v]);
}

/* The mean objective, always from the same running statistics. */
static double objective(bench *b)
{
    scs_loss loss[MAX_SHARD];
    double sum = 0;

    memcpy(b->model->running, b->running, (size_t)b->model->n_running * sizeof *b->running);
    CHECK_OK(scs_network_step(b->net, b->model, b->batch, &b->step, &b->team, b->grad, loss));
    for (int v = 0; v < b->team.n_shard; v++)
        sum += loss[v].objective;
    return sum / N_CELL;
}

/* Gradient over all shards as one step gives it. Caller frees. */
static scs_real *whole_gradient(bench *b)
{
    int64_t bound[2];
    scs_layout layout;
    scs_real *sum;

    scs_layout_build(&b->model->arch, &layout);
    CHECK_OK(SCS_ALLOC(sum, b->model->n_param));
    for (int v = 0; v < b->team.n_shard; v++) /* what a step leaves unwritten shows as NaN */
        memset(b->grad[v], 0xff, (size_t)b->model->n_param * sizeof *sum);
    objective(b);
    for (int s = 0; s < SCS_SEGMENTS; s++) {
        int n_part = scs_layout_gradient_is_whole(&b->step, s) ? 1 : b->team.n_shard;

        scs_layout_cut(&layout, s, 1, bound);
        for (int v = 0; v < n_part; v++)
            for (int64_t i = bound[0]; i < bound[1]; i++)
                sum[i] += b->grad[v][i];
    }
    return sum;
}

static const double half_width = 5e-6; /* of a difference quotient */

static double difference_quotient(bench *b, int64_t i)
{
    scs_real *param = &b->model->param[i], old = *param;
    double up, down;

    *param = old + half_width;
    up = objective(b);
    *param = old - half_width;
    down = objective(b);
    *param = old;
    return (up - down) / (2 * half_width);
}

static double largest(const scs_real *x, int64_t n)
{
    double most = 0;

    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

/* A bias before batch norm has gradient zero: its error is measured by the whole gradient's size.
 */
static void check_tensor(bench *b, const scs_tensor *tensor, const scs_real *grad, double scale,
                         int64_t n_probe)
{
    int64_t n = (int64_t)tensor->rows * (tensor->cols ? tensor->cols : 1);
    int64_t stride = n_probe ? 1 + n / n_probe : 1;
    double worst = 0, most = fmax(largest(grad + tensor->offset, n), 1e-3 * scale);

    for (int64_t i = tensor->offset; i < tensor->offset + n; i += stride)
        worst = fmax(worst, fabs(grad[i] - difference_quotient(b, i)));
    /* the second term: rounding of the two objectives in the quotient */
    if (!(worst <= 1e-6 * most + 4 * DBL_EPSILON * objective(b) / half_width))
        fprintf(stderr, "\n    %s: off by %.2g of %.2g\n", tensor->name, worst, most);
    CU_ASSERT(worst <= 1e-6 * most + 4 * DBL_EPSILON * objective(b) / half_width);
}

static void check_gradient(const size *dims, way w)
{
    bench b;
    scs_real *grad;

    open_bench(dims, w, &b);
    grad = whole_gradient(&b);
    for (int32_t i = 0; i < b.model->n_tensor; i++)
        if (!b.model->tensor[i].is_running)
            check_tensor(&b, &b.model->tensor[i], grad, largest(grad, b.model->n_param),
                         dims->n_probe);
    free(grad);
    close_bench(&b);
}

static void test_scgen2_global(void)
{
    check_gradient(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 1, false, false});
    check_gradient(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 4, false, false});
}

static void test_scgen2_shard(void)
{
    check_gradient(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_SHARD, 1, false, false});
    check_gradient(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_SHARD, 4, false, false});
}

static void test_paper_global(void)
{
    check_gradient(&small, (way){SCS_PROFILE_PAPER, SCS_BATCH_NORM_GLOBAL, 1, false, false});
    check_gradient(&small, (way){SCS_PROFILE_PAPER, SCS_BATCH_NORM_GLOBAL, 4, false, false});
}

static void test_paper_shard(void)
{
    check_gradient(&small, (way){SCS_PROFILE_PAPER, SCS_BATCH_NORM_SHARD, 1, false, false});
    check_gradient(&small, (way){SCS_PROFILE_PAPER, SCS_BATCH_NORM_SHARD, 4, false, false});
}

static void test_wide(void)
{
    check_gradient(&wide, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 1, false, false});
    check_gradient(&wide, (way){SCS_PROFILE_PAPER, SCS_BATCH_NORM_GLOBAL, 4, false, false});
}

static void test_factored(void)
{
    check_gradient(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 1, true, false});
    check_gradient(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 4, true, false});
    check_gradient(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_SHARD, 4, true, false});
    check_gradient(&wide, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 4, true, false});
}

static void test_factored_split(void)
{
    check_gradient(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 1, true, true});
    check_gradient(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 4, true, true});
    check_gradient(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_SHARD, 4, true, true});
    check_gradient(&wide, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 4, true, true});
}

static void check_ways_agree(int n_shard, bool split)
{
    bench dense, factored;
    scs_real *a, *b;
    double worst = 0;

    open_bench(&wide, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, n_shard, false, false},
               &dense);
    open_bench(&wide, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, n_shard, true, split},
               &factored);
    CU_ASSERT_DOUBLE_EQUAL(objective(&dense), objective(&factored), 1e-12 * objective(&dense));
    a = whole_gradient(&dense);
    b = whole_gradient(&factored);
    for (int64_t i = 0; i < dense.model->n_param; i++)
        worst = fmax(worst, fabs(a[i] - b[i]));
    CU_ASSERT(worst < 1e-12 * largest(a, dense.model->n_param));
    free(a);
    free(b);
    close_bench(&dense);
    close_bench(&factored);
}

/* Objective and gradient of all ways through the output layer are the same numbers. */
static void test_ways_agree(void)
{
    for (int n_shard = 1; n_shard <= 4; n_shard += 3)
        for (int split = 0; split <= 1; split++)
            check_ways_agree(n_shard, split);
}

/* With batch norm over the whole batch, how cells are cut into shards changes nothing. */
static void test_cut_does_not_matter(void)
{
    bench one, four;
    scs_real *a, *b;
    double scale, worst = 0;

    open_bench(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 1, false, false}, &one);
    open_bench(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 4, false, false}, &four);
    CU_ASSERT_DOUBLE_EQUAL(objective(&one), objective(&four), 1e-12);
    a = whole_gradient(&one);
    b = whole_gradient(&four);
    scale = largest(a, one.model->n_param);
    for (int64_t i = 0; i < one.model->n_param; i++)
        worst = fmax(worst, fabs(a[i] - b[i]));
    CU_ASSERT(worst < 1e-12 * scale);
    free(a);
    free(b);
    close_bench(&one);
    close_bench(&four);
}

/* A gene that no cell of the batch has: its row of the first layer's gradient is exactly zero. */
static void test_absent_genes(void)
{
    bench b;
    const scs_tensor *first;
    scs_real *grad;
    int absent = 0;
    scs_csr x;

    open_bench(&small, (way){SCS_PROFILE_SCGEN2, SCS_BATCH_NORM_GLOBAL, 4, false, false}, &b);
    x = unpacked(&b.x);
    for (int64_t k = 0; k < x.indptr[N_CELL]; k++)
        if (x.indices[k] % 10 == 3)
            x.indices[k]--; /* genes 3, 13, ... disappear; a neighbour may stand twice */
    scs_packed_clear(&b.x);
    b.x = packed_away(&x);
    first = scs_model_find(b.model, "z_encoder.encoder.fc_layers.Layer 0.0.weight");
    grad = whole_gradient(&b);
    for (int32_t g = 3; g < small.n_gene; g += 10)
        for (int32_t h = 0; h < small.n_hidden; h++, absent++)
            CU_ASSERT(grad[first->offset + g * small.n_hidden + h] == 0);
    CU_ASSERT(absent > 0);
    free(grad);
    close_bench(&b);
}

int main(void)
{
    static const scs_test tests[] = {
        {"scgen2, batch norm over the batch", test_scgen2_global},
        {"scgen2, batch norm in each shard", test_scgen2_shard},
        {"paper, batch norm over the batch", test_paper_global},
        {"paper, batch norm in each shard", test_paper_shard},
        {"layers of several tiles", test_wide},
        {"factored output layer", test_factored},
        {"factored output layer, split by genes", test_factored_split},
        {"both ways through the output layer agree", test_ways_agree},
        {"how cells are cut into shards does not matter", test_cut_does_not_matter},
        {"absent genes have no gradient", test_absent_genes},
    };

    return run_suite("gradient", tests, sizeof tests / sizeof *tests);
}
