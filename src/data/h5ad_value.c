/* What a stored value may be, one by one and many at a time (h5ad_value.h). */
#include "src/data/h5ad_value.h"

#include "src/base/simd.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* Of a column of the file. @param room for one that is no gene */
static const char *column_name(const scs_h5ad *meta, int32_t column, char room[32])
{
    int32_t gene = meta->gene ? meta->gene[column] : column;

    if (gene >= 0)
        return meta->genes.name[gene];
    snprintf(room, 32, "(feature %d)", column);
    return room;
}

/* Counts or log-normalised counts: 0 <= value <= FLT_MAX; false for NaN. Negative values mean
 * scaled data, on which neither normalisation nor the screen's scores mean anything.
 *  Rows that are not taken may hold what they like: often that is why they are not.
 *  @param row in the file */
scs_status scs_h5ad_value_check(const scs_h5ad *meta, int64_t row, int32_t column, float value)
{
    char room[32], list[400];

    if ((value >= 0 && value <= FLT_MAX) || (meta->keep && !meta->keep[row]))
        return SCS_OK;
    if (!isfinite(value))
        return SCS_FAIL(SCS_EDATA,
                        "%s: %s: cell row %lld, gene %s holds %s%g: expression must be finite; "
                        "repair or drop the gene",
                        meta->path, meta->matrix, (long long)row, column_name(meta, column, room),
                        isnan(value) ? "a missing value, " : "", (double)value);
    return SCS_FAIL(SCS_EDATA,
                    "%s: %s: cell row %lld, gene %s holds %g: expression must not be negative; "
                    "scaled data cannot be used%s%s",
                    meta->path, meta->matrix, (long long)row, column_name(meta, column, room),
                    (double)value,
                    meta->others.n ? ", set data.matrix to one of: "
                                   : ", and there is no other matrix in the file",
                    meta->others.n ? scs_names_list(&meta->others, 10, list, sizeof list) : "");
}

/* scipy sums values of one gene that stand twice, others keep one: which was meant is for the
 * user to say.
 *  @return always SCS_EDATA */
scs_status scs_h5ad_value_twice(const scs_h5ad *meta, int64_t row, int32_t column)
{
    char room[32];

    return SCS_FAIL(SCS_EDATA,
                    "%s: %s: cell row %lld holds gene %s twice; call sum_duplicates() on the "
                    "matrix and write the file again",
                    meta->path, meta->matrix, (long long)row, column_name(meta, column, room));
}

/* Whether numbers ascend and are those of one of n_col columns (or rows, of a column). All are
 * looked at, without a branch, 16 at a time where the processor can. */
SCS_VECTOR bool scs_h5ad_value_ascend(const int32_t *number, int64_t n, int32_t n_col)
{
    int32_t bad = 0;

    if (n == 0)
        return true;
    for (int64_t k = 1; k < n; k++)
        bad |= number[k - 1] >= number[k];
    return !bad && number[0] >= 0 && number[n - 1] < n_col;
}

/* Whether all are above 0 and finite, in the same way. */
SCS_VECTOR static bool are_positive(const float *value, int64_t n)
{
    const scs_float_bits *bits = (const scs_float_bits *)(const void *)value;
    int32_t bad = 0;

    for (int64_t k = 0; k < n; k++)
        bad |= !scs_simd_is_positive(bits[k]);
    return !bad;
}

/* Whether a row (or column) is as anndata writes it.
 *  @param gene, value [n] */
bool scs_h5ad_value_are_plain(const int32_t *gene, const float *value, int64_t n, int32_t n_col)
{
    return scs_h5ad_value_ascend(gene, n, n_col) && are_positive(value, n);
}
