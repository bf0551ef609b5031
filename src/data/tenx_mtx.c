/* Text as it comes from anywhere (tenx_mtx.h): every line is checked when the file is described and
 * again when it is read, since it may change in between.
 *
 * A line is looked at in the buffer that it was read into, 256 KiB, and nothing is kept of it but
 * its numbers. Describing costs one pass over the matrix and leaves 8 bytes a cell; a block of rows
 * of an ordered file costs its own bytes, and what stands before it where the file is compressed
 * and the block does not follow the one before. Time is that of reading numbers out of text. */
#include "src/data/tenx_mtx.h"

#include "src/base/gzfile.h"
#include "src/base/names.h"
#include "src/base/sandbox.h"
#include "src/base/text.h"
#include "src/data/tenx_features.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- lines of a text ---- */

enum { BUFFER = 1 << 18, LONGEST_NUMBER = 40 };

/* A text that is read line by line. Owned. */
typedef struct lines {
    scs_gzfile *file;
    char *path, *buffer;
    int64_t begin, end; /* of what is in the buffer and not yet taken */
    int64_t at, number; /* byte of the content that `begin` is; lines taken */
} lines;

/* Zeroed is let through. */
static void close_lines(lines *l)
{
    scs_gzfile_close(&l->file);
    free(l->path);
    free(l->buffer);
    *l = (lines){0};
}

/* @param l zeroed before; closed by the caller after an error, too */
static scs_status open_lines(const char *path, lines *l)
{
    SCS_TRY(scs_text_copy(path, &l->path));
    SCS_TRY(SCS_ALLOC(l->buffer, BUFFER));
    return scs_gzfile_open(path, &l->file);
}

/* Within the buffer nothing is read: blocks that follow one another go on where the last ended. */
static scs_status seek_lines(lines *l, int64_t at)
{
    if (at >= l->at && at <= l->at + (l->end - l->begin)) {
        l->begin += at - l->at;
        l->at = at;
        return SCS_OK;
    }
    SCS_TRY(scs_gzfile_seek(l->file, at));
    l->begin = l->end = 0;
    l->at = at;
    return SCS_OK;
}

/* What is left goes to the front, and more behind it. */
static scs_status fill(lines *l, bool *ended)
{
    int64_t got;

    memmove(l->buffer, l->buffer + l->begin, (size_t)(l->end - l->begin));
    l->end -= l->begin;
    l->begin = 0;
    SCS_REQUIRE(l->end < BUFFER, SCS_EDATA,
                "%s:%lld: a line of more than %d bytes; this is no text", l->path,
                (long long)l->number + 1, BUFFER);
    SCS_TRY(scs_gzfile_read(l->file, l->buffer + l->end, BUFFER - l->end, &got));
    scs_sandbox_allow(got);
    l->end += got;
    *ended = got == 0;
    return SCS_OK;
}

/* The next line, without its end.
 *  @param[out] line NULL: there is none; valid until the next call, not terminated */
static scs_status next_line(lines *l, const char **line, int64_t *length)
{
    int64_t searched = 0;
    bool ended = false;

    for (;;) {
        char *from = l->buffer + l->begin;
        char *stop = memchr(from + searched, '\n', (size_t)(l->end - l->begin - searched));
        int64_t n = stop ? stop - from : l->end - l->begin;

        if (stop || (ended && n > 0)) {
            *line = from;
            *length = n > 0 && from[n - 1] == '\r' ? n - 1 : n;
            l->begin += n + (stop != NULL);
            l->at += n + (stop != NULL);
            l->number++;
            return SCS_OK;
        }
        *line = NULL;
        if (ended)
            return SCS_OK;
        searched = n;
        SCS_TRY(fill(l, &ended));
    }
}

/* ---- the files ---- */

static bool ends_with(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);

    return n >= m && strcmp(path + n - m, ending) == 0;
}

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* By names alone: nothing is opened before the sandbox. */
bool scs_tenx_mtx_is(const char *path)
{
    static const char *const names[] = {"matrix.mtx", "matrix.mtx.gz"};
    char file[4096];
    bool found = false;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file, sizeof file, "%.4000s/%s", path, names[i]);
        found |= ends_with(path, names[i]) || access(file, F_OK) == 0;
    }
    return found;
}

/* What the names of the files begin with: "FOLDER/" or "FOLDER/SAMPLE_". */
static scs_status stem_of(const char *path, char **stem)
{
    size_t n = strlen(path);

    if (!is_folder(path))
        return scs_text_copy_n(
            path, n - (ends_with(path, ".gz") ? strlen("matrix.mtx.gz") : strlen("matrix.mtx")),
            stem);
    SCS_TRY(SCS_ALLOC(*stem, (int64_t)n + 2));
    snprintf(*stem, n + 2, "%s%s", path, n > 0 && path[n - 1] == '/' ? "" : "/");
    return SCS_OK;
}

/* The first of these that is there. @param names ends with NULL */
static scs_status find_file(const char *stem, const char *const *names, scs_names *files)
{
    char path[4096];

    for (int i = 0; names[i]; i++) {
        snprintf(path, sizeof path, "%.4000s%s", stem, names[i]);
        if (access(path, R_OK) == 0)
            return scs_names_add(files, path);
    }
    return SCS_FAIL(SCS_EDATA,
                    "%s%s: is not there, plain or gzipped; a 10x folder holds matrix.mtx, "
                    "barcodes.tsv and features.tsv or genes.tsv, whose names begin alike",
                    stem, names[1]);
}

/* Compressed ones first: where both are there, the plain one is most often unpacked from it. */
scs_status scs_tenx_mtx_files(const char *path, scs_names *files)
{
    static const char *const matrix[] = {"matrix.mtx.gz", "matrix.mtx", NULL};
    static const char *const barcodes[] = {"barcodes.tsv.gz", "barcodes.tsv", NULL};
    static const char *const features[] = {"features.tsv.gz", "features.tsv", "genes.tsv.gz",
                                           "genes.tsv", NULL};
    char *stem = NULL;
    scs_status st;

    SCS_GO(st, stem_of(path, &stem));
    SCS_GO(st, is_folder(path) ? find_file(stem, matrix, files) : scs_names_add(files, path));
    SCS_GO(st, find_file(stem, barcodes, files));
    SCS_GO(st, find_file(stem, features, files));
done:
    free(stem);
    return st;
}

/* ---- names of cells and features ---- */

/* Field k of a line, between tabs. @param[out] n its length @return NULL: there are fewer */
static const char *field_of(const char *line, int64_t length, int k, int64_t *n)
{
    const char *end = line + length, *stop;

    for (; k > 0; k--) {
        line = memchr(line, '\t', (size_t)(end - line));
        if (!line)
            return NULL;
        line++;
    }
    stop = memchr(line, '\t', (size_t)(end - line));
    *n = (stop ? stop : end) - line;
    return line;
}

/* SCS_EDATA with the line: an empty name, and what is no text. */
static scs_status add_field(const lines *l, const char *text, int64_t n, scs_names *names)
{
    char *copy = NULL;
    scs_status st;

    SCS_REQUIRE(scs_text_is_utf8(text, (size_t)n) && !memchr(text, '\0', (size_t)n), SCS_EDATA,
                "%s:%lld: is not UTF-8 text", l->path, (long long)l->number);
    SCS_REQUIRE(n > 0, SCS_EDATA, "%s:%lld: has no name in it", l->path, (long long)l->number);
    SCS_GO(st, scs_text_copy_n(text, (size_t)n, &copy));
    SCS_GO(st, scs_names_add(names, copy));
done:
    free(copy);
    return st;
}

/* The first field of each line; files of other programs have more. */
static scs_status read_barcodes(const char *path, scs_names *names)
{
    lines l = {0};
    const char *line, *text;
    int64_t length, n;
    scs_status st;

    SCS_GO(st, open_lines(path, &l));
    for (;;) {
        SCS_GO(st, next_line(&l, &line, &length));
        if (!line)
            break;
        text = field_of(line, length, 0, &n);
        SCS_GO(st, add_field(&l, text, n, names));
    }
done:
    close_lines(&l);
    return st;
}

/* Id, name and type; files of one column have names alone, and genes.tsv has no types.
 *  @param ids name them by their ids */
static scs_status add_feature(const lines *l, const char *line, int64_t length, bool ids,
                              scs_tenx_features *f)
{
    int64_t n, m;
    const char *id = field_of(line, length, 0, &n), *name = field_of(line, length, 1, &m), *type;

    if (!ids && name) {
        id = name;
        n = m;
    }
    SCS_TRY(add_field(l, id, n, &f->name));
    type = field_of(line, length, 2, &n);
    SCS_REQUIRE((type != NULL) == (f->type.n > 0) || f->name.n == 1, SCS_EDATA,
                "%s:%lld: has %s type, unlike the line before", l->path, (long long)l->number,
                type ? "a" : "no");
    return type ? add_field(l, type, n, &f->type) : SCS_OK;
}

/* @param column data.gene_column: gene_symbols, the default, or gene_ids, as scanpy calls them */
static scs_status read_features(const char *path, const char *column, scs_tenx_features *f)
{
    bool symbols = !column || !*column || strcmp(column, "gene_symbols") == 0;
    lines l = {0};
    const char *line;
    int64_t length;
    scs_status st;

    SCS_REQUIRE(symbols || strcmp(column, "gene_ids") == 0, SCS_EDATA,
                "%s: has no names of genes called %s (data.gene_column); it has: gene_symbols, "
                "gene_ids",
                path, column);
    SCS_GO(st, open_lines(path, &l));
    for (;;) {
        SCS_GO(st, next_line(&l, &line, &length));
        if (!line)
            break;
        SCS_GO(st, add_feature(&l, line, length, !symbols, f));
    }
done:
    close_lines(&l);
    return st;
}

scs_status scs_tenx_mtx_cells(const char *path, scs_names *names)
{
    scs_names files = {0};
    scs_status st;

    SCS_GO(st, scs_tenx_mtx_files(path, &files));
    SCS_GO(st, read_barcodes(files.name[1], names));
done:
    scs_names_clear(&files);
    return st;
}

/* ---- the matrix's lines ---- */

struct scs_tenx_mtx {
    const scs_h5ad *meta;
    lines text;
    int64_t n_feature, n_cell, n_entry; /* as its third line says */
};

typedef struct entry {
    int64_t feature, cell; /* from 0 */
    float value;
} entry;

/* Digits, with blanks before them. @return whether there is a number that fits; *at goes behind it
 */
static bool take_integer(const char **at, const char *end, int64_t *number)
{
    const char *start;
    int64_t n = 0;

    while (*at < end && (**at == ' ' || **at == '\t'))
        ++*at;
    for (start = *at; *at < end && **at >= '0' && **at <= '9' && *at - start < 18; ++*at)
        n = 10 * n + (**at - '0');
    *number = n;
    return *at > start && (*at == end || **at == ' ' || **at == '\t');
}

/* The rest of a line: a number and blanks. Whole numbers, which counts are, do without strtod; it
 * takes the others but for hexadecimal ones. */
static bool take_value(const char *at, const char *end, float *value)
{
    char text[LONGEST_NUMBER + 1], *stop;
    const char *whole = at;
    int64_t n;

    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (take_integer(&whole, end, &n) && whole == end) {
        *value = (float)n;
        return true;
    }
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    if (at == end || end - at > LONGEST_NUMBER)
        return false;
    memcpy(text, at, (size_t)(end - at));
    text[end - at] = '\0';
    *value = (float)strtod(text, &stop);
    return stop == text + (end - at) && !strpbrk(text, "xXpP");
}

/* @param[out] found false: the text is at its end */
static scs_status next_entry(scs_tenx_mtx *m, entry *e, bool *found)
{
    const char *line;
    int64_t length;

    do
        SCS_TRY(next_line(&m->text, &line, &length));
    while (line && length == 0);
    *found = line != NULL;
    if (line) {
        const char *at = line, *end = line + length;
        bool good = take_integer(&at, end, &e->feature) && take_integer(&at, end, &e->cell) &&
                    take_value(at, end, &e->value);

        SCS_REQUIRE(good, SCS_EDATA, "%s:%lld: is no entry: `feature cell count` belongs there",
                    m->text.path, (long long)m->text.number);
        SCS_REQUIRE(e->feature >= 1 && e->feature <= m->n_feature && e->cell >= 1 &&
                        e->cell <= m->n_cell,
                    SCS_EDATA, "%s:%lld: names feature %lld of %lld and cell %lld of %lld",
                    m->text.path, (long long)m->text.number, (long long)e->feature,
                    (long long)m->n_feature, (long long)e->cell, (long long)m->n_cell);
        e->feature--;
        e->cell--;
    }
    return SCS_OK;
}

/* "%%MatrixMarket matrix coordinate integer general", comments, and three sizes. */
static scs_status read_header(scs_tenx_mtx *m)
{
    static const char *const kinds[] = {"%%MatrixMarket matrix coordinate integer general",
                                        "%%MatrixMarket matrix coordinate real general"};
    const char *line, *at;
    int64_t length;
    bool known = false;

    SCS_TRY(next_line(&m->text, &line, &length));
    for (int i = 0; line && i < 2; i++)
        known |= (size_t)length >= strlen(kinds[i]) &&
                 strncasecmp(line, kinds[i], strlen(kinds[i])) == 0;
    SCS_REQUIRE(known, SCS_EDATA,
                "%s: does not begin with `%s` (or real), as a matrix of counts does", m->text.path,
                kinds[0]);
    do
        SCS_TRY(next_line(&m->text, &line, &length));
    while (line && (length == 0 || *line == '%'));
    at = line;
    SCS_REQUIRE(line && take_integer(&at, line + length, &m->n_feature) &&
                    take_integer(&at, line + length, &m->n_cell) &&
                    take_integer(&at, line + length, &m->n_entry) && m->n_feature < INT32_MAX &&
                    m->n_cell < INT32_MAX,
                SCS_EDATA, "%s:%lld: three sizes belong there: features, cells, entries",
                m->text.path, (long long)m->text.number);
    return SCS_OK;
}

scs_status scs_tenx_mtx_open(const scs_h5ad *meta, scs_tenx_mtx **mtx)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*mtx, 1));
    (*mtx)->meta = meta;
    SCS_GO(st, open_lines(meta->data, &(*mtx)->text));
    SCS_GO(st, read_header(*mtx));
done:
    if (st != SCS_OK)
        scs_tenx_mtx_close(mtx);
    return st;
}

void scs_tenx_mtx_close(scs_tenx_mtx **mtx)
{
    if (!*mtx)
        return;
    close_lines(&(*mtx)->text);
    free(*mtx);
    *mtx = NULL;
}

/* ---- describing ---- */

/* Where each cell's entries begin; none where they do not stand cell by cell. All lines are read.
 *  @param[in,out] meta start is allocated */
static scs_status index_cells(scs_tenx_mtx *m, scs_h5ad *meta)
{
    int64_t cell = -1, n = 0;
    bool sorted = true, found;
    entry e;

    for (;; n++) {
        int64_t at = m->text.at;

        SCS_TRY(next_entry(m, &e, &found));
        if (!found)
            break;
        sorted = sorted && e.cell >= cell;
        while (sorted && cell < e.cell)
            meta->start[++cell] = at;
    }
    SCS_REQUIRE(n == m->n_entry, SCS_EDATA,
                "%s: has %lld entries where its head says %lld: it was cut short, or has more than "
                "one matrix in it",
                m->text.path, (long long)n, (long long)m->n_entry);
    while (sorted && cell < meta->n_row)
        meta->start[++cell] = m->text.at;
    if (sorted)
        return SCS_OK;
    free(meta->start);
    meta->start = NULL;
    return SCS_OK;
}

/* SCS_EDATA, and of its own words where the matrix was written the other way round. */
static scs_status check_sizes(const scs_tenx_mtx *m, int64_t n_feature, int64_t n_cell)
{
    SCS_REQUIRE(m->n_feature != n_cell || m->n_cell != n_feature || n_cell == n_feature, SCS_EDATA,
                "%s: is cells x features, and 10x's matrices are features x cells: transpose it",
                m->text.path);
    SCS_REQUIRE(m->n_feature == n_feature && m->n_cell == n_cell, SCS_EDATA,
                "%s: is %lld x %lld, but beside it stand %lld features and %lld barcodes",
                m->text.path, (long long)m->n_feature, (long long)m->n_cell, (long long)n_feature,
                (long long)n_cell);
    return SCS_OK;
}

/* @param files the three */
static scs_status describe(const scs_h5ad_request *want, const scs_names *files, int64_t n_cell,
                           scs_tenx_features *f, scs_h5ad *meta)
{
    scs_tenx_mtx *m = NULL;
    scs_status st;

    SCS_GO(st, scs_text_copy(files->name[0], &meta->data));
    SCS_GO(st, scs_tenx_mtx_open(meta, &m));
    SCS_GO(st, read_features(files->name[2], want->gene_column, f));
    SCS_GO(st, check_sizes(m, f->name.n, n_cell));
    meta->layout = SCS_LAYOUT_MTX;
    meta->n_row = meta->n_obs = n_cell;
    meta->n_var = f->name.n;
    meta->nnz = m->n_entry;
    SCS_GO(st, SCS_ALLOC(meta->start, n_cell + 1));
    SCS_GO(st, index_cells(m, meta));
    SCS_GO(st, scs_tenx_features_take(meta->path, f, NULL, meta));
done:
    scs_tenx_mtx_close(&m);
    return st;
}

/* The names of the cells are counted here and read again by who needs them. */
scs_status scs_tenx_mtx_locate(const scs_h5ad_request *want, scs_h5ad *meta)
{
    scs_names files = {0}, cells = {0};
    scs_tenx_features f = {0};
    scs_status st;

    SCS_REQUIRE(strcmp(meta->matrix, "X") == 0, SCS_EDATA,
                "%s: there is no %s in it: a 10x folder has one matrix; set data.matrix to X",
                meta->path, meta->matrix);
    SCS_GO(st, scs_tenx_mtx_files(meta->path, &files));
    SCS_GO(st, read_barcodes(files.name[1], &cells));
    SCS_GO(st, describe(want, &files, cells.n, &f, meta));
done:
    scs_tenx_features_clear(&f);
    scs_names_clear(&cells);
    scs_names_clear(&files);
    return st;
}

/* ---- rows ---- */

/* SCS_EDATA: what was right when it was described is not any more. */
static scs_status has_changed(const scs_tenx_mtx *m)
{
    return SCS_FAIL(SCS_EDATA, "%s: changed while it was being read", m->text.path);
}

/* A line has 6 bytes at least, "1 1 1" and its end (the last may have none). */
static scs_status read_sorted(scs_tenx_mtx *m, int64_t row0, int64_t row1, scs_csr *x)
{
    const int64_t *start = m->meta->start;
    int64_t room = (start[row1] - start[row0]) / 6 + 1, n = 0, row = row0;
    bool found = true;
    entry e;

    SCS_TRY(scs_csr_alloc(row1 - row0, m->meta->n_var, room, x));
    SCS_TRY(seek_lines(&m->text, start[row0]));
    while (m->text.at < start[row1]) {
        SCS_TRY(next_entry(m, &e, &found));
        if (!found)
            break;
        if (e.cell < row || e.cell >= row1 || n == room)
            return has_changed(m);
        while (row < e.cell)
            x->indptr[++row - row0] = n;
        x->indices[n] = (int32_t)e.feature;
        x->values[n++] = e.value;
    }
    if (m->text.at != start[row1])
        return has_changed(m);
    while (row < row1)
        x->indptr[++row - row0] = n;
    return SCS_OK;
}

/* All entries, of which those of the rows count. @param[in,out] next where each row goes on; NULL:
 * they are counted, into indptr[i + 1] */
static scs_status pass(scs_tenx_mtx *m, int64_t row0, int64_t row1, int64_t *next, scs_csr *x)
{
    int64_t first = m->text.at;
    bool found;
    entry e;

    for (;;) {
        SCS_TRY(next_entry(m, &e, &found));
        if (!found)
            break;
        if (e.cell < row0 || e.cell >= row1)
            continue;
        e.cell -= row0;
        if (!next) {
            x->indptr[e.cell + 1]++;
            continue;
        }
        if (next[e.cell] == x->indptr[e.cell + 1])
            return has_changed(m);
        x->indices[next[e.cell]] = (int32_t)e.feature;
        x->values[next[e.cell]++] = e.value;
    }
    return seek_lines(&m->text, first);
}

/* Two passes: rows' sizes, then their entries; memory is that of the block's own entries. */
static scs_status read_unsorted(scs_tenx_mtx *m, int64_t row0, int64_t row1, scs_csr *x)
{
    int64_t *next = NULL, n = row1 - row0;
    scs_status st;

    SCS_GO(st, scs_csr_alloc(n, m->meta->n_var, 0, x));
    SCS_GO(st, SCS_ALLOC(next, n));
    SCS_GO(st, pass(m, row0, row1, NULL, x));
    for (int64_t i = 0; i < n; i++) {
        next[i] = x->indptr[i];
        x->indptr[i + 1] += x->indptr[i];
    }
    free(x->indices);
    free(x->values);
    x->indices = NULL;
    x->values = NULL;
    SCS_GO(st, SCS_ALLOC(x->indices, x->indptr[n]));
    SCS_GO(st, SCS_ALLOC(x->values, x->indptr[n]));
    SCS_GO(st, pass(m, row0, row1, next, x));
    for (int64_t i = 0; i < n; i++)
        if (next[i] != x->indptr[i + 1])
            SCS_GO(st, has_changed(m));
done:
    free(next);
    return st;
}

scs_status scs_tenx_mtx_rows(scs_tenx_mtx *m, int64_t row0, int64_t row1, scs_csr *x)
{
    const scs_h5ad *meta = m->meta;

    *x = (scs_csr){0};
    if (m->n_feature != (meta->gene ? meta->n_column : meta->n_var) || m->n_cell != meta->n_row)
        return has_changed(m);
    return meta->start ? read_sorted(m, row0, row1, x) : read_unsorted(m, row0, row1, x);
}
