/* Which columns of a table of orthologs hold what: from its header, and from the genes that stand
 * in them.
 *
 * Tables come from Ensembl BioMart and biomaRt, HCOP, MGI, OrthoFinder, or a user's own two
 * columns; ortholog_columns.h has the forms. The header says what kind of column each is (symbol,
 * stable ID, type) and of which species, by how the name ends. What it leaves open is settled by
 * the data: every column's genes are looked up among the input's and among the reference's, each
 * gene counted once, in one pass over the rows. A side is taken only where one species is clear,
 * either named by the inputs or ten times ahead of any other; else the table is refused with what
 * could be meant, since a wrong column would join genes that are not orthologs without a word.
 *
 * O(fields log genes) time, and two bytes of memory for each column and gene. All functions are
 * Local.
 */
#include "src/data/ortholog_columns.h"

#include "src/data/gene_id.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes; Ensembl's largest exports have a fifth of it. */
static const int64_t LARGEST_TABLE = 256 << 20;

enum { WORDS = 96, COLUMNS = SCS_TABLE_FIELDS, SYNONYMS = 5 };

/* Names that tables and configs use for the same species; the second is the Latin one. */
static const char *const species[][SYNONYMS] = {
    {"human", "homo sapiens", "hsapiens", "hgnc", "hsa"},
    {"mouse", "mus musculus", "mmusculus", "mgi", "mmu"},
    {"rat", "rattus norvegicus", "rnorvegicus", "rgd", "rno"},
    {"macaque", "macaca mulatta", "mmulatta", "rhesus macaque", "rhesus"},
    {"crab eating macaque", "macaca fascicularis", "mfascicularis", "cynomolgus", NULL},
    {"chimpanzee", "pan troglodytes", "ptroglodytes", "chimp", NULL},
    {"gorilla", "gorilla gorilla", "ggorilla", NULL, NULL},
    {"marmoset", "callithrix jacchus", "cjacchus", "white tufted ear marmoset", NULL},
    {"pig", "sus scrofa", "sscrofa", "swine", NULL},
    {"cow", "bos taurus", "btaurus", "cattle", NULL},
    {"sheep", "ovis aries", "oaries", NULL, NULL},
    {"dog", "canis lupus familiaris", "clfamiliaris", "canis familiaris", NULL},
    {"rabbit", "oryctolagus cuniculus", "ocuniculus", NULL, NULL},
    {"chicken", "gallus gallus", "ggallus", NULL, NULL},
    {"zebrafish", "danio rerio", "drerio", "zfin", NULL},
    {"fruit fly", "drosophila melanogaster", "dmelanogaster", "fruitfly", "fly"},
};

/* Lower case, one space between words, without what follows a comma: "Mus_musculus" and "mouse,
 * laboratory" become "mus musculus" and "mouse".
 *  @param[out] out cut off where a name is longer */
static void plain_words(const char *text, char out[WORDS])
{
    int n = 0;

    for (; *text && *text != ',' && n < WORDS - 1; text++) {
        char c = strchr("_.- ", *text) ? ' ' : (char)tolower((unsigned char)*text);

        if (c != ' ' || (n > 0 && out[n - 1] != ' '))
            out[n++] = c;
    }
    if (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

/* Row of species[], or -1. An assembly may follow a Latin name: "homo sapiens grch38". */
static int find_species(const char *words)
{
    for (int i = 0; i < (int)(sizeof species / sizeof *species); i++) {
        size_t latin = strlen(species[i][1]);

        if (strncmp(words, species[i][1], latin) == 0 && words[latin] == ' ')
            return i;
        for (int k = 0; k < SYNONYMS && species[i][k]; k++)
            if (strcmp(words, species[i][k]) == 0)
                return i;
    }
    return -1;
}

bool scs_ortholog_columns_same_species(const char *a, const char *b)
{
    char x[WORDS], y[WORDS];

    plain_words(a, x);
    plain_words(b, y);
    return strcmp(x, y) == 0 || (find_species(x) >= 0 && find_species(x) == find_species(y));
}

bool scs_ortholog_columns_is_empty(const char *text)
{
    return *text == '\0' || strcmp(text, "-") == 0 || strcmp(text, "NA") == 0;
}

/* By its end, letters and digits alone: Ensembl writes "ortholog_one2one", others "one-to-one". */
bool scs_ortholog_columns_is_type(const char *text)
{
    static const char *const ends[] = {"one2one",  "one2many",  "many2one",  "many2many",
                                       "onetoone", "onetomany", "manytoone", "manytomany"};
    static const char *const numbers[] = {"1:1", "1:n", "n:1", "m:n", "n:n", "m:1", "1:m"};
    char letters[WORDS];
    int n = 0;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcasecmp(text, numbers[i]) == 0)
            return true;
    for (; *text && n < WORDS - 1; text++)
        if (isalnum((unsigned char)*text))
            letters[n++] = (char)tolower((unsigned char)*text);
    letters[n] = '\0';
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n >= (int)strlen(ends[i]) && strcmp(letters + n - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* Cut in place. @param list the field may have several, with commas between */
char *scs_ortholog_columns_next_gene(char **rest, bool list)
{
    char *gene = *rest, *end = list ? strchr(gene, ',') : NULL;

    *rest = NULL;
    if (end) {
        *end = '\0';
        *rest = end + 1 + strspn(end + 1, " ");
    }
    return gene;
}

/* What a column holds, by its header. */
typedef enum kind { OTHER, SYMBOL, ID, TYPE } kind;

typedef struct column {
    kind kind;
    int group;              /* the species that it belongs to */
    const char *head;       /* as the table writes it */
    int64_t own, reference; /* genes of the input, and of the reference, that it names */
    bool typed, untyped;    /* has values that are types, that are none */
} column;

/* The table's first row, and what the others hold. A group is a species as the header names it;
 * columns of one species (its symbols, its IDs, its types) are one group. */
typedef struct layout {
    scs_ortholog_columns *out;
    int n, n_group;
    column column[COLUMNS];
    char group[COLUMNS][WORDS]; /* "" is BioMart's query species */
    int64_t line;               /* of the first row */
} layout;

/* The number of a species' columns; added where it is new. */
static int intern_group(layout *l, const char *name)
{
    for (int g = 0; g < l->n_group; g++)
        if (strcmp(l->group[g], name) == 0)
            return g;
    snprintf(l->group[l->n_group], WORDS, "%s", name);
    return l->n_group++;
}

/* Whether the group may be one of the two species of the inputs. */
static bool is_species_of(const scs_ortholog_use *use, const char *group)
{
    return (use->own_species && scs_ortholog_columns_same_species(group, use->own_species)) ||
           (use->reference_species &&
            scs_ortholog_columns_same_species(group, use->reference_species));
}

/* What a header says: the ending tells the kind, what stands before it the species. A weak ending
 * counts only behind a species' name. */
static const struct ending {
    const char *end;
    kind kind;
    bool weak;
} endings[] = {
    {"homolog orthology type", TYPE, false},
    {"homology type", TYPE, false},
    {"orthology type", TYPE, false},
    {"homolog type", TYPE, false},
    {"ortholog type", TYPE, false},
    {"entrez gene", OTHER, false},
    {"ncbi gene", OTHER, false},
    {"homolog ensembl gene", ID, false},
    {"gene stable id", ID, false},
    {"gene stable id version", ID, false},
    {"ensembl gene id version", ID, false},
    {"ensembl gene id", ID, false},
    {"ensembl gene", ID, true},
    {"ensembl id", ID, true},
    {"ensembl", ID, true},
    {"homolog associated gene name", SYMBOL, false},
    {"external gene name", SYMBOL, false},
    {"associated gene name", SYMBOL, false},
    {"gene name", SYMBOL, false},
    {"gene symbol", SYMBOL, true},
    {"marker symbol", SYMBOL, true},
    {"symbol", SYMBOL, true},
    {"gene", SYMBOL, true},
};

/* The first ending that fits, or NULL. */
static const struct ending *find_ending(const char *words)
{
    size_t n = strlen(words);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t m = strlen(endings[i].end);

        if (n >= m && strcmp(words + n - m, endings[i].end) == 0 &&
            (n == m || words[n - m - 1] == ' '))
            return &endings[i];
    }
    return NULL;
}

/* @param[out] group the species, "" for the query
 *  @param[out] query a BioMart query's column */
static kind read_head(const scs_ortholog_use *use, const char *head, char group[WORDS], bool *query)
{
    const struct ending *e;
    size_t n;

    plain_words(head, group);
    *query = false;
    if (strcmp(group, "type") == 0 || strcmp(group, "relation") == 0)
        return TYPE;
    if (find_species(group) >= 0 || is_species_of(use, group))
        return SYMBOL; /* the species alone: "mouse" */
    e = find_ending(group);
    if (!e)
        return OTHER;
    n = strlen(group) - strlen(e->end);
    group[n > 0 ? n - 1 : 0] = '\0';
    if (e->weak && *group && find_species(group) < 0 && !is_species_of(use, group))
        return OTHER;
    *query = *group == '\0' && !e->weak && (e->kind == SYMBOL || e->kind == ID);
    return e->kind;
}

/* The first column whose name is one of the words, or -1. */
static int find_head(const scs_table *t, const char *const *words)
{
    char head[WORDS];

    for (int i = 0; i < t->n_field; i++) {
        plain_words(t->field[i], head);
        for (const char *const *word = words; *word; word++)
            if (strcmp(head, *word) == 0)
                return i;
    }
    return -1;
}

/* MGI's HOM_*.rpt: a row for each gene, with the key of its class and its organism. */
static bool is_classes(const scs_table *t, layout *l)
{
    static const char *const keys[] = {"db class key", "homologene id", "class key", NULL};
    static const char *const organisms[] = {"common organism name", "organism name", "organism",
                                            NULL};
    static const char *const symbols[] = {"symbol", "gene symbol", NULL};

    l->out->class_at = find_head(t, keys);
    l->out->organism_at = find_head(t, organisms);
    l->out->own = l->out->reference = find_head(t, symbols);
    return l->out->class_at >= 0 && l->out->organism_at >= 0 && l->out->own >= 0;
}

/* OrthoFinder's tables begin with the orthogroup and have a column for each species. */
static bool is_lists(const scs_table *t, layout *l)
{
    static const char *const keys[] = {"orthogroup", "hog", NULL};
    static const char *const others[] = {"orthogroup", "hog", "og", "gene tree parent clade",
                                         "species",    NULL};
    int first = find_head(t, keys);

    if (first < 0 || first > 1)
        return false;
    for (int i = 0; i < t->n_field; i++) {
        const char *const *word = others;
        char group[WORDS];

        plain_words(t->field[i], group);
        while (*word && strcmp(*word, group) != 0)
            word++;
        l->column[i] = (column){.head = t->field[i], .kind = *word ? OTHER : SYMBOL};
        if (!*word)
            l->column[i].group = intern_group(l, group);
    }
    return true;
}

/* Another database's names of a BioMart query's own genes. */
static bool is_database(const char *group)
{
    return strcmp(group, "hgnc") == 0 || strcmp(group, "mgi") == 0 || strcmp(group, "rgd") == 0 ||
           strcmp(group, "zfin") == 0;
}

/* A column of genes for each of two species or more. */
static bool is_wide(const scs_ortholog_use *use, const scs_table *t, layout *l)
{
    bool biomart = false, genes[COLUMNS] = {0}, known = false;
    int n = 0;

    for (int i = 0; i < t->n_field; i++) {
        char group[WORDS];
        bool query;
        kind k = read_head(use, t->field[i], group, &query);

        l->column[i] = (column){.head = t->field[i], .kind = k};
        l->column[i].group = k == OTHER ? 0 : intern_group(l, group);
        biomart |= query;
    }
    for (int i = 0; i < t->n_field; i++) {
        column *c = &l->column[i];
        const char *group = l->group[c->group];

        if (c->kind != SYMBOL && c->kind != ID)
            continue;
        if (biomart && is_database(group)) {
            c->kind = OTHER;
            continue;
        }
        n += !genes[c->group];
        genes[c->group] = true;
        known |= find_species(group) >= 0 || is_species_of(use, group);
    }
    return n >= 2 && (biomart || known);
}

/* A name that heads a column of genes. */
static bool heads_genes(const char *text)
{
    static const char *const words[] = {"gene", "symbol", "ensembl", "ortholog", "homolog"};
    char plain[WORDS];

    plain_words(text, plain);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(plain, words[i]))
            return true;
    return find_species(plain) >= 0;
}

/* Whatever the case. */
static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0)
            return true;
    return false;
}

/* @param own over the input's genes: a row that names one is no header */
static bool is_header(const scs_table *t, const layout *l, const scs_index *own)
{
    static const char *const owns[] = {"gene_a", "own", "own_gene", "own gene", "gene", NULL};
    static const char *const references[] = {"gene_b",         "reference", "reference_gene",
                                             "reference gene", "ortholog",  NULL};

    if (t->n_field < 2 || scs_names_index_find(own, t->field[0]) >= 0)
        return false;
    if (is_one_of(t->field[0], owns) && is_one_of(t->field[1], references))
        return true;
    for (int i = 2; i < t->n_field; i++)
        if (l->column[i].kind == TYPE)
            return true;
    return heads_genes(t->field[0]) && heads_genes(t->field[1]);
}

/* The first row decides the form; what it leaves open is settled by the rows (look_at_rows). */
static scs_status read_layout(const scs_ortholog_use *use, scs_table *t, const scs_index *own,
                              layout *l)
{
    bool found;

    SCS_TRY(scs_table_next(t, &found));
    SCS_REQUIRE(found, SCS_EDATA, "%s: no rows; expected own gene and reference gene", t->path);
    l->n = t->n_field;
    l->line = t->line;
    l->out->header = true;
    l->out->class_at = l->out->organism_at = -1;
    if (is_classes(t, l)) {
        l->out->form = SCS_ORTHOLOG_CLASSES;
        l->n = 0;
        return SCS_OK;
    }
    if (is_lists(t, l)) {
        l->out->form = SCS_ORTHOLOG_LISTS;
        return SCS_OK;
    }
    l->out->form = is_wide(use, t, l) ? SCS_ORTHOLOG_WIDE : SCS_ORTHOLOG_PLAIN;
    if (l->out->form == SCS_ORTHOLOG_WIDE)
        return SCS_OK;
    for (int i = 0; i < t->n_field; i++) {
        char group[WORDS];
        bool query;

        (void)read_head(use, t->field[i], group, &query);
        SCS_REQUIRE(!query || scs_names_index_find(own, t->field[0]) >= 0, SCS_EDATA,
                    "%s: '%s' is a column of BioMart's, but no other species' genes stand beside "
                    "it; choose 'SPECIES gene name' (or stable ID) and 'SPECIES homology type' "
                    "under Homologues",
                    t->path, t->field[i]);
    }
    l->out->header = is_header(t, l, own);
    return SCS_OK;
}

/* Which genes each column has named so far, each once: [COLUMNS][n]. A gene that stands on many
 * rows must not make its column look richer than it is. */
typedef struct seen {
    const scs_index *own, *reference;
    uint8_t *by_own, *by_reference;
} seen;

/* One more gene that column c names, unless it has named it before.
 *  @param by [COLUMNS][genes]
 *  @param[in,out] n */
static void mark(const scs_index *index, uint8_t *by, int c, const char *gene, int64_t *n)
{
    scs_lidx at = index ? scs_names_index_find(index, gene) : -1;

    if (at < 0 || by[(int64_t)c * index->names->n + at])
        return;
    by[(int64_t)c * index->names->n + at] = 1;
    ++*n;
}

/* A field's genes, on both sides. */
static void look_at(layout *l, const seen *s, int c, char *field)
{
    column *at = &l->column[c];
    bool list = l->out->form == SCS_ORTHOLOG_LISTS;

    if (*field && c >= 2) {
        bool type = scs_ortholog_columns_is_type(field);

        at->typed |= type;
        at->untyped |= !type;
    }
    for (char *rest = field; rest;) {
        char *gene = scs_ortholog_columns_next_gene(&rest, list);

        gene[scs_gene_id_length(gene)] = '\0';
        mark(s->own, s->by_own, c, gene, &at->own);
        mark(s->reference, s->by_reference, c, gene, &at->reference);
    }
}

/* In a table of classes each organism stands for a column. */
static scs_status find_organism(layout *l, const scs_table *t, int *c)
{
    const char *name = t->field[l->out->organism_at];

    for (*c = 0; *c < l->n; ++*c)
        if (strcmp(l->column[*c].head, name) == 0)
            return SCS_OK;
    SCS_REQUIRE(l->n < COLUMNS, SCS_EDATA, "%s:%lld: more than %d organisms", t->path,
                (long long)t->line, COLUMNS);
    l->column[l->n] = (column){.head = name, .kind = SYMBOL, .group = l->n};
    plain_words(name, l->group[l->n]);
    l->n_group = ++l->n;
    return SCS_OK;
}

/* A row of fields, or, in a table of classes, one gene of one organism. */
static scs_status look_at_row(layout *l, const seen *s, scs_table *t)
{
    int c, last = l->out->organism_at > l->out->own ? l->out->organism_at : l->out->own;

    if (l->out->form != SCS_ORTHOLOG_CLASSES) {
        for (c = 0; c < t->n_field; c++)
            look_at(l, s, c, t->field[c]);
        return SCS_OK;
    }
    SCS_REQUIRE(t->n_field > last, SCS_EDATA, "%s:%lld: %d columns, expected at least %d", t->path,
                (long long)t->line, t->n_field, last + 1);
    SCS_TRY(find_organism(l, t, &c));
    look_at(l, s, c, t->field[l->out->own]);
    return SCS_OK;
}

/* The rest of the table, from the row that is in hand. */
static scs_status look_at_rows(scs_table *t, layout *l, const seen *s)
{
    bool found;

    if (!l->out->header) /* the first row is data */
        SCS_TRY(look_at_row(l, s, t));
    SCS_TRY(scs_table_next(t, &found));
    while (found) {
        SCS_TRY(look_at_row(l, s, t));
        SCS_TRY(scs_table_next(t, &found));
    }
    return SCS_OK;
}

/* Symbols and IDs; a type and what is unknown do not. */
static bool holds_genes(const column *c)
{
    return c->kind == SYMBOL || c->kind == ID;
}

/* The column of a species that names most of the genes; of equal ones the kind that is
 * preferred.
 *  @param own by the input's genes, else by the reference's
 *  @return -1: none that holds genes */
static int best_of_group(const layout *l, int group, bool own, kind prefer)
{
    int best = -1;

    for (int i = 0; i < l->n; i++) {
        const column *c = &l->column[i];
        int64_t n = own ? c->own : c->reference, most;

        if (!holds_genes(c) || c->group != group)
            continue;
        most = best < 0 ? -1 : own ? l->column[best].own : l->column[best].reference;
        if (n > most || (n == most && c->kind == prefer && l->column[best].kind != prefer))
            best = i;
    }
    return best;
}

/* Whether a column of the group names genes. */
static bool has_genes(const layout *l, int group)
{
    return best_of_group(l, group, true, SYMBOL) >= 0;
}

/* The group that a species names, or -1. */
static int named_group(const layout *l, const char *name)
{
    for (int g = 0; name && g < l->n_group; g++)
        if (has_genes(l, g) && scs_ortholog_columns_same_species(l->group[g], name))
            return g;
    return -1;
}

/* Whether a group may hold the genes of the species `name`: it is not known to be another one. */
static bool may_be(const layout *l, int group, const char *name)
{
    char words[WORDS];

    if (!name)
        return true;
    plain_words(name, words);
    return find_species(l->group[group]) < 0 || find_species(words) < 0;
}

/* The groups that one side may have.
 *  @param name its species, or NULL
 *  @param not a group that is the other side's, or -1
 *  @param[out] allowed by group */
static void list_groups(const layout *l, const char *name, int not, bool allowed[COLUMNS])
{
    int named = named_group(l, name);

    for (int g = 0; g < l->n_group; g++)
        allowed[g] = has_genes(l, g) && g != not &&(named >= 0 ? g == named : may_be(l, g, name));
}

/* Two species' columns name about as many of the genes: the refusal names both. */
static scs_status refuse_two(const scs_ortholog_use *use, const layout *l, bool own, int a, int b)
{
    const column *x = &l->column[a], *y = &l->column[b];
    const char *name = own ? use->own_species : use->reference_species;

    if (!own && !use->reference)
        return SCS_FAIL(SCS_EDATA,
                        "%s: it stands beside the first input, %s, whose genes are the others' "
                        "reference, and could lead to '%s' or '%s': move it to the inputs of other "
                        "species, or leave one other species in the table",
                        use->table, use->input, x->head, y->head);
    return SCS_FAIL(
        SCS_EDATA,
        "%s: '%s' and '%s' could both hold the genes of %s (%lld and %lld of its genes stand "
        "there); its species is %s%s: name it in data.inputs as the table's columns do, or leave "
        "one species in the table",
        use->table, x->head, y->head, own ? use->input : "the first input",
        (long long)(own ? x->own : x->reference), (long long)(own ? y->own : y->reference),
        name ? name : "not given", name ? ", which no column names" : "");
}

/* One side's column: the only species that is allowed, or the only one that knows the genes.
 *  @param[out] chosen the column, -1: none is allowed
 *  @return SCS_EDATA where two species could be meant */
static scs_status choose_side(const scs_ortholog_use *use, const layout *l, bool own, kind prefer,
                              const bool allowed[COLUMNS], int *chosen)
{
    int best = -1, second = -1;
    int64_t most = 0, next = 0;

    for (int g = 0; g < l->n_group; g++) {
        int c = allowed[g] ? best_of_group(l, g, own, prefer) : -1;
        int64_t n = c < 0 ? 0 : own ? l->column[c].own : l->column[c].reference;

        if (c < 0)
            continue;
        if (best < 0 || n > most) {
            second = best;
            next = most;
            best = c;
            most = n;
        } else if (second < 0 || n > next) {
            second = c;
            next = n;
        }
    }
    *chosen = best;
    if (second < 0 || 10 * next < most || (own && most == 0))
        return SCS_OK;
    return refuse_two(use, l, own, best, second);
}

/* A column as messages name it: by its header, else by its number from 1. */
static void label(char out[SCS_ORTHOLOG_LABEL], const layout *l, int c)
{
    if (l->out->form == SCS_ORTHOLOG_CLASSES)
        snprintf(out, SCS_ORTHOLOG_LABEL, "'Symbol' of '%.100s'", l->column[c].head);
    else if (l->out->header && l->column[c].head)
        snprintf(out, SCS_ORTHOLOG_LABEL, "'%.120s'", l->column[c].head);
    else
        snprintf(out, SCS_ORTHOLOG_LABEL, "column %d", c + 1);
}

/* A BioMart row pairs its query species with another one, never two others. */
static int query_group(const layout *l)
{
    for (int g = 0; g < l->n_group; g++)
        if (l->group[g][0] == '\0' && has_genes(l, g))
            return g;
    return -1;
}

/* The type of a pair of species: a column that is named after one of them, else after none; else
 * one whose values are all types.
 *  @return -1: the table has none */
static int find_type(const layout *l, int own, int reference)
{
    int found = -1, by_values = -1;

    for (int i = l->n - 1; i >= 0; i--) {
        const column *c = &l->column[i];
        bool paired = (c->group == own || c->group == reference) && l->group[c->group][0];

        if (c->kind == TYPE && paired)
            return i;
        if (c->kind == TYPE && !has_genes(l, c->group))
            found = i;
        if (c->kind == OTHER && c->typed && !c->untyped)
            by_values = i;
    }
    return found >= 0 ? found : by_values;
}

/* The own side first: what it takes the reference's cannot be. */
static scs_status choose_by_species(const scs_ortholog_use *use, layout *l)
{
    bool allowed[COLUMNS] = {0};
    int own, reference, query = l->out->form == SCS_ORTHOLOG_WIDE ? query_group(l) : -1;

    SCS_REQUIRE(l->n_group >= 2, SCS_EDATA, "%s: it names one species only (%s)", use->table,
                l->n_group ? l->group[0] : "none");
    list_groups(l, use->own_species, named_group(l, use->reference_species), allowed);
    SCS_TRY(choose_side(use, l, true, SYMBOL, allowed, &own));
    SCS_REQUIRE(own >= 0, SCS_EDATA, "%s: no column is for the species %s of %s", use->table,
                use->own_species, use->input);
    list_groups(l, use->reference_species, l->column[own].group, allowed);
    if (query >= 0 && l->column[own].group != query)
        for (int g = 0; g < l->n_group; g++)
            allowed[g] = g == query;
    SCS_TRY(choose_side(use, l, false, l->column[own].kind, allowed, &reference));
    SCS_REQUIRE(reference >= 0, SCS_EDATA,
                "%s: no column is for the species of the first input (%s), beside '%s'", use->table,
                use->reference_species ? use->reference_species : "not given", l->column[own].head);
    l->out->type = find_type(l, l->column[own].group, l->column[reference].group);
    l->out->n_known = l->column[own].own;
    label(l->out->own_label, l, own);
    label(l->out->reference_label, l, reference);
    if (l->out->form == SCS_ORTHOLOG_CLASSES) {
        snprintf(l->out->own_organism, SCS_ORTHOLOG_LABEL, "%s", l->column[own].head);
        snprintf(l->out->reference_organism, SCS_ORTHOLOG_LABEL, "%s", l->column[reference].head);
        return SCS_OK;
    }
    l->out->own = own;
    l->out->reference = reference;
    return SCS_OK;
}

/* A third column is the type if its header or its values say so. */
static void choose_by_order(layout *l)
{
    l->out->own = 0;
    l->out->reference = 1;
    for (int i = l->n - 1; i >= 2; i--)
        if ((l->out->header && l->column[i].kind == TYPE) ||
            (l->out->type < 0 && l->column[i].typed && !l->column[i].untyped))
            l->out->type = i;
    l->out->n_known = l->column[0].own;
    label(l->out->own_label, l, 0);
    label(l->out->reference_label, l, 1);
}

/* Another column that names more of the input's genes: said where no gene was found, as columns
 * may be the other way round. */
static void note_better(layout *l)
{
    int best = -1;

    for (int i = 0; i < l->n; i++)
        if (l->column[i].own > (best < 0 ? l->out->n_known : l->column[best].own))
            best = i;
    if (best < 0)
        return;
    label(l->out->better_label, l, best);
    l->out->n_better = l->column[best].own;
}

/* By order where there are plain columns, else by species. */
static scs_status choose(const scs_ortholog_use *use, scs_table *t, const scs_index *own, layout *l)
{
    seen s = {.own = own, .reference = use->reference};
    scs_status st;

    SCS_TRY(read_layout(use, t, own, l));
    SCS_GO(st, SCS_ALLOC(s.by_own, (int64_t)COLUMNS * (use->own->n + 1)));
    SCS_GO(st, SCS_ALLOC(s.by_reference,
                         (int64_t)COLUMNS * (use->reference ? use->reference->names->n + 1 : 1)));
    SCS_GO(st, look_at_rows(t, l, &s));
    if (l->out->form == SCS_ORTHOLOG_PLAIN)
        choose_by_order(l);
    else
        SCS_GO(st, choose_by_species(use, l));
    if (l->out->type >= 0)
        label(l->out->type_label, l, l->out->type);
    note_better(l);
done:
    free(s.by_own);
    free(s.by_reference);
    return st;
}

scs_status scs_ortholog_columns_choose(const scs_ortholog_use *use, scs_ortholog_columns *columns)
{
    scs_index own = {0};
    layout *l = NULL;
    scs_table table;
    scs_status st;

    *columns = (scs_ortholog_columns){.own = -1, .reference = -1, .type = -1};
    SCS_TRY(scs_table_open(use->table, LARGEST_TABLE, &table));
    SCS_GO(st, SCS_ALLOC(l, 1));
    l->out = columns;
    SCS_GO(st, scs_names_index_create(use->own, &own));
    SCS_GO(st, choose(use, &table, &own, l));
done:
    free(l);
    scs_names_index_clear(&own);
    scs_table_close(&table);
    return st;
}
