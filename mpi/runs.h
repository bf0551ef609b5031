/** Runs of values that belong to cells, on their way between ranks: whole rows to their shards,
 * parts of rows to gene slices, latent rows to where they are screened. Values are of 4 bytes
 * (float or int32_t). */
#ifndef SCS_RUNS_H
#define SCS_RUNS_H

#include "scscreen/comm.h"

/** Consecutive values of one cell. */
typedef struct scs_run {
    int64_t cell;  /**< global id */
    int64_t at;    /**< first value within its plane */
    int32_t plane; /**< which of the sender's arrays */
    int32_t count; /**< values */
} scs_run;

typedef struct scs_runs {
    scs_comm *comm;
    void **plane; /**< [n_plane] what the outgoing runs point into; set before scs_runs_send */
    int32_t n_plane;
    scs_run *out; /**< [n_out] what is sent, by destination */
    int64_t n_out, capacity;
    scs_run *in; /**< [n_in] what arrives, cells ascending; `at` is into the arrived values */
    int64_t n_in, n_values;  /**< runs and values that arrive */
    int64_t *out_of, *in_of; /**< [n_rank] bytes of values sent to and received from each rank */
    int64_t *to, *from;      /**< [n_rank] bytes of runs, likewise */
} scs_runs;

/** Nothing to send yet. Clear it even after a failure. Local. */
SCS_MUST_USE scs_status scs_runs_create(scs_comm *comm, int32_t n_plane, scs_runs *runs);
void scs_runs_clear(scs_runs *runs);
/** Send this run to rank `to`; destinations do not descend from call to call. Local. */
SCS_MUST_USE scs_status scs_runs_add(scs_runs *runs, int32_t to, scs_run run);
/** Tell each rank what comes; afterwards `in` is complete. Collective.
 *  @param mine status of the local work so far: all ranks agree on it first */
SCS_MUST_USE scs_status scs_runs_announce(scs_runs *runs, scs_status mine);
/** Send the runs' values.
 *  @param release free the planes as soon as they are packed (also on failure); else they are
 * borrowed
 *  @param[out] arrived [n_values], malloc'ed. Collective. */
SCS_MUST_USE scs_status scs_runs_send(scs_runs *runs, bool release, void **arrived);
/** Free the planes. Local. */
void scs_runs_release(scs_runs *runs);
/** The run of a cell that arrived, or NULL. Local. */
const scs_run *scs_runs_find(const scs_runs *runs, int64_t cell);

#endif
