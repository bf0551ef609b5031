#include "src/selection.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

scs_status scs_selection_unknown(const scs_selection *s, const char *name)
{
    const char *near = scs_names_nearest(s->names, name);
    char list[512];

    if (near)
        return SCS_FAIL(SCS_EARG, "%s: there is no %s \"%s\"; did you mean \"%s\"?", s->key,
                        s->noun, name, near);
    return SCS_FAIL(SCS_EARG, "%s: there is no %s \"%s\"; there are: %s", s->key, s->noun, name,
                    scs_names_list(s->names, 12, list, sizeof list));
}

static bool is_glob(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

static scs_status choose_glob(const scs_selection *s, const char *glob)
{
    bool found = false;
    char list[512];

    for (int32_t i = 0; i < s->names->n; i++)
        if (fnmatch(glob, s->names->name[i], 0) == 0)
            found = s->chosen[i] = true;
    SCS_REQUIRE(found, SCS_EARG, "%s: no %s is like \"%s\"; there are: %s", s->key, s->noun, glob,
                scs_names_list(s->names, 12, list, sizeof list));
    return SCS_OK;
}

/* A label may itself look like a glob: a full name comes first. */
static scs_status choose(const scs_selection *s, const char *name)
{
    int32_t at = scs_names_find(s->names, name);

    if (at < 0)
        return is_glob(name) ? choose_glob(s, name) : scs_selection_unknown(s, name);
    s->chosen[at] = s->named[at] = true;
    return SCS_OK;
}

scs_status scs_selection_make(scs_selection *s)
{
    SCS_TRY(SCS_ALLOC(s->chosen, s->names->n));
    SCS_TRY(SCS_ALLOC(s->named, s->names->n));
    for (int32_t i = 0; i < s->names->n; i++)
        s->chosen[i] = s->wanted->n == 0;
    for (int32_t i = 0; i < s->wanted->n; i++)
        SCS_TRY(choose(s, s->wanted->name[i]));
    return SCS_OK;
}

void scs_selection_clear(scs_selection *s)
{
    free(s->chosen);
    free(s->named);
    s->chosen = s->named = NULL;
}
