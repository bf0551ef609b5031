/** Cells made ready to be moved by many shifts: what no shift changes is computed once. Local. */
#ifndef SCS_DECODE_MEAN_H
#define SCS_DECODE_MEAN_H

#include "scscreen/model.h"

typedef struct scs_decode_mean_hidden scs_decode_mean_hidden;

/** @param z [n, n_latent], n > 0 (SCS_EARG); borrowed, as model
 *  @param tiles products of hidden layers by src/tiles.h where the processor has them, else BLAS */
SCS_MUST_USE scs_status scs_decode_mean_hidden_create(const scs_model *model, const scs_real *z,
                                                      int64_t n, bool tiles,
                                                      scs_decode_mean_hidden **moving);
void scs_decode_mean_hidden_destroy(scs_decode_mean_hidden **moving);
/** Mean over the cells of the decoder's last hidden activations at z + delta. The same for many
 * threads at once, each with a scratch of its own.
 *  @param delta [n_latent] or NULL  @param scratch [scs_decode_mean_hidden_scratch]
 *  @param[out] mean [n_hidden] */
void scs_decode_mean_hidden_run(const scs_decode_mean_hidden *moving, const double *delta,
                                scs_real *scratch, double *mean);
int64_t scs_decode_mean_hidden_scratch(const scs_model *model);

/* Means of decoded cells from means of hidden activations: the output layer is linear. Local. */

typedef struct scs_decode_mean_genes scs_decode_mean_genes;

/** Holds a copy of the output layer's weights. @param model without output_relu; borrowed */
SCS_MUST_USE scs_status scs_decode_mean_genes_create(const scs_model *model,
                                                     scs_decode_mean_genes **decoder);
void scs_decode_mean_genes_destroy(scs_decode_mean_genes **decoder);
/** The genes are cut into tasks: call scs_decode_mean_genes_run for all of them, in any order, on
 * any thread. */
int scs_decode_mean_genes_tasks(const scs_decode_mean_genes *decoder);
int64_t scs_decode_mean_genes_work(const scs_decode_mean_genes *decoder);
/** In double precision; a row's bits do not depend on the others.
 *  @param hidden [n, n_hidden]  @param work [scs_decode_mean_genes_work] of this thread
 *  @param[out] mean [n, n_gene], of which the task's genes are set */
void scs_decode_mean_genes_run(const scs_decode_mean_genes *decoder, int task, const double *hidden,
                               int64_t n, double *work, double *mean);

#endif
