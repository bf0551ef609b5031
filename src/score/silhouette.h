/** Silhouettes (Rousseeuw 1987), as scikit-learn's silhouette_samples computes them. */
#ifndef SCS_SILHOUETTE_H
#define SCS_SILHOUETTE_H

#include "scscreen/shard.h"

/** s = (b - a) / max(a, b) of rows [first, last): a is a row's mean Euclidean distance to the other
 *  rows of its label, b the least of its mean distances to the rows of another label. 0 where a
 *  label has no other row, NaN where there is no other label. O((last - first) n d) on all threads.
 *  SCS_ENOMEM. Local.
 *  @param z      [n, d]
 *  @param label  [n] in [0, n_label)
 *  @param within [n] only rows of one class are compared; NULL: all are
 *  @param[out] s [last - first] */
SCS_MUST_USE scs_status scs_silhouette_rows(const scs_real *z, int64_t n, int64_t d,
                                            const int32_t *label, int32_t n_label,
                                            const int32_t *within, int64_t first, int64_t last,
                                            double *s);

#endif
