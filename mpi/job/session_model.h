/** The model and the atlas of a session. There are three kinds of model (model.kind):
 *
 *      vae     session->model, a network: trained, or taken from a checkpoint; kept in model.h5
 *      pca     session->pca, principal components: fitted in each job, kept nowhere
 *      mean    neither: rows are arithmetic on the groups' mean expression
 *
 *  What follows asks these functions and need not know which it is. Without a latent space the
 *  atlas' latent half holds gene space instead (scs_atlas_gene_space_enter), so that shifts have
 *  one code.
 */
#ifndef SCS_SESSION_MODEL_H
#define SCS_SESSION_MODEL_H

#include "mpi/job/session.h"

/** Whether cells have latent coordinates: all kinds of models but `mean`. Local. */
bool scs_session_model_has_latent(const scs_session *session);

/** Latent units or components; 1 for `mean`, whose atlas holds gene space instead. Local. */
int32_t scs_session_model_n_latent(const scs_session *session);

/** session->pca: scs_profile_components components of the cells that are not held out. Errors as
 * scs_pca_fit. Collective. */
SCS_MUST_USE scs_status scs_session_model_fit_pca(scs_session *session);

/** z of this rank's cells, and the atlas' latent moments on all ranks; nothing where there is no
 * latent space. SCS_ENOMEM, SCS_EIO. Collective. */
SCS_MUST_USE scs_status scs_session_model_encode(scs_session *session);

/** Latent coordinates of rows [row0, row0 + n) of x, values as the session's cells have them; the
 * model has a latent space. SCS_ENOMEM. Local. @param[out] z [n, n_latent] */
SCS_MUST_USE scs_status scs_session_model_encode_rows(const scs_session *session,
                                                      const scs_packed *x, int64_t row0, int32_t n,
                                                      scs_real *z);

/** Whichever model there is, borrowed by the decoder. Local. */
scs_decoder scs_session_model_decoder(const scs_session *session);

/** Moments of decoded cells (scs_decode_moments, which has shapes and units) by this session's
 * model. Local. */
SCS_MUST_USE scs_status scs_session_model_decode(const scs_session *session, const scs_real *z,
                                                 int64_t n, const double *delta, double *mean,
                                                 double *variance);

/** session->model (new, or the checkpoint's weights, with its atlas where it has one) or
 * session->pca; nothing for `mean`. Without a dataset the network alone, from the checkpoint.
 * SCS_EDATA: a damaged checkpoint; SCS_ENOMEM, SCS_EIO.
 * Collective. */
SCS_MUST_USE scs_status scs_session_model_make(scs_session *session);

/** gene_mean, gene_variance and deg of an atlas from the shards. SCS_ENOMEM, SCS_EIO. Collective.
 */
SCS_MUST_USE scs_status scs_session_model_fill_genes(scs_session *session, scs_atlas *atlas);

/** Where screen.distance says so, closeness of the atlas' control groups by mean expression; else
 * shifts compare latent means. SCS_ENOMEM. Collective. */
SCS_MUST_USE scs_status scs_session_model_measure_controls(scs_session *session);

/** Whether a loaded model, and its atlas where it has one, belong to the config and the data; no
 * model loaded: nothing to ask. SCS_EARG, SCS_EDATA with what differs. Collective. */
SCS_MUST_USE scs_status scs_session_model_check(scs_session *session);
/** session->atlas from the data, or the checkpoint's, and z. SCS_EDATA, SCS_EARG: the checkpoint's
 * atlas is of other cells than the data hold now. Collective. */
SCS_MUST_USE scs_status scs_session_model_make_atlas(scs_session *session);

/** output.dir/model.h5, by rank 0; under its final name the file is whole. SCS_ECREATE, SCS_EIO.
 * Collective. */
SCS_MUST_USE scs_status scs_session_model_save(scs_session *session);

#endif
