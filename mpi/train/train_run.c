/* What surrounds scs_train in a job: progress on stderr, events.jsonl, saved states and stops.
 *
 *  Everything goes through the hooks that scs_train calls on every rank at the same step. Only rank
 *  0 looks at the clock and writes; what it decides reaches the others through the trainer, so that
 *  all save, or stop, after the same step.
 *
 *  States: two files are written in turn (mpi/job/preflight.h), so that a whole one is left
 *  whatever happens to the save. A save that fails costs a warning while training goes on; a save
 *  that belongs to a stop must succeed. Time that a save takes counts: near the end of a Slurm job
 *  one stops as early as the longest step and two of the longest saves so far want.
 *
 *  Resuming: the state is read before MPI starts (mpi/job/preflight.c) and its arrays by scs_train;
 *  here its data are compared with the ones that were read, and rows of a screen by an older model
 *  are removed before the first step of a new training.
 *
 *  events.jsonl is flushed and synced before each state: after a kill it holds at least the epochs
 *  that the state has. Lines of epochs that will be trained again are cut off on resuming, so each
 *  epoch is there once. */
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

/* Progress lines and events.jsonl. Every rank has one, as the hooks are Collective; rank 0 writes.
 */
typedef struct scs_train_log {
    scs_session *session;      /* borrowed */
    FILE *events;              /* rank 0 only */
    char path[4096];           /* of events.jsonl */
    bool quiet, terminal;      /* --quiet; stderr is a terminal */
    double started, last_line; /* clock: when this job began to train, last line */
    double first_share;        /* of all epochs: what earlier jobs did; < 0 until the first step */
    double first_cells;        /* cells of this epoch that an earlier job did */
    bool epoch_ended;          /* one, in this job */
} scs_train_log;

/* When to save and when to stop. Every rank has one: each looks at its own signals, rank 0 at the
 * clock as well, and src/train/train.c makes one decision of all. */
typedef struct scs_checkpointer {
    scs_session *session;
    scs_train_log *log; /* borrowed */
    bool leads;         /* rank 0: decides when to save, says what happened */
    scs_state facts;    /* what does not change from save to save; texts owned */
    char data[SCS_CHECKSUM_MAX];
    scs_stop_request stop;
    int slot;                          /* of the next save */
    int64_t step;                      /* asked so far, in this job */
    double saved;                      /* last; clock, as the next */
    double asked;                      /* last step */
    double longest_step, longest_save; /* seconds */
    char reason[128];                  /* why this rank wants to end; "" otherwise */
} scs_checkpointer;

/* ---- The log ---- */

/* How each line of events.jsonl begins: written, and recognised on resuming, by this format. */
#define EVENT_START "{\"event\": \"epoch\", \"epoch\": %lld"

static const double line_every = 5; /* seconds between lines where there is no terminal */

/* "3 h 05 min", "12 min 30 s" or "8 s". @param[out] out [size] */
static void format_duration(char *out, size_t size, double seconds)
{
    long s = lround(seconds);

    if (s >= 3600)
        snprintf(out, size, "%ld h %02ld min", s / 3600, s % 3600 / 60);
    else if (s >= 60)
        snprintf(out, size, "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(out, size, "%ld s", s);
}

/* A line that is overwritten on a terminal, or every five seconds where there is none. What is
 * left is estimated from this job's own share of the epochs, not from what earlier jobs did; it is
 * an upper bound, as early stopping may end sooner. Hook of scs_train; Local. */
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
    format_duration(left, sizeof left, (t - j->started) * (1 - share) / (share - j->first_share));
    fprintf(stderr, "%sepoch %lld/%lld  %3.0f %%  loss %.3f  %.0f cells/s  at most %s left%s",
            j->terminal ? "\r\033[K" : "", (long long)epoch, (long long)epochs,
            100 * (double)done / (double)(all ? all : 1), objective,
            ((double)done - j->first_cells) / (t - j->started + 1e-9), left,
            j->terminal ? "" : "\n");
    fflush(stderr);
}

/* JSON has no NaN: null. */
static void put_number(FILE *out, const char *key, double value)
{
    if (isfinite(value))
        fprintf(out, ", \"%s\": %.9g", key, value);
    else
        fprintf(out, ", \"%s\": null", key);
}

/* One object a line. Users' scripts read these keys: new ones may be added, none renamed. */
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

/* Hook of scs_train: one line of events.jsonl, and one on stderr. Collective, as memory is summed
 * over the ranks. */
static scs_status epoch_end(void *ctx, const scs_epoch *e)
{
    scs_train_log *j = ctx;
    double memory = 0, most;

    SCS_TRY(scs_comm_peak_memory(j->session->comm, &memory, &most));
    j->epoch_ended = true;
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

/* Where the first line begins that is torn (a killed job) or is of epoch `first` or a later
 * one: bytes of events.jsonl to keep. */
static long find_cut(FILE *events, int64_t first)
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

/* SCS_EIO with the file's name. The stream then stands at its end. */
static scs_status cut_events(const scs_train_log *j, int64_t first)
{
    long end = find_cut(j->events, first);

    SCS_REQUIRE(end >= 0 && ftruncate(fileno(j->events), end) == 0 &&
                    fseek(j->events, end, SEEK_SET) == 0,
                SCS_EIO, "%s: cannot be cut to %ld bytes: %s", j->path, end, strerror(errno));
    return SCS_OK;
}

/* A new file, or the one that the state's run wrote. SCS_ECREATE, SCS_EIO. Rank 0. */
static scs_status open_events(scs_train_log *j)
{
    SCS_TRY(scs_session_path(j->session, "events.jsonl", j->path, sizeof j->path));
    j->events = fopen(j->path, j->session->state ? "a+" : "w");
    SCS_REQUIRE(j->events, SCS_ECREATE, "%s: cannot be created: %s", j->path, strerror(errno));
    return j->session->state ? cut_events(j, j->session->state->position.epoch) : SCS_OK;
}

/* Rank 0 starts a new events.jsonl in output.dir, or goes on with the one that belongs to
 * session->state: what it holds of later epochs is cut off. SCS_ECREATE, SCS_EIO. Collective. */
static scs_status train_log_create(scs_session *session, scs_train_log **log)
{
    scs_train_log *j;
    scs_status status = SCS_ALLOC(j, 1);

    *log = j;
    if (status == SCS_OK) {
        j->session = session;
        j->first_share = -1;
        j->quiet = session->cli->quiet;
        j->terminal = isatty(STDERR_FILENO);
        j->started = j->last_line = scs_clock();
        if (scs_session_leads(session))
            status = open_events(j);
    }
    return scs_comm_agree(session->comm, status);
}

/* Rank 0: all lines so far are on the disk. SCS_EIO. Local. */
static scs_status train_log_sync(scs_train_log *log)
{
    FILE *events = log->events;

    SCS_REQUIRE(!events || (fflush(events) == 0 && fsync(fileno(events)) == 0), SCS_EIO,
                "%s: cannot be saved: %s", log->path, strerror(errno));
    return SCS_OK;
}

/* Hooks for scs_train; log must outlive the training. */
static scs_watch train_log_watch(scs_train_log *log)
{
    return (scs_watch){.ctx = log, .progress = progress, .epoch_end = epoch_end};
}

/* Close; a write that failed, now or earlier, is SCS_EIO. Collective. */
static scs_status train_log_close(scs_train_log **log)
{
    scs_train_log *j = *log;
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
    *log = NULL;
    return scs_comm_agree(comm, status);
}

/* ---- When to save, when to stop ---- */

/* What train.checkpoint_minutes: auto means. */
static const double auto_seconds = 60, auto_share = 0.02;

/* Where somebody ends the job with a second's notice, this is what is left of it: early, and often
 * enough. */
static bool auto_saves(const scs_checkpointer *k, double t)
{
    if (k->longest_save == 0 && k->log->epoch_ended)
        return true;
    return t - k->saved >= fmax(auto_seconds, k->longest_save / auto_share);
}

/* By whichever of the two intervals is over first; 0 switches one off. */
static bool is_time_to_save(const scs_checkpointer *k, double t)
{
    double minutes = k->session->config->train.checkpoint_minutes;
    int64_t steps = k->session->config->train.checkpoint_steps;

    if (steps > 0 && k->step % steps == 0)
        return true;
    if (minutes == SCS_CHECKPOINT_AUTO)
        return auto_saves(k, t);
    return minutes > 0 && t - k->saved >= 60 * minutes;
}

/* Hook of scs_train, after each step, on every rank: what this rank wants. Its time since it was
 * last asked is a step's time. Local. */
static int request(void *ctx)
{
    scs_checkpointer *k = ctx;
    double t = scs_clock();

    k->longest_step = fmax(k->longest_step, t - k->asked);
    k->asked = t;
    k->step++;
    snprintf(k->reason, sizeof k->reason, "%s",
             scs_stop_request_reason(&k->stop, k->longest_step + 2 * k->longest_save));
    return (k->reason[0] ? SCS_REQUEST_STOP : 0) |
           (k->leads && is_time_to_save(k, t) ? SCS_REQUEST_SAVE : 0);
}

/* ---- Save ---- */

/* Whether states are kept at all; if not, only a stop saves. */
static bool keeps(const scs_config *config)
{
    return config->train.checkpoint_minutes != 0 || config->train.checkpoint_steps > 0;
}

/* One state, into the older of the two files. The log's events are on the disk before it.
 * Collective; under the watchdog. */
static scs_status save(scs_checkpointer *k, scs_training *training, const scs_position *position)
{
    scs_comm *comm = k->session->comm;
    double begun = scs_clock();
    char path[4096];
    scs_status st = scs_preflight_state_file(k->session->config, k->slot, path, sizeof path);

    k->facts.path = path;
    k->facts.position = *position;
    if (st == SCS_OK && k->leads && scs_session_is_quick(k->data)) /* perhaps hashed by now */
        st = scs_session_data_checksum(k->session, k->data);
    if (st == SCS_OK)
        st = train_log_sync(k->log);
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

/* A failed save costs a warning while training goes on: the state before it is still there. The
 * clock starts anew, so that a full disk does not cost a save at each step. */
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

/* SCS_ESTOP with a message that says where it stands and how to go on. The reason is rank 0's;
 * another rank may have had one of its own. */
static scs_status stop(scs_checkpointer *k, const scs_position *p)
{
    const scs_config *config = k->session->config;

    scs_stop_request_done(&k->stop);
    return SCS_FAIL(SCS_ESTOP,
                    "by %s after step %lld (epoch %lld of %lld); the same command goes on from %s",
                    k->reason[0] ? k->reason : "a signal to another rank", (long long)p->step,
                    (long long)p->epoch, (long long)config->train.epochs, config->output.dir);
}

/* Hook of scs_train, at the end of an epoch or where a rank asked for it: all ranks with the same
 * `requests`. Collective. */
static scs_status keep(void *ctx, scs_training *training, const scs_position *position,
                       int requests)
{
    scs_checkpointer *k = ctx;

    if (!requests && !keeps(k->session->config))
        return SCS_OK;
    if (!(requests & SCS_REQUEST_STOP))
        return try_save(k, training, position);
    SCS_TRY(save(k, training, position));
    return stop(k, position);
}

/* ---- Create and destroy ---- */

/* 0 or 1: overwrite the older file, not the one that this run goes on from. */
static int first_slot(const scs_session *session)
{
    char path[4096];

    return session->state &&
           scs_preflight_state_file(session->config, 0, path, sizeof path) == SCS_OK &&
           strcmp(path, session->state->path) == 0;
}

/* Versions have named large files by other checksums: then nobody can say whether data are other.
 * @param data checksum of the data set */
static scs_status check_state(const scs_session *s, const char *data)
{
    if (!s->state || strcmp(s->state->data, data) == 0)
        return SCS_OK;
    SCS_REQUIRE(strcmp(s->state->program, SCS_PROGRAM) == 0, SCS_EDATA,
                "%s: the run that it belongs to saw other data than %s describes now, or %s named "
                "them by another checksum; go on with the data and the scscreen that it had, or "
                "begin anew with --restart",
                s->state->path, s->config->file, s->state->program);
    return SCS_FAIL(SCS_EDATA,
                    "%s: the run that it belongs to saw other data than %s describes now; put them "
                    "back to go on, or begin anew with --restart",
                    s->state->path, s->config->file);
}

/* What a state holds of its run beside the weights: the config, a checksum of the data and the
 * program. A state of other data is refused; a new run removes rows and states of the one before,
 * which its own would be taken for. Local. */
static scs_status fill(scs_checkpointer *k)
{
    scs_session *s = k->session;

    SCS_TRY(scs_stop_request_open(s, &k->stop));
    if (!k->leads)
        return SCS_OK;
    SCS_TRY(scs_config_print_affecting(s->config, SCS_AFFECTS_RESULT, &k->facts.config));
    SCS_TRY(scs_session_data_checksum(s, k->data));
    k->facts.data = k->data;
    k->facts.program = (char *)(uintptr_t)SCS_PROGRAM; /* only read */
    SCS_TRY(check_state(s, k->data));
    if (s->state)
        return SCS_OK;
    SCS_TRY(scs_session_remove_rows(s)); /* rows of the model before */
    return scs_preflight_remove_states(s->config);
}

/* log and session must outlive it. SCS_EDATA as `fill`. Collective. */
static scs_status checkpointer_create(scs_session *session, scs_train_log *log,
                                      scs_checkpointer **checkpointer)
{
    scs_status st = SCS_ALLOC(*checkpointer, 1);

    if (st == SCS_OK) {
        scs_checkpointer *k = *checkpointer;

        k->session = session;
        k->log = log;
        k->leads = scs_session_leads(session);
        k->slot = first_slot(session);
        k->saved = k->asked = scs_clock();
        st = fill(k);
    }
    return scs_comm_agree(session->comm, st);
}

/* Hooks for scs_train. */
static scs_keep checkpointer_hooks(scs_checkpointer *checkpointer)
{
    return (scs_keep){.ctx = checkpointer, .request = request, .save = keep};
}

/* The texts that it owns, too. */
static void checkpointer_destroy(scs_checkpointer **checkpointer)
{
    if (*checkpointer)
        free((*checkpointer)->facts.config);
    free(*checkpointer);
    *checkpointer = NULL;
}

/* ---- Train ---- */

/* One line at the end, on rank 0. */
static void report_outcome(const scs_session *session, const scs_outcome *o)
{
    scs_session_say(session, "trained %lld epochs (%lld steps)%s; best epoch %lld, %.3f",
                    (long long)o->epochs, (long long)o->steps,
                    o->stopped_early ? ", stopped early" : "", (long long)o->best_epoch, o->best);
}

/* From memory or from disk. Collective. */
static scs_status train_model(scs_session *s, const scs_watch *watch, const scs_state *resume,
                              scs_outcome *outcome)
{
    scs_feed feed;

    if (!s->streams)
        return scs_train(s->config, s->model, s->shard, s->deal, &s->team, watch, resume, outcome);
    feed = scs_cell_stream_feed(&s->stream);
    return scs_train_streamed(s->config, s->model, &feed, s->shard, s->deal, &s->team, watch,
                              resume, outcome);
}

/* SIGTERM and SIGINT ask for a stop only while there is training to be saved. Collective. */
static scs_status train(scs_session *session, scs_train_log *log, scs_checkpointer *checkpointer)
{
    scs_watch watch = train_log_watch(log);
    scs_outcome outcome;
    scs_status status;

    watch.keep = checkpointer_hooks(checkpointer);
    scs_stop_signals_catch();
    status = train_model(session, &watch, session->state, &outcome);
    scs_stop_signals_release();
    SCS_TRY(status);
    report_outcome(session, &outcome);
    return SCS_OK;
}

/* The log is closed whatever happened; its own failure counts only where nothing else failed.
 * Collective. */
static scs_status train_and_watch(scs_session *session)
{
    scs_train_log *log = NULL;
    scs_checkpointer *checkpointer = NULL;
    scs_status status, closed;

    SCS_TRY(train_log_create(session, &log));
    status = checkpointer_create(session, log, &checkpointer);
    if (status == SCS_OK)
        status = train(session, log, checkpointer);
    checkpointer_destroy(&checkpointer);
    closed = train_log_close(&log);
    return status != SCS_OK ? status : closed;
}

/* ---- before training ---- */

static scs_status check(const scs_session *s)
{
    scs_train_options options = scs_profile_train_options(s->config);
    char data[SCS_CHECKSUM_MAX];
    int64_t steps;

    SCS_TRY(scs_train_plan(&options, s->deal, &steps));
    if (!s->state || !scs_session_leads(s))
        return SCS_OK;
    SCS_TRY(scs_session_data_checksum(s, data));
    return check_state(s, data);
}

scs_status scs_train_run_check(const scs_session *session)
{
    return scs_comm_agree(session->comm, session->checkpoint ? SCS_OK : check(session));
}

/* Some steps of training, on the clock. */
typedef struct trial {
    bool leads;
    int64_t asked;      /* how often: once a step */
    double first, last; /* the clock when it was asked */
} trial;

/* Three steps at least, so that there are two whole ones between the first time and the last. */
enum { TRIAL_STEPS = 3 };
static const double trial_seconds = 2;

static int trial_request(void *ctx)
{
    trial *t = ctx;

    t->last = scs_clock();
    if (t->asked++ == 0)
        t->first = t->last;
    return t->leads && t->asked >= TRIAL_STEPS && t->last - t->first > trial_seconds
               ? SCS_REQUEST_STOP
               : 0;
}

/* Nothing is saved. */
static scs_status trial_save(void *ctx, scs_training *training, const scs_position *position,
                             int requests)
{
    (void)ctx;
    (void)training;
    (void)position;
    return requests & SCS_REQUEST_STOP ? SCS_FAIL(SCS_ESTOP, "enough steps were tried") : SCS_OK;
}

/* An epoch or two, where they are short. */
static scs_status trial_epoch_end(void *ctx, const scs_epoch *report)
{
    const trial *t = ctx;

    (void)report;
    return t->asked >= TRIAL_STEPS ? SCS_FAIL(SCS_ESTOP, "enough steps were tried") : SCS_OK;
}

scs_status scs_train_run_try(scs_session *s, double *seconds, int64_t *tried, int64_t *steps)
{
    scs_train_options options = scs_profile_train_options(s->config);
    trial t = {.leads = scs_session_leads(s)};
    scs_watch watch = {.ctx = &t,
                       .epoch_end = trial_epoch_end,
                       .keep = {.ctx = &t, .request = trial_request, .save = trial_save}};
    scs_outcome outcome;
    scs_status status;

    SCS_TRY(scs_comm_agree(s->comm, scs_train_plan(&options, s->deal, steps)));
    status = train_model(s, &watch, NULL, &outcome);
    *tried = t.asked;
    *seconds = t.asked > 1 ? (t.last - t.first) / (double)(t.asked - 1) : NAN;
    return status == SCS_ESTOP ? scs_collective_ok() : status;
}

/* A batch that all cells do not fill is one step an epoch, and fewer steps than were meant. */
void scs_train_run_note_batch(const scs_session *session)
{
    int64_t n = 0, batch = session->config->train.batch;

    for (int32_t v = 0; v < session->deal->n_shard; v++)
        n += session->deal->n_train[v];
    if (session->config->model.kind == SCS_MODEL_VAE && batch > n)
        scs_session_say(session,
                        "  note: train.batch %lld is more than the %lld training cells: every "
                        "epoch is one step of all of them; a smaller train.batch makes more steps",
                        (long long)batch, (long long)n);
}

/* How large, on what, and from where it goes on. */
static void announce(const scs_session *session)
{
    const scs_team *team = &session->team;
    const scs_state *state = session->state;
    int threads = omp_get_max_threads();

    scs_session_say(session,
                    "training %.2f M parameters on %d rank%s x %d thread%s, %d shard%s, seed %lld",
                    1e-6 * (double)session->model->n_param, team->n_rank,
                    team->n_rank > 1 ? "s" : "", threads, threads > 1 ? "s" : "", team->n_shard,
                    team->n_shard > 1 ? "s" : "", (long long)session->config->train.seed);
    scs_train_run_note_batch(session);
    if (state)
        scs_session_say(session,
                        "going on from %s: %lld steps are done, %lld of them in epoch %lld",
                        state->path, (long long)state->position.step, (long long)state->position.at,
                        (long long)state->position.epoch);
    scs_stop_say_how(session);
}

/* Loaded weights are final: there is nothing to train. */
scs_status scs_train_run(scs_session *session)
{
    if (session->checkpoint) {
        scs_session_say(session, "weights from %s, no training", session->checkpoint->path);
        return scs_collective_ok();
    }
    announce(session);
    return train_and_watch(session);
}

/* Once what training was for is written: model.h5 (train), or screen.h5ad (run). */
scs_status scs_train_run_drop_state(scs_session *session)
{
    if (session->checkpoint)
        return scs_collective_ok();
    return scs_comm_agree(session->comm, scs_session_leads(session)
                                             ? scs_preflight_remove_states(session->config)
                                             : SCS_OK);
}
