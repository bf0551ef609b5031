/* One pass from left to right: what a variable holds goes out as it is (path.h). */
#include "src/config/path.h"

#include "src/base/text.h"
#include "src/config/key.h"

#include <stdlib.h>
#include <string.h>

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

/* Bytes of the name of a variable that begins here; 0: none does. */
static size_t name_length(const char *text)
{
    size_t n = strspn(text, LETTERS);

    while (n > 0 && ((text[n] >= '0' && text[n] <= '9') || (text[n] && strchr(LETTERS, text[n]))))
        n++;
    return n;
}

/* An empty variable is refused with one that is not set: $DATA/a.h5ad would be /a.h5ad. */
static scs_status put_variable(const char *name, size_t n, const char *text, const char *place,
                               scs_bytes *out)
{
    char *copy = NULL;
    const char *value;
    scs_status st;

    SCS_TRY(scs_text_copy_n(name, n, &copy));
    value = getenv(copy);
    st = value && *value
             ? scs_bytes_put(out, value, (int64_t)strlen(value))
             : SCS_FAIL(SCS_EARG,
                        "%s is '%.200s', but the environment has no %s%s; set it, or write the "
                        "path out ($$ stands for a $)",
                        place, text, copy, value ? " that is not empty" : "");
    free(copy);
    return st;
}

/* What begins with a $. @param[in,out] at moved behind it */
static scs_status put_dollar(const char **at, const char *text, const char *place, scs_bytes *out)
{
    const char *s = *at + 1;
    bool brace = *s == '{';
    size_t n = name_length(s + brace);

    SCS_REQUIRE(*s != '(' && (!brace || (n > 0 && s[n + 1] == '}')), SCS_EARG,
                "%s is '%.200s'; of what a shell replaces in a path, $NAME, ${NAME} and ~/ at its "
                "start are replaced here ($$ stands for a $)",
                place, text);
    if (n > 0) {
        *at = s + n + (size_t)2 * brace;
        return put_variable(s + brace, n, text, place, out);
    }
    *at = s + (*s == '$');
    return scs_bytes_put(out, "$", 1);
}

/* Behind ~/, or the whole text where it has none. `~` alone is how YAML writes nothing.
 * @param[out] rest of the text */
static scs_status put_home(const char *text, const char *place, scs_bytes *out, const char **rest)
{
    *rest = text;
    if (text[0] != '~')
        return SCS_OK;
    SCS_REQUIRE(text[1] != '\0', SCS_EARG,
                "%s is '~', which is nothing in YAML; write ~/ for your home", place);
    SCS_REQUIRE(text[1] == '/' || !strchr(text, '/'), SCS_EARG,
                "%s is '%.200s'; only ~/ is replaced, by your own home: write the path out, or ./~ "
                "for a folder that is called so",
                place, text);
    if (text[1] != '/')
        return SCS_OK;
    *rest = text + 1;
    return put_variable("HOME", 4, text, place, out);
}

/* @param[out] out the path and its final NUL */
static scs_status expand(const char *text, const char *place, scs_bytes *out)
{
    const char *at;

    SCS_TRY(put_home(text, place, out, &at));
    while (*at) {
        size_t n = strcspn(at, "$");

        SCS_TRY(scs_bytes_put(out, at, (int64_t)n));
        at += n;
        if (*at)
            SCS_TRY(put_dollar(&at, text, place, out));
    }
    return scs_bytes_put(out, "", 1);
}

scs_status scs_path_expand(const char *text, const char *place, char **path)
{
    scs_bytes out = {0};
    uint8_t *data;
    int64_t size;

    *path = NULL;
    SCS_TRY(scs_bytes_take(&out, expand(text, place, &out), &data, &size));
    *path = (char *)data;
    return SCS_OK;
}

/* What is called ~ lies in the working directory. */
static scs_status quote(const char *path, scs_bytes *out)
{
    if (path[0] == '~')
        SCS_TRY(scs_bytes_put(out, "./", 2));
    for (const char *at = path; *at; at++)
        SCS_TRY(scs_bytes_put(out, *at == '$' ? "$$" : at, *at == '$' ? 2 : 1));
    return scs_bytes_put(out, "", 1);
}

scs_status scs_path_quote(const char *path, char **text)
{
    scs_bytes out = {0};
    uint8_t *data;
    int64_t size;

    *text = NULL;
    SCS_TRY(scs_bytes_take(&out, quote(path, &out), &data, &size));
    *text = (char *)data;
    return SCS_OK;
}

/* The member that holds a key's path. */
static char **path_of(const scs_config *config, const scs_key *key)
{
    return (char **)(void *)((char *)(uintptr_t)config + key->offset);
}

scs_status scs_path_put(const scs_config *config, scs_bytes *out)
{
    for (int i = 0; scs_key_at(i); i++)
        if (scs_key_at(i)->type == SCS_KEY_PATH)
            SCS_TRY(scs_bytes_put_text(out, *path_of(config, scs_key_at(i))));
    return SCS_OK;
}

scs_status scs_path_get(scs_bytes *in, scs_config *config)
{
    for (int i = 0; scs_key_at(i); i++) {
        char **member, *path = NULL;

        if (scs_key_at(i)->type != SCS_KEY_PATH)
            continue;
        SCS_TRY(scs_bytes_get_text(in, &path));
        SCS_REQUIRE(path, SCS_EDATA, "a path is absent");
        member = path_of(config, scs_key_at(i));
        free(*member);
        *member = path;
    }
    return SCS_OK;
}
