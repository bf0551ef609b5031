/* Transfers are independent; growing a data set is Collective in HDF5 and changes the file's
 * metadata, which all ranks do alike. Chunks are allocated when a data set grows and never filled.
 *
 * Columns of obs are the inputs' own (data.cell_type, ...), so that predicted and real cells go
 * into one table, and `scscreen score` finds them by the same keys.
 *
 * In the order of the file: the columns, the skeleton by rank 0, opening by all, a round of cells,
 * the end. Whatever can fail on one rank alone is agreed on before the next collective call, and
 * every step that touches the disk runs under the watchdog (mpi/comm/watchdog.h), since a full disk
 * can hang MPI-IO. Memory of the skeleton is NAMES texts at a time, whatever the number of cells.
 */
#include "mpi/cells/cells_file.h"

#include "mpi/cells/cell_values.h"
#include "mpi/comm/watchdog.h"
#include "mpi/job/provenance.h"
#include "mpi/job/session_model.h"
#include "src/base/collective.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/cells/templates.h"
#include "src/data/h5ad.h"
#include "src/hdf5/h5write.h"
#include "scscreen/comm.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Elements of a chunk; names that are made at once. */
enum { CHUNK = 1 << 16, NAMES = 1 << 14 };

/* ---- columns ---- */

/* A column of obs; `wanted` depends on the data alone, so that ranks and runs agree. */
typedef struct column {
    const char *name;
    bool wanted;
} column;

enum { SPECIES, TYPE, PERTURBATION, DOSE, TEMPLATE, DONOR_TYPE, DONOR_SPECIES, LIBRARY, COLUMNS };

/* The inputs need not have every column that the result has. */
static const char *or_default(const char *name, const char *fallback)
{
    return name && *name ? name : fallback;
}

/* The user's own names where the inputs have them: predicted and real cells can then be put into
 * one table. A column that the data do not call for (one species, no doses) is left out. */
static void name_columns(const scs_cells_head *h, column *c)
{
    const scs_config *config = h->session->config;
    bool several = h->session->atlas->species.n > 1;

    c[SPECIES] = (column){or_default(config->data.species, "species"), several};
    c[TYPE] = (column){config->data.cell_type, true};
    c[PERTURBATION] = (column){config->data.condition, true};
    c[DOSE] = (column){or_default(config->data.dose, "dose"), h->session->atlas->doses.n > 0};
    c[TEMPLATE] = (column){"template", true};
    c[DONOR_TYPE] = (column){"donor_type", true};
    c[DONOR_SPECIES] = (column){"donor_species", several};
    c[LIBRARY] = (column){"library_size", true};
}

/* SCS_EARG: the inputs' columns are named as one of the others here. */
static scs_status check_columns(const column *c)
{
    for (int i = 0; i < COLUMNS; i++)
        for (int k = i + 1; k < COLUMNS; k++)
            SCS_REQUIRE(!c[i].wanted || !c[k].wanted || strcmp(c[i].name, c[k].name) != 0, SCS_EARG,
                        "%s: obs would have two columns %s; rename that of the inputs",
                        SCS_CELLS_FILE, c[i].name);
    return SCS_OK;
}

/* "obs/NAME" + member, malloc'ed. */
static scs_status column_path(const column *c, const char *member, char **path)
{
    return scs_file_path_print(path, "obs/%s%s", c->name, member);
}

/* ---- the skeleton, on rank 0 ---- */

/* Which combination's cells [first, first + n) are, as codes of its labels. */
typedef int32_t (*code_of)(const scs_cells_head *head, int64_t row);

static int32_t species_of(const scs_cells_head *h, int64_t row)
{
    return h->plan->item[row].species;
}

static int32_t type_of(const scs_cells_head *h, int64_t row)
{
    return h->plan->item[row].cell_type;
}

/* Each perturbation once, in order of appearance. @param[out] code [plan->n] malloc'ed */
static scs_status list_perturbations(const scs_cells_head *h, scs_names *names, int32_t **code)
{
    const scs_atlas *a = h->session->atlas;

    SCS_TRY(SCS_ALLOC(*code, h->plan->n));
    for (int64_t i = 0; i < h->plan->n; i++)
        SCS_TRY(scs_names_intern(names,
                                 scs_plan_perturbation_label(a, &h->plan->pairs, &h->plan->item[i]),
                                 &(*code)[i]));
    return SCS_OK;
}

/* A number for each cell of a row, alike in all of them. */
static scs_status write_repeated(hid_t file, const scs_cells_head *h, const char *path, hid_t type,
                                 const double *dose, const int32_t *code)
{
    union {
        double number[NAMES];
        int32_t code[NAMES];
    } * part;
    scs_status st = SCS_ALLOC(part, 1);

    for (int64_t row = 0; row < h->plan->n && st == SCS_OK; row++) {
        for (int64_t k = 0; k < NAMES && dose; k++)
            part->number[k] = dose[row];
        for (int64_t k = 0; k < NAMES && code; k++)
            part->code[k] = code[row];
        for (int64_t i = h->first[row]; i < h->first[row + 1] && st == SCS_OK; i += NAMES) {
            int64_t left = h->first[row + 1] - i;

            st = scs_h5_write_part(file, path, type, i, left < NAMES ? left : NAMES, part);
        }
    }
    free(part);
    return st;
}

/* A categorical of all cells, from a code for each row. @param code [plan->n] */
static scs_status write_codes(hid_t file, const scs_cells_head *h, const column *c,
                              const scs_names *names, const int32_t *code)
{
    char *path = NULL;
    scs_status st;

    SCS_TRY(column_path(c, "", &path));
    SCS_GO(st, scs_h5_reserve_categorical(file, path, names, h->first[h->plan->n]));
    free(path);
    path = NULL;
    SCS_GO(st, column_path(c, "/codes", &path));
    SCS_GO(st, write_repeated(file, h, path, H5T_NATIVE_INT32, NULL, code));
done:
    free(path);
    return st;
}

/* Labels of the plan's rows that are codes already. */
static scs_status write_labels(hid_t file, const scs_cells_head *h, const column *c, code_of code,
                               const scs_names *names)
{
    int32_t *codes;
    scs_status st;

    SCS_TRY(SCS_ALLOC(codes, h->plan->n));
    for (int64_t i = 0; i < h->plan->n; i++)
        codes[i] = code(h, i);
    st = write_codes(file, h, c, names, codes);
    free(codes);
    return st;
}

/* A pair's label is none of the atlas', so the categories are made from the rows. */
static scs_status write_perturbations(hid_t file, const scs_cells_head *h, const column *c)
{
    scs_names names = {0};
    int32_t *code = NULL;
    scs_status st;

    SCS_GO(st, list_perturbations(h, &names, &code));
    SCS_GO(st, write_codes(file, h, c, &names, code));
done:
    scs_names_clear(&names);
    free(code);
    return st;
}

/* In the unit of data.dose; a pair has one dose for both. */
static scs_status write_doses(hid_t file, const scs_cells_head *h, const column *c)
{
    int64_t n = h->first[h->plan->n];
    double *dose = NULL;
    char *path = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(dose, h->plan->n));
    for (int64_t i = 0; i < h->plan->n; i++)
        dose[i] = h->plan->item[i].dose;
    SCS_GO(st, column_path(c, "", &path));
    SCS_GO(st, scs_h5_reserve_array(file, path, H5T_NATIVE_DOUBLE, 1, &n));
    SCS_GO(st, write_repeated(file, h, path, H5T_NATIVE_DOUBLE, dose, NULL));
done:
    free(dose);
    free(path);
    return st;
}

/* The name of a control cell. */
static const char *cell_name(const scs_cells_head *h, int64_t cell)
{
    const scs_session *s = h->session;
    int32_t i = 0;

    if (h->own)
        return s->from_names.name[cell];
    while (cell >= s->dataset->first_cell[i + 1])
        i++;
    return s->cell_names[i].name[cell - s->dataset->first_cell[i]];
}

/* The control cells that predicted cells were made from: picked anew here, by the key of the row,
 * rather than kept for all cells of all rows. @param names appended */
static scs_status add_templates(const scs_cells_head *h, const scs_cell_row *row, int64_t first,
                                int64_t n, scs_names *names)
{
    int32_t *control;
    scs_status st;

    SCS_TRY(SCS_ALLOC(control, n));
    SCS_GO(st, scs_templates_pick(row->key, row->control, row->n_control, first, n, control));
    for (int64_t i = 0; i < n; i++)
        SCS_GO(st, scs_names_add(names, cell_name(h, row->control[control[i]])));
done:
    free(control);
    return st;
}

/* Numbers as text, as anndata itself names cells without names. */
static scs_status add_numbers(int64_t first, int64_t n, scs_names *names)
{
    char number[24];

    for (int64_t i = first; i < first + n; i++) {
        snprintf(number, sizeof number, "%lld", (long long)i);
        SCS_TRY(scs_names_add(names, number));
    }
    return SCS_OK;
}

/* Texts of cells [cell, cell + n), which are one row's. */
static scs_status write_texts(hid_t file, const scs_cells_head *h, int64_t row, int64_t cell,
                              int64_t n)
{
    scs_names names = {0};
    scs_status st;

    SCS_GO(st, add_numbers(cell, n, &names));
    SCS_GO(st, scs_h5_write_strings_part(file, "obs/_index", cell, &names));
    scs_names_clear(&names);
    SCS_GO(st, add_templates(h, &h->row[row], cell - h->first[row], n, &names));
    SCS_GO(st, scs_h5_write_strings_part(file, "obs/template", cell, &names));
done:
    scs_names_clear(&names);
    return st;
}

/* Row after row, NAMES cells at a time. */
static scs_status write_all_texts(hid_t file, const scs_cells_head *h)
{
    for (int64_t row = 0; row < h->plan->n; row++)
        for (int64_t i = h->first[row]; i < h->first[row + 1]; i += NAMES) {
            int64_t left = h->first[row + 1] - i;

            SCS_TRY(write_texts(file, h, row, i, left < NAMES ? left : NAMES));
        }
    return SCS_OK;
}

/* Codes are written with each round: which donor a cell has is drawn when it is made. */
static scs_status reserve_donors(hid_t file, const column *c, const scs_names *names, int64_t n)
{
    char *path;
    scs_status st;

    SCS_TRY(column_path(c, "", &path));
    st = scs_h5_reserve_categorical(file, path, names, n);
    free(path);
    return st;
}

/* All that is known before a cell is made; the rest is reserved. */
static scs_status write_obs(hid_t file, const scs_cells_head *h)
{
    const scs_atlas *a = h->session->atlas;
    int64_t n = h->first[h->plan->n];
    scs_names columns = {0};
    column c[COLUMNS];
    scs_status st;

    name_columns(h, c);
    SCS_GO(st, check_columns(c));
    for (int i = 0; i < COLUMNS; i++)
        if (c[i].wanted)
            SCS_GO(st, scs_names_add(&columns, c[i].name));
    SCS_GO(st, scs_h5_reserve_dataframe(file, "obs", n, &columns));
    SCS_GO(st, scs_h5_reserve_strings(file, "obs/template", n));
    SCS_GO(st, write_all_texts(file, h));
    if (c[SPECIES].wanted)
        SCS_GO(st, write_labels(file, h, &c[SPECIES], species_of, &a->species));
    SCS_GO(st, write_labels(file, h, &c[TYPE], type_of, &a->cell_types));
    SCS_GO(st, write_perturbations(file, h, &c[PERTURBATION]));
    if (c[DOSE].wanted)
        SCS_GO(st, write_doses(file, h, &c[DOSE]));
    SCS_GO(st, reserve_donors(file, &c[DONOR_TYPE], &a->cell_types, n));
    if (c[DONOR_SPECIES].wanted)
        SCS_GO(st, reserve_donors(file, &c[DONOR_SPECIES], &a->species, n));
    SCS_GO(st, scs_h5_reserve_array(file, "obs/library_size", H5T_NATIVE_INT64, 1, &n));
done:
    scs_names_clear(&columns);
    return st;
}

/* Genes of what is predicted. */
static const scs_names *genes(const scs_cells_head *h)
{
    return h->own ? &h->own->genes : &h->session->dataset->genes;
}

/* Empty: its data grow with each round. @param x "X" or "layers/NAME" */
static scs_status write_values(hid_t file, const scs_cells_head *h, const char *x, bool counts)
{
    int64_t shape[2] = {h->first[h->plan->n], genes(h)->n};
    char data[64];

    snprintf(data, sizeof data, "%s/data", x);
    SCS_TRY(scs_h5_group(file, x));
    SCS_TRY(scs_h5_encoding(file, x, "csr_matrix", "0.1.0"));
    SCS_TRY(scs_h5_attr_write_int64(file, x, "shape", shape, 2, false));
    return scs_h5_growing_early(file, data, counts ? H5T_NATIVE_INT32 : H5T_NATIVE_FLOAT, CHUNK);
}

/* The path of the one layer that there can be: of what X does not hold; "": not asked for. */
static const char *layer_path(const scs_cells_head *h)
{
    if (h->session->config->predict.layers.n == 0)
        return "";
    return h->session->config->predict.values == SCS_CELLS_COUNTS ? "layers/log1p"
                                                                  : "layers/counts";
}

/* The layer is another list of values in the same places: its indices and indptr are hard links to
 * X's, so that a layer costs 4 bytes an entry and not 8. */
static scs_status write_layer(hid_t file, const scs_cells_head *h)
{
    const char *path = layer_path(h);
    char member[64];

    if (!*path)
        return SCS_OK;
    SCS_TRY(write_values(file, h, path, h->session->config->predict.values != SCS_CELLS_COUNTS));
    snprintf(member, sizeof member, "%s/indices", path);
    SCS_TRY(scs_h5_share(file, "X/indices", member));
    snprintf(member, sizeof member, "%s/indptr", path);
    return scs_h5_share(file, "X/indptr", member);
}

/* What grows (entries) is allocated with each round; what is as long as the cells are many is
 * reserved at once, so that a disk without room for it is found out before any cell is made. */
static scs_status write_matrices(hid_t file, const scs_cells_head *h)
{
    int64_t n = h->first[h->plan->n] + 1;
    int64_t latent[2] = {n - 1, scs_session_model_n_latent(h->session)};

    SCS_TRY(write_values(file, h, "X", h->session->config->predict.values == SCS_CELLS_COUNTS));
    SCS_TRY(scs_h5_growing_early(file, "X/indices", H5T_NATIVE_INT32, CHUNK));
    SCS_TRY(scs_h5_reserve(file, "X/indptr", H5T_NATIVE_INT64, 1, &n));
    SCS_TRY(write_layer(file, h));
    return h->latent ? scs_h5_reserve_array(file, "obsm/latent", H5T_NATIVE_FLOAT, 2, latent)
                     : SCS_OK;
}

/* One entry of the provenance, a text or a number. */
static scs_status write_fact(hid_t file, const scs_fact *fact)
{
    char *path;
    scs_status st;

    SCS_TRY(scs_file_path_print(&path, "uns/scscreen/%s", fact->key));
    st = fact->text ? scs_h5_scalar_text(file, path, fact->text)
                    : scs_h5_scalar_double(file, path, fact->number);
    free(path);
    return st;
}

/* As a screen's provenance, and what counts were scaled to, so that log1p can be undone. */
static scs_status write_facts(hid_t file, const scs_cells_head *h)
{
    const scs_session *s = h->session;
    scs_provenance *p = NULL;
    scs_status st;

    SCS_GO(st, scs_provenance_create(s, h->method, h->plan, 0, &p));
    SCS_GO(st, scs_h5_dict(file, "uns/scscreen"));
    for (int32_t i = 0; i < p->n; i++)
        SCS_GO(st, write_fact(file, &p->fact[i]));
    if (s->scaled_to > 0)
        SCS_GO(st, scs_h5_scalar_double(file, "uns/scscreen/target_sum", s->scaled_to));
    if (h->own) {
        SCS_GO(st, scs_h5_scalar_text(file, "uns/scscreen/from", s->from->path));
        SCS_GO(st, scs_h5_scalar_text(file, "uns/scscreen/from_checksum", h->from_checksum));
    }
done:
    scs_provenance_destroy(&p);
    return st;
}

/* A complete AnnData without cells' counts: every later write fills what is here already. */
static scs_status write_skeleton(hid_t file, const scs_cells_head *h)
{
    scs_names none = {0};

    SCS_TRY(scs_h5_anndata(file));
    SCS_TRY(write_obs(file, h));
    SCS_TRY(scs_h5_dataframe(file, "var", genes(h), &none));
    SCS_TRY(write_matrices(file, h));
    return write_facts(file, h);
}

/* What an earlier job left half-written is begun anew. Rank 0 alone. */
static scs_status make_skeleton(scs_cells_file *f)
{
    scs_status st, closed;
    hid_t file;

    SCS_TRY(scs_file_remove(f->part));
    SCS_TRY(scs_h5_create(f->part, &file));
    SCS_GO(st, write_skeleton(file, f->head));
    closed = scs_h5_finish(file, f->part);
    file = H5I_INVALID_HID;
    SCS_GO(st, closed);
    SCS_GO(st, scs_file_reserve(f->part));
    f->fd = open(f->part, O_RDWR | O_CLOEXEC);
    f->skeleton = f->fd < 0 ? -1 : (int64_t)lseek(f->fd, 0, SEEK_END);
    if (f->skeleton < 0)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be opened: %s", f->path, strerror(errno));
done:
    if (file >= 0)
        scs_h5_discard(file);
    return st;
}

/* ---- open, on all ranks ---- */

/* A rank that cannot open the file has to say so before MPI_File_open, which hangs then. */
static scs_status try_open(const scs_cells_file *f)
{
    int fd = open(f->part, O_RDWR | O_CLOEXEC);

    SCS_REQUIRE(fd >= 0, SCS_EIO, "%s: cannot be opened: %s", f->path, strerror(errno));
    (void)close(fd);
    return SCS_OK;
}

/* Handles are kept until close_file: opening is Collective, writing is not. */
static scs_status open_set(const scs_cells_file *f, const char *path, hid_t *set)
{
    *set = H5Dopen2(f->file, path, H5P_DEFAULT);
    return *set < 0 ? scs_h5_failed(f->file, "open", path) : SCS_OK;
}

/* Where no layer is asked for the handle stays invalid, and nothing is written to it. */
static scs_status open_layer(scs_cells_file *f)
{
    char path[64];

    if (!*layer_path(f->head))
        return SCS_OK;
    snprintf(path, sizeof path, "%s/data", layer_path(f->head));
    return open_set(f, path, &f->layer);
}

static scs_status open_sets(scs_cells_file *f)
{
    SCS_TRY(open_layer(f));
    if (f->head->latent)
        SCS_TRY(open_set(f, "obsm/latent", &f->latent));
    SCS_TRY(open_set(f, "X/data", &f->data));
    SCS_TRY(open_set(f, "X/indices", &f->indices));
    SCS_TRY(open_set(f, "X/indptr", &f->indptr));
    SCS_TRY(open_set(f, "obs/library_size", &f->library));
    SCS_TRY(open_set(f, "obs/donor_type/codes", &f->donor_type));
    if (f->head->session->atlas->species.n > 1)
        SCS_TRY(open_set(f, "obs/donor_species/codes", &f->donor_species));
    return SCS_OK;
}

/* HDF5 duplicates the communicator, so all ranks have to come. */
static scs_status open_together(scs_cells_file *f)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    herr_t set = -1;

    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    f->transfer = H5Pcreate(H5P_DATASET_XFER);
    if (access >= 0 && f->transfer >= 0 && H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
        H5Pset_dxpl_mpio(f->transfer, H5FD_MPIO_INDEPENDENT) >= 0)
        set = H5Pset_fapl_mpio(access, scs_comm_mpi(f->head->session->comm), MPI_INFO_NULL);
    if (set >= 0)
        f->file = H5Fopen(f->part, H5F_ACC_RDWR, access);
    (void)H5Pclose(access);
    SCS_REQUIRE(f->file >= 0, SCS_EIO, "%s: cannot be opened through HDF5", f->path);
    return open_sets(f);
}

/* Rank 0 writes the skeleton with plain HDF5 and closes it; then all open it through MPI-IO. Data
 * sets that text is in are complete by then, as parallel HDF5 cannot write text of varying length.
 */
scs_status scs_cells_file_open(const scs_cells_head *head, scs_cells_file *file)
{
    const scs_session *s = head->session;
    scs_comm *comm = s->comm;
    scs_status st;

    *file = (scs_cells_file){.head = head,
                             .file = H5I_INVALID_HID,
                             .transfer = H5I_INVALID_HID,
                             .data = H5I_INVALID_HID,
                             .indices = H5I_INVALID_HID,
                             .indptr = H5I_INVALID_HID,
                             .layer = H5I_INVALID_HID,
                             .latent = H5I_INVALID_HID,
                             .donor_type = H5I_INVALID_HID,
                             .donor_species = H5I_INVALID_HID,
                             .library = H5I_INVALID_HID,
                             .fd = -1};
    SCS_TRY(
        scs_comm_agree(comm, scs_session_path(s, SCS_CELLS_FILE, file->path, sizeof file->path)));
    snprintf(file->part, sizeof file->part, "%s.part", file->path);
    scs_watchdog_begin(comm, file->path);
    st = scs_comm_agree(comm, scs_session_leads(s) ? make_skeleton(file) : SCS_OK);
    scs_watchdog_step(comm, "opening");
    if (st == SCS_OK)
        st = scs_comm_agree(comm, try_open(file));
    if (st == SCS_OK) {
        file->together = true;
        st = scs_comm_agree(comm, open_together(file));
    }
    scs_watchdog_end(comm);
    return st;
}

/* ---- rounds ---- */

/* Where this rank's counts go among the round's. Collective. */
static scs_status find_place(const scs_cells_file *f, int64_t mine, int64_t *before, int64_t *all)
{
    MPI_Comm comm = scs_comm_mpi(f->head->session->comm);

    *before = 0;
    SCS_MPI(MPI_Exscan(&mine, before, 1, MPI_INT64_T, MPI_SUM, comm));
    SCS_MPI(MPI_Allreduce(&mine, all, 1, MPI_INT64_T, MPI_SUM, comm));
    if (scs_comm_rank(f->head->session->comm) == 0)
        *before = 0;
    *before += f->nnz;
    return SCS_OK;
}

/* Collective in HDF5. */
static scs_status grow(const scs_cells_file *f, int64_t nnz)
{
    hsize_t size = (hsize_t)nnz;

    if (H5Dset_extent(f->data, &size) < 0 || H5Dset_extent(f->indices, &size) < 0 ||
        (f->layer >= 0 && H5Dset_extent(f->layer, &size) < 0))
        return scs_h5_failed(f->file, "grow", "X");
    return SCS_OK;
}

/* Room on the disk for all chunks so far, and what HDF5 notes of them; closing cuts off what is too
 * much. Rank 0; nothing elsewhere. @param nnz with the round to come */
static scs_status reserve(const scs_cells_file *f, int64_t nnz)
{
    int64_t sets = f->layer >= 0 ? 3 : 2;
    int64_t chunks = sets * (nnz / CHUNK + 1), bytes = chunks * CHUNK * (int64_t)sizeof(int32_t);
    int error;

    if (f->fd < 0)
        return SCS_OK;
    error = posix_fallocate(f->fd, 0, (off_t)(f->skeleton + bytes + bytes / 100 + (1 << 20)));
    return error == 0 || error == EINVAL || error == EOPNOTSUPP
               ? SCS_OK
               : scs_file_creation_failed(f->part, error);
}

/* Rows [first, first + n) of a data set, [n, columns] or (columns 0) [n]. Independent. */
static scs_status put_rows(const scs_cells_file *f, hid_t set, hid_t type, int64_t first, int64_t n,
                           int64_t columns, const void *data, const char *path)
{
    hsize_t start[] = {(hsize_t)first, 0}, count[] = {(hsize_t)n, (hsize_t)columns};
    hid_t memory, space;
    herr_t went = -1;

    if (n == 0)
        return SCS_OK;
    memory = H5Screate_simple(columns ? 2 : 1, count, NULL);
    space = H5Dget_space(set);
    if (memory >= 0 && space >= 0 &&
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        went = H5Dwrite(set, type, memory, space, f->transfer, data);
    (void)H5Sclose(memory);
    (void)H5Sclose(space);
    return went < 0 ? scs_h5_failed(f->file, "write", path) : SCS_OK;
}

/* A list. Independent. */
static scs_status put(const scs_cells_file *f, hid_t set, hid_t type, int64_t first, int64_t n,
                      const void *data, const char *path)
{
    return put_rows(f, set, type, first, n, 0, data, path);
}

/* Counts, and what they are scaled to; either may be what X holds. */
static scs_status put_values(const scs_cells_file *f, int64_t at, const scs_cell_block *b)
{
    const scs_session *s = f->head->session;
    bool counts = s->config->predict.values == SCS_CELLS_COUNTS;
    hid_t raw = counts ? f->data : f->layer, logged = counts ? f->layer : f->data;
    int64_t nnz = b->indptr[b->n];
    float *value;
    scs_status st;

    if (raw >= 0)
        SCS_TRY(put(f, raw, H5T_NATIVE_INT32, at, nnz, b->count, "counts"));
    if (logged < 0)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(value, nnz));
    scs_cell_values_log(s, b, value);
    st = put(f, logged, H5T_NATIVE_FLOAT, at, nnz, value, "log1p");
    free(value);
    return st;
}

/* Genes of the file, where it has not all of the run's. */
static scs_status put_genes(const scs_cells_file *f, int64_t at, const scs_cell_block *b)
{
    const scs_own_cells *own = f->head->own;
    int64_t nnz = b->indptr[b->n];
    int32_t *gene;
    scs_status st;

    if (!own)
        return put(f, f->indices, H5T_NATIVE_INT32, at, nnz, b->gene, "X/indices");
    SCS_TRY(SCS_ALLOC(gene, nnz));
    for (int64_t k = 0; k < nnz; k++)
        gene[k] = own->column[b->gene[k]];
    st = put(f, f->indices, H5T_NATIVE_INT32, at, nnz, gene, "X/indices");
    free(gene);
    return st;
}

/* Of the cells that were made, through the encoder once more: O(cells of the block x network). */
static scs_status put_latent(const scs_cells_file *f, int64_t cell, const scs_cell_block *b)
{
    const scs_session *s = f->head->session;
    int64_t n_latent = scs_session_model_n_latent(s);
    scs_real *z;
    scs_status st;

    if (f->latent < 0)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(z, b->n * n_latent));
    SCS_GO(st, scs_cell_values_latent(s, b, z));
    SCS_GO(st, put_rows(f, f->latent, H5T_NATIVE_FLOAT, cell, b->n, n_latent, z, "obsm/latent"));
done:
    free(z);
    return st;
}

/* What stands in obs of a block, and where its rows end. */
static scs_status put_obs(const scs_cells_file *f, int64_t cell, int64_t at,
                          const scs_cell_block *b, const scs_donors *donors)
{
    const scs_atlas *a = f->head->session->atlas;
    int64_t *end = NULL, zero = 0;
    int32_t *type = NULL, *species = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(end, b->n));
    SCS_GO(st, SCS_ALLOC(type, b->n));
    SCS_GO(st, SCS_ALLOC(species, b->n));
    for (int64_t i = 0; i < b->n; i++) {
        const scs_group *g = &a->group[donors->group[b->donor[i]]];

        end[i] = at + b->indptr[i + 1];
        type[i] = g->cell_type;
        species[i] = g->species;
    }
    if (cell == 0)
        SCS_GO(st, put(f, f->indptr, H5T_NATIVE_INT64, 0, 1, &zero, "X/indptr"));
    SCS_GO(st, put(f, f->indptr, H5T_NATIVE_INT64, cell + 1, b->n, end, "X/indptr"));
    SCS_GO(st, put(f, f->library, H5T_NATIVE_INT64, cell, b->n, b->library, "obs/library_size"));
    SCS_GO(st, put(f, f->donor_type, H5T_NATIVE_INT32, cell, b->n, type, "obs/donor_type"));
    if (f->donor_species >= 0)
        SCS_GO(st, put(f, f->donor_species, H5T_NATIVE_INT32, cell, b->n, species,
                       "obs/donor_species"));
done:
    free(end);
    free(type);
    free(species);
    return st;
}

/* Values, genes and obs of one block; nothing here is Collective. */
static scs_status put_block(const scs_cells_file *f, int64_t cell, int64_t at,
                            const scs_cell_block *b, const scs_donors *donors)
{
    SCS_TRY(put_values(f, at, b));
    SCS_TRY(put_genes(f, at, b));
    SCS_TRY(put_latent(f, cell, b));
    return put_obs(f, cell, at, b, donors);
}

/* Places of the ranks' counts, room, then each its own: after the third agreement the round is in
 * the file, or no rank goes on. */
scs_status scs_cells_file_append(scs_cells_file *f, int64_t cell, const scs_cell_block *block,
                                 const scs_donors *donors)
{
    scs_comm *comm = f->head->session->comm;
    int64_t at, all;
    scs_status st;

    SCS_TRY(find_place(f, block->indptr[block->n], &at, &all));
    scs_watchdog_begin(comm, f->path);
    st = scs_comm_agree(comm, grow(f, f->nnz + all));
    if (st == SCS_OK)
        st = scs_comm_agree(comm, reserve(f, f->nnz + all));
    if (st == SCS_OK)
        st = scs_comm_agree(comm, put_block(f, cell, at, block, donors));
    scs_watchdog_end(comm);
    f->nnz += all;
    return st;
}

/* ---- the end ---- */

/* The first failure is kept; the others are closed all the same. */
static void close_set(hid_t *set, scs_status *st, const scs_cells_file *f)
{
    if (*set >= 0 && H5Dclose(*set) < 0 && *st == SCS_OK)
        *st = scs_h5_failed(f->file, "close", "a data set");
    *set = H5I_INVALID_HID;
}

/* Every close is checked: on a full disk HDF5 may fail only here. Collective. */
static scs_status close_file(scs_cells_file *f)
{
    hid_t *sets[] = {&f->data,   &f->indices,    &f->indptr,        &f->layer,
                     &f->latent, &f->donor_type, &f->donor_species, &f->library};
    scs_status st = SCS_OK;

    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        close_set(sets[i], &st, f);
    if (f->file >= 0 && st == SCS_OK && H5Fflush(f->file, H5F_SCOPE_GLOBAL) < 0)
        st = scs_h5_failed(f->file, "flush", "/");
    if (f->file >= 0 && !scs_h5_shut(f->file) && st == SCS_OK)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be closed, so it may be incomplete", f->path);
    if (f->transfer >= 0)
        (void)H5Pclose(f->transfer);
    f->file = f->transfer = H5I_INVALID_HID;
    f->together = false;
    return scs_comm_agree(f->head->session->comm, st);
}

/* The name comes last: a reader sees the whole file, or none. */
scs_status scs_cells_file_commit(scs_cells_file *f)
{
    scs_comm *comm = f->head->session->comm;
    scs_status st;

    scs_watchdog_begin(comm, f->path);
    scs_watchdog_step(comm, "flushing");
    st = close_file(f);
    scs_watchdog_step(comm, "renaming");
    if (st == SCS_OK)
        st = scs_comm_agree(comm, f->fd >= 0 ? scs_file_commit(f->part, f->path) : SCS_OK);
    scs_watchdog_end(comm);
    return st;
}

/* After a commit there is no unfinished file any more. */
scs_status scs_cells_file_close(scs_cells_file *f, scs_status status)
{
    char first[SCS_MESSAGE_MAX];
    scs_status closed = SCS_OK;

    if (!f->head)
        return status;
    snprintf(first, sizeof first, "%s", scs_message());
    if (f->together)
        closed = close_file(f);
    if (f->fd >= 0) {
        (void)close(f->fd);
        if (status != SCS_OK)
            (void)unlink(f->part);
    }
    *f = (scs_cells_file){0};
    if (status == SCS_OK)
        return closed;
    scs_message_set(first);
    return status;
}
