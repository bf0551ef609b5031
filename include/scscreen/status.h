/** Status codes and the error message that travels with them; the types that all others share.
 *
 *  Every fallible function returns scs_status. The first failure on a thread sets a message;
 * callers pass the status on with SCS_TRY, which also records where it passed (scs_trace). All
 * functions here are Local.
 */
#ifndef SCSCREEN_STATUS_H
#define SCSCREEN_STATUS_H

#include <stdint.h>

typedef int32_t scs_lidx; /**< an index within one rank (rows of a block, genes, groups) */
typedef int64_t scs_gidx; /**< an index over all ranks (cells, non-zeros, parameters) */

#ifdef SCS_DOUBLE
typedef double scs_real;
#else
typedef float scs_real; /**< the number type of the network; double where compiled so */
#endif

/** An ordered list of names (genes, cell types, conditions, species, columns). */
typedef struct scs_names {
    scs_lidx n;
    char **name; /**< [n], each owned by the list */
} scs_names;

typedef enum scs_status {
    SCS_OK = 0,
    SCS_EARG,      /**< usage or configuration; exit code 64 */
    SCS_EDATA,     /**< input data refused; 65 */
    SCS_ENOMEM,    /**< out of memory; 70 */
    SCS_EINTERNAL, /**< a bug; 70 */
    SCS_ENUMERIC,  /**< NaN or Inf in training; 70 */
    SCS_ECREATE,   /**< an output cannot be created (no permission, full disk); 73 */
    SCS_EIO,       /**< reading or writing failed; 74 */
    SCS_ESTOP      /**< stopped, can be resumed; 75 */
} scs_status;

#define SCS_MUST_USE __attribute__((warn_unused_result))
#define SCS_PRINTF(f, a) __attribute__((format(printf, f, a)))

/** Set this thread's message (one line, at most SCS_MESSAGE_MAX bytes, control characters as "?")
 * and begin a new trace.
 *  @return `status`, so that `return scs_fail(...)` reads well. */
scs_status scs_fail(scs_status status, const char *file, int line, const char *format, ...)
    SCS_PRINTF(4, 5);

/** Record that a failing status passed `file:line` on its way up. @return `status` */
scs_status scs_passed(scs_status status, const char *file, int line, const char *what);

/** Put words before this thread's message ("configs/a.yaml: " + message). @return `status` */
scs_status scs_context(scs_status status, const char *format, ...) SCS_PRINTF(2, 3);

enum { SCS_MESSAGE_MAX = 1024, SCS_TRACE_MAX = 2048 };

/** This thread's message, "" if none. Owned by the library, until the next failure on the thread.
 */
const char *scs_message(void); /**< this thread's message, "" if none; owned by the library */
/** Where this thread's failure passed: lines "call at file:line", innermost first. Owned likewise.
 */
const char *scs_trace(void); /**< "call at file:line" lines, innermost first */
/** Take over another rank's message, which is cut to SCS_MESSAGE_MAX and made one line. */
void scs_message_set(const char *message); /**< take over another rank's message */
/** Forget message and trace. */
void scs_message_clear(void);
/** What a status is called in messages; static, also for a number that is none. */
const char *scs_status_name(scs_status status);
/** The program's exit code for a status; 70 for a number that is none. */
int scs_exit_code(scs_status status);

/** How SCS_TRY and SCS_GO make a call; test builds define it before (src/base/fault.h). */
#ifndef SCS_CALL
#define SCS_CALL(st, call) (st) = (call)
#endif

/** Pass a failure on, with file and line. */
#define SCS_TRY(call)                                                                              \
    do {                                                                                           \
        scs_status scs_try_;                                                                       \
        SCS_CALL(scs_try_, call);                                                                  \
        if (scs_try_ != SCS_OK) {                                                                  \
            (void)scs_passed(scs_try_, __FILE__, __LINE__, #call);                                 \
            return scs_try_;                                                                       \
        }                                                                                          \
    } while (0)

/** The same where something must be released first: sets `st`, goes to the label `done`. */
#define SCS_GO(st, call)                                                                           \
    do {                                                                                           \
        SCS_CALL(st, call);                                                                        \
        if ((st) != SCS_OK) {                                                                      \
            (void)scs_passed((st), __FILE__, __LINE__, #call);                                     \
            goto done;                                                                             \
        }                                                                                          \
    } while (0)

/** Fail unless `cond`; the rest is the status and a printf format with its arguments. */
#define SCS_REQUIRE(cond, status, ...)                                                             \
    do {                                                                                           \
        if (!(cond))                                                                               \
            return SCS_FAIL((status), __VA_ARGS__);                                                \
    } while (0)

/** Sets the message. The value is `status` itself, so that compilers and analyzers see that it is
 * none of success. */
#define SCS_FAIL(status, ...) ((void)scs_fail((status), __FILE__, __LINE__, __VA_ARGS__), (status))

/** Zeroed memory for n elements of *p: `SCS_TRY(SCS_ALLOC(p, n))`. n = 0 gives a valid pointer. */
#define SCS_ALLOC(p, n)                                                                            \
    (((p) = scs_allocate((n), sizeof *(p))) != 0                                                   \
         ? SCS_OK                                                                                  \
         : SCS_FAIL(SCS_ENOMEM, "out of memory: %s needs %lld x %zu bytes", #p, (long long)(n),    \
                    sizeof *(p)))

/** calloc with a checked product, 64-byte aligned; NULL when n < 0, on overflow or when memory is
 * out. Free with free(). */
void *scs_allocate(int64_t n, uint64_t size) SCS_MUST_USE;

/** realloc to n elements with a checked product: what is new is not set. NULL when n < 0, on
 * overflow or when memory is out; `old` then stays as it was. */
void *scs_reallocate(void *old, int64_t n, uint64_t size) SCS_MUST_USE;

#endif
