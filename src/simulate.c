#include "src/simulate.h"
#include "src/file.h"
#include "src/simulate_atlas.h"

#include <stdlib.h>

static scs_status one_species(const scs_sim *sim, const char *dir, int32_t species, FILE *log)
{
    int64_t n_value = 0, n_cell = sim->n_cell * sim->n_type * sim->n_condition;
    char name[SCS_SIM_NAME], *path = NULL, *orthologs = NULL;
    scs_status st;

    scs_sim_species_name(species, name);
    SCS_GO(st, scs_path_print(&path, "%s/%s.h5ad", dir, name));
    SCS_GO(st, scs_path_print(&orthologs, "%s/%s.orthologs.tsv", dir, name));
    SCS_GO(st, scs_sim_write_counts(sim, species, path, &n_value));
    if (log)
        fprintf(log, "%s: %lld cells x %d genes, %.1f %% of counts not 0\n", path,
                (long long)n_cell, sim->n_own,
                100.0 * (double)n_value / (double)n_cell / (double)sim->n_own);
    if (species > 0) {
        SCS_GO(st, scs_sim_write_orthologs(sim, species, orthologs));
        if (log)
            fprintf(log, "%s: one-to-one orthologs of %d genes\n", orthologs, sim->n_gene);
    }
done:
    free(orthologs);
    free(path);
    return st;
}

static scs_status truth_of(const scs_sim *sim, const scs_config *config, FILE *log)
{
    char *path = NULL;
    scs_status st;

    SCS_TRY(scs_path_print(&path, "%s/truth.h5ad", config->simulate.dir));
    st = scs_sim_write_truth(sim, config->data.target_sum, path);
    if (st == SCS_OK && log)
        fprintf(log, "%s: true shifts of %lld combinations\n", path,
                (long long)sim->n_species * sim->n_type * (sim->n_condition - 1));
    free(path);
    return st;
}

scs_status scs_simulate(const scs_config *config, FILE *log)
{
    const char *dir = config->simulate.dir;
    scs_sim sim = {0};
    scs_status st;

    SCS_REQUIRE(dir && *dir, SCS_EARG, "simulate.dir is not set; name the folder to write to");
    SCS_TRY(scs_make_folder(dir));
    SCS_TRY(scs_sim_create(config, &sim));
    for (int32_t s = 0; s < sim.n_species; s++)
        SCS_GO(st, one_species(&sim, dir, s, log));
    SCS_GO(st, truth_of(&sim, config, log));
done:
    scs_sim_clear(&sim);
    return st;
}
