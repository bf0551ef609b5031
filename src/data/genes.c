/* Genes of several inputs as one list, with the reason why any other was dropped.
 *
 * Each input's genes get a reference name: their own, or that of their one-to-one ortholog in the
 * input's table. The genes of the first input, in its order, are the candidates; with data.join:
 * outer those of each further input that are not there yet come behind them. Those that every
 * input has (outer: any) and data.genes lists are kept. Symbols are never matched by changing their
 * case: two that differ in nothing else need not be orthologs.
 *
 * Every gene of every input ends with one fate (scs_gene_fate), and the fates of an input sum to
 * its n_var: they are printed by `check` and stored with the result, so that a gene that is
 * missing there can be accounted for. O(genes log genes) an input. All functions are Local.
 */
#include "src/data/genes.h"

#include "src/base/names.h"
#include "src/base/table.h"
#include "src/base/text.h"
#include "src/data/dataset_internal.h"
#include "src/data/gene_id.h"
#include "src/data/h5ad.h"
#include "src/data/notes.h"
#include "src/data/orthologs.h"
#include "scscreen/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- fates ---- */

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
                                        [SCS_GENE_NOT_LISTED] = "not_in_data_genes",
                                        [SCS_GENE_NOT_VARIABLE] = "not_variable",
                                        [SCS_GENE_IN_FEW_CELLS] = "in_few_cells"};
    _Static_assert(sizeof names / sizeof *names == SCS_N_GENE_FATE, "a name for each fate");

    return names[fate];
}

/* Bytes of data.genes: a million names. */
static const int64_t LARGEST_LIST = 64 << 20;

/* ---- joining the inputs ---- */

/* The reference genes that may be kept. Owned. */
typedef struct candidates {
    scs_names genes; /* as the result names them */
    scs_names keys;  /* Ensembl IDs without their versions */
    scs_index index; /* over keys */
    int32_t *inputs; /* [genes.n] inputs that have the gene */
    bool *listed;    /* [genes.n] data.genes wants it */
} candidates;

/* Also after a failure. */
static void clear_candidates(candidates *c)
{
    scs_names_clear(&c->genes);
    scs_names_clear(&c->keys);
    scs_names_index_clear(&c->index);
    free(c->inputs);
    free(c->listed);
}

/* Of two columns of one name nobody can say which is meant; AnnData allows them. */
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
        "first, as adata.var_names_make_unique() does, or set data.duplicate_genes: unique, or sum "
        "to add the counts up",
        meta->path, meta->genes.name[twice], twice);
    return SCS_OK;
}

/* What the table does not translate, by reason, as one note.
 *  @param fate [SCS_N_GENE_FATE] of the input */
static scs_status note_untranslated(const scs_h5ad *meta, const char *table, const int64_t *fate,
                                    scs_dataset *d)
{
    long long n[SCS_N_GENE_FATE] = {0}, all = 0;

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

/* An input while its genes are joined. */
typedef struct joining {
    const scs_config *config;
    const scs_h5ad *const *metas;
    int32_t i;
    const scs_h5ad *meta; /* metas[i] */
    const char *table;    /* of orthologs, or NULL */
    scs_names keys;       /* [n_var] Ensembl IDs without their versions */
    scs_index by_key;     /* over keys: columns of one gene begin with the one that it finds */
    scs_orthologs orthologs;
    const char **name; /* [n_var] the reference's name; borrowed, NULL where there is none */
    int32_t n_found;   /* that have one */
} joining;

/* As data.inputs has it, or NULL. */
static const char *species_of(const joining *in, int32_t i)
{
    return in->config->data.inputs[i].species;
}

/* The table's columns are chosen by this input's genes and by those of the reference, where they
 * are known; a note says which were taken. */
static scs_status load_table(joining *in, const scs_index *reference, scs_dataset *d)
{
    /* behind a table of the first input's own stand the genes of a third species */
    bool first_names = in->i > 0 && !in->config->data.inputs[0].orthologs;
    scs_ortholog_use use = {.table = in->table,
                            .input = in->meta->path,
                            .own = &in->keys,
                            .reference = in->i ? reference : NULL,
                            .own_species = species_of(in, in->i),
                            .reference_species = first_names ? species_of(in, 0) : NULL};
    const scs_ortholog_columns *at = &in->orthologs.columns;

    SCS_TRY(scs_orthologs_load(&use, &in->orthologs));
    return scs_notes_add(d, "%s: its genes are read by %s -> %s%s%s of %s: %d one-to-one pairs",
                         in->meta->path, at->own_label, at->reference_label,
                         at->type >= 0 ? ", type " : "", at->type_label, in->table,
                         in->orthologs.own.n);
}

/* No gene of the input has a partner: most often the two columns are the other way round. */
static scs_status refuse_table(const joining *in)
{
    const scs_ortholog_columns *at = &in->orthologs.columns;
    char better[SCS_ORTHOLOG_LABEL + 64] = "";

    if (at->better_label[0])
        snprintf(better, sizeof better, "; %s holds %lld of them%s", at->better_label,
                 (long long)at->n_better,
                 strcmp(at->better_label, at->reference_label) == 0
                     ? ": are the columns the other way round?"
                     : "");
    return SCS_FAIL(SCS_EDATA,
                    "%s: none of its genes (%s, ...) has a one-to-one partner in %s, where own "
                    "genes are %s (%s, ...) and reference genes %s%s",
                    in->meta->path, in->meta->genes.name[0], in->table, at->own_label,
                    in->orthologs.own.name[0], at->reference_label, better);
}

/* The reference's names of an input's genes.
 *  @param fate [SCS_N_GENE_FATE] of the input */
static scs_status translate(joining *in, const scs_index *reference, int64_t *fate, scs_dataset *d)
{
    if (in->table)
        SCS_TRY(load_table(in, reference, d));
    for (int32_t j = 0; j < in->meta->n_var; j++) {
        in->name[j] =
            in->table ? scs_orthologs_find(&in->orthologs, in->keys.name[j]) : in->keys.name[j];
        in->n_found += in->name[j] != NULL;
        if (!in->name[j])
            fate[scs_orthologs_why(&in->orthologs, in->keys.name[j])]++;
    }
    if (in->n_found == 0)
        return refuse_table(in);
    return note_untranslated(in->meta, in->table, fate, d);
}

/* Whether an earlier column of the input is the same gene. */
static bool is_repeated(const joining *in, int32_t j)
{
    return scs_names_index_find(&in->by_key, in->keys.name[j]) < j;
}

/* The input's genes that have a reference name and are no candidates yet; its own names stay as
 * they are.
 *  @param gene [n_var] candidate of each column, -1: none; NULL: there are no candidates yet */
static scs_status add_candidates(candidates *c, const joining *in, const int32_t *gene)
{
    scs_lidx before = c->genes.n;
    int32_t *inputs;

    for (int32_t j = 0; j < in->meta->n_var; j++) {
        if (!in->name[j] || is_repeated(in, j) || (gene && gene[j] >= 0))
            continue;
        SCS_TRY(scs_names_add(&c->keys, in->name[j]));
        SCS_TRY(scs_names_add(&c->genes, in->table ? in->name[j] : in->meta->genes.name[j]));
    }
    SCS_TRY(SCS_ALLOC(inputs, c->genes.n));
    if (before > 0)
        memcpy(inputs, c->inputs, (size_t)before * sizeof *inputs);
    free(c->inputs);
    c->inputs = inputs;
    scs_names_index_clear(&c->index);
    return scs_names_index_create(&c->keys, &c->index);
}

/* Two species whose genes are named alike by chance, as F8 is in human and mouse. */
static scs_status refuse_hardly_any(const joining *in, const candidates *c, int32_t matched,
                                    scs_dataset *d)
{
    int32_t least = in->n_found < c->genes.n ? in->n_found : c->genes.n;
    const char *a = species_of(in, 0), *b = species_of(in, in->i);

    if ((int64_t)matched * 10 >= least)
        return SCS_OK;
    SCS_REQUIRE(!a || !b || strcmp(a, b) == 0, SCS_EDATA,
                "%s (%s): only %d of its %d genes are named as in %s (%s)%s; give data.inputs a "
                "table of orthologs that translates them: {path: ..., species: %s, orthologs: "
                "TABLE}",
                in->meta->path, b, matched, in->meta->n_var, in->metas[0]->path, a,
                in->table ? " after its table of orthologs" : "", b);
    return scs_notes_add(d,
                         "warning: %s has only %d of its %d genes in common with %s; are they "
                         "named alike (symbols, Ensembl IDs)? data.inputs takes a table of "
                         "orthologs where they are not",
                         in->meta->path, matched, in->meta->n_var, in->metas[0]->path);
}

/* Say how many genes match that are not written alike.
 *  @param column one of them */
static scs_status note_versions(const joining *in, int32_t n, int32_t column, const char *other,
                                scs_dataset *d)
{
    return n == 0 ? SCS_OK
                  : scs_notes_add(d,
                                  "%s: %d of its genes match without the version of an Ensembl ID "
                                  "(%s and %s)",
                                  in->meta->path, n, in->meta->genes.name[column], other);
}

/* Number each column by its candidate and count the candidates that this input has.
 *  @param[out] gene [n_var] candidate or -1 */
static scs_status match_columns(candidates *c, const joining *in, int32_t *gene, scs_dataset *d)
{
    int32_t matched = 0, versions = 0, example = 0;

    for (int32_t j = 0; j < in->meta->n_var; j++) {
        const char *own = in->meta->genes.name[j];

        gene[j] = in->name[j] ? scs_names_index_find(&c->index, in->name[j]) : -1;
        if (gene[j] < 0)
            continue;
        if (is_repeated(in, j)) {
            d->sums[in->i] = true;
            continue;
        }
        c->inputs[gene[j]]++;
        matched++;
        if (in->table ? strcmp(own, in->keys.name[j]) != 0
                      : strcmp(own, c->genes.name[gene[j]]) != 0) {
            versions++;
            example = j;
        }
    }
    SCS_REQUIRE(
        matched > 0, SCS_EDATA,
        "%s: none of its genes (%s, ...) is one of %s (%s, ...); data.inputs takes a table of "
        "orthologs where names differ",
        in->meta->path, in->meta->genes.name[0], in->metas[0]->path, c->genes.name[0]);
    SCS_TRY(refuse_hardly_any(in, c, matched, d));
    return note_versions(
        in, versions, example,
        in->table || versions == 0 ? in->keys.name[example] : c->genes.name[gene[example]], d);
}

/* Columns of the candidates that the input has just added. */
static void add_columns(candidates *c, const joining *in, int32_t *gene)
{
    for (int32_t j = 0; j < in->meta->n_var; j++)
        if (gene[j] < 0 && in->name[j]) {
            gene[j] = scs_names_index_find(&c->index, in->name[j]);
            c->inputs[gene[j]] += !is_repeated(in, j);
        }
}

/* What data.duplicate_genes: sum did to the input. */
static scs_status note_sums(const joining *in, scs_dataset *d)
{
    int32_t n = 0, first = -1;

    for (int32_t j = 0; j < in->meta->n_var; j++)
        if (d->gene_of_column[in->i][j] >= 0 && is_repeated(in, j)) {
            first = n++ ? first : j;
            d->sums[in->i] = true;
        }
    return n == 0 ? SCS_OK
                  : scs_notes_add(d,
                                  "%s: the counts of %d columns are added to those of the column "
                                  "of the same name before them (first: %s)",
                                  in->meta->path, n, in->meta->genes.name[first]);
}

/* What pandas calls rows that nobody has named: 0, 1, 2, ... */
static bool are_numbered(const scs_names *genes)
{
    for (scs_lidx j = 0; j < genes->n; j++) {
        char number[16];

        snprintf(number, sizeof number, "%d", j);
        if (strcmp(genes->name[j], number) != 0)
            return false;
    }
    return genes->n > 0;
}

/* Numbers of one file mean nothing in another: joined by them, genes would be mixed up. */
static scs_status check_named(const joining *in, scs_dataset *d)
{
    if (!are_numbered(&in->meta->genes))
        return SCS_OK;
    SCS_REQUIRE(d->n_input == 1, SCS_EDATA,
                "%s: its genes are numbered 0 to %d, not named, so that none can be told to be one "
                "of another input; data.gene_column names a column of var that has their names",
                in->meta->path, in->meta->n_var - 1);
    return scs_notes_add(d,
                         "%s: its genes are numbered 0 to %d, not named; data.gene_column names a "
                         "column of var that has their names",
                         in->meta->path, in->meta->n_var - 1);
}

/* Input i's columns as candidates, in d->gene_of_column[i]. The first input makes the candidates,
 * and its table is read without a reference to look at. */
static scs_status add_input(const scs_config *config, const scs_h5ad *const *metas, int32_t i,
                            candidates *c, scs_dataset *d)
{
    joining in = {.config = config,
                  .metas = metas,
                  .i = i,
                  .meta = metas[i],
                  .table = config->data.inputs[i].orthologs};
    scs_status st;

    SCS_GO(st, check_named(&in, d));
    if (config->data.duplicate_genes != SCS_DUPLICATE_SUM)
        SCS_GO(st, refuse_duplicates(in.meta));
    SCS_GO(st, scs_gene_id_keys(&in.meta->genes, &in.keys));
    SCS_GO(st, scs_names_index_create(&in.keys, &in.by_key));
    SCS_GO(st, SCS_ALLOC(in.name, in.meta->n_var));
    SCS_GO(st, translate(&in, &c->index, d->fate + (int64_t)i * SCS_N_GENE_FATE, d));
    if (i == 0)
        SCS_GO(st, add_candidates(c, &in, NULL));
    SCS_GO(st, SCS_ALLOC(d->gene_of_column[i], in.meta->n_var));
    SCS_GO(st, match_columns(c, &in, d->gene_of_column[i], d));
    if (i > 0 && config->data.join == SCS_JOIN_OUTER) {
        SCS_GO(st, add_candidates(c, &in, d->gene_of_column[i]));
        add_columns(c, &in, d->gene_of_column[i]);
    }
    SCS_GO(st, note_sums(&in, d));
done:
    free(in.name);
    scs_names_index_clear(&in.by_key);
    scs_names_clear(&in.keys);
    scs_orthologs_clear(&in.orthologs);
    return st;
}

/* @param[out] n lines
 *  @param[out] missing those whose gene is no candidate */
static scs_status read_list(scs_table *table, candidates *c, int64_t *n, int64_t *missing)
{
    bool found;

    SCS_TRY(scs_table_next(table, &found));
    for (; found; ++*n) {
        scs_lidx gene = scs_names_index_find(&c->index, table->field[0]);

        table->field[0][scs_gene_id_length(table->field[0])] = '\0';
        if (gene < 0)
            gene = scs_names_index_find(&c->index, table->field[0]);

        if (gene >= 0)
            c->listed[gene] = true;
        *missing += gene < 0;
        SCS_TRY(scs_table_next(table, &found));
    }
    return SCS_OK;
}

/* data.genes: "all", or a file with one gene per line; a list that names no gene at all is
 * refused, one that names some others is noted. */
static scs_status list_genes(const char *path, candidates *c, scs_dataset *d)
{
    int64_t n = 0, missing = 0;
    scs_table table;
    scs_status st;

    SCS_TRY(SCS_ALLOC(c->listed, c->genes.n));
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

/* What becomes of the genes that have a reference name; what no other fate explains is missing
 * from some input. Before gene_of_column is renumbered. */
static void count_fates(const candidates *c, const scs_h5ad *const *metas, bool outer,
                        scs_dataset *d)
{
    for (int32_t i = 0; i < d->n_input; i++) {
        int64_t *fate = d->fate + (int64_t)i * SCS_N_GENE_FATE, rest = metas[i]->n_var;

        for (int32_t j = 0; j < metas[i]->n_var; j++) {
            int32_t g = d->gene_of_column[i][j];

            if (g >= 0 && (outer || c->inputs[g] == d->n_input))
                fate[c->listed[g] ? SCS_GENE_KEPT : SCS_GENE_NOT_LISTED]++;
        }
        for (int f = 0; f < SCS_N_GENE_FATE; f++)
            rest -= fate[f];
        fate[SCS_GENE_NOT_IN_INPUTS] += rest;
    }
}

/* With data.join: outer, how many genes each input lacks: they are 0 there, which is not what was
 * measured. */
static scs_status note_zeros(const scs_h5ad *const *metas, int32_t shared, scs_dataset *d)
{
    bool *has;
    scs_status st = SCS_OK;

    if (shared == d->n_gene)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(has, d->n_gene));
    SCS_GO(st, scs_notes_add(d,
                             "data.join: outer: %d of %d genes are in every input; the others are "
                             "0 where an input lacks them",
                             shared, d->n_gene));
    for (int32_t i = 0; i < d->n_input; i++) {
        int32_t n = 0;

        memset(has, 0, (size_t)d->n_gene * sizeof *has);
        for (int32_t j = 0; j < metas[i]->n_var; j++)
            if (d->gene_of_column[i][j] >= 0)
                has[d->gene_of_column[i][j]] = true;
        for (int32_t g = 0; g < d->n_gene; g++)
            n += !has[g];
        if (n > 0)
            SCS_GO(st, scs_notes_add(d, "%s: lacks %d of the %d genes: they are 0 in its cells",
                                     metas[i]->path, n, d->n_gene));
    }
done:
    free(has);
    return st;
}

/* Keep the candidates that every input has (outer: any) and data.genes wants; renumber the columns
 * from candidates to genes. */
static scs_status keep_shared(candidates *c, const scs_h5ad *const *metas, bool outer,
                              scs_dataset *d)
{
    /* Each candidate's count is read before its number takes the place. */
    int32_t *number = c->inputs;
    int32_t shared = 0, kept_shared = 0, n_kept;

    for (scs_lidx g = 0; g < c->genes.n; g++) {
        bool in_all = c->inputs[g] == d->n_input, keep = (outer || in_all) && c->listed[g];

        shared += in_all;
        kept_shared += in_all && keep;
        number[g] = keep ? d->genes.n : -1;
        if (keep)
            SCS_TRY(scs_names_add(&d->genes, c->genes.name[g]));
    }
    for (int32_t i = 0; i < d->n_input; i++)
        for (int32_t j = 0; j < metas[i]->n_var; j++)
            if (d->gene_of_column[i][j] >= 0)
                d->gene_of_column[i][j] = number[d->gene_of_column[i][j]];
    d->n_gene = d->genes.n;
    n_kept = 0;
    for (int32_t j = 0; j < metas[0]->n_var; j++)
        n_kept += d->gene_of_column[0][j] >= 0;
    d->n_dropped_genes = metas[0]->n_var - n_kept;
    SCS_REQUIRE(shared > 0 || outer, SCS_EDATA, "no gene is in every one of the %d inputs",
                d->n_input);
    SCS_REQUIRE(d->n_gene > 0, SCS_EDATA, "no gene of data.genes is in every one of the %d inputs",
                d->n_input);
    if (outer)
        return note_zeros(metas, kept_shared, d);
    return shared == c->genes.n
               ? SCS_OK
               : scs_notes_add(d, "%d of %d reference genes are not in every input",
                               c->genes.n - shared, c->genes.n);
}

/* In the inputs' order: the first makes the candidates that all others are matched with, so a gene
 * that the first does not have is in no result. 4 bytes a candidate and a column. */
scs_status scs_genes_join(const scs_config *config, const scs_h5ad *const *metas, scs_dataset *d)
{
    candidates c = {0};
    scs_status st;

    SCS_TRY(SCS_ALLOC(d->gene_of_column, d->n_input));
    SCS_TRY(SCS_ALLOC(d->sums, d->n_input));
    SCS_TRY(SCS_ALLOC(d->fate, (int64_t)d->n_input * SCS_N_GENE_FATE));
    for (int32_t i = 0; i < d->n_input; i++)
        SCS_GO(st, add_input(config, metas, i, &c, d));
    SCS_GO(st, list_genes(config->data.genes, &c, d));
    count_fates(&c, metas, config->data.join == SCS_JOIN_OUTER, d);
    SCS_GO(st, keep_shared(&c, metas, config->data.join == SCS_JOIN_OUTER, d));
done:
    clear_candidates(&c);
    return st;
}

enum { LABEL = 256 };

/* ---- the map of each input, for the result ---- */

/* Whether one of the maps before has this label. */
static bool is_taken(const scs_gene_maps *maps, int32_t before, const char *label)
{
    for (int32_t i = 0; i < before; i++)
        if (strcmp(maps->map[i].label, label) == 0)
            return true;
    return false;
}

/* @param[out] base [LABEL] the file's name without folder, part and ending */
static void file_label(const char *path, char *base)
{
    static const char *const endings[] = {".h5ad", ".h5mu", ".loom", ".h5"};
    const char *end = path + strlen(path), *colon = strrchr(path, ':'), *start;

    while (end > path && end[-1] == '/') /* a folder */
        end--;
    for (start = end; start > path && start[-1] != '/';)
        start--;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const char *stop = colon && colon > start ? colon : end;
        size_t n = strlen(endings[i]);

        if ((size_t)(stop - start) > n && strncmp(stop - n, endings[i], n) == 0) {
            end = stop - n;
            break;
        }
    }
    snprintf(base, LABEL, "%.*s", (int)(end - start), start);
}

/* The species, or the file's name without folder and ending; with a number where it is taken.
 * Labels name groups of the result file. */
static scs_status name_input(const scs_config *config, int32_t i, scs_gene_maps *maps)
{
    const scs_input *input = &config->data.inputs[i];
    char base[LABEL], label[LABEL + 16];

    if (input->species)
        snprintf(base, sizeof base, "%s", input->species);
    else
        file_label(input->path, base);
    /* A label is part of an HDF5 path in the result. */
    for (char *at = base; (at = strchr(at, '/'));) /* separates parts of an HDF5 path */
        *at = '_';
    snprintf(label, sizeof label, "%s", base);
    for (int32_t k = 2; is_taken(maps, i, label); k++)
        snprintf(label, sizeof label, "%s_%d", base, k);
    return scs_text_copy(label, &maps->map[i].label);
}

/* @param gene [n_var] reference gene of each column or -1
 *  @param[out] own [n_gene] the input's names */
static scs_status list_own(const scs_dataset *d, const scs_h5ad *meta, const int32_t *gene,
                           scs_names *own)
{
    int32_t *column;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(column, d->n_gene));
    for (int32_t j = 0; j < meta->n_var; j++)
        if (gene[j] >= 0 && column[gene[j]] == 0)
            column[gene[j]] = j + 1;
    for (int32_t g = 0; g < d->n_gene && st == SCS_OK; g++)
        st = scs_names_add(own, column[g] ? meta->genes.name[column[g] - 1] : "");
    free(column);
    return st;
}

/* @param[out] maps destroyed by the caller after an error */
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

/* O(genes) names an input: the result names each gene as every input does. */
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

scs_status scs_genes_refuse_twice(const scs_h5ad *file, const scs_index *index)
{
    scs_lidx twice = scs_names_index_duplicate(index);
    char name[100];

    SCS_REQUIRE(twice < 0, SCS_EDATA,
                "%s: gene %s stands there more than once; make names unique "
                "(adata.var_names_make_unique())",
                file->path, scs_text_escape(index->names->name[twice], name, sizeof name));
    return SCS_OK;
}
