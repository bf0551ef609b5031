/** The smallest runner around CUnit: one suite a program, exit status 1 on any failure. */
#ifndef SCS_TESTS_SUITE_H
#define SCS_TESTS_SUITE_H

#include "scscreen/status.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct scs_test {
    const char *name;
    void (*run)(void);
} scs_test;

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
    for (int i = 0; s && i < n_test; i++)
        if (!CU_add_test(s, tests[i].name, tests[i].run))
            return 2;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return s && failed == 0 ? 0 : 1;
}

/** Folder with the real data and parity fixtures; ends the program loudly when it is missing. */
static inline const char *shared_folder(void)
{
    const char *folder = getenv("SCS_SHARED");
    FILE *probe;
    char path[4096];

    folder = folder ? folder : "../shared";
    snprintf(path, sizeof path, "%s/data/README.md", folder);
    probe = fopen(path, "r");
    if (!probe) {
        fprintf(stderr,
                "FAILED: no real data in %s; set SCS_SHARED to the folder that holds data/ and "
                "parity/\n",
                folder);
        exit(1);
    }
    fclose(probe);
    return folder;
}

#endif
