#include "mpi/journal.h"

#include "src/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scs_journal {
    scs_session *session;
    FILE *events; /* rank 0 only */
    char path[4096];
    bool quiet, terminal;
    double started, last_line;
    double first_share; /* of all epochs: what earlier jobs did */
    double first_cells;
};

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
    scs_journal *j = ctx;
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
    scs_journal *j = ctx;
    double memory = 0;

    SCS_TRY(scs_peak_memory(j->session->comm, &memory));
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

static scs_status cut_events(const scs_journal *j, int64_t first)
{
    long end = end_of_events(j->events, first);

    SCS_REQUIRE(end >= 0 && ftruncate(fileno(j->events), end) == 0 &&
                    fseek(j->events, end, SEEK_SET) == 0,
                SCS_EIO, "%s: cannot be cut to %ld bytes: %s", j->path, end, strerror(errno));
    return SCS_OK;
}

static scs_status open_events(scs_journal *j)
{
    SCS_TRY(scs_session_path(j->session, "events.jsonl", j->path, sizeof j->path));
    j->events = fopen(j->path, j->session->state ? "a+" : "w");
    SCS_REQUIRE(j->events, SCS_ECREATE, "%s: cannot be created: %s", j->path, strerror(errno));
    return j->session->state ? cut_events(j, j->session->state->position.epoch) : SCS_OK;
}

scs_status scs_journal_create(scs_session *session, scs_journal **journal)
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
    return scs_agree(session->comm, status);
}

scs_status scs_journal_sync(scs_journal *journal)
{
    FILE *events = journal->events;

    SCS_REQUIRE(!events || (fflush(events) == 0 && fsync(fileno(events)) == 0), SCS_EIO,
                "%s: cannot be saved: %s", journal->path, strerror(errno));
    return SCS_OK;
}

scs_watch scs_journal_watch(scs_journal *journal)
{
    return (scs_watch){.ctx = journal, .progress = progress, .epoch_end = epoch_end};
}

scs_status scs_journal_close(scs_journal **journal)
{
    scs_journal *j = *journal;
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
    return scs_agree(comm, status);
}
