#include "scscreen/latent.h"
#include "src/strongest.h"

#include <math.h>
#include <stdlib.h>

scs_status scs_top_genes(const double *z, int32_t n, int32_t gene0, int32_t n_top, int32_t *gene,
                         double *score)
{
    scs_scored_gene *all;

    SCS_TRY(SCS_ALLOC(all, n));
    for (int32_t j = 0; j < n; j++)
        all[j] = (scs_scored_gene){fabs(z[j]), gene0 + j};
    scs_strongest_first(all, n, n_top);
    for (int32_t i = 0; i < n_top; i++) {
        gene[i] = i < n ? all[i].gene : -1;
        score[i] = i < n ? all[i].score : -1;
    }
    free(all);
    return SCS_OK;
}
