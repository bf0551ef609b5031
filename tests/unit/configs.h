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

/* What "KEY=WORD" is read as. @param offset of its int in scs_config */
static inline int read_choice(const char *key, const char *word, size_t offset)
{
    scs_config *c = NULL;
    char set[100];
    int value;

    snprintf(set, sizeof set, "%s=%s", key, word);
    CHECK_OK(parse_set(set, &c));
    value = *(const int *)((const char *)c + offset);
    scs_config_destroy(&c);
    return value;
}

#endif
