/* inspect: what a file or folder of results holds, whether it is whole, and what the next command
 * is. On one process, without MPI.
 *
 *  Exit code 0 means: known and whole. 65 (SCS_EDATA): damaged, or none of the program's files; for
 *  a folder, that one of its files is.
 *
 *  A file may be anyone's, so it is looked at in the sandbox first: the child says which kind it is
 *  and, for results, what it says of itself; the parent prints, escaped. Models and states are then
 *  read by the readers that a run uses, so that `whole` means what it means to a run. */
#include "mpi/app/installed.h"
#include "mpi/app/verbs.h"
#include "src/base/checksum.h"
#include "src/base/sandbox.h"
#include "src/base/text.h"
#include "src/hdf5/h5read.h"
#include "src/hdf5/h5text.h"
#include "src/train/state.h"
#include "scscreen/checkpoint.h"
#include "scscreen/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a file ---- */

/* Of the sandboxed child, in bytes and seconds. */
static const int64_t memory_limit = (int64_t)4 << 30;

static const char facts_path[] = "uns/scscreen";

/* Told apart by what only one of them has. */
enum kind { KIND_MODEL, KIND_RESULT, KIND_STATE, KIND_PCA, KIND_LATENT, KIND_ATLAS };

/* One entry of uns/scscreen as text; numbers in ten digits. */
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

/* "holds" of uns/scscreen, which says what a file is that is no screen; else NULL. */
static scs_status put_what(const scs_h5 *h5, scs_bytes *out)
{
    static const char path[] = "uns/scscreen/holds";
    scs_names text = {0};
    scs_status status;

    if (!scs_h5_exists(h5, path))
        return scs_bytes_put_text(out, NULL);
    SCS_GO(status, scs_h5_read_strings(h5, path, &text));
    SCS_GO(status, scs_bytes_put_text(out, text.n ? text.name[0] : NULL));
done:
    scs_names_clear(&text);
    return status;
}

/* Sizes, then the entries of uns/scscreen. */
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
    SCS_TRY(scs_bytes_put_int(out, scs_h5_exists(h5, "obs/template")));
    SCS_TRY(put_what(h5, out));
    SCS_GO(status, scs_h5_members(h5, facts_path, &names));
    SCS_GO(status, scs_bytes_put_int(out, names.n));
    for (scs_lidx i = 0; i < names.n; i++)
        SCS_GO(status, put_fact(h5, names.name[i], out));
done:
    scs_names_clear(&names);
    return status;
}

/* Cells, genes, components. */
static scs_status put_components(const scs_h5 *h5, scs_bytes *out)
{
    scs_h5_shape cells, genes;

    SCS_TRY(scs_h5_shape_of(h5, "obsm/X_pca", &cells));
    SCS_TRY(scs_h5_shape_of(h5, "varm/PCs", &genes));
    SCS_TRY(scs_bytes_put_int(out, cells.dim[0]));
    SCS_TRY(scs_bytes_put_int(out, genes.dim[0]));
    return scs_bytes_put_int(out, genes.dim[1]);
}

/* Cells, latent units. */
static scs_status put_latent(const scs_h5 *h5, scs_bytes *out)
{
    scs_h5_shape cells;

    SCS_TRY(scs_h5_shape_of(h5, "obsm/X_scgen", &cells));
    SCS_TRY(scs_bytes_put_int(out, cells.dim[0]));
    return scs_bytes_put_int(out, cells.dim[1]);
}

/* In the sandbox: the kind of file, and for a result or components what it holds. */
static scs_status look(void *arg, scs_bytes *out)
{
    scs_h5 h5;
    enum kind kind = KIND_ATLAS;
    scs_status status;

    SCS_TRY(scs_h5_open(arg, memory_limit, &h5));
    if (scs_h5_is_group(&h5, "state_dict"))
        kind = KIND_MODEL;
    else if (scs_h5_exists(&h5, "obsm/X_scgen") && !scs_h5_exists(&h5, "X"))
        kind = KIND_LATENT;
    else if (scs_h5_is_group(&h5, facts_path))
        kind = KIND_RESULT;
    else if (scs_h5_exists(&h5, "steps_done"))
        kind = KIND_STATE;
    else if (scs_h5_exists(&h5, "varm/PCs"))
        kind = scs_h5_exists(&h5, "X") ? KIND_ATLAS : KIND_PCA;
    SCS_GO(status, scs_bytes_put_int(out, kind));
    if (kind == KIND_LATENT)
        SCS_GO(status, put_latent(&h5, out));
    if (kind == KIND_PCA)
        SCS_GO(status, put_components(&h5, out));
    if (kind == KIND_RESULT)
        SCS_GO(status, put_result(&h5, out));
done:
    scs_h5_close(&h5);
    return status;
}

/* Texts of several lines (the config) are indented. */
static void print_fact(const char *key, const char *value)
{
    char shown[64];

    printf(strchr(value, '\n') ? "  %s:\n" : "  %-16s ", scs_text_escape(key, shown, sizeof shown));
    scs_text_print(stdout, value, "\n");
    printf("\n");
}

/* What a reader of the rows has to know, of the facts that stand in the file.
 * @param value as put_fact wrote it */
static void print_caution(const char *key, const char *value)
{
    if (strcmp(key, "self_rows") == 0 && strcmp(value, "0") != 0)
        printf("Of the rows %s have no source but their own cells (obs.source self): their scores "
               "test nothing.\n",
               value);
    if (strcmp(key, "p_value_floor") == 0)
        printf("p_value is at least %s, 1 / (screen.permutations + 1): rows that have it differ in "
               "delta_norm, not in p.\n",
               value);
}

/* What put_result put. */
typedef struct result {
    int64_t rows, genes;
    int64_t dense; /* has X */
    int64_t cells; /* rows are predicted cells, not combinations */
    char *what;    /* rows are this; NULL: combinations or cells; owned */
    int64_t n;     /* facts, which follow */
} result;

/* In the order of put_result. */
static scs_status get_result(scs_bytes *answer, result *r)
{
    SCS_TRY(scs_bytes_get_int(answer, &r->rows));
    SCS_TRY(scs_bytes_get_int(answer, &r->genes));
    SCS_TRY(scs_bytes_get_int(answer, &r->dense));
    SCS_TRY(scs_bytes_get_int(answer, &r->cells));
    SCS_TRY(scs_bytes_get_text(answer, &r->what));
    return scs_bytes_get_int(answer, &r->n);
}

/* @param[out] key, value  the caller frees them, also after a failure */
static scs_status get_fact(scs_bytes *answer, char **key, char **value)
{
    SCS_TRY(scs_bytes_get_text(answer, key));
    return scs_bytes_get_text(answer, value);
}

/* From the bytes that the sandboxed child has sent, in the order of put_result: the facts, or in a
 * second pass what they mean for a reader. */
static scs_status print_facts(scs_bytes *answer, int64_t n,
                              void (*print)(const char *key, const char *value))
{
    for (int64_t i = 0; i < n; i++) {
        char *key = NULL, *value = NULL;
        scs_status status = get_fact(answer, &key, &value);

        if (status == SCS_OK)
            print(key, value);
        free(key);
        free(value);
        SCS_TRY(status);
    }
    return SCS_OK;
}

/* Facts are printed in one pass, what they mean for a reader in a second: cautions come last. */
static scs_status print_result(const char *path, scs_bytes *answer)
{
    int64_t facts;
    result r = {0};
    scs_status status;

    SCS_GO(status, get_result(answer, &r));
    if (r.what) {
        char shown[200];

        printf("%s: %s, %lld x %lld genes\n", path, scs_text_escape(r.what, shown, sizeof shown),
               (long long)r.rows, (long long)r.genes);
    } else
        printf(r.cells ? "%s: %lld predicted cells x %lld genes%s\n"
                       : "%s: a screen of %lld combinations x %lld genes%s\n",
               path, (long long)r.rows, (long long)r.genes,
               r.dense ? "" : " (output.rows: top, no X)");
    facts = answer->at;
    SCS_GO(status, print_facts(answer, r.n, print_fact));
    answer->at = facts;
    SCS_GO(status, print_facts(answer, r.n, print_caution));
    printf("Open it with anndata.read_h5ad.\n");
done:
    free(r.what);
    return status;
}

/* The config that a model or state carries, line by line, escaped. */
static void print_config(const char *config)
{
    printf("  trained with:\n");
    scs_text_print(stdout, config, "\n");
}

/* From the child's bytes, in the order of put_components. */
static scs_status print_components(const char *path, scs_bytes *answer)
{
    int64_t cells, genes, n;

    SCS_TRY(scs_bytes_get_int(answer, &cells));
    SCS_TRY(scs_bytes_get_int(answer, &genes));
    SCS_TRY(scs_bytes_get_int(answer, &n));
    printf("%s: %lld principal components of %lld cells x %lld genes\n"
           "Open it with anndata.read_h5ad: obsm/X_pca, varm/PCs, uns/pca.\n",
           path, (long long)n, (long long)cells, (long long)genes);
    return SCS_OK;
}

/* From the child's bytes, in the order of put_latent. */
static scs_status print_latent(const char *path, scs_bytes *answer)
{
    int64_t cells, n;

    SCS_TRY(scs_bytes_get_int(answer, &cells));
    SCS_TRY(scs_bytes_get_int(answer, &n));
    printf("%s: posterior means of %lld cells, %lld latent units\n"
           "Open it with anndata.read_h5ad: obsm/X_scgen, for sc.pp.neighbors(use_rep=...).\n",
           path, (long long)cells, (long long)n);
    return SCS_OK;
}

/* Cells and groups of the stored atlas. */
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

/* Weights of other programs may carry no checksum. */
static bool is_whole(const char *path)
{
    bool whole = scs_checksum_file_check(path, true) == SCS_OK;

    scs_message_clear();
    return whole;
}

/* Read by the reader that a run uses. */
static scs_status print_model(const char *path)
{
    scs_checkpoint *c = NULL;

    SCS_TRY(scs_checkpoint_probe(path, &c));
    printf("%s: a model of %d genes, %lld x %lld hidden, %lld latent units (profile %s)\n  %s\n",
           path, c->genes.n, (long long)c->layers, (long long)c->hidden, (long long)c->latent,
           c->profile == SCS_PROFILE_PAPER ? "paper" : "scgen2",
           is_whole(path) ? "whole (checksum compared)"
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

/* Read by the reader that a run uses; a state always carries a checksum. */
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

/* Anything else is taken for an .h5ad of cells, which check describes. */
static scs_status print_kind(const scs_cli *cli, int64_t kind, scs_bytes *answer)
{
    switch (kind) {
    case KIND_MODEL:
        return print_model(cli->file);
    case KIND_RESULT:
        return print_result(cli->file, answer);
    case KIND_STATE:
        return print_state(cli->file);
    case KIND_PCA:
        return print_components(cli->file, answer);
    case KIND_LATENT:
        return print_latent(cli->file, answer);
    default:
        return scs_verb_check.serial(cli);
    }
}

/* ---- a folder: its files one by one, and whether they belong together ---- */

/* What was found in it. */
typedef struct found {
    const char *folder; /* borrowed */
    int files, damaged; /* files of ours; those of them that are not whole */
    bool model, result;
    bool apart;           /* the result is not of this model */
    int64_t steps, epoch; /* of the newest sound state; steps -1: none */
    char newest[4096];
} found;

/* A link to a folder is one, too. */
static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A file of the folder, counted where it is there. @param[out] path [size] */
static bool is_there(found *f, const char *name, char *path, size_t size)
{
    int n = snprintf(path, size, "%s/%s", f->folder, name);

    if (n < 0 || (size_t)n >= size || access(path, F_OK) != 0)
        return false;
    f->files++;
    return true;
}

/* A file's line: what it is, or what is wrong with it. */
static void print_line(found *f, const char *name, scs_status status, const char *sound)
{
    printf("  %-16s %s\n", name, status == SCS_OK ? sound : scs_message());
    f->damaged += status != SCS_OK;
    scs_message_clear();
}

/* Its checksum, if it carries one, and its metadata. */
static void inspect_model(found *f)
{
    char path[4096], text[256] = "";
    scs_checkpoint *c = NULL;
    scs_status status;

    if (!is_there(f, "model.h5", path, sizeof path))
        return;
    status = scs_checkpoint_probe(path, &c);
    if (c)
        snprintf(text, sizeof text, "a trained model of %d genes, whole", c->genes.n);
    print_line(f, "model.h5", status, text);
    f->model = status == SCS_OK;
    scs_checkpoint_destroy(&c);
}

/* The one with the most steps is where a run would go on from. */
static void inspect_state(found *f, const char *name)
{
    char path[4096], text[256] = "";
    scs_state *s = NULL;
    scs_status status;

    if (!is_there(f, name, path, sizeof path))
        return;
    status = scs_state_probe(path, &s);
    if (s)
        snprintf(text, sizeof text, "the state of a training, whole: %lld steps, epoch %lld",
                 (long long)s->position.step, (long long)s->position.epoch);
    print_line(f, name, status, text);
    if (status == SCS_OK && (s->position.step > f->steps ||
                             (s->position.step == f->steps && s->position.epoch > f->epoch))) {
        f->steps = s->position.step;
        f->epoch = s->position.epoch;
        snprintf(f->newest, sizeof f->newest, "%s", name);
    }
    scs_state_destroy(&s);
}

/* What of uns/scscreen says which model the rows are of. @param[out] sum [SCS_CHECKSUM_MAX] ""
 * where the file names none */
static scs_status model_of_result(char *path, char *sum)
{
    scs_bytes answer = {0};
    int64_t kind;
    result r = {0};
    scs_status status;

    sum[0] = '\0';
    SCS_GO(status, scs_sandbox_run(path, look, path, &(scs_sandbox_limits){.memory = memory_limit},
                                   &answer));
    SCS_GO(status, scs_bytes_get_int(&answer, &kind));
    SCS_GO(status, kind == KIND_RESULT
                       ? SCS_OK
                       : SCS_FAIL(SCS_EDATA, "%s: not a screen of scscreen's", path));
    SCS_GO(status, get_result(&answer, &r));
    if (r.what)
        SCS_GO(status, SCS_FAIL(SCS_EDATA, "%s: not a screen of scscreen's", path));
    for (int64_t i = 0; i < r.n && status == SCS_OK; i++) {
        char *key = NULL, *value = NULL;

        status = get_fact(&answer, &key, &value);
        if (status == SCS_OK && strcmp(key, "model_checksum") == 0)
            snprintf(sum, SCS_CHECKSUM_MAX, "%s", value);
        free(key);
        free(value);
    }
done:
    free(r.what);
    scs_bytes_clear(&answer);
    return status;
}

/* A screen of one model may lie beside a later one. */
static void look_at_result(found *f)
{
    char path[4096], model[4096], of[SCS_CHECKSUM_MAX], here[SCS_CHECKSUM_MAX] = "";
    scs_status status;

    if (!is_there(f, "screen.h5ad", path, sizeof path))
        return;
    status = model_of_result(path, of);
    snprintf(model, sizeof model, "%.4080s/model.h5", f->folder);
    if (status == SCS_OK && f->model)
        status = scs_checksum_file_identity(model, here);
    f->result = status == SCS_OK;
    f->apart = f->result && f->model && strcmp(of, here) != 0;
    print_line(f, "screen.h5ad", status,
               !f->apart ? "a screen; scscreen inspect it, or open it with anndata.read_h5ad"
               : *of     ? "a screen of another model than this model.h5"
                         : "a screen that is not of this model.h5: it names no model");
}

/* Files that are named only: what reads them checks them. */
static void inspect_others(found *f)
{
    static const struct {
        const char *name, *what;
    } others[] = {
        {.name = "ranking.tsv", .what = "rows of the screen, ranked"},
        {.name = "cells.h5ad", .what = "predicted cells"},
        {.name = "latent.h5ad", .what = "latent coordinates of the cells"},
        {.name = "decoded.h5ad", .what = "expression of latent coordinates"},
        {.name = "integrated.h5ad", .what = "cells without their batches"},
        {.name = "interpolation.h5ad", .what = "expression between two groups of cells"},
        {.name = "pca.h5ad", .what = "principal components of the cells"},
        {.name = "validation", .what = "finished models of a validation, one file each"},
        {.name = "validation.tsv", .what = "a finished validation"},
        {.name = "validation.txt", .what = "what beats what in it, and what to screen with"},
        {.name = "validation_summary.tsv", .what = "what it says in short"},
        {.name = "events.jsonl", .what = "a line for each epoch of training"},
        {.name = "STOP", .what = "a running training ends when it sees this file"},
    };
    char path[4096];

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_there(f, others[i].name, path, sizeof path))
            print_line(f, others[i].name, SCS_OK, others[i].what);
}

/* A state comes first: it means that training was interrupted, whatever else is there. */
static void print_next_step(const found *f)
{
    char report[4096];

    if (f->steps >= 0)
        printf("Interrupted after %lld steps: the command that was interrupted goes on from %s.\n",
               (long long)f->steps, f->newest);
    else if (f->model && !f->result)
        printf("Trained, not screened: go on with scscreen screen CONFIG.yaml.\n");
    else if (f->apart)
        printf("screen.h5ad and model.h5 do not belong together: scscreen screen CONFIG.yaml "
               "screens with this model.\n");
    else if (f->result)
        printf("Finished: look at it with %s %s.\n", scs_installed_report(report, sizeof report),
               f->folder);
}

/* A line for each file that scscreen writes, and the next command. SCS_EDATA where one of them is
 * damaged, or where there is none. */
static scs_status inspect_folder(const char *path)
{
    found f = {.folder = path, .steps = -1};

    printf("%s: a folder\n", path);
    inspect_model(&f);
    inspect_state(&f, "training.1.h5");
    inspect_state(&f, "training.2.h5");
    look_at_result(&f);
    inspect_others(&f);
    SCS_REQUIRE(f.files > 0, SCS_EDATA, "%s: holds no file of scscreen's", path);
    print_next_step(&f);
    SCS_REQUIRE(!f.damaged, SCS_EDATA, "%s: %d of these files %s damaged", path, f.damaged,
                f.damaged == 1 ? "is" : "are");
    return SCS_OK;
}

/* A config holds no results; check reads it. */
static bool is_config(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* The whole file's checksum first, where it carries one: SCS_EDATA if it does not match. */
static scs_status run(const scs_cli *cli)
{
    scs_bytes answer = {0};
    char path[4096];
    int64_t kind;
    scs_status status;

    if (is_folder(cli->file))
        return inspect_folder(cli->file);
    SCS_REQUIRE(!is_config(cli->file), SCS_EARG,
                "%s: a config; scscreen check %s says what a run would read", cli->file, cli->file);
    snprintf(path, sizeof path, "%s", cli->file);
    SCS_GO(status, scs_checksum_file_check(path, false));
    SCS_GO(status, scs_sandbox_run(path, look, path, &(scs_sandbox_limits){.memory = memory_limit},
                                   &answer));
    SCS_GO(status, scs_bytes_get_int(&answer, &kind));
    SCS_GO(status, print_kind(cli, kind, &answer));
done:
    scs_bytes_clear(&answer);
    return status;
}

const scs_verb scs_verb_inspect = {
    .name = "inspect",
    .argument = "FILE",
    .summary = "say what a file or folder of results holds, and how to go on",
    .details = "Opens a model.h5, training.N.h5, screen.h5ad, pca.h5ad or other .h5ad in a "
               "limited child process and says what it is, whether it is whole, and how to go "
               "on; a folder: the same for what is in it. A damaged file is exit code 65.",
    .serial = run,
};
