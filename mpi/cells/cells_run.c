/* The rows that are wanted, a maker of their cells (cell_maker.h), and their file. */
#include "mpi/cells/cells_run.h"

#include "mpi/cells/cell_maker.h"
#include "mpi/cells/cells_file.h"
#include "mpi/job/input_checksum.h"
#include "mpi/job/session_model.h"
#include "mpi/screen/screen_features.h"
#include "mpi/screen/screen_method.h"
#include "src/base/collective.h"
#include "src/config/key.h"
#include "src/data/h5ad.h"
#include "src/screen/plan.h"
#include "scscreen/comm.h"

#include <stdlib.h>
#include <string.h>

/* Part of the file's bytes: see cells_file.h. */
enum { ROUND = SCS_CELL_MAKER_MOST };

/* Everything of a run, in the order in which it comes to be. */
typedef struct prediction {
    scs_session *session;
    scs_method method;
    scs_plan *plan;
    scs_cell_maker *maker;
    scs_cell_row *row;                    /* [plan->n] */
    int64_t *first;                       /* [plan->n + 1] first cell of each */
    scs_real **control_z;                 /* [n_group] on rank 0 */
    char from_checksum[SCS_CHECKSUM_MAX]; /* of the bytes of predict.from */
    scs_cells_head head;
    scs_cells_file file;
    const scs_cells_taker *taker; /* in place of the file; counts are then borrowed */
} prediction;

/* Of what X does not hold. */
static scs_status check_layers(const scs_config *config)
{
    const scs_key *values = scs_key_find("predict.values");
    const char *x = scs_key_choice_text(values, config->predict.values);

    for (int32_t i = 0; i < config->predict.layers.n; i++) {
        const char *layer = config->predict.layers.name[i];

        SCS_REQUIRE(strcmp(layer, x) != 0, SCS_EARG,
                    "%s: predict.layers: %s is what X holds (predict.values)", config->file, x);
        SCS_REQUIRE(strcmp(layer, scs_key_choice_text(values, SCS_CELLS_COUNTS)) == 0 ||
                        strcmp(layer, scs_key_choice_text(values, SCS_CELLS_LOG1P)) == 0,
                    SCS_EARG, "%s: predict.layers: \"%s\": expected counts or log1p", config->file,
                    layer);
    }
    return SCS_OK;
}

scs_status scs_cells_run_check(const scs_session *session)
{
    SCS_TRY(check_layers(session->config));
    return scs_counts_check(session);
}

/* ---- which combinations ---- */

/* SCS_EDATA for a row that was named: nobody should take its absence for a prediction. Others are
 * left out with a warning. @param named the rows were asked for one by one */
static scs_status drop_unpredictable(const scs_session *s, scs_plan *plan, bool named)
{
    const scs_atlas *a = s->atlas;
    int64_t n = 0, dropped = 0;
    char what[200];

    for (int64_t i = 0; i < plan->n; i++) {
        scs_combination *c = &plan->item[i];

        if (c->status == SCS_ROW_OK) {
            plan->item[n++] = *c;
            continue;
        }
        SCS_REQUIRE(!named, SCS_EDATA, "%s,%s,%s cannot be predicted: %s",
                    a->species.name[c->species], a->cell_types.name[c->cell_type],
                    scs_plan_treatment_text(a, &plan->pairs, c, what, sizeof what),
                    plan->reasons.name[c->reason]);
        dropped++;
    }
    plan->n = n;
    SCS_REQUIRE(n > 0, SCS_EDATA, "no combination of the screen can be predicted: %s",
                plan->reasons.name[plan->item[0].reason]);
    if (dropped)
        scs_session_say(s, "warning: %lld combinations cannot be predicted and have no cells",
                        (long long)dropped);
    return SCS_OK;
}

/* Counts are taken from groups that tell the change. Rows without such are refused or left out as
 * above. */
static scs_status drop_without_donors(prediction *p, scs_plan *plan, bool named)
{
    const scs_session *s = p->session;
    const scs_atlas *a = s->atlas;
    bool observed = p->maker->observed;
    int64_t n = 0, dropped = 0;
    char what[200];

    for (int64_t i = 0; i < plan->n; i++) {
        scs_combination *c = &plan->item[i];
        scs_donors donors = {0};
        scs_status st = scs_cell_maker_donors(p->maker, c, &donors);
        bool some = donors.n > 0;

        scs_donors_clear(&donors);
        SCS_TRY(st);
        SCS_REQUIRE(
            some || !named, SCS_EDATA,
            observed && c->observed_group < 0
                ? "%s,%s,%s: no cell of the inputs shows it, so there is no mean to take "
                  "(predict.mean: observed)"
                : "%s,%s,%s: no group of cells that tells the change has perturbed cells to "
                  "take counts from; the screen has its mean",
            a->species.name[c->species], a->cell_types.name[c->cell_type],
            scs_plan_treatment_text(a, &plan->pairs, c, what, sizeof what));
        dropped += !some;
        if (some)
            plan->item[n++] = *c;
    }
    plan->n = n;
    SCS_REQUIRE(n > 0, SCS_EDATA,
                "no combination of the screen has perturbed cells to take counts from");
    if (dropped)
        scs_session_say(s,
                        "warning: %lld combinations have no perturbed cells to take counts from, "
                        "and no cells",
                        (long long)dropped);
    return SCS_OK;
}

/* Only what plans need: costs play no part. */
static scs_status screen_rows(const scs_session *s, scs_plan **plan)
{
    const scs_arch plain = {.n_gene = s->atlas->n_gene, .n_hidden = 1, .n_layer = 1, .n_latent = 1};

    return scs_plan_create(s->config, s->atlas, s->model ? &s->model->arch : &plain, plan);
}

/* Local, alike on all ranks. */
static scs_status make_plan(prediction *p)
{
    const scs_session *s = p->session;
    const scs_names *words = &s->config->predict.combination;

    if (words->n > 0)
        SCS_TRY(scs_plan_named(s->config, s->atlas, words, "predict.combination", &p->plan));
    else
        SCS_TRY(screen_rows(s, &p->plan));
    SCS_TRY(scs_plan_resolve(s->atlas, &p->method, p->plan));
    SCS_TRY(drop_unpredictable(s, p->plan, words->n > 0));
    return drop_without_donors(p, p->plan, words->n > 0);
}

/* All combinations, with the first cell of each in the file. Local, alike on all ranks. */
static scs_status make_rows(prediction *p)
{
    int64_t more = 0;

    SCS_TRY(SCS_ALLOC(p->row, p->plan->n));
    SCS_TRY(SCS_ALLOC(p->first, p->plan->n + 1));
    for (int64_t i = 0; i < p->plan->n; i++) {
        SCS_TRY(scs_cell_maker_row(p->maker, i, &p->row[i]));
        if (p->taker && p->row[i].n > p->taker->most)
            p->row[i].n = p->taker->most;
        p->first[i + 1] = p->first[i] + p->row[i].n;
        more += p->row[i].n > p->row[i].n_control;
    }
    SCS_REQUIRE(p->first[p->plan->n] <= INT32_MAX, SCS_EARG,
                "%lld predicted cells are too many for one file; at most %d",
                (long long)p->first[p->plan->n], INT32_MAX);
    if (more && !p->taker)
        scs_session_say(p->session,
                        "warning: more cells than controls are asked for in %lld of %lld "
                        "combinations: with more cells, errors of the predicted mean become "
                        "significant in tests",
                        (long long)more, (long long)p->plan->n);
    return SCS_OK;
}

/* ---- the change of means, on rank 0 ---- */

/* Latent cells of all controls to rank 0, which decodes. Collective. */
static scs_status send_controls(prediction *p)
{
    scs_session *s = p->session;
    uint8_t *needed;
    scs_status st;

    SCS_TRY(scs_comm_agree(s->comm, SCS_ALLOC(p->control_z, s->atlas->n_group)));
    if (!scs_session_model_has_latent(s))
        return scs_collective_ok();
    SCS_TRY(scs_comm_agree(s->comm,
                           SCS_ALLOC(needed, scs_comm_size(s->comm) * (int64_t)s->atlas->n_group)));
    for (int64_t i = 0; i < p->plan->n; i++)
        needed[p->plan->item[i].control_group] = 1;
    st = scs_redistribute_groups(s->comm, s->dataset, s->atlas, needed, s->shard, &s->team, s->z,
                                 p->control_z);
    free(needed);
    return st;
}

/* Round by round: each rank makes its part of a round, then all append. Collective.
 *  @param first the combination's first cell in the file */
static scs_status write_combination(prediction *p, const scs_cell_row *row, int64_t first)
{
    scs_cell_maker *m = p->maker;

    for (int64_t at = 0; at < row->n; at += ROUND) {
        int64_t left = row->n - at;

        SCS_TRY(scs_comm_agree(p->session->comm,
                               scs_cell_maker_share(m, at, left < ROUND ? left : ROUND)));
        SCS_TRY(scs_cells_file_append(&p->file, first + m->cells.first, &m->cells, &m->now.donors));
    }
    return scs_collective_ok();
}

/* One round. Collective. */
static scs_status hand_over(prediction *p, const scs_cell_row *row)
{
    scs_cell_maker *m = p->maker;

    SCS_TRY(scs_comm_agree(p->session->comm, scs_cell_maker_share(m, 0, row->n)));
    return p->taker->take(p->taker->ctx, row->item, &m->cells, &m->counts);
}

/* Collective. */
static scs_status predict_combination(prediction *p, int64_t i)
{
    SCS_TRY(scs_cell_maker_prepare(p->maker, &p->row[i]));
    return p->taker ? hand_over(p, &p->row[i]) : write_combination(p, &p->row[i], p->first[i]);
}

/* ---- the run ---- */

/* In whatever state the run ended. */
static void clear(prediction *p)
{
    const scs_session *s = p->session;

    for (int64_t i = 0; p->row && i < p->plan->n; i++)
        free(p->row[i].control);
    free(p->row);
    free(p->first);
    for (int32_t g = 0; p->control_z && g < s->atlas->n_group; g++)
        free(p->control_z[g]);
    free(p->control_z);
    scs_cell_maker_destroy(&p->maker);
    scs_plan_destroy(&p->plan);
}

/* A cell without some of the genes that the encoder reads has no place in latent space. */
static bool writes_latent(const prediction *p)
{
    const scs_session *s = p->session;

    if (!s->config->predict.latent || !scs_session_model_has_latent(s))
        return false;
    if (s->from && p->maker->own.genes.n < s->dataset->n_gene)
        scs_session_say(s, "warning: no obsm/latent: the cells lack genes that the model encodes");
    return !s->from || p->maker->own.genes.n == s->dataset->n_gene;
}

/* In the plan's order, which is the file's. Collective. */
static scs_status write_all(prediction *p)
{
    for (int64_t i = 0; i < p->plan->n; i++)
        SCS_TRY(predict_combination(p, i));
    return scs_collective_ok();
}

/* In the order of struct prediction. Collective. */
static scs_status predict(prediction *p)
{
    scs_session *s = p->session;

    SCS_TRY(scs_screen_features_open(s));
    SCS_TRY(scs_screen_method(s, s->config->screen.decode, &p->method));
    SCS_TRY(scs_comm_agree(s->comm, scs_cell_maker_create(s, &p->method, &p->maker)));
    SCS_TRY(scs_comm_agree(s->comm, make_plan(p)));
    SCS_TRY(send_controls(p));
    if (s->from)
        SCS_TRY(scs_input_checksum(s->comm, s->from->path, p->from_checksum));
    SCS_TRY(scs_cell_maker_open(p->maker, p->plan, p->control_z, NULL));
    SCS_TRY(scs_comm_agree(s->comm, make_rows(p)));
    scs_session_say(s, "predicting %lld cells of %lld combination%s",
                    (long long)p->first[p->plan->n], (long long)p->plan->n,
                    p->plan->n > 1 ? "s" : "");
    p->head = (scs_cells_head){.session = s,
                               .plan = p->plan,
                               .method = &p->method,
                               .row = p->row,
                               .first = p->first,
                               .own = s->from ? &p->maker->own : NULL,
                               .from_checksum = p->from_checksum,
                               .latent = writes_latent(p)};
    SCS_TRY(scs_cells_file_open(&p->head, &p->file));
    SCS_TRY(write_all(p));
    SCS_TRY(scs_cells_file_commit(&p->file));
    scs_session_say(s, "wrote %s", p->file.path);
    return scs_collective_ok();
}

scs_status scs_cells_run(scs_session *session)
{
    prediction p = {.session = session};
    scs_status st = predict(&p);

    st = scs_cells_file_close(&p.file, st);
    clear(&p);
    return scs_comm_agree(session->comm, st);
}

/* ---- without a file ---- */

/* A copy, without what has no cells. Local, alike on all ranks. */
static scs_status take_plan(prediction *p, const scs_plan *plan)
{
    const scs_atlas *a = p->session->atlas;
    int64_t n = 0;

    SCS_TRY(SCS_ALLOC(p->plan, 1));
    SCS_TRY(SCS_ALLOC(p->plan->item, plan->n));
    memcpy(p->plan->item, plan->item, (size_t)plan->n * sizeof *plan->item);
    p->plan->n = plan->n;
    for (int32_t i = 0; i < plan->pairs.n; i++)
        SCS_TRY(scs_names_add(&p->plan->pairs, plan->pairs.name[i]));
    SCS_TRY(scs_plan_resolve(a, &p->method, p->plan));
    for (int64_t i = 0; i < plan->n; i++) {
        scs_donors donors = {0};
        bool some = false;

        if (p->plan->item[i].status == SCS_ROW_OK) {
            scs_status st = scs_cell_maker_donors(p->maker, &p->plan->item[i], &donors);

            some = donors.n > 0;
            scs_donors_clear(&donors);
            SCS_TRY(st);
        }
        if (some)
            p->plan->item[n++] = p->plan->item[i];
    }
    p->plan->n = n;
    return SCS_OK;
}

/* In the order of struct prediction. Collective. */
static scs_status make(prediction *p, const scs_plan *plan, const scs_counts *counts)
{
    scs_session *s = p->session;

    SCS_TRY(scs_screen_method(s, s->config->screen.decode, &p->method));
    SCS_TRY(scs_comm_agree(s->comm, scs_cell_maker_create(s, &p->method, &p->maker)));
    p->maker->observed = false; /* a prediction is judged */
    SCS_TRY(scs_comm_agree(s->comm, take_plan(p, plan)));
    if (p->plan->n == 0)
        return scs_collective_ok();
    SCS_TRY(send_controls(p));
    SCS_TRY(scs_cell_maker_open(p->maker, p->plan, p->control_z, counts));
    SCS_TRY(scs_comm_agree(s->comm, make_rows(p)));
    return write_all(p);
}

scs_status scs_cells_run_make(scs_session *session, const scs_plan *plan, const scs_counts *counts,
                              const scs_cells_taker *taker)
{
    prediction p = {.session = session, .taker = taker};
    scs_status st = make(&p, plan, counts);

    clear(&p);
    return st;
}
