#include "mpi/stage.h"

#include "mpi/state_files.h"
#include "mpi/verb.h"
#include "scscreen/checkpoint.h"
#include "src/h5ad.h"
#include "src/simulate.h"
#include "src/checksum.h"
#include "src/h5write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool scs_stage_is_first(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                            "SLURM_PROCID"};

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *rank = getenv(variables[i]);

        if (rank && *rank)
            return strcmp(rank, "0") == 0;
    }
    return true;
}

/* A folder that takes a file now will take the results later: better to know before hours of
 * training. */
static scs_status check_output(const scs_config *config)
{
    char *probe;
    size_t size = strlen(config->output.dir) + 32;
    scs_status status = SCS_OK;
    FILE *file;

    SCS_TRY(scs_make_folder(config->output.dir));
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

static scs_status simulate_missing(const scs_config *config)
{
    if (!*config->simulate.dir)
        return SCS_OK;
    for (int32_t i = 0; i < config->data.n_input; i++)
        if (access(config->data.inputs[i].path, R_OK) != 0)
            return scs_simulate(config, stderr);
    return SCS_OK;
}

static scs_status put_input(scs_bytes *blob, const scs_config *config, const scs_input *input)
{
    scs_h5ad_request request = {.matrix = config->data.matrix,
                                .cell_type = config->data.cell_type,
                                .condition = config->data.condition,
                                .species = config->data.species,
                                .dose = config->data.dose,
                                .memory = config->data.memory << 20};
    char checksum[SCS_CHECKSUM_MAX];
    scs_h5ad *meta = NULL;
    uint8_t *packed = NULL;
    int64_t size;
    scs_status status;

    SCS_GO(status, scs_h5ad_probe(input->path, &request, &meta));
    SCS_GO(status, scs_h5ad_pack(meta, &packed, &size));
    SCS_GO(status, scs_checksum_file(input->path, checksum));
    SCS_GO(status, scs_bytes_put_int(blob, size));
    SCS_GO(status, scs_bytes_put(blob, packed, size));
    SCS_GO(status, scs_bytes_put_text(blob, checksum));
done:
    free(packed);
    scs_h5ad_destroy(&meta);
    return status;
}

static scs_status put_inputs(scs_bytes *blob, const scs_config *config)
{
    SCS_REQUIRE(config->data.n_input > 0, SCS_EARG,
                "%s: data.inputs is empty: name at least one .h5ad file", config->file);
    for (int32_t i = 0; i < config->data.n_input; i++)
        SCS_TRY(put_input(blob, config, &config->data.inputs[i]));
    return SCS_OK;
}

/* The model file that a verb starts from; NULL: none. Caller frees. */
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
        snprintf(*path, size, "%s/model.h5", config->output.dir);
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

/* An empty block stands for "no checkpoint". */
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

/* An empty block stands for "from the start". */
static scs_status put_state(scs_bytes *blob, const scs_config *config, unsigned needs)
{
    scs_state *state = NULL;
    uint8_t *packed = NULL;
    int64_t size = 0;
    scs_status status = SCS_OK;

    if ((needs & SCS_NEED_STATE) && config->train.resume && !*config->model.load)
        SCS_GO(status, scs_state_files_find(config, &state));
    if (state)
        SCS_GO(status, scs_state_pack(state, &packed, &size));
    SCS_GO(status, scs_bytes_put_int(blob, size));
    SCS_GO(status, scs_bytes_put(blob, packed, size));
done:
    free(packed);
    scs_state_destroy(&state);
    return status;
}

static scs_status prepare(scs_stage *stage, const scs_cli *cli)
{
    unsigned needs = cli->verb->needs;
    scs_config *config = NULL;
    char *text = NULL;
    scs_status status;

    SCS_GO(status, scs_config_load(cli->file, cli->sets, cli->n_set, &config, &text));
    SCS_GO(status, scs_bytes_put_text(&stage->blob, text));
    SCS_GO(status, needs & SCS_NEED_OUTPUT ? check_output(config) : SCS_OK);
    SCS_GO(status, needs & SCS_NEED_SIMULATED ? simulate_missing(config) : SCS_OK);
    SCS_GO(status, put_inputs(&stage->blob, config));
    SCS_GO(status, put_checkpoint(&stage->blob, config, needs));
    SCS_GO(status, put_state(&stage->blob, config, needs));
done:
    free(text);
    scs_config_destroy(&config);
    return status;
}

void scs_stage_prepare(scs_stage *stage, const scs_cli *cli)
{
    stage->prepared = true;
    stage->status = prepare(stage, cli);
    snprintf(stage->message, sizeof stage->message, "%s",
             stage->status == SCS_OK ? "" : scs_message());
}

void scs_stage_clear(scs_stage *stage)
{
    scs_bytes_clear(&stage->blob);
}
