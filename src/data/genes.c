#include "src/data/genes.h"

#include "src/base/names.h"
#include "src/base/table.h"
#include "src/base/text.h"
#include "src/data/dataset_internal.h"
#include "src/data/h5ad.h"
#include "src/data/notes.h"
#include "src/data/orthologs.h"
#include "scscreen/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *scs_genes_fate_name(int fate)
{
    static const char *const names[] = {[SCS_GENE_KEPT] = "kept",
                                        [SCS_GENE_NOT_IN_TABLE] = "not_in_table",
                                        [SCS_GENE_NO_ORTHOLOG] = "no_ortholog",
                                        [SCS_GENE_ONE_TO_MANY] = "one_to_many",
                                        [SCS_GENE_MANY_TO_MANY] = "many_to_many",
                                        [SCS_GENE_OTHER_TYPE] = "other_type",
                                        [SCS_GENE_REPEATED] = "repeated",
                                        [SCS_GENE_NOT_IN_INPUTS] = "not_in_every_input",
                                        [SCS_GENE_NOT_LISTED] = "not_in_data_genes"};
    _Static_assert(sizeof names / sizeof *names == SCS_N_GENE_FATE, "a name for each fate");

    return names[fate];
}

static const int64_t LARGEST_LIST = 64 << 20;

/* The reference genes that may be kept: those of the first input. */
typedef struct candidates {
    scs_names genes;
    scs_index index;
    int32_t *inputs; /* [genes.n] inputs that have the gene */
    bool *listed;    /* [genes.n] data.genes wants it */
} candidates;

static void clear_candidates(candidates *c)
{
    scs_names_clear(&c->genes);
    scs_names_index_clear(&c->index);
    free(c->inputs);
    free(c->listed);
}

static scs_status refuse_duplicates(const scs_h5ad *meta)
{
    scs_index index;
    scs_lidx twice;

    SCS_REQUIRE(meta->n_var > 0, SCS_EDATA, "%s: no genes", meta->path);
    SCS_TRY(scs_names_index_create(&meta->genes, &index));
    twice = scs_names_index_duplicate(&index);
    scs_names_index_clear(&index);
    SCS_REQUIRE(
        twice < 0, SCS_EDATA,
        "%s: gene %s stands there twice (the second time in column %d); make the names unique "
        "first, as adata.var_names_make_unique() does",
        meta->path, meta->genes.name[twice], twice);
    return SCS_OK;
}

/* What the table does not translate, by reason. @param fate [SCS_N_GENE_FATE] of the input */
static scs_status note_untranslated(const scs_h5ad *meta, const char *table, const int64_t *fate,
                                    scs_dataset *d)
{
    long long n[SCS_N_GENE_FATE], all = 0;

    for (int i = 0; i < SCS_N_GENE_FATE; i++)
        all += n[i] = fate[i];
    if (all == 0)
        return SCS_OK;
    return scs_notes_add(d,
                         "%s: %lld of %d genes have no one-to-one ortholog in %s: %lld are not "
                         "in it, %lld have none, %lld are one-to-many, %lld many-to-many, %lld "
                         "of another type, %lld stand on several rows",
                         meta->path, all, meta->n_var, table, n[SCS_GENE_NOT_IN_TABLE],
                         n[SCS_GENE_NO_ORTHOLOG], n[SCS_GENE_ONE_TO_MANY], n[SCS_GENE_MANY_TO_MANY],
                         n[SCS_GENE_OTHER_TYPE], n[SCS_GENE_REPEATED]);
}

/* One input's genes by their reference names. @param reference the reference's, NULL: not known yet
 *  @param[out] name [n_var] borrowed, NULL where there is none  @param fate [SCS_N_GENE_FATE] of
 * the input */
static scs_status translate(const scs_h5ad *meta, const char *table, const scs_index *reference,
                            scs_orthologs *orthologs, const char **name, int64_t *fate,
                            scs_dataset *d)
{
    int32_t found = 0;

    if (table)
        SCS_TRY(scs_orthologs_load(table, &meta->genes, reference, orthologs));
    for (int32_t j = 0; j < meta->n_var; j++) {
        name[j] = table ? scs_orthologs_find(orthologs, meta->genes.name[j]) : meta->genes.name[j];
        found += name[j] != NULL;
        if (!name[j])
            fate[scs_orthologs_why(orthologs, meta->genes.name[j])]++;
    }
    SCS_REQUIRE(
        found > 0, SCS_EDATA,
        "%s: none of its genes (%s, ...) is an own gene of %s (%s, ...); are the table's columns "
        "the other way round?",
        meta->path, meta->genes.name[0], table, table ? orthologs->own.name[0] : "");
    return note_untranslated(meta, table, fate, d);
}

static scs_status start_candidates(candidates *c, const char *const *name, int32_t n)
{
    for (int32_t j = 0; j < n; j++)
        if (name[j])
            SCS_TRY(scs_names_add(&c->genes, name[j]));
    SCS_TRY(SCS_ALLOC(c->inputs, c->genes.n));
    SCS_TRY(SCS_ALLOC(c->listed, c->genes.n));
    return scs_names_index_create(&c->genes, &c->index);
}

/* Number each column by its candidate and count the candidates that this input has. */
static scs_status match_columns(candidates *c, const scs_h5ad *meta, const scs_h5ad *first,
                                const char *const *name, int32_t *gene)
{
    int32_t matched = 0;

    for (int32_t j = 0; j < meta->n_var; j++) {
        gene[j] = name[j] ? scs_names_index_find(&c->index, name[j]) : -1;
        if (gene[j] >= 0) {
            c->inputs[gene[j]]++;
            matched++;
        }
    }
    SCS_REQUIRE(
        matched > 0, SCS_EDATA,
        "%s: none of its genes (%s, ...) is one of %s (%s, ...); data.inputs takes a table of "
        "orthologs where names differ",
        meta->path, meta->genes.name[0], first->path, c->genes.name[0]);
    return SCS_OK;
}

static scs_status add_input(const scs_config *config, const scs_h5ad *const *metas, int32_t i,
                            candidates *c, scs_dataset *d)
{
    const scs_h5ad *meta = metas[i];
    scs_orthologs orthologs = {0};
    const char **name = NULL;
    scs_status st;

    SCS_GO(st, refuse_duplicates(meta));
    SCS_GO(st, SCS_ALLOC(name, meta->n_var));
    SCS_GO(st, translate(meta, config->data.inputs[i].orthologs, i ? &c->index : NULL, &orthologs,
                         name, d->fate + (int64_t)i * SCS_N_GENE_FATE, d));
    if (i == 0)
        SCS_GO(st, start_candidates(c, name, meta->n_var));
    SCS_GO(st, SCS_ALLOC(d->gene_of_column[i], meta->n_var));
    SCS_GO(st, match_columns(c, meta, metas[0], name, d->gene_of_column[i]));
done:
    free(name);
    scs_orthologs_clear(&orthologs);
    return st;
}

static scs_status read_list(scs_table *table, candidates *c, int64_t *n, int64_t *missing)
{
    bool found;

    SCS_TRY(scs_table_next(table, &found));
    for (; found; ++*n) {
        scs_lidx gene = scs_names_index_find(&c->index, table->field[0]);

        if (gene >= 0)
            c->listed[gene] = true;
        *missing += gene < 0;
        SCS_TRY(scs_table_next(table, &found));
    }
    return SCS_OK;
}

/* data.genes: all, or a file with one gene per line. */
static scs_status list_genes(const char *path, candidates *c, scs_dataset *d)
{
    int64_t n = 0, missing = 0;
    scs_table table;
    scs_status st;

    if (strcmp(path, "all") == 0) {
        for (scs_lidx gene = 0; gene < c->genes.n; gene++)
            c->listed[gene] = true;
        return SCS_OK;
    }
    SCS_TRY(scs_table_open(path, LARGEST_LIST, &table));
    st = read_list(&table, c, &n, &missing);
    scs_table_close(&table);
    SCS_TRY(st);
    SCS_REQUIRE(missing < n, SCS_EDATA, "%s: none of its %lld genes is in the inputs (%s, ...)",
                path, (long long)n, c->genes.name[0]);
    if (missing == 0)
        return SCS_OK;
    return scs_notes_add(d, "%s: %lld of %lld listed genes are not in the inputs", path,
                         (long long)missing, (long long)n);
}

/* What becomes of the genes that have a reference name. */
static void count_fates(const candidates *c, const scs_h5ad *const *metas, scs_dataset *d)
{
    for (int32_t i = 0; i < d->n_input; i++) {
        int64_t *fate = d->fate + (int64_t)i * SCS_N_GENE_FATE, rest = metas[i]->n_var;

        for (int32_t j = 0; j < metas[i]->n_var; j++) {
            int32_t g = d->gene_of_column[i][j];

            if (g >= 0 && c->inputs[g] == d->n_input)
                fate[c->listed[g] ? SCS_GENE_KEPT : SCS_GENE_NOT_LISTED]++;
        }
        for (int f = 0; f < SCS_N_GENE_FATE; f++)
            rest -= fate[f];
        fate[SCS_GENE_NOT_IN_INPUTS] += rest;
    }
}

/* Keep the candidates that every input has and data.genes wants; renumber the columns. */
static scs_status keep_shared(candidates *c, const scs_h5ad *const *metas, scs_dataset *d)
{
    int32_t *number = c->inputs;
    int32_t shared = 0;

    for (scs_lidx g = 0; g < c->genes.n; g++) {
        bool in_all = c->inputs[g] == d->n_input, keep = in_all && c->listed[g];

        shared += in_all;
        number[g] = keep ? d->genes.n : -1;
        if (keep)
            SCS_TRY(scs_names_add(&d->genes, c->genes.name[g]));
    }
    for (int32_t i = 0; i < d->n_input; i++)
        for (int32_t j = 0; j < metas[i]->n_var; j++)
            if (d->gene_of_column[i][j] >= 0)
                d->gene_of_column[i][j] = number[d->gene_of_column[i][j]];
    d->n_gene = d->genes.n;
    d->n_dropped_genes = metas[0]->n_var - d->n_gene;
    SCS_REQUIRE(shared > 0, SCS_EDATA, "no gene is in every one of the %d inputs", d->n_input);
    SCS_REQUIRE(d->n_gene > 0, SCS_EDATA, "no gene of data.genes is in every one of the %d inputs",
                d->n_input);
    return shared == c->genes.n
               ? SCS_OK
               : scs_notes_add(d, "%d of %d reference genes are not in every input",
                               c->genes.n - shared, c->genes.n);
}

scs_status scs_genes_join(const scs_config *config, const scs_h5ad *const *metas, scs_dataset *d)
{
    candidates c = {0};
    scs_status st;

    SCS_TRY(SCS_ALLOC(d->gene_of_column, d->n_input));
    SCS_TRY(SCS_ALLOC(d->fate, (int64_t)d->n_input * SCS_N_GENE_FATE));
    for (int32_t i = 0; i < d->n_input; i++)
        SCS_GO(st, add_input(config, metas, i, &c, d));
    SCS_GO(st, list_genes(config->data.genes, &c, d));
    count_fates(&c, metas, d);
    SCS_GO(st, keep_shared(&c, metas, d));
done:
    clear_candidates(&c);
    return st;
}

enum { LABEL = 256 };

static bool is_taken(const scs_gene_maps *maps, int32_t before, const char *label)
{
    for (int32_t i = 0; i < before; i++)
        if (strcmp(maps->map[i].label, label) == 0)
            return true;
    return false;
}

/* The species, or the file's name without folder and ending; a number where it is taken. */
static scs_status name_input(const scs_config *config, int32_t i, scs_gene_maps *maps)
{
    const scs_input *input = &config->data.inputs[i];
    const char *slash = strrchr(input->path, '/'), *file = slash ? slash + 1 : input->path;
    char base[LABEL], label[LABEL + 16];
    size_t n;

    snprintf(base, sizeof base, "%s", input->species ? input->species : file);
    n = strlen(base);
    if (!input->species && n > 5 && strcmp(base + n - 5, ".h5ad") == 0)
        base[n - 5] = '\0';
    for (char *at = base; (at = strchr(at, '/'));) /* separates parts of an HDF5 path */
        *at = '_';
    snprintf(label, sizeof label, "%s", base);
    for (int32_t k = 2; is_taken(maps, i, label); k++)
        snprintf(label, sizeof label, "%s_%d", base, k);
    return scs_text_copy(label, &maps->map[i].label);
}

static scs_status list_own(const scs_dataset *d, const scs_h5ad *meta, const int32_t *gene,
                           scs_names *own)
{
    int32_t *column;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(column, d->n_gene));
    for (int32_t j = 0; j < meta->n_var; j++)
        if (gene[j] >= 0)
            column[gene[j]] = j;
    for (int32_t g = 0; g < d->n_gene && st == SCS_OK; g++)
        st = scs_names_add(own, meta->genes.name[column[g]]);
    free(column);
    return st;
}

static scs_status fill_maps(const scs_config *config, const scs_dataset *d,
                            const scs_h5ad *const *metas, scs_gene_maps *maps)
{
    SCS_TRY(SCS_ALLOC(maps->map, d->n_input));
    maps->n = d->n_input;
    for (int32_t i = 0; i < d->n_input; i++) {
        scs_gene_map *map = &maps->map[i];

        map->translated = config->data.inputs[i].orthologs != NULL;
        map->fate = d->fate + (int64_t)i * SCS_N_GENE_FATE;
        SCS_TRY(name_input(config, i, maps));
        SCS_TRY(list_own(d, metas[i], d->gene_of_column[i], &map->own));
    }
    return SCS_OK;
}

scs_status scs_genes_maps_create(const scs_config *config, const scs_dataset *dataset,
                                 const scs_h5ad *const *metas, scs_gene_maps **maps)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*maps, 1));
    st = fill_maps(config, dataset, metas, *maps);
    if (st != SCS_OK)
        scs_genes_maps_destroy(maps);
    return st;
}

void scs_genes_maps_destroy(scs_gene_maps **maps)
{
    if (*maps) {
        for (int32_t i = 0; i < (*maps)->n; i++) {
            free((*maps)->map[i].label);
            scs_names_clear(&(*maps)->map[i].own);
        }
        free((*maps)->map);
    }
    free(*maps);
    *maps = NULL;
}
