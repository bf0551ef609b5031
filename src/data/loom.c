/* Loom files, of versions 2 and 3 of their specification (linnarssonlab.org/loompy/format).
 *
 *     matrix             genes x cells, a table of numbers; loompy writes chunks of 64 x 64, gzip
 *     layers/NAME        tables of the same shape
 *     row_attrs/NAME     one value for each gene:  Gene, Accession, ...
 *     col_attrs/NAME     one value for each cell:  CellID, and labels
 *
 * The main matrix is "X" for data.matrix. Genes are named by row_attrs/Gene, cells by
 * col_attrs/CellID, which is what anndata.io.read_loom takes. A member of col_attrs is read as a
 * column of obs is. Everything runs in the sandbox. All functions are Local.
 */
#include "src/data/h5ad_internal.h"
#include "src/hdf5/h5text.h"

#include <string.h>

static bool is_loom(const scs_h5 *h5)
{
    return scs_h5_is_group(h5, "row_attrs") && scs_h5_is_group(h5, "col_attrs");
}

/* The refusal, with what data.matrix could be instead. */
static scs_status no_matrix(const scs_h5 *h5, const char *matrix)
{
    char list[SCS_MESSAGE_MAX / 2];
    scs_names layers = {0};
    scs_status st = SCS_OK;

    if (scs_h5_is_group(h5, "layers"))
        SCS_GO(st, scs_h5_members(h5, "layers", &layers));
    scs_names_list(&layers, 20, list, sizeof list);
    st = SCS_FAIL(
        SCS_EDATA,
        "%s: there is no %s in this loom file; set data.matrix to X (its main matrix)%s%s",
        h5->path, matrix, layers.n ? " or to layers/ and one of: " : "", layers.n ? list : "");
done:
    scs_names_clear(&layers);
    return st;
}

/* By the first of these attributes that is there. @param[out] found false: none is */
static scs_status read_names(const scs_h5 *h5, const char *frame, const char *const *candidates,
                             scs_names *names, bool *found)
{
    *found = false;
    for (int i = 0; candidates[i]; i++) {
        char path[64];

        snprintf(path, sizeof path, "%s/%s", frame, candidates[i]);
        SCS_TRY(scs_h5_look(h5, path, found));
        if (*found)
            return scs_h5ad_obs_names(h5, frame, candidates[i], names);
    }
    return SCS_OK;
}

static scs_status read_genes(const scs_h5 *h5, const char *column, scs_h5ad *meta)
{
    static const char *const candidates[] = {"Gene", "gene_names", "var_names", "Accession", NULL};
    char list[SCS_MESSAGE_MAX / 2];
    scs_names attributes = {0};
    bool found;
    scs_status st;

    found = column && *column;
    SCS_TRY(found ? scs_h5ad_obs_gene_names(h5, "row_attrs", column, &meta->genes)
                  : read_names(h5, "row_attrs", candidates, &meta->genes, &found));
    SCS_REQUIRE(!found || meta->genes.n == meta->n_var, SCS_EDATA,
                "%s: row_attrs names %d genes but %s has %d rows; the file is damaged", h5->path,
                meta->genes.n, meta->data, meta->n_var);
    if (found)
        return SCS_OK;
    SCS_GO(st, scs_h5_members(h5, "row_attrs", &attributes));
    scs_names_list(&attributes, 20, list, sizeof list);
    st = SCS_FAIL(SCS_EDATA,
                  "%s: has no names of genes: row_attrs has neither Gene nor Accession, but: %s; "
                  "add ds.ra.Gene with loompy",
                  h5->path, attributes.n ? list : "nothing");
done:
    scs_names_clear(&attributes);
    return st;
}

static scs_status locate_loom(const scs_h5 *h5, const scs_h5ad_request *want, scs_h5ad *meta)
{
    bool is_main = strcmp(meta->matrix, "X") == 0, found = false;
    const char *path = is_main ? "matrix" : meta->matrix;

    if (is_main || strncmp(path, "layers/", 7) == 0)
        SCS_TRY(scs_h5_look(h5, path, &found));
    if (!found)
        return no_matrix(h5, meta->matrix);
    SCS_TRY(scs_h5ad_matrix_locate_dense(h5, path, true, meta));
    SCS_TRY(scs_h5ad_matrix_others(h5, meta));
    return read_genes(h5, want->gene_column, meta);
}

/* Without names they are numbered, as anndata does. */
static scs_status name_cells(const scs_h5 *h5, scs_names *names)
{
    static const char *const candidates[] = {"CellID", "cell_names", "obs_names", NULL};
    scs_h5_shape shape;
    char number[24];
    bool found;

    SCS_TRY(read_names(h5, "col_attrs", candidates, names, &found));
    if (found)
        return SCS_OK;
    SCS_TRY(scs_h5_shape_of(h5, "matrix", &shape));
    SCS_REQUIRE(shape.dim[1] < INT32_MAX, SCS_EDATA, "%s: matrix has an absurd shape", h5->path);
    for (int64_t i = 0; i < shape.dim[1]; i++) {
        snprintf(number, sizeof number, "%lld", (long long)i);
        SCS_TRY(scs_names_add(names, number));
    }
    return SCS_OK;
}

const scs_h5ad_format scs_loom_format = {.kind = SCS_FILE_LOOM,
                                         .frame = "col_attrs",
                                         .is = is_loom,
                                         .locate = locate_loom,
                                         .cells = name_cells};
