/** Cutting a table in place (src/base/table.h has what is understood): lines first, each checked
 *  as a whole, then fields. Delimiters and closing quotes are overwritten with NULs, so nothing
 *  is copied.
 */
#include "src/base/table.h"

#include "src/base/gzfile.h"
#include "src/base/text.h"
#include "scscreen/status.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes. A longer line is hardly a table's: a binary file, or one without line ends. */
enum { LONGEST_LINE = 65536 };

static bool is_compressed(const char *path)
{
    size_t n = strlen(path);

    return n > 3 && strcasecmp(path + n - 3, ".gz") == 0;
}

/* Until the end of what the file holds, as scs_text_read reads a plain one: room doubles, since
 * only the end tells how long it is, and one byte more than `max` ends it.
 * @param[in,out] text NULL; the text, also after a failure */
static scs_status inflate(scs_gzfile *file, const char *path, int64_t max, char **text)
{
    int64_t size = 0, room = 4096, got;

    do {
        char *grown = realloc(*text, (size_t)room + 1);

        SCS_REQUIRE(grown, SCS_ENOMEM, "%s: out of memory", path);
        *text = grown;
        SCS_TRY(scs_gzfile_read(file, *text + size, room - size, &got));
        size += got;
        (*text)[size] = '\0';
        SCS_REQUIRE(size <= max, SCS_EDATA,
                    "%s: larger than %lld bytes once inflated; is this the right file?", path,
                    (long long)max);
        room *= size == room ? 2 : 1;
    } while (got > 0);
    SCS_REQUIRE((int64_t)strlen(*text) == size, SCS_EDATA,
                "%s: holds a NUL byte, so it is not a text file", path);
    return SCS_OK;
}

static scs_status read_compressed(const char *path, int64_t max, char **text)
{
    scs_gzfile *file;
    scs_status st;

    SCS_TRY(scs_gzfile_open(path, &file));
    st = inflate(file, path, max, text);
    scs_gzfile_close(&file);
    if (st != SCS_OK) {
        free(*text);
        *text = NULL;
    }
    return st;
}

/* That a file cannot be read is an error in the arguments for scs_text_read; here the file is
 * data. */
scs_status scs_table_open(const char *path, int64_t max, scs_table *table)
{
    scs_status st;

    *table = (scs_table){.path = path};
    st = is_compressed(path) ? read_compressed(path, max, &table->text)
                             : scs_text_read(path, max, &table->text);
    SCS_TRY(st == SCS_EARG ? SCS_EDATA : st);
    table->next = table->text;
    if (strncmp(table->next, "\xef\xbb\xbf", 3) == 0)
        table->next += 3;
    return SCS_OK;
}

void scs_table_close(scs_table *table)
{
    free(table->text);
    *table = (scs_table){0};
}

/* Undo the quotes of a field that starts at `from`, in place: "a ""b""" becomes a "b". The text
 * only gets shorter.
 * @return the character after the closing quote, NULL if there is none */
static char *unquote(char *from)
{
    char *to = from, *read = from + 1;

    for (; *read; read++) {
        if (*read == '"' && read[1] != '"')
            break;
        read += *read == '"';
        *to++ = *read;
    }
    if (!*read)
        return NULL;
    *to = '\0';
    return read + 1;
}

/* One field at *at, which moves behind the delimiter, or to NULL after the last field.
 * @return false where a quote is not closed, or followed by something else than a delimiter */
static bool cut_field(scs_table *table, char **at, char **field)
{
    bool quoted = **at == '"';
    char *end = quoted ? unquote(*at) : strchr(*at, table->delimiter);

    *field = *at;
    if (quoted && !end)
        return false;
    if (!end || *end == '\0') {
        *at = NULL;
        return true;
    }
    if (*end != table->delimiter)
        return false;
    *end = '\0';
    *at = end + 1;
    return true;
}

/* Fill field and n_field from one line without its end. */
static scs_status cut_line(scs_table *table, char *line)
{
    char *at = line;

    for (table->n_field = 0; at; table->n_field++) {
        SCS_REQUIRE(table->n_field < SCS_TABLE_FIELDS, SCS_EDATA, "%s:%lld: more than %d columns",
                    table->path, (long long)table->line, SCS_TABLE_FIELDS);
        SCS_REQUIRE(
            cut_field(table, &at, &table->field[table->n_field]), SCS_EDATA,
            "%s:%lld: a quote is not closed in its line, or is not a field's first and last "
            "character",
            table->path, (long long)table->line);
    }
    return SCS_OK;
}

/* Take a line off the text, without its end (\n or \r\n); NULL when there is none.
 * @param[out] n its bytes */
static char *take_line(scs_table *table, size_t *n)
{
    char *line = table->next;

    if (*line == '\0')
        return NULL;
    *n = strcspn(line, "\n");
    table->next = line + *n + (line[*n] == '\n');
    line[*n] = '\0';
    if (*n > 0 && line[*n - 1] == '\r')
        line[--*n] = '\0';
    table->line++;
    return line;
}

/* By the first line, whose other ways to be cut are refused: it would be one column. */
static scs_status choose_delimiter(scs_table *table, const char *line)
{
    table->delimiter = strchr(line, '\t') ? '\t' : ',';
    SCS_REQUIRE(!strchr(line, '\r'), SCS_EDATA,
                "%s: its lines end with carriage returns alone; save it with line feeds",
                table->path);
    SCS_REQUIRE(strpbrk(line, "\t,") || !strchr(line, ';'), SCS_EDATA,
                "%s:%lld: its columns are separated by semicolons; save it with commas or tabs",
                table->path, (long long)table->line);
    return SCS_OK;
}

/* Checked line by line, not as a whole file, so that a fault has a line number and good lines
 * before it are read. */
scs_status scs_table_next(scs_table *table, bool *found)
{
    size_t n = 0;
    char *line = take_line(table, &n);

    while (line && (n == 0 || line[0] == '#'))
        line = take_line(table, &n);
    *found = line != NULL;
    if (!line)
        return SCS_OK;
    SCS_REQUIRE(n <= LONGEST_LINE, SCS_EDATA, "%s:%lld: longer than %d bytes; is this a table?",
                table->path, (long long)table->line, LONGEST_LINE);
    SCS_REQUIRE(scs_text_is_utf8(line, n), SCS_EDATA, "%s:%lld: not UTF-8 text", table->path,
                (long long)table->line);
    if (!table->delimiter)
        SCS_TRY(choose_delimiter(table, line));
    return cut_line(table, line);
}
