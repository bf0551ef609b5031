/** The output layer tile by tile: O(cells n_gene n_hidden), exact for any output activation. Local.
 */
#ifndef SCS_OUTPUT_DENSE_H
#define SCS_OUTPUT_DENSE_H

#include "src/output.h"

typedef struct scs_tiled scs_tiled;
SCS_MUST_USE scs_status scs_tiled_create(const scs_arch *arch, int32_t n_part, int32_t max_rows,
                                         scs_tiled **tiled);
void scs_tiled_destroy(scs_tiled **tiled);
/** As scs_output_step. */
void scs_tiled_step(scs_tiled *tiled, const scs_real *param, double scale, scs_output_part *part);

#endif
