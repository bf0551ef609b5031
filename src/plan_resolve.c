#include "scscreen/screen.h"

const char *scs_row_status_name(int status)
{
    static const char *const names[] = {"ok", "no_control", "no_source"};

    return names[status];
}

static scs_status resolve(const scs_atlas *atlas, const scs_method *method, scs_sources *sources,
                          scs_combination *item, scs_plan *plan)
{
    const char *source = "", *reason = "";

    item->status = SCS_ROW_OK;
    item->kind = SCS_SOURCE_NONE;
    if (item->control_group < 0) {
        item->status = SCS_ROW_NO_CONTROL;
        reason = "the species has no control cells of this cell type";
    } else {
        SCS_TRY(scs_sources_find(atlas, method, item, sources));
        source = sources->text;
        item->kind = (uint8_t)sources->kind;
    }
    if (item->status == SCS_ROW_OK && item->kind == SCS_SOURCE_NONE) {
        item->status = SCS_ROW_NO_SOURCE;
        reason = "no cells outside hold_out show the perturbation beside controls of their type";
    }
    SCS_TRY(scs_names_intern(&plan->sources, source, &item->source));
    return scs_names_intern(&plan->reasons, reason, &item->reason);
}

scs_status scs_plan_resolve(const scs_atlas *atlas, const scs_method *method, scs_plan *plan)
{
    scs_sources *sources;
    scs_status st;

    SCS_TRY(scs_sources_create(atlas, &sources));
    for (int64_t i = 0; i < plan->n; i++)
        SCS_GO(st, resolve(atlas, method, sources, &plan->item[i], plan));
    st = SCS_OK;
done:
    scs_sources_destroy(&sources);
    return st;
}
