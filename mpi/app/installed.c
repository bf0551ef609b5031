/* From the program's own place, not from configure's prefix: a tree that was moved after `make
 * install` stays right. */
#include "mpi/app/installed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The folder above that of the program is the prefix, or the source tree of a build in build/. */
const char *scs_installed_report(char *path, size_t size)
{
    static const char *const places[] = {"share/scscreen/scripts/report", "scripts/report"};
    static const char name[] = "scripts/report";
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n < 0 || access(name, X_OK) == 0)
        return name;
    for (int above = 0; above < 2; above++) {
        self[n] = '\0';
        n = strrchr(self, '/') ? strrchr(self, '/') - self : 0;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, size, "%.*s/%s", (int)n, self, places[i]);
        if (access(path, X_OK) == 0)
            return path;
    }
    return name;
}
