/* obs and var are read by the functions that read those of inputs; text only in the sandbox. */
#include "src/data/latent_file.h"

#include "src/base/sandbox.h"
#include "src/base/text.h"
#include "src/data/h5ad_internal.h"
#include "src/hdf5/h5read.h"
#include "src/hdf5/h5text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 10 };

/* Beside the names: HDF5 itself. */
static const int64_t SLACK = (int64_t)1 << 30;
static const int64_t MEMORY = (int64_t)16 << 30;

void scs_latent_file_clear(scs_latent_file *file)
{
    free(file->path);
    free(file->matrix);
    free(file->model_checksum);
    scs_names_clear(&file->genes);
    *file = (scs_latent_file){0};
}

scs_status scs_latent_file_put(const scs_latent_file *file, scs_bytes *out)
{
    SCS_TRY(scs_bytes_put_text(out, file->path));
    SCS_TRY(scs_bytes_put_text(out, file->matrix));
    SCS_TRY(scs_bytes_put_int(out, file->n_cell));
    SCS_TRY(scs_bytes_put_int(out, file->n_latent));
    SCS_TRY(scs_bytes_put_names(out, &file->genes));
    return scs_bytes_put_text(out, file->model_checksum);
}

scs_status scs_latent_file_get(scs_bytes *in, scs_latent_file *file)
{
    int64_t n_latent = 0;

    SCS_TRY(scs_bytes_get_text(in, &file->path));
    SCS_TRY(scs_bytes_get_text(in, &file->matrix));
    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX - 1, &file->n_cell));
    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX - 1, &n_latent));
    SCS_TRY(scs_bytes_get_names(in, &file->genes));
    SCS_TRY(scs_bytes_get_text(in, &file->model_checksum));
    SCS_REQUIRE(file->path && file->matrix, SCS_EDATA, "a path is absent");
    file->n_latent = (int32_t)n_latent;
    return SCS_OK;
}

/* ---- describing, in the sandbox ---- */

typedef struct task {
    const char *path, *matrix;
    int64_t memory;
} task;

/* SCS_EDATA, with the matrices that there are. */
static scs_status no_matrix(const scs_h5 *h5, const char *wanted)
{
    scs_names members = {0};
    char list[400];
    scs_status st = SCS_OK;

    if (scs_h5_is_group(h5, "obsm"))
        SCS_GO(st, scs_h5_members(h5, "obsm", &members));
    scs_names_list(&members, LISTED, list, sizeof list);
    st = SCS_FAIL(SCS_EDATA,
                  "%s: has no latent coordinates %s; obsm has: %s; name one: decode.matrix: "
                  "obsm/NAME",
                  h5->path, wanted, members.n ? list : "nothing");
done:
    scs_names_clear(&members);
    return st;
}

/* A group is a sparse matrix or a data frame. SCS_EDATA. @param[out] file its matrix */
static scs_status take_matrix(const scs_h5 *h5, const char *name, scs_latent_file *file)
{
    SCS_REQUIRE(!scs_h5_is_group(h5, name), SCS_EDATA,
                "%s: %s is a sparse matrix or a data frame; store the coordinates as an array "
                "(.toarray(), .to_numpy())",
                h5->path, name);
    return scs_text_copy(name, &file->matrix);
}

/* @param[out] file its matrix */
static scs_status choose_matrix(const scs_h5 *h5, const char *wanted, scs_latent_file *file)
{
    static const char *const usual[] = {"obsm/X_scgen", "obsm/latent", "X"};

    if (*wanted)
        return scs_h5_exists(h5, wanted) ? take_matrix(h5, wanted, file) : no_matrix(h5, wanted);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (scs_h5_exists(h5, usual[i]))
            return take_matrix(h5, usual[i], file);
    return no_matrix(h5, "(obsm/X_scgen, obsm/latent or X)");
}

/* One row for each cell, of numbers. */
static scs_status check_matrix(const scs_h5 *h5, scs_latent_file *file)
{
    scs_names cells = {0};
    scs_h5_shape shape;
    scs_status st;

    SCS_TRY(scs_h5_shape_of(h5, file->matrix, &shape));
    SCS_REQUIRE(shape.rank == 2 && (shape.type == H5T_FLOAT || shape.type == H5T_INTEGER) &&
                    shape.dim[1] < INT32_MAX,
                SCS_EDATA, "%s: %s is no table of numbers, cells x latent units", h5->path,
                file->matrix);
    SCS_GO(st, scs_h5ad_obs_index(h5, "obs", &cells));
    if (cells.n != shape.dim[0])
        SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: %s has %lld rows, obs %d; the file is damaged",
                            h5->path, file->matrix, (long long)shape.dim[0], cells.n));
    file->n_cell = shape.dim[0];
    file->n_latent = (int32_t)shape.dim[1];
done:
    scs_names_clear(&cells);
    return st;
}

/* Which model the coordinates are by, where the file says so. */
static scs_status read_model(const scs_h5 *h5, scs_latent_file *file)
{
    static const char path[] = "uns/scscreen/model_checksum";
    scs_names text = {0};
    scs_status st = SCS_OK;

    if (!scs_h5_exists(h5, path))
        return SCS_OK;
    SCS_GO(st, scs_h5_read_strings(h5, path, &text));
    if (text.n == 1)
        SCS_GO(st, scs_text_copy(text.name[0], &file->model_checksum));
done:
    scs_names_clear(&text);
    return st;
}

/* @param arg a task */
static scs_status describe(void *arg, scs_bytes *out)
{
    const task *t = arg;
    scs_latent_file file = {0};
    scs_h5 h5 = {0};
    scs_status st;

    SCS_GO(st, scs_h5_open(t->path, t->memory, &h5));
    SCS_GO(st, scs_text_copy(t->path, &file.path));
    if (!scs_h5_exists(&h5, "obs"))
        SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: is no AnnData file: it lacks obs", t->path));
    SCS_GO(st, choose_matrix(&h5, t->matrix, &file));
    SCS_GO(st, check_matrix(&h5, &file));
    /* X itself is of latent units, and so is var then. */
    if (scs_h5_exists(&h5, "var") && strcmp(file.matrix, "X") != 0)
        SCS_GO(st, scs_h5ad_obs_index(&h5, "var", &file.genes));
    SCS_GO(st, read_model(&h5, &file));
    SCS_GO(st, scs_latent_file_put(&file, out));
done:
    scs_h5_close(&h5);
    scs_latent_file_clear(&file);
    return st;
}

scs_status scs_latent_file_probe(const char *path, const char *matrix, int64_t memory,
                                 scs_latent_file *file)
{
    task t = {path, matrix, memory > 0 ? memory : MEMORY};
    scs_bytes out = {0};
    scs_status st;

    SCS_GO(st, scs_sandbox_run(path, describe, &t,
                               &(scs_sandbox_limits){.memory = t.memory + SLACK}, &out));
    SCS_GO(st, scs_latent_file_get(&out, file));
done:
    scs_bytes_clear(&out);
    return st;
}

/* ---- rows ---- */

scs_status scs_latent_file_read(const scs_latent_file *file, int64_t first, int64_t n, float *z)
{
    scs_h5 h5 = {0};
    scs_status st;

    if (n == 0)
        return SCS_OK;
    SCS_TRY(scs_h5_open(file->path, 0, &h5));
    SCS_GO(st, scs_h5_read_rows(&h5, file->matrix, first, n, z));
    for (int64_t i = 0; i < n * file->n_latent; i++)
        if (!isfinite(z[i]))
            SCS_GO(st, SCS_FAIL(SCS_EDATA,
                                "%s: %s: cell row %lld has a value that is not finite; take the "
                                "cell out",
                                file->path, file->matrix, (long long)(first + i / file->n_latent)));
done:
    scs_h5_close(&h5);
    return st;
}
