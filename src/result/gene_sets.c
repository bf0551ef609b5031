/* Reading a GMT file and scoring its sets. All functions are Local.
 *
 * A line is NAME, DESCRIPTION, GENE, ... with tabs between. Genes are taken as they are written:
 * case is never folded, since mouse and human symbols differ by case alone. Genes that the result
 * does not have are counted and passed over, a gene that is listed twice counts once; what is
 * wrong with a file is refused with its line, and so is a file of which no gene is known: it is of
 * other names. Windows line ends, a byte order mark and empty
 * lines are taken.
 *
 * Sets are kept side by side as rows of a sparse matrix (first, gene), so that scoring a row is one
 * pass over all their genes.
 */
#include "src/result/gene_sets.h"

#include "src/base/names.h"
#include "src/base/text.h"
#include "scscreen/result.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const int64_t LARGEST_FILE = (int64_t)1 << 30; /* bytes */

/* A file while it is read; path and sets are borrowed. */
typedef struct reader {
    const char *path;
    int64_t line;
    scs_index known;   /* the result's genes */
    int64_t *last_set; /* [genes] 1 + the last set that has the gene */
    int64_t room;      /* genes that sets->gene has room for */
    char first[80];    /* the first gene that the result does not have, cut to fit */
    scs_gene_sets *sets;
} reader;

/* A gene of the last set; room doubles. SCS_ENOMEM. @param gene its place in the result */
static scs_status add_gene(reader *r, int32_t gene)
{
    scs_gene_sets *s = r->sets;
    int64_t n = s->first[s->name.n];

    if (n == r->room) {
        int64_t room = r->room ? 2 * r->room : 1024;
        int32_t *grown = scs_reallocate(s->gene, room, sizeof *grown);

        SCS_REQUIRE(grown, SCS_ENOMEM, "out of memory for %lld genes of sets", (long long)room);
        s->gene = grown;
        r->room = room;
    }
    s->gene[n] = gene;
    s->first[s->name.n]++;
    return SCS_OK;
}

/* Genes from the third column on; empty ones at the end are what some programs leave there.
 * SCS_EDATA for a set of none. @param rest cut in place */
static scs_status read_genes(reader *r, char *rest)
{
    scs_gene_sets *s = r->sets;
    int64_t number = s->name.n; /* its name is there already */

    for (char *gene; (gene = strsep(&rest, "\t"));) {
        int32_t at = *gene ? scs_names_index_find(&r->known, gene) : -1;

        s->n_listed[number - 1] += *gene != '\0';
        if (at < 0 && *gene && !*r->first)
            snprintf(r->first, sizeof r->first, "%s", gene);
        if (at < 0 || r->last_set[at] == number)
            continue;
        r->last_set[at] = number;
        SCS_TRY(add_gene(r, at));
    }
    SCS_REQUIRE(
        s->n_listed[number - 1] > 0, SCS_EDATA,
        "%s:%lld: set '%s' lists no genes; a line is NAME, DESCRIPTION, GENE, ... with tabs "
        "between",
        r->path, (long long)r->line, s->name.name[number - 1]);
    return SCS_OK;
}

/* One line. SCS_EDATA: not UTF-8, too few columns, no name. @param line cut in place */
static scs_status read_set(reader *r, char *line)
{
    scs_gene_sets *s = r->sets;
    char *rest = line, *name, shown[200];

    SCS_REQUIRE(scs_text_is_utf8(line, strlen(line)), SCS_EDATA, "%s:%lld: not UTF-8 text", r->path,
                (long long)r->line);
    name = strsep(&rest, "\t");
    SCS_REQUIRE(rest && strchr(rest, '\t'), SCS_EDATA,
                "%s:%lld: fewer than three columns ('%s'); a line is NAME, DESCRIPTION, GENE, ... "
                "with tabs between",
                r->path, (long long)r->line, scs_text_escape(name, shown, sizeof shown));
    SCS_REQUIRE(*name, SCS_EDATA, "%s:%lld: the set has no name", r->path, (long long)r->line);
    SCS_TRY(scs_names_add(&s->name, name));
    s->first[s->name.n] = s->first[s->name.n - 1];
    (void)strsep(&rest, "\t");
    return read_genes(r, rest);
}

/* At least as many as there are sets: memory is asked for once. */
static int64_t count_lines(const char *text)
{
    int64_t n = 1;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* Room for all sets at once, by the number of lines; a byte order mark, Windows line ends and
 * empty lines are taken. @param text cut in place */
static scs_status read_lines(reader *r, char *text)
{
    int64_t most = count_lines(text);

    SCS_TRY(SCS_ALLOC(r->sets->first, most + 1));
    SCS_TRY(SCS_ALLOC(r->sets->n_listed, most));
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    for (char *line; (line = strsep(&text, "\n"));) {
        size_t n = strlen(line);

        r->line++;
        if (n > 0 && line[n - 1] == '\r')
            line[n - 1] = '\0';
        if (*line)
            SCS_TRY(read_set(r, line));
    }
    return SCS_OK;
}

/* SCS_EDATA where there is no set, or two of one name: columns of the result are told apart by
 * their names. */
static scs_status check_names(const char *path, const scs_names *names)
{
    scs_index index;
    scs_lidx twice;

    SCS_REQUIRE(names->n > 0, SCS_EDATA, "%s: no gene set", path);
    SCS_TRY(scs_names_index_create(names, &index));
    twice = scs_names_index_duplicate(&index);
    scs_names_index_clear(&index);
    SCS_REQUIRE(twice < 0, SCS_EDATA, "%s: set '%s' stands there twice; give each its own name",
                path, names->name[twice]);
    return SCS_OK;
}

/* Some sets without a known gene are usual, all of them are not. SCS_EDATA with a gene of each
 * side: upper and lower case, or Ensembl IDs, are seen at once. */
static scs_status check_known(const reader *r, const scs_names *genes)
{
    const scs_gene_sets *s = r->sets;
    char listed[100], known[400], of[100] = "";

    if (s->first[s->name.n] > 0)
        return SCS_OK;
    for (scs_lidx g = 0; g < genes->n && !*of; g++)
        if (strcasecmp(genes->name[g], r->first) == 0)
            scs_text_escape(genes->name[g], of, sizeof of);
    return SCS_FAIL(SCS_EDATA,
                    "%s: none of the genes of its %d set%s is in the data: it lists %s, the data "
                    "have %s; genes are compared as they are written, upper and lower case",
                    r->path, s->name.n, s->name.n == 1 ? "" : "s",
                    scs_text_escape(r->first, listed, sizeof listed),
                    *of ? of : scs_names_list(genes, 4, known, sizeof known));
}

/* On failure the caller frees what is there. */
static scs_status read_file(reader *r, const scs_names *genes)
{
    char *text = NULL;
    scs_status st;

    SCS_TRY(SCS_ALLOC(r->last_set, genes->n));
    SCS_TRY(scs_names_index_create(genes, &r->known));
    st = scs_text_read(r->path, LARGEST_FILE, &text);
    SCS_TRY(st == SCS_EARG ? SCS_EDATA : st);
    st = read_lines(r, text);
    free(text);
    SCS_TRY(st);
    SCS_TRY(check_names(r->path, &r->sets->name));
    return check_known(r, genes);
}

/* The file is text of its own and read here, without a child: nothing but this function parses
 * it. A path that is no file is the data's fault here (SCS_EDATA). */
scs_status scs_gene_sets_read(const char *path, const scs_names *genes, scs_gene_sets **sets)
{
    reader r = {.path = path};
    scs_status st;

    SCS_TRY(SCS_ALLOC(*sets, 1));
    r.sets = *sets;
    st = read_file(&r, genes);
    free(r.last_set);
    scs_names_index_clear(&r.known);
    if (st != SCS_OK)
        scs_gene_sets_destroy(sets);
    return st;
}

/* Sets *sets to NULL; it may be NULL. */
void scs_gene_sets_destroy(scs_gene_sets **sets)
{
    if (*sets) {
        scs_names_clear(&(*sets)->name);
        free((*sets)->first);
        free((*sets)->gene);
        free((*sets)->n_listed);
    }
    free(*sets);
    *sets = NULL;
}

/* Mean and standard deviation (ddof 0, as all genes are there). @param x [n] */
static void mean_and_sd(const float *x, int32_t n, double *mean, double *sd)
{
    double sum = 0, square = 0;

    for (int32_t g = 0; g < n; g++)
        sum += x[g];
    *mean = sum / n;
    for (int32_t g = 0; g < n; g++)
        square += (x[g] - *mean) * (x[g] - *mean);
    *sd = sqrt(square / n);
}

/* O(genes + genes of all sets), in double. A set's genes count as many times as the file lists
 * them: once. */
void scs_gene_sets_score(const scs_gene_sets *sets, const float *shift, int32_t n_gene,
                         float *score, float *z)
{
    double mean, sd;

    mean_and_sd(shift, n_gene, &mean, &sd);
    for (int32_t k = 0; k < sets->name.n; k++) {
        int64_t n = sets->first[k + 1] - sets->first[k];
        double sum = 0;

        for (int64_t i = sets->first[k]; i < sets->first[k + 1]; i++)
            sum += shift[sets->gene[i]];
        score[k] = n ? (float)(sum / (double)n - mean) : NAN;
        z[k] = n && sd > 0 ? (float)((sum / (double)n - mean) * sqrt((double)n) / sd) : NAN;
    }
}
