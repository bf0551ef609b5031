/* Progress on stderr and events.jsonl: what a user watches while training runs. */
#include "mpi/train/train_run.h"
#include "mpi/comm/watchdog.h"
#include "mpi/job/preflight.h"
#include "mpi/job/provenance.h"
#include "mpi/job/session.h"
#include "mpi/job/stop.h"
#include "src/base/checksum.h"
#include "src/base/clock.h"
#include "src/base/collective.h"
#include "src/train/state.h"
#include "scscreen/dataset.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scs_train_log {
    scs_session *session;
    FILE *events; /* rank 0 only */
    char path[4096];
    bool quiet, terminal;
    double started, last_line;
    double first_share; /* of all epochs: what earlier jobs did */
    double first_cells;
};

typedef struct scs_train_log scs_train_log;

struct scs_checkpointer {
    scs_session *session;
    scs_train_log *journal;
    bool leads;
    scs_state facts; /* what does not change from save to save; texts owned */
    char data[SCS_CHECKSUM_MAX];
    scs_stop_request wishes;
    int slot;                          /* of the next save */
    int64_t step;                      /* asked so far, in this job */
    double saved;                      /* last; clock, as the next */
    double asked;                      /* last step */
    double longest_step, longest_save; /* seconds */
    char reason[128];                  /* why this rank wants to end; "" otherwise */
};

typedef struct scs_checkpointer scs_checkpointer;

#define EVENT_START "{\"event\": \"epoch\", \"epoch\": %lld"

static const double line_every = 5; /* seconds between lines where there is no terminal */

static void say_time(char *out, size_t size, double seconds)
{
    long s = lround(seconds);

    if (s >= 3600)
        snprintf(out, size, "%ld h %02ld min", s / 3600, s % 3600 / 60);
    else if (s >= 60)
        snprintf(out, size, "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(out, size, "%ld s", s);
}

static void progress(void *ctx, int64_t epoch, int64_t epochs, int64_t step, int64_t steps,
                     double objective, int64_t done, int64_t all)
{
    scs_train_log *j = ctx;
    double t = scs_clock(), share;
    char left[32];

    if (j->first_share < 0) {
        j->first_share =
            ((double)(epoch - 1) + (double)(step - 1) / (double)steps) / (double)epochs;
        j->first_cells = (double)all * j->first_share;
    }
    if (j->quiet || t - j->last_line < (j->terminal ? 0.1 : line_every))
        return;
    j->last_line = t;
    share = ((double)(epoch - 1) + (double)step / (double)steps) / (double)epochs;
    say_time(left, sizeof left, (t - j->started) * (1 - share) / (share - j->first_share));
    fprintf(stderr, "%sepoch %lld/%lld  %3.0f %%  loss %.3f  %.0f cells/s  at most %s left%s",
            j->terminal ? "\r\033[K" : "", (long long)epoch, (long long)epochs,
            100 * (double)done / (double)(all ? all : 1), objective,
            ((double)done - j->first_cells) / (t - j->started + 1e-9), left,
            j->terminal ? "" : "\n");
    fflush(stderr);
}

/* JSON has no NaN. */
static void put_number(FILE *out, const char *key, double value)
{
    if (isfinite(value))
        fprintf(out, ", \"%s\": %.9g", key, value);
    else
        fprintf(out, ", \"%s\": null", key);
}

static void put_epoch(FILE *out, const scs_epoch *e, double memory)
{
    fprintf(out, EVENT_START ", \"step\": %lld, \"cells\": %lld", (long long)e->epoch,
            (long long)e->step, (long long)e->cells);
    put_number(out, "loss", e->objective);
    put_number(out, "reconstruction", e->reconstruction);
    put_number(out, "kl", e->kl);
    put_number(out, "validation", e->validation);
    put_number(out, "monitored", e->monitored);
    fprintf(out, ", \"best\": %s", e->best ? "true" : "false");
    put_number(out, "seconds", e->seconds);
    put_number(out, "cells_per_second", (double)e->cells / e->seconds);
    put_number(out, "peak_memory_mib", memory);
    fputs("}\n", out);
}

static scs_status epoch_end(void *ctx, const scs_epoch *e)
{
    scs_train_log *j = ctx;
    double memory = 0;

    SCS_TRY(scs_comm_peak_memory(j->session->comm, &memory));
    if (!j->events)
        return SCS_OK;
    put_epoch(j->events, e, memory);
    fflush(j->events);
    if (!j->quiet &&
        (j->terminal || scs_clock() - j->last_line >= line_every || e->epoch == e->epochs)) {
        fprintf(stderr, "%sepoch %lld/%lld  loss %.3f  validation %.3f%s  %.0f cells/s\n",
                j->terminal ? "\r\033[K" : "", (long long)e->epoch, (long long)e->epochs,
                e->objective, e->validation, e->best ? " (best)" : "",
                (double)e->cells / e->seconds);
        j->last_line = scs_clock();
    }
    return SCS_OK;
}

/* Where the first line begins that is torn or tells of epoch `first` or a later one. */
static long end_of_events(FILE *events, int64_t first)
{
    char *line = NULL;
    size_t size = 0;
    long long epoch;
    long end = 0;

    rewind(events);
    while (getline(&line, &size, events) > 0 && strchr(line, '\n')) {
        if (sscanf(line, EVENT_START, &epoch) == 1 && epoch >= first)
            break;
        end = ftell(events);
    }
    free(line);
    return end;
}

static scs_status cut_events(const scs_train_log *j, int64_t first)
{
    long end = end_of_events(j->events, first);

    SCS_REQUIRE(end >= 0 && ftruncate(fileno(j->events), end) == 0 &&
                    fseek(j->events, end, SEEK_SET) == 0,
                SCS_EIO, "%s: cannot be cut to %ld bytes: %s", j->path, end, strerror(errno));
    return SCS_OK;
}

static scs_status open_events(scs_train_log *j)
{
    SCS_TRY(scs_session_path(j->session, "events.jsonl", j->path, sizeof j->path));
    j->events = fopen(j->path, j->session->state ? "a+" : "w");
    SCS_REQUIRE(j->events, SCS_ECREATE, "%s: cannot be created: %s", j->path, strerror(errno));
    return j->session->state ? cut_events(j, j->session->state->position.epoch) : SCS_OK;
}

/* Rank 0 starts a new events.jsonl in output.dir, or goes on with the one that belongs to
 * session->state: what it holds of later epochs is cut off. Collective. SCS_ECREATE. */
static scs_status journal_create(scs_session *session, scs_train_log **journal)
{
    scs_status status = SCS_ALLOC(*journal, 1);

    if (status == SCS_OK) {
        (*journal)->session = session;
        (*journal)->first_share = -1;
        (*journal)->quiet = session->cli->quiet;
        (*journal)->terminal = isatty(STDERR_FILENO);
        (*journal)->started = (*journal)->last_line = scs_clock();
        if (scs_session_leads(session))
            status = open_events(*journal);
    }
    return scs_comm_agree(session->comm, status);
}

/* Rank 0: what was told so far is on the disk. SCS_EIO. Local. */
static scs_status journal_sync(scs_train_log *journal)
{
    FILE *events = journal->events;

    SCS_REQUIRE(!events || (fflush(events) == 0 && fsync(fileno(events)) == 0), SCS_EIO,
                "%s: cannot be saved: %s", journal->path, strerror(errno));
    return SCS_OK;
}

/* Hooks for scs_train; journal must outlive the training. */
static scs_watch journal_watch(scs_train_log *journal)
{
    return (scs_watch){.ctx = journal, .progress = progress, .epoch_end = epoch_end};
}

/* Close; a write that failed is SCS_EIO. Collective. */
static scs_status journal_close(scs_train_log **journal)
{
    scs_train_log *j = *journal;
    scs_comm *comm;
    scs_status status = SCS_OK;

    if (!j)
        return SCS_OK;
    comm = j->session->comm;
    if (j->events) {
        bool failed = ferror(j->events) != 0;

        if (fclose(j->events) != 0 || failed)
            status = SCS_FAIL(SCS_EIO, "%s: could not be written in full", j->path);
    }
    free(j);
    *journal = NULL;
    return scs_comm_agree(comm, status);
}

/* ---- wishes ---- */

static bool is_time_to_save(const scs_checkpointer *k, double t)
{
    double minutes = k->session->config->train.checkpoint_minutes;
    int64_t steps = k->session->config->train.checkpoint_steps;

    return (minutes > 0 && t - k->saved >= 60 * minutes) || (steps > 0 && k->step % steps == 0);
}

static int wish(void *ctx)
{
    scs_checkpointer *k = ctx;
    double t = scs_clock();

    k->longest_step = fmax(k->longest_step, t - k->asked);
    k->asked = t;
    k->step++;
    snprintf(k->reason, sizeof k->reason, "%s",
             scs_stop_request_reason(&k->wishes, k->longest_step + 2 * k->longest_save));
    return (k->reason[0] ? SCS_WISH_STOP : 0) |
           (k->leads && is_time_to_save(k, t) ? SCS_WISH_SAVE : 0);
}

/* ---- save ---- */

static bool keeps(const scs_config *config)
{
    return config->train.checkpoint_minutes > 0 || config->train.checkpoint_steps > 0;
}

static scs_status save(scs_checkpointer *k, scs_training *training, const scs_position *position)
{
    scs_comm *comm = k->session->comm;
    double begun = scs_clock();
    char path[4096];
    scs_status st = scs_preflight_state_file(k->session->config, k->slot, path, sizeof path);

    k->facts.path = path;
    k->facts.position = *position;
    if (st == SCS_OK)
        st = journal_sync(k->journal);
    SCS_TRY(scs_comm_agree(comm, st));
    scs_watchdog_begin(comm, path);
    st = scs_state_save(training, &k->facts);
    scs_watchdog_end(comm);
    SCS_TRY(st);
    k->slot = 1 - k->slot;
    k->saved = scs_clock();
    k->asked = k->saved;
    k->longest_save = fmax(k->longest_save, k->saved - begun);
    return SCS_OK;
}

/* A failed save costs a warning while training goes on: the one before it is still there. */
static scs_status try_save(scs_checkpointer *k, scs_training *training,
                           const scs_position *position)
{
    scs_status st = save(k, training, position);

    if (st != SCS_ECREATE && st != SCS_EIO)
        return st;
    if (k->leads)
        fprintf(stderr, "scscreen: warning: training goes on without a new state: %s\n",
                scs_message());
    k->saved = scs_clock();
    return SCS_OK;
}

/* @param reason rank 0's; another rank may have had one of its own */
static scs_status stop(scs_checkpointer *k, const scs_position *p)
{
    const scs_config *config = k->session->config;

    scs_stop_request_done(&k->wishes);
    return SCS_FAIL(SCS_ESTOP,
                    "by %s after step %lld (epoch %lld of %lld); the same command goes on from %s",
                    k->reason[0] ? k->reason : "a signal to another rank", (long long)p->step,
                    (long long)p->epoch, (long long)config->train.epochs, config->output.dir);
}

static scs_status keep(void *ctx, scs_training *training, const scs_position *position, int wishes)
{
    scs_checkpointer *k = ctx;

    if (!wishes && !keeps(k->session->config))
        return SCS_OK;
    if (!(wishes & SCS_WISH_STOP))
        return try_save(k, training, position);
    SCS_TRY(save(k, training, position));
    return stop(k, position);
}

/* ---- create and destroy ---- */

/* Overwrite the older file, not the one that this run goes on from. */
static int first_slot(const scs_session *session)
{
    char path[4096];

    return session->state &&
           scs_preflight_state_file(session->config, 0, path, sizeof path) == SCS_OK &&
           strcmp(path, session->state->path) == 0;
}

static scs_status fill(scs_checkpointer *k)
{
    scs_session *s = k->session;

    SCS_TRY(scs_stop_request_open(s, &k->wishes));
    if (!k->leads)
        return SCS_OK;
    SCS_TRY(scs_config_print_affecting(s->config, SCS_AFFECTS_RESULT, &k->facts.config));
    SCS_TRY(scs_dataset_checksum(s->dataset, (const scs_h5ad *const *)s->meta, s->input_checksum,
                                 k->data));
    k->facts.data = k->data;
    k->facts.program = (char *)(uintptr_t)SCS_PROGRAM; /* only read */
    SCS_REQUIRE(!s->state || strcmp(s->state->data, k->data) == 0, SCS_EDATA,
                "%s: the run that it belongs to saw other data than %s describes now; put them "
                "back to go on, or begin anew with --restart",
                s->state->path, s->config->file);
    if (s->state)
        return SCS_OK;
    SCS_TRY(scs_session_remove_rows(s)); /* rows of the model before */
    return scs_preflight_remove_states(s->config);
}

/* journal and session must outlive it. Collective. */
static scs_status keeper_create(scs_session *session, scs_train_log *journal,
                                scs_checkpointer **keeper)
{
    scs_status st = SCS_ALLOC(*keeper, 1);

    if (st == SCS_OK) {
        scs_checkpointer *k = *keeper;

        k->session = session;
        k->journal = journal;
        k->leads = scs_session_leads(session);
        k->slot = first_slot(session);
        k->saved = k->asked = scs_clock();
        st = fill(k);
    }
    return scs_comm_agree(session->comm, st);
}

/* Hooks for scs_train. */
static scs_keep keeper_hooks(scs_checkpointer *keeper)
{
    return (scs_keep){.ctx = keeper, .wish = wish, .save = keep};
}

static void keeper_destroy(scs_checkpointer **keeper)
{
    if (*keeper)
        free((*keeper)->facts.config);
    free(*keeper);
    *keeper = NULL;
}

/* train, from the start or from where an earlier job stood */

static void say_how_it_went(const scs_session *session, const scs_outcome *o)
{
    scs_session_say(session, "trained %lld epochs (%lld steps)%s; best epoch %lld, %.3f",
                    (long long)o->epochs, (long long)o->steps,
                    o->stopped_early ? ", stopped early" : "", (long long)o->best_epoch, o->best);
}

static scs_status train(scs_session *session, scs_train_log *journal, scs_checkpointer *keeper)
{
    scs_watch watch = journal_watch(journal);
    scs_outcome outcome;
    scs_status status;

    watch.keep = keeper_hooks(keeper);
    scs_stop_signals_catch();
    status = scs_train(session->config, session->model, session->shard, session->deal,
                       &session->team, &watch, session->state, &outcome);
    scs_stop_signals_release();
    SCS_TRY(status);
    say_how_it_went(session, &outcome);
    return SCS_OK;
}

static scs_status train_and_watch(scs_session *session)
{
    scs_train_log *journal = NULL;
    scs_checkpointer *keeper = NULL;
    scs_status status, closed;

    SCS_TRY(journal_create(session, &journal));
    status = keeper_create(session, journal, &keeper);
    if (status == SCS_OK)
        status = train(session, journal, keeper);
    keeper_destroy(&keeper);
    closed = journal_close(&journal);
    return status != SCS_OK ? status : closed;
}

static void say_what_comes(const scs_session *session)
{
    const scs_team *team = &session->team;
    const scs_state *state = session->state;
    int threads = omp_get_max_threads();

    scs_session_say(session,
                    "training %.2f M parameters on %d rank%s x %d thread%s, %d shard%s, seed %lld",
                    1e-6 * (double)session->model->n_param, team->n_rank,
                    team->n_rank > 1 ? "s" : "", threads, threads > 1 ? "s" : "", team->n_shard,
                    team->n_shard > 1 ? "s" : "", (long long)session->config->train.seed);
    if (state)
        scs_session_say(session,
                        "going on from %s: %lld steps are done, %lld of them in epoch %lld",
                        state->path, (long long)state->position.step, (long long)state->position.at,
                        (long long)state->position.epoch);
}

scs_status scs_train_run(scs_session *session)
{
    if (session->checkpoint) {
        scs_session_say(session, "weights from %s, no training", session->checkpoint->path);
        return scs_collective_ok();
    }
    say_what_comes(session);
    return train_and_watch(session);
}

scs_status scs_train_run_drop_state(scs_session *session)
{
    if (session->checkpoint)
        return scs_collective_ok();
    return scs_comm_agree(session->comm, scs_session_leads(session)
                                             ? scs_preflight_remove_states(session->config)
                                             : SCS_OK);
}
