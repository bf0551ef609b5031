/** output.dir/training.1.h5 and training.2.h5: the two last states of a run. All functions are
 * Local. */
#ifndef SCS_STATE_FILES_H
#define SCS_STATE_FILES_H

#include "scscreen/config.h"
#include "src/state.h"

#include <stddef.h>

enum { SCS_STATE_FILES = 2 };

/** Path of file `slot` (0 or 1). @param[out] out [size] */
SCS_MUST_USE scs_status scs_state_file(const scs_config *config, int slot, char *out, size_t size);
/** The newest sound state, NULL where there is none to go on from; a damaged one is passed over
 * with a warning on stderr.
 *  @return SCS_EDATA when all there are are damaged, SCS_EARG (with the keys) when the config has
 * changed since */
SCS_MUST_USE scs_status scs_state_files_find(const scs_config *config, scs_state **state);
/** Remove both. SCS_EIO. */
SCS_MUST_USE scs_status scs_state_files_remove(const scs_config *config);

#endif
