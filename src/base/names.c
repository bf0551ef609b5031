/** Lists of names, indices over them, and selections among them (src/base/names.h), in this
 *  order.
 *
 *  A list is for some thousands of names and is gone through from the front: O(n) a look-up. Lists
 *  of genes and of cells get an index beside them, O(n log n) once and O(log n) a look-up, which
 *  costs 4 bytes a name where a hash table would cost several words.
 */
#include "src/base/names.h"

#include "src/base/text.h"
#include "scscreen/status.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The struct (scscreen/status.h) has no member for its room: it always has room for the next
 * power of two, at least 8, so that it is full at 8, 16, 32, ... names. */
static bool is_full(scs_lidx n)
{
    return n == 0 || (n >= 8 && (n & (n - 1)) == 0);
}

/* The limit keeps room within int32: positions are scs_lidx. */
scs_status scs_names_add(scs_names *names, const char *name)
{
    if (is_full(names->n)) {
        int64_t room = names->n < 8 ? 8 : 2 * (int64_t)names->n;
        char **grown = NULL;

        SCS_REQUIRE(room <= INT32_MAX, SCS_EDATA, "more than %d names", INT32_MAX / 2);
        grown = scs_reallocate(names->name, room, sizeof *grown);
        SCS_REQUIRE(grown, SCS_ENOMEM, "out of memory for %lld names", (long long)room);
        names->name = grown;
    }
    SCS_TRY(scs_text_copy(name, &names->name[names->n]));
    names->n++;
    return SCS_OK;
}

/* All or nothing: a list that is half there would pass for a whole one. */
scs_status scs_names_copy(const scs_names *from, scs_names *to)
{
    scs_status st;

    for (scs_lidx i = 0; i < from->n; i++) {
        st = scs_names_add(to, from->name[i]);
        if (st != SCS_OK) {
            scs_names_clear(to);
            return scs_passed(st, __FILE__, __LINE__, "scs_names_copy");
        }
    }
    return SCS_OK;
}

/* In the same order, too: what is numbered by one list can then be read by the other. */
bool scs_names_equal(const scs_names *a, const scs_names *b)
{
    if (a->n != b->n)
        return false;
    for (scs_lidx i = 0; i < a->n; i++)
        if (strcmp(a->name[i], b->name[i]) != 0)
            return false;
    return true;
}

/* Zeroed, so that a list is cleared twice without harm. */
void scs_names_clear(scs_names *names)
{
    for (scs_lidx i = 0; i < names->n; i++)
        free(names->name[i]);
    free(names->name);
    *names = (scs_names){0};
}

/* The first of equal ones. */
scs_lidx scs_names_find(const scs_names *names, const char *name)
{
    for (scs_lidx i = 0; i < names->n; i++)
        if (strcmp(names->name[i], name) == 0)
            return i;
    return -1;
}

/* O(n): for labels, of which there are few. */
scs_status scs_names_intern(scs_names *names, const char *name, scs_lidx *at)
{
    *at = scs_names_find(names, name);
    if (*at >= 0)
        return SCS_OK;
    SCS_TRY(scs_names_add(names, name));
    *at = names->n - 1;
    return SCS_OK;
}

/* The limit: a third of the letters may be wrong. Longer texts than scs_text_distance takes have
 * no nearest. */
const char *scs_names_nearest(const scs_names *names, const char *name)
{
    int best = (int)(strlen(name) < 120 ? (strlen(name) + 1) / 3 : 0);
    const char *nearest = NULL;

    for (scs_lidx i = 0; i < names->n; i++) {
        int d = scs_text_distance(names->name[i], name);

        if (d >= 0 && (d < best || (d == best && !nearest))) {
            best = d;
            nearest = names->name[i];
        }
    }
    return nearest;
}

/* Room for the count is kept free all the time, so that a list that is cut short always says so. */
char *scs_names_list(const scs_names *names, scs_lidx shown, char *out, size_t size)
{
    char one[128], count[40];
    size_t used = 0;
    scs_lidx i;

    if (size)
        out[0] = '\0';
    snprintf(count, sizeof count, ", ... (%d in all)", names->n);
    for (i = 0; i < names->n && i < shown; i++) {
        size_t n = strlen(scs_text_escape(names->name[i], one, sizeof one)) + (i ? 2 : 0);

        if (used + n + sizeof count > size)
            break;
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", one);
    }
    if (i < names->n && used + strlen(count) < size)
        snprintf(out + used, size - used, "%s", i ? count : count + 2);
    return out;
}

/* Sorted beside its name: qsort's comparison has no argument for the list. */
typedef struct keyed {
    uint64_t key; /* its bytes behind those that all begin with, the first of them highest */
    const char *name;
    scs_lidx at;
} keyed;

/* Equal names by position, which makes the first of them the one that is found. */
static int compare_keyed(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    int order;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    order = strcmp(x->name, y->name);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* Bytes that all names begin with: those of cells and genes often have a word in common. */
static size_t common_prefix(const scs_names *names)
{
    size_t n = names->n > 0 ? strlen(names->name[0]) : 0;

    for (scs_lidx i = 1; i < names->n && n > 0; i++) {
        const char *first = names->name[0], *name = names->name[i];
        size_t k = 0;

        while (k < n && name[k] == first[k])
            k++;
        n = k;
    }
    return n;
}

/* Zeros behind the text's end, as strcmp has it. */
static uint64_t key_of(const char *text)
{
    uint64_t key = 0;

    for (size_t k = 0; k < sizeof key; k++) {
        key = key << 8 | (unsigned char)*text;
        text += *text != '\0';
    }
    return key;
}

/* The keys are sorted with their names and dropped; what stays is 4 bytes a name. */
scs_status scs_names_index_create(const scs_names *names, scs_index *index)
{
    size_t prefix = common_prefix(names);
    keyed *key;

    *index = (scs_index){.names = names};
    SCS_TRY(SCS_ALLOC(key, names->n));
    for (scs_lidx i = 0; i < names->n; i++)
        key[i] = (keyed){key_of(names->name[i] + prefix), names->name[i], i};
    qsort(key, (size_t)names->n, sizeof *key, compare_keyed);
    index->order = scs_allocate(names->n, sizeof *index->order);
    for (scs_lidx i = 0; index->order && i < names->n; i++)
        index->order[i] = key[i].at;
    free(key);
    SCS_REQUIRE(index->order, SCS_ENOMEM, "out of memory for an index of %d names", names->n);
    return SCS_OK;
}

void scs_names_index_clear(scs_index *index)
{
    free(index->order);
    *index = (scs_index){0};
}

/* Bisection to the first name that is not before `name`. */
scs_lidx scs_names_index_find(const scs_index *index, const char *name)
{
    scs_lidx low = 0, high = index->names->n;

    while (low < high) {
        scs_lidx middle = low + (high - low) / 2;

        if (strcmp(index->names->name[index->order[middle]], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == index->names->n || strcmp(index->names->name[index->order[low]], name) != 0)
        return -1;
    return index->order[low];
}

/* O(n log n); the input stays as it is. */
scs_status scs_names_sort_unique(const scs_names *all, scs_names *out)
{
    scs_index index;
    scs_status st = SCS_OK;

    SCS_TRY(scs_names_index_create(all, &index));
    for (scs_lidx i = 0; i < all->n && st == SCS_OK; i++) {
        const char *name = all->name[index.order[i]];

        if (out->n == 0 || strcmp(out->name[out->n - 1], name) != 0)
            st = scs_names_add(out, name);
    }
    scs_names_index_clear(&index);
    return st;
}

/* Equal names lie side by side; the later of the two is told, which is the surplus one. */
scs_lidx scs_names_index_duplicate(const scs_index *index)
{
    for (scs_lidx i = 1; i < index->names->n; i++) {
        scs_lidx before = index->order[i - 1], here = index->order[i];

        if (strcmp(index->names->name[before], index->names->name[here]) == 0)
            return here;
    }
    return -1;
}

/* The nearest where there is one, else what there is to choose from. */
scs_status scs_names_selection_unknown(const scs_selection *s, const char *name)
{
    const char *near = scs_names_nearest(s->names, name);
    char list[512];

    if (near)
        return SCS_FAIL(SCS_EARG, "%s: there is no %s \"%s\"; did you mean \"%s\"?", s->key,
                        s->noun, name, near);
    return SCS_FAIL(SCS_EARG, "%s: there is no %s \"%s\"; there are: %s", s->key, s->noun, name,
                    scs_names_list(s->names, 12, list, sizeof list));
}

/* Whether fnmatch would take it for more than a name. */
static bool is_glob(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

/* Choose all that match (fnmatch: * ? [a-z]); none is an error, since a glob is written to
 * choose something. */
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

/* One wanted name. A label may itself look like a glob ("IFN[beta]"): a full name comes first. */
static scs_status choose(const scs_selection *s, const char *name)
{
    int32_t at = scs_names_find(s->names, name);

    if (at < 0)
        return is_glob(name) ? choose_glob(s, name) : scs_names_selection_unknown(s, name);
    s->chosen[at] = s->named[at] = true;
    return SCS_OK;
}

/* No wanted names choose all; `named` then stays false for each. */
scs_status scs_names_selection_make(scs_selection *s)
{
    SCS_TRY(SCS_ALLOC(s->chosen, s->names->n));
    SCS_TRY(SCS_ALLOC(s->named, s->names->n));
    for (int32_t i = 0; i < s->names->n; i++)
        s->chosen[i] = s->wanted->n == 0;
    for (int32_t i = 0; i < s->wanted->n; i++)
        SCS_TRY(choose(s, s->wanted->name[i]));
    return SCS_OK;
}

/* What was chosen is owned; the names are borrowed. */
void scs_names_selection_clear(scs_selection *s)
{
    free(s->chosen);
    free(s->named);
    s->chosen = s->named = NULL;
}
