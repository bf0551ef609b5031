#include "src/collective.h"
#include "src/h5write.h"
#include "src/state_parts.h"

#include <string.h>

/* A state file being written by rank 0. */
typedef struct writer {
    scs_h5out out;
    scs_state_vector vector[SCS_STATE_VECTORS];
    char sum[SCS_STATE_VECTORS][SCS_CHECKSUM_MAX];
    int n_vector;
} writer;

static scs_status write_words(hid_t file, scs_state *state)
{
    scs_state_int ints[SCS_STATE_INTS];
    scs_state_number numbers[SCS_STATE_NUMBERS];
    scs_state_text texts[SCS_STATE_TEXTS];

    scs_state_ints(state, ints);
    for (int i = 0; i < SCS_STATE_INTS; i++)
        SCS_TRY(scs_h5_write(file, ints[i].name, H5T_NATIVE_INT64, 0, NULL, ints[i].value));
    scs_state_numbers(state, numbers);
    for (int i = 0; i < SCS_STATE_NUMBERS; i++)
        SCS_TRY(scs_h5_write(file, numbers[i].name, H5T_NATIVE_DOUBLE, 0, NULL, numbers[i].value));
    scs_state_texts(state, texts);
    for (int i = 0; i < SCS_STATE_TEXTS; i++)
        SCS_TRY(scs_h5_scalar_text(file, texts[i].name, *texts[i].value));
    return SCS_OK;
}

static scs_status begin(scs_state *state, writer *w)
{
    SCS_TRY(scs_h5out_create_sealed(state->path, &w->out));
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
        st = scs_state_read_vector(&h5, w->vector[i].name, w->vector[i].n, w->sum[i], back);
    scs_h5_close(&h5);
    return st == SCS_EDATA ? scs_context(SCS_EIO, "does not read back as it was written: ") : st;
}

static scs_status finish(writer *w, float *scratch)
{
    SCS_TRY(scs_h5out_finish(&w->out));
    SCS_TRY(verify(w, scratch));
    return scs_h5out_commit(&w->out);
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
    w.n_vector = scs_state_vectors(training, state.position.best_epoch, w.vector);
    mine = writes ? begin(&state, &w) : SCS_OK;
    SCS_GO(st, write_vectors(t, &w, &mine));
    if (writes && mine == SCS_OK)
        mine = finish(&w, t->grad[0]);
    SCS_GO(st, t->team->agree(t->team->ctx, mine));
done:
    scs_h5out_abandon(&w.out);
    return st;
}
