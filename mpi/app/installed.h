/** What was installed with the program, or lies beside it in a source tree. Local. */
#ifndef SCS_INSTALLED_H
#define SCS_INSTALLED_H

#include <stddef.h>

/** Where the report of this program is: "scripts/report" where the working directory has it, else
 * beside the program as it was built or installed, else "scripts/report" again.
 *  @param[out] path [size] what it may point into
 *  @return never NULL; not owned
 */
const char *scs_installed_report(char *path, size_t size);

#endif
