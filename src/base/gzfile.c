/* Bytes of a file, inflated where they have to be (gzfile.h).
 *
 * zlib's own reader takes plain files, too, and seeks in them without reading. In a compressed file
 * there is no other way to a place than through all that stands before it: going back begins anew,
 * O(bytes before) each time, so that callers read forwards where they can.
 *
 * Without zlib plain files are read by stdio, and compressed ones are refused by their first two
 * bytes, with what to do. */
#include "src/base/gzfile.h"

#include "config.h"
#include "src/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

struct scs_gzfile {
    char *path;
#ifdef HAVE_ZLIB
    gzFile file;
#else
    FILE *file;
#endif
};

#ifdef HAVE_ZLIB
static scs_status open_file(scs_gzfile *f)
{
    f->file = gzopen(f->path, "rbe");
    SCS_REQUIRE(f->file, SCS_EDATA, "%s: cannot be read: %s", f->path,
                errno ? strerror(errno) : "out of memory");
    (void)gzbuffer(f->file, 1 << 17);
    return SCS_OK;
}

/* An end within a compressed stream is told only when asked for. */
static scs_status check(scs_gzfile *f, bool good)
{
    int error = Z_OK;
    const char *what = gzerror(f->file, &error);
    size_t n = strlen(f->path);

    if (strncmp(what, f->path, n) == 0 && strncmp(what + n, ": ", 2) == 0)
        what += n + 2; /* zlib's texts begin with the path */
    SCS_REQUIRE(good && (error == Z_OK || error == Z_STREAM_END), SCS_EDATA,
                "%s: %s%s; fetch it again", f->path,
                error == Z_DATA_ERROR ? "its compressed bytes are damaged: " : "",
                error == Z_BUF_ERROR ? "was cut short"
                : *what              ? what
                                     : "cannot be read");
    return SCS_OK;
}

scs_status scs_gzfile_read(scs_gzfile *f, void *out, int64_t room, int64_t *got)
{
    const int64_t most = 1 << 30;
    int n = gzread(f->file, out, (unsigned)(room < most ? room : most));

    *got = n;
    SCS_TRY(check(f, n >= 0));
    return SCS_OK;
}

scs_status scs_gzfile_seek(scs_gzfile *f, int64_t at)
{
    return check(f, gzseek(f->file, at, SEEK_SET) == at);
}

static void close_file(scs_gzfile *f)
{
    if (f->file)
        (void)gzclose(f->file);
}
#else
static scs_status open_file(scs_gzfile *f)
{
    unsigned char start[2] = {0};

    f->file = fopen(f->path, "rbe");
    SCS_REQUIRE(f->file, SCS_EDATA, "%s: cannot be read: %s", f->path, strerror(errno));
    SCS_REQUIRE(fread(start, 1, 2, f->file) < 2 || start[0] != 0x1f || start[1] != 0x8b, SCS_EDATA,
                "%s: is compressed, and scscreen was built without zlib: gunzip it", f->path);
    return scs_gzfile_seek(f, 0);
}

scs_status scs_gzfile_read(scs_gzfile *f, void *out, int64_t room, int64_t *got)
{
    *got = (int64_t)fread(out, 1, (size_t)room, f->file);
    SCS_REQUIRE(!ferror(f->file), SCS_EDATA, "%s: cannot be read: %s", f->path, strerror(errno));
    return SCS_OK;
}

scs_status scs_gzfile_seek(scs_gzfile *f, int64_t at)
{
    SCS_REQUIRE(fseeko(f->file, at, SEEK_SET) == 0, SCS_EDATA, "%s: cannot be read: %s", f->path,
                strerror(errno));
    return SCS_OK;
}

static void close_file(scs_gzfile *f)
{
    if (f->file)
        (void)fclose(f->file);
}
#endif

/* errno is cleared before: zlib leaves it alone where memory is what it lacks. */
scs_status scs_gzfile_open(const char *path, scs_gzfile **file)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*file, 1));
    errno = 0;
    SCS_GO(st, scs_text_copy(path, &(*file)->path));
    SCS_GO(st, open_file(*file));
done:
    if (st != SCS_OK)
        scs_gzfile_close(file);
    return st;
}

void scs_gzfile_close(scs_gzfile **file)
{
    if (!*file)
        return;
    close_file(*file);
    free((*file)->path);
    free(*file);
    *file = NULL;
}
