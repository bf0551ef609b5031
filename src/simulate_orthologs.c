#include "src/file.h"
#include "src/simulate_atlas.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct table {
    const scs_sim *sim;
    int32_t species;
    int32_t *order; /* [n_own] of the species' genes */
} table;

/* Rows in the order of the species' own genes. */
static scs_status write_rows(void *ctx, FILE *out)
{
    const table *t = ctx;
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

scs_status scs_sim_write_orthologs(const scs_sim *sim, int32_t species, const char *path)
{
    table t = {.sim = sim, .species = species};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(t.order, sim->n_own));
    SCS_GO(st, scs_sim_order(sim, species, t.order));
    SCS_GO(st, scs_file_write(path, write_rows, &t));
done:
    free(t.order);
    return st;
}
