/** Means of decoded cells from means of hidden activations: the output layer is linear. Local. */
#ifndef SCS_MEAN_DECODER_H
#define SCS_MEAN_DECODER_H

#include "scscreen/model.h"

typedef struct scs_mean_decoder scs_mean_decoder;

/** Holds a copy of the output layer's weights. @param model without output_relu; borrowed */
SCS_MUST_USE scs_status scs_mean_decoder_create(const scs_model *model, scs_mean_decoder **decoder);
void scs_mean_decoder_destroy(scs_mean_decoder **decoder);
/** The genes are cut into tasks: call scs_mean_decoder_run for all of them, in any order, on any
 * thread. */
int scs_mean_decoder_tasks(const scs_mean_decoder *decoder);
int64_t scs_mean_decoder_work(const scs_mean_decoder *decoder);
/** In double precision; a row's bits do not depend on the others.
 *  @param hidden [n, n_hidden]  @param work [scs_mean_decoder_work] of this thread
 *  @param[out] mean [n, n_gene], of which the task's genes are set */
void scs_mean_decoder_run(const scs_mean_decoder *decoder, int task, const double *hidden,
                          int64_t n, double *work, double *mean);

#endif
