#include "scscreen/screen.h"
#include "src/dose.h"
#include "src/names.h"

#include <math.h>
#include <stdio.h>

const char *scs_row_status_name(int status)
{
    static const char *const names[] = {[SCS_ROW_OK] = "ok",
                                        [SCS_ROW_NO_CONTROL] = "no_control",
                                        [SCS_ROW_NO_SOURCE] = "no_source"};
    _Static_assert(sizeof names / sizeof *names == SCS_N_ROW_STATUS, "a name for each status");

    return names[status];
}

const char *scs_perturbation_label(const scs_atlas *atlas, const scs_names *pairs,
                                   const scs_combination *item)
{
    if (item->pair)
        return pairs->name[item->pair - 1];
    return atlas->doses.n ? atlas->doses.perturbations.name[item->perturbation]
                          : atlas->conditions.name[item->condition];
}

char *scs_treatment_text(const scs_atlas *atlas, const scs_names *pairs,
                         const scs_combination *item, char *out, size_t size)
{
    char dose[SCS_DOSE_TEXT] = "";

    if (atlas->doses.n)
        scs_dose_text(item->dose, dose);
    snprintf(out, size, "%s%s%s", scs_perturbation_label(atlas, pairs, item), *dose ? "@" : "",
             dose);
    return out;
}

/* Why nothing is known of a row's shift. */
static const char *reason_of(const scs_atlas *atlas, const scs_combination *item, char *out,
                             size_t size)
{
    double largest = scs_doses_largest(&atlas->doses, item->perturbation);
    char text[SCS_DOSE_TEXT];

    if (item->pair)
        largest = fmin(largest, scs_doses_largest(&atlas->doses, item->second));
    if (atlas->doses.n && item->dose > largest) {
        snprintf(out, size,
                 "the dose is above the largest that shows the perturbation (%s); shifts are not "
                 "extrapolated",
                 scs_dose_text(largest, text));
        return out;
    }
    return item->pair ? "no cells outside hold_out show both perturbations beside controls of "
                        "their type"
                      : "no cells outside hold_out show the perturbation beside controls of their "
                        "type";
}

static scs_status resolve(const scs_atlas *atlas, const scs_method *method, scs_sources *sources,
                          scs_combination *item, scs_plan *plan)
{
    const char *source = "", *reason = "";
    char text[200];

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
        reason = reason_of(atlas, item, text, sizeof text);
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
