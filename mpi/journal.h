/** Progress on stderr and events.jsonl: what a user watches while training runs. */
#ifndef SCS_JOURNAL_H
#define SCS_JOURNAL_H

#include "mpi/session.h"

typedef struct scs_journal scs_journal;

/** Rank 0 starts a new events.jsonl in output.dir, or goes on with the one that belongs to
 * session->state: what it holds of later epochs is cut off. Collective. SCS_ECREATE. */
SCS_MUST_USE scs_status scs_journal_create(scs_session *session, scs_journal **journal);
/** Hooks for scs_train; journal must outlive the training. */
scs_watch scs_journal_watch(scs_journal *journal);
/** Rank 0: what was told so far is on the disk. SCS_EIO. Local. */
SCS_MUST_USE scs_status scs_journal_sync(scs_journal *journal);
/** Close; a write that failed is SCS_EIO. Collective. */
SCS_MUST_USE scs_status scs_journal_close(scs_journal **journal);

#endif
