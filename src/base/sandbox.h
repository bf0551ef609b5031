/** Run a function that parses an untrusted file in a forked child with limits on memory, time and
 * files. Local; call before MPI_Init. */
#ifndef SCS_SANDBOX_H
#define SCS_SANDBOX_H

#include "src/base/bytes.h"

/** Runs in the child; what it puts into `out` reaches the parent. A failing status reaches it with
 * its message. */
typedef scs_status (*scs_sandbox_fn)(void *arg, scs_bytes *out);

/** @param what     for the message, e.g. the file's path
 *  @param memory   bytes of address space beyond what the process has now
 *  @param seconds  of CPU and of wall time
 *  @return the function's status; SCS_EDATA when the child crashed or ran out of time or memory */
SCS_MUST_USE scs_status scs_sandbox_run(const char *what, scs_sandbox_fn fn, void *arg,
                                        int64_t memory, int seconds, scs_bytes *out);

#endif
