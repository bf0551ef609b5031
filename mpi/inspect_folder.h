/** What a folder of results holds, and how to go on. Local. */
#ifndef SCS_INSPECT_FOLDER_H
#define SCS_INSPECT_FOLDER_H

#include "scscreen/status.h"

#include <stdbool.h>

bool scs_inspect_is_folder(const char *path);
/** Print a line for each file that scscreen writes, and what the next command is. SCS_EDATA where
 * one of them is damaged, or where there is none. */
SCS_MUST_USE scs_status scs_inspect_folder(const char *path);

#endif
