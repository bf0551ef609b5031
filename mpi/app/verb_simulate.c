#include "mpi/app/verb.h"
#include "src/simulate/simulate.h"

#include <string.h>

scs_status scs_verb_simulate(const scs_cli *cli)
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
