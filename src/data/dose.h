/** Conditions of data with doses: each is a perturbation at one dose.
 *
 *  The dose list (scscreen/dataset.h) is empty where the data have no doses; every function takes
 *  that, and a condition is then its own perturbation. All functions are Local.
 */
#ifndef SCS_DOSE_H
#define SCS_DOSE_H

#include "scscreen/dataset.h"

/** @param[out] to caller clears it, after an error too  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_dose_list_copy(const scs_dose_list *from, scs_dose_list *to);
/** Free all; the list is that of data without doses then. */
void scs_dose_list_clear(scs_dose_list *doses);
/** The perturbation of a condition: a position in scs_dose_list_perturbations. */
int32_t scs_dose_list_perturbation(const scs_dose_list *doses, int32_t condition);
/** Labels of perturbations: of their own where there are doses, else those of conditions.
 *  Borrowed. */
const scs_names *scs_dose_list_perturbations(const scs_dose_list *doses,
                                             const scs_names *conditions);
/** The condition that is this perturbation at this dose (exactly), or -1. */
int32_t scs_dose_list_find(const scs_dose_list *doses, int32_t perturbation, double dose);
/** The largest dose of a perturbation; NaN where it has none. */
double scs_dose_list_largest(const scs_dose_list *doses, int32_t perturbation);

/** How far a dose is on the way between two others, on the scale log(1 + dose) on which shifts are
 *  taken to grow in a straight line (scVIDR: Kana et al., Patterns 2023, where the lower dose is
 *  always 0):
 *
 *      (log(1 + dose) - log(1 + low)) / (log(1 + high) - log(1 + low))
 *
 *  @param low, high low < high, in the unit of data.dose; low 0: the control
 *  @return 0 at low, 1 at high, above 1 beyond it */
double scs_dose_way(double low, double dose, double high);

enum { SCS_DOSE_TEXT = 32 };

/** The shortest decimal that reads back as the same number: "0.5", "10". @return out */
char *scs_dose_text(double dose, char out[SCS_DOSE_TEXT]);
/** Append the name that a row has in every file, "species|cell type|perturbation" and "|dose" where
 *  it has one; a backslash stands before each | and backslash of a label, so that two rows never
 *  have one name.
 *  @param dose its text, "" without one  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_dose_row_name_add(const char *species, const char *cell_type,
                                              const char *perturbation, const char *dose,
                                              scs_names *names);
/** A dose that a user wrote; spaces behind it are allowed.
 *  @return false unless it is a finite number above 0 */
bool scs_dose_parse(const char *text, double *dose);

#endif
