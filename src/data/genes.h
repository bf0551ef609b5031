/** How the inputs' genes became the result's: what is stored with it, so that each row of var can
 *  be followed back into every input. Made by scs_genes_maps_create (scscreen/dataset.h). */
#ifndef SCS_GENES_H
#define SCS_GENES_H

#include "src/base/names.h"
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

/** Refuse a gene that stands in a file twice, where its columns are looked up by name: which of
 * them is meant, nobody can tell. Local.
 *  @param index over the file's genes  @return SCS_EDATA with the file and the gene */
SCS_MUST_USE scs_status scs_genes_refuse_twice(const scs_h5ad *file, const scs_index *index);

#endif
