#include "mpi/screen_controls.h"

#include <stdlib.h>

static void clear_one(scs_row_controls *c)
{
    scs_moving_destroy(&c->moving);
    scs_moved_cells_clear(&c->cells);
    free(c->mean);
    free(c->variance);
    *c = (scs_row_controls){.group = -1};
}

void scs_controls_clear(scs_controls_list *list)
{
    for (int32_t i = 0; i < list->n; i++)
        clear_one(&list->item[i]);
    free(list->item);
    *list = (scs_controls_list){0};
}

static scs_status make_ready(const scs_controls_want *want, int32_t group, scs_row_controls *c)
{
    const scs_session *s = want->session;
    const scs_atlas *a = s->atlas;
    const scs_real *z = want->control_z[group];
    int64_t n = a->group[group].count;

    c->group = group;
    if (!scs_session_has_latent(s))
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(c->mean, a->n_gene));
    if (want->variance)
        SCS_TRY(SCS_ALLOC(c->variance, a->n_gene));
    SCS_TRY(scs_moved_cells_make(&(scs_sample){z, n, NULL}, a->n_latent, &c->cells));
    return want->linear
               ? scs_moving_create(s->model, z, n, want->products == SCS_PRODUCTS_AUTO, &c->moving)
               : SCS_OK;
}

/* Takes it out of the old list, if it is there. */
static bool take(scs_controls_list *old, int32_t group, scs_row_controls *c)
{
    for (int32_t i = 0; i < old->n; i++)
        if (old->item[i].group == group) {
            *c = old->item[i];
            old->item[i] = (scs_row_controls){.group = -1};
            return true;
        }
    return false;
}

/* Cells that are no longer needed make room before others are made ready. */
scs_status scs_controls_change(scs_controls_list *list, const scs_controls_want *want,
                               const int32_t *group, int32_t n)
{
    scs_controls_list old = *list;
    scs_status st;

    *list = (scs_controls_list){.n = n};
    st = SCS_ALLOC(list->item, n);
    if (st != SCS_OK)
        list->n = 0;
    for (int32_t i = 0; i < list->n; i++)
        if (!take(&old, group[i], &list->item[i]))
            list->item[i].group = -1;
    scs_controls_clear(&old);
    for (int32_t i = 0; i < list->n && st == SCS_OK; i++)
        if (list->item[i].group < 0)
            st = make_ready(want, group[i], &list->item[i]);
    return st;
}
