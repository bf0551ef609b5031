/** How rows are predicted: the config's settings with every `auto` resolved from the data, the same
 * on every rank and on any number of ranks.
 *
 *      screen.nearest_power: auto    leave-one-type-out error, from group means alone
 *      screen.shift: auto            the same, over the rules that take part in it
 *      screen.correction             boosted trees on groups left out, from group means alone
 *      screen.blend: auto            least squares over groups left out, decoded
 *
 *  The network is not trained anew for it: groups that are left out are left out of the shift only.
 */
#ifndef SCS_SCREEN_METHOD_H
#define SCS_SCREEN_METHOD_H

#include "mpi/job/session.h"

/** The config's way to predict, with this decode mode instead of its own; `auto` is resolved by
 * what the atlas holds. Collective.
 *  @param decode scs_decode_mode's enum value (screen.decode)
 *  @param[out] method nothing to free: its mixed model is the session's, made here where it is
 *  needed
 *  @return SCS_OK, SCS_EARG, SCS_ENOMEM, SCS_EIO, SCS_ENUMERIC, SCS_EINTERNAL
 */
SCS_MUST_USE scs_status scs_screen_method(scs_session *session, int decode, scs_method *method);

#endif
