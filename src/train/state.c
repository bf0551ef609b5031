/* Writing and reading the state of a training run (state.h says what it is).
 *
 *     epoch, steps_done, step, best_epoch     int64: scs_position
 *     n_shard, n_param, n_running             int64: what the run must have to go on
 *     sum_*, seconds, best                    float64: the epoch so far, the best one's value
 *     config, data, program                   texts
 *     param, running, m, v                    float32; attribute sha256
 *     best_param, best_running                float32, where there is a best epoch
 *
 * The four tables below name each member once; writing, reading, packing and checking walk along
 * them. Rank 0 alone touches the file, whose vectors are as large as the network; all ranks take
 * part in gathering and in sharing them, whatever has happened to rank 0's file, and agree at the
 * end. Texts are read in a forked child (sandbox.h) before MPI starts; numbers directly, after
 * the file's own checksum was compared.
 */
#include "src/train/state.h"

#include "src/base/bytes.h"
#include "src/base/checksum.h"
#include "src/base/collective.h"
#include "src/base/sandbox.h"
#include "src/base/text.h"
#include "src/hdf5/h5read.h"
#include "src/hdf5/h5text.h"
#include "src/hdf5/h5write.h"
#include "src/train/train_internal.h"
#include "scscreen/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_INTEGER = 7, N_NUMBER = 6, N_TEXT = 3, N_VECTOR = 6 };

/* A member that is one integer. */
typedef struct int_member {
    const char *name;
    int64_t *value, least; /* in the state, borrowed; the smallest that is allowed */
} int_member;

/* One that is a double, which has to be finite. */
typedef struct number_member {
    const char *name;
    double *value;
} number_member;

/* One that is a text, owned by the state. */
typedef struct text_member {
    const char *name;
    char **value;
} text_member;

/* A vector that is alike on every rank, or (sliced: m, v) of which each rank holds the slices
 * of its shards, segment after segment (scs_slices). */
typedef struct vector_member {
    const char *name;
    float *values; /* in the training, borrowed: [n], or this rank's slices */
    int64_t n;     /* of the whole vector, as the file has it */
    bool sliced;
} vector_member;

/* ---- what the file holds ---- */

/* The integers and the smallest that each may be: a file may say anything.
 * @param[out] integers [N_INTEGER] */
static void integers_of(scs_state *state, int_member *integers)
{
    scs_position *p = &state->position;
    int_member all[N_INTEGER] = {{"epoch", &p->epoch, 1},
                                 {"steps_done", &p->at, 0},
                                 {"step", &p->step, 0},
                                 {"best_epoch", &p->best_epoch, 0},
                                 {"n_shard", &state->n_shard, 1},
                                 {"n_param", &state->n_param, 1},
                                 {"n_running", &state->n_running, 0}};

    memcpy(integers, all, sizeof all);
}

/* @param[out] numbers [N_NUMBER] */
static void numbers_of(scs_state *state, number_member *numbers)
{
    scs_position *p = &state->position;
    number_member all[N_NUMBER] = {{"sum_objective", &p->sum.objective},
                                   {"sum_reconstruction", &p->sum.reconstruction},
                                   {"sum_kl", &p->sum.kl},
                                   {"sum_cells", &p->sum.n},
                                   {"seconds", &p->seconds},
                                   {"best", &p->best}};

    memcpy(numbers, all, sizeof all);
}

/* @param[out] texts [N_TEXT] */
static void texts_of(scs_state *state, text_member *texts)
{
    text_member all[N_TEXT] = {
        {"config", &state->config}, {"data", &state->data}, {"program", &state->program}};

    memcpy(texts, all, sizeof all);
}

/* The vectors of a run at this point.
 * @param[out] vectors [N_VECTOR]  @return how many: the best epoch's weights only where there
 * are any */
static int vectors_of(const scs_training *training, int64_t best_epoch, vector_member *vectors)
{
    const scs_trainer *t = training->trainer;
    int64_t n_param = t->model->n_param, n_running = t->model->n_running;
    bool best = training->best && best_epoch > 0;
    vector_member all[N_VECTOR] = {
        {"param", t->model->param, n_param, false},
        {"running", t->model->running, n_running, false},
        {"m", t->m, n_param, true},
        {"v", t->v, n_param, true},
        {"best_param", training->best, n_param, false},
        {"best_running", best ? training->best + n_param : NULL, n_running, false}};

    memcpy(vectors, all, sizeof all);
    return best ? N_VECTOR : N_VECTOR - 2;
}

/* ---- load ---- */

/* The checksum that the file itself gives of a vector. SCS_EDATA. @param[out] sum
 * [SCS_CHECKSUM_MAX] */
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

/* Refuses what a step left and no later step has met: saved, it would take the place of a good
 * state. SCS_ENUMERIC. */
static scs_status check_finite(const scs_h5 *h5, const char *name, const float *values, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        SCS_REQUIRE(isfinite(values[i]), SCS_ENUMERIC,
                    "%s: training diverged: %s holds a NaN or an infinite value; lower "
                    "train.learning_rate and begin anew with --restart",
                    h5->path, name);
    return SCS_OK;
}

/* Read one vector and compare its checksum with `sum`, or with the file's own attribute where
 * that is NULL: an attribute is text, and read only before MPI_Init or in a file that passed
 * scs_checksum_file_check. SCS_EDATA, SCS_ENUMERIC. @param[out] out [n] */
static scs_status read_vector(const scs_h5 *h5, const char *name, int64_t n, const char *sum,
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

/* From rank 0 to all, who agree first: a vector that is damaged stops all ranks alike. A sliced
 * one goes through scratch, and each rank keeps its slices. Collective. */
static scs_status load_vector(const scs_trainer *t, const scs_h5 *h5, const vector_member *vector)
{
    const scs_team *team = t->team;
    float *whole = vector->sliced ? t->grad[0] : vector->values;
    scs_status mine = SCS_OK;

    if (team->rank == 0)
        mine = read_vector(h5, vector->name, vector->n, NULL, whole);
    SCS_TRY(team->agree(team->ctx, mine));
    SCS_TRY(team->share(team->ctx, whole, vector->n * (int64_t)sizeof *whole));
    for (int s = 0; vector->sliced && s < SCS_SEGMENTS; s++)
        memcpy(vector->values + t->own[s].at, whole + t->own[s].lo,
               (size_t)(t->own[s].hi - t->own[s].lo) * sizeof *whole);
    return SCS_OK;
}

/* Whether the file is of a run of this network and these shards; known alike on all ranks. */
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

/* Those that the file has; all ranks have the same position and so ask for the same.
 * Collective. */
static scs_status load_vectors(scs_training *training, const scs_h5 *h5, int64_t best_epoch)
{
    vector_member vector[N_VECTOR];
    int n = vectors_of(training, best_epoch, vector);

    for (int i = 0; i < n; i++)
        SCS_TRY(load_vector(training->trainer, h5, &vector[i]));
    return SCS_OK;
}

/* Only rank 0 opens the file. The position is taken last, when all vectors are there. */
scs_status scs_state_load(scs_training *training, const scs_state *state)
{
    const scs_team *team = training->trainer->team;
    scs_h5 h5 = {.file = H5I_INVALID_HID};
    scs_status st = check_size(training, state);

    if (st == SCS_OK && team->rank == 0)
        st = scs_h5_open(state->path, 0, &h5);
    SCS_GO(st, team->agree(team->ctx, st));
    SCS_GO(st, load_vectors(training, &h5, state->position.best_epoch));
    training->position = state->position;
    training->trainer->step = state->position.step;
done:
    scs_h5_close(&h5);
    return st;
}

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

/* ---- save ---- */

/* A state file being written by rank 0. */
typedef struct writer {
    scs_h5_out out;
    vector_member vector[N_VECTOR];
    char sum[N_VECTOR][SCS_CHECKSUM_MAX]; /* of what is meant to be written */
    int n_vector;
} writer;

/* Walks along the three tables. */
static scs_status write_words(hid_t file, scs_state *state)
{
    int_member integers[N_INTEGER];
    number_member numbers[N_NUMBER];
    text_member texts[N_TEXT];

    integers_of(state, integers);
    for (int i = 0; i < N_INTEGER; i++)
        SCS_TRY(scs_h5_write(file, integers[i].name, H5T_NATIVE_INT64, 0, NULL, integers[i].value));
    numbers_of(state, numbers);
    for (int i = 0; i < N_NUMBER; i++)
        SCS_TRY(scs_h5_write(file, numbers[i].name, H5T_NATIVE_DOUBLE, 0, NULL, numbers[i].value));
    texts_of(state, texts);
    for (int i = 0; i < N_TEXT; i++)
        SCS_TRY(scs_h5_scalar_text(file, texts[i].name, *texts[i].value));
    return SCS_OK;
}

/* A new file beside the old one, with everything but the vectors. */
static scs_status begin(scs_state *state, writer *w)
{
    SCS_TRY(scs_h5_out_create_checked(state->path, &w->out));
    return write_words(w->out.file, state);
}

/* With the checksum of what is meant to be there. @param values [vector->n] */
static scs_status write_vector(writer *w, int i, const float *values)
{
    const vector_member *vector = &w->vector[i];
    hid_t file = w->out.file;

    scs_checksum_bytes(values, vector->n * (int64_t)sizeof *values, w->sum[i]);
    SCS_TRY(scs_h5_write(file, vector->name, H5T_NATIVE_FLOAT, 1, &vector->n, values));
    return scs_h5_attr_write_text(file, vector->name, "sha256", w->sum[i]);
}

/* Each vector as it reads back from the closed file; what differs is the disk's fault
 * (SCS_EIO).
 * @param back [n_param] scratch */
static scs_status verify(const writer *w, float *back)
{
    scs_status st = SCS_OK;
    scs_h5 h5;

    SCS_TRY(scs_h5_open(w->out.temp, 0, &h5));
    for (int i = 0; i < w->n_vector && st == SCS_OK; i++)
        st = read_vector(&h5, w->vector[i].name, w->vector[i].n, w->sum[i], back);
    scs_h5_close(&h5);
    return st == SCS_EDATA ? scs_context(SCS_EIO, "does not read back as it was written: ") : st;
}

/* Synced, verified, renamed: from here on the file is the state. @param scratch [n_param] */
static scs_status finish(writer *w, float *scratch)
{
    SCS_TRY(scs_h5_out_finish(&w->out));
    SCS_TRY(verify(w, scratch));
    return scs_h5_out_commit(&w->out);
}

/* All of a sliced vector on every rank, although only rank 0 writes it: an allgather of slices
 * is what the team has, and states are saved seldom. Collective. @param[out] whole [n] */
static scs_status gather(const scs_trainer *t, const vector_member *vector, float *whole)
{
    for (int s = 0; s < SCS_SEGMENTS; s++) {
        const scs_slices *own = &t->own[s];

        memcpy(whole + own->lo, vector->values + own->at,
               (size_t)(own->hi - own->lo) * sizeof *whole);
        SCS_TRY(t->team->gather_slices(t->team->ctx, whole, own->bound));
    }
    return scs_collective_ok();
}

/* Each rank takes part in every gathering, whatever has happened to rank 0's file: `mine` is
 * this rank's own failure, which the others learn of only at the end. @return of the collective
 * calls */
static scs_status write_vectors(const scs_trainer *t, writer *w, scs_status *mine)
{
    float *scratch = t->grad[0]; /* free between steps */

    for (int i = 0; i < w->n_vector; i++) {
        const vector_member *vector = &w->vector[i];

        if (vector->sliced)
            SCS_TRY(gather(t, vector, scratch));
        if (t->team->rank == 0 && *mine == SCS_OK)
            *mine = write_vector(w, i, vector->sliced ? scratch : vector->values);
    }
    return SCS_OK;
}

/* A failure of rank 0's file is its own until the end: the others go on gathering, or they
 * would wait for it in a collective call that it never makes. scs_h5_out_abandon removes what
 * was not committed. */
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
    w.n_vector = vectors_of(training, state.position.best_epoch, w.vector);
    mine = writes ? begin(&state, &w) : SCS_OK;
    SCS_GO(st, write_vectors(t, &w, &mine));
    if (writes && mine == SCS_OK)
        mine = finish(&w, t->grad[0]);
    SCS_GO(st, t->team->agree(t->team->ctx, mine));
done:
    scs_h5_out_abandon(&w.out);
    return st;
}

/* ---- as one block of bytes ---- */

/* In the order of the tables. */
static scs_status put_all(scs_state *s, scs_bytes *b)
{
    text_member texts[N_TEXT];

    SCS_TRY(scs_bytes_put(b, &s->position, sizeof s->position));
    SCS_TRY(scs_bytes_put_int(b, s->n_shard));
    SCS_TRY(scs_bytes_put_int(b, s->n_param));
    SCS_TRY(scs_bytes_put_int(b, s->n_running));
    SCS_TRY(scs_bytes_put_text(b, s->path));
    texts_of(s, texts);
    for (int i = 0; i < N_TEXT; i++)
        SCS_TRY(scs_bytes_put_text(b, *texts[i].value));
    return SCS_OK;
}

/* Native byte order: to ranks of the same job. */
scs_status scs_state_pack(const scs_state *state, uint8_t **blob, int64_t *size)
{
    scs_state s = *state;
    scs_bytes b = {0};

    return scs_bytes_take(&b, put_all(&s, &b), blob, size);
}

/* Within the limits of the tables: the bytes may be from a damaged file. SCS_EDATA names the
 * member. */
static scs_status check_numbers(scs_state *s)
{
    int_member integers[N_INTEGER];
    number_member numbers[N_NUMBER];

    integers_of(s, integers);
    for (int i = 0; i < N_INTEGER; i++)
        SCS_REQUIRE(*integers[i].value >= integers[i].least, SCS_EDATA, "%s: %s is %lld", s->path,
                    integers[i].name, (long long)*integers[i].value);
    numbers_of(s, numbers);
    for (int i = 0; i < N_NUMBER; i++)
        SCS_REQUIRE(isfinite(*numbers[i].value), SCS_EDATA, "%s: %s is not finite", s->path,
                    numbers[i].name);
    return SCS_OK;
}

/* Takes what put_all put; every member has to be there and nothing more. SCS_EDATA. */
static scs_status get_all(scs_bytes *b, scs_state *s)
{
    text_member texts[N_TEXT];

    SCS_TRY(scs_bytes_get(b, &s->position, sizeof s->position));
    SCS_TRY(scs_bytes_get_int(b, &s->n_shard));
    SCS_TRY(scs_bytes_get_int(b, &s->n_param));
    SCS_TRY(scs_bytes_get_int(b, &s->n_running));
    SCS_TRY(scs_bytes_get_text(b, &s->path));
    texts_of(s, texts);
    for (int i = 0; i < N_TEXT; i++) {
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

/* Bytes that the child may have that reads the file's texts. */
enum { PROBE_MEMORY = 1 << 30 };

/* A dataset that is exactly one text (SCS_EDATA). */
static scs_status read_text(const scs_h5 *h5, const text_member *text)
{
    scs_names names = {0};
    scs_status st;

    SCS_TRY(scs_h5_read_strings(h5, text->name, &names));
    st = names.n == 1 ? scs_text_copy(names.name[0], text->value)
                      : SCS_FAIL(SCS_EDATA, "%s: %s is not one text", h5->path, text->name);
    scs_names_clear(&names);
    return st;
}

/* All but the vectors. @param[out] s zeroed; the caller destroys it, also after a failure */
static scs_status read_words(const scs_h5 *h5, scs_state *s)
{
    int_member integers[N_INTEGER];
    number_member numbers[N_NUMBER];
    text_member texts[N_TEXT];

    integers_of(s, integers);
    for (int i = 0; i < N_INTEGER; i++)
        SCS_TRY(scs_h5_read_int64(h5, integers[i].name, 0, 1, integers[i].value));
    numbers_of(s, numbers);
    for (int i = 0; i < N_NUMBER; i++)
        SCS_TRY(scs_h5_read_double(h5, numbers[i].name, 0, 1, numbers[i].value));
    texts_of(s, texts);
    for (int i = 0; i < N_TEXT; i++)
        SCS_TRY(read_text(h5, &texts[i]));
    return scs_text_copy(h5->path, &s->path);
}

/* In the child, under its limits: whatever HDF5 does with a hostile file happens there.
 * @param arg the path  @param[out] out put_all */
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

/* Checksum of the whole file, then its words in a child. Vectors are not read: a state of a
 * large network is large, and which of two states is taken is decided by their words. */
scs_status scs_state_probe(const char *path, scs_state **state)
{
    scs_bytes out = {0};
    char *arg = NULL;
    scs_status st;

    *state = NULL;
    SCS_GO(st, scs_text_copy(path, &arg));
    SCS_GO(st, scs_checksum_file_check(path, true));
    SCS_GO(st, scs_sandbox_run(path, probe_in_child, arg,
                               &(scs_sandbox_limits){.memory = PROBE_MEMORY}, &out));
    SCS_GO(st, scs_state_unpack(out.data, out.size, state));
done:
    scs_bytes_clear(&out);
    free(arg);
    return st;
}
