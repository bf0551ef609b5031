/** Whether the BLAS that was chosen by the environment works on this processor. */
#ifndef SCS_BLAS_PROBE_H
#define SCS_BLAS_PROBE_H

#include <stdbool.h>

/** Small products in a forked child, compared with plain loops: an OPENBLAS_CORETYPE that the
 * processor cannot execute ends there. Local; call before MPI_Init. */
bool scs_blas_works(void);

#endif
