/** A file of latent coordinates that a decoder is asked about: what `embed` writes, or any .h5ad
 *  with a matrix of as many columns as the model has latent units.
 *
 *  Described in a sandboxed child before MPI starts; numbers are read afterwards, by each rank its
 *  rows. All functions are Local.
 */
#ifndef SCS_LATENT_FILE_H
#define SCS_LATENT_FILE_H

#include "src/base/bytes.h"

/** What is in the file. Owned. */
typedef struct scs_latent_file {
    char *path;
    char *matrix; /**< "obsm/X_scgen", "X" */
    int64_t n_cell;
    int32_t n_latent;     /**< its columns */
    scs_names genes;      /**< its var; none: the file says nothing of genes */
    char *model_checksum; /**< of the model that the coordinates are by; NULL: it does not say */
} scs_latent_file;

/** Describe it. SCS_EDATA: no such file or matrix (listing what there is), no 2-d numbers, other
 *  rows than obs has.
 *  @param      matrix "" : obsm/X_scgen, obsm/latent or X, the first that there is
 *  @param      memory bytes that one dataset may need; 0: 16 GiB
 *  @param[out] file zeroed before; the caller clears it, also after an error */
SCS_MUST_USE scs_status scs_latent_file_probe(const char *path, const char *matrix, int64_t memory,
                                              scs_latent_file *file);
/** Free all; zeroed is let through. */
void scs_latent_file_clear(scs_latent_file *file);
/** The description as bytes, and back. SCS_ENOMEM; get: SCS_EDATA. */
SCS_MUST_USE scs_status scs_latent_file_put(const scs_latent_file *file, scs_bytes *out);
/** See put. @param[out] file zeroed before */
SCS_MUST_USE scs_status scs_latent_file_get(scs_bytes *in, scs_latent_file *file);
/** Rows [first, first + n). SCS_EDATA: damaged, or a value that is not finite.
 *  @param[out] z [n, file->n_latent] */
SCS_MUST_USE scs_status scs_latent_file_read(const scs_latent_file *file, int64_t first, int64_t n,
                                             float *z);

#endif
