/* interpolate: points on the straight line in latent space between the means of two groups of
 * cells, decoded: how expression goes from one to the other, by the model. As scGen 1.x's
 * linear_interpolation, but between means of posterior means. */
#include "mpi/app/verbs.h"
#include "mpi/comm/collectives.h"
#include "mpi/job/cell_table.h"
#include "mpi/job/decoded.h"
#include "mpi/job/session_model.h"
#include "src/atlas/atlas.h"
#include "src/base/collective.h"
#include "src/hdf5/h5write.h"
#include "src/screen/plan.h"

#include <stdlib.h>

/* What the callbacks of the table need. */
typedef struct line {
    const scs_session *session;
    double *mean; /* [2, n_latent] of the two ends */
    int64_t count[2];
    int64_t n, first; /* points; the first of this rank */
} line;

/* How far point i is from the start, 0 to 1. */
static double share(const line *l, int64_t i)
{
    return (double)i / (double)(l->n - 1);
}

/* Points by number. Rank 0. */
static scs_status write_obs(hid_t file, void *ctx)
{
    const line *l = ctx;
    scs_names index = {0};
    scs_obs_column column = {.name = (char[]){"share"}, .kind = SCS_OBS_NUMBER};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(column.number, l->n));
    for (int64_t i = 0; i < l->n; i++) {
        char number[24];

        snprintf(number, sizeof number, "%lld", (long long)i);
        SCS_GO(st, scs_names_add(&index, number));
        column.number[i] = share(l, i);
    }
    SCS_GO(st, scs_obs_table_write(file, &index, NULL, 0, &column, 1));
done:
    free(column.number);
    scs_names_clear(&index);
    return st;
}

/* Rank 0. */
static scs_status write_facts(hid_t file, void *ctx)
{
    const line *l = ctx;
    const scs_config *config = l->session->config;

    SCS_TRY(scs_cell_table_facts(file, l->session, "points between two groups of cells"));
    SCS_TRY(scs_h5_scalar_text(file, "uns/scscreen/from", config->interpolate.from));
    SCS_TRY(scs_h5_scalar_text(file, "uns/scscreen/to", config->interpolate.to));
    SCS_TRY(scs_h5_scalar_double(file, "uns/scscreen/from_cells", (double)l->count[0]));
    return scs_h5_scalar_double(file, "uns/scscreen/to_cells", (double)l->count[1]);
}

/* Points, and what they decode to. */
static scs_status make(void *ctx, int32_t part, int64_t row, int64_t n, scs_real *const *out)
{
    const line *l = ctx;
    int64_t d = l->session->model->arch.n_latent;

    (void)part;
    for (int64_t i = 0; i < n; i++) {
        double t = share(l, l->first + row + i);

        for (int64_t j = 0; j < d; j++)
            out[1][i * d + j] = (scs_real)((1 - t) * l->mean[j] + t * l->mean[d + j]);
    }
    return scs_decoded_rows(l->session->model, out[1], n, out[0]);
}

/* Cells of the two groups: 0 and 1, others -1. Local, alike on all ranks.
 * @param[out] set [n_cell] malloc'ed  @param[out] l its mean is room for both */
static scs_status find_ends(const scs_session *s, int32_t **set, line *l)
{
    const scs_config *config = s->config;
    int32_t from, to;

    SCS_TRY(SCS_ALLOC(l->mean, 2 * (int64_t)s->model->arch.n_latent));
    SCS_TRY(scs_plan_named_group(s->atlas, config->interpolate.from, "interpolate.from", &from));
    SCS_TRY(scs_plan_named_group(s->atlas, config->interpolate.to, "interpolate.to", &to));
    SCS_REQUIRE(from != to, SCS_EARG, "interpolate.from and interpolate.to are the same cells");
    SCS_TRY(scs_atlas_cell_groups(s->atlas, s->dataset, set));
    for (int64_t c = 0; c < s->dataset->n_cell; c++)
        (*set)[c] = (*set)[c] == from ? 0 : (*set)[c] == to ? 1 : -1;
    return SCS_OK;
}

/* Collective. */
static scs_status write_file(line *l)
{
    const scs_session *s = l->session;
    scs_cell_rows mine = scs_decoded_share(s->comm, l->n);

    l->first = mine.first;
    return scs_cell_table_write(&(scs_cell_table){
        .session = s,
        .file = SCS_INTERPOLATION_FILE,
        .n_row = l->n,
        .genes = &s->dataset->genes,
        .matrix = {{"X", s->model->arch.n_gene}, {"obsm/latent", s->model->arch.n_latent}},
        .n_part = 1,
        .part = &mine,
        .obs = write_obs,
        .more = write_facts,
        .make = make,
        .ctx = l});
}

/* The ends have to be named before anything is read. Local, alike on all ranks. */
static scs_status check_keys(const scs_session *s)
{
    SCS_TRY(scs_decoded_check(s, "interpolate"));
    SCS_REQUIRE(*s->config->interpolate.from && *s->config->interpolate.to, SCS_EARG,
                "%s: interpolate needs two groups of cells: --from SPECIES,TYPE,CONDITION --to "
                "SPECIES,TYPE,CONDITION",
                s->config->file);
    return SCS_OK;
}

/* Collective. */
static scs_status run(scs_session *s)
{
    line l = {.session = s, .n = s->config->interpolate.steps};
    int32_t *set = NULL;
    scs_status st;

    SCS_TRY(check_keys(s));
    SCS_TRY(scs_session_load_data(s));
    SCS_TRY(scs_session_model_make(s));
    SCS_TRY(scs_session_model_make_atlas(s));
    SCS_GO(st, scs_comm_agree(s->comm, find_ends(s, &set, &l)));
    SCS_GO(st, scs_decoded_means(s, set, 2, l.count, l.mean));
    scs_session_say(s, "%lld points from the mean of %lld cells to that of %lld", (long long)l.n,
                    (long long)l.count[0], (long long)l.count[1]);
    SCS_GO(st, write_file(&l));
done:
    free(set);
    free(l.mean);
    return st;
}

const scs_verb scs_verb_interpolate = {
    .name = "interpolate",
    .argument = "CONFIG.yaml",
    .has_section = true,
    .summary = "expression between two groups of cells",
    .details =
        "Writes output.dir/interpolation.h5ad: --steps points (10) in latent space, from the mean\n"
        "of the cells --from SPECIES,TYPE,CONDITION[,DOSE] to that of --to, both ends included:\n"
        "X, what they decode to, obsm/latent, and obs/share, 0 to 1. SPECIES is `all` where there\n"
        "is one. Reads output.dir/model.h5 (or model.load).",
    .needs = SCS_NEED_INPUTS | SCS_NEED_MODEL | SCS_NEED_OUTPUT,
    .run = run,
};
