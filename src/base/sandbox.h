/** Run a function that parses an untrusted file in a forked child, with limits on memory, time
 *  and files.
 *
 *  Why: of 2,000 random mutants of a good h5ad 6.4 % crashed a plain reader of HDF5 1.10 and 3.8
 *  % made it run without end, all in variable-length strings, which AnnData requires; H5Fopen
 *  alone crashes on some files. In a child that is one clear line to the user, and the job does
 *  not die of it.
 *
 *  The child may use as much address space as `memory` says, no core file and no bytes in files.
 *  Its processor time follows the file's size and what the child says that it is about to read
 *  (scs_sandbox_allow): a damaged file of 20 KB that makes HDF5 run in a circle is refused after
 *  seconds. Its wall time has no end as long as it works or bytes arrive: a sound file on a slow
 *  file system is read; where nothing moves for `still` seconds the parent kills it. It dies with
 *  its parent. It prints nothing. What it returns goes through a pipe: a status with its message,
 *  then the bytes it put together (src/base/bytes.h).
 *
 *  Local, on one rank, before MPI_Init: forking under MPI is not safe on every interconnect. A
 * child that was started before may be waited for later.
 */
#ifndef SCS_SANDBOX_H
#define SCS_SANDBOX_H

#include "src/base/bytes.h"

/** What the child runs. The bytes that it puts into `out` reach the parent if it returns SCS_OK; a
 * failing status reaches it with its message. Whatever else it changes stays in the child. */
typedef scs_status (*scs_sandbox_fn)(void *arg, scs_bytes *out);

/** Times of 0 stand for what is right for a file. */
typedef struct scs_sandbox_limits {
    int64_t memory; /**< bytes of address space beyond what the process has now; also the most that
                       the child may send */
    int processor; /**< seconds of processor time for a start; 0: 2, and one for every 16 MiB of the
                      file */
    int still;     /**< seconds without processor time and without bytes read; 0: 120 */
    int64_t size;  /**< bytes to be read; 0: those of the file */
} scs_sandbox_limits;

/** In the child: allow it the processor time that reading `bytes` takes, decoded. All that it may
 * be allowed is 1000 times what the file stores. Elsewhere without effect. */
void scs_sandbox_allow(int64_t bytes);

/** Fork, run, wait.
 *  @param what     the file's path; for messages, and its size counts
 *  @param[out] out what the child put together is appended
 *  @return the function's own status; SCS_EDATA when the child crashed or ran out of time or
 * memory; SCS_EIO or SCS_ENOMEM when there is no pipe or no process */
SCS_MUST_USE scs_status scs_sandbox_run(const char *what, scs_sandbox_fn fn, void *arg,
                                        const scs_sandbox_limits *limits, scs_bytes *out);

/* ---- the same in two calls, between which the child works beside this process ---- */

/** A child at work. */
typedef struct scs_sandbox scs_sandbox;

/** Fork. SCS_EIO, SCS_ENOMEM. @param[out] child to be waited for or stopped; NULL after an error */
SCS_MUST_USE scs_status scs_sandbox_start(const char *what, scs_sandbox_fn fn, void *arg,
                                          const scs_sandbox_limits *limits, scs_sandbox **child);
/** Wait for its end; returns as scs_sandbox_run. @param[in,out] child NULL afterwards */
SCS_MUST_USE scs_status scs_sandbox_wait(scs_sandbox **child, scs_bytes *out);
/** Kill it, for a caller that has failed meanwhile. NULL is let through. */
void scs_sandbox_stop(scs_sandbox **child);

#endif
