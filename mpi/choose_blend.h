/** `blend: auto`. */
#ifndef SCS_CHOOSE_BLEND_H
#define SCS_CHOOSE_BLEND_H

#include "mpi/session.h"

/** The decoder's share a that brings edit's change and the sources' own change in gene space
 * nearest to the observed change, where seen groups (at most SCS_BLEND_TRIALS, evenly picked) are
 * predicted from the others: least squares over all their genes, within [0, 1]; 0.5 where no group
 * can be left out. The network itself has seen those groups. Collective. @param[out] n groups left
 * out */
enum { SCS_BLEND_TRIALS = 256 };
SCS_MUST_USE scs_status scs_choose_blend(const scs_session *session, const scs_method *method,
                                         double *share, int64_t *n);

#endif
