#include "src/checkpoint_parts.h"

#include "src/sandbox.h"
#include "src/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Limits of the child that reads the file's texts. */
enum { PROBE_SECONDS = 60, PROBE_MEMORY = 1 << 30 };

/* Shape of a matrix of the state_dict. @param shape [2] */
static scs_status matrix_shape(const scs_h5 *h5, const char *name, int64_t *shape)
{
    char path[SCS_TENSOR_PATH_MAX];
    scs_h5_shape s;

    scs_tensor_path(name, path);
    SCS_REQUIRE(scs_h5_exists(h5, path), SCS_EDATA,
                "%s: no %s, so this is no model file; give model.h5 or scGen's weights by name",
                h5->path, path);
    SCS_TRY(scs_h5_shape_of(h5, path, &s));
    SCS_REQUIRE(s.rank == 2, SCS_EDATA, "%s: %s is no matrix", h5->path, path);
    shape[0] = s.dim[0];
    shape[1] = s.dim[1];
    return SCS_OK;
}

static int64_t count_layers(const scs_h5 *h5)
{
    int64_t n = 0;
    char name[80], path[SCS_TENSOR_PATH_MAX];

    for (; n < SCS_LAYERS_MAX; n++) {
        snprintf(name, sizeof name, "z_encoder.encoder.fc_layers.Layer %d.0.weight", (int)n);
        scs_tensor_path(name, path);
        if (!scs_h5_exists(h5, path))
            break;
    }
    return n;
}

static scs_status check_matrix(const scs_h5 *h5, const char *name, int64_t rows, int64_t columns)
{
    int64_t shape[2] = {0};

    SCS_TRY(matrix_shape(h5, name, shape));
    SCS_REQUIRE(shape[0] == rows && shape[1] == columns, SCS_EDATA,
                "%s: %s is %lld x %lld where %lld x %lld belong", h5->path, name,
                (long long)shape[0], (long long)shape[1], (long long)rows, (long long)columns);
    return SCS_OK;
}

/* The matrices between hidden layers have to be there before memory is asked for them: else a small
 * file that claims wide layers would ask for all there is. */
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

static scs_status probe_config(const scs_h5 *h5, scs_checkpoint *c)
{
    scs_names text = {0};
    scs_status st = SCS_OK;

    if (scs_h5_exists(h5, "config"))
        SCS_TRY(scs_h5_read_strings(h5, "config", &text));
    c->config = strdup(text.n == 1 ? text.name[0] : "");
    if (!c->config)
        st = SCS_FAIL(SCS_ENOMEM, "out of memory: the text of a configuration");
    scs_names_clear(&text);
    return st;
}

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

static scs_status probe_groups(const scs_h5 *h5, scs_checkpoint *c)
{
    scs_h5_shape shape;
    int64_t *rows = NULL;
    scs_status st;

    SCS_TRY(scs_h5_shape_of(h5, "atlas/group", &shape));
    SCS_REQUIRE(shape.rank == 2 && shape.dim[1] == SCS_GROUP_COLUMNS && shape.dim[0] <= INT32_MAX,
                SCS_EDATA, "%s: atlas/group has a wrong shape", h5->path);
    c->n_group = (int32_t)shape.dim[0];
    SCS_TRY(SCS_ALLOC(c->group, c->n_group));
    SCS_GO(st, SCS_ALLOC(rows, (int64_t)c->n_group * SCS_GROUP_COLUMNS));
    if (c->n_group > 0)
        SCS_GO(st, scs_h5_read_rows_int64(h5, "atlas/group", 0, c->n_group, rows));
    for (int32_t g = 0; g < c->n_group; g++)
        SCS_GO(st, group_from_row(h5, c, rows + (int64_t)g * SCS_GROUP_COLUMNS, &c->group[g]));
done:
    free(rows);
    return st;
}

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

scs_status scs_checkpoint_probe(const char *path, scs_checkpoint **checkpoint)
{
    scs_bytes out = {0};
    char *arg = strdup(path);
    scs_status st;

    *checkpoint = NULL;
    SCS_REQUIRE(arg, SCS_ENOMEM, "out of memory: the path of a model file");
    SCS_GO(st, scs_seal_check(path, false));
    SCS_GO(st, scs_sandbox_run(path, probe_in_child, arg, PROBE_MEMORY, PROBE_SECONDS, &out));
    SCS_GO(st, scs_checkpoint_unpack(out.data, out.size, checkpoint));
done:
    scs_bytes_clear(&out);
    free(arg);
    return st;
}
