#include "mpi/keeper.h"

#include "mpi/provenance.h"
#include "mpi/screen_store.h"
#include "mpi/state_files.h"
#include "mpi/watchdog.h"
#include "mpi/wishes.h"
#include "src/checksum.h"
#include "src/clock.h"
#include "src/dataset_checksum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct scs_keeper {
    scs_session *session;
    scs_journal *journal;
    bool leads;
    scs_state facts; /* what does not change from save to save; texts owned */
    char data[SCS_CHECKSUM_MAX];
    scs_wishes wishes;
    int slot;                          /* of the next save */
    int64_t step;                      /* asked so far, in this job */
    double saved;                      /* last; clock, as the next */
    double asked;                      /* last step */
    double longest_step, longest_save; /* seconds */
    char reason[128];                  /* why this rank wants to end; "" otherwise */
};

/* ---- wishes ---- */

static bool is_time_to_save(const scs_keeper *k, double t)
{
    double minutes = k->session->config->train.checkpoint_minutes;
    int64_t steps = k->session->config->train.checkpoint_steps;

    return (minutes > 0 && t - k->saved >= 60 * minutes) || (steps > 0 && k->step % steps == 0);
}

static int wish(void *ctx)
{
    scs_keeper *k = ctx;
    double t = scs_clock();

    k->longest_step = fmax(k->longest_step, t - k->asked);
    k->asked = t;
    k->step++;
    snprintf(k->reason, sizeof k->reason, "%s",
             scs_wishes_reason(&k->wishes, k->longest_step + 2 * k->longest_save));
    return (k->reason[0] ? SCS_WISH_STOP : 0) |
           (k->leads && is_time_to_save(k, t) ? SCS_WISH_SAVE : 0);
}

/* ---- save ---- */

static bool keeps(const scs_config *config)
{
    return config->train.checkpoint_minutes > 0 || config->train.checkpoint_steps > 0;
}

static scs_status save(scs_keeper *k, scs_training *training, const scs_position *position)
{
    scs_comm *comm = k->session->comm;
    double begun = scs_clock();
    char path[4096];
    scs_status st = scs_state_file(k->session->config, k->slot, path, sizeof path);

    k->facts.path = path;
    k->facts.position = *position;
    if (st == SCS_OK)
        st = scs_journal_sync(k->journal);
    SCS_TRY(scs_agree(comm, st));
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
static scs_status try_save(scs_keeper *k, scs_training *training, const scs_position *position)
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
static scs_status stop(scs_keeper *k, const scs_position *p)
{
    const scs_config *config = k->session->config;

    scs_wishes_obeyed(&k->wishes);
    return SCS_FAIL(SCS_ESTOP,
                    "by %s after step %lld (epoch %lld of %lld); the same command goes on from %s",
                    k->reason[0] ? k->reason : "a signal to another rank", (long long)p->step,
                    (long long)p->epoch, (long long)config->train.epochs, config->output.dir);
}

static scs_status keep(void *ctx, scs_training *training, const scs_position *position, int wishes)
{
    scs_keeper *k = ctx;

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

    return session->state && scs_state_file(session->config, 0, path, sizeof path) == SCS_OK &&
           strcmp(path, session->state->path) == 0;
}

static scs_status fill(scs_keeper *k)
{
    scs_session *s = k->session;

    SCS_TRY(scs_wishes_open(s, &k->wishes));
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
    SCS_TRY(scs_store_remove(s)); /* rows of the model before */
    return scs_state_files_remove(s->config);
}

scs_status scs_keeper_create(scs_session *session, scs_journal *journal, scs_keeper **keeper)
{
    scs_status st = SCS_ALLOC(*keeper, 1);

    if (st == SCS_OK) {
        scs_keeper *k = *keeper;

        k->session = session;
        k->journal = journal;
        k->leads = scs_session_leads(session);
        k->slot = first_slot(session);
        k->saved = k->asked = scs_clock();
        st = fill(k);
    }
    return scs_agree(session->comm, st);
}

scs_keep scs_keeper_hooks(scs_keeper *keeper)
{
    return (scs_keep){.ctx = keeper, .wish = wish, .save = keep};
}

void scs_keeper_destroy(scs_keeper **keeper)
{
    if (*keeper)
        free((*keeper)->facts.config);
    free(*keeper);
    *keeper = NULL;
}
