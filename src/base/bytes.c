/** A block of bytes, written at its end and read from its beginning (src/base/bytes.h has the
 *  format). Every text and list is made of puts and gets of bytes, so that the two bounds
 *  checks, reserve and scs_bytes_get, are the only ones there are.
 */
#include "src/base/bytes.h"

#include "src/base/names.h"

#include <stdlib.h>
#include <string.h>

void scs_bytes_clear(scs_bytes *b)
{
    free(b->data);
    *b = (scs_bytes){0};
}

/* Room for `size` more bytes. It doubles, so that n puts copy O(n) bytes in all. */
static scs_status reserve(scs_bytes *b, int64_t size)
{
    int64_t needed, capacity = b->capacity > 0 ? b->capacity : 256;
    uint8_t *data;

    SCS_REQUIRE(size >= 0 && !__builtin_add_overflow(b->size, size, &needed), SCS_EINTERNAL,
                "a block of bytes cannot grow by %lld", (long long)size);
    if (needed <= b->capacity)
        return SCS_OK;
    while (capacity < needed)
        capacity = capacity > INT64_MAX / 2 ? needed : capacity * 2;
    data = realloc(b->data, (size_t)capacity);
    SCS_REQUIRE(data, SCS_ENOMEM, "out of memory: a block of %lld bytes", (long long)capacity);
    b->data = data;
    b->capacity = capacity;
    return SCS_OK;
}

scs_status scs_bytes_put(scs_bytes *b, const void *data, int64_t size)
{
    SCS_TRY(reserve(b, size));
    if (size > 0)
        memcpy(b->data + b->size, data, (size_t)size);
    b->size += size;
    return SCS_OK;
}

scs_status scs_bytes_put_int(scs_bytes *b, int64_t value)
{
    return scs_bytes_put(b, &value, sizeof value);
}

/* Its length, -1 for none, then its bytes without the NUL. */
scs_status scs_bytes_put_text(scs_bytes *b, const char *text)
{
    int64_t length = text ? (int64_t)strlen(text) : -1;

    SCS_TRY(scs_bytes_put_int(b, length));
    return text ? scs_bytes_put(b, text, length) : SCS_OK;
}

/* How many, then each as a text. */
scs_status scs_bytes_put_names(scs_bytes *b, const scs_names *names)
{
    SCS_TRY(scs_bytes_put_int(b, names->n));
    for (scs_lidx i = 0; i < names->n; i++)
        SCS_TRY(scs_bytes_put_text(b, names->name[i]));
    return SCS_OK;
}

/* Written so that a chain of puts can end in one return: `return scs_bytes_take(&b, put_all(&b,
 * x), data, size);` */
scs_status scs_bytes_take(scs_bytes *b, scs_status put, uint8_t **data, int64_t *size)
{
    if (put != SCS_OK)
        scs_bytes_clear(b);
    *data = b->data;
    *size = b->size;
    return put;
}

/* `at` never exceeds `size`, so what is left cannot overflow, and a negative size is refused. */
scs_status scs_bytes_get(scs_bytes *b, void *data, int64_t size)
{
    SCS_REQUIRE(size >= 0 && size <= b->size - b->at, SCS_EDATA,
                "a block of bytes ends early: %lld wanted, %lld left", (long long)size,
                (long long)(b->size - b->at));
    if (size > 0)
        memcpy(data, b->data + b->at, (size_t)size);
    b->at += size;
    return SCS_OK;
}

/* Native byte order: writer and reader are one program on one kind of machine. */
scs_status scs_bytes_get_int(scs_bytes *b, int64_t *value)
{
    return scs_bytes_get(b, value, sizeof *value);
}

/* For whatever is counted or indexed by: a block may come from a damaged file. */
scs_status scs_bytes_get_within(scs_bytes *b, int64_t lo, int64_t hi, int64_t *value)
{
    SCS_TRY(scs_bytes_get_int(b, value));
    SCS_REQUIRE(*value >= lo && *value <= hi, SCS_EDATA,
                "a packed number is %lld, not %lld to %lld", (long long)*value, (long long)lo,
                (long long)hi);
    return SCS_OK;
}

/* A text with a NUL in it would be cut at that place by whoever uses it: refused. */
scs_status scs_bytes_get_text(scs_bytes *b, char **text)
{
    int64_t length = -1;

    *text = NULL;
    SCS_TRY(scs_bytes_get_int(b, &length));
    if (length == -1)
        return SCS_OK;
    SCS_REQUIRE(length >= 0 && length <= b->size - b->at &&
                    !memchr(b->data + b->at, 0, (size_t)length),
                SCS_EDATA, "a block of bytes holds a bad text (length %lld)", (long long)length);
    *text = malloc((size_t)length + 1);
    SCS_REQUIRE(*text, SCS_ENOMEM, "out of memory: a text of %lld bytes", (long long)length);
    (*text)[length] = '\0';
    return scs_bytes_get(b, *text, length);
}

/* The list of the struct has no absent names; a block that holds one was not written by
 * put_names. */
static scs_status get_name(scs_bytes *b, scs_names *names)
{
    char *text;
    scs_status st;

    SCS_TRY(scs_bytes_get_text(b, &text));
    SCS_REQUIRE(text, SCS_EDATA, "a block of bytes holds a list with an absent name");
    st = scs_names_add(names, text);
    free(text);
    return st;
}

/* Each name takes at least the 8 bytes of its length: a count that is larger than what is left
 * could hold is refused before any work. */
scs_status scs_bytes_get_names(scs_bytes *b, scs_names *names)
{
    int64_t n = 0;
    scs_status st = SCS_OK;

    SCS_TRY(scs_bytes_get_int(b, &n));
    SCS_REQUIRE(n >= 0 && n <= INT32_MAX && n <= (b->size - b->at) / (int64_t)sizeof n, SCS_EDATA,
                "a block of bytes claims %lld names", (long long)n);
    for (int64_t i = 0; i < n; i++)
        SCS_GO(st, get_name(b, names));
done:
    if (st != SCS_OK)
        scs_names_clear(names);
    return st;
}
