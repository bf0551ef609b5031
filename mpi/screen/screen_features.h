/** The table of screen.perturbation_features as a session uses it: perturbations that no cell shows
 *  get a place in the atlas, and all of them a distance from each other.
 *
 *  Without a table all of it does nothing.
 */
#ifndef SCS_SCREEN_FEATURES_H
#define SCS_SCREEN_FEATURES_H

#include "mpi/job/session.h"

/** Perturbations that only the table has become conditions.
 *  @param[in,out] groups an atlas, or its groups alone  @param[out] n how many
 *  @return SCS_OK, SCS_EDATA names the table's line, SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_screen_features_add(const scs_session *session, scs_atlas *groups,
                                                int32_t *n);
/** The same for the session's atlas, and says how many there are: before rows are planned and the
 *  way to predict is chosen. Collective. */
SCS_MUST_USE scs_status scs_screen_features_open(scs_session *session);
/** How far perturbations are from each other.
 *  @param groups with what scs_screen_features_add has added
 *  @param[out] distance [n, n] over scs_atlas_perturbations, malloc'ed; NULL without a table
 *  @return SCS_OK, SCS_EDATA for a table that does not fit, SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_screen_features_distance(const scs_session *session,
                                                     const scs_atlas *groups, double **distance);

#endif
