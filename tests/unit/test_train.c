/* Training on a small made-up data set: it learns, its bits do not depend on threads, and it stops
 * as told. */
#include "tests/unit/fixture_training.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static scs_status teach(training_data *s, const scs_watch *watch, scs_outcome *outcome)
{
    return scs_train(&s->config, s->model, s->shard, &s->deal, &s->team, watch, NULL, outcome);
}

/* ---- a watcher that writes everything down ---- */

enum { MAX_EPOCH = 200 };

typedef struct diary {
    const scs_model *model;
    scs_epoch epoch[MAX_EPOCH + 1];
    scs_real *best, *last; /* copies of the weights after the best and the last epoch */
    int64_t last_epoch, calls, cells_done, cells_all;
    int64_t poison_after; /* put a NaN into the weights after this epoch */
    int64_t fail_after;
} diary;

static void note_progress(void *ctx, int64_t epoch, int64_t epochs, int64_t step_in_epoch,
                          int64_t steps, double objective, int64_t cells_done, int64_t cells_all)
{
    diary *d = ctx;

    (void)epoch, (void)epochs, (void)step_in_epoch, (void)steps, (void)objective;
    d->calls++;
    d->cells_done = cells_done;
    d->cells_all = cells_all;
}

static scs_status note_epoch(void *ctx, const scs_epoch *report)
{
    diary *d = ctx;
    size_t size = (size_t)d->model->n_param * sizeof *d->model->param;

    d->epoch[report->epoch] = *report;
    d->last_epoch = report->epoch;
    memcpy(d->last, d->model->param, size);
    if (report->best)
        memcpy(d->best, d->model->param, size);
    if (report->epoch == d->poison_after)
        d->model->param[d->model->n_param - 1] = NAN;
    if (report->epoch == d->fail_after)
        return SCS_FAIL(SCS_EIO, "the journal cannot be written");
    return SCS_OK;
}

static scs_watch open_diary(const training_data *s, diary *d)
{
    memset(d, 0, sizeof *d);
    d->model = s->model;
    CHECK_OK(SCS_ALLOC(d->best, s->model->n_param));
    CHECK_OK(SCS_ALLOC(d->last, s->model->n_param));
    return (scs_watch){.ctx = d, .progress = note_progress, .epoch_end = note_epoch};
}

static void close_diary(diary *d)
{
    free(d->best);
    free(d->last);
}

static bool same_weights(const scs_model *model, const scs_real *param)
{
    return memcmp(model->param, param, (size_t)model->n_param * sizeof *param) == 0;
}

/* ---- tests ---- */

static void test_learns(void)
{
    static diary d;
    training_data s;
    scs_outcome outcome;
    scs_watch watch;

    open_training(2, 75, 12, &s);
    s.config.train.epochs = 30;
    watch = open_diary(&s, &d);
    CHECK_OK(teach(&s, &watch, &outcome));
    CU_ASSERT(d.epoch[30].objective < 0.8 * d.epoch[1].objective);
    /* unseen cells of independent genes: knowing every gene's mean leaves 0.85 of the squares */
    CU_ASSERT(d.epoch[30].validation < 0.95 * d.epoch[1].validation);
    CU_ASSERT_DOUBLE_EQUAL(d.epoch[7].objective,
                           0.5 * d.epoch[7].reconstruction + 0.5 * 5e-5 * d.epoch[7].kl, 1e-9);
    CU_ASSERT_EQUAL(outcome.epochs, 30);
    CU_ASSERT_EQUAL(outcome.steps, 30 * 5); /* 38 + 37 cells: four full steps and one of 6 + 5 */
    CU_ASSERT_EQUAL(d.epoch[1].cells, 75);
    CU_ASSERT_EQUAL(d.calls, outcome.steps);
    CU_ASSERT_EQUAL(d.cells_done, d.cells_all);
    CU_ASSERT(!outcome.stopped_early);
    close_diary(&d);
    close_training(&s);
}

/* The weights after training with this many threads; the caller frees. */
static scs_real *weights_with(int n_thread, int batch_norm)
{
    training_data s;
    scs_outcome outcome;
    scs_real *param;
    int before = omp_get_max_threads();

    omp_set_num_threads(n_thread);
    open_training(4, 101, 22, &s);
    s.config.train.batch_norm = batch_norm;
    CHECK_OK(teach(&s, NULL, &outcome));
    CHECK_OK(SCS_ALLOC(param, s.model->n_param));
    memcpy(param, s.model->param, (size_t)s.model->n_param * sizeof *param);
    close_training(&s);
    omp_set_num_threads(before);
    return param;
}

static void check_same_bits(int batch_norm)
{
    static const int n_thread[] = {1, 1, 2, 3};
    training_data s;
    scs_real *first = weights_with(n_thread[0], batch_norm);

    open_training(4, 101, 22, &s);
    CU_ASSERT_FALSE(same_weights(s.model, first)); /* it did learn something */
    for (int i = 1; i < 4; i++) {
        scs_real *again = weights_with(n_thread[i], batch_norm);

        CU_ASSERT_EQUAL(memcmp(first, again, (size_t)s.model->n_param * sizeof *first), 0);
        free(again);
    }
    free(first);
    close_training(&s);
}

static void test_same_bits(void)
{
    check_same_bits(SCS_BATCH_NORM_GLOBAL);
    check_same_bits(SCS_BATCH_NORM_SHARD);
}

/* Few cells learnt by heart: validation gets worse, training stops, the best epoch's weights are
 * back. */
static void check_early_stop(int monitor)
{
    static diary d;
    training_data s;
    scs_outcome outcome;
    scs_watch watch;
    bool objective = monitor == SCS_MONITOR_OBJECTIVE;

    open_training(2, 16, 8, &s);
    s.config.train.epochs = MAX_EPOCH;
    s.config.train.patience = 3;
    s.config.train.learning_rate = 0.02;
    s.config.train.monitor = monitor;
    watch = open_diary(&s, &d);
    CHECK_OK(teach(&s, &watch, &outcome));
    CU_ASSERT(outcome.stopped_early);
    CU_ASSERT_EQUAL(outcome.epochs, d.last_epoch);
    CU_ASSERT_EQUAL(outcome.epochs, outcome.best_epoch + 3);
    CU_ASSERT_EQUAL(outcome.best, d.epoch[outcome.best_epoch].monitored);
    CU_ASSERT_EQUAL(d.epoch[1].monitored == d.epoch[1].validation, objective);
    for (int64_t e = 1; e <= outcome.epochs; e++)
        CU_ASSERT(d.epoch[e].monitored >= outcome.best);
    CU_ASSERT_EQUAL(same_weights(s.model, d.best), objective);
    CU_ASSERT_EQUAL(same_weights(s.model, d.last), !objective);
    close_diary(&d);
    close_training(&s);
}

static void test_early_stop(void)
{
    check_early_stop(SCS_MONITOR_OBJECTIVE);
    check_early_stop(SCS_MONITOR_REFERENCE);
}

static void test_without_validation(void)
{
    static diary d;
    training_data s;
    scs_outcome outcome;
    scs_watch watch;

    open_training(2, 40, 0, &s);
    watch = open_diary(&s, &d);
    CHECK_OK(teach(&s, &watch, &outcome));
    CU_ASSERT(isnan(d.epoch[1].validation));
    CU_ASSERT_EQUAL(d.epoch[1].monitored, d.epoch[1].objective);
    close_diary(&d);
    close_training(&s);
}

static void test_nan_stops(void)
{
    static diary d;
    training_data s;
    scs_outcome outcome;
    scs_watch watch;

    open_training(2, 64, 8, &s);
    set_value(&s.shard[1].x, 7, NAN);
    CHECK_FAILS(teach(&s, NULL, &outcome), SCS_ENUMERIC, "(epoch 1): the objective is nan");
    close_training(&s);
    open_training(2, 64, 8, &s);
    watch = open_diary(&s, &d);
    d.poison_after = 2; /* two epochs of four steps are done: step 9 meets the NaN */
    CHECK_FAILS(teach(&s, &watch, &outcome), SCS_ENUMERIC, "diverged at step 9 (epoch 3)");
    CU_ASSERT_EQUAL(d.last_epoch, 2);
    close_diary(&d);
    close_training(&s);
}

static void test_watcher_stops(void)
{
    static diary d;
    training_data s;
    scs_outcome outcome;
    scs_watch watch;

    open_training(1, 40, 8, &s);
    watch = open_diary(&s, &d);
    d.fail_after = 3;
    CHECK_FAILS(teach(&s, &watch, &outcome), SCS_EIO, "journal");
    CU_ASSERT_EQUAL(d.last_epoch, 3);
    close_diary(&d);
    close_training(&s);
}

static void test_batch_must_fit(void)
{
    training_data s;
    scs_outcome outcome;

    open_training(4, 64, 8, &s);
    s.config.train.batch = 30;
    CHECK_FAILS(teach(&s, NULL, &outcome), SCS_EARG, "nearest that fits is 32");
    s.config.train.batch = 1;
    CHECK_FAILS(teach(&s, NULL, &outcome), SCS_EARG, "nearest that fits is 4");
    close_training(&s);
}

/* Shards without a training cell, and batches that leave one or two cells over. */
static void test_few_cells(void)
{
    training_data s;
    scs_outcome outcome;

    open_training(4, 2, 4, &s);
    CHECK_FAILS(teach(&s, NULL, &outcome), SCS_EDATA, "at least 3 cells");
    close_training(&s);
    open_training(4, 3, 4, &s);
    CHECK_OK(teach(&s, NULL, &outcome));
    CU_ASSERT_EQUAL(outcome.steps, 6);
    close_training(&s);
    open_training(4, 34, 4, &s); /* 16 + 16 + 2 */
    CHECK_OK(teach(&s, NULL, &outcome));
    CU_ASSERT_EQUAL(outcome.steps, 12);
    close_training(&s);
}

/* With a batch of one cell a shard, batch norm by shard has nothing but the running statistics. */
static void test_shard_of_one(void)
{
    training_data s;
    scs_outcome outcome;

    open_training(4, 30, 4, &s);
    s.config.train.batch = 4;
    s.config.train.batch_norm = SCS_BATCH_NORM_SHARD;
    CHECK_OK(teach(&s, NULL, &outcome));
    CU_ASSERT(isfinite(outcome.best));
    close_training(&s);
}

/* A rate that moves nothing leaves the biases where they began. */
static void test_output_bias(void)
{
    training_data s;
    scs_outcome outcome;
    const scs_tensor *tensor;
    const scs_real *bias;
    double mean[N_GENE] = {0};
    int64_t n = 0;

    open_training(4, 75, 12, &s);
    s.config.train.output_bias = SCS_OUTPUT_BIAS_MEAN;
    s.config.train.learning_rate = 1e-12;
    CHECK_OK(teach(&s, NULL, &outcome));
    for (int32_t v = 0; v < s.deal.n_shard; v++) {
        scs_csr x = unpacked(&s.shard[v].x);

        for (int64_t k = 0; k < x.indptr[s.shard[v].n_train]; k++)
            mean[x.indices[k]] += x.values[k];
        n += s.shard[v].n_train;
        scs_csr_clear(&x);
    }
    tensor = scs_model_find(s.model, "decoder.linear_out.bias");
    bias = scs_model_data(s.model, tensor);
    for (int g = 0; g < N_GENE; g++)
        CU_ASSERT_DOUBLE_EQUAL(bias[g], mean[g] / (double)n, 1e-6);
    close_training(&s);
}

/* The last epoch of a falling rate moves the weights less than the first one. */
static void test_schedule(void)
{
    static diary d;
    training_data s;
    scs_outcome outcome;
    scs_watch watch;

    open_training(2, 75, 12, &s);
    s.config.train.schedule = SCS_SCHEDULE_LINEAR;
    s.config.train.epochs = 30;
    watch = open_diary(&s, &d);
    CHECK_OK(teach(&s, &watch, &outcome));
    CU_ASSERT(d.epoch[30].objective < d.epoch[1].objective);
    CU_ASSERT(fabs(d.epoch[30].validation - d.epoch[29].validation) <
              0.1 * fabs(d.epoch[2].validation - d.epoch[1].validation));
    close_diary(&d);
    close_training(&s);
}

int main(void)
{
    static const scs_test tests[] = {
        {"output biases start at the genes' means", test_output_bias},
        {"a falling learning rate", test_schedule},
        {"the loss falls", test_learns},
        {"the same bits again and with other threads", test_same_bits},
        {"early stopping restores the best weights, or keeps the last", test_early_stop},
        {"without validation cells", test_without_validation},
        {"a NaN stops with the step's number", test_nan_stops},
        {"a failing watcher stops training", test_watcher_stops},
        {"the batch must be a multiple of the shards", test_batch_must_fit},
        {"few cells", test_few_cells},
        {"shards of one cell", test_shard_of_one},
    };

    return run_suite("train", tests, sizeof tests / sizeof *tests);
}
