/** YAML text onto a configuration, through the table of keys. All functions are Local. */
#ifndef SCS_CONFIG_YAML_H
#define SCS_CONFIG_YAML_H

#include "scscreen/config.h"

/** Set what the text of a config file says. SCS_EARG: "FILE:LINE: ..." */
SCS_MUST_USE scs_status scs_yaml_apply(scs_config *config, const char *file, const char *text);
/** Set one key from "section.key=value", the value in YAML. SCS_EARG: "--set section.key: ..." */
SCS_MUST_USE scs_status scs_yaml_apply_set(scs_config *config, const char *set);
/** Keys with their values, section by section. @param affects scs_affects bits: the keys that
 * affect any of these; SCS_AFFECTS_NOTHING: all keys. Caller frees. */
SCS_MUST_USE scs_status scs_yaml_print(const scs_config *config, int affects, char **yaml);

#endif
