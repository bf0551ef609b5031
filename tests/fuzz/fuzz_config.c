/* A config: refused with its line, or printed as a text that is read as the same config. Bytes
 * after a NUL are --set arguments. */
#include "scscreen/config.h"
#include "tests/fuzz/target.h"

static void check_printed(const scs_config *config)
{
    char *text = NULL, *again = NULL;
    scs_config *copy = NULL;

    HOLDS(scs_config_print(config, &text) == SCS_OK);
    if (scs_config_parse("fuzz.yaml", text, NULL, 0, &copy) != SCS_OK) {
        fprintf(stderr, "%s\n%s\n", scs_message(), text);
        HOLDS(!"what is printed is read again");
    }
    HOLDS(scs_config_print(copy, &again) == SCS_OK);
    HOLDS(strcmp(text, again) == 0);
    free(text);
    free(again);
    scs_config_destroy(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *set = NULL;
    scs_config *config = NULL;
    const char *sets[1];
    scs_status status;

    HOLDS(text);
    memcpy(text, data, size);
    text[size] = '\0';
    set = text + strlen(text) + 1;
    sets[0] = set;
    status = scs_config_parse("fuzz.yaml", text, sets, set < text + size, &config);
    if (fuzz_accepts(status))
        check_printed(config);
    scs_config_destroy(&config);
    free(text);
    return 0;
}
