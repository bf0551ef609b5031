/* pca: principal components of all cells, as scanpy keeps them: obsm/X_pca, varm/PCs, uns/pca.
 *
 *  Principal components are those of all cells, whatever hold_out says: this is a look at the data,
 *  not a model that is tested on them. Components are the same on every rank (mpi/pca). */
#include "mpi/app/verbs.h"
#include "mpi/comm/collectives.h"
#include "mpi/job/cell_table.h"
#include "mpi/pca/pca_fit.h"
#include "src/config/profile.h"
#include "src/hdf5/h5write.h"

#include <stdlib.h>

typedef struct analysis {
    scs_session *session;
    int64_t first; /* this rank's cells are [first, first + x.n_row) */
    scs_packed x;  /* their expression */
    scs_pca *pca;  /* alike on all ranks */
    scs_real *z;   /* [x.n_row, n_component] */
} analysis;

/* Shares of the total variance. */
static scs_status write_ratio(hid_t file, const scs_pca *p)
{
    int64_t n = p->n_component;
    double *ratio;
    scs_status st;

    SCS_TRY(SCS_ALLOC(ratio, n));
    for (int64_t i = 0; i < n; i++)
        ratio[i] = p->variance[i] / p->total_variance;
    st = scs_h5_array(file, "uns/pca/variance_ratio", H5T_NATIVE_DOUBLE, 1, &n, ratio);
    free(ratio);
    return st;
}

/* All but the cells' scores. */
static scs_status write_components(hid_t file, void *ctx)
{
    const scs_pca *p = ctx;
    int64_t n = p->n_component, genes = p->n_gene, loading[] = {genes, n};

    SCS_TRY(scs_h5_array(file, "varm/PCs", H5T_NATIVE_DOUBLE, 2, loading, p->loading));
    SCS_TRY(scs_h5_dict(file, "uns/pca"));
    SCS_TRY(scs_h5_array(file, "uns/pca/variance", H5T_NATIVE_DOUBLE, 1, &n, p->variance));
    SCS_TRY(scs_h5_array(file, "uns/pca/mean", H5T_NATIVE_DOUBLE, 1, &genes, p->center));
    return write_ratio(file, p);
}

/* Scores of this rank's cells. Local. */
static scs_status encode(analysis *a)
{
    SCS_TRY(SCS_ALLOC(a->z, a->x.n_row * a->pca->n_component));
    return scs_pca_encode(a->pca, &a->x, 0, a->x.n_row, a->z);
}

/* Collective. */
static scs_status write_file(const analysis *a)
{
    scs_cell_rows mine = {.n = a->x.n_row, .first = a->first, .rows = a->z};

    return scs_cell_table_write(&(scs_cell_table){.session = a->session,
                                                  .file = SCS_PCA_FILE,
                                                  .n_row = a->session->dataset->n_cell,
                                                  .genes = &a->session->dataset->genes,
                                                  .matrix = {{"obsm/X_pca", a->pca->n_component}},
                                                  .n_part = 1,
                                                  .part = &mine,
                                                  .more = write_components,
                                                  .ctx = a->pca});
}

/* Collective. */
static scs_status analyse(analysis *a)
{
    scs_session *s = a->session;
    scs_cells cells = {.x = &a->x};

    SCS_TRY(scs_session_read(s, &a->first, &a->x));
    if (scs_session_leads(s) && !s->cli->quiet)
        scs_dataset_describe(s->dataset, stderr);
    cells.n = a->x.n_row;
    SCS_TRY(scs_pca_fit(s->comm, &cells, 1, s->dataset->n_gene, scs_profile_components(s->config),
                        &a->pca));
    SCS_TRY(scs_comm_agree(s->comm, encode(a)));
    scs_session_say(s, "%d components of %lld cells hold %.1f %% of the variance",
                    a->pca->n_component, (long long)a->pca->n_cell, 100 * scs_pca_share(a->pca));
    return write_file(a);
}

/* The session has no deal and no shards here: cells stay where they were read. Collective. */
static scs_status run(scs_session *session)
{
    analysis a = {.session = session};
    scs_status st = analyse(&a);

    free(a.z);
    scs_packed_clear(&a.x);
    scs_pca_destroy(&a.pca);
    return st;
}

const scs_verb scs_verb_pca = {
    .name = "pca",
    .argument = "CONFIG.yaml",
    .summary = "principal components of all cells",
    .details = "As scanpy's, to 1e-10 of each variance; of up to 1000 genes by ScaLAPACK. "
               "Writes\n"
               "output.dir/pca.h5ad: obsm/X_pca, varm/PCs, uns/pca with variance, "
               "variance_ratio and mean.\n"
               "model.latent: how many components. hold_out is not used.",
    .needs = SCS_NEED_INPUTS | SCS_NEED_OUTPUT | SCS_NEED_SIMULATED | SCS_NEED_CELL_NAMES,
    .run = run,
};
