/** session_model */
#ifndef SCS_SESSION_MODEL_H
#define SCS_SESSION_MODEL_H

#include "mpi/job/session.h"

/** Whether cells have latent coordinates: all kinds of models but mean. */
bool scs_session_model_has_latent(const scs_session *session);

int32_t scs_session_model_n_latent(const scs_session *session);

/** Principal components of the cells that are not held out. Collective. */
SCS_MUST_USE scs_status scs_session_model_fit_pca(scs_session *session);

/** z, and the atlas' latent moments; nothing where there is no latent space. Collective. */
SCS_MUST_USE scs_status scs_session_model_encode(scs_session *session);

/** Whichever model there is. */
scs_decoder scs_session_model_decoder(const scs_session *session);

/** scs_decode_model_moments by it. Local. */
SCS_MUST_USE scs_status scs_session_model_decode(const scs_session *session, const scs_real *z,
                                                 int64_t n, const double *delta, double *mean,
                                                 double *variance);

/** A new model, or the checkpoint's weights. Collective. */
SCS_MUST_USE scs_status scs_session_model_make(scs_session *session);

/** The gene-space half of an atlas from the shards. Collective. */
SCS_MUST_USE scs_status scs_session_model_fill_genes(scs_session *session, scs_atlas *atlas);

/** Where screen.distance says so, closeness of the atlas' control groups by mean expression.
 *  Collective. */
SCS_MUST_USE scs_status scs_session_model_measure_controls(scs_session *session);

/** The latent atlas from the data, or from the checkpoint where it has one. Collective. */
SCS_MUST_USE scs_status scs_session_model_make_atlas(scs_session *session);

/** output.dir/model.h5, by rank 0. Collective. */
SCS_MUST_USE scs_status scs_session_model_save(scs_session *session);

#endif
