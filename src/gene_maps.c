#include "src/gene_maps.h"

#include "src/h5ad.h"
#include "src/names.h"
#include "src/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 256 };

static bool is_taken(const scs_gene_maps *maps, int32_t before, const char *label)
{
    for (int32_t i = 0; i < before; i++)
        if (strcmp(maps->map[i].label, label) == 0)
            return true;
    return false;
}

/* The species, or the file's name without folder and ending; a number where it is taken. */
static scs_status name_input(const scs_config *config, int32_t i, scs_gene_maps *maps)
{
    const scs_input *input = &config->data.inputs[i];
    const char *slash = strrchr(input->path, '/'), *file = slash ? slash + 1 : input->path;
    char base[LABEL], label[LABEL + 16];
    size_t n;

    snprintf(base, sizeof base, "%s", input->species ? input->species : file);
    n = strlen(base);
    if (!input->species && n > 5 && strcmp(base + n - 5, ".h5ad") == 0)
        base[n - 5] = '\0';
    for (char *at = base; (at = strchr(at, '/'));) /* separates parts of an HDF5 path */
        *at = '_';
    snprintf(label, sizeof label, "%s", base);
    for (int32_t k = 2; is_taken(maps, i, label); k++)
        snprintf(label, sizeof label, "%s_%d", base, k);
    return scs_text_copy(label, &maps->map[i].label);
}

static scs_status list_own(const scs_dataset *d, const scs_h5ad *meta, const int32_t *gene,
                           scs_names *own)
{
    int32_t *column;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(column, d->n_gene));
    for (int32_t j = 0; j < meta->n_var; j++)
        if (gene[j] >= 0)
            column[gene[j]] = j;
    for (int32_t g = 0; g < d->n_gene && st == SCS_OK; g++)
        st = scs_names_add(own, meta->genes.name[column[g]]);
    free(column);
    return st;
}

static scs_status fill(const scs_config *config, const scs_dataset *d, const scs_h5ad *const *metas,
                       scs_gene_maps *maps)
{
    SCS_TRY(SCS_ALLOC(maps->map, d->n_input));
    maps->n = d->n_input;
    for (int32_t i = 0; i < d->n_input; i++) {
        scs_gene_map *map = &maps->map[i];

        map->translated = config->data.inputs[i].orthologs != NULL;
        map->fate = d->fate + (int64_t)i * SCS_N_GENE_FATE;
        SCS_TRY(name_input(config, i, maps));
        SCS_TRY(list_own(d, metas[i], d->gene_of_column[i], &map->own));
    }
    return SCS_OK;
}

scs_status scs_gene_maps_create(const scs_config *config, const scs_dataset *dataset,
                                const scs_h5ad *const *metas, scs_gene_maps **maps)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*maps, 1));
    st = fill(config, dataset, metas, *maps);
    if (st != SCS_OK)
        scs_gene_maps_destroy(maps);
    return st;
}

void scs_gene_maps_destroy(scs_gene_maps **maps)
{
    if (*maps) {
        for (int32_t i = 0; i < (*maps)->n; i++) {
            free((*maps)->map[i].label);
            scs_names_clear(&(*maps)->map[i].own);
        }
        free((*maps)->map);
    }
    free(*maps);
    *maps = NULL;
}
