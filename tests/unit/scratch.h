/** A folder of a test's own, and what stands in it. */
#ifndef SCS_TESTS_SCRATCH_H
#define SCS_TESTS_SCRATCH_H

#include "tests/unit/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_PATH = 512 };

static inline void scratch_make(char folder[SCRATCH_PATH])
{
    const char *base = getenv("TMPDIR");

    snprintf(folder, SCRATCH_PATH, "%s/scscreen-test-XXXXXX", base ? base : "/tmp");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

/* Takes over (closes) fd. */
static inline void scratch_empty(int fd)
{
    DIR *dir = fdopendir(fd);
    struct dirent *entry;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || unlinkat(fd, name, 0) == 0)
            continue;
        scratch_empty(openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        CU_ASSERT_EQUAL(unlinkat(fd, name, AT_REMOVEDIR), 0);
    }
    closedir(dir);
}

/** The folder and all that is in it. */
static inline void scratch_remove(const char *folder)
{
    scratch_empty(open(folder, O_RDONLY | O_DIRECTORY));
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

/** FOLDER/NAME in a buffer of the caller's. */
static inline const char *scratch_path(const char *folder, const char *name, char *out)
{
    snprintf(out, 2 * SCRATCH_PATH, "%s/%s", folder, name);
    return out;
}

/** Entries of a folder, without . and .. */
static inline int scratch_count(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static inline void scratch_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT(fputs(text, f) >= 0);
    CU_ASSERT_EQUAL(fclose(f), 0);
}

/** A whole file; caller frees. */
static inline char *scratch_read(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    struct stat info;
    char *bytes;

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL_FATAL(fstat(fileno(f), &info), 0);
    *size = (size_t)info.st_size;
    bytes = malloc(*size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    CU_ASSERT_EQUAL_FATAL(fread(bytes, 1, *size, f), *size);
    bytes[*size] = '\0';
    fclose(f);
    return bytes;
}

static inline bool scratch_same(const char *a, const char *b)
{
    size_t size_a, size_b;
    char *bytes_a = scratch_read(a, &size_a), *bytes_b = scratch_read(b, &size_b);
    bool same = size_a == size_b && memcmp(bytes_a, bytes_b, size_a) == 0;

    free(bytes_b);
    free(bytes_a);
    return same;
}

#endif
