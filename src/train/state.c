#include "src/hdf5/h5text.h"
#include "src/train/state.h"

#include "src/base/bytes.h"
#include "src/base/checksum.h"
#include "src/base/collective.h"
#include "src/base/sandbox.h"
#include "src/base/text.h"
#include "src/hdf5/h5read.h"
#include "src/hdf5/h5write.h"
#include "src/train/train_internal.h"
#include "scscreen/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SCS_STATE_INTS = 7, SCS_STATE_NUMBERS = 6, SCS_STATE_TEXTS = 3, SCS_STATE_VECTORS = 6 };

typedef struct scs_state_int {
    const char *name;
    int64_t *value, least; /**< borrowed from the state; the smallest that is allowed */
} scs_state_int;

typedef struct scs_state_number {
    const char *name;
    double *value;
} scs_state_number;

typedef struct scs_state_text {
    const char *name;
    char **value;
} scs_state_text;

/* A vector that every rank holds, or (m, v) of which each holds a slice. */
typedef struct scs_state_vector {
    const char *name;
    float *values; /**< [n] borrowed from the training; of a slice only [hi - lo] */
    int64_t n;
    bool sliced;
} scs_state_vector;

/* @param[out] ints [SCS_STATE_INTS] */
static void state_ints(scs_state *state, scs_state_int *ints)
{
    scs_position *p = &state->position;
    scs_state_int all[SCS_STATE_INTS] = {{"epoch", &p->epoch, 1},
                                         {"steps_done", &p->at, 0},
                                         {"step", &p->step, 0},
                                         {"best_epoch", &p->best_epoch, 0},
                                         {"n_shard", &state->n_shard, 1},
                                         {"n_param", &state->n_param, 1},
                                         {"n_running", &state->n_running, 0}};

    memcpy(ints, all, sizeof all);
}

/* @param[out] numbers [SCS_STATE_NUMBERS] */
static void state_numbers(scs_state *state, scs_state_number *numbers)
{
    scs_position *p = &state->position;
    scs_state_number all[SCS_STATE_NUMBERS] = {{"sum_objective", &p->sum.objective},
                                               {"sum_reconstruction", &p->sum.reconstruction},
                                               {"sum_kl", &p->sum.kl},
                                               {"sum_cells", &p->sum.n},
                                               {"seconds", &p->seconds},
                                               {"best", &p->best}};

    memcpy(numbers, all, sizeof all);
}

/* @param[out] texts [SCS_STATE_TEXTS] */
static void state_texts(scs_state *state, scs_state_text *texts)
{
    scs_state_text all[SCS_STATE_TEXTS] = {
        {"config", &state->config}, {"data", &state->data}, {"program", &state->program}};

    memcpy(texts, all, sizeof all);
}

/* @param[out] vectors [SCS_STATE_VECTORS]  @return how many: the best weights only where there are
 * any */
static int state_vectors(const scs_training *training, int64_t best_epoch,
                         scs_state_vector *vectors)
{
    const scs_trainer *t = training->trainer;
    int64_t n_param = t->model->n_param, n_running = t->model->n_running;
    bool best = training->best && best_epoch > 0;
    scs_state_vector all[SCS_STATE_VECTORS] = {
        {"param", t->model->param, n_param, false},
        {"running", t->model->running, n_running, false},
        {"m", t->m, n_param, true},
        {"v", t->v, n_param, true},
        {"best_param", training->best, n_param, false},
        {"best_running", best ? training->best + n_param : NULL, n_running, false}};

    memcpy(vectors, all, sizeof all);
    return best ? SCS_STATE_VECTORS : SCS_STATE_VECTORS - 2;
}

/* The checksum that the file itself gives. @param[out] sum [SCS_CHECKSUM_MAX] */
static scs_status own_checksum(const scs_h5 *h5, const char *name, char *sum)
{
    char *text = NULL;
    bool found = false;

    SCS_TRY(scs_h5_attr_text(h5, name, "sha256", &text, &found));
    snprintf(sum, SCS_CHECKSUM_MAX, "%s", found ? text : "");
    free(text);
    SCS_REQUIRE(found, SCS_EDATA, "%s: %s has no checksum", h5->path, name);
    return SCS_OK;
}

/* What a step left that nothing has met yet: saved, it would take the place of a good state. */
static scs_status check_finite(const scs_h5 *h5, const char *name, const float *values, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        SCS_REQUIRE(isfinite(values[i]), SCS_ENUMERIC,
                    "%s: training diverged: %s holds a NaN or an infinite value; lower "
                    "train.learning_rate and begin anew with --restart",
                    h5->path, name);
    return SCS_OK;
}

/* Read one vector and compare its checksum with `sum` (NULL: with the file's own attribute, only
 * before MPI_Init or in a file that passed scs_checksum_file_check). SCS_EDATA. @param[out] out [n]
 */
static scs_status state_read_vector(const scs_h5 *h5, const char *name, int64_t n, const char *sum,
                                    float *out)
{
    char expected[SCS_CHECKSUM_MAX], read[SCS_CHECKSUM_MAX];
    scs_h5_shape shape;

    SCS_REQUIRE(scs_h5_exists(h5, name), SCS_EDATA, "%s: %s is missing", h5->path, name);
    SCS_TRY(scs_h5_shape_of(h5, name, &shape));
    SCS_REQUIRE(shape.rank == 1 && shape.dim[0] == n, SCS_EDATA,
                "%s: %s has %lld values, this network needs %lld", h5->path, name,
                (long long)shape.dim[0], (long long)n);
    if (sum)
        snprintf(expected, sizeof expected, "%s", sum);
    else
        SCS_TRY(own_checksum(h5, name, expected));
    if (n > 0)
        SCS_TRY(scs_h5_read_float(h5, name, 0, n, out));
    scs_checksum_bytes(out, n * (int64_t)sizeof *out, read);
    SCS_REQUIRE(strcmp(expected, read) == 0, SCS_EDATA, "%s: %s is damaged (its checksum differs)",
                h5->path, name);
    return check_finite(h5, name, out, n);
}

/* From rank 0 to all; a sliced vector goes through scratch, and each rank keeps its slice. */
static scs_status take_vector(const scs_trainer *t, const scs_h5 *h5,
                              const scs_state_vector *vector)
{
    const scs_team *team = t->team;
    float *whole = vector->sliced ? t->grad[0] : vector->values;
    scs_status mine = SCS_OK;

    if (team->rank == 0)
        mine = state_read_vector(h5, vector->name, vector->n, NULL, whole);
    SCS_TRY(team->agree(team->ctx, mine));
    SCS_TRY(team->share(team->ctx, whole, vector->n * (int64_t)sizeof *whole));
    for (int s = 0; vector->sliced && s < SCS_SEGMENTS; s++)
        memcpy(vector->values + t->own[s].at, whole + t->own[s].lo,
               (size_t)(t->own[s].hi - t->own[s].lo) * sizeof *whole);
    return SCS_OK;
}

static scs_status check_size(const scs_training *training, const scs_state *state)
{
    const scs_trainer *t = training->trainer;

    SCS_REQUIRE(state->n_param == t->model->n_param && state->n_running == t->model->n_running &&
                    state->n_shard == t->team->n_shard && state->position.at <= t->steps,
                SCS_EDATA,
                "%s: made by a run of %lld parameters and %lld shards, this one has %lld and %d",
                state->path, (long long)state->n_param, (long long)state->n_shard,
                (long long)t->model->n_param, t->team->n_shard);
    return SCS_OK;
}

static scs_status take_vectors(scs_training *training, const scs_h5 *h5, int64_t best_epoch)
{
    scs_state_vector vector[SCS_STATE_VECTORS];
    int n = state_vectors(training, best_epoch, vector);

    for (int i = 0; i < n; i++)
        SCS_TRY(take_vector(training->trainer, h5, &vector[i]));
    return SCS_OK;
}

scs_status scs_state_load(scs_training *training, const scs_state *state)
{
    const scs_team *team = training->trainer->team;
    scs_h5 h5 = {.file = H5I_INVALID_HID};
    scs_status st = check_size(training, state);

    if (st == SCS_OK && team->rank == 0)
        st = scs_h5_open(state->path, 0, &h5);
    SCS_GO(st, team->agree(team->ctx, st));
    SCS_GO(st, take_vectors(training, &h5, state->position.best_epoch));
    training->position = state->position;
    training->trainer->step = state->position.step;
done:
    scs_h5_close(&h5);
    return st;
}

/* A state file being written by rank 0. */
typedef struct writer {
    scs_h5_out out;
    scs_state_vector vector[SCS_STATE_VECTORS];
    char sum[SCS_STATE_VECTORS][SCS_CHECKSUM_MAX];
    int n_vector;
} writer;

static scs_status write_words(hid_t file, scs_state *state)
{
    scs_state_int ints[SCS_STATE_INTS];
    scs_state_number numbers[SCS_STATE_NUMBERS];
    scs_state_text texts[SCS_STATE_TEXTS];

    state_ints(state, ints);
    for (int i = 0; i < SCS_STATE_INTS; i++)
        SCS_TRY(scs_h5_write(file, ints[i].name, H5T_NATIVE_INT64, 0, NULL, ints[i].value));
    state_numbers(state, numbers);
    for (int i = 0; i < SCS_STATE_NUMBERS; i++)
        SCS_TRY(scs_h5_write(file, numbers[i].name, H5T_NATIVE_DOUBLE, 0, NULL, numbers[i].value));
    state_texts(state, texts);
    for (int i = 0; i < SCS_STATE_TEXTS; i++)
        SCS_TRY(scs_h5_scalar_text(file, texts[i].name, *texts[i].value));
    return SCS_OK;
}

static scs_status begin(scs_state *state, writer *w)
{
    SCS_TRY(scs_h5_out_create_checked(state->path, &w->out));
    return write_words(w->out.file, state);
}

static scs_status write_vector(writer *w, int i, const float *values)
{
    const scs_state_vector *vector = &w->vector[i];
    hid_t file = w->out.file;

    scs_checksum_bytes(values, vector->n * (int64_t)sizeof *values, w->sum[i]);
    SCS_TRY(scs_h5_write(file, vector->name, H5T_NATIVE_FLOAT, 1, &vector->n, values));
    return scs_h5_attr_write_text(file, vector->name, "sha256", w->sum[i]);
}

/* @param back [n_param] scratch */
static scs_status verify(const writer *w, float *back)
{
    scs_status st = SCS_OK;
    scs_h5 h5;

    SCS_TRY(scs_h5_open(w->out.temp, 0, &h5));
    for (int i = 0; i < w->n_vector && st == SCS_OK; i++)
        st = state_read_vector(&h5, w->vector[i].name, w->vector[i].n, w->sum[i], back);
    scs_h5_close(&h5);
    return st == SCS_EDATA ? scs_context(SCS_EIO, "does not read back as it was written: ") : st;
}

static scs_status finish(writer *w, float *scratch)
{
    SCS_TRY(scs_h5_out_finish(&w->out));
    SCS_TRY(verify(w, scratch));
    return scs_h5_out_commit(&w->out);
}

/* All of a sliced vector on every rank. @param[out] whole [n] */
static scs_status gather(const scs_trainer *t, const scs_state_vector *vector, float *whole)
{
    for (int s = 0; s < SCS_SEGMENTS; s++) {
        const scs_own *own = &t->own[s];

        memcpy(whole + own->lo, vector->values + own->at,
               (size_t)(own->hi - own->lo) * sizeof *whole);
        SCS_TRY(t->team->gather_slices(t->team->ctx, whole, own->bound));
    }
    return scs_collective_ok();
}

/* Each rank takes part in every gathering, whatever has happened to rank 0's file.
 * @param[out] mine whether this rank could write */
static scs_status write_vectors(const scs_trainer *t, writer *w, scs_status *mine)
{
    float *scratch = t->grad[0]; /* free between steps */

    for (int i = 0; i < w->n_vector; i++) {
        const scs_state_vector *vector = &w->vector[i];

        if (vector->sliced)
            SCS_TRY(gather(t, vector, scratch));
        if (t->team->rank == 0 && *mine == SCS_OK)
            *mine = write_vector(w, i, vector->sliced ? scratch : vector->values);
    }
    return SCS_OK;
}

scs_status scs_state_save(scs_training *training, const scs_state *facts)
{
    const scs_trainer *t = training->trainer;
    scs_state state = *facts;
    bool writes = t->team->rank == 0;
    scs_status st, mine;
    writer w = {.out.file = H5I_INVALID_HID};

    state.n_shard = t->team->n_shard;
    state.n_param = t->model->n_param;
    state.n_running = t->model->n_running;
    w.n_vector = state_vectors(training, state.position.best_epoch, w.vector);
    mine = writes ? begin(&state, &w) : SCS_OK;
    SCS_GO(st, write_vectors(t, &w, &mine));
    if (writes && mine == SCS_OK)
        mine = finish(&w, t->grad[0]);
    SCS_GO(st, t->team->agree(t->team->ctx, mine));
done:
    scs_h5_out_abandon(&w.out);
    return st;
}

/* Limits of the child that reads the file's texts. */
enum { PROBE_SECONDS = 60, PROBE_MEMORY = 1 << 30 };

void scs_state_destroy(scs_state **state)
{
    scs_state *s = *state;

    if (!s)
        return;
    free(s->path);
    free(s->config);
    free(s->data);
    free(s->program);
    free(s);
    *state = NULL;
}

/* ---- as one block of bytes ---- */

static scs_status put_all(scs_state *s, scs_bytes *b)
{
    scs_state_text texts[SCS_STATE_TEXTS];

    SCS_TRY(scs_bytes_put(b, &s->position, sizeof s->position));
    SCS_TRY(scs_bytes_put_int(b, s->n_shard));
    SCS_TRY(scs_bytes_put_int(b, s->n_param));
    SCS_TRY(scs_bytes_put_int(b, s->n_running));
    SCS_TRY(scs_bytes_put_text(b, s->path));
    state_texts(s, texts);
    for (int i = 0; i < SCS_STATE_TEXTS; i++)
        SCS_TRY(scs_bytes_put_text(b, *texts[i].value));
    return SCS_OK;
}

scs_status scs_state_pack(const scs_state *state, uint8_t **blob, int64_t *size)
{
    scs_state s = *state;
    scs_bytes b = {0};

    return scs_bytes_take(&b, put_all(&s, &b), blob, size);
}

static scs_status check_numbers(scs_state *s)
{
    scs_state_int ints[SCS_STATE_INTS];
    scs_state_number numbers[SCS_STATE_NUMBERS];

    state_ints(s, ints);
    for (int i = 0; i < SCS_STATE_INTS; i++)
        SCS_REQUIRE(*ints[i].value >= ints[i].least, SCS_EDATA, "%s: %s is %lld", s->path,
                    ints[i].name, (long long)*ints[i].value);
    state_numbers(s, numbers);
    for (int i = 0; i < SCS_STATE_NUMBERS; i++)
        SCS_REQUIRE(isfinite(*numbers[i].value), SCS_EDATA, "%s: %s is not finite", s->path,
                    numbers[i].name);
    return SCS_OK;
}

static scs_status get_all(scs_bytes *b, scs_state *s)
{
    scs_state_text texts[SCS_STATE_TEXTS];

    SCS_TRY(scs_bytes_get(b, &s->position, sizeof s->position));
    SCS_TRY(scs_bytes_get_int(b, &s->n_shard));
    SCS_TRY(scs_bytes_get_int(b, &s->n_param));
    SCS_TRY(scs_bytes_get_int(b, &s->n_running));
    SCS_TRY(scs_bytes_get_text(b, &s->path));
    state_texts(s, texts);
    for (int i = 0; i < SCS_STATE_TEXTS; i++) {
        SCS_TRY(scs_bytes_get_text(b, texts[i].value));
        SCS_REQUIRE(*texts[i].value, SCS_EDATA, "a training state lacks its %s", texts[i].name);
    }
    SCS_REQUIRE(s->path, SCS_EDATA, "a training state lacks its path");
    SCS_REQUIRE(b->at == b->size, SCS_EDATA, "a training state is %lld bytes too long",
                (long long)(b->size - b->at));
    return check_numbers(s);
}

scs_status scs_state_unpack(const uint8_t *blob, int64_t size, scs_state **state)
{
    scs_bytes b = {.data = (uint8_t *)blob, .size = size}; /* only read */
    scs_status st;

    SCS_TRY(SCS_ALLOC(*state, 1));
    SCS_GO(st, get_all(&b, *state));
done:
    if (st != SCS_OK)
        scs_state_destroy(state);
    return st;
}

/* ---- probe ---- */

static scs_status read_text(const scs_h5 *h5, const scs_state_text *text)
{
    scs_names names = {0};
    scs_status st;

    SCS_TRY(scs_h5_read_strings(h5, text->name, &names));
    st = names.n == 1 ? scs_text_copy(names.name[0], text->value)
                      : SCS_FAIL(SCS_EDATA, "%s: %s is not one text", h5->path, text->name);
    scs_names_clear(&names);
    return st;
}

static scs_status read_words(const scs_h5 *h5, scs_state *s)
{
    scs_state_int ints[SCS_STATE_INTS];
    scs_state_number numbers[SCS_STATE_NUMBERS];
    scs_state_text texts[SCS_STATE_TEXTS];

    state_ints(s, ints);
    for (int i = 0; i < SCS_STATE_INTS; i++)
        SCS_TRY(scs_h5_read_int64(h5, ints[i].name, 0, 1, ints[i].value));
    state_numbers(s, numbers);
    for (int i = 0; i < SCS_STATE_NUMBERS; i++)
        SCS_TRY(scs_h5_read_double(h5, numbers[i].name, 0, 1, numbers[i].value));
    state_texts(s, texts);
    for (int i = 0; i < SCS_STATE_TEXTS; i++)
        SCS_TRY(read_text(h5, &texts[i]));
    return scs_text_copy(h5->path, &s->path);
}

/* In the child. @param arg the path */
static scs_status probe_in_child(void *arg, scs_bytes *out)
{
    scs_state *s = NULL;
    scs_h5 h5;
    scs_status st;

    SCS_TRY(scs_h5_open(arg, 0, &h5));
    SCS_GO(st, SCS_ALLOC(s, 1));
    SCS_GO(st, read_words(&h5, s));
    SCS_GO(st, put_all(s, out));
done:
    scs_state_destroy(&s);
    scs_h5_close(&h5);
    return st;
}

scs_status scs_state_probe(const char *path, scs_state **state)
{
    scs_bytes out = {0};
    char *arg = NULL;
    scs_status st;

    *state = NULL;
    SCS_GO(st, scs_text_copy(path, &arg));
    SCS_GO(st, scs_checksum_file_check(path, true));
    SCS_GO(st, scs_sandbox_run(path, probe_in_child, arg, PROBE_MEMORY, PROBE_SECONDS, &out));
    SCS_GO(st, scs_state_unpack(out.data, out.size, state));
done:
    scs_bytes_clear(&out);
    free(arg);
    return st;
}
