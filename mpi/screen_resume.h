/** What a stopped screen left: gone on with where it is the same screen, else begun anew. */
#ifndef SCS_SCREEN_RESUME_H
#define SCS_SCREEN_RESUME_H

#include "mpi/screen_store.h"

/** Lock output.dir, then go on with the unfinished file there, or begin one. Rank 0 alone. Local.
 * SCS_EARG, SCS_EDATA where that was another screen; SCS_ECREATE: no room, or another job is at
 * work there.
 *  @param store its files have names; lock, resumed and fd are set */
SCS_MUST_USE scs_status scs_store_prepare(scs_screen_store *store, const int64_t *unit_first,
                                          int64_t n_unit);
/** Remove the unfinished file and its map. Local. */
SCS_MUST_USE scs_status scs_store_remove_files(const scs_screen_store *store);

#endif
