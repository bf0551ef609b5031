/* integrate: batches are taken out as the public scGen's batch_removal does it. In latent space
 * every batch of a cell type is moved onto the mean of the type's largest batch (the first by name
 * of equally large ones), and all cells are decoded; types of one batch stay where they are.
 *
 *  Two details differ from scGen 2.1.0: obsm/latent is in the order of the cells (there it is in
 *  that of the types), and the decoded cells are encoded as they are, by running statistics (there
 *  as well, once the module is in evaluation mode).
 *
 *  How well it went is measured by silhouettes in latent space, before and after: of cell types
 *  among all cells, and of batches within each cell type. They cost the square of the cells, so at
 *  most SAMPLE cells are compared, chosen by their numbers and the seed. */
#include "mpi/app/verbs.h"
#include "mpi/comm/collectives.h"
#include "mpi/job/cell_table.h"
#include "mpi/job/decoded.h"
#include "mpi/job/session_model.h"
#include "src/base/collective.h"
#include "src/base/random.h"
#include "src/base/text.h"
#include "src/data/h5ad.h"
#include "src/hdf5/h5write.h"
#include "src/score/silhouette.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 5000 };

/* Mean silhouettes of the cells that have one; NaN: none has. */
typedef struct silhouettes {
    double type, batch;
} silhouettes;

/* Everything of a run. Owned but for session and batch. */
typedef struct integration {
    scs_session *session;
    const scs_cell_column *batch;
    int32_t n_set;     /* pairs of a type and a batch that have cells */
    int32_t *set;      /* [n_cell] pair of each cell */
    int32_t *set_type; /* [n_set] ascending; batches ascend within a type */
    int64_t *count;    /* [n_set] */
    double *delta;     /* [n_set, n_latent] how far a pair is moved; means before */
    int32_t n_shared;  /* types of several batches */
    int64_t n_moved;   /* cells */
    int64_t n_sample;
    int64_t *sample; /* [n_sample] cells, ascending */
    silhouettes before, after;
} integration;

/* ---- sets ---- */

/* A cell without one of its labels cannot be placed, and is no cell to pass over in silence. */
static scs_status check_labels(const scs_dataset *d, const int32_t *label, const char *column)
{
    int64_t n = 0, first = -1;

    for (int64_t c = 0; c < d->n_cell; c++)
        if (label[c] < 0) {
            first = first < 0 ? c : first;
            n++;
        }
    SCS_REQUIRE(n == 0, SCS_EDATA,
                "%lld cells have no label in obs column %s, the first is cell %lld of the inputs; "
                "leave them out by data.filter",
                (long long)n, column, (long long)first);
    return SCS_OK;
}

/* Pairs that have cells, by type and then batch. SCS_EDATA: nothing to take out. */
static scs_status make_sets(integration *w)
{
    const scs_dataset *d = w->session->dataset;
    const scs_names *batches = &w->batch->values;
    int64_t n_pair = (int64_t)d->cell_types.n * batches->n;
    int32_t *number = NULL;
    char name[100];
    scs_status st;

    SCS_TRY(check_labels(d, d->cell_type, w->session->config->data.cell_type));
    SCS_TRY(check_labels(d, w->batch->value, w->batch->name));
    SCS_REQUIRE(batches->n > 1, SCS_EDATA,
                "integrate.batch: all cells are of one batch, %s \"%s\": there is nothing to take "
                "out",
                w->batch->name,
                scs_text_escape(batches->n ? batches->name[0] : "", name, sizeof name));
    SCS_GO(st, SCS_ALLOC(number, n_pair));
    SCS_GO(st, SCS_ALLOC(w->set, d->n_cell));
    for (int64_t c = 0; c < d->n_cell; c++)
        number[(int64_t)d->cell_type[c] * batches->n + w->batch->value[c]] = 1;
    for (int64_t p = 0; p < n_pair; p++)
        number[p] = number[p] ? w->n_set++ : -1;
    SCS_GO(st, SCS_ALLOC(w->set_type, w->n_set));
    for (int64_t p = 0; p < n_pair; p++)
        if (number[p] >= 0)
            w->set_type[number[p]] = (int32_t)(p / batches->n);
    for (int64_t c = 0; c < d->n_cell; c++)
        w->set[c] = number[(int64_t)d->cell_type[c] * batches->n + w->batch->value[c]];
    SCS_GO(st, SCS_ALLOC(w->count, w->n_set));
done:
    free(number);
    return st;
}

/* Means become ways to the largest batch of the same type. SCS_EDATA: no type is in two batches. */
static scs_status make_deltas(integration *w)
{
    int64_t d = scs_session_model_n_latent(w->session);

    for (int32_t a = 0, b; a < w->n_set; a = b) {
        int32_t home = a;

        for (b = a + 1; b < w->n_set && w->set_type[b] == w->set_type[a]; b++)
            home = w->count[b] > w->count[home] ? b : home;
        for (int32_t k = a; k < b; k++)
            if (k != home) {
                w->n_moved += w->count[k];
                for (int64_t j = 0; j < d; j++)
                    w->delta[k * d + j] = w->delta[home * d + j] - w->delta[k * d + j];
            }
        for (int64_t j = 0; j < d; j++)
            w->delta[home * d + j] = 0;
        w->n_shared += b > a + 1;
    }
    SCS_REQUIRE(w->n_shared > 0, SCS_EDATA,
                "integrate.batch: no cell type is in two batches of %s: there is nothing to move",
                w->batch->name);
    return SCS_OK;
}

/* z of this rank's cells. Local. */
static void move_cells(integration *w)
{
    scs_session *s = w->session;
    int64_t d = scs_session_model_n_latent(s);

    for (int32_t i = 0; i < s->team.last - s->team.first; i++)
        for (int64_t r = 0; r < s->shard[i].x.n_row; r++) {
            const double *delta = w->delta + w->set[s->shard[i].cell[r]] * d;

            for (int64_t j = 0; j < d; j++)
                s->z[i][r * d + j] = (scs_real)(s->z[i][r * d + j] + delta[j]);
        }
}

/* ---- silhouettes ---- */

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* All cells, or SAMPLE of them. Local, alike on all ranks. */
static scs_status choose_sample(integration *w)
{
    int64_t n = w->session->dataset->n_cell, *cell = NULL, *order = NULL;
    scs_stream stream = {.seed = (uint64_t)w->session->config->train.seed,
                         .purpose = SCS_RANDOM_SILHOUETTE};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(cell, n));
    SCS_GO(st, SCS_ALLOC(order, n));
    for (int64_t c = 0; c < n; c++)
        cell[c] = order[c] = c;
    if (n > SAMPLE)
        SCS_GO(st, scs_random_order_cells(&stream, cell, n, order));
    w->n_sample = n < SAMPLE ? n : SAMPLE;
    SCS_GO(st, SCS_ALLOC(w->sample, w->n_sample));
    memcpy(w->sample, order, (size_t)w->n_sample * sizeof *order);
    qsort(w->sample, (size_t)w->n_sample, sizeof *w->sample, by_number);
done:
    free(cell);
    free(order);
    return st;
}

/* Coordinates of the sample on all ranks: each cell is on one rank, and 0 on the others.
 * Collective. @param z [n_sample, n_latent] zeroed */
static scs_status gather_sample(const integration *w, scs_real *z)
{
    const scs_session *s = w->session;
    int64_t d = scs_session_model_n_latent(s);

    for (int32_t i = 0; i < s->team.last - s->team.first; i++)
        for (int64_t r = 0; r < s->shard[i].x.n_row; r++) {
            const int64_t *at = bsearch(&s->shard[i].cell[r], w->sample, (size_t)w->n_sample,
                                        sizeof *at, by_number);

            if (at)
                memcpy(z + (at - w->sample) * d, s->z[i] + r * d, (size_t)d * sizeof *z);
        }
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, z, (int)(w->n_sample * d),
                          sizeof *z == sizeof(float) ? MPI_FLOAT : MPI_DOUBLE, MPI_SUM,
                          scs_comm_mpi(s->comm)));
    return SCS_OK;
}

static double mean_of(const double *s, int64_t n)
{
    double sum = 0;
    int64_t k = 0;

    for (int64_t i = 0; i < n; i++)
        if (!isnan(s[i])) {
            sum += s[i];
            k++;
        }
    return k ? sum / (double)k : NAN;
}

/* Each rank compares its part of the sample with all of it; the mean is of all, in their order.
 * Collective.
 * @param s [n_sample] scratch  @param first [ranks + 1] bytes of the parts */
static scs_status measure_labels(const integration *w, const scs_real *z, const int32_t *label,
                                 int32_t n_label, const int32_t *within, double *s,
                                 const int64_t *first, double *mean)
{
    scs_comm *comm = w->session->comm;
    int32_t rank = scs_comm_rank(comm);
    int64_t a = first[rank] / (int64_t)sizeof *s, b = first[rank + 1] / (int64_t)sizeof *s;

    SCS_TRY(scs_comm_agree(comm, scs_silhouette_rows(z, w->n_sample,
                                                     scs_session_model_n_latent(w->session), label,
                                                     n_label, within, a, b, s + a)));
    SCS_TRY(scs_comm_allgather(comm, s, first));
    *mean = mean_of(s, w->n_sample);
    return SCS_OK;
}

/* Arrays of a measurement. Owned. */
typedef struct scratch {
    scs_real *z;
    int32_t *type, *batch; /* [n_sample] */
    double *s;
    int64_t *first;
} scratch;

/* Local. */
static scs_status make_scratch(const integration *w, scratch *t)
{
    const scs_dataset *d = w->session->dataset;
    int32_t n_rank = scs_comm_size(w->session->comm);

    SCS_TRY(SCS_ALLOC(t->z, w->n_sample * scs_session_model_n_latent(w->session)));
    SCS_TRY(SCS_ALLOC(t->type, w->n_sample));
    SCS_TRY(SCS_ALLOC(t->batch, w->n_sample));
    SCS_TRY(SCS_ALLOC(t->s, w->n_sample));
    SCS_TRY(SCS_ALLOC(t->first, n_rank + 1));
    for (int64_t i = 0; i < w->n_sample; i++) {
        t->type[i] = d->cell_type[w->sample[i]];
        t->batch[i] = w->batch->value[w->sample[i]];
    }
    for (int32_t r = 0; r <= n_rank; r++)
        t->first[r] = w->n_sample * r / n_rank * (int64_t)sizeof *t->s;
    return SCS_OK;
}

/* Collective. */
static scs_status measure(const integration *w, silhouettes *out)
{
    const scs_dataset *d = w->session->dataset;
    scratch t = {0};
    scs_status st;

    SCS_GO(st, scs_comm_agree(w->session->comm, make_scratch(w, &t)));
    SCS_GO(st, gather_sample(w, t.z));
    SCS_GO(st, measure_labels(w, t.z, t.type, d->cell_types.n, NULL, t.s, t.first, &out->type));
    SCS_GO(st,
           measure_labels(w, t.z, t.batch, w->batch->values.n, t.type, t.s, t.first, &out->batch));
done:
    free(t.z);
    free(t.type);
    free(t.batch);
    free(t.s);
    free(t.first);
    return st;
}

/* What the verb answers, on stdout. */
static void print_silhouettes(const integration *w)
{
    printf("silhouettes of %lld cells in latent space   before    after\n"
           "  cell types                              %8.4f %8.4f   (1: apart, 0: mixed)\n"
           "  batches within cell types               %8.4f %8.4f\n",
           (long long)w->n_sample, w->before.type, w->after.type, w->before.batch, w->after.batch);
    fflush(stdout);
}

/* ---- the file ---- */

/* Names of all cells, of rank 0's tables. */
static scs_status name_cells(const scs_obs_table *obs, int32_t n, scs_names *index)
{
    const scs_names **cells;
    scs_status st;

    SCS_TRY(SCS_ALLOC(cells, n));
    for (int32_t i = 0; i < n; i++)
        cells[i] = &obs[i].index;
    st = scs_cell_table_names(cells, n, index);
    free(cells);
    return st;
}

/* obs as the inputs have it, less the cells that were left out; and the three columns that a run
 * looks at, where they come from elsewhere (a table, a constant, another name). Rank 0. */
static scs_status write_obs(hid_t file, void *ctx)
{
    const integration *w = ctx;
    const scs_session *s = w->session;
    const scs_dataset *d = s->dataset;
    scs_obs_table *obs = s->preflight->obs;
    scs_names index = {0};
    /* borrowed */
    scs_obs_column more[] = {
        {.name = s->config->data.cell_type, .text = d->cell_types, .code = d->cell_type},
        {.name = s->config->data.condition, .text = d->conditions, .code = d->cell_condition},
        {.name = w->batch->name, .text = w->batch->values, .code = w->batch->value},
    };
    scs_status st;

    for (int32_t i = 0; i < d->n_input; i++)
        scs_obs_table_keep(&obs[i], s->meta[i]->keep);
    SCS_GO(st, name_cells(obs, d->n_input, &index));
    SCS_GO(st, scs_obs_table_write(file, &index, obs, d->n_input, more, 3));
done:
    scs_names_clear(&index);
    return st;
}

/* Numbers of what was done. Rank 0. */
static scs_status write_facts(hid_t file, void *ctx)
{
    const integration *w = ctx;
    const struct {
        const char *key;
        double value;
    } fact[] = {
        {"uns/scscreen/cells_moved", (double)w->n_moved},
        {"uns/scscreen/silhouette_cells", (double)w->n_sample},
        {"uns/scscreen/silhouette_cell_type_before", w->before.type},
        {"uns/scscreen/silhouette_cell_type_after", w->after.type},
        {"uns/scscreen/silhouette_batch_before", w->before.batch},
        {"uns/scscreen/silhouette_batch_after", w->after.batch},
    };

    SCS_TRY(scs_cell_table_facts(file, w->session, "cells without batches"));
    SCS_TRY(scs_h5_scalar_text(file, "uns/scscreen/batch", w->batch->name));
    for (size_t i = 0; i < sizeof fact / sizeof *fact; i++)
        SCS_TRY(scs_h5_scalar_double(file, fact[i].key, fact[i].value));
    return SCS_OK;
}

/* Moved cells, decoded, and encoded again. */
static scs_status make(void *ctx, int32_t part, int64_t row, int64_t n, scs_real *const *out)
{
    const integration *w = ctx;
    const scs_model *model = w->session->model;
    int64_t d = model->arch.n_latent;

    memcpy(out[1], w->session->z[part] + row * d, (size_t)(n * d) * sizeof **out);
    SCS_TRY(scs_decoded_rows(model, out[1], n, out[0]));
    return scs_decoded_encode(model, out[0], n, out[2]);
}

/* Collective. */
static scs_status write_file(integration *w)
{
    const scs_session *s = w->session;
    int32_t n = s->team.last - s->team.first;
    int64_t d = scs_session_model_n_latent(s);
    scs_cell_rows *part;
    scs_status st;

    SCS_TRY(scs_comm_agree(s->comm, SCS_ALLOC(part, n)));
    for (int32_t i = 0; i < n; i++)
        part[i] = (scs_cell_rows){.n = s->shard[i].x.n_row, .cell = s->shard[i].cell};
    st = scs_cell_table_write(&(scs_cell_table){
        .session = s,
        .file = SCS_INTEGRATED_FILE,
        .n_row = s->dataset->n_cell,
        .genes = &s->dataset->genes,
        .matrix = {{"X", s->model->arch.n_gene}, {"obsm/latent", d}, {"obsm/corrected_latent", d}},
        .n_part = n,
        .part = part,
        .obs = write_obs,
        .more = write_facts,
        .make = make,
        .ctx = w});
    free(part);
    return st;
}

/* ---- the run ---- */

/* Local, alike on all ranks. */
static scs_status prepare(integration *w)
{
    w->batch = scs_dataset_column(w->session->dataset, w->session->config->integrate.batch);
    SCS_REQUIRE(w->batch, SCS_EINTERNAL, "the column %s was not read",
                w->session->config->integrate.batch);
    SCS_TRY(make_sets(w));
    return choose_sample(w);
}

/* Collective. */
static scs_status integrate(integration *w)
{
    scs_session *s = w->session;

    SCS_TRY(scs_session_load_data(s));
    SCS_TRY(scs_comm_agree(s->comm, prepare(w)));
    SCS_TRY(scs_session_model_make(s));
    SCS_TRY(scs_session_model_make_atlas(s));
    SCS_TRY(scs_comm_agree(s->comm,
                           SCS_ALLOC(w->delta, w->n_set * (int64_t)scs_session_model_n_latent(s))));
    SCS_TRY(scs_decoded_means(s, w->set, w->n_set, w->count, w->delta));
    SCS_TRY(scs_comm_agree(s->comm, make_deltas(w)));
    SCS_TRY(measure(w, &w->before));
    move_cells(w);
    SCS_TRY(measure(w, &w->after));
    scs_session_say(s, "%d of %d cell types are in several batches of %s; %lld cells are moved",
                    w->n_shared, s->dataset->cell_types.n, w->batch->name, (long long)w->n_moved);
    SCS_TRY(write_file(w));
    if (scs_session_leads(s))
        print_silhouettes(w);
    return scs_collective_ok();
}

/* Collective. */
static scs_status run(scs_session *session)
{
    integration w = {.session = session};
    scs_status st;

    SCS_TRY(scs_decoded_check(session, "integrate"));
    SCS_REQUIRE(*session->config->integrate.batch, SCS_EARG,
                "%s: integrate.batch is not set: name the obs column of the batches, --batch "
                "COLUMN",
                session->config->file);
    st = integrate(&w);
    free(w.set);
    free(w.set_type);
    free(w.count);
    free(w.delta);
    free(w.sample);
    return st;
}

const scs_verb scs_verb_integrate = {
    .name = "integrate",
    .argument = "CONFIG.yaml",
    .has_section = true,
    .summary = "cells without their batches, as scGen removes them",
    .details =
        "Writes output.dir/integrated.h5ad: in latent space every batch (--batch COLUMN of obs) "
        "of\n"
        "a cell type is moved onto the mean of the type's largest one, and all cells are decoded\n"
        "into X, in their order, with all of their obs. obsm/latent: where they were moved to;\n"
        "obsm/corrected_latent: where the encoder puts the decoded cells. Types of one batch stay\n"
        "as they are. Prints silhouettes of cell types and batches, before and after. Reads\n"
        "output.dir/model.h5 (or model.load); --other-data: cells that it was not trained on.",
    .needs = SCS_NEED_INPUTS | SCS_NEED_MODEL | SCS_NEED_OUTPUT | SCS_NEED_OBS,
    .run = run,
};
