/* Two halves: an open result file, written through MPI-IO or read alone, and the store that makes
 * a screen of it: go on or begin, put, compare, rename.
 *
 *  Writes are independent, not collective: ranks write when they have a block. Data sets are
 *  contiguous and allocated when the skeleton is made, so writing rows changes no metadata of the
 *  file, and nothing needs the other ranks. Opening and closing are Collective in HDF5, and
 *  MPI_File_open hangs where it fails on some ranks only, so ranks agree before that the file can
 *  be opened.
 *
 *  In the order of a job:
 *      scs_store_open      rank 0: go on with an old .part or write a skeleton and a map; all: open
 *                          both, compare what is noted as done
 *      scs_store_put       any rank, any block that is not done, once
 *      put_column          rank 0, late fields, after all blocks
 *      scs_store_commit    close, compare what was written, rename
 *      scs_store_close     always, also after a failure or a stop
 *
 *  What a kill may leave, and what the next job makes of it:
 *      .part without .done      begun anew: nothing says what its rows are
 *      .done without its key    begun anew, with a warning
 *      both, some slots set     blocks that have the slot's sum are kept, all others made again
 *      both, skeleton damaged   begun anew, with a warning
 *      .h5ad and .done          finished: the rename came first. The next screen is a new one
 *
 *  Sums (src/base/hash64.h) are over the bytes of all fields of a block in the order of the fields,
 *  but the late ones (p- and q-values, which are written when all rows are there). A block is done
 *  when its slot's sum is that of the bytes in the file; the rest of the file, its skeleton, has a
 *  sum of its own in the map's key. */
#include "mpi/screen/store.h"

#include "mpi/comm/collectives.h"
#include "mpi/comm/watchdog.h"
#include "mpi/job/provenance.h"
#include "mpi/job/session.h"
#include "mpi/screen/done_map.h"
#include "src/base/checksum.h"
#include "src/base/file.h"
#include "src/base/hash64.h"
#include "src/base/text.h"
#include "src/config/stored.h"
#include "src/hdf5/h5write.h"
#include "src/result/result_type.h"
#include "src/screen/features.h"
#include "scscreen/comm.h"
#include "scscreen/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- An open file ---- */

/* Rows of the fields of one number a row that are read at a time. */
enum { NUMBERS_AT_ONCE = 1 << 16 };

/* Rows [first, first + n) of a field between the file and memory. @param read, write one of them,
 * [n, cols]; the other NULL */
static scs_status transfer_rows(scs_result_file *f, const scs_open_field *o, int64_t first,
                                int64_t n, void *read, const void *write)
{
    hsize_t start[2] = {(hsize_t)first, 0}, count[2] = {(hsize_t)n, (hsize_t)o->cols};
    hid_t memory = H5Screate_simple(o->field.cols > 0 ? 2 : 1, count, NULL);
    hid_t space = H5Dget_space(o->set);
    herr_t went = -1;

    if (memory >= 0 && space >= 0 &&
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        went = read ? H5Dread(o->set, o->type, memory, space, H5P_DEFAULT, read)
                    : H5Dwrite(o->set, o->type, memory, space, f->transfer, write);
    if (memory >= 0)
        (void)H5Sclose(memory);
    if (space >= 0)
        (void)H5Sclose(space);
    return went < 0 ? scs_h5_failed(f->file, read ? "read back" : "write", o->field.path) : SCS_OK;
}

/* The old content is not wanted. */
static scs_status reserve_buffer(scs_result_file *f, int64_t bytes)
{
    if (bytes <= f->buffer_bytes)
        return SCS_OK;
    free(f->buffer);
    f->buffer_bytes = 0;
    f->buffer = scs_allocate(bytes, 1);
    SCS_REQUIRE(f->buffer, SCS_ENOMEM, "out of memory: rows of %s need %lld bytes", f->path,
                (long long)bytes);
    f->buffer_bytes = bytes;
    return SCS_OK;
}

/* Write rows [rows->first, rows->first + rows->n) of all fields but the late ones. Local.
 *  @param[out] sum of the bytes, as result_file_sum gives it */
static scs_status result_file_put(scs_result_file *f, const scs_result_rows *rows, uint64_t *sum)
{
    scs_hash64 all = scs_hash64_begin();

    SCS_TRY(reserve_buffer(f, rows->n * (int64_t)sizeof(double)));
    for (int32_t i = 0; i < f->n; i++) {
        const scs_open_field *o = &f->field[i];
        const void *data = scs_result_fields_data(rows, &o->field, f->buffer);

        if (o->field.late)
            continue;
        SCS_REQUIRE(data, SCS_EINTERNAL, "a result without values of %s", o->field.path);
        scs_hash64_add(&all, data, rows->n * o->row_bytes);
        SCS_TRY(transfer_rows(f, o, rows->first, rows->n, NULL, data));
    }
    *sum = scs_hash64_end(&all);
    return SCS_OK;
}

/* Found by its path, as late fields are. */
scs_status scs_store_file_put_column(scs_result_file *f, const char *path, const double *values)
{
    for (int32_t i = 0; i < f->n; i++)
        if (strcmp(f->field[i].field.path, path) == 0)
            return transfer_rows(f, &f->field[i], 0, f->head->plan->n, NULL, values);
    return SCS_FAIL(SCS_EINTERNAL, "%s: no field %s", f->path, path);
}

scs_status scs_store_file_put_late(scs_result_file *f, const scs_result_rows *rows)
{
    for (int32_t i = 0; i < f->n; i++) {
        const scs_open_field *o = &f->field[i];

        if (o->field.late && o->field.cols > 0)
            SCS_TRY(transfer_rows(f, o, rows->first, rows->n, NULL,
                                  scs_result_fields_data(rows, &o->field, NULL)));
    }
    return SCS_OK;
}

/* Read rows back. Local. @param[out] sum of their bytes */
static scs_status result_file_sum(scs_result_file *f, int64_t first, int64_t n, uint64_t *sum)
{
    scs_hash64 all = scs_hash64_begin();

    for (int32_t i = 0; i < f->n; i++) {
        const scs_open_field *o = &f->field[i];

        if (o->field.late)
            continue;
        SCS_TRY(reserve_buffer(f, n * o->row_bytes));
        SCS_TRY(transfer_rows(f, o, first, n, f->buffer, NULL));
        scs_hash64_add(&all, f->buffer, n * o->row_bytes);
    }
    *sum = scs_hash64_end(&all);
    return SCS_OK;
}

/* Read the fields of one number a row back, for all rows. Local.
 *  @param[out] all delta_norm, score and confidence [plan->n] are filled */
static scs_status result_file_numbers(scs_result_file *f, scs_result_rows *all)
{
    for (int32_t i = 0; i < f->n; i++) {
        const scs_open_field *o = &f->field[i];
        int64_t step = NUMBERS_AT_ONCE;

        if (o->field.cols > 0)
            continue;
        SCS_TRY(reserve_buffer(f, step * o->row_bytes));
        for (int64_t first = 0; first < f->head->plan->n; first += step) {
            int64_t left = f->head->plan->n - first, n = left < step ? left : step;

            SCS_TRY(transfer_rows(f, o, first, n, f->buffer, NULL));
            (void)scs_result_fields_place(&o->field, f->buffer, first, n, all);
        }
    }
    return SCS_OK;
}

/* The superblock (version 0) says in these bytes whether the file is open for writing: they
 * change, so they are in no sum. */
enum { FLAGS_BEGIN = 20, FLAGS_END = 24 };

/* Counted even if it cannot be opened, so that closing finds it. */
static scs_status open_field_of(scs_result_file *f, const scs_result_field *field)
{
    scs_open_field *o = &f->field[f->n++];

    *o = (scs_open_field){.field = *field,
                          .set = H5Dopen2(f->file, field->path, H5P_DEFAULT),
                          .type = scs_result_type(field->type),
                          .cols = field->cols > 0 ? field->cols : 1};
    o->row_bytes = o->cols * (int64_t)scs_result_fields_value_size(field->type);
    return o->set < 0 ? scs_h5_failed(f->file, "open", field->path) : SCS_OK;
}

/* The fields that the head asks for, in their fixed order, which the sums follow. */
static scs_status open_fields(scs_result_file *f)
{
    scs_result_field field[SCS_RESULT_FIELDS];
    int32_t n = scs_result_fields(f->head, field);

    for (int32_t i = 0; i < n; i++)
        SCS_TRY(open_field_of(f, &field[i]));
    return SCS_OK;
}

/* @param access a file access list; closed here */
static scs_status open_file(scs_result_file *f, hid_t access, unsigned mode)
{
    if (access >= 0 && H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0)
        f->file = H5Fopen(f->path, mode, access);
    if (access >= 0)
        (void)H5Pclose(access);
    SCS_REQUIRE(f->file >= 0, SCS_EIO, "%.*s: cannot be opened through HDF5",
                scs_file_written_length(f->path), f->path);
    return open_fields(f);
}

/* HDF5's own printing of errors is off: scs_h5_failed makes the one line that is printed. */
static scs_status create(const char *path, const scs_result_head *head, scs_comm *comm,
                         scs_result_file **file)
{
    SCS_TRY(SCS_ALLOC(*file, 1));
    **file = (scs_result_file){
        .path = path, .head = head, .file = H5I_INVALID_HID, .transfer = H5P_DEFAULT, .comm = comm};
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return SCS_OK;
}

/* Open MPI 4.1 hangs where MPI_File_open fails on some ranks only: a rank that cannot open the file
 * has to say so before. */
static scs_status try_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    SCS_REQUIRE(fd >= 0, SCS_EIO, "%.*s: cannot be opened: %s", scs_file_written_length(path), path,
                strerror(errno));
    (void)close(fd);
    return SCS_OK;
}

/* HDF5's property lists of access and transfer. */
static scs_status make_lists(scs_result_file *f, hid_t *access)
{
    *access = H5Pcreate(H5P_FILE_ACCESS);
    f->transfer = H5Pcreate(H5P_DATASET_XFER);
    SCS_REQUIRE(*access >= 0 && f->transfer >= 0, SCS_EINTERNAL, "%.*s: HDF5 makes no lists",
                scs_file_written_length(f->path), f->path);
    return SCS_OK;
}

/* Independent transfers: ranks write when they have something. HDF5 duplicates the communicator
 * here, so all ranks have to come. */
static scs_status set_access(scs_result_file *f, hid_t access)
{
    herr_t shared = H5Pset_fapl_mpio(access, scs_comm_mpi(f->comm), MPI_INFO_NULL);

    SCS_REQUIRE(shared >= 0 && H5Pset_dxpl_mpio(f->transfer, H5FD_MPIO_INDEPENDENT) >= 0,
                SCS_EINTERNAL, "%.*s: HDF5 gives no access through MPI-IO",
                scs_file_written_length(f->path), f->path);
    return SCS_OK;
}

/* Before the file is open. */
static void drop(scs_result_file **file, hid_t access)
{
    if (access >= 0)
        (void)H5Pclose(access);
    if (*file && (*file)->transfer != H5P_DEFAULT && (*file)->transfer >= 0)
        (void)H5Pclose((*file)->transfer);
    free(*file);
    *file = NULL;
}

/* Open a skeleton (scs_result_skeleton) on all ranks through MPI-IO. Collective. */
static scs_status result_file_open(scs_comm *comm, const char *path, const scs_result_head *head,
                                   scs_result_file **file)
{
    hid_t access = H5I_INVALID_HID;
    scs_status st = create(path, head, comm, file), closed;

    if (st == SCS_OK)
        st = try_open(path);
    if (st == SCS_OK)
        st = make_lists(*file, &access);
    st = scs_comm_agree(comm, st);
    if (st == SCS_OK)
        st = scs_comm_agree(comm, set_access(*file, access));
    if (st != SCS_OK) {
        drop(file, access);
        return st;
    }
    st = scs_comm_agree(comm, open_file(*file, access, H5F_ACC_RDWR));
    if (st != SCS_OK) {
        closed = scs_store_file_close(file);
        (void)closed; /* the first failure is the one to report */
    }
    return st;
}

/* Without MPI-IO: rows are read as they lie on the disk, by another way than they were written. */
scs_status scs_store_file_open_alone(const char *path, const scs_result_head *head,
                                     scs_result_file **file)
{
    SCS_TRY(create(path, head, NULL, file));
    return open_file(*file, H5Pcreate(H5P_FILE_ACCESS), H5F_ACC_RDONLY);
}

/* All of them; the first failure is kept. */
static scs_status close_fields(scs_result_file *f)
{
    scs_status st = SCS_OK;

    for (int32_t i = 0; i < f->n; i++) {
        if (f->field[i].type >= 0)
            (void)H5Tclose(f->field[i].type);
        if (f->field[i].set >= 0 && H5Dclose(f->field[i].set) < 0 && st == SCS_OK)
            st = scs_h5_failed(f->file, "close", f->field[i].field.path);
    }
    return st;
}

/* Every close is checked: on a full disk HDF5 may fail only here. */
static scs_status close_file(scs_result_file *f)
{
    scs_status st = close_fields(f);

    if (f->comm && f->file >= 0 && st == SCS_OK && H5Fflush(f->file, H5F_SCOPE_GLOBAL) < 0)
        st = scs_h5_failed(f->file, "flush", "/");
    if (f->file >= 0 && !scs_h5_shut(f->file) && st == SCS_OK)
        st = SCS_FAIL(SCS_EIO, "%.*s: cannot be closed, so it may be incomplete",
                      scs_file_written_length(f->path), f->path);
    if (f->transfer > 0)
        (void)H5Pclose(f->transfer);
    return st;
}

/* The struct is gone afterwards, whatever happened. */
scs_status scs_store_file_close(scs_result_file **file)
{
    scs_result_file *f = *file;
    scs_comm *comm = f ? f->comm : NULL;
    scs_status st = SCS_OK;

    if (f) {
        st = close_file(f);
        free(f->buffer);
    }
    free(f);
    *file = NULL;
    return comm ? scs_comm_agree(comm, st) : st;
}

/* Offsets of contiguous data sets: they exist once the skeleton has allocated them. */
scs_status scs_store_file_ranges(scs_result_file *f, int64_t (*range)[2], int32_t *n)
{
    *n = f->n + 1;
    range[f->n][0] = FLAGS_BEGIN;
    range[f->n][1] = FLAGS_END;
    for (int32_t i = 0; i < f->n; i++) {
        range[i][0] = (int64_t)H5Dget_offset(f->field[i].set);
        range[i][1] = range[i][0] + f->head->plan->n * f->field[i].row_bytes;
        SCS_REQUIRE(range[i][0] > 0, SCS_EIO, "%.*s: %s has no place",
                    scs_file_written_length(f->path), f->path, f->field[i].field.path);
    }
    return SCS_OK;
}

/* ---- The store: what is there, and whether it is this screen's ---- */

/* Remove the unfinished file and its map. The map goes first: without it, the other is nothing.
 * Local. */
static scs_status store_remove_files(const scs_screen_store *s)
{
    SCS_TRY(scs_file_remove(s->done_path));
    return scs_file_remove(s->part);
}

/* Of the network and of the latent atlas, which is alike on all ranks. */
static uint64_t weights_sum(const scs_session *session)
{
    const scs_atlas *a = session->atlas;
    scs_hash64 sum = scs_hash64_begin();

    if (session->model) {
        const scs_model *m = session->model;

        scs_hash64_add(&sum, m->param, m->n_param * (int64_t)sizeof *m->param);
        scs_hash64_add(&sum, m->running, m->n_running * (int64_t)sizeof *m->running);
    }
    scs_hash64_add(&sum, a->mean, (int64_t)a->n_group * a->n_latent * (int64_t)sizeof *a->mean);
    return scs_hash64_end(&sum);
}

/* What this job's screen is made of; the skeleton's part is filled in when it is made. Rank 0. */
static scs_status make_key(const scs_screen_store *s, int64_t n_unit, scs_done_key *key)
{
    const scs_session *session = s->session;
    const char *features = session->config->screen.perturbation_features;

    *key = (scs_done_key){.weights = weights_sum(session),
                          .head = scs_result_head_sum(s->head),
                          .n_block = s->n_block,
                          .n_unit = n_unit,
                          .n_shard = session->team.n_shard};
    SCS_TRY(scs_config_print_affecting(session->config, SCS_AFFECTS_RESULT, &key->config));
    SCS_TRY(SCS_ALLOC(key->data, SCS_CHECKSUM_MAX));
    SCS_TRY(scs_text_copy(SCS_PROGRAM, &key->program));
    SCS_TRY(scs_dataset_checksum(session->dataset, (const scs_h5ad *const *)session->meta,
                                 session->input_checksum, key->data));
    return *features ? scs_features_checksum(features, key->data) : SCS_OK;
}

/* SCS_EARG with the keys that differ. */
static scs_status other_config(const scs_screen_store *s, const scs_done_key *old)
{
    scs_stored stored = {.path = s->part,
                         .text = old->config,
                         .affects = SCS_AFFECTS_RESULT,
                         .exact = true,
                         .was = "the stopped screen had",
                         .otherwise = "to go on, or begin anew with --restart"};

    return scs_stored_check(&stored, s->session->config);
}

/* Another screen's rows are not thrown away unasked: SCS_EARG, SCS_EDATA with what differs. */
static scs_status check_same(const scs_screen_store *s, const scs_done_key *old,
                             const scs_done_key *now)
{
    const char *what =
        strcmp(old->program, now->program) != 0 ? "was made by another scscreen"
        : strcmp(old->data, now->data) != 0     ? "saw other data"
        : old->weights != now->weights          ? "had another model"
        : old->head != now->head || old->n_block != now->n_block || old->n_unit != now->n_unit
            ? "had other rows"
            : NULL;

    if (strcmp(old->config, now->config) != 0)
        return other_config(s, old);
    SCS_REQUIRE(
        old->n_shard == now->n_shard || old->n_shard == 0, SCS_EDATA,
        "%s: the stopped screen had %lld shards, with these ranks there are %lld "
        "(train.shards: auto); start it on %lld ranks to go on, or begin anew with --restart",
        s->part, (long long)old->n_shard, (long long)now->n_shard, (long long)old->n_shard);
    SCS_REQUIRE(!what, SCS_EDATA,
                "%s: the stopped screen %s; put that back to go on, or begin anew with --restart",
                s->part, what);
    return SCS_OK;
}

/* Whether the unfinished file and its map are there, whole and of this screen. Damage costs a
 * warning, and *found is false. */
static scs_status find_old(const scs_screen_store *s, const scs_done_key *now, bool *found)
{
    scs_done_key old = {0};
    uint64_t skeleton = 0;
    scs_status st;

    *found = false;
    if (!s->session->config->train.resume || access(s->done_path, F_OK) != 0 ||
        access(s->part, F_OK) != 0)
        return SCS_OK;
    st = scs_done_map_probe(s->done_path, &old);
    if (st == SCS_OK)
        SCS_GO(st, check_same(s, &old, now));
    if (st == SCS_OK)
        st = scs_hash64_gaps(s->part, old.range, old.n_range, &skeleton);
    if (st == SCS_OK && skeleton != old.skeleton)
        st = SCS_FAIL(SCS_EDATA, "%s: is damaged", s->part);
    *found = st == SCS_OK;
    if (st == SCS_EDATA || st == SCS_EIO) {
        fprintf(stderr, "scscreen: warning: %s; screening begins anew\n", scs_message());
        st = SCS_OK;
    }
done:
    scs_done_map_key_clear(&old);
    return st;
}

/* The skeleton, then the map that has its sum: without a map no later job takes the file for one
 * to go on with. */
static scs_status begin(scs_screen_store *s, scs_done_key *key, const int64_t *unit_first)
{
    scs_result_file *alone = NULL;
    scs_status st, closed;

    SCS_TRY(store_remove_files(s));
    SCS_TRY(scs_result_skeleton(s->part, s->head));
    st = scs_store_file_open_alone(s->part, s->head, &alone);
    if (st == SCS_OK)
        st = scs_store_file_ranges(alone, key->range, &key->n_range);
    closed = scs_store_file_close(&alone);
    st = st == SCS_OK ? closed : st;
    if (st == SCS_OK)
        st = scs_hash64_gaps(s->part, key->range, key->n_range, &key->skeleton);
    if (st == SCS_OK)
        st = scs_done_map_create(s->done_path, key, unit_first);
    if (st != SCS_OK)
        (void)unlink(s->part);
    return st;
}

/* Go on with the unfinished file in output.dir, or begin one. Rank 0 alone. Local.
 * SCS_EARG, SCS_EDATA where that was another screen; SCS_ECREATE: no room.
 *  @param s its files have names; resumed and fd are set */
static scs_status store_prepare(scs_screen_store *s, const int64_t *unit_first, int64_t n_unit)
{
    scs_done_key key = {0};
    scs_status st;

    SCS_GO(st, make_key(s, n_unit, &key));
    SCS_GO(st, find_old(s, &key, &s->resumed));
    if (!s->resumed)
        SCS_GO(st, begin(s, &key, unit_first));
    s->fd = open(s->part, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be opened: %s", s->path, strerror(errno));
done:
    scs_done_map_key_clear(&key);
    return st;
}

/* In output.dir. */
static scs_status name_files(const scs_session *session, scs_screen_store *s)
{
    SCS_TRY(scs_session_path(session, SCS_SCREEN_FILE, s->path, sizeof s->path));
    SCS_TRY(scs_session_path(session, SCS_SCREEN_PART, s->part, sizeof s->part));
    return scs_session_path(session, SCS_SCREEN_DONE, s->done_path, sizeof s->done_path);
}

/* Of a block; the last one may be shorter. */
static int64_t rows_of(const scs_screen_store *s, int64_t block)
{
    int64_t left = s->head->plan->n - block * s->block_rows;

    return left < s->block_rows ? left : s->block_rows;
}

/* What is noted as done and reads back as it was written; each rank looks at every n_rank-th
 * block. */
static scs_status compare_old(scs_screen_store *s)
{
    int32_t rank = scs_comm_rank(s->session->comm), n_rank = scs_comm_size(s->session->comm);

    for (int64_t b = rank; b < s->n_block; b += n_rank) {
        uint64_t sum;

        if (s->sum[b] == 0)
            continue;
        SCS_TRY(result_file_sum(s->file, b * s->block_rows, rows_of(s, b), &sum));
        s->done[b] = sum == s->sum[b];
    }
    return SCS_OK;
}

/* All ranks know all blocks that are done. In pieces whose count fits an int. Collective. */
static scs_status find_done(scs_screen_store *s)
{
    scs_comm *comm = s->session->comm;
    int64_t step = 1 << 30;

    SCS_TRY(scs_comm_agree(comm, scs_done_map_blocks(s->map, s->sum)));
    SCS_TRY(scs_comm_agree(comm, compare_old(s)));
    for (int64_t b = 0; b < s->n_block; b += step)
        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, s->done + b,
                              (int)(s->n_block - b < step ? s->n_block - b : step), MPI_UINT8_T,
                              MPI_BOR, scs_comm_mpi(comm)));
    for (int64_t b = 0; b < s->n_block; b++)
        s->n_done += s->done[b];
    memset(s->sum, 0, (size_t)s->n_block * sizeof *s->sum);
    return SCS_OK;
}

/* File and map, then what is done. Collective. */
static scs_status open_files(scs_screen_store *s, const int64_t *unit_first)
{
    scs_comm *comm = s->session->comm;

    SCS_TRY(result_file_open(comm, s->part, s->head, &s->file));
    SCS_TRY(scs_comm_agree(comm, scs_done_map_open(s->done_path, unit_first, &s->map)));
    return find_done(s);
}

/* Sizes and names, alike on all ranks. Local. */
static scs_status set_up(const scs_session *session, const scs_result_head *head,
                         scs_screen_store *s)
{
    *s = (scs_screen_store){.session = session, .head = head, .fd = -1};
    s->block_rows = scs_result_fields_block_rows(head);
    s->n_block = (head->plan->n + s->block_rows - 1) / s->block_rows;
    SCS_TRY(name_files(session, s));
    SCS_TRY(SCS_ALLOC(s->sum, s->n_block));
    return SCS_ALLOC(s->done, s->n_block);
}

/* Rank 0 prepares the files alone while the others wait in the agreement; the watchdog covers that
 * too. */
scs_status scs_store_open(const scs_session *session, const scs_result_head *head,
                          const int64_t *unit_first, int64_t n_unit, scs_screen_store *store)
{
    scs_comm *comm = session->comm;
    uint8_t resumed;
    scs_status st;

    SCS_TRY(scs_comm_agree(comm, set_up(session, head, store)));
    scs_watchdog_begin(comm, store->path);
    st = scs_comm_agree(comm, scs_session_leads(session) ? store_prepare(store, unit_first, n_unit)
                                                         : SCS_OK);
    resumed = store->resumed;
    if (st == SCS_OK)
        st = scs_comm_broadcast(comm, &resumed, 1);
    store->resumed = resumed;
    scs_watchdog_step(comm, "opening");
    if (st == SCS_OK)
        st = open_files(store, unit_first);
    scs_watchdog_end(comm);
    return st;
}

/* The rows first, then the slot that says so. */
scs_status scs_store_put(scs_screen_store *store, int64_t block, const scs_result_rows *rows)
{
    scs_comm *comm = store->session->comm;
    scs_status st;

    scs_watchdog_begin_alone(comm, store->path);
    st = result_file_put(store->file, rows, &store->sum[block]);
    if (st == SCS_OK)
        st = scs_done_map_put_block(store->map, block, store->sum[block]);
    scs_watchdog_end(comm);
    return st;
}

/* ---- The end ---- */

/* SCS_EIO with the rows that do not read back as they were written. */
static scs_status compare_block(const scs_screen_store *s, scs_result_file *alone, int64_t block)
{
    int64_t first = block * s->block_rows, n = rows_of(s, block);
    uint64_t sum;

    SCS_TRY(result_file_sum(alone, first, n, &sum));
    SCS_REQUIRE(sum == s->sum[block], SCS_EIO,
                "%s does not read back as it was written (rows %lld to %lld); check the disk",
                s->path, (long long)first, (long long)(first + n - 1));
    return SCS_OK;
}

/* This rank's own blocks, through a file opened anew and alone. Local. */
static scs_status compare_new(const scs_screen_store *s, scs_result_rows *numbers)
{
    scs_result_file *alone = NULL;
    scs_status st, closed;

    st = scs_store_file_open_alone(s->part, s->head, &alone);
    for (int64_t b = 0; b < s->n_block && st == SCS_OK; b++)
        if (s->sum[b]) {
            scs_watchdog_step(s->session->comm, "reading back");
            st = compare_block(s, alone, b);
        }
    if (st == SCS_OK && numbers)
        st = result_file_numbers(alone, numbers);
    closed = scs_store_file_close(&alone);
    return st != SCS_OK ? st : closed;
}

/* Only the file that this job wrote into gets the name: somebody may have removed or replaced it.
 * Rank 0. */
static scs_status rename_part(const scs_screen_store *s)
{
    struct stat ours, there;

    SCS_REQUIRE(fstat(s->fd, &ours) == 0 && stat(s->part, &there) == 0 &&
                    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev,
                SCS_EIO, "%s: was removed or replaced by somebody else", s->part);
    SCS_TRY(scs_result_commit(s->part, s->path));
    return scs_file_remove(s->done_path);
}

/* Flush and close, read back, rename, remove the map: each step only after all ranks have done the
 * one before. The file has its name before the map goes, so a kill in between leaves a finished
 * screen. */
scs_status scs_store_commit(scs_screen_store *s, scs_result_rows *numbers)
{
    scs_comm *comm = s->session->comm;
    scs_status st;

    scs_watchdog_begin(comm, s->path);
    scs_watchdog_step(comm, "flushing");
    st = scs_store_file_close(&s->file);
    if (st == SCS_OK)
        st = scs_comm_agree(comm, compare_new(s, numbers));
    scs_watchdog_step(comm, "renaming");
    if (st == SCS_OK)
        st = scs_comm_agree(comm, scs_session_leads(s->session) ? rename_part(s) : SCS_OK);
    scs_watchdog_end(comm);
    return st;
}

/* The map's close may report that what was put did not reach the disk. */
scs_status scs_store_close(scs_screen_store *s)
{
    scs_status st = SCS_OK, closed;

    if (!s->session)
        return SCS_OK;
    if (s->file)
        st = scs_store_file_close(&s->file);
    closed = scs_done_map_close(&s->map);
    free(s->sum);
    free(s->done);
    if (s->fd >= 0)
        (void)close(s->fd);
    *s = (scs_screen_store){0};
    return st != SCS_OK ? st : closed;
}
