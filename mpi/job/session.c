/* A session from its opening to its end, and the first steps that all verbs have in common:
 * dataset, deal, shards.
 *
 *  Opening: rank 0 has read config, metadata and (where asked for) checkpoint and state before
 *  MPI_Init (preflight.c). All ranks agree on how that went, get the bytes in one broadcast
 *  and unpack them, each for itself: so every rank has the same validated structs, and no other
 *  rank parses a file of the user's.
 *
 *  Loading: every rank reads its contiguous cells, which travel meanwhile to the shards that own
 * them (mpi/data), and hashes its part of the files. What is local is done on all ranks alike and
 * agreed on before the next Collective step. */
#include "mpi/job/session.h"

#include "mpi/data/choose_genes.h"
#include "mpi/job/command.h"
#include "mpi/data/repeated_cells.h"
#include "mpi/job/input_checksum.h"
#include "mpi/job/preflight.h"
#include "src/base/clock.h"
#include "src/base/collective.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/config/path.h"
#include "src/data/filter.h"
#include "src/data/h5ad.h"
#include "src/data/inputs.h"
#include "src/data/notes.h"
#include "src/data/scale.h"
#include "src/screen/decode.h"
#include "src/train/state.h"
#include "scscreen/checkpoint.h"
#include "scscreen/comm.h"
#include "scscreen/dataset.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Before the checksum of inputs that were looked up, not hashed. */
#define QUICK "stat-"

/* C does not add the inner const by itself. */
static const scs_h5ad *const *metas(const scs_session *session)
{
    return (const scs_h5ad *const *)session->meta;
}

/* Genes of a checkpoint come first: the data have to have them. Local, alike on all ranks. */
static scs_status make_dataset(scs_session *session)
{
    SCS_TRY(scs_dataset_create(session->config, metas(session), &session->dataset));
    for (scs_lidx i = 0; i < session->notes.n; i++)
        SCS_TRY(scs_notes_add(session->dataset, "%s", session->notes.name[i]));
    if (session->checkpoint)
        SCS_TRY(scs_dataset_match_genes(session->dataset, &session->checkpoint->genes,
                                        metas(session), session->checkpoint->path));
    return SCS_OK;
}

/* Cells that have a say in which genes are kept: those that are learnt from, or (where others will
 * be held out in turn) controls. @param[out] counted [n_cell] */
static void choose_counted(const scs_session *session, uint8_t *counted)
{
    const scs_dataset *d = session->dataset;

    for (int64_t c = 0; c < d->n_cell; c++)
        counted[c] = scs_roles_has_say(d, session->controls_decide, c);
}

/* Cells with few genes leave the descriptions of their files, as those do that data.filter leaves
 * out. @param keep [n_cell] */
static scs_status leave_out_cells(scs_session *session, const uint8_t *keep)
{
    const scs_dataset *d = session->dataset;
    int64_t least = session->config->data.min_genes;

    for (int32_t i = 0; i < d->n_input; i++) {
        int64_t before = session->meta[i]->n_obs;
        char line[SCS_MESSAGE_MAX];

        SCS_TRY(scs_filter_leave_out(session->meta[i], keep + d->first_cell[i],
                                     session->cell_names ? &session->cell_names[i] : NULL));
        SCS_REQUIRE(session->meta[i]->n_obs > 0, SCS_EDATA,
                    "data.min_genes: none of the %lld cells of %s has values of %lld genes; lower "
                    "it, or leave the file out of data.inputs",
                    (long long)before, session->meta[i]->path, (long long)least);
        snprintf(line, sizeof line,
                 "data.min_genes: %lld of %lld cells of %s have values of fewer than %lld genes, "
                 "and are left out",
                 (long long)(before - session->meta[i]->n_obs), (long long)before,
                 session->meta[i]->path, (long long)least);
        if (least > 0)
            SCS_TRY(scs_names_add(&session->notes, line));
    }
    return SCS_OK;
}

/* The genes that as many cells have. @param n [n_gene] */
static scs_status keep_frequent(const scs_session *session, const int64_t *n, int64_t least)
{
    scs_dataset *d = session->dataset;
    int32_t before = d->n_gene, kept = 0, *to = NULL;
    bool *chosen = NULL;
    scs_status status;

    SCS_GO(status, SCS_ALLOC(chosen, before));
    SCS_GO(status, SCS_ALLOC(to, before));
    for (int32_t g = 0; g < before; g++)
        kept += chosen[g] = n[g] >= least;
    if (kept == 0)
        SCS_GO(status, SCS_FAIL(SCS_EDATA,
                                "data.min_cells: none of the %d genes has a value in %lld of the "
                                "cells that are counted; lower it",
                                before, (long long)least));
    scs_dataset_keep_genes(d, chosen, SCS_GENE_IN_FEW_CELLS, metas(session), to);
    SCS_GO(status,
           scs_notes_add(d,
                         "data.min_cells: %d of %d genes have a value in fewer than %lld cells, "
                         "and are left out",
                         before - kept, before, (long long)least));
done:
    free(chosen);
    free(to);
    return status;
}

/* What the counts say: the dataset is made anew, of the cells that stay. The genes of a stored
 * model are what they are. Local, alike on all ranks. */
static scs_status apply_counts(scs_session *session, const uint8_t *keep, const int64_t *n)
{
    int64_t least = session->config->data.min_cells;

    SCS_TRY(leave_out_cells(session, keep));
    scs_dataset_destroy(&session->dataset);
    SCS_TRY(make_dataset(session));
    if (session->checkpoint || least <= 0)
        return SCS_OK;
    return keep_frequent(session, n, least);
}

/* make_dataset; with data.min_genes or data.min_cells the files are read once more than otherwise,
 * before it. Collective. */
static scs_status settle_dataset(scs_session *session)
{
    const scs_config *config = session->config;
    scs_comm *comm = session->comm;
    uint8_t *keep = NULL, *counted = NULL;
    int64_t *n = NULL;
    scs_status status;

    SCS_TRY(scs_comm_agree(comm, make_dataset(session)));
    if (config->data.min_genes <= 0 && config->data.min_cells <= 0)
        return scs_collective_ok();
    status = SCS_ALLOC(keep, session->dataset->n_cell);
    if (status == SCS_OK)
        status = SCS_ALLOC(counted, session->dataset->n_cell);
    if (status == SCS_OK)
        status = SCS_ALLOC(n, session->dataset->n_gene);
    SCS_GO(status, scs_comm_agree(comm, status));
    choose_counted(session, counted);
    SCS_GO(status, scs_read_cells_count(comm, session->dataset, metas(session),
                                        config->data.min_genes, counted, keep, n));
    SCS_GO(status, scs_comm_agree(comm, apply_counts(session, keep, n)));
done:
    free(keep);
    free(counted);
    free(n);
    return status;
}

/* The dataset, which then has the labels alone. Collective. */
static scs_status prepare_dataset(scs_session *session)
{
    SCS_TRY(settle_dataset(session));
    for (int32_t i = 0; i < session->config->data.n_input; i++)
        scs_h5ad_forget_labels(session->meta[i]);
    return scs_collective_ok();
}

/* Once, however often it is asked for. A file that is listed twice is hashed twice. */
scs_status scs_session_checksums(scs_session *session)
{
    char sum[SCS_CHECKSUM_MAX];

    for (int32_t i = 0; i < session->config->data.n_input; i++) {
        if (session->input_checksum[i])
            continue;
        SCS_TRY(scs_input_checksum(session->comm, session->config->data.inputs[i].path, sum));
        SCS_TRY(scs_comm_agree(session->comm, scs_text_copy(sum, &session->input_checksum[i])));
    }
    return scs_collective_ok();
}

/* What the values are, once all are read. Local, alike on all ranks. */
static scs_status settle(scs_session *session, const scs_scale *scale)
{
    const scs_dataset *d = session->dataset;

    SCS_TRY(scs_scale_settle(session->config, metas(session), scale, session->dataset));
    for (int32_t i = 0; i < d->n_input; i++)
        SCS_REQUIRE(!d->sums[i] || session->config->data.normalize == SCS_NORMALIZE_LOG1P,
                    SCS_EDATA,
                    "data.duplicate_genes: sum adds counts up, and the values of %s are logged "
                    "already, which cannot be added; choose the matrix with the counts "
                    "(data.matrix), or data.duplicate_genes: unique",
                    session->meta[i]->path);
    return SCS_OK;
}

/* The files' checksums, and files that have the same, or the same cells; a file that was written
 * to meanwhile has labels and values of two. Collective.
 *  @param repeated [n_input] or NULL: cells were not compared */
static scs_status finish_reading(scs_session *session, const scs_repeated *repeated)
{
    SCS_TRY(scs_session_checksums(session));
    SCS_TRY(scs_comm_agree(session->comm,
                           scs_preflight_check_inputs(session->preflight, session->config)));
    return scs_comm_agree(session->comm, scs_notes_repeated(session->dataset, metas(session),
                                                            session->input_checksum, repeated));
}

/* seurat_v3's variances are of counts. Local, alike on all ranks.
 *  @param scale [n_input] */
static scs_status refuse_not_counts(const scs_session *session, const scs_scale *scale)
{
    char found[200];

    for (int32_t i = 0; i < session->dataset->n_input; i++)
        SCS_REQUIRE(scs_scale_judge(&scale[i], session->meta[i]->n_var) == SCS_SCALE_COUNTS,
                    SCS_EDATA,
                    "%s: data.hvg_flavor: seurat_v3 needs raw counts, and this holds %s; use "
                    "seurat, or another data.matrix",
                    session->meta[i]->path,
                    scs_scale_describe(&scale[i], session->meta[i]->n_var, found, sizeof found));
    return SCS_OK;
}

/* Keep the highly variable genes, once the values are what the flavor looks at: counts before they
 * are normalised for seurat_v3, normalised values for seurat. A stored model has its genes.
 * Collective.
 *  @param part [n_part] all of this rank's cells */
static scs_status choose_genes(scs_session *session, int flavor, const scs_scale *scale,
                               const scs_cell_part *part, int32_t n_part)
{
    const scs_config *c = session->config;

    if (!c->data.n_top_genes || session->checkpoint || c->data.hvg_flavor != flavor)
        return scs_collective_ok();
    if (flavor == SCS_HVG_SEURAT_V3)
        SCS_TRY(scs_comm_agree(session->comm, refuse_not_counts(session, scale)));
    return scs_choose_genes(session->comm, c, metas(session), session->controls_decide,
                            session->dataset, part, n_part);
}

/* What is done with the values once all are read: judged, compared, normalised, and the genes
 * chosen. Collective.
 *  @param part [n_part] all of this rank's cells  @param total of their counts, part after part */
static scs_status finish_values(scs_session *session, const scs_scale *scale,
                                const scs_cell_part *part, int32_t n_part, const double *total)
{
    scs_comm *comm = session->comm;
    scs_repeated *repeated = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, settle(session, scale)));
    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(repeated, session->dataset->n_input)));
    SCS_GO(st, scs_repeated_cells_find(comm, session->dataset, part, n_part, repeated));
    SCS_GO(st, choose_genes(session, SCS_HVG_SEURAT_V3, scale, part, n_part));
    SCS_GO(st, scs_read_cells_normalize(comm, session->config, session->dataset,
                                        session->controls_decide, part, n_part, total,
                                        &session->scaled_to));
    SCS_GO(st, choose_genes(session, SCS_HVG_SEURAT, scale, part, n_part));
    st = finish_reading(session, repeated);
done:
    free(repeated);
    return st;
}

/* What reads all cells into memory by itself has nothing of the stream's small one. */
static scs_status refuse_stream(const scs_session *session)
{
    SCS_REQUIRE(session->config->train.data != SCS_TRAIN_STREAM, SCS_EARG,
                "%s: train.data: stream is for run, train, screen, check and embed; %s needs the "
                "cells in memory: --set train.data=memory",
                session->config->file, session->cli->verb->name);
    return SCS_OK;
}

/* The totals of cells are needed for normalising only. */
scs_status scs_session_read(scs_session *session, int64_t *first, scs_packed *x)
{
    scs_comm *comm = session->comm;
    double *totals = NULL;
    scs_scale *scale = NULL;
    scs_cell_part part;
    scs_status status;

    SCS_TRY(scs_comm_agree(comm, refuse_stream(session)));
    SCS_TRY(prepare_dataset(session));
    SCS_GO(status, scs_comm_agree(comm, SCS_ALLOC(scale, session->dataset->n_input)));
    SCS_GO(status,
           scs_read_cells(comm, session->dataset, metas(session), first, x, &totals, scale));
    part = (scs_cell_part){.x = x, .first = *first};
    SCS_GO(status, finish_values(session, scale, &part, 1, totals));
done:
    free(scale);
    free(totals);
    return status;
}

/* The number of shards, not of ranks, decides which cells meet in a batch: so a saved state's
 * number is kept. */
scs_status scs_session_make_deal(scs_session *session)
{
    const scs_config *c = session->config;
    int64_t configured = session->state ? session->state->n_shard : c->train.shards;
    int32_t n_shard;

    SCS_TRY(scs_shard_count(configured, scs_comm_size(session->comm), &n_shard));
    session->team = scs_comm_team(session->comm, n_shard);
    return scs_shard_deal_create(session->dataset, c->train.seed, n_shard, &session->deal);
}

/* ---- data that stay on disk ---- */

/* What needs all values before the first step, or in memory. Local, alike on all ranks. */
static scs_status refuse_whole(const scs_session *s)
{
    const scs_config *c = s->config;

    SCS_REQUIRE(c->model.kind != SCS_MODEL_PCA, SCS_EARG,
                "%s: model.kind: pca needs all cells in memory; set train.data: memory", c->file);
    SCS_REQUIRE(!c->data.n_top_genes || s->checkpoint, SCS_EARG,
                "%s: data.n_top_genes looks at all cells before the first step, which train.data: "
                "stream does not; list the genes in a file (data.genes), or set train.data: memory",
                c->file);
    return SCS_OK;
}

/* Once it is known that cells are normalised. */
static scs_status refuse_median(const scs_session *s)
{
    SCS_REQUIRE(s->config->data.normalize != SCS_NORMALIZE_LOG1P || s->config->data.target_sum > 0,
                SCS_EARG,
                "%s: data.target_sum: median looks at all cells before the first step, which "
                "train.data: stream does not; set a number, or train.data: memory",
                s->config->file);
    return SCS_OK;
}

/* A window that is worked on and one that is read ahead, over all ranks together. Local, alike on
 * all ranks. */
static scs_status refuse_large(const scs_session *s)
{
    int64_t limit = s->config->data.memory_per_rank, window = s->config->train.window;
    int64_t cells = window < s->dataset->n_cell ? window : s->dataset->n_cell;
    double cell = 2 * 4 * s->stream.words / (1 << 20), all = (double)cells * cell;
    int32_t n_rank = s->team.n_rank;

    SCS_REQUIRE(limit == 0 || all <= (double)(limit * n_rank), SCS_EARG,
                "data.memory_per_rank: two windows of %lld cells take about %.1f MiB, for which "
                "%d x %lld MiB have no room; set train.window to at most %lld, or start %lld ranks",
                (long long)cells, all, n_rank, (long long)limit,
                (long long)((double)(limit * n_rank) / cell), (long long)(all / (double)limit) + 1);
    return SCS_OK;
}

/* The shards' cells without their rows. Local. */
static scs_status make_empty_shards(scs_session *s)
{
    const scs_deal *deal = s->deal;

    SCS_TRY(SCS_ALLOC(s->shard, s->team.last - s->team.first));
    for (int32_t v = s->team.first; v < s->team.last; v++) {
        int64_t rows = deal->first[v + 1] - deal->first[v];

        s->shard[v - s->team.first] =
            (scs_shard){.id = v,
                        .n_train = deal->n_train[v],
                        .n_valid = deal->n_valid[v],
                        .n_held_out = rows - deal->n_train[v] - deal->n_valid[v],
                        .cell = deal->cell + deal->first[v],
                        .x = {.n_row = rows, .n_col = s->dataset->n_gene}};
    }
    return SCS_OK;
}

/* All values have been read: they are judged as those of cells in memory are. What the first ones
 * looked like has decided what was done with all. Local, alike on all ranks. */
static scs_status settle_all(scs_session *s, const scs_scale *scale)
{
    int done = s->config->data.normalize;
    char found[200];

    free(s->dataset->values);
    s->dataset->values = NULL;
    s->config->data.normalize = s->asked_normalize;
    SCS_TRY(settle(s, scale));
    SCS_REQUIRE(s->config->data.normalize == done, SCS_EDATA,
                "%s: data.normalize: auto took %s from the cells that it looked at first, but all "
                "of them together hold %s; set data.normalize to log1p or none",
                s->meta[0]->path, done == SCS_NORMALIZE_LOG1P ? "log1p" : "none",
                scs_scale_describe(&scale[0], s->meta[0]->n_var, found, sizeof found));
    return SCS_OK;
}

/* Hook of the stream: what is known only now, is said now. Collective. */
static scs_status complete(void *ctx, const scs_scale *scale, int64_t n_value)
{
    scs_session *s = ctx;
    bool hashed = s->input_checksum[0] != NULL;
    scs_lidx said = s->dataset->notes.n;

    SCS_TRY(scs_comm_agree(s->comm, settle_all(s, scale)));
    s->n_value = n_value;
    if (!hashed)
        SCS_TRY(finish_reading(s, NULL));
    for (scs_lidx i = said; i < s->dataset->notes.n; i++)
        scs_session_say(s, "  note: %s", s->dataset->notes.name[i]);
    return scs_collective_ok();
}

/* Whether the inputs need not be hashed before the first step: a run that begins, or goes on from a
 * state that was saved before they were. */
static bool hashes_later(const scs_session *s)
{
    return s->config->model.kind == SCS_MODEL_VAE && !s->checkpoint &&
           (!s->state || scs_session_is_quick(s->state->data));
}

/* What to do with the values, from some of them; small inputs are looked at as a whole, and settled
 * at once. Collective. */
static scs_status look(scs_session *s)
{
    scs_scale *scale = NULL;
    bool all = false;
    scs_status st;

    s->asked_normalize = s->config->data.normalize;
    SCS_GO(st, scs_comm_agree(s->comm, SCS_ALLOC(scale, s->dataset->n_input)));
    SCS_GO(st, scs_cell_stream_look(&s->stream, scale, &all));
    SCS_GO(st, scs_comm_agree(s->comm,
                              all ? settle(s, scale)
                                  : scs_scale_foresee(s->config, metas(s), scale, s->dataset)));
    s->stream.judged = all;
    s->n_value = all ? s->stream.n_value : 0;
    SCS_GO(st, scs_comm_agree(s->comm, refuse_median(s)));
    if (s->config->data.normalize == SCS_NORMALIZE_LOG1P)
        s->scaled_to = s->stream.target = s->config->data.target_sum;
    if (all || !hashes_later(s))
        SCS_GO(st, finish_reading(s, NULL));
done:
    free(scale);
    return st;
}

/* Labels, and some values: whatever the size of the inputs. */
static scs_status open_stream(scs_session *s)
{
    s->streams = true;
    SCS_TRY(scs_comm_agree(s->comm, refuse_whole(s)));
    SCS_TRY(prepare_dataset(s));
    SCS_TRY(scs_comm_agree(s->comm, scs_session_make_deal(s)));
    SCS_TRY(scs_comm_agree(s->comm, make_empty_shards(s)));
    s->stream = (scs_cell_stream){.comm = s->comm,
                                  .dataset = s->dataset,
                                  .deal = s->deal,
                                  .team = &s->team,
                                  .shard = s->shard,
                                  .seed = s->config->train.seed,
                                  .ctx = s,
                                  .complete = complete};
    SCS_TRY(scs_cell_stream_open(&s->stream, metas(s), s->config->train.window));
    SCS_TRY(scs_comm_agree(s->comm, refuse_large(s)));
    SCS_TRY(look(s));
    if (scs_session_leads(s) && !s->cli->quiet)
        scs_dataset_describe(s->dataset, stderr);
    return scs_collective_ok();
}

bool scs_session_is_quick(const char *checksum)
{
    return strncmp(checksum, QUICK, sizeof QUICK - 1) == 0;
}

scs_status scs_session_data_checksum(const scs_session *s, char *out)
{
    int32_t n = s->config->data.n_input;
    char **quick = NULL, sum[SCS_CHECKSUM_MAX];
    scs_status st;

    if (n == 0 || s->input_checksum[0])
        return scs_dataset_checksum(s->dataset, metas(s), s->input_checksum, out);
    SCS_GO(st, SCS_ALLOC(quick, n));
    for (int32_t i = 0; i < n; i++) {
        SCS_GO(st, scs_input_checksum_quick(s->config->data.inputs[i].path, sum));
        SCS_GO(st, scs_text_copy(sum, &quick[i]));
    }
    SCS_GO(st, scs_dataset_checksum(s->dataset, metas(s), quick, sum));
    snprintf(out, SCS_CHECKSUM_MAX, "%s%.*s", QUICK, (int)(SCS_CHECKSUM_MAX - sizeof QUICK), sum);
done:
    for (int32_t i = 0; quick && i < n; i++)
        free(quick[i]);
    free(quick);
    return st;
}

/* Rows go to their shards while they are read, so that none is held twice. */
scs_status scs_session_load_data(scs_session *session)
{
    scs_comm *comm = session->comm;
    double *total = NULL;
    scs_scale *scale = NULL;
    scs_cell_part *part = NULL;
    int32_t n_local;
    scs_status status;

    if (session->config->train.data == SCS_TRAIN_STREAM)
        return open_stream(session);
    SCS_TRY(prepare_dataset(session));
    SCS_TRY(scs_comm_agree(comm, scs_session_make_deal(session)));
    n_local = session->team.last - session->team.first;
    SCS_GO(status, scs_comm_agree(comm, SCS_ALLOC(scale, session->dataset->n_input)));
    SCS_GO(status,
           scs_read_cells_to_shards(comm, session->dataset, metas(session), session->deal,
                                    &session->team, session->config->data.memory_per_rank << 20,
                                    &session->shard, &total, scale));
    SCS_GO(status, scs_comm_agree(comm, SCS_ALLOC(part, n_local)));
    for (int32_t i = 0; i < n_local; i++)
        part[i] = (scs_cell_part){.x = &session->shard[i].x, .cell = session->shard[i].cell};
    SCS_GO(status, finish_values(session, scale, part, n_local, total));
    if (scs_session_leads(session) && !session->cli->quiet)
        scs_dataset_describe(session->dataset, stderr);
done:
    free(part);
    free(scale);
    free(total);
    return status;
}

/* Rank 0 of the session's communicator: of all ranks, or of one model's group. */
bool scs_session_leads(const scs_session *session)
{
    return scs_comm_rank(session->comm) == 0;
}

/* One line, so that lines of several jobs in one log stay whole. */
void scs_session_say(const scs_session *session, const char *format, ...)
{
    va_list args;

    if (!scs_session_leads(session) || session->cli->quiet)
        return;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* Cut nothing off: a path that does not fit is an error. */
scs_status scs_session_path(const scs_session *session, const char *name, char *out, size_t size)
{
    int length = snprintf(out, size, "%s/%s", session->config->output.dir, name);

    SCS_REQUIRE(length > 0 && (size_t)length < size, SCS_EARG,
                "output.dir is longer than %zu bytes", size);
    return SCS_OK;
}

/* The map of what is done goes first: without it the rows are nothing. */
scs_status scs_session_remove_rows(const scs_session *session)
{
    char path[4096];

    SCS_TRY(scs_session_path(session, SCS_SCREEN_DONE, path, sizeof path));
    SCS_TRY(scs_file_remove(path));
    SCS_TRY(scs_session_path(session, SCS_SCREEN_PART, path, sizeof path));
    return scs_file_remove(path);
}

/* A packed struct that begins with its size; size 0 leaves *block NULL. Borrowed from the blob. */
static scs_status take_block(scs_bytes *blob, const uint8_t **block, int64_t *size)
{
    *block = NULL;
    SCS_TRY(scs_bytes_get_int(blob, size));
    SCS_REQUIRE(*size >= 0 && *size <= blob->size - blob->at, SCS_EINTERNAL,
                "a block of the preflight is cut short");
    if (*size)
        *block = blob->data + blob->at;
    blob->at += *size;
    return SCS_OK;
}

/* In the order in which preflight.c has put them. Local. */
static scs_status unpack(scs_session *session, scs_bytes *blob)
{
    const scs_cli *cli = session->cli;
    const uint8_t *block;
    char *text = NULL;
    int64_t size;
    int32_t n;
    scs_status status;

    SCS_TRY(scs_bytes_get_text(blob, &text));
    status = scs_config_parse_sent(cli->verb->two_files ? "" : cli->file, text, cli->sets,
                                   cli->n_set, &session->config);
    free(text);
    SCS_TRY(status);
    SCS_TRY(scs_path_get(blob, session->config));
    SCS_TRY(scs_inputs_get(blob, session->config));
    n = session->config->data.n_input;
    SCS_TRY(SCS_ALLOC(session->meta, n));
    SCS_TRY(SCS_ALLOC(session->input_checksum, n));
    for (int32_t i = 0; i < n; i++) {
        SCS_TRY(take_block(blob, &block, &size));
        if (block)
            SCS_TRY(scs_h5ad_unpack(block, size, &session->meta[i]));
    }
    SCS_TRY(scs_bytes_get_names(blob, &session->notes));
    SCS_TRY(take_block(blob, &block, &size));
    if (block)
        SCS_TRY(scs_checkpoint_unpack(block, size, &session->checkpoint));
    if (session->checkpoint && session->config->data.other_data)
        session->checkpoint->has_atlas = false; /* of other cells: it is made anew */
    SCS_TRY(take_block(blob, &block, &size));
    if (block)
        SCS_TRY(scs_state_unpack(block, size, &session->state));
    if (cli->verb->needs & SCS_NEED_CELL_NAMES)
        SCS_TRY(SCS_ALLOC(session->cell_names, n));
    for (int32_t i = 0; session->cell_names && i < n; i++) {
        SCS_TRY(scs_bytes_get_names(blob, &session->cell_names[i]));
        scs_filter_names(session->meta[i], &session->cell_names[i]);
    }
    if ((cli->verb->needs & SCS_NEED_FROM) && *session->config->predict.from) {
        SCS_TRY(take_block(blob, &block, &size));
        SCS_TRY(scs_h5ad_unpack(block, size, &session->from));
        SCS_TRY(scs_bytes_get_names(blob, &session->from_names));
    }
    if (cli->verb->needs & SCS_NEED_LATENT)
        SCS_TRY(scs_latent_file_get(blob, &session->latent));
    return SCS_OK;
}

/* How the reading went, on rank 0; SCS_OK elsewhere. Where the launcher numbers ranks otherwise
 * than MPI, rank 0 was not the process that read: then it reads now, after MPI_Init. */
static scs_status preflight_status(const scs_session *session, scs_preflight *preflight)
{
    if (!scs_session_leads(session))
        return SCS_OK;
    if (!preflight->prepared)
        scs_preflight_prepare(preflight, session->cli);
    if (preflight->status != SCS_OK)
        scs_message_set(preflight->message);
    return preflight->status;
}

/* Take over what rank 0 has read. Collective. */
static scs_status session_open(scs_session *session, const scs_cli *cli, scs_comm *comm,
                               scs_preflight *preflight)
{
    scs_bytes *blob = &preflight->blob;

    *session =
        (scs_session){.cli = cli, .comm = comm, .opened = scs_clock(), .preflight = preflight};
    SCS_TRY(scs_comm_agree(comm, preflight_status(session, preflight)));
    SCS_TRY(scs_comm_broadcast_blob(comm, &blob->data, &blob->size));
    blob->capacity = blob->size;
    blob->at = 0;
    SCS_TRY(scs_comm_agree(comm, unpack(session, blob)));
    scs_bytes_clear(blob); /* all of it has been copied: labels of cells above all */
    scs_comm_set_deadline(comm, session->config->output.deadline);
    return SCS_OK;
}

/* Backwards, from z to the deal; dataset and metadata stay. */
void scs_session_forget(scs_session *session)
{
    int32_t n_local = session->team.last - session->team.first;

    for (int32_t i = 0; session->z && i < n_local; i++)
        free(session->z[i]);
    free(session->z);
    session->z = NULL;
    scs_mixed_atlas_destroy(&session->mixed);
    free(session->chosen);
    session->chosen = NULL;
    free(session->correction);
    session->correction = NULL;
    scs_atlas_destroy(&session->atlas);
    scs_model_destroy(&session->model);
    scs_pca_destroy(&session->pca);
    scs_redistribute_clear(&session->shard, n_local);
    scs_shard_deal_destroy(&session->deal);
}

/* Whatever is there, from any step on: a failed opening leaves the rest NULL. The communicator and
 * the preflight are the caller's. */
static void session_close(scs_session *session)
{
    int32_t n_input = session->config ? session->config->data.n_input : 0;

    scs_cell_stream_close(&session->stream);
    scs_session_forget(session);
    scs_dataset_destroy(&session->dataset);
    scs_checkpoint_destroy(&session->checkpoint);
    scs_state_destroy(&session->state);
    for (int32_t i = 0; i < n_input; i++) {
        if (session->meta)
            scs_h5ad_destroy(&session->meta[i]);
        if (session->input_checksum)
            free(session->input_checksum[i]);
        if (session->cell_names)
            scs_names_clear(&session->cell_names[i]);
    }
    scs_names_clear(&session->notes);
    free(session->meta);
    free(session->input_checksum);
    free(session->cell_names);
    scs_h5ad_destroy(&session->from);
    scs_names_clear(&session->from_names);
    scs_latent_file_clear(&session->latent);
    scs_config_destroy(&session->config);
}

/* The verb sees a session that is complete up to its deadline; closing cannot fail. */
scs_status scs_session_run(const scs_cli *cli, scs_comm *comm, scs_preflight *preflight)
{
    scs_session session;
    scs_status status;

    status = session_open(&session, cli, comm, preflight);
    if (status == SCS_OK)
        status = cli->verb->run(&session);
    session_close(&session);
    return status;
}
