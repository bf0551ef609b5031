#include "src/file.h"
#include "src/simulate_atlas.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Rows in the order of the species' own genes. */
static void write_rows(const scs_sim *sim, int32_t species, const int32_t *order, FILE *out)
{
    char own[SCS_SIM_NAME], reference[SCS_SIM_NAME];

    fprintf(out, "gene_a\tgene_b\ttype\n");
    for (int32_t j = 0; j < sim->n_own; j++) {
        int32_t gene = order[j], extra = gene - sim->n_gene;

        if (extra >= 2)
            continue;
        scs_sim_gene_name(sim, species, j, own);
        scs_sim_gene_name(sim, 0, extra < 0 ? gene : sim->n_gene, reference);
        fprintf(out, "%s\t%s\t%s\n", own, reference,
                extra < 0 ? "ortholog_one2one" : "ortholog_one2many");
    }
}

/* stdio keeps the first failed write until fclose or ferror tell. */
static scs_status write_table(const scs_sim *sim, int32_t species, const int32_t *order,
                              const char *temp)
{
    FILE *out;
    int error = 0;

    SCS_TRY(scs_file_create(temp));
    out = fopen(temp, "w");
    if (!out)
        return scs_creation_failed(temp, errno);
    write_rows(sim, species, order, out);
    if (fflush(out) != 0 || ferror(out))
        error = errno ? errno : EIO;
    if (fclose(out) != 0 && !error)
        error = errno;
    return error ? scs_creation_failed(temp, error) : SCS_OK;
}

scs_status scs_sim_write_orthologs(const scs_sim *sim, int32_t species, const char *path)
{
    int32_t *order = NULL;
    char *temp = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(order, sim->n_own));
    SCS_GO(st, scs_sim_order(sim, species, order));
    SCS_GO(st, scs_temp_name(path, &temp));
    SCS_GO(st, write_table(sim, species, order, temp));
    SCS_GO(st, scs_file_commit(temp, path));
done:
    if (st != SCS_OK && temp)
        (void)unlink(temp);
    free(temp);
    free(order);
    return st;
}
