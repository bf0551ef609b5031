/* check: read everything that a run would read, and say what it is; nothing is written. A config is
 * read on all ranks, by the same functions as a run, so that what check accepts a run accepts; a
 * single file of cells on one process, without MPI.
 *
 * A config's cost is measured, not reckoned: some steps of training, the whole atlas, some rows and
 * permutations of the screen are made, timed and thrown away (check.trial), on the ranks and cells
 * of the run to come. Memory is the most that the ranks have held by then. */
#include "mpi/app/verbs.h"
#include "mpi/job/session_model.h"
#include "mpi/screen/screen_run.h"
#include "mpi/train/train_run.h"
#include "src/base/clock.h"
#include "src/base/collective.h"
#include "src/base/file.h"
#include "src/data/h5ad_matrix.h"
#include "src/base/names.h"
#include "src/base/text.h"
#include "src/data/h5ad.h"
#include "src/data/scale.h"
#include "src/data/tenx_mtx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* @param name n characters */
static bool ends_as_data(const char *name, size_t n)
{
    /* also the formats that are none of ours: the reader says what they are and what to do */
    static const char *const endings[] = {".h5ad",     ".h5",  ".hdf5", ".h5mu", ".loom", ".zarr",
                                          ".h5seurat", ".mtx", ".gz",   ".zip",  ".rds"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t m = strlen(endings[i]);

        if (n > m && strncasecmp(name + n - m, endings[i], m) == 0)
            return true;
    }
    return false;
}

/* By its name, or that before the part (x.h5mu:prot): a file of cells, not a config. */
static bool is_file(const scs_cli *cli)
{
    const char *part = NULL;
    char *file = NULL;
    bool found = cli->file && scs_file_split_part(cli->file, &file, &part) == SCS_OK;
    size_t n = found ? strlen(file) : 0;

    while (n > 0 && file[n - 1] == '/') /* x.zarr/ */
        n--;
    found = found && (ends_as_data(file, n) || scs_tenx_mtx_is(cli->file));
    free(file);
    return found;
}

/* Every value is read, a block of cells at a time, so that damage and NaN show now. Memory: a block
 * (scs_h5ad_matrix_block_rows), whatever the file's size. SCS_EDATA. @param[out] sum of all values
 */
static scs_status read_all(const scs_h5ad *meta, scs_scale *scale, double *sum)
{
    const int64_t block = scs_h5ad_matrix_block_rows(meta);
    scs_h5ad_reader *reader;
    scs_status st = SCS_OK;

    scs_scale_clear(scale);
    *sum = 0;
    SCS_TRY(scs_h5ad_matrix_open(meta, &reader));
    for (int64_t row = 0; row < meta->n_obs; row += block) {
        int64_t last = row + block < meta->n_obs ? row + block : meta->n_obs;
        scs_csr *x;

        SCS_GO(st, scs_h5ad_matrix_rows(reader, row, last, &x));
        scs_scale_add(scale, x, row, meta->n_obs);
        for (int64_t k = 0; k < x->indptr[x->n_row]; k++)
            *sum += (double)x->values[k];
    }
done:
    scs_h5ad_matrix_close(&reader);
    return st;
}

/* What auto would make of them. */
static const char *what_to_set(scs_scale_kind kind)
{
    switch (kind) {
    case SCS_SCALE_COUNTS:
    case SCS_SCALE_BINARY:
    case SCS_SCALE_LINEAR:
        return "data.normalize: auto or log1p";
    case SCS_SCALE_LOGGED:
        return "data.normalize: auto or none";
    case SCS_SCALE_UNCLEAR:
        return "set data.normalize to log1p if they are counts, to none if they are logged";
    default:
        return "a run refuses them";
    }
}

/* What the stored values look like, and what to set for them. */
static void print_values(const scs_h5ad *meta, const scs_scale *scale, double sum)
{
    char found[400], list[400];

    if (scale->sum[SCS_SCALE_VALUES])
        printf("  %-8s %g to %g beside 0, sum %.6g\n  %-8s %s; %s\n", "values",
               -scale->most[SCS_SCALE_SMALLEST], scale->most[SCS_SCALE_LARGEST], sum, "",
               scs_scale_describe(scale, meta->n_var, found, sizeof found),
               what_to_set(scs_scale_judge(scale, meta->n_var)));
    else
        printf("  %-8s none above 0%s%s\n", "values", meta->filled.n ? "; these hold some: " : "",
               meta->filled.n ? scs_names_list(&meta->filled, 10, list, sizeof list) : "");
}

/* Genes that stand there twice: a file is read with them, a run refuses it. */
static scs_status print_doubled_genes(const scs_names *genes)
{
    char list[512];
    scs_names doubled = {0};
    scs_index index;
    scs_status st;

    SCS_TRY(scs_names_index_create(genes, &index));
    st = SCS_OK;
    for (scs_lidx i = 1; st == SCS_OK && i < genes->n; i++) {
        const char *name = genes->name[index.order[i]];

        if (strcmp(genes->name[index.order[i - 1]], name) == 0 &&
            (doubled.n == 0 || strcmp(doubled.name[doubled.n - 1], name) != 0))
            st = scs_names_add(&doubled, name);
    }
    if (st == SCS_OK && doubled.n > 0)
        printf("  %-8s genes stand there more than once, which a run refuses: %s; "
               "data.duplicate_genes: sum or unique takes them\n",
               "note", scs_names_list(&doubled, 6, list, sizeof list));
    scs_names_clear(&doubled);
    scs_names_index_clear(&index);
    return st;
}

/* Who reads it here need not be able to elsewhere. @param head what the line begins with */
static void print_plugin(const char *head, const scs_h5ad *meta)
{
    if (meta->plugin)
        printf(
            "%s compressed by %s, which is read here; anndata and what else reads it by h5py "
            "needs `import hdf5plugin` first, or a copy: .write_h5ad(..., compression=\"gzip\")\n",
            head, meta->plugin);
}

/* Names from the file are escaped by scs_names_list. */
static void print_file(const scs_h5ad *meta, const scs_scale *scale, double sum)
{
    static const char *const layouts[] = {[SCS_LAYOUT_CSR] = "csr",
                                          [SCS_LAYOUT_CSC] = "csc",
                                          [SCS_LAYOUT_DENSE] = "dense",
                                          [SCS_LAYOUT_DENSE_BY_GENE] = "dense, genes x cells",
                                          [SCS_LAYOUT_MTX] = "text"};
    double all = (double)meta->n_obs * meta->n_var, n = (double)scale->sum[SCS_SCALE_VALUES];
    char list[1024];

    printf("%s\n", meta->path);
    if (meta->kind != SCS_FILE_H5AD)
        printf("  %-8s %s%s%s\n", "file", scs_h5ad_kind_name(meta->kind), meta->root ? ", " : "",
               meta->root ? meta->root : "");
    printf("  %-8s %s: %lld cells x %d genes, %s, %lld values (%.1f %%)\n", "matrix", meta->matrix,
           (long long)meta->n_obs, meta->n_var, layouts[meta->layout],
           (long long)scale->sum[SCS_SCALE_VALUES], all > 0 ? 100 * n / all : 0.0);
    print_values(meta, scale, sum);
    if (meta->others.n)
        printf("  %-8s %s (data.matrix)\n", "also",
               scs_names_list(&meta->others, 10, list, sizeof list));
    printf("  %-8s %s\n", "genes", scs_names_list(&meta->genes, 6, list, sizeof list));
    printf("  %-8s %s\n", "obs",
           meta->obs_columns.n ? scs_names_list(&meta->obs_columns, 40, list, sizeof list)
                               : "no labels; a table has them (data.labels), or the input's item");
    if (meta->note)
        printf("  %-8s %s\n", "note", scs_text_escape(meta->note, list, sizeof list));
    print_plugin("  note    ", meta);
    if (meta->n_duplicate_obs_names)
        printf("  %-8s %lld cell names stand there more than once\n", "note",
               (long long)meta->n_duplicate_obs_names);
}

/* A file of cells: what it holds, whether or not a run could use it. --set data.matrix and the like
 * apply; labels are listed, not read. Local. */
static scs_status check_file(const scs_cli *cli)
{
    scs_config *config = NULL;
    scs_h5ad *meta = NULL;
    scs_h5ad_request request = {0};
    scs_scale scale;
    double sum;
    scs_status status;

    SCS_GO(status, scs_config_parse("", "", cli->sets, cli->n_set, &config));
    request.matrix = config->data.matrix;
    request.source = config->data.source;
    request.gene_column = config->data.gene_column;
    request.memory = config->data.memory << 20;
    SCS_GO(status, scs_h5ad_probe(cli->file, &request, &meta));
    SCS_GO(status, read_all(meta, &scale, &sum));
    print_file(meta, &scale, sum);
    SCS_GO(status, print_doubled_genes(&meta->genes));
done:
    scs_h5ad_destroy(&meta);
    scs_config_destroy(&config);
    return status;
}

/* Conditions of which each has a column; more are counted, as no screen is so wide. */
enum { MOST_COLUMNS = 32 };

/* One species and cell type: cells of each condition. */
static void print_columns(const scs_atlas *a, int32_t s, int32_t t)
{
    for (int32_t c = 0; c < a->conditions.n; c++) {
        int32_t g = scs_atlas_group(a, s, t, c);
        char cell[24];

        snprintf(cell, sizeof cell, g >= 0 && a->group[g].held_out ? "[%lld]" : "%lld",
                 g < 0 ? 0LL : (long long)a->group[g].count);
        printf(" %12s", cell);
    }
}

/* The same of many conditions: how many have cells, and how many cells. */
static void print_counts(const scs_atlas *a, int32_t s, int32_t t)
{
    int32_t control = scs_atlas_group(a, s, t, a->control);
    long long fewest = 0, most = 0, all = 0, seen = 0, held_out = 0;

    for (int32_t c = 0; c < a->conditions.n; c++) {
        int32_t g = scs_atlas_group(a, s, t, c);
        long long n = g < 0 || c == a->control ? 0 : a->group[g].count;

        if (n == 0)
            continue;
        fewest = seen == 0 || n < fewest ? n : fewest;
        most = n > most ? n : most;
        held_out += a->group[g].held_out;
        all += n;
        seen++;
    }
    printf(" %12lld %12lld %12lld %12lld %12lld %12lld",
           control < 0 ? 0LL : (long long)a->group[control].count, seen, held_out, fewest, most,
           all);
}

/* Cells of every species x cell type (rows) x condition (columns); held-out ones in brackets.
 * Labels come from files and are escaped. */
static void print_groups(const scs_atlas *a)
{
    bool wide = a->conditions.n > MOST_COLUMNS;
    char label[3][64];
    long long cells = 0, groups = 0;

    printf("%-12s %-20s", "species", "cell_type");
    if (wide)
        printf(" %12s %12s %12s %12s %12s %12s", "controls", "conditions", "held out", "fewest",
               "most", "all");
    for (int32_t c = 0; !wide && c < a->conditions.n; c++)
        printf(" %12.12s", scs_text_escape(a->conditions.name[c], label[2], sizeof *label));
    printf("\n");
    for (int32_t s = 0; s < a->species.n; s++)
        for (int32_t t = 0; t < a->cell_types.n; t++) {
            printf("%-12s %-20s", scs_text_escape(a->species.name[s], label[0], sizeof *label),
                   scs_text_escape(a->cell_types.name[t], label[1], sizeof *label));
            (wide ? print_counts : print_columns)(a, s, t);
            printf("\n");
        }
    for (int32_t g = 0; g < a->n_group; g++) {
        cells += a->group[g].count;
        groups += a->group[g].count > 0;
    }
    printf("%s\n%lld cells x %d genes in %lld groups: %d species, %d cell types, %d conditions\n",
           wide ? "the control's cells; the other conditions that are seen, and held out, their "
                  "fewest, most and all cells"
                : "cells of each group; [held out]",
           cells, a->n_gene, groups, a->species.n, a->cell_types.n, a->conditions.n);
}

/* All values are read, if the run has not come so far. Collective. */
static scs_status read_stream(scs_session *s)
{
    scs_feed feed = scs_cell_stream_feed(&s->stream);
    scs_feed_rows *rows = NULL;
    bool more = true;
    scs_status st;

    if (s->n_value > 0 || s->stream.judged)
        return scs_collective_ok();
    SCS_GO(st, scs_comm_agree(s->comm, SCS_ALLOC(rows, s->team.last - s->team.first)));
    SCS_GO(st, feed.begin(feed.ctx, SCS_FEED_VALID, 0, 0));
    while (more)
        SCS_GO(st, feed.next(feed.ctx, rows, &more));
    SCS_GO(st, feed.end(feed.ctx));
done:
    free(rows);
    return st;
}

/* Cells that are streamed: how many are in memory at a time. Collective. */
static scs_status print_stream(scs_session *s)
{
    const scs_windows *w = &s->stream.windows;
    int64_t cells = s->dataset->n_cell / w->n_window + 1;

    SCS_TRY(read_stream(s));
    if (scs_session_leads(s))
        printf("%lld values read and sound; streamed in %d window%s of about %lld cells\n",
               (long long)s->n_value, w->n_window, w->n_window == 1 ? "" : "s", (long long)cells);
    return scs_collective_ok();
}

/* The cells as they are held. Collective. */
static scs_status print_cells(const scs_session *session)
{
    int64_t mine[2] = {0, 0}, all[2] = {0, 0}, most = 0; /* values, and bytes that they take */

    for (int32_t i = 0; i < session->team.last - session->team.first; i++) {
        mine[0] += scs_packed_nnz(&session->shard[i].x);
        mine[1] += scs_packed_bytes(&session->shard[i].x);
    }
    SCS_MPI(MPI_Reduce(mine, all, 2, MPI_INT64_T, MPI_SUM, 0, scs_comm_mpi(session->comm)));
    SCS_MPI(MPI_Reduce(&mine[1], &most, 1, MPI_INT64_T, MPI_MAX, 0, scs_comm_mpi(session->comm)));
    if (scs_session_leads(session))
        printf("%lld values read and sound, %.0f MiB over all ranks, %.0f on the one that has "
               "most\n",
               (long long)all[0], (double)all[1] / 1048576, (double)most / 1048576);
    return scs_collective_ok();
}

/* "3 s", "12 min", "5.2 h". @return out */
static char *duration(double seconds, char *out, size_t size)
{
    if (seconds < 120)
        snprintf(out, size, "%.3g s", seconds);
    else if (seconds < 7200)
        snprintf(out, size, "%.0f min", seconds / 60);
    else
        snprintf(out, size, "%.3g h", seconds / 3600);
    return out;
}

/* What training will take, from some steps of it by the clock; 0 where a single step is all there
 * is. Collective; rank 0 prints. @param[out] total seconds */
static scs_status print_training(scs_session *session, double *total)
{
    int64_t epochs = session->config->train.epochs, tried = 0, steps = 0;
    double seconds;
    char text[32];

    SCS_TRY(scs_train_run_try(session, &seconds, &tried, &steps));
    *total = isfinite(seconds) ? (double)steps * (double)epochs * seconds : 0;
    if (!scs_session_leads(session))
        return SCS_OK;
    scs_train_run_note_batch(session);
    if (isfinite(seconds))
        printf("time      %lld steps an epoch; about %s for %lld epochs, at %.3g s a step as "
               "measured on %lld steps just now\n",
               (long long)steps, duration(*total, text, sizeof text), (long long)epochs, seconds,
               (long long)tried);
    return SCS_OK;
}

/* The atlas, made in full, and a screen that is begun. Collective. @param[out] atlas seconds */
static scs_status try_screen(scs_session *session, double *atlas, scs_screen_cost *cost)
{
    double begun = scs_clock();

    if (!session->model)
        SCS_TRY(scs_session_model_make(session));
    SCS_TRY(scs_session_model_make_atlas(session));
    *atlas = scs_clock() - begun;
    return scs_screen_run_try(session, cost);
}

/* What comes after training. Without a word on the way: it would be of a model that has hardly
 * learnt. Collective. @param[out] total seconds */
static scs_status print_screen(scs_session *session, double *total)
{
    const scs_cli *cli = session->cli;
    scs_cli quiet = *cli;
    scs_screen_cost cost;
    double before = 0;
    char text[4][32];
    scs_status status;

    quiet.quiet = true;
    session->cli = &quiet;
    status = try_screen(session, &before, &cost);
    session->cli = cli;
    SCS_TRY(status);
    before += cost.before;
    *total = before + cost.permutations + cost.rows;
    if (scs_session_leads(session))
        printf("time      about %s for the screen: %s before its rows, as measured, %s for "
               "permutations and %s for rows, from some of them just now\n",
               duration(*total, text[0], sizeof *text), duration(before, text[1], sizeof *text),
               duration(cost.permutations, text[2], sizeof *text),
               duration(cost.rows, text[3], sizeof *text));
    return scs_collective_ok();
}

/* By the clock, and by the memory that the ranks have held by then. Loaded weights are not trained,
 * nor are other kinds of models. Collective. @param reading seconds */
static scs_status print_cost(scs_session *session, double reading)
{
    scs_comm *comm = session->comm;
    bool trains = session->model && !session->checkpoint;
    double training = 0, screen = 0, memory, most;
    char text[2][32];

    if (trains)
        SCS_TRY(print_training(session, &training));
    SCS_TRY(print_screen(session, &screen));
    SCS_TRY(scs_comm_peak_memory(comm, &memory, &most));
    if (!scs_session_leads(session))
        return SCS_OK;
    printf("time      about %s in all, %s of it for reading, as just now; without%s writing files\n"
           "memory    %.0f MiB a rank on %d ranks, on average, %.0f on the one that has held most, "
           "up to here: %srows of the screen included\n",
           duration(reading + training + screen, text[0], sizeof *text),
           duration(reading, text[1], sizeof *text),
           trains ? " early stopping, validation of the training and" : "",
           memory / scs_comm_size(comm), scs_comm_size(comm), most,
           trains ? "steps of training and " : "");
    return SCS_OK;
}

/* Of each input, where there is something to say of how it is compressed. */
static void print_plugins(const scs_session *s)
{
    for (int32_t i = 0; i < s->config->data.n_input; i++) {
        char head[600], path[560];

        snprintf(head, sizeof head,
                 "note: %s:", scs_text_escape(s->config->data.inputs[i].path, path, sizeof path));
        print_plugin(head, s->meta[i]);
    }
}

/* Inputs that a run makes first: preflight has found the config to be one of a simulation, and sent
 * no metadata. */
static bool is_simulated_later(const scs_session *session)
{
    return session->config->data.n_input > 0 && !session->meta[0];
}

/* What a run does before it trains, and what can be told of the rest. Collective; rank 0 prints. */
static scs_status check(scs_session *session)
{
    scs_atlas *groups = NULL;
    double reading;

    if (is_simulated_later(session)) {
        if (scs_session_leads(session))
            printf("%s is sound; its inputs are not made yet: scscreen simulate %s makes them, as "
                   "`run` does, and then check tells of cells, rows, time and memory\n",
                   session->config->file, session->config->file);
        return scs_collective_ok();
    }
    SCS_TRY(scs_verb_run_prepare(session));
    reading = scs_clock() - session->opened;
    SCS_TRY(scs_comm_agree(session->comm, scs_atlas_create(session->dataset, 1, &groups)));
    if (scs_session_leads(session)) {
        print_plugins(session);
        print_groups(groups);
    }
    scs_atlas_destroy(&groups);
    SCS_TRY(scs_screen_run_foresee(session));
    SCS_TRY(session->streams ? print_stream(session) : print_cells(session));
    return session->config->check.trial ? print_cost(session, reading) : scs_collective_ok();
}

const scs_verb scs_verb_check = {
    .name = "check",
    .argument = "CONFIG.yaml|FILE.h5ad",
    .summary = "read everything a run would read, and say what it is",
    .details = "With a config: reads all inputs on all ranks, joins genes, applies hold_out, "
               "and prints\n"
               "cells, groups, what would be dropped and which rows have no prediction. Whatever "
               "`run` would\n"
               "refuse before it trains is refused here, in the same words. Some seconds of "
               "training and of\n"
               "the screen say what time and memory a run takes on as many ranks (--set "
               "check.trial=false:\n"
               "not). With a file: "
               "says what the file "
               "holds. Takes\n"
               "--set data.matrix=raw and the like. Nothing is written.",
    .serial = check_file,
    .is_serial = is_file,
    .needs = SCS_NEED_INPUTS | SCS_NEED_WEIGHTS | SCS_NEED_STATE | SCS_NEED_FORESEEN,
    .run = check,
};
