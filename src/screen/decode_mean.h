/** Means over the same cells under many shifts: what no shift changes is computed once. All
 *  functions are Local.
 *
 *  A screen decodes the control cells of a type once for each perturbation, of which it needs the
 *  mean alone. Two halves follow from the network's shape (decode_mean.c): the mean of the last
 *  hidden activations over cells, and the linear output layer for many such means at once.
 */
#ifndef SCS_DECODE_MEAN_H
#define SCS_DECODE_MEAN_H

#include "scscreen/model.h"

/** Cells made ready to be shifted many times. */
typedef struct scs_decode_mean_hidden scs_decode_mean_hidden;

/** @param z [n, n_latent], n > 0 (SCS_EARG); borrowed, as model, for as long as it lives
 *  @param int8 products of hidden layers by src/kernels/gemm_int8.h where the processor has it,
 *  else BLAS: other last digits, so that it is decided alike on all ranks
 *  @param[out] cells destroyed by the caller; NULL after a failure  @return SCS_OK, SCS_EARG,
 *  SCS_ENOMEM */
SCS_MUST_USE scs_status scs_decode_mean_hidden_create(const scs_model *model, const scs_real *z,
                                                      int64_t n, bool int8,
                                                      scs_decode_mean_hidden **cells);
/** Sets *cells to NULL; it may be NULL. */
void scs_decode_mean_hidden_destroy(scs_decode_mean_hidden **cells);
/** Mean over the cells of the decoder's last hidden activations at z + delta. The same for many
 *  threads at once, each with a scratch of its own; the bits do not depend on threads.
 *  @param delta [n_latent] or NULL  @param scratch [scs_decode_mean_hidden_scratch]
 *  @param[out] mean [n_hidden] */
void scs_decode_mean_hidden_run(const scs_decode_mean_hidden *cells, const double *delta,
                                scs_real *scratch, double *mean);
/** Elements of one thread's scratch. */
int64_t scs_decode_mean_hidden_scratch(const scs_model *model);

/** The output layer, which turns means of hidden activations into means of decoded cells. */
typedef struct scs_decode_mean_genes scs_decode_mean_genes;

/** Holds a copy of the output layer's weights.
 *  @param model without output_relu; borrowed for its biases
 *  @param[out] decoder destroyed by the caller; NULL after a failure (SCS_ENOMEM) */
SCS_MUST_USE scs_status scs_decode_mean_genes_create(const scs_model *model,
                                                     scs_decode_mean_genes **decoder);
/** Sets *decoder to NULL; it may be NULL. */
void scs_decode_mean_genes_destroy(scs_decode_mean_genes **decoder);
/** The genes are cut into tasks: call scs_decode_mean_genes_run for all of them, in any order, on
 * any thread. */
int scs_decode_mean_genes_tasks(const scs_decode_mean_genes *decoder);
/** Doubles of one thread's work. */
int64_t scs_decode_mean_genes_work(const scs_decode_mean_genes *decoder);
/** In double precision; a row's bits do not depend on the others.
 *  @param hidden [n, n_hidden]  @param work [scs_decode_mean_genes_work] of this thread
 *  @param[out] mean [n, n_gene], of which the task's genes are set */
void scs_decode_mean_genes_run(const scs_decode_mean_genes *decoder, int task, const double *hidden,
                               int64_t n, double *work, double *mean);

#endif
