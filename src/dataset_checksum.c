#include "src/dataset_checksum.h"

#include "src/bytes.h"
#include "src/checksum.h"
#include "src/h5ad.h"

#include <string.h>

/* A line with the checksum of one array. */
static scs_status add_array(scs_bytes *all, const char *what, const void *data, int64_t size)
{
    char sum[SCS_CHECKSUM_MAX];

    scs_checksum_bytes(data, size, sum);
    SCS_TRY(scs_bytes_put_text(all, what));
    return scs_bytes_put_text(all, sum);
}

static scs_status add_words(scs_bytes *all, const scs_dataset *d)
{
    SCS_TRY(scs_bytes_put_names(all, &d->genes));
    SCS_TRY(scs_bytes_put_names(all, &d->species));
    SCS_TRY(scs_bytes_put_names(all, &d->cell_types));
    SCS_TRY(scs_bytes_put_names(all, &d->conditions));
    return scs_bytes_put_int(all, d->control);
}

static scs_status add_cells(scs_bytes *all, const scs_dataset *d)
{
    int64_t labels = d->n_cell * (int64_t)sizeof *d->cell_type;

    SCS_TRY(add_array(all, "species", d->cell_species, labels));
    SCS_TRY(add_array(all, "cell types", d->cell_type, labels));
    SCS_TRY(add_array(all, "conditions", d->cell_condition, labels));
    return add_array(all, "roles", d->role, d->n_cell);
}

static scs_status add_inputs(scs_bytes *all, const scs_dataset *d, const scs_h5ad *const *metas,
                             char *const *checksums)
{
    for (int32_t i = 0; i < d->n_input; i++) {
        int64_t size = metas[i]->n_var * (int64_t)sizeof **d->gene_of_column;

        SCS_TRY(scs_bytes_put_text(all, checksums[i]));
        SCS_TRY(add_array(all, "genes", d->gene_of_column[i], size));
    }
    return SCS_OK;
}

scs_status scs_dataset_checksum(const scs_dataset *dataset, const scs_h5ad *const *metas,
                                char *const *checksums, char *out)
{
    scs_bytes all = {0};
    scs_status st;

    SCS_GO(st, add_words(&all, dataset));
    SCS_GO(st, add_cells(&all, dataset));
    SCS_GO(st, add_inputs(&all, dataset, metas, checksums));
    scs_checksum_bytes(all.data, all.size, out);
done:
    scs_bytes_clear(&all);
    return st;
}
