/** One parsed YAML text and the places in it. All functions are Local.
 *
 *  Aliases are harmless: whoever walks the tree goes no deeper than the table of keys does. */
#ifndef SCS_YAML_H
#define SCS_YAML_H

#include "src/config/value.h"
#include "scscreen/config.h"

#include <yaml.h>

/* YAML text onto a configuration, through the table of keys. */

/** Set what the text of a config file says. SCS_EARG: "FILE:LINE: ..." */
SCS_MUST_USE scs_status scs_yaml_apply(scs_config *config, const char *file, const char *text);
/** Set one key from "section.key=value", the value in YAML. SCS_EARG: "--set section.key: ..." */
SCS_MUST_USE scs_status scs_yaml_apply_set(scs_config *config, const char *set);

#endif
