/* scGen 2.1.0's own numbers (shared parity/scgen_step.h5): activations, gradients, losses and
 * weights over ten Adam steps from the same weights, batches and noise, whole and cut into shards.
 */
#include "src/kernels/adam.h"
#include "tests/parity/network_peek.h"
#include "tests/parity/fixture.h"
#include "tests/unit/fixture_model.h"
#include "tests/unit/packing.h"

#include <math.h>
#include <string.h>

enum { N_GENE = 60, N_HIDDEN = 24, N_LATENT = 6, N_CELL = 16, N_STEP = 10, MAX_SHARD = 4 };

static const double tolerance = 1e-4;

/* The model under comparison, on a number of shards. */
typedef struct rig {
    hid_t file;
    scs_model *model;
    scs_network *net;
    scs_team team;
    float *x, *noise; /* [N_STEP, N_CELL, N_GENE or N_LATENT] */
    int64_t *cell;
    float *grad[MAX_SHARD], *m, *v;
} rig;

/* A dense block of cells; zeros are left out. */
static scs_packed pack_dense(const float *dense)
{
    int64_t nnz = 0;
    scs_csr x;

    CHECK_OK(scs_csr_alloc(N_CELL, N_GENE, N_CELL * N_GENE, &x));
    for (int64_t i = 0; i < N_CELL * N_GENE; i++) {
        if (dense[i] != 0) {
            x.indices[nnz] = (int32_t)(i % N_GENE);
            x.values[nnz++] = dense[i];
        }
        x.indptr[i / N_GENE + 1] = nnz;
    }
    return packed_away(&x);
}

static void import_weights(rig *r, const char *group)
{
    for (int32_t i = 0; i < r->model->n_tensor; i++) {
        int64_t n;
        float *values = fixture_values(r->file, &n, "%s/%s", group, r->model->tensor[i].name);
        int32_t cols = r->model->tensor[i].cols;

        CU_ASSERT_EQUAL_FATAL(n, (int64_t)r->model->tensor[i].rows * (cols ? cols : 1));
        scs_model_tensor_import(r->model, &r->model->tensor[i], values);
        free(values);
    }
}

static void open_rig(int n_shard, rig *r)
{
    scs_arch arch = dropout_arch(SCS_PROFILE_SCGEN2, N_GENE, N_HIDDEN, N_LATENT);

    memset(r, 0, sizeof *r);
    r->file = fixture_open("scgen_step.h5");
    CHECK_OK(scs_model_create(&arch, &r->model));
    import_weights(r, "init");
    CHECK_OK(scs_network_create(&arch, n_shard, N_CELL / n_shard, &r->net));
    r->team = scs_team_alone(n_shard);
    r->x = fixture_values(r->file, NULL, "x");
    r->noise = fixture_values(r->file, NULL, "noise");
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->cell = number_range(0, N_CELL));
    for (int v = 0; v < n_shard; v++)
        CHECK_OK(SCS_ALLOC(r->grad[v], r->model->n_param));
    CHECK_OK(SCS_ALLOC(r->m, r->model->n_param));
    CHECK_OK(SCS_ALLOC(r->v, r->model->n_param));
}

static void close_rig(rig *r)
{
    scs_model_destroy(&r->model);
    scs_network_destroy(&r->net);
    free(r->x);
    free(r->noise);
    free(r->cell);
    free(r->m);
    free(r->v);
    for (int v = 0; v < MAX_SHARD; v++)
        free(r->grad[v]);
    H5Fclose(r->file);
}

static double largest(const float *x, int64_t n)
{
    double most = 0;

    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

/* @param size what the tolerance is relative to */
static void compare(const char *what, const float *ours, const float *theirs, int64_t n,
                    double size)
{
    double worst = 0;

    for (int64_t i = 0; i < n; i++)
        worst = isfinite(ours[i]) ? fmax(worst, fabs((double)ours[i] - theirs[i])) : INFINITY;
    if (!(worst <= tolerance * size))
        fprintf(stderr, "\n    %s: off by %.2g of %.2g\n", what, worst, size);
    CU_ASSERT(worst <= tolerance * size);
}

static void compare_activation(const rig *r, int step, const char *name)
{
    float *theirs = fixture_values(r->file, NULL, "step%d/%s", step, name), *ours;
    int32_t part = N_CELL / r->team.n_shard, cols = 0;

    for (int v = 0; v < r->team.n_shard; v++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(scs_network_peek(r->net, v, name, &cols));
    CHECK_OK(SCS_ALLOC(ours, (int64_t)N_CELL * cols));
    for (int v = 0; v < r->team.n_shard; v++)
        memcpy(ours + (int64_t)v * part * cols, scs_network_peek(r->net, v, name, &cols),
               (size_t)part * (size_t)cols * sizeof *ours);
    compare(name, ours, theirs, (int64_t)N_CELL * cols, largest(theirs, (int64_t)N_CELL * cols));
    free(ours);
    free(theirs);
}

/* The prediction, of which the step itself keeps nothing. */
static void compare_prediction(const rig *r, int step)
{
    float *theirs = fixture_values(r->file, NULL, "step%d/px", step), *ours;
    int32_t part = N_CELL / r->team.n_shard, cols;
    char name[32];

    snprintf(name, sizeof name, "decoder.%d.out", (int)r->model->arch.n_layer - 1);
    CHECK_OK(SCS_ALLOC(ours, N_CELL * N_GENE));
    for (int v = 0; v < r->team.n_shard; v++) {
        const float *hidden = scs_network_peek(r->net, v, name, &cols);

        CU_ASSERT_PTR_NOT_NULL_FATAL(hidden);
        scs_output_decode(&r->model->arch, r->model->param, hidden, part,
                          ours + (int64_t)v * part * N_GENE);
    }
    compare("px", ours, theirs, N_CELL * N_GENE, largest(theirs, N_CELL * N_GENE));
    free(ours);
    free(theirs);
}

/* Batch norm takes these biases out again, the mean head's through z: what the cells add to them
 * cancels, and rounding (or KL's 1e-5) is left, in the reference too. The gradient of the same
 * layer's weight is the measure then. */
static bool cancels(const char *name)
{
    return strstr(name, ".0.bias") != NULL || strstr(name, "mean_encoder.bias") != NULL;
}

static void compare_gradients(rig *r, int step)
{
    double size = 1;

    for (int32_t i = 0; i < r->model->n_tensor; i++) {
        const scs_tensor *tensor = &r->model->tensor[i];
        float *theirs, *ours;
        int64_t n;

        if (tensor->is_running)
            continue;
        theirs = fixture_values(r->file, &n, "step%d/grad/%s", step, tensor->name);
        ours = scs_allocate(n, sizeof *ours);
        for (int64_t k = 0; k < n; k++) /* the first layer's weight is kept transposed */
            ours[k] =
                r->grad[0][tensor->offset +
                           (tensor->transposed ? k % tensor->cols * tensor->rows + k / tensor->cols
                                               : k)];
        size = cancels(tensor->name) ? size : largest(theirs, n);
        compare(tensor->name, ours, theirs, n, size);
        free(ours);
        free(theirs);
    }
}

static void compare_weights(const rig *r)
{
    for (int32_t i = 0; i < r->model->n_tensor; i++) {
        const scs_tensor *tensor = &r->model->tensor[i];
        int64_t n;
        float *theirs = fixture_values(r->file, &n, "final/%s", tensor->name);
        float *ours = scs_allocate(n, sizeof *ours);

        scs_model_tensor_export(r->model, tensor, ours);
        compare(tensor->name, ours, theirs, n, largest(theirs, n));
        free(ours);
        free(theirs);
    }
}

static void compare_loss(const rig *r, int step, const scs_loss *loss)
{
    char group[16];
    scs_loss sum = {0};

    snprintf(group, sizeof group, "step%d", step);
    for (int v = 0; v < r->team.n_shard; v++) {
        sum.objective += loss[v].objective / N_CELL;
        sum.reconstruction += loss[v].reconstruction / N_CELL;
        sum.kl += loss[v].kl / N_CELL;
    }
    CU_ASSERT_DOUBLE_EQUAL(sum.objective, fixture_attribute(r->file, group, "loss"),
                           tolerance * sum.objective);
    CU_ASSERT_DOUBLE_EQUAL(sum.reconstruction,
                           fixture_attribute(r->file, group, "reconstruction_mean"),
                           tolerance * sum.reconstruction);
    CU_ASSERT_DOUBLE_EQUAL(sum.kl, fixture_attribute(r->file, group, "kl_mean"),
                           tolerance * sum.kl);
}

static void sum_gradients(rig *r, const scs_step *step)
{
    int64_t bound[MAX_SHARD + 1];
    scs_layout layout;

    scs_layout_build(&r->model->arch, &layout);
    for (int s = 0; s < SCS_SEGMENTS; s++) {
        scs_layout_cut(&layout, s, r->team.n_shard, bound);
        if (!scs_layout_gradient_is_whole(step, s))
            CHECK_OK(
                r->team.reduce_slice(r->team.ctx, r->grad, bound, true, r->grad[0] + bound[0]));
    }
}

static void run_step(rig *r, int at, bool factored, bool split, scs_loss *loss)
{
    int32_t part = N_CELL / r->team.n_shard;
    scs_step step = {0, 1, N_CELL, false, SCS_BATCH_NORM_GLOBAL, factored, split, NULL};
    scs_batch batch[MAX_SHARD];
    scs_packed x;

    x = pack_dense(r->x + (int64_t)at * N_CELL * N_GENE);
    for (int v = 0; v < r->team.n_shard; v++)
        batch[v] = (scs_batch){&x, r->cell, r->cell + v * part, part,
                               r->noise + ((int64_t)at * N_CELL + v * part) * N_LATENT};
    CHECK_OK(scs_network_step(r->net, r->model, batch, &step, &r->team, r->grad, loss));
    sum_gradients(r, &step);
    scs_packed_clear(&x);
}

static void follow_training(int n_shard, bool factored, bool split)
{
    rig r;
    scs_loss loss[MAX_SHARD];
    const scs_arch *arch;
    scs_adam_rule rule;
    scs_adam_state state;
    scs_adam adam;

    open_rig(n_shard, &r);
    arch = &r.model->arch;
    rule = (scs_adam_rule){arch->weight_decay, arch->beta1, arch->beta2, arch->adam_epsilon};
    state = (scs_adam_state){r.model->param, r.m, r.v};
    for (int at = 0; at < N_STEP; at++) {
        run_step(&r, at, factored, split, loss);
        compare_loss(&r, at, loss);
        if (at == 0 || at == N_STEP - 1) {
            compare_activation(&r, at, "q_mean");
            compare_activation(&r, at, "q_var");
            compare_activation(&r, at, "z");
            compare_prediction(&r, at);
            compare_gradients(&r, at);
        }
        adam = scs_adam_at(&rule, 1e-3, at + 1);
        scs_adam_step(&adam, r.model->n_param, &state, r.grad[0]);
    }
    compare_weights(&r);
    close_rig(&r);
}

static void test_one_shard(void)
{
    follow_training(1, false, false);
}

static void test_two_shards(void)
{
    follow_training(2, false, false);
}

static void test_four_shards(void)
{
    follow_training(4, false, false);
}

static void test_factored(void)
{
    follow_training(1, true, false);
    follow_training(4, true, false);
    follow_training(4, true, true);
}

static void test_evaluation(void)
{
    rig r;
    float *cells, *mean, *variance, *decoded, ours[N_CELL * N_GENE],
        ours_variance[N_CELL * N_LATENT];
    scs_packed x;

    open_rig(1, &r);
    import_weights(&r, "final");
    cells = fixture_values(r.file, NULL, "eval/x");
    mean = fixture_values(r.file, NULL, "eval/q_mean");
    variance = fixture_values(r.file, NULL, "eval/q_var");
    decoded = fixture_values(r.file, NULL, "eval/decoded_q_mean");
    x = pack_dense(cells);
    CHECK_OK(scs_model_encode(r.model, &x, 0, N_CELL, ours, ours_variance));
    compare("eval/q_mean", ours, mean, N_CELL * N_LATENT, largest(mean, N_CELL * N_LATENT));
    compare("eval/q_var", ours_variance, variance, N_CELL * N_LATENT,
            largest(variance, N_CELL * N_LATENT));
    CHECK_OK(scs_model_decode(r.model, mean, N_CELL, ours));
    compare("eval/decoded", ours, decoded, N_CELL * N_GENE, largest(decoded, N_CELL * N_GENE));
    scs_packed_clear(&x);
    free(cells);
    free(mean);
    free(variance);
    free(decoded);
    close_rig(&r);
}

int main(void)
{
    static const scs_test tests[] = {
        {"ten steps as scGen takes them, one shard", test_one_shard},
        {"ten steps as scGen takes them, two shards", test_two_shards},
        {"ten steps as scGen takes them, four shards", test_four_shards},
        {"ten steps as scGen takes them, factored output layer", test_factored},
        {"posterior and decoding in evaluation mode", test_evaluation},
    };

    if (!has_real_file("all tests", "parity/scgen_step.h5"))
        return SKIPPED;
    return run_suite("parity_step", tests, sizeof tests / sizeof *tests);
}
