/* A column's values as labels. */
#include "src/column.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 40 };

/* The shortest decimal that reads back as the same number, with ".0" on whole ones. */
static void real_text(double value, char out[NUMBER_MAX])
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, NUMBER_MAX, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    if (!out[strspn(out, "-0123456789")])
        strcat(out, ".0");
}

static const char *value_text(const scs_column *column, int64_t i, char room[NUMBER_MAX])
{
    switch (column->kind) {
    case SCS_COLUMN_TEXT:
        return column->text.name[i];
    case SCS_COLUMN_BOOLEAN:
        return column->number[i] ? "True" : "False";
    case SCS_COLUMN_INTEGER:
        snprintf(room, NUMBER_MAX, "%lld", (long long)column->number[i]);
        return room;
    default:
        real_text(column->real[i], room);
        return room;
    }
}

scs_status scs_column_names(const scs_column *column, scs_names *names)
{
    char room[NUMBER_MAX];

    for (int64_t i = 0; i < column->n; i++)
        SCS_TRY(scs_names_add(names, value_text(column, i, room)));
    return SCS_OK;
}

/* A number with the place it comes from. */
typedef struct place {
    int64_t number, at;
} place;

static int compare_places(const void *a, const void *b)
{
    const place *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* @param[out] order [n] */
static scs_status order_numbers(const scs_column *column, scs_lidx *order)
{
    place *places;

    SCS_TRY(SCS_ALLOC(places, column->n));
    for (int64_t i = 0; i < column->n; i++)
        places[i] = (place){column->number[i], i};
    qsort(places, (size_t)column->n, sizeof *places, compare_places);
    for (int64_t i = 0; i < column->n; i++)
        order[i] = (scs_lidx)places[i].at;
    free(places);
    return SCS_OK;
}

/* Elements in ascending order of their values. @param[out] order [n], malloc'ed */
static scs_status order_values(const scs_column *column, scs_lidx **order)
{
    scs_index index;
    scs_status st;

    if (column->kind == SCS_COLUMN_TEXT) {
        SCS_TRY(scs_index_create(&column->text, &index));
        *order = index.order;
        return SCS_OK;
    }
    SCS_TRY(SCS_ALLOC(*order, column->n));
    st = order_numbers(column, *order);
    if (st != SCS_OK)
        free(*order);
    return st;
}

static scs_status number_in_order(const scs_column *column, const scs_lidx *order,
                                  scs_names *categories, int32_t *codes)
{
    char room[NUMBER_MAX];

    for (int64_t i = 0; i < column->n; i++) {
        scs_lidx at = order[i];
        const char *text = value_text(column, at, room);
        codes[at] = -1;
        if (column->mask && column->mask[at])
            continue;
        if (categories->n == 0 || strcmp(categories->name[categories->n - 1], text) != 0)
            SCS_TRY(scs_names_add(categories, text));
        codes[at] = categories->n - 1;
    }
    return SCS_OK;
}

scs_status scs_column_factorize(const scs_column *column, scs_names *categories, int32_t *codes)
{
    scs_lidx *order;
    scs_status st;

    SCS_REQUIRE(column->kind != SCS_COLUMN_FLOAT, SCS_EDATA,
                "holds floating-point numbers, which are no labels");
    SCS_REQUIRE(column->n <= INT32_MAX, SCS_EDATA, "holds too many values");
    SCS_TRY(order_values(column, &order));
    st = number_in_order(column, order, categories, codes);
    free(order);
    return st;
}
