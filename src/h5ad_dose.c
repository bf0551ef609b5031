/* An obs column as doses: plain numbers, or labels that read as numbers. */
#include "src/h5ad_parts.h"

#include "src/text.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

/* A label as a number; NaN where it stands for a missing value. @return whether it is either */
static bool number_of(const char *label, double *value)
{
    char *end;

    *value = NAN;
    if (!*label || strcasecmp(label, "NA") == 0 || strcasecmp(label, "NaN") == 0)
        return true;
    *value = strtod(label, &end);
    return end != label && *end == '\0';
}

static scs_status from_labels(const scs_h5 *h5, const scs_labels *labels, int64_t n, double *dose)
{
    char label[200];

    for (int64_t i = 0; i < n; i++) {
        const char *text = labels->codes[i] < 0 ? "" : labels->categories.name[labels->codes[i]];

        SCS_REQUIRE(number_of(text, &dose[i]), SCS_EDATA,
                    "%s: obs column %s, cell row %lld: '%s' is no dose; expected a number of 0 or "
                    "more",
                    h5->path, labels->column, (long long)i,
                    scs_text_escape(text, label, sizeof label));
    }
    return SCS_OK;
}

static scs_status read_labels(const scs_h5 *h5, const char *column, const scs_names *columns,
                              scs_h5ad *meta)
{
    scs_labels labels = {0};
    scs_status st;

    SCS_GO(st, scs_obs_labels(h5, column, meta->n_obs, columns, &labels));
    SCS_GO(st, from_labels(h5, &labels, meta->n_obs, meta->dose));
done:
    scs_obs_labels_clear(&labels);
    return st;
}

static scs_status keep_reals(const scs_h5 *h5, const char *name, const scs_column *column,
                             scs_h5ad *meta)
{
    SCS_TRY(scs_obs_check_length(h5, name, column->n, meta->n_obs));
    for (int64_t i = 0; i < meta->n_obs; i++)
        meta->dose[i] = column->mask && column->mask[i] ? NAN : column->real[i];
    return SCS_OK;
}

scs_status scs_obs_doses(const scs_h5 *h5, const char *column, const scs_names *columns,
                         scs_h5ad *meta)
{
    scs_column values = {0};
    bool plain = false;
    scs_status st = SCS_OK;

    if (!column || !*column)
        return SCS_OK;
    SCS_GO(st, scs_obs_require(h5, column, columns));
    SCS_GO(st, scs_text_copy(column, &meta->dose_column));
    SCS_GO(st, SCS_ALLOC(meta->dose, meta->n_obs));
    SCS_GO(st, scs_obs_column(h5, column, &plain, &values));
    st = plain && values.kind == SCS_COLUMN_FLOAT ? keep_reals(h5, column, &values, meta)
                                                  : read_labels(h5, column, columns, meta);
done:
    scs_column_clear(&values);
    return st;
}
