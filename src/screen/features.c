/* Reading features of perturbations and measuring how alike they are. All functions are Local.
 *
 * The table may have thousands of columns (embeddings), so that it is read here and not as the
 * small tables of src/base/table.h are. Names are compared as they are written.
 *
 * Memory: the text, at most 1 GiB, and 8 bytes a number; the text is gone once it is read.
 * Distances are O(perturbations^2 columns) and [perturbations, perturbations] doubles, made once on
 * every rank from the same file, whose checksum is part of what a stopped screen goes on by. */
#include "src/screen/features.h"

#include "src/atlas/atlas.h"
#include "src/base/checksum.h"
#include "src/base/names.h"
#include "src/base/text.h"
#include "src/base/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t largest_file = (int64_t)1 << 30; /* bytes */

enum { SHOWN = 100, LABEL = 512 }; /* bytes of a text in a message, of a name */

/* Numbers of a row; the columns of the first line beside the perturbation's. */
static int32_t count_tabs(const char *line)
{
    int32_t n = 0;

    for (; *line; line++)
        n += *line == '\t';
    return n;
}

/* One perturbation. @param line cut in place */
static scs_status read_row(const char *path, int64_t number, char *line, scs_features *f)
{
    char *rest = line, *name, shown[SHOWN];
    double *value = f->value + (int64_t)f->name.n * f->n_column;

    SCS_REQUIRE(scs_text_is_utf8(line, strlen(line)), SCS_EDATA, "%s:%lld: not UTF-8 text", path,
                (long long)number);
    SCS_REQUIRE(count_tabs(line) == f->n_column, SCS_EDATA,
                "%s:%lld: %d numbers, but the first line names %d; columns are separated by tabs",
                path, (long long)number, count_tabs(line), f->n_column);
    name = strsep(&rest, "\t");
    SCS_REQUIRE(*name, SCS_EDATA, "%s:%lld: no perturbation is named", path, (long long)number);
    for (int32_t k = 0; k < f->n_column; k++) {
        char *text = strsep(&rest, "\t");

        SCS_REQUIRE(scs_text_number(text, &value[k]), SCS_EDATA,
                    "%s:%lld: column %d has '%s', which is no number; leave out perturbations of "
                    "which something is unknown",
                    path, (long long)number, k + 2, scs_text_escape(text, shown, sizeof shown));
    }
    return scs_names_add(&f->name, name);
}

/* @param text cut in place */
static scs_status read_rows(const char *path, char *text, scs_features *f)
{
    int64_t n_line = 1, number = 0;

    for (const char *c = text; *c; c++)
        n_line += *c == '\n';
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    for (char *line; (line = strsep(&text, "\n"));) {
        size_t n = strlen(line);

        number++;
        if (n > 0 && line[n - 1] == '\r')
            line[n - 1] = '\0';
        if (!*line)
            continue;
        if (f->n_column > 0) {
            SCS_TRY(read_row(path, number, line, f));
            continue;
        }
        f->n_column = count_tabs(line);
        SCS_REQUIRE(
            f->n_column > 0, SCS_EDATA,
            "%s:%lld: one column; a row of names is wanted, perturbation and features, with "
            "tabs between",
            path, (long long)number);
        SCS_TRY(scs_text_copy_n(line, strcspn(line, "\t"), &f->title));
        SCS_TRY(SCS_ALLOC(f->value, n_line * f->n_column));
    }
    SCS_REQUIRE(f->name.n > 0, SCS_EDATA, "%s: no perturbation", path);
    return SCS_OK;
}

/* Two rows of one name would contradict each other. */
static scs_status check_names(const char *path, const scs_names *names)
{
    scs_index index;
    scs_lidx twice;
    char shown[SHOWN];

    SCS_TRY(scs_names_index_create(names, &index));
    twice = scs_names_index_duplicate(&index);
    scs_names_index_clear(&index);
    SCS_REQUIRE(twice < 0, SCS_EDATA, "%s: '%s' stands there twice; leave one row of it", path,
                scs_text_escape(names->name[twice], shown, sizeof shown));
    return SCS_OK;
}

/* Standard deviations (ddof 0) over the rows, whichever of them the data have: distances do not
 * depend on which perturbations were seen. */
static scs_status measure_columns(scs_features *f)
{
    int32_t n = f->name.n;

    SCS_TRY(SCS_ALLOC(f->sd, f->n_column));
    for (int32_t k = 0; k < f->n_column; k++) {
        double mean = 0, square = 0;

        for (int64_t i = 0; i < n; i++)
            mean += f->value[i * f->n_column + k] / n;
        for (int64_t i = 0; i < n; i++) {
            double off = f->value[i * f->n_column + k] - mean;

            square += off * off / n;
        }
        f->sd[k] = sqrt(square);
    }
    return SCS_OK;
}

/* A file that is no text is refused as data, like a damaged input. */
static scs_status read_file(const char *path, scs_features *f)
{
    char *text = NULL;
    scs_status st = scs_text_read(path, largest_file, &text);

    SCS_TRY(st == SCS_EARG ? SCS_EDATA : st);
    st = read_rows(path, text, f);
    free(text);
    SCS_TRY(st);
    SCS_TRY(check_names(path, &f->name));
    return measure_columns(f);
}

/* Distances are not made here: they are of an atlas' perturbations, some of which may be added from
 * the table itself (scs_features_add_unseen). */
scs_status scs_features_read(const char *path, scs_features **features)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*features, 1));
    st = read_file(path, *features);
    if (st != SCS_OK)
        scs_features_destroy(features);
    return st;
}

void scs_features_destroy(scs_features **features)
{
    if (*features) {
        scs_names_clear(&(*features)->name);
        free((*features)->title);
        free((*features)->value);
        free((*features)->sd);
    }
    free(*features);
    *features = NULL;
}

/* With doses, at which dose would they be asked for? They stay unknown then. */
scs_status scs_features_add_unseen(const scs_features *features, scs_atlas *atlas, int32_t *n)
{
    scs_names unseen = {0};
    scs_index known = {0};
    scs_status st = SCS_OK;

    *n = 0;
    if (atlas->doses.n > 0)
        return SCS_OK;
    SCS_GO(st, scs_names_index_create(&atlas->conditions, &known));
    for (int32_t i = 0; i < features->name.n; i++)
        if (scs_names_index_find(&known, features->name.name[i]) < 0)
            SCS_GO(st, scs_names_add(&unseen, features->name.name[i]));
    *n = unseen.n;
    SCS_GO(st, scs_atlas_add_conditions(atlas, &unseen));
done:
    scs_names_index_clear(&known);
    scs_names_clear(&unseen);
    return st;
}

/* A row's features onto others, in standard deviations: 0 for what does not vary. @param to
 * [n_column] */
static void add_row(const scs_features *f, int32_t row, double *to)
{
    for (int32_t k = 0; k < f->n_column; k++)
        to[k] += f->sd[k] > 0 ? f->value[(int64_t)row * f->n_column + k] / f->sd[k] : 0;
}

/* A perturbation's own row, or for a pair that has none the sum of its two, of which one may be the
 * control.  @param[out] to [n_column]  @return whether there is one */
static bool place(const scs_features *f, const scs_index *rows, const char *name,
                  const char *control, const char *separator, double *to)
{
    int32_t row = scs_names_index_find(rows, name);
    const char *cut = *separator ? strstr(name, separator) : NULL;
    char first[LABEL];
    size_t n = cut ? (size_t)(cut - name) : 0;
    const char *two[2] = {first, cut ? cut + strlen(separator) : ""};

    memset(to, 0, sizeof *to * (size_t)f->n_column);
    if (row >= 0) {
        add_row(f, row, to);
        return true;
    }
    if (!cut || n >= sizeof first)
        return false;
    memcpy(first, name, n);
    first[n] = '\0';
    for (int i = 0; i < 2; i++) {
        row = scs_names_index_find(rows, two[i]);
        if (row >= 0)
            add_row(f, row, to);
        else if (strcmp(two[i], control) != 0)
            return false;
    }
    return true;
}

/* Whether any cell shows it. */
static bool is_shown(const scs_atlas *a, int32_t perturbation)
{
    for (int32_t g = 0; g < a->n_group; g++)
        if (scs_atlas_perturbation(a, a->group[g].condition) == perturbation)
            return true;
    return false;
}

/* @param[out] x [perturbations, n_column], 0 for control */
static scs_status place_all(const scs_features *f, const char *path, const scs_atlas *a,
                            const char *separator, double *x)
{
    const scs_names *names = scs_atlas_perturbations(a);
    int32_t control = scs_atlas_perturbation(a, a->control), missing = -1, n_common = 0;
    scs_index rows = {0};
    char shown[SHOWN];

    SCS_TRY(scs_names_index_create(&f->name, &rows));
    for (int32_t p = 0; p < names->n; p++) {
        bool there = p != control && place(f, &rows, names->name[p], names->name[control],
                                           separator, x + (int64_t)p * f->n_column);

        if (p == control || !is_shown(a, p))
            continue;
        n_common += there;
        if (!there && missing < 0)
            missing = p;
    }
    scs_names_index_clear(&rows);
    SCS_REQUIRE(n_common > 0, SCS_EDATA,
                "%s: none of its %d perturbations is in the data (the first is '%s'); names are "
                "compared as they are written",
                path, f->name.n, scs_text_escape(f->name.name[0], shown, sizeof shown));
    SCS_REQUIRE(
        missing < 0 || strcmp(names->name[missing], f->title) != 0, SCS_EDATA,
        "%s: the first line is the row of '%s'; put a line of names before it, perturbation "
        "and features",
        path, scs_text_escape(f->title, shown, sizeof shown));
    SCS_REQUIRE(missing < 0, SCS_EDATA, "%s: no row for '%s', which cells show; add one", path,
                scs_text_escape(names->name[missing], shown, sizeof shown));
    return SCS_OK;
}

/* |x_p - x_q|^2 of standardized features; to the control it is 0 by definition, as no rule asks.
 * Both halves are made, each by the same sum: the matrix is symmetric to the bit. */
scs_status scs_features_distance(const scs_features *f, const char *path, const scs_atlas *a,
                                 const char *separator, double *distance)
{
    int64_t n = scs_atlas_perturbations(a)->n;
    int32_t control = scs_atlas_perturbation(a, a->control);
    double *x;
    scs_status st;

    SCS_TRY(SCS_ALLOC(x, n * f->n_column));
    st = place_all(f, path, a, separator, x);
    for (int64_t i = 0; i < n && st == SCS_OK; i++)
        for (int64_t j = 0; j < n; j++)
            distance[i * n + j] = i == control || j == control
                                      ? 0
                                      : scs_vector_squared_distance(
                                            x + i * f->n_column, x + j * f->n_column, f->n_column);
    free(x);
    return st;
}

/* Of a checksum and the table's bytes: what follows from both changes with either. In place. */
scs_status scs_features_checksum(const char *path, char *checksum)
{
    char *text = NULL, *both = NULL;
    size_t n = strlen(checksum);
    scs_status st;

    SCS_TRY(scs_text_read(path, largest_file, &text));
    st = SCS_ALLOC(both, (int64_t)(n + strlen(text) + 1));
    if (st == SCS_OK) {
        memcpy(both, checksum, n);
        memcpy(both + n, text, strlen(text) + 1);
        scs_checksum_bytes(both, (int64_t)strlen(both), checksum);
    }
    free(both);
    free(text);
    return st;
}
