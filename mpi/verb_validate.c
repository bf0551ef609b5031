#include "mpi/validation.h"
#include "mpi/verb.h"
#include "src/text.h"

#include <stdlib.h>

/* The first rank of the group looks and takes; the others follow. */
static scs_status next_model(scs_validation *v, int64_t *model)
{
    scs_status st = SCS_OK;

    if (scs_session_leads(v->session))
        st = scs_queue_take(&v->queue, model);
    SCS_TRY(scs_agree(v->group, st));
    return scs_broadcast(v->group, model, sizeof *model);
}

/* Whether the model's file is there and whole: a stopped grid goes on where it was. */
static scs_status is_recorded(scs_validation *v, int64_t model, const char *path, bool *recorded)
{
    int32_t found = 0;

    if (scs_session_leads(v->session)) {
        found = scs_validation_read(path, scs_validation_rows(v, model), NULL, NULL) == SCS_OK;
        scs_message_clear();
    }
    SCS_TRY(scs_broadcast(v->group, &found, sizeof found));
    *recorded = found != 0;
    return SCS_OK;
}

/* "model 3/7  human, CD4T, stimulated: r2_all  no_change 0.861  ..." */
static void tell(const scs_validation *v, int64_t model, bool recorded)
{
    const scs_session *s = v->session;
    const scs_combination *c = scs_grid_item(v->grid, model, 0);
    long long more = scs_grid_size(v->grid, model) - 1;
    char text[1024], shown[1024];
    int at;

    if (!scs_session_leads(s) || s->cli->quiet)
        return;
    at = snprintf(text, sizeof text, "model %lld/%lld  without %s, %s, %s", (long long)model + 1,
                  (long long)v->grid->n_model, v->base->species.name[c->species],
                  v->base->cell_types.name[c->cell_type], v->base->conditions.name[c->condition]);
    if (more && at < (int)sizeof text)
        at += snprintf(text + at, sizeof text - (size_t)at, " and %lld more", more);
    if (recorded && at < (int)sizeof text)
        at += snprintf(text + at, sizeof text - (size_t)at, ": recorded before");
    for (int p = 0; !recorded && p < scs_predictor_count() && at < (int)sizeof text; p++)
        if (scs_predictor_is_made(scs_predictor_at(p), s->config))
            at +=
                snprintf(text + at, sizeof text - (size_t)at, "%s%s %.3f", p ? "  " : ": r2_all  ",
                         scs_predictor_at(p)->name, v->value[p * SCS_N_MEASURE + SCS_R2_ALL]);
    fprintf(stderr, "%s\n", scs_text_escape(text, shown, sizeof shown));
}

static scs_status make_model(scs_validation *v, int64_t model, const char *path)
{
    int kind[SCS_MOST_KINDS], n = scs_predictor_kinds(v->session->config, kind);
    scs_status st = SCS_OK;

    SCS_TRY(scs_agree(v->group, scs_validation_reserve(v, model)));
    for (int i = 0; i < n; i++) {
        SCS_TRY(scs_validation_train(v, model, kind[i]));
        SCS_TRY(scs_validation_measure(v, model, kind[i]));
    }
    if (scs_session_leads(v->session))
        st = scs_validation_record(v, model, path);
    return scs_agree(v->group, st);
}

static scs_status run_model(scs_validation *v, int64_t model)
{
    char *path = NULL;
    bool recorded = false;
    scs_status st;

    SCS_GO(st, scs_agree(v->group, scs_validation_path(v, model, &path)));
    SCS_GO(st, is_recorded(v, model, path, &recorded));
    if (!recorded)
        SCS_GO(st, make_model(v, model, path));
    tell(v, model, recorded);
done:
    free(path);
    return st;
}

/* This group's share. A failure also stops the others, after the model they have in hand. */
static scs_status run_models(scs_validation *v)
{
    int64_t end = v->grid->n_model, model;
    scs_status st;

    SCS_GO(st, next_model(v, &model));
    while (model < end) {
        SCS_GO(st, run_model(v, model));
        SCS_GO(st, next_model(v, &model));
    }
    return SCS_OK;
done:
    if (scs_session_leads(v->session) && scs_queue_stop(&v->queue, end) != SCS_OK)
        fprintf(stderr, "scscreen: the other groups could not be told to stop\n");
    return st;
}

static scs_status validate(scs_validation *v)
{
    scs_status st = SCS_OK;

    SCS_TRY(scs_agree(v->world, run_models(v)));
    if (scs_comm_rank(v->world) == 0)
        st = scs_validation_merge(v);
    return scs_agree(v->world, st);
}

scs_status scs_verb_validate(scs_session *session)
{
    scs_validation v;
    scs_status st = scs_validation_open(session, &v);

    if (st == SCS_OK)
        st = validate(&v);
    scs_validation_close(&v);
    return st;
}
