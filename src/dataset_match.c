#include "src/dataset_match.h"

#include "src/h5ad.h"
#include "src/names.h"

#include <stdlib.h>

static scs_status refuse_missing(const scs_index *have, const scs_names *genes, const char *where)
{
    const char *first = NULL;
    scs_lidx missing = 0;

    for (scs_lidx g = 0; g < genes->n; g++)
        if (scs_index_find(have, genes->name[g]) < 0) {
            first = first ? first : genes->name[g];
            missing++;
        }
    SCS_REQUIRE(missing == 0, SCS_EDATA,
                "%s: %d of the model's %d genes are not in the data (first: %s); use the data's "
                "own gene names, or retrain",
                where, missing, genes->n, first);
    return SCS_OK;
}

/* to[old position] = position in `genes`, -1: not in the model. */
static scs_status positions(const scs_names *old, const scs_names *genes, int32_t *to)
{
    scs_index wanted = {0};
    scs_status status;

    SCS_GO(status, scs_index_create(genes, &wanted));
    for (scs_lidx g = 0; g < old->n; g++)
        to[g] = scs_index_find(&wanted, old->name[g]);
done:
    scs_index_clear(&wanted);
    return status;
}

static void rename_columns(scs_dataset *dataset, const scs_h5ad *const *metas, const int32_t *to)
{
    for (int32_t i = 0; i < dataset->n_input; i++)
        for (int32_t j = 0; j < metas[i]->n_var; j++) {
            int32_t *gene = &dataset->gene_of_column[i][j];

            *gene = *gene < 0 ? -1 : to[*gene];
        }
}

scs_status scs_dataset_match_genes(scs_dataset *dataset, const scs_names *genes,
                                   const scs_h5ad *const *metas, const char *where)
{
    scs_index have = {0};
    scs_names copy = {0};
    int32_t *to = NULL;
    scs_status status;

    SCS_GO(status, scs_index_create(&dataset->genes, &have));
    SCS_GO(status, refuse_missing(&have, genes, where));
    SCS_GO(status, SCS_ALLOC(to, dataset->n_gene));
    SCS_GO(status, positions(&dataset->genes, genes, to));
    SCS_GO(status, scs_names_copy(genes, &copy));
    rename_columns(dataset, metas, to);
    scs_index_clear(&have);
    scs_names_clear(&dataset->genes);
    dataset->genes = copy;
    dataset->n_gene = genes->n;
done:
    scs_index_clear(&have);
    free(to);
    return status;
}
