/** Builds that are instrumented: --enable-coverage, --enable-sanitize. */
#ifndef SCS_INSTRUMENT_H
#define SCS_INSTRUMENT_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCS_SANITIZE 1
#else
#define SCS_SANITIZE 0
#endif

/** Before _exit, which passes the exit handlers by: what was counted so far goes to its files. */
#ifdef SCS_COVERAGE
#include <gcov.h>
#define SCS_LEAVE(code) (__gcov_dump(), _exit(code))
#else
#define SCS_COVERAGE 0
#define SCS_LEAVE(code) _exit(code)
#endif

#endif
