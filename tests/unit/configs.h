/** Configs made of short texts. */
#ifndef SCS_TESTS_CONFIGS_H
#define SCS_TESTS_CONFIGS_H

#include "tests/unit/suite.h"

#include "scscreen/config.h"

#include <string.h>

static const char *const none[] = {NULL};

static inline scs_status parse(const char *text, scs_config **c)
{
    return scs_config_parse("folder/a.yaml", text, none, 0, c);
}

static inline scs_status parse_set(const char *set, scs_config **c)
{
    return scs_config_parse("folder/a.yaml", "", &set, 1, c);
}

#endif
