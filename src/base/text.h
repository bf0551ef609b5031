/** Small helpers for text that comes from users and files: copying, showing, comparing, reading.
 *
 *  Text from outside may hold anything: terminal escape codes, half a UTF-8 character, a NUL.
 *  What reads it checks it, and what shows it escapes it. All functions are Local.
 */
#ifndef SCS_TEXT_H
#define SCS_TEXT_H

#include "scscreen/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* ---- copies ---- */

/** A malloc'ed copy of the first n bytes, with a final NUL; *out is not freed first. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_text_copy_n(const char *text, size_t n, char **out);
/** The same of a whole text. */
SCS_MUST_USE scs_status scs_text_copy(const char *text, char **out);

/* ---- showing ---- */

/** Text for a terminal or a log: control characters and others that are not seen (no-break and
 * zero-width spaces, marks of direction) as \xNN, cut to fit. @param[out] out [size]
 *  @return out */
char *scs_text_escape(const char *text, char *out, size_t size);
/** Print text of any length: control characters as \xNN, but for those in `kept` ("\n" for text of
 * several lines, "" for a field of a table). */
void scs_text_print(FILE *out, const char *text, const char *kept);

/* ---- comparing and checking ---- */

/** Levenshtein distance that ignores ASCII case, in bytes: O(length a x length b).
 *  @return -1 when either text is longer than 120 bytes */
int scs_text_distance(const char *a, const char *b);
/** Whether n bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF). */
bool scs_text_is_utf8(const char *text, size_t n);

/** Read a decimal number, and nothing else: strtod alone would take blanks before it, "nan", "inf"
 * and hexadecimal ones.
 *  @param[out] value finite; only where it returns true  @return false for any other text, or one
 * that is too large */
bool scs_text_number(const char *text, double *value);

/* ---- files ---- */

/** `path` as seen from the folder that the file `base` lies in: "configs/a.yaml", "b.csv" ->
 * "configs/b.csv". An absolute path, or any where base is NULL, stays as it is.
 * @param[out] out malloc'ed. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_text_resolve(const char *base, const char *path, char **out);
/** The whole file as text, with a final NUL; also a pipe. Refuses folders, NUL bytes and more than
 * `max` bytes.
 *  @param[out] out malloc'ed; NULL after a failure  @return SCS_OK, SCS_EARG, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_text_read(const char *path, int64_t max, char **out);

#endif
