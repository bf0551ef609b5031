#include "src/checkpoint_parts.h"

#include "src/h5write.h"

#include <stdlib.h>
#include <string.h>

/* What is saved; borrowed. */
typedef struct content {
    const scs_model *model;
    const scs_names *genes;
    const scs_atlas *atlas; /* or NULL */
    const char *config;
    int profile;
} content;

/* ---- write ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* torch keeps a counter beside each batch norm's running variance; it has no effect where a
 * momentum is set. */
static scs_status write_counter(hid_t file, const scs_tensor *variance)
{
    char path[SCS_TENSOR_PATH_MAX + 32];
    int64_t none = 0;

    scs_tensor_path(variance->name, path);
    strcpy(path + strlen(path) - strlen("running_var"), "num_batches_tracked");
    return scs_h5_write(file, path, H5T_NATIVE_INT64, 0, NULL, &none);
}

static scs_status write_tensor(hid_t file, const scs_model *model, const scs_tensor *tensor)
{
    int64_t dims[] = {tensor->rows, tensor->cols};
    char path[SCS_TENSOR_PATH_MAX];
    float *values;
    scs_status st;

    SCS_TRY(SCS_ALLOC(values, scs_tensor_size(tensor)));
    scs_tensor_export(model, tensor, values);
    scs_tensor_path(tensor->name, path);
    st = scs_h5_write(file, path, H5T_NATIVE_FLOAT, tensor->cols ? 2 : 1, dims, values);
    free(values);
    SCS_TRY(st);
    return ends_with(tensor->name, ".running_var") ? write_counter(file, tensor) : SCS_OK;
}

/* @param[out] rows [n_group, SCS_GROUP_COLUMNS] malloc'ed */
static scs_status group_rows(const scs_atlas *atlas, int64_t **rows)
{
    SCS_TRY(SCS_ALLOC(*rows, (int64_t)atlas->n_group * SCS_GROUP_COLUMNS));
    for (int32_t g = 0; g < atlas->n_group; g++) {
        const scs_group *group = &atlas->group[g];
        int64_t row[] = {group->species, group->cell_type, group->condition, group->held_out,
                         group->count};

        memcpy(*rows + (int64_t)g * SCS_GROUP_COLUMNS, row, sizeof row);
    }
    return SCS_OK;
}

static scs_status write_groups(hid_t file, const scs_atlas *atlas)
{
    int64_t dims[] = {atlas->n_group, SCS_GROUP_COLUMNS}, *rows;
    scs_status st;

    SCS_TRY(group_rows(atlas, &rows));
    st = scs_h5_write(file, "atlas/group", H5T_NATIVE_INT64, 2, dims, rows);
    free(rows);
    return st;
}

static scs_status write_atlas(hid_t file, const scs_atlas *atlas)
{
    scs_atlas_array array[SCS_ATLAS_ARRAYS];
    int64_t control = atlas->control;

    SCS_TRY(scs_h5_group(file, "atlas"));
    SCS_TRY(scs_h5_attr_write_int64(file, "atlas", "control", &control, 1, true));
    SCS_TRY(scs_h5_write_strings(file, "atlas/species", &atlas->species));
    SCS_TRY(scs_h5_write_strings(file, "atlas/cell_types", &atlas->cell_types));
    SCS_TRY(scs_h5_write_strings(file, "atlas/conditions", &atlas->conditions));
    SCS_TRY(write_groups(file, atlas));
    scs_atlas_arrays(atlas, array);
    for (int i = 0; i < SCS_ATLAS_ARRAYS; i++) {
        int64_t dims[] = {array[i].rows, array[i].cols};

        SCS_TRY(scs_h5_write(file, array[i].path, array[i].type, 2, dims, array[i].data));
    }
    return SCS_OK;
}

static scs_status write_all(hid_t file, const content *c)
{
    SCS_TRY(scs_h5_attr_write_text(file, "/", "profile",
                                   c->profile == SCS_PROFILE_PAPER ? "paper" : "scgen2"));
    SCS_TRY(scs_h5_write_strings(file, "var_names", c->genes));
    SCS_TRY(scs_h5_scalar_text(file, "config", c->config));
    for (int32_t i = 0; i < c->model->n_tensor; i++)
        SCS_TRY(write_tensor(file, c->model, &c->model->tensor[i]));
    return c->atlas ? write_atlas(file, c->atlas) : SCS_OK;
}

/* ---- verify: read back and compare, byte by byte ---- */

static scs_status differs(const scs_h5 *h5, const char *path)
{
    return SCS_FAIL(SCS_EIO, "%s: %s does not read back as it was written; check the disk",
                    h5->path, path);
}

static scs_status verify_tensor(const scs_h5 *h5, const scs_model *model, const scs_tensor *tensor)
{
    int64_t n = scs_tensor_size(tensor);
    float *back;
    scs_status st;

    SCS_TRY(SCS_ALLOC(back, 2 * n));
    scs_tensor_export(model, tensor, back + n);
    SCS_GO(st, scs_tensor_read(h5, tensor, back));
    if (memcmp(back, back + n, sizeof *back * (size_t)n) != 0)
        st = differs(h5, tensor->name);
done:
    free(back);
    return st;
}

static scs_status verify_array(const scs_h5 *h5, const scs_atlas_array *array)
{
    size_t bytes = array->size * (size_t)(array->rows * array->cols);
    uint8_t *back;
    scs_status st;

    SCS_TRY(SCS_ALLOC(back, (int64_t)bytes));
    SCS_GO(st, scs_atlas_array_read(h5, array, back));
    if (memcmp(back, array->data, bytes) != 0)
        st = differs(h5, array->path);
done:
    free(back);
    return st;
}

/* The text was written by this process a moment ago: the one file whose text may be read outside a
 * sandbox. */
static scs_status verify_names(const scs_h5 *h5, const char *path, const scs_names *names)
{
    scs_names back = {0};
    scs_status st = scs_h5_read_strings(h5, path, &back);

    if (st == SCS_OK && !scs_names_equal(names, &back))
        st = differs(h5, path);
    scs_names_clear(&back);
    return st;
}

static scs_status verify_config(const scs_h5 *h5, const char *config)
{
    char *text = (char *)config; /* only read */

    return verify_names(h5, "config", &(scs_names){1, &text});
}

static scs_status verify_groups(const scs_h5 *h5, const scs_atlas *atlas)
{
    int64_t n = (int64_t)atlas->n_group * SCS_GROUP_COLUMNS, *rows = NULL, *back = NULL;
    scs_status st;

    SCS_GO(st, group_rows(atlas, &rows));
    SCS_GO(st, SCS_ALLOC(back, n));
    SCS_GO(st, scs_h5_read_rows_int64(h5, "atlas/group", 0, atlas->n_group, back));
    if (memcmp(rows, back, sizeof *rows * (size_t)n) != 0)
        st = differs(h5, "atlas/group");
done:
    free(rows);
    free(back);
    return st;
}

static scs_status verify_atlas(const scs_h5 *h5, const scs_atlas *atlas)
{
    scs_atlas_array array[SCS_ATLAS_ARRAYS];

    SCS_TRY(verify_names(h5, "atlas/species", &atlas->species));
    SCS_TRY(verify_names(h5, "atlas/cell_types", &atlas->cell_types));
    SCS_TRY(verify_names(h5, "atlas/conditions", &atlas->conditions));
    SCS_TRY(verify_groups(h5, atlas));
    scs_atlas_arrays(atlas, array);
    for (int i = 0; i < SCS_ATLAS_ARRAYS; i++)
        SCS_TRY(verify_array(h5, &array[i]));
    return SCS_OK;
}

static scs_status verify_all(const scs_h5 *h5, const content *c)
{
    SCS_TRY(verify_names(h5, "var_names", c->genes));
    SCS_TRY(verify_config(h5, c->config));
    for (int32_t i = 0; i < c->model->n_tensor; i++)
        SCS_TRY(verify_tensor(h5, c->model, &c->model->tensor[i]));
    return c->atlas ? verify_atlas(h5, c->atlas) : SCS_OK;
}

static scs_status verify(const char *path, const content *c)
{
    scs_h5 h5;
    scs_status st;

    SCS_TRY(scs_h5_open(path, 0, &h5));
    st = verify_all(&h5, c);
    scs_h5_close(&h5);
    return st;
}

scs_status scs_checkpoint_save(const char *path, const scs_model *model, const scs_names *genes,
                               const scs_atlas *atlas, const char *config_yaml, int profile)
{
    content c = {model, genes, atlas, config_yaml ? config_yaml : "", profile};
    scs_h5out out;
    scs_status st;

    SCS_TRY(scs_h5out_create_sealed(path, &out));
    SCS_GO(st, write_all(out.file, &c));
    SCS_GO(st, scs_h5out_finish(&out));
    SCS_GO(st, verify(out.temp, &c));
    SCS_GO(st, scs_h5out_commit(&out));
done:
    scs_h5out_abandon(&out);
    return st;
}
