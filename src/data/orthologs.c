/* Tables of orthologs: which own gene is which reference gene, one to one.
 *
 * A pair is used only where the table's type says one2one (if it has types) and neither gene
 * stands in another pair: a sum over a gene family would hide what each of its members does, and
 * a choice among them would be a guess. What is dropped keeps its reason, the worst of a gene's
 * rows.
 *
 * Which columns are read, and which form the table has (a pair a row, lists of genes, or a class
 * of genes over several rows), is chosen from the genes that the files have (ortholog_columns.c).
 * Here rows become pairs: one pass over the table, then O(pairs log pairs). Memory for all names
 * of the table. All functions are Local.
 */
#include "src/data/orthologs.h"

#include "src/base/file.h"
#include "src/base/names.h"
#include "src/base/table.h"
#include "src/data/gene_id.h"
#include "src/data/ortholog_columns.h"
#include "scscreen/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes; a larger file is not a table of orthologs. */
static const int64_t LARGEST_TABLE = 256 << 20;

/* Without regard to case; gene names are compared exactly. */
static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcasecmp(text + n - m, end) == 0;
}

/* ---- rows of pairs ---- */

/* @param name "" where the row names no own gene
 *  @param why scs_gene_fate */
static scs_status note_dropped(scs_orthologs *o, const char *name, int why)
{
    scs_lidx n = o->dropped.n;

    if (!*name)
        return SCS_OK;
    /* Doubles at each power of two: there is no separate capacity. */
    if ((n & (n - 1)) == 0) {
        uint8_t *grown = scs_reallocate(o->why, n ? 2 * (int64_t)n : 1, sizeof *grown);

        SCS_REQUIRE(grown, SCS_ENOMEM, "out of memory for %d genes without ortholog", n);
        o->why = grown;
    }
    o->why[n] = (uint8_t)why;
    return scs_names_add(&o->dropped, name);
}

/* What a row's type makes of its own gene. "ortholog_one2one" (Ensembl), "one-to-one", "1:1",
 * ...; what is no known type is SCS_GENE_OTHER_TYPE, and the first such value is named in the
 * refusal. */
static int fate_of_type(const char *type)
{
    char letters[64];
    int n = 0;

    if (strchr(type, ':'))
        return strcmp(type, "1:1") == 0             ? SCS_GENE_KEPT
               : strchr(type, '1')                  ? SCS_GENE_ONE_TO_MANY
               : scs_ortholog_columns_is_type(type) ? SCS_GENE_MANY_TO_MANY
                                                    : SCS_GENE_OTHER_TYPE;
    for (; *type && n < (int)sizeof letters - 1; type++)
        if (*type != '_' && *type != '-' && *type != ' ')
            letters[n++] = *type;
    letters[n] = '\0';
    if (ends_with(letters, "one2one") || ends_with(letters, "onetoone"))
        return SCS_GENE_KEPT;
    if (ends_with(letters, "many2many") || ends_with(letters, "manytomany"))
        return SCS_GENE_MANY_TO_MANY;
    return scs_ortholog_columns_is_type(letters) ? SCS_GENE_ONE_TO_MANY : SCS_GENE_OTHER_TYPE;
}

/* Ensembl IDs without their version, in place. */
static scs_status add_gene(scs_names *names, char *gene)
{
    gene[scs_gene_id_length(gene)] = '\0';
    return scs_names_add(names, gene);
}

/* @param own, reference changed */
static scs_status add_pair(scs_orthologs *o, char *own, char *reference)
{
    SCS_TRY(add_gene(&o->own, own));
    return add_gene(&o->reference, reference);
}

/* @param own changed
 *  @param why scs_gene_fate */
static scs_status drop_own(scs_orthologs *o, char *own, int why)
{
    own[scs_gene_id_length(own)] = '\0';
    return note_dropped(o, own, why);
}

/* A row whose cells are lists (OrthoFinder): a pair where each side has one gene. */
static scs_status add_lists(char *own, char *reference, scs_orthologs *o)
{
    bool many_own = strchr(own, ',') != NULL, many_reference = strchr(reference, ',') != NULL;

    if (!many_own && !many_reference)
        return add_pair(o, own, reference);
    o->n_other_type++;
    while (own)
        SCS_TRY(
            drop_own(o, scs_ortholog_columns_next_gene(&own, true),
                     many_own && many_reference ? SCS_GENE_MANY_TO_MANY : SCS_GENE_ONE_TO_MANY));
    return SCS_OK;
}

/* Keep a row's pair, or count why not. A row that is too short is refused with file and line. */
static scs_status add_row(const scs_table *t, const scs_ortholog_columns *at, scs_orthologs *o)
{
    int last = at->own > at->reference ? at->own : at->reference, fate;
    char *own, *reference;

    last = at->type > last ? at->type : last;
    SCS_REQUIRE(t->n_field > last, SCS_EDATA,
                "%s:%lld: %d columns, expected at least %d (own gene, "
                "reference gene)",
                t->path, (long long)t->line, t->n_field, last + 1);
    own = t->field[at->own];
    reference = t->field[at->reference];
    o->n_row++;
    if (scs_ortholog_columns_is_empty(own) || scs_ortholog_columns_is_empty(reference)) {
        o->n_unpaired++;
        return scs_ortholog_columns_is_empty(own) ? SCS_OK : drop_own(o, own, SCS_GENE_NO_ORTHOLOG);
    }
    if (at->form == SCS_ORTHOLOG_LISTS)
        return add_lists(own, reference, o);
    fate = at->type >= 0 ? fate_of_type(t->field[at->type]) : SCS_GENE_KEPT;
    if (fate == SCS_GENE_KEPT)
        return add_pair(o, own, reference);
    if (fate == SCS_GENE_OTHER_TYPE && !o->met[0])
        snprintf(o->met, sizeof o->met, "%s", t->field[at->type]);
    o->n_other_type++;
    return drop_own(o, own, fate);
}

/* ---- rows of classes ---- */

/* Genes of one side of a table of classes (MGI), and the class of each. Owned. */
typedef struct side {
    scs_names gene, class;
    scs_index by_class;
} side;

/* Also of a side that is zeroed. */
static void clear_side(side *s)
{
    scs_names_clear(&s->gene);
    scs_names_clear(&s->class);
    scs_names_index_clear(&s->by_class);
}

/* Members of a class, by binary search.
 *  @param[out] first one of them, -1: none */
static int64_t count_class(const side *s, const char *class, scs_lidx *first)
{
    const scs_lidx *order = s->by_class.order;
    scs_lidx low = 0, high = s->class.n, n = 0;

    while (low < high) {
        scs_lidx middle = low + (high - low) / 2;

        if (strcmp(s->class.name[order[middle]], class) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = -1;
    for (; low < s->class.n && strcmp(s->class.name[order[low]], class) == 0; low++, n++)
        *first = order[low];
    return n;
}

/* Each own gene with its class' gene of the reference, where the class has one of both. */
static scs_status pair_classes(const side *own, const side *reference, scs_orthologs *o)
{
    for (scs_lidx i = 0; i < own->gene.n; i++) {
        scs_lidx at, other;
        int64_t n = count_class(own, own->class.name[i], &at);
        int64_t m = count_class(reference, own->class.name[i], &other);

        o->n_row++;
        if (m == 0) {
            o->n_unpaired++;
            SCS_TRY(drop_own(o, own->gene.name[i], SCS_GENE_NO_ORTHOLOG));
        } else if (n > 1 || m > 1) {
            o->n_other_type++;
            SCS_TRY(drop_own(o, own->gene.name[i],
                             n > 1 && m > 1 ? SCS_GENE_MANY_TO_MANY : SCS_GENE_ONE_TO_MANY));
        } else {
            SCS_TRY(add_pair(o, own->gene.name[i], reference->gene.name[other]));
        }
    }
    return SCS_OK;
}

/* A row names one gene of one organism; other organisms' rows are passed over. */
static scs_status add_member(const scs_table *t, const scs_ortholog_columns *at, side *own,
                             side *reference)
{
    const char *organism = t->field[at->organism_at];
    side *s = strcmp(organism, at->own_organism) == 0         ? own
              : strcmp(organism, at->reference_organism) == 0 ? reference
                                                              : NULL;

    if (!s || scs_ortholog_columns_is_empty(t->field[at->own]))
        return SCS_OK;
    SCS_REQUIRE(t->n_field > at->class_at, SCS_EDATA, "%s:%lld: %d columns, expected at least %d",
                t->path, (long long)t->line, t->n_field, at->class_at + 1);
    SCS_TRY(scs_names_add(&s->class, t->field[at->class_at]));
    return scs_names_add(&s->gene, t->field[at->own]);
}

/* All rows are read before any pair is made: a class may stand anywhere in the table. */
static scs_status read_classes(scs_table *t, const scs_ortholog_columns *at, scs_orthologs *o)
{
    side own = {0}, reference = {0};
    scs_status st;
    bool found;

    SCS_GO(st, scs_table_next(t, &found));
    while (found) {
        SCS_GO(st, add_member(t, at, &own, &reference));
        SCS_GO(st, scs_table_next(t, &found));
    }
    SCS_GO(st, scs_names_index_create(&own.class, &own.by_class));
    SCS_GO(st, scs_names_index_create(&reference.class, &reference.by_class));
    SCS_GO(st, pair_classes(&own, &reference, o));
done:
    clear_side(&own);
    clear_side(&reference);
    return st;
}

/* ---- reading ---- */

/* The header, where there is one, has been read for its columns already. */
static scs_status read_rows(scs_table *t, const scs_ortholog_columns *at, scs_orthologs *o)
{
    bool found;

    SCS_TRY(scs_table_next(t, &found));
    if (at->form == SCS_ORTHOLOG_CLASSES)
        return read_classes(t, at, o);
    if (at->header && found)
        SCS_TRY(scs_table_next(t, &found));
    while (found) {
        SCS_TRY(add_row(t, at, o));
        SCS_TRY(scs_table_next(t, &found));
    }
    return SCS_OK;
}

/* ---- one to one ---- */

/* Drop the pairs i of which drop[i]; both lists are closed up in place.
 *  @return how many */
static scs_lidx remove_pairs(scs_orthologs *o, const bool *drop)
{
    scs_lidx kept = 0, n = o->own.n;

    for (scs_lidx i = 0; i < n; i++) {
        if (drop[i]) {
            free(o->own.name[i]);
            free(o->reference.name[i]);
        } else {
            o->own.name[kept] = o->own.name[i];
            o->reference.name[kept++] = o->reference.name[i];
        }
    }
    o->own.n = o->reference.n = kept;
    return n - kept;
}

/* "own TAB reference" of each pair: no name of a table of columns has a tab in it. */
static scs_status list_pairs(const scs_orthologs *o, scs_names *pairs)
{
    for (scs_lidx i = 0; i < o->own.n; i++) {
        char *pair;
        scs_status st;

        SCS_TRY(scs_file_path_print(&pair, "%s\t%s", o->own.name[i], o->reference.name[i]));
        st = scs_names_add(pairs, pair);
        free(pair);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* Of rows that say the same one counts: BioMart writes a row for each transcript. */
static scs_status keep_each_pair_once(scs_orthologs *o)
{
    scs_names pairs = {0};
    scs_index index = {0};
    bool *drop = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(drop, o->own.n));
    SCS_GO(st, list_pairs(o, &pairs));
    SCS_GO(st, scs_names_index_create(&pairs, &index));
    for (scs_lidx i = 1; i < pairs.n; i++)
        drop[index.order[i]] =
            strcmp(pairs.name[index.order[i - 1]], pairs.name[index.order[i]]) == 0;
    o->n_equal = remove_pairs(o, drop);
done:
    free(drop);
    scs_names_index_clear(&index);
    scs_names_clear(&pairs);
    return st;
}

/* @param[in,out] repeated [names] set for every name that another row has as well */
static void mark_repeated(const scs_index *index, bool *repeated)
{
    const scs_lidx *order = index->order;

    for (scs_lidx i = 1; i < index->names->n; i++)
        if (strcmp(index->names->name[order[i - 1]], index->names->name[order[i]]) == 0)
            repeated[order[i - 1]] = repeated[order[i]] = true;
}

/* @param repeated [pairs] */
static scs_status drop_repeated(scs_orthologs *o, const bool *repeated)
{
    for (scs_lidx i = 0; i < o->own.n; i++)
        if (repeated[i])
            SCS_TRY(note_dropped(o, o->own.name[i], SCS_GENE_REPEATED));
    o->n_ambiguous = remove_pairs(o, repeated);
    return SCS_OK;
}

/* Drop every pair whose gene, on either side, stands in another pair as well. Equal rows are one
 * pair by now. */
static scs_status keep_one_to_one(scs_orthologs *o)
{
    scs_index own = {0}, reference = {0};
    bool *repeated = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(repeated, o->own.n));
    SCS_GO(st, scs_names_index_create(&o->own, &own));
    SCS_GO(st, scs_names_index_create(&o->reference, &reference));
    mark_repeated(&own, repeated);
    mark_repeated(&reference, repeated);
    SCS_GO(st, drop_repeated(o, repeated));
done:
    free(repeated);
    scs_names_index_clear(&own);
    scs_names_index_clear(&reference);
    return st;
}

/* Of several rows of a gene the worst counts: fates are ordered in scs_gene_fate. Rows of a gene
 * are neighbours in order; the first of them gets the maximum, and is what a search finds. */
static scs_status index_dropped(scs_orthologs *o)
{
    const scs_lidx *order;

    SCS_TRY(scs_names_index_create(&o->dropped, &o->by_dropped));
    order = o->by_dropped.order;
    for (scs_lidx i = o->dropped.n - 1; i > 0; i--)
        if (strcmp(o->dropped.name[order[i - 1]], o->dropped.name[order[i]]) == 0 &&
            o->why[order[i]] > o->why[order[i - 1]])
            o->why[order[i - 1]] = o->why[order[i]];
    return SCS_OK;
}

/* ---- loading ---- */

/* @param[out] o cleared by the caller, after an error too */
static scs_status load(const char *path, const scs_ortholog_columns *at, scs_orthologs *o)
{
    scs_table table;
    scs_status st;

    SCS_TRY(scs_table_open(path, LARGEST_TABLE, &table));
    SCS_GO(st, read_rows(&table, at, o));
    SCS_GO(st, keep_each_pair_once(o));
    SCS_GO(st, keep_one_to_one(o));
    SCS_GO(st, scs_names_index_create(&o->own, &o->by_own));
    SCS_GO(st, index_dropped(o));
done:
    scs_table_close(&table);
    return st;
}

scs_status scs_orthologs_load(const scs_ortholog_use *use, scs_orthologs *orthologs)
{
    scs_ortholog_columns *at = &orthologs->columns;
    scs_orthologs *o = orthologs;

    *o = (scs_orthologs){0};
    SCS_TRY(scs_ortholog_columns_choose(use, at));
    SCS_TRY(load(use->table, at, o));
    SCS_REQUIRE(o->n_row > 0, SCS_EDATA, "%s: no rows", use->table);
    SCS_REQUIRE(o->own.n > 0, SCS_EDATA,
                "%s: no one-to-one pair (%lld rows of %s and %s: %lld lack a gene, %lld of another "
                "type, %lld ambiguous)%s%s%s%s%s",
                use->table, (long long)o->n_row, at->own_label, at->reference_label,
                (long long)o->n_unpaired, (long long)o->n_other_type, (long long)o->n_ambiguous,
                o->met[0] ? "; the type in " : "", o->met[0] ? at->type_label : "",
                o->met[0] ? " is \"" : "", o->met,
                o->met[0] ? "\" where ortholog_one2one or the like was expected" : "");
    return SCS_OK;
}

void scs_orthologs_clear(scs_orthologs *orthologs)
{
    scs_names_clear(&orthologs->own);
    scs_names_clear(&orthologs->reference);
    scs_names_index_clear(&orthologs->by_own);
    scs_names_clear(&orthologs->dropped);
    scs_names_index_clear(&orthologs->by_dropped);
    free(orthologs->why);
    *orthologs = (scs_orthologs){0};
}

/* O(log pairs). */
const char *scs_orthologs_find(const scs_orthologs *orthologs, const char *own_gene)
{
    scs_lidx at = scs_names_index_find(&orthologs->by_own, own_gene);

    return at >= 0 ? orthologs->reference.name[at] : NULL;
}

/* A gene that is neither paired nor dropped has no row. */
int scs_orthologs_why(const scs_orthologs *orthologs, const char *own_gene)
{
    scs_lidx at = scs_names_index_find(&orthologs->by_dropped, own_gene);

    return at >= 0 ? orthologs->why[at] : SCS_GENE_NOT_IN_TABLE;
}
