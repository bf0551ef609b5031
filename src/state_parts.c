#include "src/state_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void scs_state_ints(scs_state *state, scs_state_int *ints)
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

void scs_state_numbers(scs_state *state, scs_state_number *numbers)
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

void scs_state_texts(scs_state *state, scs_state_text *texts)
{
    scs_state_text all[SCS_STATE_TEXTS] = {
        {"config", &state->config}, {"data", &state->data}, {"program", &state->program}};

    memcpy(texts, all, sizeof all);
}

int scs_state_vectors(const scs_training *training, int64_t best_epoch, scs_state_vector *vectors)
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

scs_status scs_state_read_vector(const scs_h5 *h5, const char *name, int64_t n, const char *sum,
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
