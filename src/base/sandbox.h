/** Run a function that parses an untrusted file in a forked child, with limits on memory, time
 *  and files.
 *
 *  Why: of 2,000 random mutants of a good h5ad 6.4 % crashed a plain reader of HDF5 1.10 and 3.8
 *  % made it run without end, all in variable-length strings, which AnnData requires; H5Fopen
 *  alone crashes on some files. In a child that is one clear line to the user, and the job does
 *  not die of it.
 *
 *  The child may use as much address space as `memory` says, no core file, no bytes in files,
 *  `seconds` of CPU; the parent kills it after `seconds` of wall time, and it dies with its
 *  parent. It prints nothing. What it returns goes through a pipe: a status with its message,
 *  then the bytes it put together (src/base/bytes.h).
 *
 *  Local, on one rank, before MPI_Init: forking under MPI is not safe on every interconnect.
 */
#ifndef SCS_SANDBOX_H
#define SCS_SANDBOX_H

#include "src/base/bytes.h"

/** What the child runs. The bytes that it puts into `out` reach the parent if it returns SCS_OK; a
 * failing status reaches it with its message. Whatever else it changes stays in the child. */
typedef scs_status (*scs_sandbox_fn)(void *arg, scs_bytes *out);

/** Fork, run, wait.
 *  @param what     for messages, e.g. the file's path
 *  @param memory   bytes of address space beyond what the process has now; also the most it may
 * send
 *  @param seconds  of CPU and of wall time
 *  @param[out] out what the child put together is appended
 *  @return the function's own status; SCS_EDATA when the child crashed or ran out of time or
 * memory; SCS_EIO or SCS_ENOMEM when there is no pipe or no process */
SCS_MUST_USE scs_status scs_sandbox_run(const char *what, scs_sandbox_fn fn, void *arg,
                                        int64_t memory, int seconds, scs_bytes *out);

#endif
