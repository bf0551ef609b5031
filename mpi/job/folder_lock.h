/** One job at a time writes into a folder of results: two would overwrite each other's states and
 * rows.
 *
 *  The lock is the folder's own (flock), so it leaves no file behind and ends with the process that
 *  holds it, however that ends: after a kill -9 there is nothing to clean up. Whoever only reads
 *  results needs no lock.
 *
 *  All functions are Local; rank 0 alone calls them.
 */
#ifndef SCS_FOLDER_LOCK_H
#define SCS_FOLDER_LOCK_H

#include "scscreen/status.h"

#include <stdbool.h>

/** Lock a folder until scs_folder_lock_drop or the end of the process. A file system without locks
 * costs one line on stderr, and the job goes on. SCS_ECREATE: another job is at work there.
 *  @param[out] lock for scs_folder_lock_drop; -1: none
 *  @param[out] waited  another job had it first, and let it go within some seconds */
SCS_MUST_USE scs_status scs_folder_lock_take(const char *folder, int *lock, bool *waited);
/** @param lock -1 afterwards; nothing happens where it is that already */
void scs_folder_lock_drop(int *lock);

#endif
