#include "src/h5path.h"

#include <stdarg.h>
#include <stdio.h>

scs_status scs_h5_path(char **path, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    SCS_TRY(SCS_ALLOC(*path, (int64_t)n + 1));
    va_start(args, format);
    vsnprintf(*path, (size_t)n + 1, format, args);
    va_end(args);
    return SCS_OK;
}
