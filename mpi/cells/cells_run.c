/* Who does what: rank 0 decodes the combination's mean (one row of a screen) and sends the change
 * to all, so that processors that round otherwise make the same cells; every rank finds sources and
 * donors for itself, which are group means that all have. Counts of the cells that a combination
 * needs are gathered on every rank, and kept for the next one where it needs them too: rows are
 * ordered by species and type, so controls stay.
 *
 *  Weights of the mixed model, and of several rules, are over all groups of either sign; donors are
 * then those that `nearest` weighs, as for p-values.
 *
 *  A cell depends on its combination, its number and how many there are, not on rank, round or
 * other combinations. */
#include "mpi/cells/cells_run.h"

#include "mpi/cells/cell_values.h"
#include "mpi/cells/cells_file.h"
#include "mpi/cells/counts.h"
#include "mpi/job/session_model.h"
#include "mpi/screen/row.h"
#include "mpi/screen/screen_method.h"
#include "mpi/job/session.h"
#include "src/base/collective.h"
#include "src/cells/calibrate.h"
#include "src/cells/draw.h"
#include "src/cells/target_mean.h"
#include "src/cells/templates.h"
#include "src/config/key.h"
#include "src/screen/plan.h"
#include "scscreen/comm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Part of the file's bytes: see cells_file.h. */
enum { ROUND = SCS_CELLS_FILE_ROUND, TILE = SCS_CELL_VALUES_TILE };

/* Everything of a run, in the order in which it comes to be. */
typedef struct prediction {
    scs_session *session;
    scs_method method;
    scs_method closeness; /* by which donors are chosen, and the noise of a change is judged */
    scs_plan *plan;
    scs_counts counts;
    scs_own_cells own;         /* where predict.from names some */
    scs_count_group own_group; /* those of the combination in hand, or of the one before */
    float *own_mean;           /* [n_gene] of these */
    scs_cells_row *row;        /* [plan->n] */
    int64_t *first;            /* [plan->n + 1] first cell of each */
    scs_real **control_z;      /* [n_group] on rank 0 */
    scs_row_job job;
    scs_row_block block;  /* rank 0 */
    scs_result_rows rows; /* rank 0: one row */
    scs_sources *sources;
    scs_cells_head head;
    scs_cells_file file;
    scs_count_group *kept; /* [n_kept] counts of the combination in hand, or of the one before */
    int32_t n_kept;
    scs_cell_block cells;
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

/* Sources of a combination and those of them that have cells to give. Local, alike on all ranks.
 *  @param[out] donors caller clears  */
static scs_status find_donors(prediction *p, const scs_combination *item, scs_donors *donors)
{
    const scs_atlas *a = p->session->atlas;

    SCS_TRY(scs_shift_sources_find(a, &p->closeness, item, p->sources));
    return scs_donors_find(a, &p->closeness, item, p->sources, donors);
}

/* A change may be told by groups that do not show the perturbation, but counts are taken from such
 * alone. Rows without are refused or left out as above. */
static scs_status drop_without_donors(prediction *p, scs_plan *plan, bool named)
{
    const scs_session *s = p->session;
    const scs_atlas *a = s->atlas;
    int64_t n = 0, dropped = 0;
    char what[200];

    for (int64_t i = 0; i < plan->n; i++) {
        scs_combination *c = &plan->item[i];
        scs_donors donors = {0};
        scs_status st = find_donors(p, c, &donors);
        bool some = donors.n > 0;

        scs_donors_clear(&donors);
        SCS_TRY(st);
        SCS_REQUIRE(some || !named, SCS_EDATA,
                    "%s,%s,%s: no cell shows this perturbation, so there are none to take counts "
                    "from; the screen has its mean",
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
                        "warning: of %lld combinations no cell shows the perturbation: they "
                        "have no cells",
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
    SCS_TRY(scs_shift_sources_create(s->atlas, &p->sources));
    return drop_without_donors(p, p->plan, words->n > 0);
}

/* Whose cells a combination starts from. */
static scs_status find_controls(const prediction *p, const scs_combination *item,
                                const scs_counts **from, int32_t *group)
{
    *from = p->session->from ? &p->own.counts : &p->counts;
    *group = item->control_group;
    return p->session->from ? scs_own_cells_group(&p->own, item->cell_type, group) : SCS_OK;
}

/* How many cells, with which numbers, from which controls. */
static scs_status make_row(prediction *p, int64_t i)
{
    const scs_session *s = p->session;
    const scs_atlas *a = s->atlas;
    const scs_combination *c = &p->plan->item[i];
    int64_t asked = s->config->predict.cells;
    scs_cells_row *row = &p->row[i];
    const scs_counts *from;
    int32_t group;

    *row = (scs_cells_row){.item = c,
                           .key = scs_draw_key(s->config->train.seed, a->species.name[c->species],
                                               a->cell_types.name[c->cell_type],
                                               scs_plan_perturbation_label(a, &p->plan->pairs, c),
                                               c->dose)};
    SCS_TRY(find_controls(p, c, &from, &group));
    SCS_TRY(scs_counts_cells(from, group, &row->control, &row->n_control));
    row->n = asked > 0 ? asked : row->n_control;
    if (p->taker && row->n > p->taker->most)
        row->n = p->taker->most;
    p->first[i + 1] = p->first[i] + row->n;
    return SCS_OK;
}

/* All combinations, with the first cell of each in the file. Local, alike on all ranks. */
static scs_status make_rows(prediction *p)
{
    int64_t more = 0;

    SCS_TRY(SCS_ALLOC(p->row, p->plan->n));
    SCS_TRY(SCS_ALLOC(p->first, p->plan->n + 1));
    for (int64_t i = 0; i < p->plan->n; i++) {
        SCS_TRY(make_row(p, i));
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

/* Buffers of one row, one round of cells, and on rank 0 the decoder. Local. */
static scs_status open_rows(prediction *p)
{
    p->job = (scs_row_job){
        .session = p->session, .method = &p->method, .plan = p->plan, .control_z = p->control_z};
    p->rows.n = 1;
    SCS_TRY(scs_row_results_alloc(&p->job, &p->rows));
    SCS_TRY(scs_recipe_block_make(ROUND, &p->cells));
    SCS_TRY(SCS_ALLOC(p->own_mean, p->session->atlas->n_gene));
    return scs_session_leads(p->session) ? scs_row_block_make(&p->job, 1, &p->block) : SCS_OK;
}

/* The screen's row of this combination: rows.shift on all ranks. Collective. */
static scs_status predict_shift(prediction *p, int64_t i)
{
    scs_comm *comm = p->session->comm;
    scs_status st = SCS_OK;

    p->rows.first = i;
    p->rows.n = 1;
    if (scs_session_leads(p->session))
        st = scs_row_make_all(&p->block, &p->rows);
    SCS_TRY(scs_comm_agree(comm, st));
    return scs_comm_broadcast(comm, p->rows.shift,
                              p->session->atlas->n_gene * (int64_t)sizeof *p->rows.shift);
}

/* ---- counts in hand ---- */

/* Borrowed; NULL: not in hand. */
static scs_count_group *find_kept(const prediction *p, int32_t group)
{
    for (int32_t i = 0; i < p->n_kept; i++)
        if (p->kept[i].group == group)
            return &p->kept[i];
    return NULL;
}

/* Those that are there already stay; the others are dropped, then read. Collective.
 *  @param group [n] each once  @param[out] kept [n] in that order */
static scs_status gather(prediction *p, const int32_t *group, int32_t n)
{
    scs_count_group *kept;
    scs_status st = SCS_OK;

    SCS_TRY(scs_comm_agree(p->session->comm, SCS_ALLOC(kept, n)));
    for (int32_t i = 0; i < n; i++) {
        scs_count_group *old = find_kept(p, group[i]);

        kept[i] = (scs_count_group){.group = -1};
        if (old) {
            kept[i] = *old;
            *old = (scs_count_group){.group = -1};
        }
    }
    for (int32_t i = 0; i < p->n_kept; i++)
        scs_count_group_clear(&p->kept[i]);
    free(p->kept);
    p->kept = kept;
    p->n_kept = n;
    for (int32_t i = 0; i < n && st == SCS_OK; i++)
        if (kept[i].group < 0)
            st = scs_counts_gather(&p->counts, group[i], &kept[i]);
    return st;
}

/* Of predict.from: the type's cells and their mean, which stay for the next combination of the
 * type. Collective. */
static scs_status gather_own(prediction *p, const scs_cells_row *row)
{
    scs_comm *comm = p->session->comm;
    int32_t group;

    SCS_TRY(scs_comm_agree(comm, scs_own_cells_group(&p->own, row->item->cell_type, &group)));
    if (p->own_group.group == group)
        return scs_collective_ok();
    scs_count_group_clear(&p->own_group);
    SCS_TRY(scs_counts_gather(&p->own.counts, group, &p->own_group));
    return scs_comm_agree(comm,
                          scs_own_cells_mean(&p->own, &p->own_group, row->control, p->own_mean));
}

/* ---- one combination ---- */

/* What it is made of, in the order in which it comes to be. */
typedef struct combination {
    const scs_cells_row *row;
    scs_donors donors;
    const scs_count_group *control;
    int32_t *group;                 /* donors, then control unless it is the user's own */
    const double **cpm;             /* [2 donors.n] of donors, then of their controls */
    double *control_cpm;            /* [donors.n, n_gene] */
    const scs_count_group **counts; /* [donors.n] */
    double *mean, *made_with;       /* [n_gene] wanted; what cells are made with to have it */
    int64_t *sum;                   /* [n_gene + 1] of cells made on trial, and their counts */
    scs_recipe *recipe;
} combination;

/* Zeroed is let through. */
static void clear_combination(combination *c)
{
    scs_donors_clear(&c->donors);
    scs_recipe_destroy(&c->recipe);
    free(c->group);
    free(c->counts);
    free(c->cpm);
    free(c->control_cpm);
    free(c->mean);
    free(c->made_with);
    free(c->sum);
}

/* Local, alike on all ranks. */
static scs_status open_combination(prediction *p, combination *c)
{
    const scs_atlas *a = p->session->atlas;
    const scs_combination *item = c->row->item;

    SCS_TRY(find_donors(p, item, &c->donors));
    SCS_TRY(SCS_ALLOC(c->group, c->donors.n + 1));
    SCS_TRY(SCS_ALLOC(c->counts, c->donors.n));
    SCS_TRY(SCS_ALLOC(c->cpm, 2 * c->donors.n));
    SCS_TRY(SCS_ALLOC(c->control_cpm, c->donors.n * (int64_t)a->n_gene));
    for (int32_t i = 0; i < c->donors.n; i++)
        c->group[i] = c->donors.group[i];
    c->group[c->donors.n] = item->control_group;
    SCS_TRY(SCS_ALLOC(c->mean, a->n_gene));
    SCS_TRY(SCS_ALLOC(c->made_with, a->n_gene));
    return SCS_ALLOC(c->sum, a->n_gene + 1);
}

/* From c->made_with. Local. */
static scs_status make_recipe(prediction *p, combination *c)
{
    scs_recipe_parts parts = {.control = c->control,
                              .donor = c->counts,
                              .donors = &c->donors,
                              .mean = c->made_with,
                              .library_factor =
                                  scs_donors_library_factor(&c->donors, p->counts.library),
                              .key = c->row->key};

    scs_recipe_destroy(&c->recipe);
    return scs_recipe_create(&parts, &c->recipe);
}

/* Of donors' controls, whose cells themselves are not needed. Collective. */
static scs_status find_control_means(prediction *p, combination *c)
{
    int32_t n = c->donors.n, n_gene = p->session->atlas->n_gene;

    for (int32_t i = 0; i < n; i++) {
        double *cpm = c->control_cpm + (int64_t)i * n_gene;

        c->counts[i] = &p->kept[i];
        c->cpm[i] = p->kept[i].cpm;
        if (c->donors.control[i] < 0)
            continue;
        SCS_TRY(scs_counts_cpm(&p->counts, c->donors.control[i], cpm));
        c->cpm[n + i] = cpm;
    }
    return scs_collective_ok();
}

/* Mean log expression of the cells that are started from. */
static const float *control_mean(const prediction *p, const combination *c)
{
    return p->session->from
               ? p->own_mean
               : scs_atlas_group_gene_mean(p->session->atlas, c->row->item->control_group);
}

/* Counts are there. Local. */
static scs_status find_mean(prediction *p, combination *c)
{
    const scs_atlas *a = p->session->atlas;
    const scs_mean_parts parts = {.atlas = a,
                                  .sources = p->sources,
                                  .donors = &c->donors,
                                  .shift = p->rows.shift,
                                  .control = control_mean(p, c),
                                  .cpm = c->control->cpm,
                                  .absent = p->own.absent,
                                  .donor_cpm = c->cpm,
                                  .donor_control_cpm = c->cpm + c->donors.n,
                                  .total = p->session->scaled_to};

    SCS_TRY(scs_target_mean(&parts, c->mean));
    memcpy(c->made_with, c->mean, (size_t)a->n_gene * sizeof *c->mean);
    return make_recipe(p, c);
}

/* Where a rank's part of a round of n cells begins: at a whole tile. */
static int64_t part_begin(int64_t n, int64_t rank, int64_t n_rank)
{
    int64_t begin = (n + TILE - 1) / TILE * rank / n_rank * TILE;

    return begin < n ? begin : n;
}

/* This rank's part of cells [at, at + n) of the combination. Local. */
static scs_status make_cells(prediction *p, const combination *c, int64_t at, int64_t n)
{
    int64_t rank = scs_comm_rank(p->session->comm), n_rank = scs_comm_size(p->session->comm);

    p->cells.first = at + part_begin(n, rank, n_rank);
    p->cells.n = at + part_begin(n, rank + 1, n_rank) - p->cells.first;
    SCS_TRY(scs_templates_pick(c->row->key, c->row->control, c->row->n_control, p->cells.first,
                               p->cells.n, p->cells.control));
    return scs_recipe_make(c->recipe, &p->cells);
}

/* All of the combination's cells on trial. Local. */
static scs_status add_trial(prediction *p, combination *c)
{
    int32_t n_gene = p->session->atlas->n_gene;

    memset(c->sum, 0, ((size_t)n_gene + 1) * sizeof *c->sum);
    for (int64_t at = 0; at < c->row->n; at += ROUND) {
        int64_t left = c->row->n - at;

        SCS_TRY(make_cells(p, c, at, left < ROUND ? left : ROUND));
        scs_calibrate_add(&p->cells, c->sum);
        for (int64_t i = 0; i < p->cells.n; i++)
            c->sum[n_gene] += p->cells.library[i];
    }
    return SCS_OK;
}

/* Until the cells' mean is the one that is wanted. Collective. */
static scs_status calibrate(prediction *p, combination *c)
{
    scs_comm *comm = p->session->comm;
    int32_t n_gene = p->session->atlas->n_gene;

    for (int k = 0; k < SCS_CALIBRATE_PASSES && c->row->n <= SCS_CALIBRATE_CELLS; k++) {
        SCS_TRY(scs_comm_agree(comm, add_trial(p, c)));
        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, c->sum, n_gene + 1, MPI_INT64_T, MPI_SUM,
                              scs_comm_mpi(comm)));
        scs_calibrate_correct(c->mean, c->sum, c->row->n, c->sum[n_gene], n_gene, c->made_with);
        SCS_TRY(scs_comm_agree(comm, make_recipe(p, c)));
    }
    return scs_collective_ok();
}

/* Round by round: each rank makes its part of a round, then all append. Collective.
 *  @param first the combination's first cell in the file */
static scs_status write_combination(prediction *p, const combination *c, int64_t first)
{
    for (int64_t at = 0; at < c->row->n; at += ROUND) {
        int64_t left = c->row->n - at, n = left < ROUND ? left : ROUND;

        SCS_TRY(scs_comm_agree(p->session->comm, make_cells(p, c, at, n)));
        SCS_TRY(scs_cells_file_append(&p->file, first + p->cells.first, &p->cells, &c->donors));
    }
    return scs_collective_ok();
}

/* One round. Collective. */
static scs_status hand_over(prediction *p, const combination *c)
{
    SCS_TRY(scs_comm_agree(p->session->comm, make_cells(p, c, 0, c->row->n)));
    return p->taker->take(p->taker->ctx, c->row->item, &p->cells, &p->counts);
}

/* Collective. */
static scs_status predict_combination(prediction *p, int64_t i)
{
    scs_comm *comm = p->session->comm;
    combination c = {.row = &p->row[i]};
    scs_status st;

    SCS_GO(st, predict_shift(p, i));
    SCS_GO(st, scs_comm_agree(comm, open_combination(p, &c)));
    SCS_GO(st, gather(p, c.group, c.donors.n + !p->session->from));
    if (p->session->from)
        SCS_GO(st, gather_own(p, c.row));
    c.control = p->session->from ? &p->own_group : &p->kept[c.donors.n];
    SCS_GO(st, find_control_means(p, &c));
    SCS_GO(st, scs_comm_agree(comm, find_mean(p, &c)));
    SCS_GO(st, calibrate(p, &c));
    SCS_GO(st, p->taker ? hand_over(p, &c) : write_combination(p, &c, p->first[i]));
done:
    clear_combination(&c);
    return st;
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
    scs_row_block_clear(&p->block);
    scs_row_results_clear(&p->rows);
    scs_shift_sources_destroy(&p->sources);
    for (int32_t i = 0; i < p->n_kept; i++)
        scs_count_group_clear(&p->kept[i]);
    free(p->kept);
    scs_count_group_clear(&p->own_group);
    free(p->own_mean);
    scs_own_cells_clear(&p->own);
    scs_recipe_block_clear(&p->cells);
    if (!p->taker)
        scs_counts_clear(&p->counts);
    scs_plan_destroy(&p->plan);
}

/* A cell without some of the genes that the encoder reads has no place in latent space. */
static bool writes_latent(const prediction *p)
{
    const scs_session *s = p->session;

    if (!s->config->predict.latent || !scs_session_model_has_latent(s))
        return false;
    if (s->from && p->own.genes.n < s->dataset->n_gene)
        scs_session_say(s, "warning: no obsm/latent: the cells lack genes that the model encodes");
    return !s->from || p->own.genes.n == s->dataset->n_gene;
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

    SCS_TRY(scs_screen_method(s, s->config->screen.decode, &p->method));
    p->closeness = scs_choose_shift_blind(&p->method, s->config);
    SCS_TRY(scs_comm_agree(s->comm, make_plan(p)));
    SCS_TRY(scs_counts_read(s, &p->counts));
    if (s->from)
        SCS_TRY(scs_own_cells_read(s, &p->own));
    SCS_TRY(scs_comm_agree(s->comm, make_rows(p)));
    scs_session_say(s, "predicting %lld cells of %lld combination%s",
                    (long long)p->first[p->plan->n], (long long)p->plan->n,
                    p->plan->n > 1 ? "s" : "");
    SCS_TRY(send_controls(p));
    SCS_TRY(scs_comm_agree(s->comm, open_rows(p)));
    p->head = (scs_cells_head){.session = s,
                               .plan = p->plan,
                               .method = &p->method,
                               .row = p->row,
                               .first = p->first,
                               .own = s->from ? &p->own : NULL,
                               .latent = writes_latent(p)};
    SCS_TRY(scs_cells_file_open(&p->head, &p->file));
    SCS_TRY(write_all(p));
    SCS_TRY(scs_cells_file_commit(&p->file));
    scs_session_say(s, "wrote %s", p->file.path);
    return scs_collective_ok();
}

scs_status scs_cells_run(scs_session *session)
{
    prediction p = {.session = session, .own_group = {.group = -1}};
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
    SCS_TRY(scs_shift_sources_create(a, &p->sources));
    SCS_TRY(scs_plan_resolve(a, &p->method, p->plan));
    for (int64_t i = 0; i < plan->n; i++) {
        scs_donors donors = {0};
        bool some = false;

        if (p->plan->item[i].status == SCS_ROW_OK) {
            scs_status st = find_donors(p, &p->plan->item[i], &donors);

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
static scs_status make(prediction *p, const scs_plan *plan)
{
    scs_session *s = p->session;

    SCS_TRY(scs_screen_method(s, s->config->screen.decode, &p->method));
    p->closeness = scs_choose_shift_blind(&p->method, s->config);
    SCS_TRY(scs_comm_agree(s->comm, take_plan(p, plan)));
    if (p->plan->n == 0)
        return scs_collective_ok();
    SCS_TRY(scs_comm_agree(s->comm, make_rows(p)));
    SCS_TRY(send_controls(p));
    SCS_TRY(scs_comm_agree(s->comm, open_rows(p)));
    return write_all(p);
}

scs_status scs_cells_run_make(scs_session *session, const scs_plan *plan, const scs_counts *counts,
                              const scs_cells_taker *taker)
{
    prediction p = {
        .session = session, .counts = *counts, .own_group = {.group = -1}, .taker = taker};
    scs_status st = make(&p, plan);

    clear(&p);
    return st;
}
