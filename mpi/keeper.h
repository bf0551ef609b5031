/** When training saves its state, where, and when it ends: rank 0 watches the clock and the STOP
 * file, every rank its signals. */
#ifndef SCS_KEEPER_H
#define SCS_KEEPER_H

#include "mpi/journal.h"
#include "src/state.h"

typedef struct scs_keeper scs_keeper;

/** journal and session must outlive it. Collective. */
SCS_MUST_USE scs_status scs_keeper_create(scs_session *session, scs_journal *journal,
                                          scs_keeper **keeper);
/** Hooks for scs_train. */
scs_keep scs_keeper_hooks(scs_keeper *keeper);
void scs_keeper_destroy(scs_keeper **keeper);

#endif
