/* What a data set has to say to its user: notes that are printed once it is read, and hints in
 * refusals. Both hold labels that came out of a file, and are escaped before they reach a
 * terminal.
 */
#include "src/data/notes.h"
#include "src/base/names.h"
#include "src/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

scs_status scs_notes_add(scs_dataset *d, const char *format, ...)
{
    char line[SCS_MESSAGE_MAX], escaped[SCS_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return scs_names_add(&d->notes, scs_text_escape(line, escaped, sizeof escaped));
}

char *scs_notes_hint(const scs_names *names, const char *wrong, char *out, size_t size)
{
    const char *nearest = scs_names_nearest(names, wrong);
    char *end;

    scs_names_list(names, 12, out, size * 2 / 3);
    if (names->n == 0)
        snprintf(out, size, "no label at all");
    end = out + strlen(out);
    if (nearest)
        snprintf(end, size - (size_t)(end - out), "; did you mean %s?", nearest);
    return out;
}
