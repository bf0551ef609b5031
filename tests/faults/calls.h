/** Calls that fail on demand: for each place that allocates memory, or calls the system or HDF5,
 * what becomes of the function under test when that call fails. Linked with -Wl,--wrap for all that
 * tests/faults/wraps.c names, so that only calls of our own code fail. */
#ifndef SCS_TESTS_CALLS_H
#define SCS_TESTS_CALLS_H

#include "scscreen/status.h"

#include <stdbool.h>

/** Kinds of calls, to be combined. */
enum { CALLS_MEMORY = 1, CALLS_SYSTEM = 2, CALLS_HDF5 = 4 };

/** What is tried, again and again with the same argument. */
typedef struct calls_case {
    const char *name;
    scs_status (*call)(void *arg); /**< under test: calls in it fail */
    /** Nothing fails here: checks what is there after success (some calls may fail without harm)
     * and after a failure, and frees it. NULL: nothing to do. */
    void (*after)(void *arg, scs_status st);
} calls_case;

/** Each time the first call of these kinds that has not failed before fails (a call: the top of its
 * stack, and whether it is the first or, of allocations, the second one there), until all have.
 *
 * Checks of each run that it failed with a message, SCS_ENOMEM if memory was refused (SCS_EDATA in
 * the reader's own process), or succeeded all the same; and that nothing is left: memory, file
 * descriptors, HDF5 handles.
 *  @return runs with a failing call */
int calls_sweep(int kinds, const calls_case *c, void *arg);

/** The same for each of the kinds; prints how many calls have failed. */
void calls_sweep_all(const calls_case *c, void *arg);

/** For wraps.c. Whether this call has to fail. */
bool calls_hit(int kind);
/** For wraps.c. Memory that our own code took, and gave back. */
void *calls_took(void *p);
void calls_gave(void *p);
/** For wraps.c. HDF5 handles that our own code opened, and closed. @return their argument */
int64_t calls_opened(int64_t id);
int calls_shut(int code);

#endif
