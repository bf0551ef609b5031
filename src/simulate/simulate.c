/** All files of a simulated atlas (src/simulate/simulate.h has the list), and the table of
 *  orthologs.
 */
#include "src/simulate/simulate.h"

#include "src/base/file.h"
#include "src/simulate/sim_counts.h"
#include "src/simulate/sim_truth.h"

#include <stdio.h>
#include <stdlib.h>

/* What write_rows writes from. */
typedef struct ortholog_table {
    const scs_sim *sim;
    int32_t species;
    int32_t *order; /* [n_own] of the species' genes */
} ortholog_table;

/* "gene_a gene_b type", tab-separated, rows in the order of the species' own genes. Two of the
 * genes without a one-to-one ortholog are said to be one-to-many with the same gene of the
 * reference, which the reader must leave out; the others are not in the table. */
static scs_status write_rows(void *ctx, FILE *out)
{
    const ortholog_table *t = ctx;
    const scs_sim *sim = t->sim;
    char own[SCS_SIM_NAME], reference[SCS_SIM_NAME];

    fprintf(out, "gene_a\tgene_b\ttype\n");
    for (int32_t j = 0; j < sim->n_own; j++) {
        int32_t gene = t->order[j], extra = gene - sim->n_gene;

        if (extra >= 2)
            continue;
        scs_sim_gene_name(sim, t->species, j, own);
        scs_sim_gene_name(sim, 0, extra < 0 ? gene : sim->n_gene, reference);
        fprintf(out, "%s\t%s\t%s\n", own, reference,
                extra < 0 ? "ortholog_one2one" : "ortholog_one2many");
    }
    return SCS_OK;
}

/* DIR/SPECIES.orthologs.tsv. */
static scs_status write_orthologs(const scs_sim *sim, int32_t species, const char *path)
{
    ortholog_table t = {.sim = sim, .species = species};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(t.order, sim->n_own));
    SCS_GO(st, scs_sim_order(sim, species, t.order));
    SCS_GO(st, scs_file_write(path, write_rows, &t));
done:
    free(t.order);
    return st;
}

/* The files of one species, and a line of the log for each. */
static scs_status write_species(const scs_sim *sim, const char *dir, int32_t species, FILE *log)
{
    int64_t n_value = 0, n_cell = sim->n_cell * sim->n_type * sim->n_condition;
    char name[SCS_SIM_NAME], *path = NULL, *orthologs = NULL;
    scs_status st;

    scs_sim_species_name(species, name);
    SCS_GO(st, scs_file_path_print(&path, "%s/%s.h5ad", dir, name));
    SCS_GO(st, scs_file_path_print(&orthologs, "%s/%s.orthologs.tsv", dir, name));
    SCS_GO(st, scs_sim_write_counts(sim, species, path, &n_value));
    if (log)
        fprintf(log, "%s: %lld cells x %d genes, %.1f %% of counts not 0\n", path,
                (long long)n_cell, sim->n_own,
                100.0 * (double)n_value / (double)n_cell / (double)sim->n_own);
    if (species > 0) {
        SCS_GO(st, write_orthologs(sim, species, orthologs));
        if (log)
            fprintf(log, "%s: one-to-one orthologs of %d genes\n", orthologs, sim->n_gene);
    }
done:
    free(orthologs);
    free(path);
    return st;
}

/* truth.h5ad and its line of the log. */
static scs_status write_truth(const scs_sim *sim, const scs_config *config, FILE *log)
{
    char *path = NULL;
    scs_status st;

    SCS_TRY(scs_file_path_print(&path, "%s/truth.h5ad", config->simulate.dir));
    st = scs_sim_write_truth(sim, config->data.target_sum, path);
    if (st == SCS_OK && log)
        fprintf(log, "%s: true shifts of %lld combinations\n", path,
                (long long)sim->n_species * sim->n_type * (sim->n_condition - 1));
    free(path);
    return st;
}

/* The truth comes last: with it there, the atlas is complete. */
scs_status scs_simulate(const scs_config *config, FILE *log)
{
    const char *dir = config->simulate.dir;
    scs_sim sim = {0};
    scs_status st;

    SCS_REQUIRE(dir && *dir, SCS_EARG, "simulate.dir is not set; name the folder to write to");
    SCS_TRY(scs_file_make_folder(dir));
    SCS_TRY(scs_sim_create(config, &sim));
    for (int32_t s = 0; s < sim.n_species; s++)
        SCS_GO(st, write_species(&sim, dir, s, log));
    SCS_GO(st, write_truth(&sim, config, log));
done:
    scs_sim_clear(&sim);
    return st;
}

/* The species' genes are drawn, and forgotten. */
scs_status scs_simulate_check(const scs_config *config)
{
    scs_sim sim = {0};
    scs_status st = scs_sim_create(config, &sim);

    scs_sim_clear(&sim);
    return st;
}
