/** How the inputs' genes became the result's. All functions are Local. */
#ifndef SCS_GENES_H
#define SCS_GENES_H

#include "scscreen/dataset.h"

/** One input's part. */
typedef struct scs_gene_map {
    char *label;         /**< its species, or its file's name; each once */
    bool translated;     /**< through a table of orthologs */
    scs_names own;       /**< [n_gene] the input's name of each gene */
    const int64_t *fate; /**< [SCS_N_GENE_FATE] genes by what became of them; borrowed */
} scs_gene_map;

struct scs_gene_maps {
    int32_t n; /**< inputs */
    scs_gene_map *map;
};

#endif
