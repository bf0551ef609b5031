/** Groups of ranks: how the ranks of a validation are divided, and the cells of a group.
 *
 *  At first groups of validate.group_size, each with all cells. Where fewer models are left than
 *  groups, these join: ranks that would wait for the last models help to make them, up to a rank a
 *  shard. A model's rows are the same bytes on any number of ranks, so nothing else changes.
 */
#ifndef SCS_CROSSVAL_GROUPS_H
#define SCS_CROSSVAL_GROUPS_H

#include "mpi/crossval/crossval.h"

/** Ranks [i n, (i + 1) n) are group i, n = validate.group_size; the last may be smaller.
 * SCS_ENOMEM, SCS_EIO. Collective over world. */
SCS_MUST_USE scs_status scs_crossval_groups_split(scs_validation *v);
/** How many ranks a group would have that makes one of the last n models, n below the number of
 * groups: whole groups, joined. 0: groups cannot join, for want of ranks or of shards. Local, alike
 * on all ranks. */
int32_t scs_crossval_groups_joined(const scs_validation *v, int64_t n);
/** Groups become n of so many ranks each, group v->index makes one model; ranks that are left over
 * have no group (v->group NULL). What groups have in common stays, the cells are dealt anew.
 * SCS_ENOMEM, SCS_EIO, alike in each group. Collective over world.
 *  @param n_rank from scs_crossval_groups_joined */
SCS_MUST_USE scs_status scs_crossval_groups_join(scs_validation *v, int64_t n, int32_t n_rank);
/** Deal the group's cells by the roles they have now; what was dealt before is freed. SCS_ENOMEM,
 * SCS_EIO. Collective over the group. */
SCS_MUST_USE scs_status scs_crossval_groups_deal(scs_validation *v);

#endif
