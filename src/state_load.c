#include "src/state_parts.h"

#include <string.h>

/* From rank 0 to all; a sliced vector goes through scratch, and each rank keeps its slice. */
static scs_status take_vector(const scs_trainer *t, const scs_h5 *h5,
                              const scs_state_vector *vector)
{
    const scs_team *team = t->team;
    float *whole = vector->sliced ? t->grad[0] : vector->values;
    scs_status mine = SCS_OK;

    if (team->rank == 0)
        mine = scs_state_read_vector(h5, vector->name, vector->n, NULL, whole);
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
    int n = scs_state_vectors(training, best_epoch, vector);

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
