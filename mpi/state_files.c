#include "mpi/state_files.h"

#include "mpi/provenance.h"
#include "src/file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

scs_status scs_state_file(const scs_config *config, int slot, char *out, size_t size)
{
    int length = snprintf(out, size, "%s/training.%d.h5", config->output.dir, slot + 1);

    SCS_REQUIRE(length > 0 && (size_t)length < size, SCS_EARG,
                "output.dir is longer than %zu bytes", size);
    return SCS_OK;
}

static bool is_newer(const scs_state *a, const scs_state *b)
{
    const scs_position *p = &a->position, *q = &b->position;

    return p->step > q->step || (p->step == q->step && p->epoch > q->epoch);
}

/* Keep the newer of two; takes over both. */
static scs_state *newer(scs_state *a, scs_state *b)
{
    bool first = !b || (a && is_newer(a, b));

    scs_state_destroy(first ? &b : &a);
    return first ? a : b;
}

/* @param[out] bad the first damaged file's message, "" if none */
static scs_status probe_files(const scs_config *config, scs_state **state, char *bad)
{
    char path[4096];

    bad[0] = '\0';
    for (int slot = 0; slot < SCS_STATE_FILES; slot++) {
        scs_state *found = NULL;
        scs_status st;

        SCS_TRY(scs_state_file(config, slot, path, sizeof path));
        if (access(path, F_OK) != 0)
            continue;
        st = scs_state_probe(path, &found);
        if (st == SCS_EDATA)
            snprintf(bad, SCS_MESSAGE_MAX, "%s", scs_message());
        else
            SCS_TRY(st);
        *state = newer(*state, found);
    }
    return SCS_OK;
}

/* `auto` stands for the number of shards that the run has. */
static void settle_shards(scs_config *before, const scs_config *now, int64_t n_shard)
{
    before->train.shards =
        now->train.shards == 0 || now->train.shards == n_shard ? now->train.shards : n_shard;
}

static scs_status check_config(const scs_config *config, const scs_state *state)
{
    scs_config *before = NULL;
    char differences[SCS_MESSAGE_MAX / 2];
    scs_status st;

    SCS_GO(st, scs_config_parse(state->path, state->config, NULL, 0, &before));
    settle_shards(before, config, state->n_shard);
    scs_config_differences(before, config, SCS_AFFECTS_WEIGHTS, differences, sizeof differences);
    if (differences[0])
        st = SCS_FAIL(SCS_EARG,
                      "%s: the run that it belongs to had another configuration: %s; set that back "
                      "to go on, or begin anew with --restart",
                      state->path, differences);
done:
    scs_config_destroy(&before);
    return st;
}

static void check_program(const scs_state *state)
{
    if (strcmp(state->program, SCS_PROGRAM) != 0)
        fprintf(stderr,
                "scscreen: warning: %s was made by scscreen %s, this is %s: the last digits may "
                "differ\n",
                state->path, state->program, SCS_PROGRAM);
}

scs_status scs_state_files_find(const scs_config *config, scs_state **state)
{
    char bad[SCS_MESSAGE_MAX];
    scs_status st;

    *state = NULL;
    SCS_GO(st, probe_files(config, state, bad));
    if (bad[0] && !*state)
        st = SCS_FAIL(SCS_EDATA, "%.700s; no sound state is left: begin anew with --restart", bad);
    else if (bad[0])
        fprintf(stderr, "scscreen: warning: %s; going on from the other one\n", bad);
    if (*state) {
        SCS_GO(st, check_config(config, *state));
        check_program(*state);
    }
done:
    if (st != SCS_OK)
        scs_state_destroy(state);
    return st;
}

scs_status scs_state_files_remove(const scs_config *config)
{
    char path[4096];

    for (int slot = 0; slot < SCS_STATE_FILES; slot++) {
        SCS_TRY(scs_state_file(config, slot, path, sizeof path));
        SCS_TRY(scs_file_remove_stale(path)); /* of a job that was killed while it saved */
        SCS_TRY(scs_file_remove(path));
    }
    return SCS_OK;
}
