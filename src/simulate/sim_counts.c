/** Counts of one species, block by block (src/simulate/sim_counts.h has the file).
 *
 *  A block's rows are drawn in parallel into rows of full length, moved together, and appended
 *  to X/data and X/indices; indptr and obs have their final size from the start and are filled
 *  behind.
 */
#include "src/simulate/sim_counts.h"

#include "src/hdf5/h5write.h"
#include "src/simulate/sim_model.h"

#include <stdio.h>
#include <stdlib.h>

/* Counts and rows of a block at most; elements of an HDF5 chunk of X. */
enum { BLOCK_VALUES = 1 << 21, BLOCK_ROWS = 1024, CHUNK = 1 << 16 };

/* A species' file and one block of rows: all the memory that cells take. */
typedef struct writer {
    const scs_sim *sim;
    hid_t file;
    int32_t species;
    int32_t n_block;        /* rows of a full block */
    int32_t *order;         /* [n_own] model gene of each column */
    double *share;          /* [n_own] of the current group, by model gene */
    int32_t *column;        /* [n_block, n_own]; row r starts at r * n_own until it is packed */
    float *count;           /* the same shape */
    int64_t *row_size;      /* [n_block] */
    int64_t *indptr;        /* [n_block] ends of the block's rows in the file */
    int32_t *code;          /* [n_block] */
    double *dose;           /* [n_block] */
    int64_t n_row, n_value; /* written so far */
} writer;

/* In the reverse order of their making; what was not made is NULL. */
static void writer_clear(writer *w)
{
    free(w->dose);
    free(w->code);
    free(w->indptr);
    free(w->row_size);
    free(w->count);
    free(w->column);
    free(w->share);
    free(w->order);
}

/* What was allocated before a failure is cleared by the caller. */
static scs_status writer_make(writer *w)
{
    int64_t n_own = w->sim->n_own, rows = BLOCK_VALUES / n_own;

    w->n_block = (int32_t)(rows < 1 ? 1 : rows > BLOCK_ROWS ? BLOCK_ROWS : rows);
    SCS_TRY(SCS_ALLOC(w->order, n_own));
    SCS_TRY(SCS_ALLOC(w->share, n_own));
    SCS_TRY(SCS_ALLOC(w->column, w->n_block * n_own));
    SCS_TRY(SCS_ALLOC(w->count, w->n_block * n_own));
    SCS_TRY(SCS_ALLOC(w->row_size, w->n_block));
    SCS_TRY(SCS_ALLOC(w->indptr, w->n_block));
    SCS_TRY(SCS_ALLOC(w->code, w->n_block));
    SCS_TRY(SCS_ALLOC(w->dose, w->n_block));
    return scs_sim_order(w->sim, w->species, w->order);
}

/* Cells of the species. */
static int64_t total_rows(const scs_sim *sim)
{
    return sim->n_cell * sim->n_type * sim->n_condition;
}

/* X as csr_matrix. How many counts are not 0 is not known yet, so data and indices grow; indptr
 * has its size. Indices and indptr have one type (scipy mixes them badly): int32 where every
 * count could be stored within it. */
static scs_status reserve_matrix(const writer *w)
{
    int64_t n = total_rows(w->sim), shape[2] = {n, w->sim->n_own}, zero = 0, ends = n + 1;
    int64_t most = 0;
    bool small = !__builtin_mul_overflow(n, shape[1], &most) && most <= INT32_MAX;
    hid_t index = small ? H5T_NATIVE_INT32 : H5T_NATIVE_INT64;
    int64_t chunk = small && most < CHUNK ? most : CHUNK;

    SCS_TRY(scs_h5_group(w->file, "X"));
    SCS_TRY(scs_h5_encoding(w->file, "X", "csr_matrix", "0.1.0"));
    SCS_TRY(scs_h5_attr_write_int64(w->file, "X", "shape", shape, 2, false));
    SCS_TRY(scs_h5_growing(w->file, "X/data", H5T_NATIVE_FLOAT, chunk));
    SCS_TRY(scs_h5_growing(w->file, "X/indices", index, chunk));
    SCS_TRY(scs_h5_reserve(w->file, "X/indptr", index, 1, &ends));
    return scs_h5_write_part(w->file, "X/indptr", H5T_NATIVE_INT64, 0, 1, &zero);
}

/* obs with its keys; the one species is written, the others are to be filled. */
static scs_status reserve_obs(const writer *w)
{
    static char *const columns[] = {"cell_type", "condition", "species", "dose"};
    const scs_names keys = {w->sim->n_dose ? 4 : 3, (char **)columns};
    scs_names types = {0}, conditions = {0}, species = {0};
    int64_t n = total_rows(w->sim);
    char name[SCS_SIM_NAME];
    scs_status st;

    SCS_GO(st, scs_sim_type_names(w->sim, &types));
    SCS_GO(st, scs_sim_label_names(w->sim, 0, &conditions));
    SCS_GO(st, scs_names_add(&species, scs_sim_species_name(w->species, name)));
    SCS_GO(st, scs_h5_reserve_dataframe(w->file, "obs", n, &keys));
    SCS_GO(st, scs_h5_reserve_categorical(w->file, "obs/cell_type", &types, n));
    SCS_GO(st, scs_h5_reserve_categorical(w->file, "obs/condition", &conditions, n));
    SCS_GO(st, scs_h5_reserve_categorical(w->file, "obs/species", &species, n));
    if (w->sim->n_dose)
        SCS_GO(st, scs_h5_reserve_array(w->file, "obs/dose", H5T_NATIVE_DOUBLE, 1, &n));
done:
    scs_names_clear(&species);
    scs_names_clear(&conditions);
    scs_names_clear(&types);
    return st;
}

/* The species' own names, in the order of its columns; no further columns. */
static scs_status write_var(const writer *w)
{
    scs_names genes = {0}, none = {0};
    scs_status st;

    SCS_GO(st, scs_sim_gene_names(w->sim, w->species, w->sim->n_own, &genes));
    SCS_GO(st, scs_h5_dataframe(w->file, "var", &genes, &none));
done:
    scs_names_clear(&genes);
    return st;
}

/* One cell's counts, in the file's column order. A function of the seed, the group and the cell
 * alone.
 * @param[out] column, count [n_own]  @return how many are not 0 */
static int64_t draw_cell(const writer *w, scs_sim_group group, int64_t cell, int32_t *column,
                         float *count)
{
    const scs_sim *sim = w->sim;
    scs_sampler sampler = scs_sim_cell(sim, group, cell);
    double library = scs_sim_library(sim, &sampler);
    int64_t n = 0;

    for (int32_t j = 0; j < sim->n_own; j++) {
        double mean = library * w->share[w->order[j]];
        int64_t drawn = scs_sampler_count(&sampler, mean, sim->dispersion);

        if (drawn > 0) {
            column[n] = j;
            count[n++] = (float)drawn;
        }
    }
    return n;
}

/* Move the block's rows together, in place, towards the front. @return values of the block */
static int64_t pack(writer *w, int32_t n_row)
{
    int64_t n = 0;

    for (int32_t r = 0; r < n_row; r++) {
        int64_t from = (int64_t)r * w->sim->n_own;

        for (int64_t i = 0; i < w->row_size[r]; i++, n++) {
            w->column[n] = w->column[from + i];
            w->count[n] = w->count[from + i];
        }
        w->indptr[r] = w->n_value + n;
    }
    return n;
}

/* The same code for n cells from n_row on. */
static scs_status write_codes(const writer *w, const char *path, int32_t code, int32_t n)
{
    for (int32_t r = 0; r < n; r++)
        w->code[r] = code;
    return scs_h5_write_part(w->file, path, H5T_NATIVE_INT32, w->n_row, n, w->code);
}

/* Label and, where there are doses, dose of n cells. */
static scs_status write_treatment(writer *w, scs_sim_treatment t, int32_t n)
{
    SCS_TRY(write_codes(w, "obs/condition/codes", t.label, n));
    for (int32_t r = 0; r < n && w->sim->n_dose; r++)
        w->dose[r] = t.dose;
    return w->sim->n_dose
               ? scs_h5_write_part(w->file, "obs/dose", H5T_NATIVE_DOUBLE, w->n_row, n, w->dose)
               : SCS_OK;
}

/* "species_a_cell_1" and so on: n of them from n_row on. */
static scs_status write_cell_names(const writer *w, int32_t n)
{
    char species[SCS_SIM_NAME], name[2 * SCS_SIM_NAME];
    scs_names names = {0};
    scs_status st = SCS_OK;

    scs_sim_species_name(w->species, species);
    for (int32_t r = 0; r < n; r++) {
        snprintf(name, sizeof name, "%s_cell_%lld", species, (long long)(w->n_row + r + 1));
        SCS_GO(st, scs_names_add(&names, name));
    }
    SCS_GO(st, scs_h5_write_strings_part(w->file, "obs/_index", w->n_row, &names));
done:
    scs_names_clear(&names);
    return st;
}

/* Cells [first, first + n) of a group: drawn in parallel, each into its own row; written one
 * after the other. */
static scs_status write_block(writer *w, scs_sim_group group, int64_t first, int32_t n)
{
    int64_t n_own = w->sim->n_own, n_value;

#pragma omp parallel for schedule(dynamic, 8)
    for (int32_t r = 0; r < n; r++)
        w->row_size[r] =
            draw_cell(w, group, first + r, w->column + r * n_own, w->count + r * n_own);
    n_value = pack(w, n);
    SCS_TRY(scs_h5_append(w->file, "X/data", H5T_NATIVE_FLOAT, n_value, w->count));
    SCS_TRY(scs_h5_append(w->file, "X/indices", H5T_NATIVE_INT32, n_value, w->column));
    SCS_TRY(scs_h5_write_part(w->file, "X/indptr", H5T_NATIVE_INT64, w->n_row + 1, n, w->indptr));
    SCS_TRY(write_codes(w, "obs/cell_type/codes", group.type, n));
    SCS_TRY(write_treatment(w, scs_sim_treatment_of(w->sim, group.condition), n));
    SCS_TRY(write_codes(w, "obs/species/codes", 0, n));
    SCS_TRY(write_cell_names(w, n));
    w->n_row += n;
    w->n_value += n_value;
    return SCS_OK;
}

/* All cells of a group, in blocks. The shares are made once for all of them. */
static scs_status write_group(writer *w, scs_sim_group group)
{
    int64_t left = w->sim->n_cell, first = 0;

    SCS_TRY(scs_sim_shares(w->sim, group, w->share));
    while (left > 0) {
        int32_t n = left < w->n_block ? (int32_t)left : w->n_block;

        SCS_TRY(write_block(w, group, first, n));
        first += n;
        left -= n;
    }
    return SCS_OK;
}

/* Strings and empty parts first, then the groups in the order of obs. */
static scs_status write_all(writer *w)
{
    SCS_TRY(scs_h5_anndata(w->file));
    SCS_TRY(reserve_obs(w));
    SCS_TRY(write_var(w));
    SCS_TRY(reserve_matrix(w));
    for (int32_t k = 0; k < w->sim->n_type; k++)
        for (int32_t c = 0; c < w->sim->n_condition; c++)
            SCS_TRY(write_group(w, (scs_sim_group){w->species, k, c}));
    return SCS_OK;
}

/* Abandoning after the commit does nothing: one way out for success and failure. */
scs_status scs_sim_write_counts(const scs_sim *sim, int32_t species, const char *path,
                                int64_t *n_value)
{
    writer w = {.sim = sim, .species = species};
    scs_h5_out out = {0};
    scs_status st;

    SCS_GO(st, writer_make(&w));
    SCS_GO(st, scs_h5_out_create(path, &out));
    w.file = out.file;
    SCS_GO(st, write_all(&w));
    SCS_GO(st, scs_h5_out_commit(&out));
    *n_value = w.n_value;
done:
    scs_h5_out_abandon(&out);
    writer_clear(&w);
    return st;
}
