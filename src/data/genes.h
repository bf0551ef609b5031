/** How the inputs' genes became the result's: what is stored with it, so that each row of var can
 *  be followed back into every input. Made by scs_genes_maps_create (scscreen/dataset.h). */
#ifndef SCS_GENES_H
#define SCS_GENES_H

#include "scscreen/dataset.h"

/** One input's part. */
typedef struct scs_gene_map {
    char *label;         /**< its species, or its file's name; each once; no '/' in it */
    bool translated;     /**< through a table of orthologs */
    scs_names own;       /**< [n_gene] the input's name of each gene; "" where it lacks it */
    const int64_t *fate; /**< [SCS_N_GENE_FATE] genes by what became of them; borrowed from the
                            dataset */
} scs_gene_map;

struct scs_gene_maps {
    int32_t n;         /**< inputs */
    scs_gene_map *map; /**< [n] in the order of data.inputs; owned */
};

#endif
