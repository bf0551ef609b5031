/** screen_method */
#ifndef SCS_SCREEN_METHOD_H
#define SCS_SCREEN_METHOD_H

#include "mpi/job/session.h"

/** The config's way to predict, with this scs_decode_method; `auto` is resolved by what the atlas
 * holds. Collective. */
SCS_MUST_USE scs_status scs_screen_method(const scs_session *session, int decode,
                                          scs_method *method);

#endif
