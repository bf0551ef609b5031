/* Skeleton by rank 0, then the rows of all ranks in turn.
 *
 * Cells have their places by their numbers in the inputs, so that the file has the same bytes on
 * any number of ranks. Rank 0 alone writes, in blocks of ROWS cells that the others send it when it
 * is their turn: its memory is one block, and a full disk is one rank's failure, which all learn of
 * once nobody waits for anything. 8 + 4 n_column bytes travel for each cell of another rank. */
#include "mpi/job/cell_table.h"

#include "mpi/comm/collectives.h"
#include "src/hdf5/h5write.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 4096 }; /* cells that rank 0 takes at once */

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

/* Names as the inputs have them; where two inputs share one, all get the input's number behind
 * them ("CELL-0"), as anndata.concat(index_unique="-") does.
 *  @param[out] index names of all cells */
static scs_status name_cells(const scs_session *s, scs_names *index)
{
    int32_t n_input = s->config->data.n_input;
    bool twins;

    for (int32_t i = 0; i < n_input; i++)
        SCS_TRY(add_names(&s->cell_names[i], i, false, index));
    SCS_TRY(has_twins(index, &twins));
    if (!twins || n_input == 1)
        return SCS_OK;
    scs_names_clear(index);
    for (int32_t i = 0; i < n_input; i++)
        SCS_TRY(add_names(&s->cell_names[i], i, true, index));
    return SCS_OK;
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

/* On rank 0, under a temporary name: all but the matrix, for which room is reserved. */
static scs_status write_skeleton(const scs_cell_table *t, const char *path, scs_h5_out *out)
{
    const scs_dataset *d = t->session->dataset;
    int64_t shape[] = {d->n_cell, t->n_column};
    scs_names none = {0};

    SCS_TRY(scs_h5_out_create(path, out));
    SCS_TRY(scs_h5_anndata(out->file));
    SCS_TRY(write_obs(out->file, t->session));
    SCS_TRY(scs_h5_dataframe(out->file, "var", &d->genes, &none));
    if (t->more)
        SCS_TRY(t->more(out->file, t->ctx));
    return scs_h5_reserve_array(out->file, t->matrix, H5T_NATIVE_FLOAT, 2, shape);
}

/* Where a rank is in its parts, and the block that travels: numbers of cells, then their rows. */
typedef struct mover {
    const scs_cell_table *table;
    int32_t part;
    int64_t row;   /* of that part */
    int64_t *cell; /* [ROWS] */
    scs_real *z;   /* [ROWS, n_column] */
} mover;

/* The next n cells of this rank's parts into the block. */
static void gather(mover *m, int64_t n)
{
    const scs_cell_table *t = m->table;
    int64_t k = t->n_column;

    for (int64_t i = 0; i < n; i++, m->row++) {
        while (m->row == t->part[m->part].n) {
            m->part++;
            m->row = 0;
        }
        const scs_cell_rows *p = &t->part[m->part];

        m->cell[i] = p->cell ? p->cell[m->row] : p->first + m->row;
        memcpy(m->z + i * k, p->rows + m->row * k, (size_t)k * sizeof *m->z);
    }
}

/* The block into the file: runs of cells that follow each other at once. Rank 0. */
static scs_status put_block(const mover *m, const scs_h5_out *out, int64_t n)
{
    const scs_cell_table *t = m->table;

    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && m->cell[end] == m->cell[end - 1] + 1;)
            end++;
        SCS_TRY(scs_h5_write_part(out->file, t->matrix, H5T_NATIVE_FLOAT, m->cell[i], end - i,
                                  m->z + i * t->n_column));
    }
    return SCS_OK;
}

/* The next n cells of rank `from`. Collective in so far as rank 0 and `from` call it together; the
 * others return. */
static scs_status move_block(mover *m, const scs_h5_out *out, int32_t from, int64_t n)
{
    scs_comm *comm = m->table->session->comm;
    bool mine = from == scs_comm_rank(comm), leads = scs_session_leads(m->table->session);
    int64_t cells = n * (int64_t)sizeof *m->cell,
            rows = n * m->table->n_column * (int64_t)sizeof *m->z;

    if (mine)
        gather(m, n);
    if (from != 0 && (mine || leads)) {
        SCS_TRY(scs_comm_send_receive(comm, 0, m->cell, mine ? cells : 0, from, m->cell,
                                      leads ? cells : 0));
        SCS_TRY(
            scs_comm_send_receive(comm, 0, m->z, mine ? rows : 0, from, m->z, leads ? rows : 0));
    }
    return leads ? put_block(m, out, n) : SCS_OK;
}

/* How many cells each rank has. @param[out] count [ranks]. Collective. */
static scs_status count_rows(const scs_cell_table *t, int64_t *count)
{
    scs_comm *comm = t->session->comm;
    int32_t n_rank = scs_comm_size(comm);
    int64_t *first = NULL, mine = 0;
    scs_status st;

    for (int32_t p = 0; p < t->n_part; p++)
        mine += t->part[p].n;
    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(first, n_rank + 1)));
    for (int32_t r = 0; r <= n_rank; r++)
        first[r] = r * (int64_t)sizeof *count;
    count[scs_comm_rank(comm)] = mine;
    SCS_GO(st, scs_comm_allgather(comm, count, first));
done:
    free(first);
    return st;
}

/* All ranks' cells in turn. A failure to write is reported when all have sent theirs: no rank may
 * wait for a rank 0 that has given up. Collective. */
static scs_status move_rows(mover *m, const scs_h5_out *out, int64_t *count)
{
    scs_comm *comm = m->table->session->comm;
    scs_status failed = SCS_OK;

    SCS_TRY(count_rows(m->table, count));
    for (int32_t r = 0; r < scs_comm_size(comm); r++)
        for (int64_t left = count[r]; left > 0; left -= ROWS) {
            scs_status st = move_block(m, out, r, left < ROWS ? left : ROWS);

            failed = failed == SCS_OK ? st : failed;
        }
    return scs_comm_agree(comm, failed);
}

/* Room for a block on this rank. */
static scs_status make_mover(const scs_cell_table *t, mover *m, int64_t **count)
{
    *m = (mover){.table = t};
    SCS_TRY(SCS_ALLOC(m->cell, ROWS));
    SCS_TRY(SCS_ALLOC(m->z, ROWS * t->n_column));
    return SCS_ALLOC(*count, scs_comm_size(t->session->comm));
}

scs_status scs_cell_table_write(const scs_cell_table *t)
{
    const scs_session *s = t->session;
    bool leads = scs_session_leads(s);
    scs_h5_out out = {.file = H5I_INVALID_HID};
    int64_t *count = NULL;
    mover m = {0};
    char path[4096];
    scs_status st;

    SCS_GO(st, scs_comm_agree(s->comm, scs_session_path(s, t->file, path, sizeof path)));
    SCS_GO(st, scs_comm_agree(s->comm, leads ? write_skeleton(t, path, &out) : SCS_OK));
    SCS_GO(st, scs_comm_agree(s->comm, make_mover(t, &m, &count)));
    SCS_GO(st, move_rows(&m, &out, count));
    SCS_GO(st, scs_comm_agree(s->comm, leads ? scs_h5_out_commit(&out) : SCS_OK));
    scs_session_say(s, "wrote %s", path);
done:
    free(m.cell);
    free(m.z);
    free(count);
    if (leads && st != SCS_OK)
        scs_h5_out_abandon(&out);
    return st;
}
