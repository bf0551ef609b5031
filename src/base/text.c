/** Text from users and files: copies, escapes, distances, UTF-8, whole files (src/base/text.h).
 *
 *  Nothing here asks the locale: text is bytes, letters are ASCII, and what is beyond passes as it
 *  is (iscntrl in the C locale), so that messages and comparisons are the same on every machine.
 */
#include "src/base/text.h"

#include "scscreen/status.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a text whose distance is measured: the row of the table is on the stack. */
enum { LONGEST = 120 };

/* Lists of cells have millions of short texts: they are not aligned as arrays are, which takes
 * several times their memory. */
scs_status scs_text_copy_n(const char *text, size_t n, char **out)
{
    *out = scs_reallocate(NULL, (int64_t)n + 1, 1);
    SCS_REQUIRE(*out, SCS_ENOMEM, "out of memory: a text of %zu bytes", n);
    memcpy(*out, text, n);
    (*out)[n] = '\0';
    return SCS_OK;
}

scs_status scs_text_copy(const char *text, char **out)
{
    return scs_text_copy_n(text, strlen(text), out);
}

/* Bytes of the character that a terminal shows as nothing, as a blank that is no space, or that
 * turns the direction of what follows; 0: another one. UTF-8. */
static int unseen_character(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    if (iscntrl(c[0]))
        return 1;
    if (c[0] == 0xc2) /* controls, no-break space, soft hyphen */
        return (c[1] >= 0x80 && c[1] <= 0xa0) || c[1] == 0xad ? 2 : 0;
    if (c[0] == 0xe2 && c[1] == 0x80) /* spaces, zero widths, marks of direction */
        return (c[2] >= 0x80 && c[2] <= 0x8f) || (c[2] >= 0xa8 && c[2] <= 0xaf) ? 3 : 0;
    if (c[0] == 0xe2 && c[1] == 0x81)
        return c[2] >= 0x9f && c[2] <= 0xaf ? 3 : 0;
    if (c[0] == 0xe3 && c[1] == 0x80) /* ideographic space */
        return c[2] == 0x80 ? 3 : 0;
    return c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf ? 3 : 0; /* byte order mark */
}

/* Four bytes of output for each of a character's, \xNN, which is never cut in half. */
char *scs_text_escape(const char *text, char *out, size_t size)
{
    size_t used = 0;

    while (*text) {
        int n = unseen_character(text);

        if (used + (n ? 4 * (size_t)n : 4) + 1 > size)
            break;
        if (n == 0)
            out[used++] = *text++;
        for (; n > 0; n--, text++)
            used += (size_t)snprintf(out + used, 5, "\\x%02x", (unsigned char)*text);
    }
    if (size)
        out[used] = '\0';
    return out;
}

/* As scs_text_escape, straight into a file: texts of any length. */
void scs_text_print(FILE *out, const char *text, const char *kept)
{
    for (; *text; text++)
        fprintf(out, iscntrl((unsigned char)*text) && !strchr(kept, *text) ? "\\x%02x" : "%c",
                (unsigned char)*text);
}

/* Of a deletion, an insertion, a replacement. */
static int min3(int a, int b, int c)
{
    int ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* The table of Wagner and Fischer, of which only one row is kept: row[j] is the distance of a's
 * first i characters to b's first j. */
int scs_text_distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    int row[LONGEST + 1];

    if (na > LONGEST || nb > LONGEST)
        return -1;
    for (size_t j = 0; j <= nb; j++)
        row[j] = (int)j;
    for (size_t i = 0; i < na; i++) {
        int diagonal = row[0];

        row[0] = (int)i + 1;
        for (size_t j = 0; j < nb; j++) {
            int differ = tolower((unsigned char)a[i]) != tolower((unsigned char)b[j]);
            int here = min3(row[j + 1] + 1, row[j] + 1, diagonal + differ);

            diagonal = row[j + 1];
            row[j + 1] = here;
        }
    }
    return row[nb];
}

/* Bytes of the well-formed character that starts at s, 0 if there is none. The last condition is
 * what the lead byte alone does not rule out: overlong forms (E0, F0), surrogates (ED), values
 * above U+10FFFF (F4). */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t len = s[0] < 0x80   ? 1
                 : s[0] < 0xc2 ? 0
                 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3
                 : s[0] < 0xf5 ? 4
                               : 0;

    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

/* O(n), a character at a time; NUL is a character like others here. */
bool scs_text_is_utf8(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t len;

    for (size_t i = 0; i < n; i += len) {
        len = utf8_length(s + i, n - i);
        if (len == 0)
            return false;
    }
    return true;
}

/* Decimal alone: strtod by itself would also take blanks, hexadecimal, "inf" and "nan", and a
 * number too large for a double as infinity. The decimal point is a point in every locale, since
 * the program never sets one. */
bool scs_text_number(const char *text, double *value)
{
    char *end;

    if (text[0] == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
        return false;
    *value = strtod(text, &end);
    return *end == '\0' && isfinite(*value);
}

/* Nothing is made canonical: messages show the path as the user would write it. */
scs_status scs_text_resolve(const char *base, const char *path, char **out)
{
    const char *slash = base ? strrchr(base, '/') : NULL;
    size_t folder = slash ? (size_t)(slash - base) + 1 : 0;

    if (path[0] == '/' || folder == 0)
        return scs_text_copy(path, out);
    SCS_TRY(SCS_ALLOC(*out, (int64_t)(folder + strlen(path) + 1)));
    memcpy(*out, base, folder);
    memcpy(*out + folder, path, strlen(path));
    return SCS_OK;
}

/* What files begin with that are taken for text by mistake, and what to do. */
static const struct {
    const char *bytes;
    size_t n;
    const char *what;
} other_kinds[] = {
    {"\x1f\x8b", 2, "is compressed by gzip; unpack it first (gunzip)"},
    {"BZh", 3, "is compressed by bzip2; unpack it first (bunzip2)"},
    {"\xfd"
     "7zXZ",
     5, "is compressed by xz; unpack it first (unxz)"},
    {"\x28\xb5\x2f\xfd", 4, "is compressed by zstd; unpack it first (unzstd)"},
    {"PK\x03\x04", 4, "is a zip archive or a spreadsheet; save its table as CSV or unpack it"},
    {"\x89HDF", 4, "is an HDF5 file, not a text file"},
    {"\xff\xfe", 2, "is UTF-16 text; save it as UTF-8"},
    {"\xfe\xff", 2, "is UTF-16 text; save it as UTF-8"},
};

/* SCS_EARG where the content is of another kind. @param text [size] and a NUL */
static scs_status check_is_text(const char *path, const char *text, int64_t size)
{
    for (size_t k = 0; k < sizeof other_kinds / sizeof *other_kinds; k++)
        SCS_REQUIRE((size_t)size < other_kinds[k].n ||
                        memcmp(text, other_kinds[k].bytes, other_kinds[k].n) != 0,
                    SCS_EARG, "%s: %s", path, other_kinds[k].what);
    SCS_REQUIRE((int64_t)strlen(text) == size, SCS_EARG,
                "%s: holds a NUL byte, so it is not a text file", path);
    return SCS_OK;
}

/* Until the end of the file, in a buffer that doubles: the size of a pipe is not known before.
 * One byte more than `max` ends it.
 * @param[in,out] out NULL; the text, also after a failure */
static scs_status read_stream(FILE *f, const char *path, int64_t max, char **out)
{
    int64_t size = 0, room = 4096;

    for (;;) {
        char *grown = realloc(*out, (size_t)room + 1);

        SCS_REQUIRE(grown, SCS_ENOMEM, "%s: out of memory", path);
        *out = grown;
        size += (int64_t)fread(*out + size, 1, (size_t)(room - size), f);
        (*out)[size] = '\0';
        SCS_REQUIRE(!ferror(f), SCS_EARG, "%s: cannot be read: %s", path, strerror(errno));
        SCS_REQUIRE(size <= max, SCS_EARG, "%s: larger than %lld bytes; is this the right file?",
                    path, (long long)max);
        if (size < room)
            break;
        room *= 2;
    }
    return check_is_text(path, *out, size);
}

/* A folder opens as a file does; reading it is what fails, with the system's words. */
scs_status scs_text_read(const char *path, int64_t max, char **out)
{
    FILE *f = fopen(path, "re");
    scs_status st;

    *out = NULL;
    SCS_REQUIRE(f, SCS_EARG, "%s: cannot be read: %s", path, strerror(errno));
    st = read_stream(f, path, max, out);
    fclose(f);
    if (st != SCS_OK) {
        free(*out);
        *out = NULL;
    }
    return st;
}
