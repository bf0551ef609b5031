/* The model: its table of tensors, initial weights, and evaluation mode against direct
 * computations. */
#include "src/base/random.h"
#include "src/kernels/entries.h"
#include "src/model/layout.h"
#include "tests/unit/packing.h"
#include "tests/unit/fixture_model.h"

#include <math.h>
#include <string.h>

static scs_model *make(int profile, int32_t n_gene, int32_t n_hidden, int32_t n_latent)
{
    scs_arch arch = dropout_arch(profile, n_gene, n_hidden, n_latent);
    scs_model *model;

    CHECK_OK(scs_model_create(&arch, &model));
    return model;
}

static int64_t size_of(const scs_tensor *tensor)
{
    return (int64_t)tensor->rows * (tensor->cols ? tensor->cols : 1);
}

/* The views cover the flat buffers, one after the other, without gap or overlap. */
static void check_cover(const scs_model *model)
{
    int64_t at[2] = {0, 0};

    for (int32_t i = 0; i < model->n_tensor; i++) {
        const scs_tensor *tensor = &model->tensor[i];

        CU_ASSERT_EQUAL(tensor->offset, at[tensor->is_running]);
        at[tensor->is_running] += size_of(tensor);
        CU_ASSERT_PTR_EQUAL(scs_model_find(model, tensor->name), tensor);
    }
    CU_ASSERT_EQUAL(at[0], model->n_param);
    CU_ASSERT_EQUAL(at[1], model->n_running);
}

static void test_views(void)
{
    scs_model *model = make(SCS_PROFILE_SCGEN2, 6998, 800, 100);
    const scs_tensor *first = scs_model_find(model, "z_encoder.encoder.fc_layers.Layer 0.0.weight");

    check_cover(model);
    CU_ASSERT_EQUAL(model->n_param / 10000, 1273); /* scGen's 12.73 million */
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT(first->transposed && first->rows == 800 && first->cols == 6998);
    CU_ASSERT_PTR_NULL(scs_model_find(model, "decoder.linear_out"));
    CU_ASSERT_STRING_EQUAL(model->tensor[model->n_tensor - 1].name, "decoder.linear_out.bias");
    scs_model_destroy(&model);
    CU_ASSERT_PTR_NULL(model);
}

static void test_views_of_paper(void)
{
    scs_model *model = make(SCS_PROFILE_PAPER, 40, 8, 3);

    check_cover(model);
    CU_ASSERT_PTR_NULL(scs_model_find(model, "decoder.decoder.fc_layers.Layer 0.0.bias"));
    CU_ASSERT_PTR_NULL(scs_model_find(model, "decoder.decoder.fc_layers.Layer 1.1.weight"));
    CU_ASSERT_PTR_NOT_NULL(
        scs_model_find(model, "decoder.decoder.fc_layers.Layer 0.1.running_var"));
    CU_ASSERT_PTR_NOT_NULL(scs_model_find(model, "z_encoder.mean_encoder.bias"));
    scs_model_destroy(&model);
}

static void test_round_trip(void)
{
    scs_model *model = make(SCS_PROFILE_SCGEN2, 40, 8, 3);
    float in[400], out[400];

    for (int i = 0; i < 400; i++)
        in[i] = (float)i;
    for (int32_t i = 0; i < model->n_tensor; i++) {
        scs_model_tensor_import(model, &model->tensor[i], in);
        scs_model_tensor_export(model, &model->tensor[i], out);
        CU_ASSERT_EQUAL(memcmp(in, out, (size_t)size_of(&model->tensor[i]) * sizeof *in), 0);
    }
    /* torch's element (row 2, gene 5) of the first layer lies in row 5 of the gene-major store */
    CU_ASSERT_EQUAL(model->param[5 * 8 + 2], in[2 * 40 + 5]);
    scs_model_destroy(&model);
}

/* Bounds 1/sqrt(fan_in), reached; biases too; gamma 1, beta 0, running variance 1. */
static void test_init_bounds(void)
{
    scs_model *model = make(SCS_PROFILE_SCGEN2, 400, 100, 25);
    double bound = 0;

    scs_model_init(model, 3);
    for (int32_t i = 0; i < model->n_tensor; i++) {
        const scs_tensor *tensor = &model->tensor[i];
        const scs_real *data = scs_model_data(model, tensor);
        bool norm = strstr(tensor->name, ".1.") != NULL;
        double most = 0, sum = 0;

        bound = tensor->cols ? 1 / sqrt(tensor->cols) : bound;
        for (int64_t k = 0; k < size_of(tensor); k++) {
            most = fmax(most, fabs(data[k]));
            sum += data[k];
        }
        if (!norm)
            CU_ASSERT(most <= bound * 1.000001 && most > 0.8 * bound);
        if (norm && (strstr(tensor->name, "bias") || strstr(tensor->name, "mean")))
            CU_ASSERT_EQUAL(most, 0);
        if (norm && (strstr(tensor->name, "weight") || strstr(tensor->name, "var")))
            CU_ASSERT_EQUAL(sum, tensor->rows);
        if (tensor->cols)
            CU_ASSERT(fabs(sum) < 5 * bound * sqrt((double)size_of(tensor) / 3));
    }
    scs_model_destroy(&model);
}

/* Element (row, col) in torch's order comes from word row * cols + col, whether kept transposed or
 * not. */
static void test_init_storage(void)
{
    scs_model *model = make(SCS_PROFILE_SCGEN2, 37, 8, 3);
    scs_stream stream = {11, SCS_RANDOM_INIT, 0, 0};
    float got[37 * 8], word[37 * 8];
    int wrong = 0;

    scs_model_init(model, 11);
    scs_model_tensor_export(model, &model->tensor[0], got);
    scs_random_uniform(&stream, 37 * 8, word);
    for (int i = 0; i < 37 * 8; i++)
        wrong += fabs(got[i] - (2 * word[i] - 1) / sqrt(37)) > 1e-6;
    CU_ASSERT_EQUAL(wrong, 0);
    scs_model_destroy(&model);
}

static void test_bad_sizes(void)
{
    scs_arch arch = dropout_arch(SCS_PROFILE_SCGEN2, 10, 4, 3);
    scs_model *model;

    arch.n_hidden = 0;
    CHECK_FAILS(scs_model_create(&arch, &model), SCS_EARG, "model.hidden is 0");
    CU_ASSERT_PTR_NULL(model);
    arch = dropout_arch(SCS_PROFILE_SCGEN2, (1 << 20) + 1, 4, 3);
    CHECK_FAILS(scs_model_create(&arch, &model), SCS_EARG, "genes");
    arch = dropout_arch(SCS_PROFILE_SCGEN2, 10, 4, 3);
    arch.n_layer = 9;
    CHECK_FAILS(scs_model_create(&arch, &model), SCS_EARG, "model.layers is 9");
}

/* ---- evaluation mode ---- */

enum { N_CELL = 9, N_GENE = 300, N_HIDDEN = 12, N_LATENT = 4 };

/* A model whose running statistics are not trivial. */
static scs_model *make_trained(int profile)
{
    scs_model *model = make(profile, N_GENE, N_HIDDEN, N_LATENT);

    scs_model_init(model, 4);
    for (int64_t i = 0; i < model->n_running; i++)
        model->running[i] += 0.1F * (float)(i % 7);
    return model;
}

/* A cell's posterior does not depend on the cells beside it. */
static void test_encode_cell_by_cell(void)
{
    scs_model *model = make_trained(SCS_PROFILE_SCGEN2);
    scs_real mean[N_CELL * N_LATENT], variance[N_CELL * N_LATENT], one[N_LATENT], one_var[N_LATENT];
    scs_csr csr;
    scs_packed x;
    double worst = 0;

    CHECK_OK(random_cells(N_CELL, N_GENE, 0.1, 2, &csr));
    x = packed_away(&csr);
    CHECK_OK(scs_model_encode(model, &x, 0, N_CELL, mean, variance));
    for (int i = 0; i < N_CELL; i++) {
        CHECK_OK(scs_model_encode(model, &x, i, 1, one, one_var));
        for (int j = 0; j < N_LATENT; j++) {
            worst = fmax(worst, fabs(one[j] - mean[i * N_LATENT + j]));
            worst = fmax(worst, fabs(one_var[j] - variance[i * N_LATENT + j]));
        }
    }
    CU_ASSERT(worst < 1e-5);
    CHECK_OK(scs_model_encode(model, &x, 3, 0, one, NULL));
    scs_packed_clear(&x);
    scs_model_destroy(&model);
}

/* The output is linear: mean(decode(z)) = W mean(h) + b. */
static void test_decode_is_linear(void)
{
    scs_model *model = make_trained(SCS_PROFILE_SCGEN2);
    const scs_real *w = scs_model_data(model, scs_model_find(model, "decoder.linear_out.weight"));
    const scs_real *b = scs_model_data(model, scs_model_find(model, "decoder.linear_out.bias"));
    scs_real z[N_CELL * N_LATENT], h[N_CELL * N_HIDDEN], x[N_CELL * N_GENE];
    double worst = 0;

    for (int i = 0; i < N_CELL * N_LATENT; i++)
        z[i] = (scs_real)sin(i);
    CHECK_OK(scs_model_decode_hidden(model, z, N_CELL, h));
    CHECK_OK(scs_model_decode(model, z, N_CELL, x));
    for (int g = 0; g < N_GENE; g++) {
        double mean = 0, linear = b[g];

        for (int i = 0; i < N_CELL; i++) {
            mean += x[i * N_GENE + g] / (double)N_CELL;
            for (int k = 0; k < N_HIDDEN; k++)
                linear += w[g * N_HIDDEN + k] * h[i * N_HIDDEN + k] / (double)N_CELL;
        }
        worst = fmax(worst, fabs(mean - linear));
    }
    CU_ASSERT(worst < 1e-5);
    scs_model_destroy(&model);
}

/* z of one cell as validation draws it. */
static void draw(int64_t cell, const scs_real *mean, const scs_real *variance, scs_real *z)
{
    scs_stream stream = {21, SCS_RANDOM_VALIDATE, 0, (uint64_t)cell};
    double noise[N_LATENT];

    scs_random_normal(&stream, N_LATENT, noise);
    for (int j = 0; j < N_LATENT; j++)
        z[j] = (scs_real)(mean[j] + sqrt(variance[j]) * noise[j]);
}

/* 0.5 |x - decode(z)|^2 + weight KL, summed over cells, from the public pieces. */
static double direct_objective(const scs_model *model, const scs_packed *x, const int64_t *cell)
{
    scs_real mean[N_LATENT], variance[N_LATENT], z[N_LATENT], decoded[N_GENE];
    double sum = 0;

    for (int64_t i = 0; i < N_CELL; i++) {
        scs_row row = scs_packed_row(x, i);

        CHECK_OK(scs_model_encode(model, x, i, 1, mean, variance));
        draw(cell[i], mean, variance, z);
        CHECK_OK(scs_model_decode(model, z, 1, decoded));
        for (int64_t k = 0; k < row.n; k++)
            decoded[scs_row_gene(&row, k)] -= scs_row_value(&row, k);
        for (int g = 0; g < N_GENE; g++)
            sum += 0.5 * decoded[g] * decoded[g];
        for (int j = 0; j < N_LATENT; j++)
            sum += model->arch.kl_factor * model->arch.kl_weight * 0.5 *
                   (variance[j] + mean[j] * mean[j] - 1 - log(variance[j]));
    }
    return sum;
}

static void check_validate(int profile)
{
    scs_model *model = make_trained(profile);
    int64_t *rows = number_range(0, N_CELL), *cell = number_range(1000, N_CELL);
    scs_loss loss, again;
    scs_csr csr;
    scs_packed x;
    scs_batch batch = {&x, cell, rows, N_CELL, NULL};
    double direct;

    model->arch.kl_weight = 0.1;
    CHECK_OK(random_cells(N_CELL, N_GENE, 0.1, 2, &csr));
    x = packed_away(&csr);
    CHECK_OK(scs_model_evaluate(model, &batch, 21, &loss));
    CHECK_OK(scs_model_evaluate(model, &batch, 21, &again));
    direct = direct_objective(model, &x, cell);
    CU_ASSERT_DOUBLE_EQUAL(loss.objective, direct, 1e-5 * direct);
    CU_ASSERT_EQUAL(loss.objective, again.objective);
    CU_ASSERT_EQUAL(loss.n, N_CELL);
    batch.n = 0;
    CHECK_OK(scs_model_evaluate(model, &batch, 21, &loss));
    CU_ASSERT_EQUAL(loss.n, 0);
    free(rows);
    free(cell);
    scs_packed_clear(&x);
    scs_model_destroy(&model);
}

static void test_validate(void)
{
    check_validate(SCS_PROFILE_SCGEN2);
    check_validate(SCS_PROFILE_PAPER);
}

/* One after the other the segments' slices are the flat buffer, and both weights that touch genes
 * are cut at the same ones, for any number of shards. */
static void check_slices(const scs_layout *layout, int32_t n_shard)
{
    int64_t bound[SCS_SEGMENTS][65], at = 0;

    for (int s = 0; s < SCS_SEGMENTS; s++) {
        scs_layout_cut(layout, s, n_shard, bound[s]);
        CU_ASSERT_EQUAL(bound[s][0], at);
        for (int32_t v = 0; v < n_shard; v++)
            CU_ASSERT(bound[s][v] <= bound[s][v + 1]);
        at = bound[s][n_shard];
    }
    CU_ASSERT_EQUAL(at, layout->n_param);
    for (int32_t v = 0; v < n_shard; v++) {
        int32_t gene = scs_layout_first_gene(layout->out.n_out, n_shard, v);

        CU_ASSERT(gene % SCS_BLOCK == 0 || gene == layout->out.n_out);
        CU_ASSERT_EQUAL(bound[SCS_FIRST_WEIGHT][v], (int64_t)gene * layout->out.n_in);
        CU_ASSERT_EQUAL(bound[SCS_OUT_WEIGHT][v],
                        layout->out.weight + (int64_t)gene * layout->out.n_in);
        CU_ASSERT_EQUAL(bound[SCS_OUT_BIAS][v], layout->out.bias + gene);
    }
}

static void test_slices(void)
{
    static const int32_t n_gene[] = {1, 128, 129, 1100};

    for (size_t i = 0; i < sizeof n_gene / sizeof *n_gene; i++) {
        scs_arch arch = dropout_arch(SCS_PROFILE_SCGEN2, n_gene[i], 7, 3);
        scs_layout layout;

        scs_layout_build(&arch, &layout);
        for (int32_t n_shard = 1; n_shard <= 64; n_shard *= 2)
            check_slices(&layout, n_shard);
    }
}

int main(void)
{
    static const scs_test tests[] = {
        {"views cover the flat buffers", test_views},
        {"views of the paper's profile", test_views_of_paper},
        {"slices of shards cover the flat buffer", test_slices},
        {"import and export give back the same", test_round_trip},
        {"initial weights lie within their bounds", test_init_bounds},
        {"initial weights do not depend on storage", test_init_storage},
        {"impossible sizes are refused", test_bad_sizes},
        {"a cell is encoded the same alone", test_encode_cell_by_cell},
        {"decoding is linear in the last hidden layer", test_decode_is_linear},
        {"validation equals the direct computation", test_validate},
    };

    return run_suite("model", tests, sizeof tests / sizeof *tests);
}
