/* Skeleton by rank 0, then the rows of all ranks in rounds.
 *
 * Rows have their places by their numbers, and a block begins at a multiple of STEP rows of its
 * part, so that the file has the same bytes on any number of ranks. Rank 0 alone writes: a full
 * disk is one rank's failure, which all learn of once nobody waits for anything. 8 + 4 n_column
 * bytes travel for each row of another rank. */
#include "mpi/job/cell_table.h"

#include "config.h"
#include "mpi/comm/collectives.h"
#include "src/base/checksum.h"
#include "src/hdf5/h5write.h"

#include <stdlib.h>
#include <string.h>

/* Of a block; STEP rows are what models encode and decode at once. */
enum { BLOCK_BYTES = 32 << 20, MOST_ROWS = 4096, STEP = 256 };

/* Names of one input's cells after those of the inputs before it. */
static scs_status add_names(const scs_names *cells, int32_t input, bool numbered, scs_names *all)
{
    char name[1024];

    for (int32_t i = 0; i < cells->n; i++) {
        int n = numbered ? snprintf(name, sizeof name, "%s-%d", cells->name[i], (int)input) : 0;

        if (n >= (int)sizeof name)
            return SCS_FAIL(SCS_EDATA, "a cell's name has more than %zu bytes: %.60s...",
                            sizeof name - 8, cells->name[i]);
        SCS_TRY(scs_names_add(all, numbered ? name : cells->name[i]));
    }
    return SCS_OK;
}

/* By bytes; which of two twins comes first does not matter. */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether a name stands twice in the list. */
static scs_status has_twins(const scs_names *names, bool *twins)
{
    char **sorted;

    *twins = false;
    SCS_TRY(SCS_ALLOC(sorted, names->n));
    memcpy(sorted, names->name, (size_t)names->n * sizeof *sorted);
    qsort(sorted, (size_t)names->n, sizeof *sorted, by_text);
    for (int32_t i = 1; i < names->n && !*twins; i++)
        *twins = strcmp(sorted[i - 1], sorted[i]) == 0;
    free(sorted);
    return SCS_OK;
}

/* As anndata.concat(index_unique="-") names them. */
scs_status scs_cell_table_names(const scs_names *const *cells, int32_t n_input, scs_names *index)
{
    bool twins;

    for (int32_t i = 0; i < n_input; i++)
        SCS_TRY(add_names(cells[i], i, false, index));
    SCS_TRY(has_twins(index, &twins));
    if (!twins || n_input == 1)
        return SCS_OK;
    scs_names_clear(index);
    for (int32_t i = 0; i < n_input; i++)
        SCS_TRY(add_names(cells[i], i, true, index));
    return SCS_OK;
}

/* Of all inputs. @param[out] index names of all cells */
static scs_status name_cells(const scs_session *s, scs_names *index)
{
    int32_t n = s->config->data.n_input;
    const scs_names **cells;
    scs_status st;

    SCS_TRY(SCS_ALLOC(cells, n));
    for (int32_t i = 0; i < n; i++)
        cells[i] = &s->cell_names[i];
    st = scs_cell_table_names(cells, n, index);
    free(cells);
    return st;
}

/* Labels as the run sees them: united over the inputs. */
static scs_status write_obs(hid_t file, const scs_session *s)
{
    const scs_dataset *d = s->dataset;
    scs_names columns = {0}, index = {0};
    scs_status st;

    SCS_GO(st, scs_names_add(&columns, "species"));
    SCS_GO(st, scs_names_add(&columns, "cell_type"));
    SCS_GO(st, scs_names_add(&columns, "condition"));
    SCS_GO(st, name_cells(s, &index));
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

scs_status scs_cell_table_facts(hid_t file, const scs_session *s, const char *what)
{
    char path[4096], sum[SCS_CHECKSUM_MAX];

    SCS_TRY(scs_h5_dict(file, "uns/scscreen"));
    SCS_TRY(scs_h5_scalar_text(file, "uns/scscreen/holds", what));
    SCS_TRY(scs_h5_scalar_text(file, "uns/scscreen/version", PACKAGE_VERSION));
    SCS_TRY(scs_h5_scalar_text(file, "uns/scscreen/commit", SCS_COMMIT));
    if (!s->checkpoint)
        return SCS_OK;
    snprintf(path, sizeof path, "%s", s->checkpoint->path);
    SCS_TRY(scs_checksum_file_identity(path, sum));
    return scs_h5_scalar_text(file, "uns/scscreen/model_checksum", sum);
}

/* On rank 0, under a temporary name: all but the matrices, for which room is reserved. */
static scs_status write_skeleton(const scs_cell_table *t, const char *path, scs_h5_out *out)
{
    scs_names none = {0};

    SCS_TRY(scs_h5_out_create(path, out));
    SCS_TRY(scs_h5_anndata(out->file));
    SCS_TRY(t->obs ? t->obs(out->file, t->ctx) : write_obs(out->file, t->session));
    SCS_TRY(scs_h5_dataframe(out->file, "var", t->genes, &none));
    if (t->more)
        SCS_TRY(t->more(out->file, t->ctx));
    for (int k = 0; k < SCS_CELL_MATRICES && t->matrix[k].path; k++) {
        int64_t shape[] = {t->n_row, t->matrix[k].n_column};

        SCS_TRY(scs_h5_reserve_array(out->file, t->matrix[k].path, H5T_NATIVE_FLOAT, 2, shape));
    }
    return SCS_OK;
}

/* Where a rank is in its parts, and a block: places of rows, then the rows of each matrix. */
typedef struct mover {
    const scs_cell_table *table;
    int64_t most; /* rows of a block */
    int32_t part;
    int64_t row;                         /* of that part */
    int64_t *cell;                       /* [most] */
    scs_real *rows;                      /* [most, columns of all matrices] */
    scs_real *matrix[SCS_CELL_MATRICES]; /* into rows: [most, n_column] */
    int32_t n_matrix;
    int64_t *count, *first; /* [ranks] rows of each one's block; [ranks + 1] for the allgather */
} mover;

/* Rows that a block has room for: at most about BLOCK_BYTES, a multiple of STEP. */
static int64_t block_rows(int64_t n_column)
{
    int64_t n = BLOCK_BYTES / ((int64_t)sizeof(scs_real) * (n_column ? n_column : 1));

    n -= n % STEP;
    return n < STEP ? STEP : n > MOST_ROWS ? MOST_ROWS : n;
}

/* Room for a block on this rank. */
static scs_status make_mover(const scs_cell_table *t, mover *m)
{
    int32_t n_rank = scs_comm_size(t->session->comm);
    int64_t columns = 0, at = 0;

    *m = (mover){.table = t};
    for (; m->n_matrix < SCS_CELL_MATRICES && t->matrix[m->n_matrix].path; m->n_matrix++)
        columns += t->matrix[m->n_matrix].n_column;
    m->most = block_rows(columns);
    SCS_TRY(SCS_ALLOC(m->cell, m->most));
    SCS_TRY(SCS_ALLOC(m->rows, m->most * columns));
    for (int32_t k = 0; k < m->n_matrix; k++) {
        m->matrix[k] = m->rows + at;
        at += m->most * t->matrix[k].n_column;
    }
    SCS_TRY(SCS_ALLOC(m->count, n_rank));
    SCS_TRY(SCS_ALLOC(m->first, n_rank + 1));
    for (int32_t r = 0; r <= n_rank; r++)
        m->first[r] = r * (int64_t)sizeof *m->count;
    return SCS_OK;
}

static void clear_mover(mover *m)
{
    free(m->cell);
    free(m->rows);
    free(m->count);
    free(m->first);
}

/* The next block of this rank's parts: rows of one part, none after the last.
 * @param[out] n how many */
static scs_status make_block(mover *m, int64_t *n)
{
    const scs_cell_table *t = m->table;
    const scs_cell_rows *p;
    int64_t row = m->row, left;

    *n = 0;
    while (m->part < t->n_part && row == t->part[m->part].n) {
        m->part++;
        row = 0;
    }
    m->row = row;
    if (m->part == t->n_part)
        return SCS_OK;
    p = &t->part[m->part];
    left = p->n - row;
    *n = left < m->most ? left : m->most;
    for (int64_t i = 0; i < *n; i++)
        m->cell[i] = p->cell ? p->cell[row + i] : p->first + row + i;
    m->row += *n;
    if (t->make)
        return t->make(t->ctx, m->part, row, *n, m->matrix);
    memcpy(m->matrix[0], p->rows + row * t->matrix[0].n_column,
           (size_t)(*n * t->matrix[0].n_column) * sizeof(scs_real));
    return SCS_OK;
}

/* The block into the file: runs of rows that follow each other at once. Rank 0. */
static scs_status put_block(const mover *m, const scs_h5_out *out, int64_t n)
{
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && m->cell[end] == m->cell[end - 1] + 1;)
            end++;
        for (int32_t k = 0; k < m->n_matrix; k++)
            SCS_TRY(scs_h5_write_part(out->file, m->table->matrix[k].path, H5T_NATIVE_FLOAT,
                                      m->cell[i], end - i,
                                      m->matrix[k] + i * m->table->matrix[k].n_column));
    }
    return SCS_OK;
}

/* A block of another rank to rank 0. Collective in so far as both call it together; the others
 * return. */
static scs_status move_block(mover *m, int32_t from)
{
    scs_comm *comm = m->table->session->comm;
    bool mine = from == scs_comm_rank(comm), leads = scs_session_leads(m->table->session);
    int64_t n = m->count[from], bytes = n * (int64_t)sizeof *m->cell;

    if (from == 0 || (!mine && !leads))
        return SCS_OK;
    SCS_TRY(scs_comm_send_receive(comm, 0, m->cell, mine ? bytes : 0, from, m->cell,
                                  leads ? bytes : 0));
    for (int32_t k = 0; k < m->n_matrix; k++) {
        bytes = n * m->table->matrix[k].n_column * (int64_t)sizeof(scs_real);
        SCS_TRY(scs_comm_send_receive(comm, 0, m->matrix[k], mine ? bytes : 0, from, m->matrix[k],
                                      leads ? bytes : 0));
    }
    return SCS_OK;
}

/* Rounds until no rank has a block. A failure to make or to write one is reported in the next
 * agreement: no rank may wait for a rank that has given up. Collective. */
static scs_status move_rows(mover *m, const scs_h5_out *out)
{
    scs_comm *comm = m->table->session->comm;
    int32_t n_rank = scs_comm_size(comm);
    scs_status wrote = SCS_OK;
    bool more = true;

    while (more) {
        int64_t *mine = &m->count[scs_comm_rank(comm)];
        scs_status made = wrote == SCS_OK ? make_block(m, mine) : wrote;

        SCS_TRY(scs_comm_agree(comm, made));
        SCS_TRY(scs_comm_allgather(comm, m->count, m->first));
        more = false;
        for (int32_t r = 0; r < n_rank; r++) {
            if (m->count[r] == 0)
                continue;
            more = true;
            SCS_TRY(move_block(m, r));
            if (scs_session_leads(m->table->session) && wrote == SCS_OK)
                wrote = put_block(m, out, m->count[r]);
        }
    }
    return scs_comm_agree(comm, wrote);
}

scs_status scs_cell_table_write(const scs_cell_table *t)
{
    const scs_session *s = t->session;
    bool leads = scs_session_leads(s);
    scs_h5_out out = {.file = H5I_INVALID_HID};
    mover m = {0};
    char path[4096];
    scs_status st;

    SCS_GO(st, scs_comm_agree(s->comm, scs_session_path(s, t->file, path, sizeof path)));
    SCS_GO(st, scs_comm_agree(s->comm, leads ? write_skeleton(t, path, &out) : SCS_OK));
    SCS_GO(st, scs_comm_agree(s->comm, make_mover(t, &m)));
    SCS_GO(st, move_rows(&m, &out));
    SCS_GO(st, scs_comm_agree(s->comm, leads ? scs_h5_out_commit(&out) : SCS_OK));
    scs_session_say(s, "wrote %s", path);
done:
    clear_mover(&m);
    if (leads && st != SCS_OK)
        scs_h5_out_abandon(&out);
    return st;
}
