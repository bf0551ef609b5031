/** What a fuzz target is: libFuzzer's entry, called with any bytes; and what the targets share.
 *
 *  A target aborts when a property does not hold, leaks nothing, and says nothing. Built with
 * clang's libFuzzer by `make fuzz`, and with replay.c as a plain test program. */
#ifndef SCS_FUZZ_TARGET_H
#define SCS_FUZZ_TARGET_H

#include "scscreen/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUZZ_PATH = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern int64_t fuzz_accepted; /**< inputs that were no refusal, so far */

/** The property holds, or the program ends as a crash. */
#define HOLDS(property)                                                                            \
    do {                                                                                           \
        if (!(property)) {                                                                         \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** Whether the input was accepted. A refusal has one of these codes, and words of one line. */
bool fuzz_accepts(scs_status status);

/** The bytes as a file that has a path. @param[out] path [FUZZ_PATH] @return descriptor for the
 * caller to close */
int fuzz_file(const uint8_t *data, size_t size, char *path);

#endif
