/* simulate: an atlas with known shifts (src/simulate), on one process, without MPI. */
#include "mpi/app/verbs.h"
#include "src/simulate/simulate.h"

#include <string.h>

/* Local. SCS_EARG without a folder; SCS_ECREATE, SCS_EIO. */
static scs_status simulate(const scs_cli *cli)
{
    scs_config *config = NULL;
    scs_status status;

    SCS_GO(status, cli->file ? scs_config_load(cli->file, cli->sets, cli->n_set, &config, NULL)
                             : scs_config_parse("", "", cli->sets, cli->n_set, &config));
    if (!*config->simulate.dir)
        status = SCS_FAIL(
            SCS_EARG,
            "%s%ssimulate.dir is not set: give --dir OUT or a config with a simulate section",
            config->file, *config->file ? ": " : "");
    else
        status = scs_simulate(config, cli->quiet ? NULL : stderr);
done:
    scs_config_destroy(&config);
    return status;
}

const scs_verb scs_verb_simulate = {
    .name = "simulate",
    .argument = "CONFIG.yaml",
    .argument_optional = true,
    .has_section = true,
    .summary = "write a simulated atlas with known shifts",
    .details = "Writes one .h5ad of raw counts per species, ortholog tables and truth.h5ad into\n"
               "simulate.dir. Every simulate.KEY is also an option: --dir, --genes, --cells (per\n"
               "species, type and condition), --cell_types, --perturbations, --species, --seed,\n"
               "--effect, --counts, --dispersion. Without a config: scscreen simulate --dir OUT",
    .serial = simulate,
};
