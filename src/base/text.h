/** Small helpers for text that comes from users and files. All functions are Local. */
#ifndef SCS_TEXT_H
#define SCS_TEXT_H

#include "scscreen/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** A malloc'ed copy; *out is not freed first. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_text_copy(const char *text, char **out);
/** The same of the first n bytes. */
SCS_MUST_USE scs_status scs_text_copy_n(const char *text, size_t n, char **out);
/** Text for a terminal or a log: control characters as \xNN, cut to fit. @return out */
char *scs_text_escape(const char *text, char *out, size_t size);
/** Print text of any length: control characters as \xNN, but for those in `kept` ("\n" for text of
 * several lines, "" for a field of a table). */
void scs_text_print(FILE *out, const char *text, const char *kept);
/** Levenshtein distance that ignores ASCII case; -1 when either text is longer than 120 bytes. */
int scs_text_distance(const char *a, const char *b);
/** Whether the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates). */
bool scs_text_is_utf8(const char *text, size_t n);
/** `path` as seen from the folder that `base` (a file) lies in; absolute paths stay. Caller frees.
 */
SCS_MUST_USE scs_status scs_text_resolve(const char *base, const char *path, char **out);
/** The whole file as text, with a final NUL. Refuses folders, NUL bytes and more than `max` bytes
 * (SCS_EARG). */
SCS_MUST_USE scs_status scs_text_read(const char *path, int64_t max, char **out);

#endif
