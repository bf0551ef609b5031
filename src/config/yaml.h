/** YAML text onto a configuration, through the table of keys (libyaml).
 *
 *  A config has few forms, and everything else is refused with its line:
 *
 *      train: {batch: 64}                        a section and its keys
 *      hold_out:                                 a key that is itself a list of records
 *        - {cell_type: CD4T, condition: ifn}
 *      screen: {cell_types: [CD4*, NK]}          a list of names; or one name, or its word (all)
 *      data: {inputs: [a.h5ad]}                  a record in short form: its first member
 *      data: {map: {condition: {ctrl: control}}} records whose first member is a key of a map
 *
 *  Scalars are taken as they are written, never as YAML's own types: `no`, `1e3` and `0x10` are
 *  texts until the key says what they are. A key that stands twice, a name that is twice in a
 *  list, a second document and nesting beyond 32 levels are errors; so is an unknown key, with
 *  the one that may have been meant.
 *
 *  The text may be hostile. Its events are counted before a tree is built (libyaml takes
 *  quadratic time over deep nesting), and aliases are harmless: the walk goes no deeper than the
 *  table does.
 *
 *  All functions are Local. SCS_EARG with one line, "FILE:LINE: ..." or "--set KEY: ...";
 *  SCS_ENOMEM. After a failure the config holds what was set before it.
 */
#ifndef SCS_YAML_H
#define SCS_YAML_H

#include "scscreen/config.h"

/** Set what the text of a config file says; keys that it does not name stay as they are.
 *  @param file its path: for messages, and to resolve relative paths */
SCS_MUST_USE scs_status scs_yaml_apply(scs_config *config, const char *file, const char *text);
/** Set one key from "section.key=value", the value in YAML: "screen.doses=[1, 10]". Paths are
 * relative to the working directory; nothing after "=" is the empty text or list. */
SCS_MUST_USE scs_status scs_yaml_apply_set(scs_config *config, const char *set);

#endif
