#include "mpi/screen_resume.h"

#include "mpi/provenance.h"
#include "src/checksum.h"
#include "src/dataset_checksum.h"
#include "src/file.h"
#include "src/sum64.h"
#include "src/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 50, LOCK_MILLISECONDS = 100 };

/* The map goes first: without it, the other is nothing. */
scs_status scs_store_remove_files(const scs_screen_store *s)
{
    SCS_TRY(scs_file_remove(s->done_path));
    return scs_file_remove(s->part);
}

/* Ranks of a job that was just killed may hold the lock for a moment. Without locks on this file
 * system we go on. */
static scs_status lock_folder(scs_screen_store *s)
{
    const char *folder = s->session->config->output.dir;
    const struct timespec pause = {0, LOCK_MILLISECONDS * 1000000L};

    s->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; s->lock >= 0 && i < LOCK_TRIES; i++) {
        if (flock(s->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            return SCS_OK;
        nanosleep(&pause, NULL);
    }
    SCS_REQUIRE(s->lock < 0, SCS_ECREATE,
                "%s: another job is screening there; wait for it or choose another output.dir",
                folder);
    return SCS_OK;
}

/* ---- what the screen is made of ---- */

static uint64_t weights_sum(const scs_session *session)
{
    const scs_atlas *a = session->atlas;
    scs_sum64 sum = scs_sum64_begin();

    if (session->model) {
        const scs_model *m = session->model;

        scs_sum64_add(&sum, m->param, m->n_param * (int64_t)sizeof *m->param);
        scs_sum64_add(&sum, m->running, m->n_running * (int64_t)sizeof *m->running);
    }
    scs_sum64_add(&sum, a->mean, (int64_t)a->n_group * a->n_latent * (int64_t)sizeof *a->mean);
    return scs_sum64_end(&sum);
}

static scs_status make_key(const scs_screen_store *s, int64_t n_unit, scs_done_key *key)
{
    const scs_session *session = s->session;

    *key = (scs_done_key){.weights = weights_sum(session),
                          .head = scs_result_head_sum(s->head),
                          .n_block = s->n_block,
                          .n_unit = n_unit};
    SCS_TRY(scs_config_print_affecting(session->config, SCS_AFFECTS_RESULT, &key->config));
    SCS_TRY(SCS_ALLOC(key->data, SCS_CHECKSUM_MAX));
    SCS_TRY(scs_text_copy(SCS_PROGRAM, &key->program));
    return scs_dataset_checksum(session->dataset, (const scs_h5ad *const *)session->meta,
                                session->input_checksum, key->data);
}

/* ---- go on, or begin ---- */

static scs_status other_config(const scs_screen_store *s, const scs_done_key *old)
{
    char differences[SCS_MESSAGE_MAX / 2];
    scs_config *before = NULL;
    scs_status st = scs_config_parse(s->done_path, old->config, NULL, 0, &before);

    if (st == SCS_OK) {
        scs_config_differences(before, s->session->config, SCS_AFFECTS_RESULT, differences,
                               sizeof differences);
        st = SCS_FAIL(SCS_EARG,
                      "%s: the stopped screen had another configuration: %s; set that back to go "
                      "on, or begin anew with --restart",
                      s->part, differences[0] ? differences : "a path");
    }
    scs_config_destroy(&before);
    return st;
}

/* Another screen's rows are not thrown away unasked. */
static scs_status check_same(const scs_screen_store *s, const scs_done_key *old,
                             const scs_done_key *now)
{
    const char *what =
        strcmp(old->data, now->data) != 0         ? "saw other data"
        : old->weights != now->weights            ? "had another model"
        : strcmp(old->program, now->program) != 0 ? "was made by another scscreen"
        : old->head != now->head || old->n_block != now->n_block || old->n_unit != now->n_unit
            ? "had other rows"
            : NULL;

    if (strcmp(old->config, now->config) != 0)
        return other_config(s, old);
    SCS_REQUIRE(!what, SCS_EDATA,
                "%s: the stopped screen %s; put that back to go on, or begin anew with --restart",
                s->part, what);
    return SCS_OK;
}

/* Whether the unfinished file and its map are there and whole. */
static scs_status find_old(const scs_screen_store *s, const scs_done_key *now, bool *found)
{
    scs_done_key old = {0};
    uint64_t skeleton = 0;
    scs_status st;

    *found = false;
    if (!s->session->config->train.resume || access(s->done_path, F_OK) != 0 ||
        access(s->part, F_OK) != 0)
        return SCS_OK;
    st = scs_done_map_probe(s->done_path, &old);
    if (st == SCS_OK)
        SCS_GO(st, check_same(s, &old, now));
    if (st == SCS_OK)
        st = scs_sum64_gaps(s->part, old.range, old.n_range, &skeleton);
    if (st == SCS_OK && skeleton != old.skeleton)
        st = SCS_FAIL(SCS_EDATA, "%s: is damaged", s->part);
    *found = st == SCS_OK;
    if (st == SCS_EDATA || st == SCS_EIO) {
        fprintf(stderr, "scscreen: warning: %s; screening begins anew\n", scs_message());
        st = SCS_OK;
    }
done:
    scs_done_key_clear(&old);
    return st;
}

/* The skeleton, then the map that vouches for it. */
static scs_status begin(scs_screen_store *s, scs_done_key *key, const int64_t *unit_first)
{
    scs_result_file *alone = NULL;
    scs_status st, closed;

    SCS_TRY(scs_store_remove_files(s));
    SCS_TRY(scs_result_skeleton(s->part, s->head));
    st = scs_result_file_open_alone(s->part, s->head, &alone);
    if (st == SCS_OK)
        st = scs_result_file_ranges(alone, key->range, &key->n_range);
    closed = scs_result_file_close(NULL, &alone);
    st = st == SCS_OK ? closed : st;
    if (st == SCS_OK)
        st = scs_sum64_gaps(s->part, key->range, key->n_range, &key->skeleton);
    if (st == SCS_OK)
        st = scs_done_map_create(s->done_path, key, unit_first);
    if (st != SCS_OK)
        (void)unlink(s->part);
    return st;
}

scs_status scs_store_prepare(scs_screen_store *s, const int64_t *unit_first, int64_t n_unit)
{
    scs_done_key key = {0};
    scs_status st;

    SCS_GO(st, lock_folder(s));
    SCS_GO(st, make_key(s, n_unit, &key));
    SCS_GO(st, find_old(s, &key, &s->resumed));
    if (!s->resumed)
        SCS_GO(st, begin(s, &key, unit_first));
    s->fd = open(s->part, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be opened: %s", s->part, strerror(errno));
done:
    scs_done_key_clear(&key);
    return st;
}
