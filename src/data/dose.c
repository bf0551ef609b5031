/* Doses: conditions as pairs of perturbation and dose, the scale on which doses are compared, and
 * doses as text.
 *
 * Without data.dose the list is empty (n = 0) and every condition is a perturbation of its own:
 * the functions here hide that case, so that callers ask for a condition's perturbation and need
 * not know whether there are doses. Lists have some tens of conditions; they are searched from
 * the front. All functions are Local.
 */
#include "src/data/dose.h"

#include "src/base/file.h"
#include "src/base/names.h"
#include "scscreen/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

void scs_dose_list_clear(scs_dose_list *doses)
{
    scs_names_clear(&doses->perturbations);
    free(doses->perturbation);
    free(doses->dose);
    *doses = (scs_dose_list){0};
}

scs_status scs_dose_list_copy(const scs_dose_list *from, scs_dose_list *to)
{
    *to = (scs_dose_list){0};
    if (from->n == 0)
        return SCS_OK;
    SCS_TRY(scs_names_copy(&from->perturbations, &to->perturbations));
    SCS_TRY(SCS_ALLOC(to->perturbation, from->n));
    SCS_TRY(SCS_ALLOC(to->dose, from->n));
    memcpy(to->perturbation, from->perturbation, (size_t)from->n * sizeof *to->perturbation);
    memcpy(to->dose, from->dose, (size_t)from->n * sizeof *to->dose);
    to->n = from->n;
    return SCS_OK;
}

int32_t scs_dose_list_perturbation(const scs_dose_list *doses, int32_t condition)
{
    return doses->n ? doses->perturbation[condition] : condition;
}

const scs_names *scs_dose_list_perturbations(const scs_dose_list *doses,
                                             const scs_names *conditions)
{
    return doses->n ? &doses->perturbations : conditions;
}

int32_t scs_dose_list_find(const scs_dose_list *doses, int32_t perturbation, double dose)
{
    for (int32_t c = 0; c < doses->n; c++)
        if (doses->perturbation[c] == perturbation && doses->dose[c] == dose)
            return c;
    return -1;
}

/* fmax passes over the NaN that it starts from. */
double scs_dose_list_largest(const scs_dose_list *doses, int32_t perturbation)
{
    double largest = NAN;

    for (int32_t c = 0; c < doses->n; c++)
        if (doses->perturbation[c] == perturbation)
            largest = fmax(largest, doses->dose[c]);
    return largest;
}

/* ---- one dose ---- */

/* log1p, not log: dose 0, the control, is on the scale. */
double scs_dose_way(double low, double dose, double high)
{
    return (log1p(dose) - log1p(low)) / (log1p(high) - log1p(low));
}

char *scs_dose_text(double dose, char out[SCS_DOSE_TEXT])
{
    /* Fixed notation for the sizes that people write ("0.5", "10"), scientific beyond: 20 digits
     * after the point are enough for 1e-4, and 17 digits in all are for any double. */
    bool plain = dose == 0 || (dose >= 1e-4 && dose < 1e15);

    for (int digits = plain ? 0 : 1; digits <= 20; digits++) {
        snprintf(out, SCS_DOSE_TEXT, plain ? "%.*f" : "%.*g", digits, dose);
        if (strtod(out, NULL) == dose)
            break;
    }
    return out;
}

/* strtod takes "inf" and "nan", which are no doses, and leading spaces, which do no harm. */
bool scs_dose_parse(const char *text, double *dose)
{
    char *end;

    *dose = strtod(text, &end);
    while (*end == ' ')
        end++;
    return end != text && *end == '\0' && isfinite(*dose) && *dose > 0;
}

/* A label as a part of a name: a backslash before what would end it. Caller frees. */
static scs_status escape_part(const char *label, char **part)
{
    char *to;

    SCS_TRY(SCS_ALLOC(*part, 2 * (int64_t)strlen(label) + 1));
    for (to = *part; *label; label++) {
        if (*label == '|' || *label == '\\')
            *to++ = '\\';
        *to++ = *label;
    }
    *to = '\0';
    return SCS_OK;
}

/* "species|type|perturbation" and "|dose" where there are doses; "|" within a part is escaped, so
 * that two rows never have one name. */
scs_status scs_dose_row_name_add(const char *species, const char *cell_type,
                                 const char *perturbation, const char *dose, scs_names *names)
{
    char *part[3] = {0}, *name = NULL;
    scs_status st;

    SCS_GO(st, escape_part(species, &part[0]));
    SCS_GO(st, escape_part(cell_type, &part[1]));
    SCS_GO(st, escape_part(perturbation, &part[2]));
    SCS_GO(st, scs_file_path_print(&name, "%s|%s|%s%s%s", part[0], part[1], part[2],
                                   *dose ? "|" : "", dose));
    st = scs_names_add(names, name);
done:
    for (int i = 0; i < 3; i++)
        free(part[i]);
    free(name);
    return st;
}
