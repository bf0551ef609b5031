/* The grid: groups of ranks, the models that they train in turn, and what is left on disk.
 *
 *  A finished model is a file in output.dir/validation whose name is a checksum of all that its
 *  rows depend on: this program and its columns, the keys that affect weights or rows, the cells,
 *  and what is held out. So a stopped grid goes on with the models that have no file yet, and
 *  another config never takes rows that are not its own. In the end rank 0 joins the files into
 *  validation.tsv.
 *
 *  Time: the number of models times that of a training, divided over the groups; where the models
 *  do not go round, groups join for those of the last round (crossval_groups.h), so that no rank
 *  waits for the time of a whole model. Memory of a group: its cells twice (x, from which every
 * deal is made, and the shards), and two atlases.
 *
 *  Cells are read once by each group and dealt anew for every model, as what is held out changes
 *  the roles; gene-space statistics do not change and are computed once (base).
 *
 *  Random numbers depend on the seed alone, not on the model's number: models that hold out
 *  different cells begin with the same weights, so differences between rows are those of the data.
 *
 *  A group that fails stops the queue: the others end after the model that they have in hand. */
#include "mpi/crossval/crossval_cells.h"
#include "mpi/crossval/crossval_groups.h"
#include "mpi/crossval/crossval_measure.h"
#include "mpi/crossval/crossval_replicate.h"
#include "mpi/job/session_model.h"
#include "mpi/crossval/crossval.h"

#include "mpi/comm/queue.h"
#include "mpi/job/provenance.h"
#include "mpi/job/session.h"
#include "src/atlas/atlas.h"
#include "src/crossval/audit.h"
#include "src/base/checksum.h"
#include "src/base/collective.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/screen/plan.h"
#include "src/config/value.h"
#include "src/crossval/grid.h"
#include "src/crossval/report.h"
#include "src/crossval/summary.h"
#include "src/screen/features.h"
#include "scscreen/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- One model ---- */

/* Hook of scs_train: rank 0 of world lets other groups' requests through. */
static scs_status epoch_end(void *ctx, const scs_epoch *report)
{
    scs_validation *v = ctx;

    (void)report;
    return scs_queue_serve(&v->queue);
}

/* The model's combinations become the config's hold_out, and the cells' roles. Local, alike in the
 * group. */
static scs_status hold_out(scs_validation *v, int64_t model)
{
    scs_session *s = v->session;

    SCS_TRY(scs_grid_hold_out(v->grid, v->base, model, s->config));
    return scs_roles_hold_out_fold(s->config, s->dataset);
}

/* The groups are those of the base; only what is held out, and the latent half, differ. What is
 * held out is hidden once the cells are encoded. Local. */
static scs_status make_atlas(scs_validation *v)
{
    scs_session *s = v->session;
    const scs_atlas *base = v->base;
    size_t n = (size_t)base->n_group * (size_t)base->n_gene;

    SCS_TRY(scs_atlas_create(s->dataset, scs_session_model_n_latent(s), &s->atlas));
    SCS_TRY(scs_plan_restrict(s->config, s->atlas));
    memcpy(s->atlas->gene_mean, base->gene_mean, n * sizeof *base->gene_mean);
    memcpy(s->atlas->gene_variance, base->gene_variance, n * sizeof *base->gene_variance);
    memcpy(s->atlas->deg, base->deg, (size_t)base->n_group * SCS_N_DEG * sizeof *base->deg);
    return SCS_ALLOC(s->z, s->team.last - s->team.first);
}

/* Without states or log: a model that is not finished is trained again. Collective over the group.
 */
static scs_status train(scs_validation *v)
{
    scs_session *s = v->session;
    scs_watch watch = {.ctx = v, .epoch_end = epoch_end};
    scs_outcome outcome;

    SCS_TRY(scs_session_model_make(s));
    return scs_train(s->config, s->model, s->shard, s->deal, &s->team, &watch, NULL, &outcome);
}

/* Cells that the model is made from, and those of them that it should not see: none, or nothing is
 * trained. Training, components and batches all take a shard's cells from this range. Collective
 * over the group. */
static scs_status audit_cells(scs_validation *v, int64_t model)
{
    const scs_session *s = v->session;
    int64_t n_held, count[2] = {0, 0};
    const int32_t *held = scs_grid_held(v->grid, model, &n_held);
    scs_status st = SCS_OK;

    for (int32_t i = 0; i < s->team.last - s->team.first && st == SCS_OK; i++) {
        int64_t n = s->shard[i].n_train + s->shard[i].n_valid;

        count[0] += n;
        st = scs_audit_count(v->base, s->dataset, held, n_held, s->shard[i].cell, n, &count[1]);
    }
    SCS_TRY(scs_comm_agree(v->group, st));
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, count, 2, MPI_INT64_T, MPI_SUM, scs_comm_mpi(v->group)));
    v->origin = (scs_report_origin){s->config->validate.protocol, count[0], count[1]};
    SCS_REQUIRE(count[1] == 0, SCS_EINTERNAL,
                "audit: %lld cells that model %lld holds out are among its training cells",
                (long long)count[1], (long long)model + 1);
    return SCS_OK;
}

/* Train and encode without the combinations that model `model` holds out.
 *  @param kind scs_model_kind. Collective over the group. */
static scs_status validation_train(scs_validation *v, int64_t model, int kind)
{
    scs_session *s = v->session;
    int64_t n_held;
    const int32_t *held = scs_grid_held(v->grid, model, &n_held);

    SCS_TRY(scs_comm_agree(v->group, hold_out(v, model)));
    SCS_TRY(scs_crossval_groups_deal(v));
    SCS_TRY(audit_cells(v, model));
    if (kind == SCS_MODEL_VAE)
        SCS_TRY(train(v));
    if (kind == SCS_MODEL_PCA)
        SCS_TRY(scs_session_model_fit_pca(s));
    SCS_TRY(scs_comm_agree(v->group, make_atlas(v)));
    SCS_TRY(scs_session_model_measure_controls(s));
    SCS_TRY(scs_session_model_encode(s));
    scs_audit_hide(s->atlas, held, n_held);
    return scs_session_model_has_latent(s)
               ? scs_collective_ok()
               : scs_comm_agree(v->group, scs_atlas_gene_space_enter(s->atlas));
}

/* ---- On disk: a file for each model, and in the end one table ---- */

/* Of the checksum, in a file's name: 64 bits. */
enum { NAME_DIGITS = 16 };

/* Which rows: with protocol context and the others, not all that is held out need be scored. */
static void list_rows(const scs_validation *v, int64_t model, FILE *out)
{
    for (int64_t k = 0; k < scs_grid_size(v->grid, model); k++)
        fprintf(out, "%d ", scs_grid_item(v->grid, model, k)->observed_group);
    fprintf(out, "\n");
}

/* "sha256:HEX" of all that a model's rows depend on: this program and its columns, the keys
 * that affect them with what is held out, the cells. */
static scs_status fingerprint(const scs_validation *v, int64_t model, char *checksum)
{
    const scs_config *config = v->session->config;
    char *yaml = NULL, *text = NULL;
    size_t size = 0;
    FILE *out;
    scs_status st;

    SCS_TRY(scs_config_print_affecting(config, SCS_AFFECTS_WEIGHTS | SCS_AFFECTS_ROWS, &yaml));
    out = open_memstream(&text, &size);
    st = out ? SCS_OK : SCS_FAIL(SCS_ENOMEM, "out of memory: a model's fingerprint");
    if (out) {
        fprintf(out, "%s\n%s%s\n%d\n", SCS_PROGRAM, yaml, v->data, config->validate.protocol);
        if (config->validate.cells)
            fprintf(out, "cells %lld %.17g %lld\n", (long long)config->predict.cells,
                    config->score.least_cpm, (long long)config->score.components);
        list_rows(v, model, out);
        scs_report_write_head(out);
        for (int p = 0; p < scs_report_predictor_count(); p++)
            if (scs_report_predictor_is_made(scs_report_predictor_at(p), config))
                fprintf(out, "%s\n", scs_report_predictor_at(p)->name);
        if (fclose(out) != 0)
            st = SCS_FAIL(SCS_ENOMEM, "out of memory: a model's fingerprint");
    }
    if (st == SCS_OK)
        scs_checksum_bytes(text, (int64_t)size, checksum);
    free(text);
    free(yaml);
    return st;
}

/* File of a model's rows, named by all that they depend on: config, inputs and what is held out.
 *  @param[out] path malloc'ed. Local; leaves config->hold_out as the model wants it. */
static scs_status validation_path(scs_validation *v, int64_t model, char **path)
{
    scs_session *s = v->session;
    char checksum[SCS_CHECKSUM_MAX];

    SCS_TRY(scs_grid_hold_out(v->grid, v->base, model, s->config));
    SCS_TRY(fingerprint(v, model, checksum));
    return scs_file_path_print(path, "%s/validation/%.*s.tsv", s->config->output.dir, NAME_DIGITS,
                               strchr(checksum, ':') + 1);
}

/* Of all predictors, those that this config asks for. */
static int made_predictors(const scs_validation *v)
{
    int n = 0;

    for (int p = 0; p < scs_report_predictor_count(); p++)
        n += scs_report_predictor_is_made(scs_report_predictor_at(p), v->session->config);
    return n;
}

/* Rows that a model's file has. */
static int64_t validation_rows(const scs_validation *v, int64_t model)
{
    return scs_grid_size(v->grid, model) * made_predictors(v);
}

/* What scs_file_write hands to its hook. */
typedef struct model_rows {
    const scs_validation *v;
    int64_t model;
} model_rows;

/* Rows in the order of the grid, predictors within: the same for any number of ranks. */
static scs_status write_model(void *ctx, FILE *out)
{
    const model_rows *rows = ctx;
    const scs_validation *v = rows->v;
    const scs_session *s = v->session;
    int64_t model = rows->model;
    scs_lidx at = 0;

    scs_report_write_head(out);
    for (int64_t k = 0; k < scs_grid_size(v->grid, model); k++)
        for (int p = 0; p < scs_report_predictor_count(); p++, at++)
            if (scs_report_predictor_is_made(scs_report_predictor_at(p), s->config))
                scs_report_write_row(out, s->atlas, scs_grid_item(v->grid, model, k),
                                     scs_report_predictor_at(p), &v->origin, v->source.name[at],
                                     v->value + (int64_t)at * SCS_N_MEASURE);
    return SCS_OK;
}

/* Write v->value to the model's file, whole or not at all. Local, on the group's first rank. */
static scs_status validation_record(scs_validation *v, int64_t model, const char *path)
{
    model_rows rows = {v, model};
    char folder[4096];

    SCS_TRY(scs_session_path(v->session, "validation", folder, sizeof folder));
    SCS_TRY(scs_file_make_folder(folder));
    return scs_file_write(path, write_model, &rows);
}

/* The models' files one after the other, each checked for its number of rows. */
static scs_status write_all(void *ctx, FILE *out)
{
    scs_validation *v = ctx;
    scs_status st = SCS_OK;

    scs_report_write_head(out);
    for (int64_t m = 0; m < v->grid->n_model && st == SCS_OK; m++) {
        char *path = NULL;

        st = validation_path(v, m, &path);
        if (st == SCS_OK)
            st = scs_report_read(path, validation_rows(v, m), NULL, out);
        free(path);
    }
    return st;
}

/* Hook of scs_file_write. */
static scs_status write_summary(void *ctx, FILE *out)
{
    scs_summary_write(out, ctx);
    return SCS_OK;
}

/* Hook of scs_file_write. */
static scs_status write_verdict(void *ctx, FILE *out)
{
    scs_summary_verdict(out, ctx);
    return SCS_OK;
}

/* On stdout. */
static void say_summary(const scs_validation *v, const scs_summary *summary)
{
    const scs_grid *grid = v->grid;
    int protocol = v->session->config->validate.protocol;

    printf(
        "\nMeans over %lld held-out combinations (protocol %s, %lld models; no cell that a model "
        "holds out\nis among those that it was made from):\n",
        (long long)grid->plan->n, scs_key_choice_text(scs_key_find("validate.protocol"), protocol),
        (long long)grid->n_model);
    scs_summary_print(stdout, summary);
    fflush(stdout);
}

/* All models' rows into output.dir/validation.tsv, what they say in short into
 * validation_summary.tsv and on stdout. Local, on rank 0. */
static scs_status validation_merge(scs_validation *v)
{
    scs_report_table table = {0};
    scs_summary summary = {0};
    char path[4096], short_path[4096], verdict[4096];
    scs_status st;

    SCS_GO(st, scs_report_table_create(v->grid->plan->n, &table));
    SCS_GO(st, scs_session_path(v->session, SCS_VALIDATION_FILE, path, sizeof path));
    SCS_GO(st,
           scs_session_path(v->session, "validation_summary.tsv", short_path, sizeof short_path));
    SCS_GO(st, scs_session_path(v->session, SCS_VERDICT_FILE, verdict, sizeof verdict));
    SCS_GO(st, scs_file_write(path, write_all, v));
    SCS_GO(st, scs_report_read(path, v->grid->plan->n * made_predictors(v), &table, NULL));
    SCS_GO(st, scs_summary_make(&table, v->session->config->train.seed, &summary));
    SCS_GO(st, scs_file_write(short_path, write_summary, &summary));
    SCS_GO(st, scs_file_write(verdict, write_verdict, &summary));
    say_summary(v, &summary);
    scs_session_say(v->session, "wrote %s and %s", path, short_path);
done:
    scs_report_table_clear(&table);
    scs_summary_clear(&summary);
    return st;
}

/* ---- Groups of ranks ---- */

/* What the grid takes the place of, and what a smaller last group must not change: the number of
 * shards is that of a whole group. SCS_EARG. Local, alike on all ranks. */
static scs_status settle_config(scs_validation *v)
{
    scs_config *c = v->session->config;
    int32_t n_shard;

    SCS_REQUIRE(!*c->model.load, SCS_EARG,
                "%s: model.load: validate trains its models, so there are no weights to take; "
                "remove it",
                c->file);
    if (c->n_hold_out)
        scs_session_say(v->session, "hold_out is not used: the grid holds out its own");
    scs_value_clear(c, scs_key_find("hold_out"));
    SCS_TRY(scs_shard_count(c->train.shards,
                            (int32_t)(c->validate.group_size < scs_comm_size(v->world)
                                          ? c->validate.group_size
                                          : scs_comm_size(v->world)),
                            &n_shard));
    c->train.shards = n_shard;
    return SCS_OK;
}

/* Cells, and the gene-space statistics that no model changes. They are scaled alike for all models:
 * with target_sum: median by the controls', as no model holds those out, so that cells which a
 * model does not see have no say in what it sees. Collective over the group. */
static scs_status load(scs_validation *v)
{
    scs_session *s = v->session;

    s->controls_decide = true;
    SCS_TRY(scs_session_read(s, &v->first_cell, &v->x));
    if (s->config->validate.cells)
        SCS_TRY(scs_comm_agree(v->group, scs_counts_check(s)));
    SCS_TRY(
        scs_comm_agree(v->group, scs_dataset_checksum(s->dataset, (const scs_h5ad *const *)s->meta,
                                                      s->input_checksum, v->data)));
    if (*s->config->screen.perturbation_features)
        SCS_TRY(scs_comm_agree(
            v->group, scs_features_checksum(s->config->screen.perturbation_features, v->data)));
    SCS_TRY(scs_crossval_groups_deal(v));
    SCS_TRY(scs_comm_agree(v->group, scs_atlas_create(s->dataset, 1, &v->base)));
    SCS_TRY(scs_comm_agree(v->group, scs_plan_restrict(s->config, v->base)));
    SCS_TRY(scs_session_model_fill_genes(s, v->base));
    return scs_comm_agree(v->group, scs_grid_create(s->config, v->base, &v->grid));
}

/* Which models' files are there and whole: a stopped grid goes on where it was. On rank 0. */
static scs_status find_recorded(scs_validation *v)
{
    for (int64_t m = 0; m < v->grid->n_model; m++) {
        char *path = NULL;
        scs_status st = validation_path(v, m, &path);

        if (st == SCS_OK) {
            v->recorded[m] = scs_report_read(path, validation_rows(v, m), NULL, NULL) == SCS_OK;
            scs_message_clear();
        }
        free(path);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* Cells that a model does not see. */
static int64_t held_cells(const scs_validation *v, int64_t model)
{
    int64_t n_held, n = 0;
    const int32_t *held = scs_grid_held(v->grid, model, &n_held);

    for (int64_t i = 0; i < n_held; i++)
        n += v->base->group[held[i]].count;
    return n;
}

/* A model, and what it is sorted by. */
typedef struct turn {
    int64_t held; /* -1: it is recorded */
    int64_t model;
} turn;

static int by_time(const void *a, const void *b)
{
    const turn *x = a, *y = b;

    if (x->held != y->held)
        return x->held < y->held ? -1 : 1;
    return x->model < y->model ? -1 : 1;
}

/* Those that are recorded, then those to be made, which take the longer the fewer cells they hold
 * out: the longest first, so that groups end together. Where these do not go round, those of the
 * last round are the last ones, if groups can join for them. Local, alike on all ranks.
 *  @param sorted [n_model] scratch */
static void order_models(scs_validation *v, turn *sorted)
{
    int64_t n = v->grid->n_model, todo = 0;

    for (int64_t m = 0; m < n; m++) {
        sorted[m] = (turn){v->recorded[m] ? -1 : held_cells(v, m), m};
        todo += !v->recorded[m];
    }
    qsort(sorted, (size_t)n, sizeof *sorted, by_time);
    for (int64_t i = 0; i < n; i++)
        v->order[i] = sorted[i].model;
    v->n_last = todo % v->n_group;
    v->n_joined = scs_crossval_groups_joined(v, v->n_last);
    if (!v->n_joined)
        v->n_last = 0;
}

/* What is recorded, and the order in which models are made. Collective over world. */
static scs_status plan_models(scs_validation *v)
{
    int64_t n = v->grid->n_model;
    turn *sorted = NULL;
    scs_status st = SCS_ALLOC(v->order, n);

    if (st == SCS_OK)
        st = SCS_ALLOC(v->recorded, n);
    if (st == SCS_OK)
        st = SCS_ALLOC(sorted, n);
    if (st == SCS_OK && scs_comm_rank(v->world) == 0)
        st = find_recorded(v);
    SCS_GO(st, scs_comm_agree(v->world, st));
    SCS_GO(st, scs_comm_broadcast(v->world, v->recorded, n));
    order_models(v, sorted);
done:
    free(sorted);
    return st;
}

/* On stderr, from rank 0 of world. */
static void describe(const scs_validation *v)
{
    const scs_grid *grid = v->grid;

    if (scs_comm_rank(v->world) != 0 || v->session->cli->quiet)
        return;
    scs_dataset_describe(v->session->dataset, stderr);
    for (scs_lidx i = 0; i < grid->notes.n; i++)
        fprintf(stderr, "  note: %s\n", grid->notes.name[i]);
    fprintf(stderr, "%lld combinations to hold out, %lld model%s, %d group%s of ranks",
            (long long)grid->plan->n, (long long)grid->n_model, grid->n_model == 1 ? "" : "s",
            v->n_group, v->n_group == 1 ? "" : "s");
    if (v->n_last > 0)
        fprintf(stderr, ", which join for the last %lld", (long long)v->n_last);
    fprintf(stderr, "\n");
}

/* Split the ranks, load the cells in each group, make the grid. Collective over world; close it
 * even after a failure. */
static scs_status validation_open(scs_session *session, scs_validation *v)
{
    *v = (scs_validation){
        .session = session, .world = session->comm, .queue = {.window = MPI_WIN_NULL}};
    SCS_TRY(scs_session_checksums(session));
    SCS_TRY(scs_comm_agree(v->world, settle_config(v)));
    SCS_TRY(scs_comm_agree(v->world, scs_crossval_groups_split(v)));
    session->comm = v->group;
    SCS_TRY(scs_comm_agree(v->world, load(v)));
    SCS_TRY(plan_models(v));
    describe(v);
    return scs_comm_agree(v->world, scs_queue_open(v->world, &v->queue));
}

/* Whatever is there. Collective over world: the queue's window is closed. */
static void validation_close(scs_validation *v)
{
    scs_session_forget(v->session);
    v->session->comm = v->world;
    scs_queue_close(&v->queue);
    scs_packed_clear(&v->x);
    scs_atlas_destroy(&v->base);
    scs_grid_destroy(&v->grid);
    if (v->counts)
        scs_counts_clear(v->counts);
    free(v->counts);
    free(v->replicate);
    free(v->value);
    free(v->recorded);
    free(v->order);
    scs_names_clear(&v->source);
    scs_comm_destroy(&v->group);
}

/* The first rank of the group takes a number; the others get it. Collective over the group. */
static scs_status next_model(scs_validation *v, int64_t *model)
{
    scs_status st = SCS_OK;

    if (scs_session_leads(v->session))
        st = scs_queue_take(&v->queue, model);
    SCS_TRY(scs_comm_agree(v->group, st));
    return scs_comm_broadcast(v->group, model, sizeof *model);
}

/* Not the baselines but no change: there are many. */
static bool is_reported(const scs_validation *v, int p)
{
    const scs_predictor *predictor = scs_report_predictor_at(p);

    return predictor->space == SCS_PREDICT_NOTHING ||
           (predictor->space != SCS_PREDICT_REPLICATE &&
            !scs_report_predictor_is_baseline(predictor) &&
            scs_report_predictor_is_made(predictor, v->session->config));
}

/* "model 3/7  human, CD4T, stimulated: r2_all  no_change 0.861  ..." on stderr, from the group's
 * first rank; "-" of what has no prediction. */
static void report_model(const scs_validation *v, int64_t model)
{
    bool recorded = v->recorded[model];
    const scs_session *s = v->session;
    char text[1024], shown[1024], what[512], number[32];
    int at;

    if (!scs_session_leads(s) || s->cli->quiet)
        return;
    at = snprintf(text, sizeof text, "model %lld/%lld  without %s", (long long)model + 1,
                  (long long)v->grid->n_model,
                  scs_grid_describe(v->grid, v->base, model, what, sizeof what));
    if (recorded && at < (int)sizeof text)
        at += snprintf(text + at, sizeof text - (size_t)at, ": recorded before");
    for (int p = 0; !recorded && p < scs_report_predictor_count() && at < (int)sizeof text; p++)
        if (is_reported(v, p)) {
            double r2 = v->value[p * SCS_N_MEASURE + SCS_R2_ALL];

            if (isnan(r2))
                strcpy(number, "-");
            else
                snprintf(number, sizeof number, "%.3f", r2);
            at += snprintf(text + at, sizeof text - (size_t)at, "%s%s %s", p ? "  " : ": r2_all  ",
                           scs_report_predictor_at(p)->name, number);
        }
    fprintf(stderr, "%s\n", scs_text_escape(text, shown, sizeof shown));
}

/* All kinds of model that the config's predictors want, one after the other, on the same held-out
 * combinations. Collective over the group. */
static scs_status make_model(scs_validation *v, int64_t model, const char *path)
{
    int kind[SCS_MOST_KINDS], n = scs_report_predictor_kinds(v->session->config, kind);
    scs_status st = SCS_OK;

    SCS_TRY(scs_crossval_replicate(v));
    SCS_TRY(scs_comm_agree(v->group, scs_crossval_measure_reserve(v, model)));
    for (int i = 0; i < n; i++) {
        SCS_TRY(validation_train(v, model, kind[i]));
        SCS_TRY(scs_crossval_measure(v, model, kind[i]));
        if (kind[i] == v->session->config->model.kind)
            SCS_TRY(scs_crossval_cells(v, model));
    }
    if (scs_session_leads(v->session))
        st = validation_record(v, model, path);
    return scs_comm_agree(v->group, st);
}

/* Unless its file is there. Collective over the group. */
static scs_status run_model(scs_validation *v, int64_t model)
{
    char *path = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(v->group, validation_path(v, model, &path)));
    if (!v->recorded[model])
        SCS_GO(st, make_model(v, model, path));
    report_model(v, model);
done:
    free(path);
    return st;
}

/* This group's share of the grid. A failure also stops the others, after the model that they have
 * in hand. Collective over the group. */
static scs_status run_models(scs_validation *v)
{
    int64_t end = v->grid->n_model - v->n_last, i;
    scs_status st;

    SCS_GO(st, next_model(v, &i));
    while (i < end) {
        SCS_GO(st, run_model(v, v->order[i]));
        SCS_GO(st, next_model(v, &i));
    }
    return SCS_OK;
done:
    if (scs_session_leads(v->session) && scs_queue_stop(&v->queue, end) != SCS_OK)
        fprintf(stderr, "scscreen: the other groups could not be told to stop\n");
    return st;
}

/* The models of the last round, one for each of the groups that join. Collective over world, with
 * a status that is alike in each group. */
static scs_status run_last(scs_validation *v)
{
    if (v->n_last == 0)
        return SCS_OK;
    SCS_TRY(scs_crossval_groups_join(v, v->n_last, v->n_joined));
    if (!v->group)
        return SCS_OK;
    return run_model(v, v->order[v->grid->n_model - v->n_last + v->index]);
}

/* Groups agree once all models are done. Collective over world. */
static scs_status validate(scs_validation *v)
{
    scs_status st = SCS_OK;

    SCS_TRY(scs_comm_agree(v->world, run_models(v)));
    SCS_TRY(scs_comm_agree(v->world, run_last(v)));
    if (scs_comm_rank(v->world) == 0)
        st = validation_merge(v);
    return scs_comm_agree(v->world, st);
}

/* The session's comm is world's again when this returns. */
static scs_status run(scs_session *session)
{
    scs_validation v;
    scs_status st = validation_open(session, &v);

    if (st == SCS_OK)
        st = validate(&v);
    validation_close(&v);
    return st;
}

const scs_verb scs_crossval_verb = {
    .name = "validate",
    .argument = "CONFIG.yaml",
    .has_section = true,
    .summary = "hold out every combination in turn; compare with baselines",
    .details =
        "For every observed (species, cell type, perturbation) that the validate section\n"
        "selects: trains without it, predicts it, and scores the network beside no change and\n"
        "arithmetic on the groups' means. --protocol P: hold out one combination, or all\n"
        "perturbed cells of a context, all of a dose, all of a perturbation. --group-size N:\n"
        "ranks that train one model together; the groups take the next model from one queue.\n"
        "--folds N: combinations held out by one model. --cells true: score cells, too.\n"
        "Writes output.dir/validation.tsv, validation_summary.tsv and what they say in words,\n"
        "validation.txt; finished models are kept in output.dir/validation/, so a stopped grid\n"
        "goes on where it was. hold_out is not used.",
    .needs = SCS_NEED_INPUTS | SCS_NEED_OUTPUT | SCS_NEED_SIMULATED,
    .run = run,
};
