/* Keys that are sound one by one and contradict each other. */
#include "src/config_value.h"

/* What rows must have been measured with, to be ranked by a number. */
static const struct {
    bool cells; /* in latent space */
    bool permutations;
} needs[SCS_N_RANK_BY] = {
    [SCS_RANK_ENERGY_DISTANCE] = {.cells = true},
    [SCS_RANK_P_VALUE] = {.cells = true, .permutations = true},
    [SCS_RANK_Q_VALUE] = {.cells = true, .permutations = true},
};

static scs_status check_rank_by(const scs_config *c)
{
    bool cells = needs[c->screen.rank_by].cells;
    bool permutations = needs[c->screen.rank_by].permutations;

    SCS_REQUIRE(c->model.kind != SCS_MODEL_MEAN || !cells, SCS_EARG,
                "%s: screen.rank_by: model.kind: mean has no latent cells, so neither p-values nor "
                "energy distances; delta_norm is there",
                c->file);
    SCS_REQUIRE(!permutations || c->screen.permutations > 0, SCS_EARG,
                "%s: screen.rank_by asks for p-values, but screen.permutations is 0", c->file);
    return SCS_OK;
}

scs_status scs_config_check(const scs_config *config)
{
    SCS_REQUIRE(config->screen.bootstrap != 1, SCS_EARG,
                "%s: screen.bootstrap is 1; a standard error needs 2 replicates or more (0: none)",
                config->file);
    return check_rank_by(config);
}
