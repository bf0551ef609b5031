/* The state of a training run: saved after any step and loaded again, training ends in the bits of
 * a run that was left alone; a damaged file is never taken. */
#include "src/train/state.h"
#include "src/base/checksum.h"
#include "src/train/train_internal.h"
#include "tests/unit/fixture_training.h"
#include "tests/unit/scratch.h"

#include <hdf5.h>
#include <math.h>

enum { EPOCHS = 4, N_TRAIN = 40, N_VALID = 8 }; /* 3 steps an epoch */

/* A watcher that saves after a certain step, and what it was told. */
typedef struct keeper {
    char path[2 * SCRATCH_PATH];
    int64_t stop_after, asked; /* steps; 0: never */
    double objective[EPOCHS + 1], seconds;
    int64_t told, saves;
    bool poison; /* the step before the save leaves a NaN */
} keeper;

static int request(void *ctx)
{
    keeper *k = ctx;

    return ++k->asked == k->stop_after ? SCS_REQUEST_STOP : 0;
}

static scs_status save(void *ctx, scs_training *training, const scs_position *position,
                       int requests)
{
    keeper *k = ctx;
    char config[] = "train:\n  batch: 16\n", data[] = "sha256:0", program[] = "0.1 test";
    scs_state facts = {
        .path = k->path, .position = *position, .config = config, .data = data, .program = program};

    k->saves++;
    if (k->poison)
        training->trainer->model->param[3] = NAN;
    SCS_TRY(scs_state_save(training, &facts));
    return requests & SCS_REQUEST_STOP ? SCS_FAIL(SCS_ESTOP, "as asked") : SCS_OK;
}

static scs_status note_epoch(void *ctx, const scs_epoch *report)
{
    keeper *k = ctx;

    k->objective[report->epoch] = report->objective;
    k->told++;
    return SCS_OK;
}

static void open_class(training_data *s, int monitor)
{
    open_training(2, N_TRAIN, N_VALID, s);
    s->config.train.epochs = EPOCHS;
    s->config.train.monitor = monitor;
    s->config.train.learning_rate = 0.02; /* so that the best epoch is not always the last */
}

static scs_status teach(training_data *s, keeper *k, const scs_state *resume, scs_outcome *outcome)
{
    scs_watch watch = {
        .ctx = k, .epoch_end = note_epoch, .keep = {.ctx = k, .request = request, .save = save}};

    k->asked = 0;
    return scs_train(&s->config, s->model, s->shard, &s->deal, &s->team, &watch, resume, outcome);
}

/* Stop after this step, throw everything away but the file, go on; k is told each epoch once. */
static void interrupt(keeper *k, int64_t step, int monitor, const training_data *whole,
                      const scs_outcome *expected)
{
    training_data s;
    scs_outcome outcome;
    scs_state *state = NULL;

    open_class(&s, monitor);
    k->stop_after = step;
    k->told = 0;
    CHECK_FAILS(teach(&s, k, NULL, &outcome), SCS_ESTOP, "as asked");
    close_training(&s);
    open_class(&s, monitor);
    k->stop_after = 0;
    CHECK_OK(scs_state_probe(k->path, &state));
    CU_ASSERT_EQUAL(state->position.step, step);
    CU_ASSERT_EQUAL(state->position.epoch, (step - 1) / 3 + 1);
    CHECK_OK(teach(&s, k, state, &outcome));
    CU_ASSERT(same_model(s.model, whole->model));
    CU_ASSERT_EQUAL(k->told, EPOCHS);
    CU_ASSERT_EQUAL(memcmp(&outcome, expected, sizeof outcome), 0);
    scs_state_destroy(&state);
    close_training(&s);
}

static void check_every_step(int monitor)
{
    char folder[SCRATCH_PATH];
    training_data whole;
    scs_outcome expected;
    static keeper k, first;

    scratch_make(folder);
    scratch_path(folder, "training.1.h5", k.path);
    first = k;
    open_class(&whole, monitor);
    memset(&expected, 0, sizeof expected);
    CHECK_OK(teach(&whole, &first, NULL, &expected));
    CU_ASSERT_EQUAL(expected.steps, 3 * EPOCHS);
    for (int64_t step = 1; step <= expected.steps; step++) {
        interrupt(&k, step, monitor, &whole, &expected);
        CU_ASSERT_EQUAL(memcmp(k.objective, first.objective, sizeof k.objective), 0);
    }
    close_training(&whole);
    scratch_remove(folder);
}

static void goes_on_after_every_step(void)
{
    check_every_step(SCS_MONITOR_OBJECTIVE);
    check_every_step(SCS_MONITOR_REFERENCE);
}

/* What is saved when training is over: loading it trains no more. */
static void finished_is_finished(void)
{
    char folder[SCRATCH_PATH];
    static keeper k;
    training_data a, b;
    scs_outcome outcome, again;
    scs_state *state = NULL;

    memset(&k, 0, sizeof k);
    scratch_make(folder);
    scratch_path(folder, "training.2.h5", k.path);
    open_class(&a, SCS_MONITOR_OBJECTIVE);
    open_class(&b, SCS_MONITOR_OBJECTIVE);
    CHECK_OK(teach(&a, &k, NULL, &outcome));
    CHECK_OK(scs_state_probe(k.path, &state));
    k.told = k.saves = 0;
    CHECK_OK(teach(&b, &k, state, &again));
    CU_ASSERT(k.told == 0 && k.asked == 0 && k.saves == 0);
    CU_ASSERT_EQUAL(memcmp(&outcome, &again, sizeof outcome), 0);
    CU_ASSERT(same_model(a.model, b.model));
    scs_state_destroy(&state);
    close_training(&a);
    close_training(&b);
    scratch_remove(folder);
}

/* A saved state in a folder of its own. @param network NULL: that of every training */
static void save_state_of(const scs_arch *network, char folder[SCRATCH_PATH], keeper *k)
{
    training_data s;
    scs_outcome outcome;

    memset(k, 0, sizeof *k);
    scratch_make(folder);
    scratch_path(folder, "training.1.h5", k->path);
    open_class(&s, SCS_MONITOR_OBJECTIVE);
    if (network) {
        scs_model_destroy(&s.model);
        CHECK_OK(scs_model_create(network, &s.model));
        scs_model_init(s.model, 5);
    }
    k->stop_after = 4; /* in the second epoch: there are best weights */
    CHECK_FAILS(teach(&s, k, NULL, &outcome), SCS_ESTOP, "as asked");
    close_training(&s);
}

static void save_one(char folder[SCRATCH_PATH], keeper *k)
{
    save_state_of(NULL, folder, k);
}

/* Of a test_atlas file, for the time it takes grows as the square of its size. */
static void every_flipped_byte_is_found(void)
{
    const scs_arch network = dropout_arch(SCS_PROFILE_SCGEN2, N_GENE, 2, 2);
    char folder[SCRATCH_PATH], *bytes;
    size_t size, found = 0;
    scs_state *state = NULL;
    static keeper k;
    FILE *file;

    save_state_of(&network, folder, &k);
    bytes = scratch_read(k.path, &size);
    file = fopen(k.path, "r+b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    setvbuf(file, NULL, _IONBF, 0);
    for (size_t i = 0; i < size; i++) {
        fseek(file, (long)i, SEEK_SET);
        fputc(bytes[i] ^ (1 << i % 8), file);
        found += scs_state_probe(k.path, &state) == SCS_EDATA;
        fseek(file, (long)i, SEEK_SET);
        fputc(bytes[i], file);
    }
    CU_ASSERT_EQUAL(found, size);
    printf("%zu of %zu ", found, size);
    fclose(file);
    CHECK_OK(scs_state_probe(k.path, &state)); /* as it was */
    scs_state_destroy(&state);
    free(bytes);
    scratch_remove(folder);
}

static void a_shorter_file_is_refused(void)
{
    char folder[SCRATCH_PATH];
    scs_state *state = NULL;
    static keeper k;

    save_one(folder, &k);
    for (int64_t size = 20000; size >= 0; size -= 500) {
        CU_ASSERT_EQUAL_FATAL(truncate(k.path, size), 0);
        CHECK_FAILS(scs_state_probe(k.path, &state), SCS_EDATA, "training.1.h5");
        CU_ASSERT_PTR_NULL(state);
    }
    scratch_remove(folder);
}

/* The checksum of the file is right, but a vector is not what was saved. */
static void a_wrong_vector_is_named(void)
{
    char folder[SCRATCH_PATH];
    scs_state *state = NULL;
    scs_outcome outcome;
    static keeper k;
    float zero[4] = {0};
    hsize_t n = 4, start = 7;
    hid_t file, set, memory, space;
    training_data s;

    save_one(folder, &k);
    file = H5Fopen(k.path, H5F_ACC_RDWR, H5P_DEFAULT);
    set = H5Dopen2(file, "v", H5P_DEFAULT);
    space = H5Dget_space(set);
    memory = H5Screate_simple(1, &n, NULL);
    CU_ASSERT(H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &n, NULL) >= 0);
    CU_ASSERT(H5Dwrite(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, zero) >= 0);
    CU_ASSERT(H5Sclose(memory) >= 0 && H5Sclose(space) >= 0 && H5Dclose(set) >= 0);
    CU_ASSERT(H5Fclose(file) >= 0);
    CHECK_OK(scs_checksum_file_write(k.path));
    CHECK_OK(scs_state_probe(k.path, &state));
    open_class(&s, SCS_MONITOR_OBJECTIVE);
    CHECK_FAILS(teach(&s, &k, state, &outcome), SCS_EDATA, "v is damaged");
    scs_state_destroy(&state);
    close_training(&s);
    scratch_remove(folder);
}

static void another_network_is_refused(void)
{
    char folder[SCRATCH_PATH];
    scs_state *state = NULL;
    scs_outcome outcome;
    static keeper k;
    training_data s;

    save_one(folder, &k);
    CHECK_OK(scs_state_probe(k.path, &state));
    open_training(4, N_TRAIN, N_VALID, &s);
    CHECK_FAILS(teach(&s, &k, state, &outcome), SCS_EDATA, "2 shards, this one has");
    close_training(&s);
    scs_state_destroy(&state);
    scratch_remove(folder);
}

/* Training that diverged is not saved: the file stays what it was. */
static void nan_is_not_saved(void)
{
    char folder[SCRATCH_PATH];
    static keeper k;
    training_data s;
    scs_outcome outcome;
    scs_state *state = NULL;

    save_one(folder, &k);
    open_class(&s, SCS_MONITOR_OBJECTIVE);
    k.stop_after = 5;
    k.poison = true;
    CHECK_FAILS(teach(&s, &k, NULL, &outcome), SCS_ENUMERIC,
                "training diverged: param holds a NaN");
    close_training(&s);
    CHECK_OK(scs_state_probe(k.path, &state));
    CU_ASSERT_EQUAL(state->position.step, 4);
    scs_state_destroy(&state);
    scratch_remove(folder);
}

static void packs_and_unpacks(void)
{
    char folder[SCRATCH_PATH];
    scs_state *state = NULL, *back = NULL;
    static keeper k;
    uint8_t *blob;
    int64_t size;

    save_one(folder, &k);
    CHECK_OK(scs_state_probe(k.path, &state));
    CHECK_OK(scs_state_pack(state, &blob, &size));
    CHECK_OK(scs_state_unpack(blob, size, &back));
    CU_ASSERT_EQUAL(memcmp(&state->position, &back->position, sizeof state->position), 0);
    CU_ASSERT_STRING_EQUAL(back->path, k.path);
    CU_ASSERT_STRING_EQUAL(back->program, "0.1 test");
    CU_ASSERT_EQUAL(back->n_param, state->n_param);
    scs_state_destroy(&back);
    for (int64_t n = 0; n < size; n++) { /* every shorter block is refused */
        CU_ASSERT_EQUAL(scs_state_unpack(blob, n, &back), SCS_EDATA);
        CU_ASSERT_PTR_NULL(back);
    }
    free(blob);
    scs_state_destroy(&state);
    scratch_remove(folder);
}

int main(void)
{
    static const scs_test tests[] = {
        {"goes on after every step", goes_on_after_every_step},
        {"finished is finished", finished_is_finished},
        {"every flipped byte is found", every_flipped_byte_is_found},
        {"a shorter file is refused", a_shorter_file_is_refused},
        {"a wrong vector is named", a_wrong_vector_is_named},
        {"another network is refused", another_network_is_refused},
        {"a NaN is not saved", nan_is_not_saved},
        {"packs and unpacks", packs_and_unpacks},
    };

    return run_suite("state", tests, sizeof tests / sizeof *tests);
}
