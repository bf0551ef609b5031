/** Paths as a config has them: what `~/`, `$NAME` and `${NAME}` in them stand for.
 *
 *  A shell replaces these where it sees them, and it does not see a config, nor what stands behind
 *  the "=" of --set. So they are replaced when the value is set, and what is kept, compared and
 *  printed is the path that is opened:
 *
 *      ~/NAME          at its start: $HOME/NAME
 *      $NAME, ${NAME}  the variable, which must be set and not empty
 *      $$              a $
 *
 *  Any other $ is itself. What only a shell could do ($(command), ${NAME:-other}, ~user/) is
 *  refused: no file is meant that is called so. What has been replaced is not looked at again.
 *
 *  Variables may differ from one rank's machine to another's. Rank 0 alone replaces them, and the
 *  others take its paths: scs_path_put, scs_path_get, and those of lists (src/data/inputs.h).
 *
 *  All functions are Local. Besides what is said, they fail with SCS_ENOMEM.
 */
#ifndef SCS_PATH_H
#define SCS_PATH_H

#include "src/base/bytes.h"
#include "scscreen/config.h"

/** The path that a text stands for, not yet resolved against a folder.
 *  @param text as the user wrote it  @param place "FILE:LINE: KEY", for messages
 *  @param[out] path malloc'ed  @return SCS_EARG that names the variable */
SCS_MUST_USE scs_status scs_path_expand(const char *text, const char *place, char **path);
/** A text that stands for this path. @param[out] text malloc'ed; NULL after a failure */
SCS_MUST_USE scs_status scs_path_quote(const char *path, char **text);

/** Append the values of all keys that are paths. */
SCS_MUST_USE scs_status scs_path_put(const scs_config *config, scs_bytes *out);
/** And set them in another process' config. SCS_EDATA as all that gets bytes. */
SCS_MUST_USE scs_status scs_path_get(scs_bytes *in, scs_config *config);

#endif
