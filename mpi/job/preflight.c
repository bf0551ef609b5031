/* One process reads what all need, before MPI_Init, and packs it into one blob: see preflight.h
 * for why. The order of the blob is that of `prepare`; mpi/job/session.c takes it apart in the
 * same order.
 *
 *      config          its text, as it was read
 *      inputs, labels  the records of data.inputs with globs resolved, and of data.labels
 *      each input      size, packed metadata; size 0: not made yet (SCS_NEED_FORESEEN)
 *      notes           what there is to say of them
 *      checkpoint      size, packed metadata; size 0: none to take
 *      state           size, packed; size 0: from the start
 *      each input      names of its cells, where the verb needs them
 *      predict.from    size, packed metadata, names of its cells; where the verb knows the key and
 *                      it is set
 *      decode.from     its description, where the verb needs it
 *
 *  A verb that does not read the inputs (decode) finds their sizes 0. obs of the inputs stays with
 *  this process: rank 0 alone writes it.
 *
 *  Also the two files of training states: which is the newer sound one, and whether this config may
 *  go on from it. Only keys that affect the weights have to agree; folders, limits and what is
 *  screened may change. */
#include "mpi/job/preflight.h"

#include "mpi/job/command.h"
#include "mpi/job/folder_lock.h"
#include "mpi/job/provenance.h"
#include "src/base/bytes.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/config/path.h"
#include "src/config/stored.h"
#include "src/data/h5ad.h"
#include "src/data/inputs.h"
#include "src/data/latent_file.h"
#include "src/hdf5/h5write.h"
#include "src/simulate/simulate.h"
#include "src/train/state.h"
#include "scscreen/checkpoint.h"
#include "scscreen/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_FILES = 2 };

/* Slots count from 0, files from 1. */
scs_status scs_preflight_state_file(const scs_config *config, int slot, char *out, size_t size)
{
    int length = snprintf(out, size, "%s/training.%d.h5", config->output.dir, slot + 1);

    SCS_REQUIRE(length > 0 && (size_t)length < size, SCS_EARG,
                "output.dir is longer than %zu bytes", size);
    return SCS_OK;
}

/* By steps done; the first step of an epoch's end is the same as of the next one's start, so
 * epochs decide a tie. */
static bool is_newer(const scs_state *a, const scs_state *b)
{
    const scs_position *p = &a->position, *q = &b->position;

    return p->step > q->step || (p->step == q->step && p->epoch > q->epoch);
}

/* Keep the newer of two; takes over both. */
static scs_state *newer(scs_state *a, scs_state *b)
{
    bool first = !b || (a && is_newer(a, b));

    scs_state_destroy(first ? &b : &a);
    return first ? a : b;
}

/* Each file is read in the sandbox. @param[out] bad the first damaged file's message, "" if none */
static scs_status probe_files(const scs_config *config, scs_state **state, char *bad)
{
    char path[4096];

    bad[0] = '\0';
    for (int slot = 0; slot < STATE_FILES; slot++) {
        scs_state *found = NULL;
        scs_status st;

        SCS_TRY(scs_preflight_state_file(config, slot, path, sizeof path));
        if (access(path, F_OK) != 0)
            continue;
        st = scs_state_probe(path, &found);
        if (st == SCS_EDATA)
            snprintf(bad, SCS_MESSAGE_MAX, "%s", scs_message());
        else
            SCS_TRY(st);
        *state = newer(*state, found);
    }
    return SCS_OK;
}

/* SCS_EARG with the keys that differ and affect the weights. */
static scs_status check_config(const scs_config *config, const scs_state *state)
{
    scs_stored stored = {.path = state->path,
                         .text = state->config,
                         .affects = SCS_AFFECTS_WEIGHTS,
                         .n_shard = state->n_shard,
                         .was = "the run that it belongs to had",
                         .otherwise = "to go on, or begin anew with --restart"};

    return scs_stored_check(&stored, config);
}

/* Other versions may round differently: a warning, no refusal. */
static void check_program(const scs_state *state)
{
    if (strcmp(state->program, SCS_PROGRAM) != 0)
        fprintf(stderr,
                "scscreen: warning: %s was made by scscreen %s, this is %s: the last digits may "
                "differ\n",
                state->path, state->program, SCS_PROGRAM);
}

/* The newest sound state, NULL where there is none to go on from; a damaged one is passed over
 * with a warning on stderr.
 *  @return SCS_EDATA when all there are are damaged, SCS_EARG (with the keys) when the config has
 * changed since */
static scs_status state_files_find(const scs_config *config, scs_state **state)
{
    char bad[SCS_MESSAGE_MAX];
    scs_status st;

    *state = NULL;
    SCS_GO(st, probe_files(config, state, bad));
    if (bad[0] && !*state)
        st = SCS_FAIL(SCS_EDATA, "%.700s; no sound state is left: begin anew with --restart", bad);
    else if (bad[0])
        fprintf(stderr, "scscreen: warning: %s; going on from the other one\n", bad);
    if (*state) {
        SCS_GO(st, check_config(config, *state));
        check_program(*state);
    }
done:
    if (st != SCS_OK)
        scs_state_destroy(state);
    return st;
}

/* Also temporary files of a job that was killed while it saved. */
scs_status scs_preflight_remove_states(const scs_config *config)
{
    char path[4096];

    for (int slot = 0; slot < STATE_FILES; slot++) {
        SCS_TRY(scs_preflight_state_file(config, slot, path, sizeof path));
        SCS_TRY(scs_file_remove_stale(path)); /* of a job that was killed while it saved */
        SCS_TRY(scs_file_remove(path));
    }
    return SCS_OK;
}

/* Open MPI, PMIx, MPICH and Slurm each set a variable of their own; the first that is set decides.
 */
bool scs_preflight_is_first(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                            "MV2_COMM_WORLD_RANK", "SLURM_PROCID"};

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *rank = getenv(variables[i]);

        if (rank && *rank)
            return strcmp(rank, "0") == 0;
    }
    return true;
}

/* Whether check_output and lock_output would succeed, without writing anything: the lock is let go
 * at once, and whoever wants it meanwhile waits for longer than that. */
static scs_status look_at_output(const scs_config *config)
{
    const char *dir = config->output.dir;
    int lock = -1;
    bool waited;

    SCS_TRY(scs_file_could_make_folder(dir));
    if (access(dir, F_OK) != 0)
        return SCS_OK;
    SCS_REQUIRE(access(dir, W_OK | X_OK) == 0, SCS_ECREATE, "output.dir %s: cannot be written: %s",
                dir, strerror(errno));
    SCS_TRY(scs_folder_lock_take(dir, &lock, &waited));
    scs_folder_lock_drop(&lock);
    return SCS_OK;
}

/* A folder that takes a file now will take the results later: better to know before hours of
 * training. SCS_ECREATE. */
static scs_status check_output(const scs_config *config)
{
    char *probe;
    size_t size = strlen(config->output.dir) + 32;
    scs_status status = SCS_OK;
    FILE *file;

    SCS_TRY(scs_file_make_folder(config->output.dir));
    SCS_TRY(SCS_ALLOC(probe, (int64_t)size));
    snprintf(probe, size, "%s/.writable.%ld", config->output.dir, (long)getpid());
    file = fopen(probe, "w");
    if (!file)
        status = SCS_FAIL(SCS_ECREATE, "output.dir %s: cannot be written: %s", config->output.dir,
                          strerror(errno));
    else {
        fclose(file);
        unlink(probe);
    }
    free(probe);
    return status;
}

/* ---- The folder's lock, and what a job that had it has finished ---- */

/* What jobs leave under these names when they are done. */
static const char *const finished[] = {
    SCS_MODEL_FILE,  SCS_SCREEN_FILE,  SCS_VALIDATION_FILE, SCS_PCA_FILE,          SCS_CELLS_FILE,
    SCS_LATENT_FILE, SCS_DECODED_FILE, SCS_INTEGRATED_FILE, SCS_INTERPOLATION_FILE};

enum { N_FINISHED = sizeof finished / sizeof *finished };

/* Each is renamed into place whole, so that another one is another inode, or at least of another
 * time. All 0: it is not there. @param[out] file [N_FINISHED] */
static void look_at_finished(const scs_config *config, struct stat *file)
{
    char path[4096];

    for (int i = 0; i < N_FINISHED; i++) {
        int length = snprintf(path, sizeof path, "%s/%s", config->output.dir, finished[i]);

        if (length < 0 || (size_t)length >= sizeof path || stat(path, &file[i]) != 0)
            file[i] = (struct stat){0};
    }
}

/* A training that is not done leaves its states, whatever else is there. */
static bool is_interrupted(const scs_config *config)
{
    char path[4096];

    for (int slot = 0; slot < STATE_FILES; slot++)
        if (scs_preflight_state_file(config, slot, path, sizeof path) == SCS_OK &&
            access(path, F_OK) == 0)
            return true;
    return false;
}

/* Two jobs were started in one folder, and the first was done before the second gave up waiting:
 * going on would replace what the first has just made. A job that was killed has finished nothing,
 * and is gone on from. @param before as it was before the lock was asked for  @return SCS_ECREATE
 */
static scs_status check_unfinished(const scs_config *config, const struct stat *before)
{
    struct stat now[N_FINISHED];

    look_at_finished(config, now);
    if (is_interrupted(config))
        return SCS_OK;
    for (int i = 0; i < N_FINISHED; i++)
        SCS_REQUIRE(
            scs_file_is_unchanged(&before[i], &now[i]), SCS_ECREATE,
            "%s: another job was at work there and has just finished: %s is its own; choose "
            "another output.dir, or run the same again to replace it",
            config->output.dir, finished[i]);
    return SCS_OK;
}

/* One job at a time works in output.dir. SCS_ECREATE. @param[out] lock -1: none, or no locks */
static scs_status lock_output(const scs_config *config, int *lock)
{
    struct stat before[N_FINISHED];
    bool waited;

    look_at_finished(config, before);
    SCS_TRY(scs_folder_lock_take(config->output.dir, lock, &waited));
    return waited ? check_unfinished(config, before) : SCS_OK;
}

/* ---- The blob ---- */

/* The first input that is not there, where the config says how inputs are made.
 *  @param[out] path borrowed; NULL: all are there, or none are made */
static scs_status missing_simulated(const scs_config *config, const char **path)
{
    *path = NULL;
    for (int32_t i = 0; *config->simulate.dir && !*path && i < config->data.n_input; i++) {
        const char *input = config->data.inputs[i].path;
        int32_t n = 0;

        if (scs_inputs_is_glob(input))
            SCS_TRY(scs_inputs_count(input, &n));
        else
            n = access(input, F_OK) == 0;
        *path = n == 0 ? input : NULL;
    }
    return SCS_OK;
}

/* All inputs are made anew where one is missing: they belong together. */
static scs_status simulate_missing(const scs_config *config)
{
    const char *path;

    SCS_TRY(missing_simulated(config, &path));
    return path ? scs_simulate(config, stderr) : SCS_OK;
}

/* No input is read. */
static scs_status put_unread(scs_bytes *blob, const scs_config *config)
{
    scs_names notes = {0};

    SCS_TRY(scs_inputs_put(config, blob));
    for (int32_t i = 0; i < config->data.n_input; i++)
        SCS_TRY(scs_bytes_put_int(blob, 0));
    return scs_bytes_put_names(blob, &notes);
}

/* In place of inputs that `simulate` makes and has not made yet: as if they were not read, where
 * the verb only looks ahead; else SCS_EDATA with the command that makes them. @param path of the
 * first
 */
static scs_status put_missing(scs_bytes *blob, const scs_config *config, const char *path,
                              unsigned needs)
{
    SCS_REQUIRE(needs & SCS_NEED_FORESEEN, SCS_EDATA,
                "%s: there is no such file yet; scscreen simulate %s makes it", path, config->file);
    SCS_TRY(scs_simulate_check(config));
    return put_unread(blob, config);
}

/* Packed metadata behind its size. */
static scs_status put_input(scs_bytes *blob, const scs_h5ad *meta)
{
    uint8_t *packed = NULL;
    int64_t size;
    scs_status status;

    SCS_GO(status, scs_h5ad_pack(meta, &packed, &size));
    SCS_GO(status, scs_bytes_put_int(blob, size));
    SCS_GO(status, scs_bytes_put(blob, packed, size));
done:
    free(packed);
    return status;
}

/* All of its files. What is missing is left to the reader, who says what is wrong. SCS_ENOMEM.
 *  @param[out] seen [SCS_INPUT_FILES] zeroed where there is none */
static scs_status look_at(const char *path, scs_names *files, struct stat *seen)
{
    scs_status st = scs_h5ad_files(path, files);

    memset(seen, 0, SCS_INPUT_FILES * sizeof *seen);
    if (st == SCS_ENOMEM)
        return st;
    scs_message_clear();
    for (scs_lidx i = 0; i < files->n && i < SCS_INPUT_FILES; i++)
        if (stat(files->name[i], &seen[i]) != 0)
            seen[i] = (struct stat){0};
    return SCS_OK;
}

/* What the files are before anything of them is read. */
static scs_status look_at_inputs(scs_preflight *preflight, const scs_config *config)
{
    SCS_TRY(SCS_ALLOC(preflight->input, config->data.n_input));
    preflight->n_input = config->data.n_input;
    for (int32_t i = 0; i < config->data.n_input; i++) {
        scs_names files = {0};
        scs_status st = look_at(config->data.inputs[i].path, &files, preflight->input[i]);

        scs_names_clear(&files);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* SCS_EDATA names the file of the input that is not as it was. */
static scs_status check_input(const char *path, const struct stat *was)
{
    struct stat now[SCS_INPUT_FILES];
    scs_names files = {0};
    scs_status st;

    SCS_GO(st, look_at(path, &files, now));
    for (int i = 0; i < SCS_INPUT_FILES; i++)
        if (!scs_file_is_unchanged(&was[i], &now[i]))
            SCS_GO(st, SCS_FAIL(SCS_EDATA,
                                "%s: changed while it was being read; run again when nothing "
                                "writes to it",
                                i < files.n ? files.name[i] : path));
done:
    scs_names_clear(&files);
    return st;
}

scs_status scs_preflight_check_inputs(const scs_preflight *preflight, const scs_config *config)
{
    for (int32_t i = 0; i < preflight->n_input; i++)
        SCS_TRY(check_input(config->data.inputs[i].path, preflight->input[i]));
    return SCS_OK;
}

/* In the order of data.inputs, which numbers the cells; then what there is to say of them. @param
 * globs they may be such */
static scs_status put_inputs(scs_preflight *preflight, scs_config *config, bool globs)
{
    scs_h5ad **metas = NULL;
    scs_names notes = {0};
    scs_status status;

    if (globs)
        SCS_TRY(scs_inputs_settle(config));
    SCS_TRY(look_at_inputs(preflight, config));
    SCS_TRY(scs_inputs_put(config, &preflight->blob));
    SCS_GO(status, SCS_ALLOC(metas, config->data.n_input));
    SCS_GO(status, scs_inputs_probe(config, metas, &notes));
    for (int32_t i = 0; i < config->data.n_input; i++) {
        SCS_GO(status, put_input(&preflight->blob, metas[i]));
        scs_h5ad_destroy(&metas[i]);
    }
    SCS_GO(status, scs_bytes_put_names(&preflight->blob, &notes));
done:
    for (int32_t i = 0; metas && i < config->data.n_input; i++)
        scs_h5ad_destroy(&metas[i]);
    free(metas);
    scs_names_clear(&notes);
    return status;
}

/* ---- two files in place of a config ---- */

/* Whether the command line sets a key, by --set or by an option that stands for it. */
static bool is_set(const scs_cli *cli, const char *key)
{
    size_t n = strlen(key);

    for (int i = 0; i < cli->n_set; i++) {
        const char *set = cli->sets[i], *space = strchr(set, ' ');

        if (strncmp(set, "--", 2) == 0 && space)
            set = space + 1;
        if (strncmp(set, key, n) == 0 && set[n] == '=')
            return true;
    }
    return false;
}

/* One file as an item of data.inputs, its name quoted as a path and as YAML want it. */
static scs_status put_path(scs_bytes *text, const char *path)
{
    char *quoted = NULL;
    scs_status st;

    SCS_GO(st, scs_path_quote(path, &quoted));
    SCS_GO(st, scs_bytes_put(text, "\n    - path: \"", 14));
    for (const char *at = quoted; *at; at++) {
        char escaped[] = {'\\', *at};
        bool special = *at == '"' || *at == '\\';

        SCS_GO(st, scs_bytes_put(text, special ? escaped : escaped + 1, special ? 2 : 1));
    }
    SCS_GO(st, scs_bytes_put(text, "\"", 1));
done:
    free(quoted);
    return st;
}

/* The text of a config whose inputs are the two files of the command line. @param[out] text
 * malloc'ed */
static scs_status pair_config(const scs_cli *cli, char **text)
{
    scs_bytes bytes = {0};
    scs_status st;

    SCS_REQUIRE(!is_set(cli, "data.inputs"), SCS_EARG,
                "data.inputs: %s takes its two files as they are named: %s", cli->verb->name,
                cli->verb->argument);
    SCS_GO(st, scs_bytes_put(&bytes, "data:\n  inputs:", 15));
    SCS_GO(st, put_path(&bytes, cli->file));
    SCS_GO(st, put_path(&bytes, cli->second));
    SCS_GO(st, scs_text_copy_n((const char *)bytes.data, (size_t)bytes.size, text));
done:
    scs_bytes_clear(&bytes);
    return st;
}

/* A column of cell types is read only where the user named one: a file need not have any. */
static scs_status parse_pair(const scs_cli *cli, char **text, scs_config **config)
{
    SCS_TRY(pair_config(cli, text));
    SCS_TRY(scs_config_parse("", *text, cli->sets, cli->n_set, config));
    if (!is_set(cli, "data.cell_type"))
        (*config)->data.cell_type[0] = '\0';
    return SCS_OK;
}

/* The model file that a verb starts from; NULL: none. SCS_EDATA with what to do where the default
 * one is missing. @param[out] path malloc'ed */
static scs_status model_path(const scs_config *config, unsigned needs, char **path)
{
    const char *load = config->model.load;
    size_t size = strlen(config->output.dir) + strlen(load) + 16;

    *path = NULL;
    if (!*load && !(needs & SCS_NEED_MODEL))
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(*path, (int64_t)size));
    if (*load)
        snprintf(*path, size, "%s", load);
    else
        snprintf(*path, size, "%s/" SCS_MODEL_FILE, config->output.dir);
    if (!*load && access(*path, R_OK) != 0) {
        scs_status status = SCS_FAIL(
            SCS_EDATA, "%s: no model there; run scscreen train %s first, or set model.load", *path,
            config->file);
        free(*path);
        *path = NULL;
        return status;
    }
    return SCS_OK;
}

/* Its metadata only; weights are read by rank 0 once the model has been made. An empty block
 * stands for "no checkpoint". */
static scs_status put_checkpoint(scs_bytes *blob, const scs_config *config, unsigned needs)
{
    scs_checkpoint *checkpoint = NULL;
    uint8_t *packed = NULL;
    char *path = NULL;
    int64_t size = 0;
    scs_status status;

    if (config->model.kind == SCS_MODEL_VAE && (needs & (SCS_NEED_WEIGHTS | SCS_NEED_MODEL)))
        SCS_GO(status, model_path(config, needs, &path));
    if (path) {
        SCS_GO(status, scs_checkpoint_probe(path, &checkpoint));
        SCS_GO(status, scs_checkpoint_pack(checkpoint, &packed, &size));
    }
    SCS_GO(status, scs_bytes_put_int(blob, size));
    SCS_GO(status, scs_bytes_put(blob, packed, size));
done:
    free(path);
    free(packed);
    scs_checkpoint_destroy(&checkpoint);
    return status;
}

/* The whole state but its arrays. Weights that are to be loaded leave no room for a state; nor
 * does --restart. An empty block stands for "from the start". */
static scs_status put_state(scs_bytes *blob, const scs_config *config, unsigned needs)
{
    scs_state *state = NULL;
    uint8_t *packed = NULL;
    int64_t size = 0;
    scs_status status = SCS_OK;

    if ((needs & SCS_NEED_STATE) && config->train.resume && !*config->model.load)
        SCS_GO(status, state_files_find(config, &state));
    if (state)
        SCS_GO(status, scs_state_pack(state, &packed, &size));
    SCS_GO(status, scs_bytes_put_int(blob, size));
    SCS_GO(status, scs_bytes_put(blob, packed, size));
done:
    free(packed);
    scs_state_destroy(&state);
    return status;
}

/* In the order of data.inputs. */
static scs_status put_cell_names(scs_bytes *blob, const scs_config *config)
{
    for (int32_t i = 0; i < config->data.n_input; i++) {
        scs_names names = {0};
        scs_status status =
            scs_h5ad_probe_cells(config->data.inputs[i].path, config->data.memory << 20, &names);

        if (status == SCS_OK)
            status = scs_bytes_put_names(blob, &names);
        scs_names_clear(&names);
        SCS_TRY(status);
    }
    return SCS_OK;
}

/* The column that stands for a key's, if the file has one. @param[out] name `wanted`, or NULL */
static scs_status find_label(const scs_config *config, const scs_h5ad *meta, const char *wanted,
                             const char **name)
{
    const char *column = NULL;

    SCS_TRY(scs_h5ad_column_named(&meta->obs_columns, config->data.rename, config->data.n_rename,
                                  wanted, meta->path, &column));
    *name = column ? wanted : NULL;
    return SCS_OK;
}

/* Its columns of labels are read only where it has them: cells need none. */
static scs_status probe_from(const scs_config *config, scs_h5ad **meta)
{
    const char *path = config->predict.from, *matrix = config->predict.from_matrix;
    scs_h5ad_request request = {.matrix = *matrix ? matrix : config->data.matrix,
                                .gene_column = config->data.gene_column,
                                .rename = config->data.rename,
                                .n_rename = config->data.n_rename,
                                .memory = config->data.memory << 20};

    SCS_TRY(scs_h5ad_probe(path, &request, meta));
    SCS_TRY(find_label(config, *meta, config->data.cell_type, &request.cell_type));
    SCS_TRY(find_label(config, *meta, config->data.condition, &request.condition));
    if (!request.cell_type && !request.condition)
        return SCS_OK;
    scs_h5ad_destroy(meta);
    return scs_h5ad_probe(path, &request, meta);
}

static scs_status put_from(scs_bytes *blob, const scs_config *config)
{
    scs_names names = {0};
    scs_h5ad *meta = NULL;
    scs_status status;

    SCS_GO(status, probe_from(config, &meta));
    SCS_GO(status, put_input(blob, meta));
    SCS_GO(status, scs_h5ad_probe_cells(config->predict.from, config->data.memory << 20, &names));
    SCS_GO(status, scs_bytes_put_names(blob, &names));
done:
    scs_names_clear(&names);
    scs_h5ad_destroy(&meta);
    return status;
}

/* obs of one file, as it stands. */
static scs_status probe_obs(scs_preflight *preflight, const scs_config *config, const char *path)
{
    scs_names left = {0};
    char list[400];
    scs_status status;

    SCS_GO(status, scs_h5ad_probe_obs(path, config->data.memory << 20,
                                      &preflight->obs[preflight->n_obs++], &left));
    if (left.n)
        fprintf(stderr,
                "scscreen: warning: %s: columns of obs that hold no labels, texts or "
                "numbers are left out: %s\n",
                path, scs_names_list(&left, 10, list, sizeof list));
done:
    scs_names_clear(&left);
    return status;
}

/* In the order of data.inputs. */
static scs_status probe_all_obs(scs_preflight *preflight, const scs_config *config)
{
    SCS_TRY(SCS_ALLOC(preflight->obs, config->data.n_input));
    for (int32_t i = 0; i < config->data.n_input; i++)
        SCS_TRY(probe_obs(preflight, config, config->data.inputs[i].path));
    return SCS_OK;
}

/* The file of latent coordinates, by default what embed has written. */
static scs_status put_latent(scs_preflight *preflight, const scs_config *config)
{
    scs_latent_file file = {0};
    char *path = NULL;
    scs_status status;

    SCS_GO(status, *config->decode.from
                       ? scs_text_copy(config->decode.from, &path)
                       : scs_file_path_print(&path, "%s/" SCS_LATENT_FILE, config->output.dir));
    if (!*config->decode.from && access(path, R_OK) != 0)
        SCS_GO(status, SCS_FAIL(SCS_EDATA,
                                "%s: no latent coordinates there; run scscreen embed %s first, or "
                                "name a file: --from FILE.h5ad",
                                path, config->file));
    SCS_GO(status,
           scs_latent_file_probe(path, config->decode.matrix, config->data.memory << 20, &file));
    SCS_GO(status, scs_latent_file_put(&file, &preflight->blob));
    SCS_GO(status, SCS_ALLOC(preflight->obs, 1));
    SCS_GO(status, probe_obs(preflight, config, path));
done:
    scs_latent_file_clear(&file);
    free(path);
    return status;
}

/* The text as it was read, not the parsed config: every rank parses it with the same --set, but
 * takes paths as they are here. Errors of the config come before those of files. */
static scs_status prepare(scs_preflight *preflight, const scs_cli *cli)
{
    unsigned needs = cli->verb->needs;
    bool reads = needs & (SCS_NEED_INPUTS | SCS_NEED_PAIR);
    scs_config *config = NULL;
    char *text = NULL;
    const char *missing = NULL;
    scs_status status;

    if (needs & SCS_NEED_PAIR) {
        SCS_GO(status, parse_pair(cli, &text, &config));
    } else
        SCS_GO(status, scs_config_load(cli->file, cli->sets, cli->n_set, &config, &text));
    SCS_GO(status, scs_bytes_put_text(&preflight->blob, text));
    SCS_GO(status, scs_path_put(config, &preflight->blob));
    if (needs & SCS_NEED_FORESEEN)
        SCS_GO(status, look_at_output(config));
    if (needs & SCS_NEED_OUTPUT) {
        SCS_GO(status, check_output(config));
        SCS_GO(status, lock_output(config, &preflight->lock));
    }
    SCS_GO(status, needs & SCS_NEED_SIMULATED ? simulate_missing(config) : SCS_OK);
    if (config->data.n_input == 0 && reads)
        SCS_GO(status, SCS_FAIL(SCS_EARG, "%s: data.inputs is empty: name at least one .h5ad file",
                                config->file));
    if (!(needs & SCS_NEED_SIMULATED) && reads)
        SCS_GO(status, missing_simulated(config, &missing));
    if (!reads)
        SCS_GO(status, put_unread(&preflight->blob, config));
    else if (missing)
        SCS_GO(status, put_missing(&preflight->blob, config, missing, needs));
    else
        SCS_GO(status, put_inputs(preflight, config, !(needs & SCS_NEED_PAIR)));
    SCS_GO(status, put_checkpoint(&preflight->blob, config, needs));
    SCS_GO(status, put_state(&preflight->blob, config, needs));
    if (needs & SCS_NEED_CELL_NAMES)
        SCS_GO(status, put_cell_names(&preflight->blob, config));
    if ((needs & SCS_NEED_FROM) && *config->predict.from)
        SCS_GO(status, put_from(&preflight->blob, config));
    if (needs & SCS_NEED_OBS)
        SCS_GO(status, probe_all_obs(preflight, config));
    if (needs & SCS_NEED_LATENT)
        SCS_GO(status, put_latent(preflight, config));
done:
    free(text);
    scs_config_destroy(&config);
    return status;
}

/* The status is kept, not returned: only rank 0 has it until the ranks can agree. */
void scs_preflight_prepare(scs_preflight *preflight, const scs_cli *cli)
{
    preflight->prepared = true;
    preflight->lock = -1;
    preflight->status = prepare(preflight, cli);
    snprintf(preflight->message, sizeof preflight->message, "%s",
             preflight->status == SCS_OK ? "" : scs_message());
}

/* After the session: its result may have to be written under the lock. */
void scs_preflight_clear(scs_preflight *preflight)
{
    scs_bytes_clear(&preflight->blob);
    for (int32_t i = 0; i < preflight->n_obs; i++)
        scs_obs_table_clear(&preflight->obs[i]);
    free(preflight->obs);
    free(preflight->input);
    if (preflight->prepared)
        scs_folder_lock_drop(&preflight->lock);
}
