/** The inputs' counts, which a session no longer has once its cells are normalised: read once more,
 *  kept where they were read, and gathered group by group where cells are made of them. */
#ifndef SCS_COUNTS_H
#define SCS_COUNTS_H

#include "mpi/job/session.h"
#include "src/cells/count_group.h"

typedef struct scs_counts {
    const scs_session *session; /**< borrowed */
    int64_t n_cell;             /**< of all ranks */
    int64_t first;              /**< this rank's cells are [first, first + x.n_row) */
    scs_packed x;               /**< their counts */
    int32_t *group_of_cell;     /**< [n_cell] -1: unused; alike on all ranks */
    double *library;            /**< [n_group] mean counts of a group's cells; alike on all ranks */
} scs_counts;

/** Whether the session's inputs hold counts at all: SCS_EDATA names what else they hold. Before
 * anything that takes time. Local, alike on all ranks. */
SCS_MUST_USE scs_status scs_counts_check(const scs_session *session);
/** SCS_EDATA where a file's numbers are no counts: what they are, and what to set.
 *  @param key the setting that names another matrix */
SCS_MUST_USE scs_status scs_counts_judge(const scs_h5ad *file, const scs_scale *scale,
                                         const char *key);
/** Read them, by groups of the atlas. SCS_EDATA: an input holds other numbers; SCS_EIO, SCS_ENOMEM.
 * Collective.
 *  @param[out] counts caller clears, also after a failure */
SCS_MUST_USE scs_status scs_counts_read(const scs_session *session, scs_counts *counts);
/** Free all; zeroed is let through. Local. */
void scs_counts_clear(scs_counts *counts);
/** All cells of a group, in ascending order, on every rank. SCS_ENOMEM. Collective.
 *  @param[out] to caller clears, also after a failure */
SCS_MUST_USE scs_status scs_counts_gather(const scs_counts *counts, int32_t group,
                                          scs_count_group *to);
/** Mean counts per million of a group's cells, on every rank; only this rank's own cells are looked
 * at. SCS_ENOMEM. Collective.
 *  @param[out] cpm [n_gene] */
SCS_MUST_USE scs_status scs_counts_cpm(const scs_counts *counts, int32_t group, double *cpm);
/** Global numbers of a group's cells, ascending. @param[out] cell [count] malloc'ed
 *  @param[out] n how many. SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_counts_cells(const scs_counts *counts, int32_t group, int64_t **cell,
                                         int64_t *n);

#endif
