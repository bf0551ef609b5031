/* pca: principal components of all cells, as scanpy keeps them: obsm/X_pca, varm/PCs, uns/pca.
 *
 *  Principal components are those of all cells, whatever hold_out says: this is a look at the data,
 *  not a model that is tested on them. Components are the same on every rank (mpi/pca).
 *
 *  Every rank encodes the cells that it has read; rank 0 alone writes, so scores travel to it 4,096
 *  cells at a time, rank after rank, and no rank holds more than its own and one such block. The
 *  file is under its final name only when it is whole (scs_h5_out_commit). */
#include "mpi/app/verbs.h"
#include "mpi/comm/collectives.h"
#include "mpi/pca/pca_fit.h"
#include "src/config/profile.h"
#include "src/hdf5/h5write.h"

#include <stdlib.h>

enum { ROWS = 4096 }; /* cells that rank 0 takes at once */

typedef struct analysis {
    scs_session *session;
    int64_t first;  /* this rank's cells are [first, first + x.n_row) */
    scs_packed x;   /* their expression */
    scs_pca *pca;   /* alike on all ranks */
    scs_real *z;    /* [x.n_row, n_component] */
    scs_h5_out out; /* open on rank 0 */
} analysis;

/* Cells have no names here: they are numbered through the inputs. */
static scs_status write_obs(hid_t file, const scs_dataset *d)
{
    scs_names columns = {0}, index = {0};
    char number[24];
    scs_status st;

    SCS_GO(st, scs_names_add(&columns, "species"));
    SCS_GO(st, scs_names_add(&columns, "cell_type"));
    SCS_GO(st, scs_names_add(&columns, "condition"));
    for (int64_t i = 0; i < d->n_cell; i++) {
        snprintf(number, sizeof number, "%lld", (long long)i);
        SCS_GO(st, scs_names_add(&index, number));
    }
    SCS_GO(st, scs_h5_dataframe(file, "obs", &index, &columns));
    SCS_GO(st, scs_h5_categorical(file, "obs/species", &d->species, d->cell_species, d->n_cell));
    SCS_GO(st, scs_h5_categorical(file, "obs/cell_type", &d->cell_types, d->cell_type, d->n_cell));
    SCS_GO(st,
           scs_h5_categorical(file, "obs/condition", &d->conditions, d->cell_condition, d->n_cell));
done:
    scs_names_clear(&columns);
    scs_names_clear(&index);
    return st;
}

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

/* All but the cells' scores, for which room is reserved: they come later, rank by rank. */
static scs_status write_components(hid_t file, const scs_pca *p, int64_t n_cell)
{
    int64_t n = p->n_component, genes = p->n_gene, loading[] = {genes, n}, cells[] = {n_cell, n};

    SCS_TRY(scs_h5_array(file, "varm/PCs", H5T_NATIVE_DOUBLE, 2, loading, p->loading));
    SCS_TRY(scs_h5_dict(file, "uns/pca"));
    SCS_TRY(scs_h5_array(file, "uns/pca/variance", H5T_NATIVE_DOUBLE, 1, &n, p->variance));
    SCS_TRY(scs_h5_array(file, "uns/pca/mean", H5T_NATIVE_DOUBLE, 1, &genes, p->center));
    SCS_TRY(write_ratio(file, p));
    return scs_h5_reserve_array(file, "obsm/X_pca", H5T_NATIVE_FLOAT, 2, cells);
}

/* On rank 0, under a temporary name. */
static scs_status write_skeleton(analysis *a, const char *path)
{
    const scs_dataset *d = a->session->dataset;
    scs_names none = {0};
    hid_t file;

    SCS_TRY(scs_h5_out_create(path, &a->out));
    file = a->out.file;
    SCS_TRY(scs_h5_anndata(file));
    SCS_TRY(write_obs(file, d));
    SCS_TRY(scs_h5_dataframe(file, "var", &d->genes, &none));
    return write_components(file, a->pca, d->n_cell);
}

/* Cells [at, at + n) of rank `from` into the file. Collective in so far as rank 0 and `from` call
 * it together; the others return. @param rows [ROWS, n_component] on rank 0 */
static scs_status move_rows(analysis *a, int32_t from, int64_t at, int64_t n, int64_t first,
                            scs_real *rows)
{
    scs_comm *comm = a->session->comm;
    int64_t k = a->pca->n_component, bytes = n * k * (int64_t)sizeof *rows;
    bool mine = from == scs_comm_rank(comm), leads = scs_session_leads(a->session);
    scs_real *data = mine ? a->z + at * k : rows;

    if (from != 0 && (mine || leads))
        SCS_TRY(
            scs_comm_send_receive(comm, 0, data, mine ? bytes : 0, from, data, leads ? bytes : 0));
    if (!leads)
        return SCS_OK;
    return scs_h5_write_part(a->out.file, "obsm/X_pca", H5T_NATIVE_FLOAT, first + at, n, data);
}

/* All ranks' cells in turn. A failure to write is reported when all have sent theirs: no rank may
 * wait for a rank 0 that has given up. Collective. */
static scs_status write_cells(analysis *a, scs_real *rows)
{
    int64_t n_rank = scs_comm_size(a->session->comm), n = a->session->dataset->n_cell;
    scs_status failed = SCS_OK;

    for (int64_t r = 0; r < n_rank; r++) {
        int64_t first = n * r / n_rank, last = n * (r + 1) / n_rank;

        for (int64_t at = 0; at < last - first; at += ROWS) {
            int64_t left = last - first - at;
            scs_status st = move_rows(a, (int32_t)r, at, left < ROWS ? left : ROWS, first, rows);

            failed = failed == SCS_OK ? st : failed;
        }
    }
    return scs_comm_agree(a->session->comm, failed);
}

/* Collective. */
static scs_status write_file(analysis *a)
{
    const scs_session *s = a->session;
    bool leads = scs_session_leads(s);
    scs_real *rows = NULL;
    char path[4096];
    scs_status st;

    SCS_GO(st, scs_comm_agree(s->comm, scs_session_path(s, SCS_PCA_FILE, path, sizeof path)));
    SCS_GO(st, scs_comm_agree(s->comm, leads ? write_skeleton(a, path) : SCS_OK));
    SCS_GO(st, scs_comm_agree(s->comm,
                              SCS_ALLOC(rows, leads ? ROWS * (int64_t)a->pca->n_component : 0)));
    SCS_GO(st, write_cells(a, rows));
    SCS_GO(st, scs_comm_agree(s->comm, leads ? scs_h5_out_commit(&a->out) : SCS_OK));
    scs_session_say(s, "wrote %s", path);
done:
    free(rows);
    if (leads && st != SCS_OK)
        scs_h5_out_abandon(&a->out);
    return st;
}

/* Scores of this rank's cells. Local. */
static scs_status encode(analysis *a)
{
    SCS_TRY(SCS_ALLOC(a->z, a->x.n_row * a->pca->n_component));
    return scs_pca_encode(a->pca, &a->x, 0, a->x.n_row, a->z);
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
    analysis a = {.session = session, .out = {.file = H5I_INVALID_HID}};
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
    .details = "Exact, from the genes' covariance, which is spread over the ranks (ScaLAPACK). "
               "Writes\n"
               "output.dir/pca.h5ad: obsm/X_pca, varm/PCs, uns/pca with variance, "
               "variance_ratio and mean.\n"
               "Cells are numbered through data.inputs. model.latent: how many components. "
               "hold_out is\n"
               "not used.",
    .needs = SCS_NEED_INPUTS | SCS_NEED_OUTPUT | SCS_NEED_SIMULATED,
    .run = run,
};
