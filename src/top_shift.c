#include "scscreen/result.h"
#include "src/strongest.h"

#include <math.h>
#include <stdlib.h>

scs_status scs_top_shift(const float *shift, int32_t n_gene, int sign, int64_t n_top, int32_t *gene,
                         float *value)
{
    scs_scored_gene *all;
    int64_t n = 0;

    SCS_TRY(SCS_ALLOC(all, n_gene));
    for (int32_t g = 0; g < n_gene; g++)
        if ((float)sign * shift[g] > 0)
            all[n++] = (scs_scored_gene){(float)sign * shift[g], g};
    scs_strongest_first(all, n, n_top);
    for (int64_t i = 0; i < n_top; i++) {
        gene[i] = i < n ? all[i].gene : -1;
        value[i] = i < n ? (float)(sign * all[i].score) : NAN;
    }
    free(all);
    return SCS_OK;
}
