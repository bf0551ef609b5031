/* 10x Genomics' HDF5 matrices, as Cell Ranger has written them from version 1 on.
 *
 *   version 3 to 10          version 1 and 2, a group for each genome
 *     matrix/barcodes          GENOME/barcodes
 *     matrix/data              GENOME/data          counts
 *     matrix/indices           GENOME/indices       feature of each
 *     matrix/indptr            GENOME/indptr        [cells + 1]
 *     matrix/shape             GENOME/shape         features, cells
 *     matrix/features/id       GENOME/genes         Ensembl's
 *     matrix/features/name     GENOME/gene_names    symbols
 *     matrix/features/feature_type, genome
 *
 * The matrix is stored by columns of features x cells, which are rows of cells x features: it is
 * read as CSR. Genes are named by their symbols, as scanpy's read_10x_h5 does, or as
 * data.gene_column says. Of features only
 * those of type "Gene Expression" are taken; where the path names a genome (FILE.h5:GRCh38), those
 * of that genome. There are no labels of cells. Everything runs in the sandbox. All functions are
 * Local.
 */
#include "src/base/file.h"
#include "src/base/names.h"
#include "src/base/text.h"
#include "src/data/tenx_features.h"
#include "src/data/h5ad_internal.h"
#include "src/hdf5/h5text.h"

#include <stdlib.h>
#include <string.h>

static bool is_version_3(const scs_h5 *h5)
{
    return scs_h5_exists(h5, "matrix/barcodes") && scs_h5_is_group(h5, "matrix/features");
}

/* Groups that hold a matrix. @param[out] genomes appended */
static scs_status list_genomes(const scs_h5 *h5, scs_names *genomes)
{
    scs_names members = {0};
    scs_status st;

    SCS_GO(st, scs_h5_members(h5, "", &members));
    for (scs_lidx i = 0; i < members.n; i++) {
        char *barcodes = NULL, *genes = NULL;
        bool found = scs_h5_path(&barcodes, "%s/barcodes", members.name[i]) == SCS_OK &&
                     scs_h5_path(&genes, "%s/gene_names", members.name[i]) == SCS_OK &&
                     scs_h5_exists(h5, barcodes) && scs_h5_exists(h5, genes);

        free(barcodes);
        free(genes);
        if (found)
            SCS_GO(st, scs_names_add(genomes, members.name[i]));
    }
done:
    scs_names_clear(&members);
    return st;
}

/* By the members that it has: those of version 3, or groups that are genomes where nothing is of
 * AnnData. */
static bool is_tenx(const scs_h5 *h5)
{
    scs_names genomes = {0};
    bool found = is_version_3(h5);

    if (!found && !scs_h5_exists(h5, "obs") && !scs_h5_exists(h5, "X"))
        found = list_genomes(h5, &genomes) == SCS_OK && genomes.n > 0;
    scs_names_clear(&genomes);
    return found;
}

/* The refusal, with the genomes that there are.
 * @param part NULL: none was named */
static scs_status which_genome(const scs_h5 *h5, const char *part, const scs_names *genomes)
{
    char list[SCS_MESSAGE_MAX / 2];
    size_t length = strlen(h5->path) - (part ? strlen(part) + 1 : 0);

    scs_names_list(genomes, 20, list, sizeof list);
    if (part)
        return SCS_FAIL(SCS_EDATA, "%s: has no genome %s; it has: %s", h5->path, part, list);
    return SCS_FAIL(SCS_EDATA,
                    "%s: holds a matrix for each of several genomes (%s): name one: %.*s:%s",
                    h5->path, list, (int)length, h5->path, genomes->name[0]);
}

static scs_status genome_group(const scs_h5 *h5, const char *part, char **root)
{
    scs_names genomes = {0};
    scs_status st = SCS_OK;

    if (is_version_3(h5))
        return scs_text_copy("matrix", root);
    SCS_GO(st, list_genomes(h5, &genomes));
    if (part ? scs_names_find(&genomes, part) < 0 : genomes.n != 1)
        SCS_GO(st, which_genome(h5, part, &genomes));
    st = scs_text_copy(part ? part : genomes.name[0], root);
done:
    scs_names_clear(&genomes);
    return st;
}

/* ---- which features are genes ---- */

/* One text for each feature. */
static scs_status read_list(const scs_h5 *h5, const char *path, int64_t n, bool needed,
                            scs_names *names)
{
    bool found;

    SCS_TRY(scs_h5_look(h5, path, &found));
    if (!found && !needed)
        return SCS_OK;
    SCS_TRY(scs_h5_read_strings(h5, path, names));
    SCS_REQUIRE(names->n == n, SCS_EDATA,
                "%s: %s has %d texts for %lld features; the file is damaged", h5->path, path,
                names->n, (long long)n);
    return SCS_OK;
}

/* The list of names that data.gene_column asks for, by the file's name for it or by scanpy's.
 *  @param version_3 whether there is a group of features */
static scs_status name_list(const scs_h5 *h5, const char *column, bool version_3, const char **path)
{
    bool symbols = !column || !*column || strcmp(column, "gene_symbols") == 0 ||
                   strcmp(column, version_3 ? "name" : "gene_names") == 0;
    bool ids = !symbols &&
               (strcmp(column, "gene_ids") == 0 || strcmp(column, version_3 ? "id" : "genes") == 0);

    SCS_REQUIRE(symbols || ids, SCS_EDATA,
                "%s: has no names of genes called %s (data.gene_column); it has: gene_symbols, "
                "gene_ids",
                h5->path, column);
    *path = version_3 ? symbols ? "features/name" : "features/id"
            : symbols ? "gene_names"
                      : "genes";
    return SCS_OK;
}

/* Genomes are read where one is asked for: nobody else needs them, and some writers leave one text
 * for all features. */
static scs_status read_features(const scs_h5 *h5, const char *column, const char *genome, int64_t n,
                                scs_tenx_features *f)
{
    bool version_3 = scs_h5_is_group(h5, "features");
    const char *names;

    SCS_TRY(name_list(h5, column, version_3, &names));
    if (!version_3)
        return read_list(h5, names, n, true, &f->name);
    SCS_REQUIRE(
        !scs_h5_exists(h5, "features/gene_id") || !scs_h5_exists(h5, "features/probe_region"),
        SCS_EDATA,
        "%s: counts probes, several of which belong to one gene; give the file of features, "
        "filtered_feature_bc_matrix.h5",
        h5->path);
    SCS_TRY(read_list(h5, names, n, true, &f->name));
    SCS_TRY(read_list(h5, "features/feature_type", n, false, &f->type));
    return genome ? read_list(h5, "features/genome", n, false, &f->genome) : SCS_OK;
}

static scs_status locate_tenx(const scs_h5 *h5, const scs_h5ad_request *want, scs_h5ad *meta)
{
    scs_tenx_features f = {0};
    int64_t shape[2];
    const char *genome;
    char *file = NULL;
    scs_status st;

    SCS_REQUIRE(strcmp(meta->matrix, "X") == 0, SCS_EDATA,
                "%s: there is no %s in it: a 10x file has one matrix; set data.matrix to X",
                h5->path, meta->matrix);
    SCS_GO(st, scs_file_split_part(h5->path, &file, &genome));
    SCS_GO(st, scs_h5_read_int64(h5, "shape", 0, 2, shape));
    SCS_GO(st, scs_h5ad_matrix_locate_rows(h5, "", shape[1], shape[0], meta));
    SCS_GO(st, read_features(h5, want->gene_column, genome, shape[0], &f));
    SCS_GO(st, scs_tenx_features_take(h5->path, &f, f.genome.n ? genome : NULL, meta));
done:
    free(file);
    scs_tenx_features_clear(&f);
    return st;
}

static scs_status name_barcodes(const scs_h5 *h5, scs_names *names)
{
    return scs_h5_read_strings(h5, "barcodes", names);
}

const scs_h5ad_format scs_tenx_h5_format = {.kind = SCS_FILE_10X_H5,
                                            .is = is_tenx,
                                            .root = genome_group,
                                            .locate = locate_tenx,
                                            .cells = name_barcodes};
