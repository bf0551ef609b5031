#include "src/data/orthologs.h"

#include "src/base/names.h"
#include "src/base/table.h"
#include "scscreen/dataset.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const int64_t LARGEST_TABLE = 256 << 20;

/* Columns of a table: where the two genes and the type stand (-1: no such column). */
typedef struct columns {
    int own, reference, type;
} columns;

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcasecmp(text + n - m, end) == 0;
}

static int find_column(const scs_table *t, const char *name)
{
    for (int i = 0; i < t->n_field; i++)
        if (strcasecmp(t->field[i], name) == 0)
            return i;
    return -1;
}

/* The other species' column: "Mouse gene name" for "gene name". */
static int find_other(const scs_table *t, const char *name)
{
    for (int i = 0; i < t->n_field; i++)
        if (ends_with(t->field[i], name))
            return i;
    return -1;
}

/* How the two genes of a BioMart row are named: by symbol or by stable ID. */
typedef struct naming {
    bool own_by_id, reference_by_id;
} naming;

static columns biomart_columns(const scs_table *t, naming by)
{
    const char *reference = by.reference_by_id ? "Gene stable ID" : "Gene name";
    const char *own = by.own_by_id ? " gene stable ID" : " gene name";

    return (columns){find_other(t, own), find_column(t, reference),
                     find_other(t, " homology type")};
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0)
            return true;
    return false;
}

static bool is_header(const scs_table *t)
{
    static const char *const own[] = {"gene_a", "own", "own_gene", "own gene", "gene", NULL};
    static const char *const reference[] = {"gene_b",         "reference", "reference_gene",
                                            "reference gene", "ortholog",  NULL};

    return t->n_field >= 2 && is_one_of(t->field[0], own) && is_one_of(t->field[1], reference);
}

/* @param name "" where the row names no own gene */
static scs_status note_dropped(scs_orthologs *o, const char *name, int why)
{
    scs_lidx n = o->dropped.n;

    if (!*name)
        return SCS_OK;
    if ((n & (n - 1)) == 0) {
        uint8_t *grown = scs_reallocate(o->why, n ? 2 * (int64_t)n : 1, sizeof *grown);

        SCS_REQUIRE(grown, SCS_ENOMEM, "out of memory for %d genes without ortholog", n);
        o->why = grown;
    }
    o->why[n] = (uint8_t)why;
    return scs_names_add(&o->dropped, name);
}

static int other_type(const char *type)
{
    return ends_with(type, "many2many")                                 ? SCS_GENE_MANY_TO_MANY
           : ends_with(type, "one2many") || ends_with(type, "many2one") ? SCS_GENE_ONE_TO_MANY
                                                                        : SCS_GENE_OTHER_TYPE;
}

/* Keep a row's pair, or count why not. */
static scs_status add_row(const scs_table *t, columns at, scs_orthologs *o)
{
    int last = at.own > at.reference ? at.own : at.reference;

    last = at.type > last ? at.type : last;
    SCS_REQUIRE(t->n_field > last, SCS_EDATA,
                "%s:%lld: %d columns, expected at least %d (own gene, "
                "reference gene)",
                t->path, (long long)t->line, t->n_field, last + 1);
    o->n_row++;
    if (t->field[at.own][0] == '\0' || t->field[at.reference][0] == '\0') {
        o->n_unpaired++;
        return note_dropped(o, t->field[at.own], SCS_GENE_NO_ORTHOLOG);
    }
    if (at.type >= 0 && !ends_with(t->field[at.type], "one2one")) {
        o->n_other_type++;
        return note_dropped(o, t->field[at.own], other_type(t->field[at.type]));
    }
    SCS_TRY(scs_names_add(&o->own, t->field[at.own]));
    return scs_names_add(&o->reference, t->field[at.reference]);
}

/* The naming counts for BioMart tables alone; *biomart says whether it is one. No rows where it
 * lacks the columns. */
static scs_status read_rows(scs_table *t, naming by, bool *biomart, scs_orthologs *o)
{
    columns at = {0, 1, -1};
    bool found;

    SCS_TRY(scs_table_next(t, &found));
    SCS_REQUIRE(found, SCS_EDATA, "%s: no rows; expected own gene and reference gene", t->path);
    *biomart = find_column(t, "Gene stable ID") >= 0 || find_column(t, "Gene name") >= 0;
    if (*biomart)
        at = biomart_columns(t, by);
    else
        at.type = t->n_field > 2 ? 2 : -1;
    if (at.own < 0 || at.reference < 0)
        return SCS_OK;
    if (*biomart || is_header(t))
        SCS_TRY(scs_table_next(t, &found));
    for (; found;) {
        SCS_TRY(add_row(t, at, o));
        SCS_TRY(scs_table_next(t, &found));
    }
    return SCS_OK;
}

static void mark_repeated(const scs_index *index, bool *repeated)
{
    const scs_lidx *order = index->order;

    for (scs_lidx i = 1; i < index->names->n; i++)
        if (strcmp(index->names->name[order[i - 1]], index->names->name[order[i]]) == 0)
            repeated[order[i - 1]] = repeated[order[i]] = true;
}

static scs_status drop_repeated(scs_orthologs *o, const bool *repeated)
{
    scs_lidx kept = 0;

    for (scs_lidx i = 0; i < o->own.n; i++)
        if (repeated[i])
            SCS_TRY(note_dropped(o, o->own.name[i], SCS_GENE_REPEATED));
    for (scs_lidx i = 0; i < o->own.n; i++) {
        if (repeated[i]) {
            free(o->own.name[i]);
            free(o->reference.name[i]);
            o->n_ambiguous++;
        } else {
            o->own.name[kept] = o->own.name[i];
            o->reference.name[kept++] = o->reference.name[i];
        }
    }
    o->own.n = o->reference.n = kept;
    return SCS_OK;
}

/* Drop every row whose gene, on either side, stands on another row as well. */
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

/* Of several rows of a gene the worst counts. */
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

static scs_status load(const char *path, naming by, bool *biomart, scs_orthologs *o)
{
    scs_table table;
    scs_status st;

    *o = (scs_orthologs){0};
    SCS_TRY(scs_table_open(path, LARGEST_TABLE, &table));
    SCS_GO(st, read_rows(&table, by, biomart, o));
    SCS_GO(st, keep_one_to_one(o));
    SCS_GO(st, scs_names_index_create(&o->own, &o->by_own));
    SCS_GO(st, index_dropped(o));
done:
    scs_table_close(&table);
    return st;
}

/* Genes that the table translates into one that the reference has. */
static int64_t count_known(const scs_orthologs *o, const scs_names *genes,
                           const scs_index *reference)
{
    int64_t n = 0;

    for (scs_lidx i = 0; i < genes->n; i++) {
        const char *name = scs_orthologs_find(o, genes->name[i]);

        n += name && (!reference || scs_names_index_find(reference, name) >= 0);
    }
    return n;
}

/* Take the table read this way if that says more of the genes. */
static scs_status try_naming(const char *path, naming by, const scs_names *genes,
                             const scs_index *reference, scs_orthologs *best)
{
    scs_orthologs other = {0};
    bool biomart;
    scs_status st;

    SCS_GO(st, load(path, by, &biomart, &other));
    if (best->n_row == 0 ||
        count_known(&other, genes, reference) > count_known(best, genes, reference)) {
        scs_orthologs_clear(best);
        *best = other;
        best->by_own.names = &best->own;
        best->by_dropped.names = &best->dropped;
        return SCS_OK;
    }
done:
    scs_orthologs_clear(&other);
    return st;
}

/* Files name their genes by symbol or by stable ID, each as it likes: without a reference to look
 * at, both alike. */
static scs_status try_stable_ids(const char *path, const scs_names *genes,
                                 const scs_index *reference, scs_orthologs *best)
{
    SCS_TRY(try_naming(path, (naming){true, true}, genes, reference, best));
    if (!reference)
        return SCS_OK;
    SCS_TRY(try_naming(path, (naming){true, false}, genes, reference, best));
    return try_naming(path, (naming){false, true}, genes, reference, best);
}

scs_status scs_orthologs_load(const char *path, const scs_names *own_genes,
                              const scs_index *reference, scs_orthologs *orthologs)
{
    bool biomart = false;

    SCS_TRY(load(path, (naming){false, false}, &biomart, orthologs));
    if (biomart)
        SCS_TRY(try_stable_ids(path, own_genes, reference, orthologs));
    SCS_REQUIRE(orthologs->n_row > 0, SCS_EDATA, "%s: no rows%s", path,
                biomart ? " with the columns 'Gene name' and 'SPECIES gene name' (or stable IDs)"
                        : "");
    SCS_REQUIRE(orthologs->own.n > 0, SCS_EDATA,
                "%s: no one-to-one pair (%lld rows: %lld lack a gene, %lld of another type, %lld "
                "ambiguous)",
                path, (long long)orthologs->n_row, (long long)orthologs->n_unpaired,
                (long long)orthologs->n_other_type, (long long)orthologs->n_ambiguous);
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

const char *scs_orthologs_find(const scs_orthologs *orthologs, const char *own_gene)
{
    scs_lidx at = scs_names_index_find(&orthologs->by_own, own_gene);

    return at >= 0 ? orthologs->reference.name[at] : NULL;
}

int scs_orthologs_why(const scs_orthologs *orthologs, const char *own_gene)
{
    scs_lidx at = scs_names_index_find(&orthologs->by_dropped, own_gene);

    return at >= 0 ? orthologs->why[at] : SCS_GENE_NOT_IN_TABLE;
}
