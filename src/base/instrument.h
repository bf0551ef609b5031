/** Builds that are instrumented: --enable-coverage, --enable-sanitize.
 *
 *  SCS_SANITIZE and SCS_COVERAGE are 0 or 1, for code that must step aside: clones of vector
 *  loops (src/base/simd.h), limits on memory and files (src/base/sandbox.c).
 */
#ifndef SCS_INSTRUMENT_H
#define SCS_INSTRUMENT_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCS_SANITIZE 1
#else
#define SCS_SANITIZE 0
#endif

/** _exit, after writing what coverage has counted: _exit skips the handlers that would do it. */
#ifdef SCS_COVERAGE
#include <gcov.h>
#define SCS_LEAVE(code) (__gcov_dump(), _exit(code))
#else
#define SCS_COVERAGE 0
#define SCS_LEAVE(code) _exit(code)
#endif

#endif
