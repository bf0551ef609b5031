/** The smallest runner around CUnit: one suite a program, exit status 1 on any failure. */
#ifndef SCS_TESTS_SUITE_H
#define SCS_TESTS_SUITE_H

#include "scscreen/status.h"

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct scs_test {
    const char *name;
    void (*run)(void); /**< NULL: skipped, this build does not allow it */
} scs_test;

/** Exit status of a program that can test nothing on this machine. */
enum { SKIPPED = 77 };

/** Say that a test cannot run on this machine; tests/count-results goes by this line. The caller
 * leaves the test out, since CUnit would count it as passed. */
static inline void skip_test(const char *test, const char *why)
{
    printf("SKIPPED: %s: %s\n", test, why);
}

/** CU_ASSERT that a call succeeds; prints its message when it does not. */
#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        scs_status check_ = (call);                                                                \
        if (check_ != SCS_OK)                                                                      \
            fprintf(stderr, "\n    %s: %s\n%s\n", #call, scs_message(), scs_trace());              \
        CU_ASSERT_EQUAL_FATAL(check_, SCS_OK);                                                     \
    } while (0)

/** CU_ASSERT that a call fails with this status and that its message contains these words. */
#define CHECK_FAILS(call, status, words)                                                           \
    do {                                                                                           \
        scs_status check_ = (call);                                                                \
        int said_ = check_ != SCS_OK && strstr(scs_message(), (words)) != NULL;                    \
        if (check_ != (status) || !said_)                                                          \
            fprintf(stderr, "\n    %s: status %s, message \"%s\", expected \"%s\"\n", #call,       \
                    scs_status_name(check_), scs_message(), (words));                              \
        CU_ASSERT_EQUAL(check_, (status));                                                         \
        CU_ASSERT(said_);                                                                          \
    } while (0)

static inline int run_suite(const char *suite, const scs_test *tests, int n_test)
{
    CU_pSuite s;
    unsigned failed;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    s = CU_add_suite(suite, NULL, NULL);
    for (int i = 0; s && i < n_test; i++) {
        if (!tests[i].run)
            skip_test(tests[i].name, "not in this build");
        else if (!CU_add_test(s, tests[i].name, tests[i].run))
            return 2;
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return s && failed == 0 ? 0 : 1;
}

/** Path of a file with real data or a parity fixture, in the folder that SCS_SHARED names. @return
 * overwritten by the next call */
static inline const char *real_file(const char *name)
{
    static char path[4096];
    const char *folder = getenv("SCS_SHARED");

    snprintf(path, sizeof path, "%s/%s", folder ? folder : "../shared", name);
    return path;
}

/** Is the file there that a test needs? If not, says that the test is skipped. */
static inline bool has_real_file(const char *test, const char *name)
{
    char why[4200];
    FILE *file = fopen(real_file(name), "rb");

    if (file) {
        fclose(file);
        return true;
    }
    snprintf(why, sizeof why, "no real data: %s", real_file(name));
    skip_test(test, why);
    return false;
}

#endif
