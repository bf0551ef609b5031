/** Latent space and back, row by row, by a network: what decode, interpolate and integrate share.
 *
 *  Rows go through the network STEP at a time, counted from the first, on all threads; so a row's
 *  bits depend on its place among the rows of a call, not on threads. All functions are Local, but
 *  for the means.
 */
#ifndef SCS_DECODED_H
#define SCS_DECODED_H

#include "mpi/job/cell_table.h"
#include "mpi/job/session.h"

/** Expression of latent points. SCS_ENOMEM.
 *  @param z [n, n_latent]  @param[out] x [n, n_gene] in the unit of the training data */
SCS_MUST_USE scs_status scs_decoded_rows(const scs_model *model, const scs_real *z, int64_t n,
                                         scs_real *x);
/** Posterior means of dense rows. SCS_ENOMEM.
 *  @param x [n, n_gene]  @param[out] z [n, n_latent] */
SCS_MUST_USE scs_status scs_decoded_encode(const scs_model *model, const scs_real *x, int64_t n,
                                           scs_real *z);

/** Those of n rows that this rank makes, dealt in whole steps. Local. */
scs_cell_rows scs_decoded_share(const scs_comm *comm, int64_t n);

/** SCS_EARG where model.kind has no network to decode with. Local, alike on all ranks.
 *  @param verb for the message */
SCS_MUST_USE scs_status scs_decoded_check(const scs_session *session, const char *verb);

/** Means of the session's latent coordinates over sets of cells, held-out ones included. The same
 *  bits on any number of ranks. SCS_ENOMEM, SCS_EIO. Collective.
 *  @param set [n_cell] the set of each cell, -1: none; alike on all ranks
 *  @param[out] count [n_set] its cells  @param[out] mean [n_set, n_latent] 0 of an empty set */
SCS_MUST_USE scs_status scs_decoded_means(const scs_session *session, const int32_t *set,
                                          int32_t n_set, int64_t *count, double *mean);

#endif
