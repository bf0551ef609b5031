/* model.h5: what it holds and where, its writer, reader and check. All functions are Local.
 *
 *     state_dict/NAME    float32, torch's own layout, scGen's own names
 *     var_names          genes
 *     config             YAML of the run, one text
 *     inputs             checksums of the input files, where they are known
 *     atlas/species, cell_types, conditions       names
 *     atlas/group        int64 [n_group, 5] species, cell type, condition, held out, count
 *     atlas/mean           float64 [n_group, n_latent]
 *     atlas/second         float64 [n_group, n_latent n_latent]
 *     atlas/gene_mean      float32 [n_group, n_gene]
 *     atlas/gene_variance  float32 [n_group, n_gene]
 *     atlas/deg            int32 [n_group, 100], -1 past the last gene
 *     attributes: / profile; atlas control (position in conditions)
 *
 * The names are scGen's, so that its weights load here and ours load there. Nothing in the file
 * is of ranks or shards.
 *
 * A file is read in two steps, because it is not trusted. The probe takes its words and shapes,
 * in a forked child with limits on memory and time before MPI starts (text is what crashes HDF5),
 * and what the child sends is checked again as it is unpacked; it also compares shapes with each
 * other, so that a small file cannot claim a large network. Numbers are then read straight into a
 * model and an atlas of these shapes, each shape checked and NaN and Inf refused.
 *
 * A file is written under another name, synced, read back and compared byte by byte, given a
 * checksum of all its bytes, and renamed (h5write.h): an error of the disk is found while the older
 * file is still there.
 */
#include "src/hdf5/h5text.h"
#include "src/base/bytes.h"
#include "src/base/checksum.h"
#include "src/base/sandbox.h"
#include "src/hdf5/h5read.h"
#include "src/hdf5/h5write.h"
#include "scscreen/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP_COLUMNS = 5,    /* of atlas/group */
    N_ATLAS_ARRAY = 5,    /* numeric arrays of the atlas */
    TENSOR_PATH_MAX = 96, /* bytes of "state_dict/NAME" */
    MOST_LAYERS = 8,      /* hidden layers that are looked for */
    PROBE_MEMORY = 1 << 30
};

/* One numeric array of the atlas. */
typedef struct atlas_array {
    const char *path;
    hid_t type;  /* H5T_NATIVE_DOUBLE, _FLOAT or _INT32 */
    size_t size; /* bytes of an element */
    void *data;  /* [rows, cols]; borrowed from the atlas */
    int64_t rows, cols;
} atlas_array;

/* The one list of them: writer, reader and check walk along it. @param[out] array
 * [N_ATLAS_ARRAY] */
static void atlas_arrays(const scs_atlas *atlas, atlas_array *array)
{
    const scs_atlas *a = atlas;
    int64_t n = a->n_group, latent = a->n_latent, gene = a->n_gene;
    const atlas_array all[] = {{.path = "atlas/mean",
                                .type = H5T_NATIVE_DOUBLE,
                                .size = sizeof *a->mean,
                                .data = a->mean,
                                .rows = n,
                                .cols = latent},
                               {.path = "atlas/second",
                                .type = H5T_NATIVE_DOUBLE,
                                .size = sizeof *a->second,
                                .data = a->second,
                                .rows = n,
                                .cols = latent * latent},
                               {.path = "atlas/gene_mean",
                                .type = H5T_NATIVE_FLOAT,
                                .size = sizeof *a->gene_mean,
                                .data = a->gene_mean,
                                .rows = n,
                                .cols = gene},
                               {.path = "atlas/gene_variance",
                                .type = H5T_NATIVE_FLOAT,
                                .size = sizeof *a->gene_variance,
                                .data = a->gene_variance,
                                .rows = n,
                                .cols = gene},
                               {.path = "atlas/deg",
                                .type = H5T_NATIVE_INT32,
                                .size = sizeof *a->deg,
                                .data = a->deg,
                                .rows = n,
                                .cols = SCS_N_DEG}};
    _Static_assert(sizeof all / sizeof *all == N_ATLAS_ARRAY, "its count");

    for (int i = 0; i < N_ATLAS_ARRAY; i++)
        array[i] = all[i];
}

/* SCS_EDATA where it is missing or of another shape, with both shapes.
 * @param cols 0 for a vector */
static scs_status check_shape(const scs_h5 *h5, const char *path, int64_t rows, int64_t cols)
{
    scs_h5_shape shape;

    SCS_REQUIRE(scs_h5_exists(h5, path), SCS_EDATA,
                "%s: %s is missing; this is not the model the configuration describes", h5->path,
                path);
    SCS_TRY(scs_h5_shape_of(h5, path, &shape));
    SCS_REQUIRE(shape.rank == (cols ? 2 : 1) && shape.dim[0] == rows &&
                    (!cols || shape.dim[1] == cols),
                SCS_EDATA, "%s: %s has shape [%lld, %lld], expected [%lld, %lld]", h5->path, path,
                (long long)shape.dim[0], (long long)(shape.rank == 2 ? shape.dim[1] : 0),
                (long long)rows, (long long)cols);
    return SCS_OK;
}

/* SCS_EDATA, with the place of the value. */
static scs_status refuse_value(const scs_h5 *h5, const char *path, int64_t at)
{
    return SCS_FAIL(SCS_EDATA, "%s: %s holds a NaN or an infinite value (element %lld)", h5->path,
                    path, (long long)at);
}

/* No NaN and no Inf (SCS_EDATA). @param x [n] of the array at path */
static scs_status check_floats(const scs_h5 *h5, const char *path, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return refuse_value(h5, path, i);
    return SCS_OK;
}

/* @param[out] out [rows, cols]; NaN and Inf are refused (SCS_EDATA) */
static scs_status read_floats(const scs_h5 *h5, const atlas_array *a, float *out)
{
    SCS_TRY(scs_h5_read_rows(h5, a->path, 0, a->rows, out));
    return check_floats(h5, a->path, out, a->rows * a->cols);
}

/* The same in double. */
static scs_status read_doubles(const scs_h5 *h5, const atlas_array *a, double *out)
{
    SCS_TRY(scs_h5_read_rows_double(h5, a->path, 0, a->rows, out));
    for (int64_t i = 0; i < a->rows * a->cols; i++)
        if (!isfinite(out[i]))
            return refuse_value(h5, a->path, i);
    return SCS_OK;
}

/* Genes of the DEG lists: -1 or an index (SCS_EDATA); that it is a gene of this atlas is
 * checked by check_genes. @param[out] out [rows, cols] */
static scs_status read_integers(const scs_h5 *h5, const atlas_array *a, int32_t *out)
{
    int64_t *wide, n = a->rows * a->cols;
    scs_status st;

    SCS_TRY(SCS_ALLOC(wide, n));
    st = scs_h5_read_rows_int64(h5, a->path, 0, a->rows, wide);
    for (int64_t i = 0; i < n && st == SCS_OK; i++) {
        if (wide[i] < -1 || wide[i] > INT32_MAX)
            st = SCS_FAIL(SCS_EDATA, "%s: %s holds %lld, which is no gene", h5->path, a->path,
                          (long long)wide[i]);
        out[i] = (int32_t)wide[i];
    }
    free(wide);
    return st;
}

/* Read with the shape checked, NaN and Inf refused. @param[out] out [rows, cols] of its type */
static scs_status read_atlas_array(const scs_h5 *h5, const atlas_array *array, void *out)
{
    SCS_TRY(check_shape(h5, array->path, array->rows, array->cols));
    if (array->rows == 0)
        return SCS_OK;
    if (array->type == H5T_NATIVE_DOUBLE)
        return read_doubles(h5, array, out);
    if (array->type == H5T_NATIVE_FLOAT)
        return read_floats(h5, array, out);
    return read_integers(h5, array, out);
}

/* "state_dict/NAME". @param[out] path [TENSOR_PATH_MAX] */
static void tensor_path(const char *name, char *path)
{
    snprintf(path, TENSOR_PATH_MAX, "state_dict/%s", name);
}

/* Values of a tensor; cols is 0 for a vector. The model's shapes are checked: no overflow. */
static int64_t tensor_size(const scs_tensor *tensor)
{
    return (int64_t)tensor->rows * (tensor->cols ? tensor->cols : 1);
}

/* Read with the shape checked, NaN and Inf refused. @param[out] values [tensor_size], torch's
 * order */
static scs_status read_tensor(const scs_h5 *h5, const scs_tensor *tensor, float *values)
{
    char path[TENSOR_PATH_MAX];

    tensor_path(tensor->name, path);
    SCS_TRY(check_shape(h5, path, tensor->rows, tensor->cols));
    if (tensor->cols)
        SCS_TRY(scs_h5_read_rows(h5, path, 0, tensor->rows, values));
    else
        SCS_TRY(scs_h5_read_float(h5, path, 0, tensor->rows, values));
    return check_floats(h5, path, values, tensor_size(tensor));
}

/* ---- probe: words and shapes ---- */

/* Shape of a matrix of the state_dict. SCS_EDATA where it is none: the first one that is
 * missing says that this is no model file. @param[out] shape [2] */
static scs_status matrix_shape(const scs_h5 *h5, const char *name, int64_t *shape)
{
    char path[TENSOR_PATH_MAX];
    scs_h5_shape s;

    tensor_path(name, path);
    SCS_REQUIRE(scs_h5_exists(h5, path), SCS_EDATA,
                "%s: no %s, so this is no model file; give model.h5 or scGen's weights by name",
                h5->path, path);
    SCS_TRY(scs_h5_shape_of(h5, path, &s));
    SCS_REQUIRE(s.rank == 2, SCS_EDATA, "%s: %s is no matrix", h5->path, path);
    shape[0] = s.dim[0];
    shape[1] = s.dim[1];
    return SCS_OK;
}

/* Hidden layers of the encoder, by their names, up to MOST_LAYERS; the decoder has to have as
 * many. */
static int64_t count_layers(const scs_h5 *h5)
{
    int64_t n = 0;
    char name[80], path[TENSOR_PATH_MAX];

    for (; n < MOST_LAYERS; n++) {
        snprintf(name, sizeof name, "z_encoder.encoder.fc_layers.Layer %d.0.weight", (int)n);
        tensor_path(name, path);
        if (!scs_h5_exists(h5, path))
            break;
    }
    return n;
}

/* SCS_EDATA where it is missing or of another shape. */
static scs_status check_matrix(const scs_h5 *h5, const char *name, int64_t rows, int64_t columns)
{
    int64_t shape[2] = {0};

    SCS_TRY(matrix_shape(h5, name, shape));
    SCS_REQUIRE(shape[0] == rows && shape[1] == columns, SCS_EDATA,
                "%s: %s is %lld x %lld where %lld x %lld belong", h5->path, name,
                (long long)shape[0], (long long)shape[1], (long long)rows, (long long)columns);
    return SCS_OK;
}

/* The matrices between hidden layers have to be there before memory is asked for them: else a
 * small file that claims wide layers would ask for all there is. Their shapes follow from three
 * numbers, so that each tensor that is read later has its size checked twice. */
static scs_status check_hidden_layers(const scs_h5 *h5, const scs_checkpoint *c)
{
    static const char *const halves[] = {"z_encoder.encoder", "decoder.decoder"};
    char name[80];

    SCS_TRY(check_matrix(h5, "z_encoder.mean_encoder.weight", c->latent, c->hidden));
    SCS_TRY(check_matrix(h5, "decoder.decoder.fc_layers.Layer 0.0.weight", c->hidden, c->latent));
    for (int half = 0; half < 2; half++)
        for (int64_t i = 1; i < c->layers; i++) {
            snprintf(name, sizeof name, "%s.fc_layers.Layer %d.0.weight", halves[half], (int)i);
            SCS_TRY(check_matrix(h5, name, c->hidden, c->hidden));
        }
    return SCS_OK;
}

/* Sizes of the network from its tensors' shapes, and the genes, whose number the first must
 * agree with. Files without anything else, such as scGen's weights exported by name, pass.
 * SCS_EDATA names what is missing or does not fit. */
static scs_status probe_network(const scs_h5 *h5, scs_checkpoint *c)
{
    int64_t first[2], mean[2];

    SCS_TRY(matrix_shape(h5, "z_encoder.encoder.fc_layers.Layer 0.0.weight", first));
    SCS_TRY(matrix_shape(h5, "z_encoder.mean_encoder.weight", mean));
    SCS_REQUIRE(scs_h5_exists(h5, "var_names"), SCS_EDATA,
                "%s: no var_names; a model file names its genes", h5->path);
    SCS_TRY(scs_h5_read_strings(h5, "var_names", &c->genes));
    SCS_REQUIRE(first[1] == c->genes.n, SCS_EDATA, "%s: var_names has %d genes, the network %lld",
                h5->path, c->genes.n, (long long)first[1]);
    SCS_REQUIRE(first[0] > 0 && mean[0] > 0, SCS_EDATA, "%s: a layer of the network is empty",
                h5->path);
    c->hidden = first[0];
    c->layers = count_layers(h5);
    c->latent = mean[0];
    return check_hidden_layers(h5, c);
}

/* The root's attribute; scgen2 where the file does not say, as scGen's own weights do not.
 * SCS_EDATA for another word: constants would be guessed. */
static scs_status probe_profile(const scs_h5 *h5, scs_checkpoint *c)
{
    char *text = NULL;
    bool found, paper;

    c->profile = SCS_PROFILE_SCGEN2;
    SCS_TRY(scs_h5_attr_text(h5, "/", "profile", &text, &found));
    if (!found)
        return SCS_OK;
    paper = strcmp(text, "paper") == 0;
    if (!paper && strcmp(text, "scgen2") != 0) {
        scs_status st = SCS_FAIL(SCS_EDATA, "%s: unknown profile \"%s\"", h5->path, text);

        free(text);
        return st;
    }
    c->profile = paper ? SCS_PROFILE_PAPER : SCS_PROFILE_SCGEN2;
    free(text);
    return SCS_OK;
}

/* The text of the config, which is shown and compared but never followed; "" where there is
 * none. */
static scs_status probe_config(const scs_h5 *h5, scs_checkpoint *c)
{
    scs_names text = {0};
    scs_status st = SCS_OK;

    if (scs_h5_exists(h5, "inputs"))
        SCS_TRY(scs_h5_read_strings(h5, "inputs", &c->inputs));
    if (scs_h5_exists(h5, "config"))
        SCS_TRY(scs_h5_read_strings(h5, "config", &text));
    c->config = strdup(text.n == 1 ? text.name[0] : "");
    if (!c->config)
        st = SCS_FAIL(SCS_ENOMEM, "out of memory: the text of a configuration");
    scs_names_clear(&text);
    return st;
}

/* SCS_EDATA where a label or the count is out of range: later code indexes by them.
 * @param row [GROUP_COLUMNS] */
static scs_status group_from_row(const scs_h5 *h5, const scs_checkpoint *c, const int64_t *row,
                                 scs_group *group)
{
    const scs_lidx n[3] = {c->species.n, c->cell_types.n, c->conditions.n};

    for (int i = 0; i < 3; i++)
        SCS_REQUIRE(row[i] >= 0 && row[i] < n[i], SCS_EDATA,
                    "%s: atlas/group holds the label number %lld of %d", h5->path,
                    (long long)row[i], n[i]);
    SCS_REQUIRE((row[3] == 0 || row[3] == 1) && row[4] > 0, SCS_EDATA,
                "%s: atlas/group holds %lld, %lld as held out and count", h5->path,
                (long long)row[3], (long long)row[4]);
    *group = (scs_group){(int32_t)row[0], (int32_t)row[1], (int32_t)row[2], row[3] == 1, row[4]};
    return SCS_OK;
}

/* [n_group, GROUP_COLUMNS], each row within the names; their order is checked where an atlas is
 * made of them (atlas.c). SCS_EDATA. */
static scs_status probe_groups(const scs_h5 *h5, scs_checkpoint *c)
{
    scs_h5_shape shape;
    int64_t *rows = NULL;
    scs_status st;

    SCS_TRY(scs_h5_shape_of(h5, "atlas/group", &shape));
    SCS_REQUIRE(shape.rank == 2 && shape.dim[1] == GROUP_COLUMNS && shape.dim[0] <= INT32_MAX,
                SCS_EDATA, "%s: atlas/group has a wrong shape", h5->path);
    c->n_group = (int32_t)shape.dim[0];
    SCS_TRY(SCS_ALLOC(c->group, c->n_group));
    SCS_GO(st, SCS_ALLOC(rows, (int64_t)c->n_group * GROUP_COLUMNS));
    if (c->n_group > 0)
        SCS_GO(st, scs_h5_read_rows_int64(h5, "atlas/group", 0, c->n_group, rows));
    for (int32_t g = 0; g < c->n_group; g++)
        SCS_GO(st, group_from_row(h5, c, rows + (int64_t)g * GROUP_COLUMNS, &c->group[g]));
done:
    free(rows);
    return st;
}

/* Names and groups of the latent atlas, if the file has one; its control has to be one of the
 * conditions. SCS_EDATA. */
static scs_status probe_atlas(const scs_h5 *h5, scs_checkpoint *c)
{
    int64_t control = -1;
    int n = 0;

    c->control = -1;
    c->has_atlas = scs_h5_is_group(h5, "atlas");
    if (!c->has_atlas)
        return SCS_OK;
    SCS_TRY(scs_h5_read_strings(h5, "atlas/species", &c->species));
    SCS_TRY(scs_h5_read_strings(h5, "atlas/cell_types", &c->cell_types));
    SCS_TRY(scs_h5_read_strings(h5, "atlas/conditions", &c->conditions));
    SCS_TRY(scs_h5_attr_int64(h5, "atlas", "control", 1, &control, &n));
    SCS_REQUIRE(n == 1 && control >= 0 && control < c->conditions.n, SCS_EDATA,
                "%s: atlas has no valid attribute \"control\"", h5->path);
    c->control = (int32_t)control;
    return probe_groups(h5, c);
}

/* Everything but the numbers, in the order of what is most telling when it is missing.
 * @param[out] c zeroed; the caller destroys it, also after a failure */
static scs_status probe_file(const scs_h5 *h5, scs_checkpoint *c)
{
    c->path = strdup(h5->path);
    SCS_REQUIRE(c->path, SCS_ENOMEM, "out of memory: the path of a model file");
    SCS_TRY(probe_network(h5, c));
    SCS_TRY(probe_profile(h5, c));
    SCS_TRY(probe_config(h5, c));
    return probe_atlas(h5, c);
}

/* In the child: the file's words and shapes as one block. @param arg the path */
static scs_status probe_in_child(void *arg, scs_bytes *out)
{
    scs_checkpoint *c = NULL;
    uint8_t *blob = NULL;
    int64_t size = 0;
    scs_h5 h5;
    scs_status st;

    SCS_TRY(scs_h5_open(arg, 0, &h5));
    SCS_GO(st, SCS_ALLOC(c, 1));
    SCS_GO(st, probe_file(&h5, c));
    SCS_GO(st, scs_checkpoint_pack(c, &blob, &size));
    SCS_GO(st, scs_bytes_put(out, blob, size));
done:
    free(blob);
    scs_checkpoint_destroy(&c);
    scs_h5_close(&h5);
    return st;
}

/* The file's own checksum first, where it has one (scGen's weights by name have none): a
 * flipped bit is found before HDF5 looks at the file. Then the child; what it sends is checked
 * as it is unpacked. */
scs_status scs_checkpoint_probe(const char *path, scs_checkpoint **checkpoint)
{
    scs_bytes out = {0};
    char *arg = strdup(path);
    scs_status st;

    *checkpoint = NULL;
    SCS_REQUIRE(arg, SCS_ENOMEM, "out of memory: the path of a model file");
    SCS_GO(st, scs_checksum_file_check(path, false));
    SCS_GO(st, scs_sandbox_run(path, probe_in_child, arg,
                               &(scs_sandbox_limits){.memory = PROBE_MEMORY}, &out));
    SCS_GO(st, scs_checkpoint_unpack(out.data, out.size, checkpoint));
done:
    scs_bytes_clear(&out);
    free(arg);
    return st;
}

/* A probe; models and atlases made from it stay. */
void scs_checkpoint_destroy(scs_checkpoint **checkpoint)
{
    scs_checkpoint *c = *checkpoint;

    if (!c)
        return;
    free(c->path);
    scs_names_clear(&c->genes);
    scs_names_clear(&c->species);
    scs_names_clear(&c->cell_types);
    scs_names_clear(&c->conditions);
    free(c->group);
    free(c->config);
    scs_names_clear(&c->inputs);
    free(c);
    *checkpoint = NULL;
}

/* ---- write ---- */

/* What is saved; borrowed. */
typedef struct content {
    const scs_model *model;
    const scs_names *genes;  /* [n_gene] */
    const scs_atlas *atlas;  /* or NULL */
    const scs_names *inputs; /* or NULL */
    const char *config;      /* YAML, "" for none */
    int profile;             /* scs_profile */
} content;

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* torch keeps a counter beside each batch norm's running variance and its loader asks for it;
 * it has no effect where a momentum is set. @param variance the tensor of the running variance */
static scs_status write_counter(hid_t file, const scs_tensor *variance)
{
    char path[TENSOR_PATH_MAX + 32];
    int64_t none = 0;

    tensor_path(variance->name, path);
    strcpy(path + strlen(path) - strlen("running_var"), "num_batches_tracked");
    return scs_h5_write(file, path, H5T_NATIVE_INT64, 0, NULL, &none);
}

/* In torch's layout, which is not always the model's own (model.h), so that the file can be
 * loaded by name there. */
static scs_status write_tensor(hid_t file, const scs_model *model, const scs_tensor *tensor)
{
    int64_t dims[] = {tensor->rows, tensor->cols};
    char path[TENSOR_PATH_MAX];
    float *values;
    scs_status st;

    SCS_TRY(SCS_ALLOC(values, tensor_size(tensor)));
    scs_model_tensor_export(model, tensor, values);
    tensor_path(tensor->name, path);
    st = scs_h5_write(file, path, H5T_NATIVE_FLOAT, tensor->cols ? 2 : 1, dims, values);
    free(values);
    SCS_TRY(st);
    return ends_with(tensor->name, ".running_var") ? write_counter(file, tensor) : SCS_OK;
}

/* Groups as rows of atlas/group; the writer and the check use the same.
 * @param[out] rows [n_group, GROUP_COLUMNS] malloc'ed */
static scs_status group_rows(const scs_atlas *atlas, int64_t **rows)
{
    SCS_TRY(SCS_ALLOC(*rows, (int64_t)atlas->n_group * GROUP_COLUMNS));
    for (int32_t g = 0; g < atlas->n_group; g++) {
        const scs_group *group = &atlas->group[g];
        int64_t row[] = {group->species, group->cell_type, group->condition, group->held_out,
                         group->count};

        memcpy(*rows + (int64_t)g * GROUP_COLUMNS, row, sizeof row);
    }
    return SCS_OK;
}

/* Labels as numbers, whose names stand beside them. */
static scs_status write_groups(hid_t file, const scs_atlas *atlas)
{
    int64_t dims[] = {atlas->n_group, GROUP_COLUMNS}, *rows;
    scs_status st;

    SCS_TRY(group_rows(atlas, &rows));
    st = scs_h5_write(file, "atlas/group", H5T_NATIVE_INT64, 2, dims, rows);
    free(rows);
    return st;
}

/* Names and groups first, which a reader needs to know the arrays' shapes; then the arrays. */
static scs_status write_atlas(hid_t file, const scs_atlas *atlas)
{
    atlas_array array[N_ATLAS_ARRAY];
    int64_t control = atlas->control;

    SCS_TRY(scs_h5_group(file, "atlas"));
    SCS_TRY(scs_h5_attr_write_int64(file, "atlas", "control", &control, 1, true));
    SCS_TRY(scs_h5_write_strings(file, "atlas/species", &atlas->species));
    SCS_TRY(scs_h5_write_strings(file, "atlas/cell_types", &atlas->cell_types));
    SCS_TRY(scs_h5_write_strings(file, "atlas/conditions", &atlas->conditions));
    SCS_TRY(write_groups(file, atlas));
    atlas_arrays(atlas, array);
    for (int i = 0; i < N_ATLAS_ARRAY; i++) {
        int64_t dims[] = {array[i].rows, array[i].cols};

        SCS_TRY(scs_h5_write(file, array[i].path, array[i].type, 2, dims, array[i].data));
    }
    return SCS_OK;
}

/* Into a new file; the caller finishes, verifies and commits it. */
static scs_status write_all(hid_t file, const content *c)
{
    SCS_TRY(scs_h5_attr_write_text(file, "/", "profile",
                                   c->profile == SCS_PROFILE_PAPER ? "paper" : "scgen2"));
    SCS_TRY(scs_h5_write_strings(file, "var_names", c->genes));
    SCS_TRY(scs_h5_scalar_text(file, "config", c->config));
    if (c->inputs)
        SCS_TRY(scs_h5_write_strings(file, "inputs", c->inputs));
    for (int32_t i = 0; i < c->model->n_tensor; i++)
        SCS_TRY(write_tensor(file, c->model, &c->model->tensor[i]));
    return c->atlas ? write_atlas(file, c->atlas) : SCS_OK;
}

/* ---- verify: read back and compare, byte by byte ---- */

/* What was written does not read back: the disk's fault, SCS_EIO, and what to look at. */
static scs_status fail_differs(const scs_h5 *h5, const char *path)
{
    return SCS_FAIL(SCS_EIO, "%s: %s does not read back as it was written; check the disk",
                    h5->path, path);
}

/* Bytes, not values: a -0 or a changed last bit would show. The export is repeated, so that
 * what is compared is the model. */
static scs_status verify_tensor(const scs_h5 *h5, const scs_model *model, const scs_tensor *tensor)
{
    int64_t n = tensor_size(tensor);
    float *back;
    scs_status st;

    SCS_TRY(SCS_ALLOC(back, 2 * n));
    scs_model_tensor_export(model, tensor, back + n);
    SCS_GO(st, read_tensor(h5, tensor, back));
    if (memcmp(back, back + n, sizeof *back * (size_t)n) != 0)
        st = fail_differs(h5, tensor->name);
done:
    free(back);
    return st;
}

/* By the bytes of its own type: a conversion that HDF5 made on the way would show. */
static scs_status verify_array(const scs_h5 *h5, const atlas_array *array)
{
    size_t bytes = array->size * (size_t)(array->rows * array->cols);
    uint8_t *back;
    scs_status st;

    SCS_TRY(SCS_ALLOC(back, (int64_t)bytes));
    SCS_GO(st, read_atlas_array(h5, array, back));
    if (memcmp(back, array->data, bytes) != 0)
        st = fail_differs(h5, array->path);
done:
    free(back);
    return st;
}

/* The text was written by this process a moment ago: the one file whose text may be read
 * outside the child. */
static scs_status verify_names(const scs_h5 *h5, const char *path, const scs_names *names)
{
    scs_names back = {0};
    scs_status st = scs_h5_read_strings(h5, path, &back);

    if (st == SCS_OK && !scs_names_equal(names, &back))
        st = fail_differs(h5, path);
    scs_names_clear(&back);
    return st;
}

/* As a list of one name, so that it is compared as labels are. */
static scs_status verify_config(const scs_h5 *h5, const char *config)
{
    char *text = (char *)config; /* only read */

    return verify_names(h5, "config", &(scs_names){1, &text});
}

/* Compared as rows of int64, as they were written. */
static scs_status verify_groups(const scs_h5 *h5, const scs_atlas *atlas)
{
    int64_t n = (int64_t)atlas->n_group * GROUP_COLUMNS, *rows = NULL, *back = NULL;
    scs_status st;

    SCS_GO(st, group_rows(atlas, &rows));
    SCS_GO(st, SCS_ALLOC(back, n));
    SCS_GO(st, scs_h5_read_rows_int64(h5, "atlas/group", 0, atlas->n_group, back));
    if (memcmp(rows, back, sizeof *rows * (size_t)n) != 0)
        st = fail_differs(h5, "atlas/group");
done:
    free(rows);
    free(back);
    return st;
}

/* In the order of write_atlas. */
static scs_status verify_atlas(const scs_h5 *h5, const scs_atlas *atlas)
{
    atlas_array array[N_ATLAS_ARRAY];

    SCS_TRY(verify_names(h5, "atlas/species", &atlas->species));
    SCS_TRY(verify_names(h5, "atlas/cell_types", &atlas->cell_types));
    SCS_TRY(verify_names(h5, "atlas/conditions", &atlas->conditions));
    SCS_TRY(verify_groups(h5, atlas));
    atlas_arrays(atlas, array);
    for (int i = 0; i < N_ATLAS_ARRAY; i++)
        SCS_TRY(verify_array(h5, &array[i]));
    return SCS_OK;
}

/* All that write_all wrote but the attributes and torch's counters. */
static scs_status verify_all(const scs_h5 *h5, const content *c)
{
    SCS_TRY(verify_names(h5, "var_names", c->genes));
    SCS_TRY(verify_config(h5, c->config));
    if (c->inputs)
        SCS_TRY(verify_names(h5, "inputs", c->inputs));
    for (int32_t i = 0; i < c->model->n_tensor; i++)
        SCS_TRY(verify_tensor(h5, c->model, &c->model->tensor[i]));
    return c->atlas ? verify_atlas(h5, c->atlas) : SCS_OK;
}

/* @param path the file under its temporary name, closed */
static scs_status verify(const char *path, const content *c)
{
    scs_h5 h5;
    scs_status st;

    SCS_TRY(scs_h5_open(path, 0, &h5));
    st = verify_all(&h5, c);
    scs_h5_close(&h5);
    return st;
}

/* Checked at creation (permission, disk), read back before the rename: on any failure the older
 * file stays as it was and the temporary one is removed. */
scs_status scs_checkpoint_save(const char *path, const scs_model *model, const scs_names *genes,
                               const scs_atlas *atlas, const scs_names *inputs,
                               const char *config_yaml, int profile)
{
    content c = {model, genes, atlas, inputs, config_yaml ? config_yaml : "", profile};
    scs_h5_out out;
    scs_status st;

    SCS_TRY(scs_h5_out_create_checked(path, &out));
    SCS_GO(st, write_all(out.file, &c));
    SCS_GO(st, scs_h5_out_finish(&out));
    SCS_GO(st, verify(out.temp, &c));
    SCS_GO(st, scs_h5_out_commit(&out));
done:
    scs_h5_out_abandon(&out);
    return st;
}

/* ---- as one block of bytes ---- */

/* Single numbers, in an order that get_sizes repeats. */
static scs_status put_sizes(const scs_checkpoint *c, scs_bytes *b)
{
    SCS_TRY(scs_bytes_put_int(b, c->hidden));
    SCS_TRY(scs_bytes_put_int(b, c->layers));
    SCS_TRY(scs_bytes_put_int(b, c->latent));
    SCS_TRY(scs_bytes_put_int(b, c->has_atlas));
    SCS_TRY(scs_bytes_put_int(b, c->control));
    SCS_TRY(scs_bytes_put_int(b, c->profile));
    return scs_bytes_put_int(b, c->n_group);
}

static scs_status put_group(const scs_group *g, scs_bytes *b)
{
    SCS_TRY(scs_bytes_put_int(b, g->species));
    SCS_TRY(scs_bytes_put_int(b, g->cell_type));
    SCS_TRY(scs_bytes_put_int(b, g->condition));
    SCS_TRY(scs_bytes_put_int(b, g->held_out));
    return scs_bytes_put_int(b, g->count);
}

/* Names before groups, so that get_group can check labels against them. */
static scs_status put_all(const scs_checkpoint *c, scs_bytes *b)
{
    SCS_TRY(put_sizes(c, b));
    SCS_TRY(scs_bytes_put_text(b, c->path));
    SCS_TRY(scs_bytes_put_text(b, c->config));
    SCS_TRY(scs_bytes_put_names(b, &c->inputs));
    SCS_TRY(scs_bytes_put_names(b, &c->genes));
    SCS_TRY(scs_bytes_put_names(b, &c->species));
    SCS_TRY(scs_bytes_put_names(b, &c->cell_types));
    SCS_TRY(scs_bytes_put_names(b, &c->conditions));
    for (int32_t g = 0; g < c->n_group; g++)
        SCS_TRY(put_group(&c->group[g], b));
    return SCS_OK;
}

/* Native byte order: the block goes from the child to its parent and to ranks of the same job,
 * never to a file. */
scs_status scs_checkpoint_pack(const scs_checkpoint *checkpoint, uint8_t **blob, int64_t *size)
{
    scs_bytes b = {0};

    return scs_bytes_take(&b, put_all(checkpoint, &b), blob, size);
}

/* The next integer, which must lie in [lo, hi] (SCS_EDATA): limits are what its user can index. */
static scs_status get_int32(scs_bytes *b, int64_t lo, int64_t hi, int32_t *value)
{
    int64_t wide;

    SCS_TRY(scs_bytes_get_within(b, lo, hi, &wide));
    *value = (int32_t)wide;
    return SCS_OK;
}

/* 0 or 1 and nothing else: the bytes may be hostile. */
static scs_status get_bool(scs_bytes *b, bool *value)
{
    int64_t wide;

    SCS_TRY(scs_bytes_get_within(b, 0, 1, &wide));
    *value = wide;
    return SCS_OK;
}

/* Every size within what an int32 or the tables of the network can hold. SCS_EDATA. */
static scs_status get_sizes(scs_bytes *b, scs_checkpoint *c)
{
    SCS_TRY(scs_bytes_get_within(b, 1, INT32_MAX, &c->hidden));
    SCS_TRY(scs_bytes_get_within(b, 1, MOST_LAYERS, &c->layers));
    SCS_TRY(scs_bytes_get_within(b, 1, INT32_MAX, &c->latent));
    SCS_TRY(get_bool(b, &c->has_atlas));
    SCS_TRY(get_int32(b, -1, INT32_MAX, &c->control));
    SCS_TRY(get_int32(b, SCS_PROFILE_SCGEN2, SCS_PROFILE_PAPER, &c->profile));
    return get_int32(b, 0, INT32_MAX, &c->n_group);
}

/* Labels within the names that have been read already. SCS_EDATA. */
static scs_status get_group(scs_bytes *b, const scs_checkpoint *c, scs_group *g)
{
    SCS_TRY(get_int32(b, 0, c->species.n - 1, &g->species));
    SCS_TRY(get_int32(b, 0, c->cell_types.n - 1, &g->cell_type));
    SCS_TRY(get_int32(b, 0, c->conditions.n - 1, &g->condition));
    SCS_TRY(get_bool(b, &g->held_out));
    return scs_bytes_get_within(b, 1, INT64_MAX, &g->count);
}

/* Their number is checked against the bytes that are left before memory is asked for. */
static scs_status get_groups(scs_bytes *b, scs_checkpoint *c)
{
    SCS_REQUIRE(c->n_group <= (b->size - b->at) / (GROUP_COLUMNS * 8), SCS_EDATA,
                "a model file's summary claims %d groups", c->n_group);
    SCS_TRY(SCS_ALLOC(c->group, c->n_group));
    for (int32_t g = 0; g < c->n_group; g++)
        SCS_TRY(get_group(b, c, &c->group[g]));
    return SCS_OK;
}

/* Takes what put_all put; all has to be there, within range, and nothing more. SCS_EDATA. */
static scs_status get_all(scs_bytes *b, scs_checkpoint *c)
{
    SCS_TRY(get_sizes(b, c));
    SCS_TRY(scs_bytes_get_text(b, &c->path));
    SCS_TRY(scs_bytes_get_text(b, &c->config));
    SCS_TRY(scs_bytes_get_names(b, &c->inputs));
    SCS_TRY(scs_bytes_get_names(b, &c->genes));
    SCS_TRY(scs_bytes_get_names(b, &c->species));
    SCS_TRY(scs_bytes_get_names(b, &c->cell_types));
    SCS_TRY(scs_bytes_get_names(b, &c->conditions));
    SCS_REQUIRE(c->path && c->config, SCS_EDATA, "a model file's summary lacks a text");
    SCS_REQUIRE(c->control < c->conditions.n && (c->control >= 0 || !c->has_atlas), SCS_EDATA,
                "a model file's summary names condition %d of %d as control", c->control,
                c->conditions.n);
    SCS_TRY(get_groups(b, c));
    SCS_REQUIRE(b->at == b->size, SCS_EDATA, "a model file's summary is %lld bytes too long",
                (long long)(b->size - b->at));
    return SCS_OK;
}

/* On failure what is there is destroyed and *checkpoint is NULL. */
scs_status scs_checkpoint_unpack(const uint8_t *blob, int64_t size, scs_checkpoint **checkpoint)
{
    scs_bytes b = {.data = (uint8_t *)blob, .size = size}; /* only read */
    scs_status st;

    SCS_TRY(SCS_ALLOC(*checkpoint, 1));
    SCS_GO(st, get_all(&b, *checkpoint));
done:
    if (st != SCS_OK)
        scs_checkpoint_destroy(checkpoint);
    return st;
}

/* ---- read: numbers into a model and an atlas ---- */

/* Every tensor of the model, by its name, turned into the model's own layout (the first layer
 * is kept transposed). A tensor that the model does not have is passed over. */
static scs_status read_weights(const scs_h5 *h5, scs_model *model)
{
    for (int32_t i = 0; i < model->n_tensor; i++) {
        const scs_tensor *tensor = &model->tensor[i];
        float *values;
        scs_status st;

        SCS_TRY(SCS_ALLOC(values, tensor_size(tensor)));
        st = read_tensor(h5, tensor, values);
        if (st == SCS_OK)
            scs_model_tensor_import(model, tensor, values);
        free(values);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* The DEG lists name genes of this atlas. SCS_EDATA. */
static scs_status check_genes(const scs_h5 *h5, const scs_atlas *atlas)
{
    for (int64_t i = 0; i < (int64_t)atlas->n_group * SCS_N_DEG; i++)
        SCS_REQUIRE(atlas->deg[i] < atlas->n_gene, SCS_EDATA,
                    "%s: atlas/deg names gene %d of %d genes", h5->path, atlas->deg[i],
                    atlas->n_gene);
    return SCS_OK;
}

/* Into the arrays of an atlas that was made with the groups of this file; DEG lists are checked
 * against its genes. */
static scs_status read_atlas(const scs_h5 *h5, const scs_atlas *atlas)
{
    atlas_array array[N_ATLAS_ARRAY];

    atlas_arrays(atlas, array);
    for (int i = 0; i < N_ATLAS_ARRAY; i++)
        SCS_TRY(read_atlas_array(h5, &array[i], array[i].data));
    return check_genes(h5, atlas);
}

/* No text is read here, so that it needs no child; all shapes are compared with those of the
 * model and the atlas, which were made from the probe. */
scs_status scs_checkpoint_read(const scs_checkpoint *checkpoint, scs_model *model, scs_atlas *atlas)
{
    scs_h5 h5;
    scs_status st;

    SCS_TRY(scs_h5_open(checkpoint->path, 0, &h5));
    st = read_weights(&h5, model);
    if (st == SCS_OK && atlas && checkpoint->has_atlas)
        st = read_atlas(&h5, atlas);
    scs_h5_close(&h5);
    return st;
}
