/* Moments of decoded cells without decoding them = moments of every cell decoded. */
#include "src/screen/decode_mean.h"
#include "src/config/rule.h"
#include "src/screen/predict.h"
#include "tests/unit/configs.h"
#include "tests/unit/fixture_atlas.h"

enum { MAX_GENE = 300, LATENT = 7 };

typedef struct setup {
    scs_model *model;
    scs_real *z;
    int64_t n;
    double delta[LATENT];
    double mean[MAX_GENE], variance[MAX_GENE];          /* the library's */
    double direct_mean[MAX_GENE], direct_var[MAX_GENE]; /* every cell decoded alone */
} setup;

static void begin_layers(setup *t, int profile, int32_t n_gene, int32_t n_hidden, int32_t n_layer,
                         int64_t n)
{
    scs_arch arch = plain_arch(profile, n_gene, n_hidden, LATENT);

    arch.n_layer = n_layer;
    untrained_model(&arch, 3, &t->model);
    t->n = n;
    CHECK_OK(SCS_ALLOC(t->z, n * LATENT));
    for (int64_t i = 0; i < n * LATENT; i++)
        t->z[i] = (scs_real)(3 + uniform(8, (uint64_t)i));
    for (int j = 0; j < LATENT; j++)
        t->delta[j] = .3 * j - 1;
}

static void begin(setup *t, int profile, int32_t n_gene, int32_t n_hidden, int64_t n)
{
    begin_layers(t, profile, n_gene, n_hidden, 2, n);
}

static void end(setup *t)
{
    scs_model_destroy(&t->model);
    free(t->z);
}

static void decode_cell(const setup *t, const double *delta, int64_t i, scs_real *x)
{
    scs_real z[LATENT];

    for (int j = 0; j < LATENT; j++)
        z[j] = (scs_real)(t->z[i * LATENT + j] + (delta ? delta[j] : 0));
    CHECK_OK(scs_model_decode(t->model, z, 1, x));
}

static void decode_every_cell(setup *t, const double *delta)
{
    int32_t n_gene = t->model->arch.n_gene;
    scs_real x[MAX_GENE];

    memset(t->direct_mean, 0, sizeof t->direct_mean);
    memset(t->direct_var, 0, sizeof t->direct_var);
    for (int64_t i = 0; i < t->n; i++) {
        decode_cell(t, delta, i, x);
        for (int32_t g = 0; g < n_gene; g++)
            t->direct_mean[g] += (double)x[g] / (double)t->n;
    }
    for (int64_t i = 0; i < t->n; i++) {
        decode_cell(t, delta, i, x);
        for (int32_t g = 0; g < n_gene; g++)
            t->direct_var[g] += pow(x[g] - t->direct_mean[g], 2) / (double)t->n;
    }
}

static void check_close(const double *a, const double *b, int32_t n)
{
    double largest = 0, worst = 0;

    for (int32_t g = 0; g < n; g++) {
        largest = fmax(largest, fabs(b[g]));
        worst = fmax(worst, fabs(a[g] - b[g]));
    }
    if (!(worst <= 1e-5 * largest))
        fprintf(stderr, "\n    off by %g of %g\n", worst, largest);
    CU_ASSERT(worst <= 1e-5 * largest);
}

static void check_moments(int profile, int32_t n_gene, int32_t n_hidden, int64_t n, bool shifted)
{
    setup t;
    const double *delta = shifted ? t.delta : NULL;
    double alone[MAX_GENE];

    begin(&t, profile, n_gene, n_hidden, n);
    decode_every_cell(&t, delta);
    CHECK_OK(scs_decode_model_moments(t.model, t.z, n, delta, t.mean, t.variance));
    check_close(t.mean, t.direct_mean, n_gene);
    check_close(t.variance, t.direct_var, n_gene);
    CHECK_OK(scs_decode_model_moments(t.model, t.z, n, delta, alone, NULL));
    check_close(alone, t.direct_mean, n_gene);
    end(&t);
}

/* n G = 120,000 and 2 d (n + G) = 11,200: through the covariance, in three blocks of cells and two
 * of genes. */
static void covariance_equals_decoding(void)
{
    check_moments(SCS_PROFILE_SCGEN2, 300, 8, 600, true);
    check_moments(SCS_PROFILE_SCGEN2, 300, 8, 600, false);
}

/* n G = 9,000 and 2 d (n + G) = 26,400: by decoding blocks of cells. */
static void blocks_equal_decoding(void)
{
    check_moments(SCS_PROFILE_SCGEN2, 30, 40, 300, true);
    check_moments(SCS_PROFILE_SCGEN2, 30, 40, 2, true);
}

/* Cells made ready once, moved by two shifts and by none, decoded as rows of one block. */
static void check_moving(int32_t n_gene, int32_t n_hidden, int32_t n_layer, int64_t n, bool tiles)
{
    enum { ROWS = 13 };
    const double far[LATENT] = {9, -9, 9, -9, 9, -9, 9};
    setup t;
    const double *delta[3] = {t.delta, NULL, far};
    double hidden[ROWS * 64], mean[ROWS * MAX_GENE], *work;
    scs_decode_mean_genes *decoder;
    scs_real *scratch;
    scs_decode_mean_hidden *moving;

    begin_layers(&t, SCS_PROFILE_SCGEN2, n_gene, n_hidden, n_layer, n);
    CHECK_OK(SCS_ALLOC(scratch, scs_decode_mean_hidden_scratch(t.model)));
    CHECK_OK(scs_decode_mean_genes_create(t.model, &decoder));
    CHECK_OK(SCS_ALLOC(work, scs_decode_mean_genes_work(decoder)));
    CHECK_OK(scs_decode_mean_hidden_create(t.model, t.z, n, tiles, &moving));
    for (int r = 0; r < ROWS; r++)
        scs_decode_mean_hidden_run(moving, delta[r % 3], scratch, hidden + r * n_hidden);
    for (int task = scs_decode_mean_genes_tasks(decoder) - 1; task >= 0; task--)
        scs_decode_mean_genes_run(decoder, task, hidden, ROWS, work, mean);
    for (int r = 0; r < ROWS; r++) {
        CHECK_OK(scs_decode_model_moments(t.model, t.z, n, delta[r % 3], t.mean, NULL));
        check_close(mean + r * n_gene, t.mean, n_gene);
    }
    scs_decode_mean_hidden_destroy(&moving);
    CHECK_FAILS(scs_decode_mean_hidden_create(t.model, t.z, 0, true, &moving), SCS_EARG,
                "no cells");
    scs_decode_mean_genes_destroy(&decoder);
    free(scratch);
    free(work);
    end(&t);
}

/* Few cells, some blocks of them, and more than are kept; one panel of genes and two. */
static void moving_equals_decoding(void)
{
    check_moving(30, 40, 2, 1, true);
    check_moving(300, 8, 2, 600, true);
    check_moving(300, 8, 2, 4200, true);
}

/* Wide enough for integer tiles, where the processor has them. */
static void moving_by_tiles_equals_decoding(void)
{
    for (int tiles = 0; tiles < 2; tiles++) {
        check_moving(30, 64, 2, 1, tiles);
        for (int n_layer = 1; n_layer <= 3; n_layer++)
            check_moving(30, 64, n_layer, 300, tiles);
    }
}

static void rectified_output_equals_decoding(void)
{
    check_moments(SCS_PROFILE_PAPER, 300, 8, 600, true);
    check_moments(SCS_PROFILE_PAPER, 300, 8, 600, false);
}

static void one_cell_has_no_variance(void)
{
    setup t;

    begin(&t, SCS_PROFILE_SCGEN2, 30, 4, 1);
    CHECK_OK(scs_decode_model_moments(t.model, t.z, 1, NULL, t.mean, t.variance));
    for (int g = 0; g < 30; g++)
        CU_ASSERT_EQUAL(t.variance[g], 0);
    CHECK_FAILS(scs_decode_model_moments(t.model, t.z, 0, NULL, t.mean, t.variance), SCS_EARG,
                "no cells");
    end(&t);
}

static void predict_edits_decodes_or_blends(void)
{
    static const float control[] = {1, 2, .5f}, control_var[] = {1, 1, 1};
    static const double shifted[] = {2, 1, 0}, baseline[] = {1.5, 1.25, 3}, change[] = {1.5, 1, .5};
    static const double shifted_var[] = {2, 2, 2}, baseline_var[] = {1, 2.5, 4},
                        more[] = {0, .5, 1};
    const scs_evidence from = {
        control, control_var, {shifted, shifted_var}, {baseline, baseline_var}, {change, more}, 1,
        1};
    scs_method how = {.decode = SCS_DECODE_EDIT};
    float mean[3], shift[3], variance[3];
    scs_prediction out = {mean, shift, variance};

    scs_predict(&how, 3, &from, &out);
    CU_ASSERT(mean[0] == 1.5f && mean[1] == 1.75f && mean[2] == 0);
    CU_ASSERT(shift[0] == .5f && shift[1] == -.25f && shift[2] == -.5f);
    CU_ASSERT(variance[0] == 2 && variance[1] == .5f && variance[2] == 0);
    how = (scs_method){.decode = SCS_DECODE_BLEND, .blend = .25};
    scs_predict(&how, 3, &from, &out);
    CU_ASSERT(mean[0] == 2.25f && mean[1] == 2.6875f && mean[2] == .125f);
    CU_ASSERT(shift[2] == -.375f);
    CU_ASSERT(variance[0] == 1.25f && variance[1] == 1.25f && variance[2] == 1.25f);
    how.decode = SCS_DECODE_PLAIN;
    out.variance = NULL;
    scs_predict(&how, 3, &from, &out);
    CU_ASSERT(mean[0] == 2 && mean[1] == 1 && mean[2] == 0 && shift[0] == 1);
}

static void decoders_change_takes_the_size_of_the_sources(void)
{
    static const float control[] = {1, 1, 1}, control_var[] = {1, 1, 1};
    static const double shifted[] = {2, 3, 1}, baseline[] = {1, 1, 1}, larger[] = {3, 6, 9};
    static const double apart[] = {-3, 1, 0};
    scs_evidence from = {
        control, control_var, {shifted, shifted}, {baseline, baseline}, {larger, larger}, 1, 1};
    scs_method how = {.decode = SCS_DECODE_EDIT, .magnitude = SCS_MAGNITUDE_SOURCES};
    float mean[3], shift[3], variance[3];
    scs_prediction out = {mean, shift, variance};

    scs_predict_fit_change(&how, 3, &from); /* (1, 2, 0) to (3, 6, 9) */
    CU_ASSERT_EQUAL(from.scale, 3);
    scs_predict(&how, 3, &from, &out);
    CU_ASSERT(mean[0] == 4 && mean[1] == 7 && mean[2] == 1 && shift[1] == 6);
    CU_ASSERT(variance[0] == 2 && variance[1] == 3 && variance[2] == 1);
    CU_ASSERT(scs_predict_needs_change(&how));
    from.change.mean = apart;
    scs_predict_fit_change(&how, 3, &from);
    CU_ASSERT_EQUAL(from.scale, 0);
    from.shifted.mean = baseline;
    scs_predict_fit_change(&how, 3, &from);
    CU_ASSERT_EQUAL(from.scale, 1);
    from.shifted.mean = shifted;
    how.magnitude = SCS_MAGNITUDE_DECODER;
    scs_predict_fit_change(&how, 3, &from);
    CU_ASSERT_EQUAL(from.scale, 1);
    CU_ASSERT(!scs_predict_needs_change(&how));
    how = (scs_method){.decode = SCS_DECODE_PLAIN, .magnitude = SCS_MAGNITUDE_SOURCES};
    scs_predict_fit_change(&how, 3, &from);
    CU_ASSERT_EQUAL(from.scale, 1);
    CU_ASSERT(!scs_predict_needs_change(&how));
}

/* How little the decoder may know of the sources' change, and whatever its share: the prediction
 * has the size of that change, and at most 12 % more. */
static void blends_keep_the_size_of_the_sources(void)
{
    static const float control[] = {20, 20, 20, 20};
    static const double baseline[] = {5, 5, 5, 5}, seen[] = {3, -1, 2, 4};
    static const double shifts[][4] = {{3, -1, 2, 4}, {.3, -.1, .2, .4}, {4, 4, -4, 0},
                                       {6, 4, 2, .1}, {-3, 1, -2, -4},   {0, 0, 0, 0}};

    for (int k = 0; k < 6; k++)
        for (int a = 0; a <= 4; a++) {
            scs_method how = {
                .decode = SCS_DECODE_BLEND, .blend = a / 4., .magnitude = SCS_MAGNITUDE_SOURCES};
            double shifted[4], along = 0, square = 0;
            float mean[4], shift[4];
            scs_prediction out = {mean, shift, NULL};
            scs_evidence from = {.control_mean = control,
                                 .shifted.mean = shifted,
                                 .baseline.mean = baseline,
                                 .change.mean = seen};

            for (int g = 0; g < 4; g++)
                shifted[g] = baseline[g] + shifts[k][g];
            scs_predict_fit_change(&how, 4, &from);
            scs_predict(&how, 4, &from, &out);
            for (int g = 0; g < 4; g++) {
                along += shift[g] * seen[g] / 30;
                square += shift[g] * shift[g] / 30;
            }
            CU_ASSERT_DOUBLE_EQUAL(along, 1, 1e-6);
            CU_ASSERT(square > 1 - 1e-6 && square < 1.12 * 1.12);
            /* what points along the sources or away from them adds nothing; what is aside does */
            if (a == 4)
                CU_ASSERT_EQUAL(square > 1.01, k == 3);
        }
}

/* Rows lie at their value, and a config's word finds it. */
static void every_mode_has_the_name_that_a_config_gives_it(void)
{
    size_t mode = offsetof(scs_config, screen.decode);

    for (int i = 0; i < SCS_N_DECODE; i++)
        CU_ASSERT_EQUAL(read_choice("screen.decode", scs_rule_decode_at(i)->word.text, mode), i);
    CU_ASSERT_PTR_NULL(scs_rule_decode_at(SCS_N_DECODE));
}

int main(void)
{
    static const scs_test tests[] = {
        {"cells made ready and shifted = moments of decoded cells", moving_equals_decoding},
        {"the same by integer tiles and by BLAS", moving_by_tiles_equals_decoding},
        {"covariance = decoding every cell", covariance_equals_decoding},
        {"blocks = decoding every cell", blocks_equal_decoding},
        {"rectified output = decoding every cell", rectified_output_equals_decoding},
        {"one cell has no variance", one_cell_has_no_variance},
        {"every mode has the name that a config gives it",
         every_mode_has_the_name_that_a_config_gives_it},
        {"predict edits, decodes or blends", predict_edits_decodes_or_blends},
        {"the decoder's change takes the size of the sources'",
         decoders_change_takes_the_size_of_the_sources},
        {"a blend keeps the size of the sources' change", blends_keep_the_size_of_the_sources}};

    return run_suite("moments", tests, sizeof tests / sizeof *tests);
}
