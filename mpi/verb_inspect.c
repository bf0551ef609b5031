/* What a file of ours is. */
#include "mpi/inspect_folder.h"
#include "mpi/verb.h"
#include "src/h5safe.h"
#include "src/sandbox.h"
#include "src/seal.h"
#include "src/text.h"

#include <stdlib.h>
#include <string.h>

static const int64_t memory_limit = (int64_t)4 << 30;
enum { SECONDS = 60 };
static const char facts_path[] = "uns/scscreen";

enum kind { KIND_MODEL, KIND_RESULT, KIND_STATE, KIND_PCA, KIND_ATLAS };

/* One entry of uns/scscreen as text; numbers as anyone would write them. */
static scs_status put_fact(const scs_h5 *h5, const char *name, scs_bytes *out)
{
    char path[512], number[64];
    scs_h5_shape shape;
    scs_names text = {0};
    double value = 0;
    scs_status status;

    snprintf(path, sizeof path, "%s/%s", facts_path, name);
    SCS_TRY(scs_h5_shape_of(h5, path, &shape));
    if (shape.type == H5T_STRING)
        SCS_GO(status, scs_h5_read_strings(h5, path, &text));
    else
        SCS_GO(status, scs_h5_read_double(h5, path, 0, 1, &value));
    snprintf(number, sizeof number, "%.10g", value);
    SCS_GO(status, scs_bytes_put_text(out, name));
    SCS_GO(status, scs_bytes_put_text(out, text.n ? text.name[0] : number));
done:
    scs_names_clear(&text);
    return status;
}

static scs_status put_result(const scs_h5 *h5, scs_bytes *out)
{
    scs_names names = {0};
    scs_h5_shape rows, genes;
    scs_status status;

    SCS_TRY(scs_h5_shape_of(h5, "obs/_index", &rows));
    SCS_TRY(scs_h5_shape_of(h5, "var/_index", &genes));
    SCS_TRY(scs_bytes_put_int(out, rows.dim[0]));
    SCS_TRY(scs_bytes_put_int(out, genes.dim[0]));
    SCS_TRY(scs_bytes_put_int(out, scs_h5_exists(h5, "X")));
    SCS_GO(status, scs_h5_members(h5, facts_path, &names));
    SCS_GO(status, scs_bytes_put_int(out, names.n));
    for (scs_lidx i = 0; i < names.n; i++)
        SCS_GO(status, put_fact(h5, names.name[i], out));
done:
    scs_names_clear(&names);
    return status;
}

static scs_status put_components(const scs_h5 *h5, scs_bytes *out)
{
    scs_h5_shape cells, genes;

    SCS_TRY(scs_h5_shape_of(h5, "obsm/X_pca", &cells));
    SCS_TRY(scs_h5_shape_of(h5, "varm/PCs", &genes));
    SCS_TRY(scs_bytes_put_int(out, cells.dim[0]));
    SCS_TRY(scs_bytes_put_int(out, genes.dim[0]));
    return scs_bytes_put_int(out, genes.dim[1]);
}

/* In the sandbox: the kind of file, and for a result what it says of itself. */
static scs_status look(void *arg, scs_bytes *out)
{
    scs_h5 h5;
    enum kind kind = KIND_ATLAS;
    scs_status status;

    SCS_TRY(scs_h5_open(arg, memory_limit, &h5));
    if (scs_h5_is_group(&h5, "state_dict"))
        kind = KIND_MODEL;
    else if (scs_h5_is_group(&h5, facts_path))
        kind = KIND_RESULT;
    else if (scs_h5_exists(&h5, "steps_done"))
        kind = KIND_STATE;
    else if (scs_h5_exists(&h5, "varm/PCs"))
        kind = scs_h5_exists(&h5, "X") ? KIND_ATLAS : KIND_PCA;
    SCS_GO(status, scs_bytes_put_int(out, kind));
    if (kind == KIND_PCA)
        SCS_GO(status, put_components(&h5, out));
    if (kind == KIND_RESULT)
        SCS_GO(status, put_result(&h5, out));
done:
    scs_h5_close(&h5);
    return status;
}

static void print_fact(const char *key, const char *value)
{
    char shown[64];

    printf(strchr(value, '\n') ? "  %s:\n" : "  %-16s ", scs_text_escape(key, shown, sizeof shown));
    scs_text_print(stdout, value, "\n");
    printf("\n");
}

static scs_status print_result(const char *path, scs_bytes *said)
{
    int64_t rows, genes, dense, n;

    SCS_TRY(scs_bytes_get_int(said, &rows));
    SCS_TRY(scs_bytes_get_int(said, &genes));
    SCS_TRY(scs_bytes_get_int(said, &dense));
    SCS_TRY(scs_bytes_get_int(said, &n));
    printf("%s: a screen of %lld combinations x %lld genes%s\n", path, (long long)rows,
           (long long)genes, dense ? "" : " (output.rows: top, no X)");
    for (int64_t i = 0; i < n; i++) {
        char *key = NULL, *value = NULL;
        scs_status status = scs_bytes_get_text(said, &key);

        if (status == SCS_OK)
            status = scs_bytes_get_text(said, &value);
        if (status == SCS_OK)
            print_fact(key, value);
        free(key);
        free(value);
        SCS_TRY(status);
    }
    printf("Open it with anndata.read_h5ad.\n");
    return SCS_OK;
}

static void print_config(const char *config)
{
    printf("  trained with:\n");
    scs_text_print(stdout, config, "\n");
}

static scs_status print_components(const char *path, scs_bytes *said)
{
    int64_t cells, genes, n;

    SCS_TRY(scs_bytes_get_int(said, &cells));
    SCS_TRY(scs_bytes_get_int(said, &genes));
    SCS_TRY(scs_bytes_get_int(said, &n));
    printf("%s: %lld principal components of %lld cells x %lld genes\n"
           "Open it with anndata.read_h5ad: obsm/X_pca, varm/PCs, uns/pca.\n",
           path, (long long)n, (long long)cells, (long long)genes);
    return SCS_OK;
}

static void print_groups(const scs_checkpoint *c)
{
    int64_t cells = 0, held_out = 0;

    for (int64_t g = 0; g < c->n_group; g++) {
        cells += c->group[g].count;
        held_out += c->group[g].held_out;
    }
    printf("  latent atlas: %lld groups (%lld held out) of %lld cells: %d species x %d cell types "
           "x %d conditions, control ",
           (long long)c->n_group, (long long)held_out, (long long)cells, c->species.n,
           c->cell_types.n, c->conditions.n);
    scs_text_print(stdout, c->conditions.name[c->control], "");
    printf("\n");
}

static bool is_sealed(const char *path)
{
    bool sealed = scs_seal_check(path, true) == SCS_OK;

    scs_message_clear();
    return sealed;
}

static scs_status print_model(const char *path)
{
    scs_checkpoint *c = NULL;

    SCS_TRY(scs_checkpoint_probe(path, &c));
    printf("%s: a model of %d genes, %lld x %lld hidden, %lld latent units (profile %s)\n  %s\n",
           path, c->genes.n, (long long)c->layers, (long long)c->hidden, (long long)c->latent,
           c->profile == SCS_PROFILE_PAPER ? "paper" : "scgen2",
           is_sealed(path) ? "whole (checksum compared)"
                           : "it carries no checksum, so whether it is whole cannot be told");
    if (c->has_atlas)
        print_groups(c);
    else
        printf(
            "  no latent atlas: it is made from the data when the weights are used (model.load)\n");
    if (*c->config)
        print_config(c->config);
    printf("Go on with: scscreen screen CONFIG.yaml, or model.load: %s\n", path);
    scs_checkpoint_destroy(&c);
    return SCS_OK;
}

static scs_status print_state(const char *path)
{
    const scs_position *p;
    scs_state *s = NULL;

    SCS_TRY(scs_state_probe(path, &s));
    p = &s->position;
    printf("%s: the state of an interrupted training, whole (checksum compared)\n"
           "  %-8s %lld steps; epoch %lld, %lld steps of it\n  %-8s %lld parameters, %lld shards\n",
           path, "done", (long long)p->step, (long long)p->epoch, (long long)p->at, "network",
           (long long)s->n_param, (long long)s->n_shard);
    if (p->best_epoch)
        printf("  %-8s %.6g, epoch %lld\n", "best", p->best, (long long)p->best_epoch);
    printf("  %-8s scscreen %s\n", "program", s->program);
    print_config(s->config);
    printf("Go on with the command that was interrupted, on up to %lld ranks.\n",
           (long long)s->n_shard);
    scs_state_destroy(&s);
    return SCS_OK;
}

static scs_status print_kind(const scs_cli *cli, int64_t kind, scs_bytes *said)
{
    switch (kind) {
    case KIND_MODEL:
        return print_model(cli->file);
    case KIND_RESULT:
        return print_result(cli->file, said);
    case KIND_STATE:
        return print_state(cli->file);
    case KIND_PCA:
        return print_components(cli->file, said);
    default:
        return scs_verb_check_file(cli);
    }
}

static bool is_config(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

scs_status scs_verb_inspect(const scs_cli *cli)
{
    scs_bytes said = {0};
    char path[4096];
    int64_t kind;
    scs_status status;

    if (scs_inspect_is_folder(cli->file))
        return scs_inspect_folder(cli->file);
    SCS_REQUIRE(!is_config(cli->file), SCS_EARG,
                "%s: a config; scscreen check %s says what a run would read", cli->file, cli->file);
    snprintf(path, sizeof path, "%s", cli->file);
    SCS_GO(status, scs_seal_check(path, false));
    SCS_GO(status, scs_sandbox_run(path, look, path, memory_limit, SECONDS, &said));
    SCS_GO(status, scs_bytes_get_int(&said, &kind));
    SCS_GO(status, print_kind(cli, kind, &said));
done:
    scs_bytes_clear(&said);
    return status;
}
