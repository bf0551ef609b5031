/* Which features of a 10x matrix are genes (features.h).
 *
 * Antibodies, guides and peaks count beside genes, but are none: a cell's total is that of its
 * genes, and a prediction is of genes. They are passed over while rows are read, by a table of one
 * number a column, and a note says how many of which type. A file without types has genes alone.
 *
 * O(features) beside the names; two features of one name are for data.duplicate_genes to judge. */
#include "src/data/tenx_features.h"

#include "src/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char GENE_EXPRESSION[] = "Gene Expression";

void scs_tenx_features_clear(scs_tenx_features *f)
{
    scs_names_clear(&f->name);
    scs_names_clear(&f->type);
    scs_names_clear(&f->genome);
}

/* @param genome NULL: all */
static bool is_taken(const scs_tenx_features *f, scs_lidx j, const char *genome)
{
    return (f->type.n == 0 || strcmp(f->type.name[j], GENE_EXPRESSION) == 0) &&
           (!genome || f->genome.n == 0 || strcmp(f->genome.name[j], genome) == 0);
}

/* Each once, in their order. */
static scs_status distinct(const scs_names *all, scs_names *once)
{
    for (scs_lidx j = 0; j < all->n; j++)
        if ((j == 0 || strcmp(all->name[j], all->name[j - 1]) != 0) &&
            scs_names_find(once, all->name[j]) < 0 && once->n < 100)
            SCS_TRY(scs_names_add(once, all->name[j]));
    return SCS_OK;
}

/* Nothing is taken: why. */
static scs_status no_genes(const char *path, const scs_tenx_features *f, const char *genome)
{
    char list[SCS_MESSAGE_MAX / 2];
    scs_names once = {0};
    scs_status st;

    SCS_GO(st, distinct(genome ? &f->genome : &f->type, &once));
    scs_names_list(&once, 20, list, sizeof list);
    st = genome ? SCS_FAIL(SCS_EDATA, "%s: has no genome %s; it has: %s", path, genome, list)
                : SCS_FAIL(SCS_EDATA, "%s: has no feature of type %s; it has: %s", path,
                           GENE_EXPRESSION, list);
done:
    scs_names_clear(&once);
    return st;
}

/* "31 of 1031 features are left out, which are not of type Gene Expression: Antibody Capture" */
static scs_status note_left_out(const scs_tenx_features *f, const char *genome, scs_h5ad *meta)
{
    char list[SCS_MESSAGE_MAX / 4], text[SCS_MESSAGE_MAX];
    scs_names types = {0};
    scs_status st = SCS_OK;

    for (scs_lidx j = 0; j < f->type.n; j++)
        if (meta->gene[j] < 0 && strcmp(f->type.name[j], GENE_EXPRESSION) != 0 &&
            scs_names_find(&types, f->type.name[j]) < 0 && types.n < 100)
            SCS_GO(st, scs_names_add(&types, f->type.name[j]));
    scs_names_list(&types, 10, list, sizeof list);
    snprintf(text, sizeof text, "%d of %d features are left out, %s%s%s%s%s",
             meta->n_column - meta->n_var, meta->n_column,
             types.n ? "not being Gene Expression but " : "", types.n ? list : "",
             types.n && genome ? ", or " : "", genome ? "not of the genome " : "",
             genome ? genome : "");
    st = scs_text_copy(text, &meta->note);
done:
    scs_names_clear(&types);
    return st;
}

/* The genes are those features that are taken. */
scs_status scs_tenx_features_take(const char *path, const scs_tenx_features *f, const char *genome,
                                  scs_h5ad *meta)
{
    int32_t n = meta->n_var;

    SCS_TRY(SCS_ALLOC(meta->gene, n));
    meta->n_column = n;
    meta->n_var = 0;
    for (int32_t j = 0; j < n; j++) {
        bool taken = is_taken(f, j, genome);

        meta->gene[j] = taken ? meta->n_var++ : -1;
        if (taken)
            SCS_TRY(scs_names_add(&meta->genes, f->name.name[j]));
    }
    if (n > 0 && meta->n_var == 0)
        return no_genes(path, f, genome);
    if (meta->n_var < n)
        return note_left_out(f, genome, meta);
    free(meta->gene);
    meta->gene = NULL;
    return SCS_OK;
}
