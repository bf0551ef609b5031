/* var, and what uns says of genes. */
#include "src/gene_maps.h"
#include "src/gene_sets.h"
#include "src/h5anndata.h"
#include "src/h5write.h"
#include "src/result_type.h"

#include <stdlib.h>

/* uns["gene_sets"]: the columns of obsm["gene_set_score"], and how many genes each has here. */
static scs_status write_gene_sets(hid_t file, const scs_result_head *head)
{
    const scs_gene_sets *sets = head->gene_sets;
    int64_t n = sets ? sets->name.n : 0, *known;
    scs_status st;

    if (!sets)
        return SCS_OK;
    SCS_TRY(scs_h5_dict(file, "uns/gene_sets"));
    SCS_TRY(scs_h5_write_strings(file, "uns/gene_sets/name", &sets->name));
    SCS_TRY(scs_h5_array(file, "uns/gene_sets/n_listed", H5T_NATIVE_INT64, 1, &n, sets->n_listed));
    SCS_TRY(SCS_ALLOC(known, n));
    for (int64_t k = 0; k < n; k++)
        known[k] = sets->first[k + 1] - sets->first[k];
    st = scs_h5_array(file, "uns/gene_sets/n_known", H5T_NATIVE_INT64, 1, &n, known);
    free(known);
    return st;
}

/* "gene_LABEL" in var: what an input calls the genes, where that is not what the result does. */
static scs_status write_own_names(hid_t file, const scs_gene_map *map)
{
    scs_status st;
    char *path;

    if (!map->translated)
        return SCS_OK;
    SCS_TRY(scs_path_print(&path, "var/gene_%s", map->label));
    st = scs_h5_write_strings(file, path, &map->own);
    free(path);
    return st;
}

/* uns["genes"][LABEL]: how many of the input's genes met which fate. */
static scs_status write_fates(hid_t file, const scs_gene_map *map)
{
    char *path;
    scs_status st;

    SCS_TRY(scs_path_print(&path, "uns/genes/%s", map->label));
    st = scs_h5_dict(file, path);
    free(path);
    SCS_TRY(st);
    for (int f = 0; f < SCS_N_GENE_FATE; f++) {
        SCS_TRY(scs_path_print(&path, "uns/genes/%s/%s", map->label, scs_gene_fate_name(f)));
        st = scs_h5_scalar_double(file, path, (double)map->fate[f]);
        free(path);
        SCS_TRY(st);
    }
    return SCS_OK;
}

static scs_status name_columns(const scs_gene_maps *maps, scs_names *columns)
{
    for (int32_t i = 0; i < maps->n; i++) {
        scs_status st;
        char *name;

        if (!maps->map[i].translated)
            continue;
        SCS_TRY(scs_path_print(&name, "gene_%s", maps->map[i].label));
        st = scs_names_add(columns, name);
        free(name);
        SCS_TRY(st);
    }
    return SCS_OK;
}

static scs_status write_maps(hid_t file, const scs_gene_maps *maps)
{
    SCS_TRY(scs_h5_dict(file, "uns/genes"));
    for (int32_t i = 0; i < maps->n; i++) {
        SCS_TRY(write_own_names(file, &maps->map[i]));
        SCS_TRY(write_fates(file, &maps->map[i]));
    }
    return SCS_OK;
}

scs_status scs_result_genes(hid_t file, const scs_result_head *head)
{
    scs_names columns = {0};
    scs_status st = SCS_OK;

    if (head->gene_maps)
        SCS_GO(st, name_columns(head->gene_maps, &columns));
    SCS_GO(st, scs_h5_dataframe(file, "var", &head->atlas->genes, &columns));
    if (head->gene_maps)
        SCS_GO(st, write_maps(file, head->gene_maps));
    SCS_GO(st, write_gene_sets(file, head));
done:
    scs_names_clear(&columns);
    return st;
}
