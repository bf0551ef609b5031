#include "scscreen/latent.h"

#include <math.h>
#include <stdlib.h>

typedef struct scored_gene {
    double score; /* |z| */
    int32_t gene;
} scored_gene;

static int best_first(const void *a, const void *b)
{
    const scored_gene *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

scs_status scs_top_genes(const double *z, int32_t n, int32_t gene0, int32_t n_top, int32_t *gene,
                         double *score)
{
    scored_gene *all;

    SCS_TRY(SCS_ALLOC(all, n));
    for (int32_t j = 0; j < n; j++)
        all[j] = (scored_gene){fabs(z[j]), gene0 + j};
    qsort(all, (size_t)n, sizeof *all, best_first);
    for (int32_t i = 0; i < n_top; i++) {
        gene[i] = i < n ? all[i].gene : -1;
        score[i] = i < n ? all[i].score : -1;
    }
    free(all);
    return SCS_OK;
}
