/** How a file comes to be under its path (src/base/file.h has the steps). Everything that can be
 *  refused by the system is reported with the system's reason and what a user can do: a message
 *  that only says "cannot write" sends people to the wrong place.
 */
#include "src/base/file.h"

#include "src/base/text.h"
#include "scscreen/status.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Printed twice, first only to count: the arguments are walked a second time through a copy. */
scs_status scs_file_path_print(char **path, const char *format, ...)
{
    va_list args, again;
    int size;

    va_start(args, format);
    va_copy(again, args);
    size = vsnprintf(NULL, 0, format, args) + 1;
    *path = scs_allocate(size, 1);
    if (*path)
        vsnprintf(*path, (size_t)size, format, again);
    va_end(again);
    va_end(args);
    SCS_REQUIRE(*path, SCS_ENOMEM, "out of memory: a path of %d bytes", size);
    return SCS_OK;
}

/* Other colons belong to the name: files are named by times and by sites, too. */
scs_status scs_file_split_part(const char *path, char **file, const char **part)
{
    static const char *const endings[] = {".h5mu", ".h5", ".hdf5"};
    const char *colon = strrchr(path, ':');
    size_t n = colon ? (size_t)(colon - path) : 0;
    bool is_part = false;

    for (size_t i = 0; colon && i < sizeof endings / sizeof *endings; i++) {
        size_t m = strlen(endings[i]);

        is_part |= n > m && strncasecmp(colon - m, endings[i], m) == 0;
    }
    is_part = is_part && colon[1] && !strchr(colon, '/');
    *part = is_part ? colon + 1 : NULL;
    return scs_text_copy_n(path, is_part ? n : strlen(path), file);
}

bool scs_file_is_unchanged(const struct stat *was, const struct stat *now)
{
    return was->st_dev == now->st_dev && was->st_ino == now->st_ino &&
           was->st_size == now->st_size && was->st_mtim.tv_sec == now->st_mtim.tv_sec &&
           was->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

/* One sentence for each kind of reason; what is not listed has no better way out than another
 * path. */
const char *scs_file_creation_hint(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return "free some space there or choose another folder";
    case EFBIG:
        return "raise the limit on file sizes (ulimit -f) or choose another file system";
    case EACCES:
    case EPERM:
    case EROFS:
        return "choose a folder that you may write to";
    case ENOENT:
        return "make its folder first";
    case ENOTDIR:
    case EEXIST:
        return "a file stands where a folder is needed, choose another path";
    default:
        return "choose another path";
    }
}

/* The process of a ".tmp.PID" that ends there; 0: it is none. */
static long writer_of(const char *ending)
{
    char *end;
    long pid;

    if (strncmp(ending, ".tmp.", 5) != 0 || !isdigit((unsigned char)ending[5]))
        return 0;
    pid = strtol(ending + 5, &end, 10);
    return *end ? 0 : pid;
}

/* A file that another process is writing keeps its name: it is one that the user has named. */
int scs_file_known_length(const char *path)
{
    const char *dot = strrchr(path, '.');

    if (dot && dot - path > 4 && writer_of(dot - 4) == (long)getpid())
        return (int)(dot - 4 - path);
    return (int)strlen(path);
}

/* What is read may be called so by the user: only what is written is known by another name. */
int scs_file_written_length(const char *path)
{
    static const char ending[] = ".h5ad.part";
    int n = scs_file_known_length(path), over = n - (int)(sizeof ending - 1);

    return over > 0 && strncmp(path + over, ending, sizeof ending - 1) == 0
               ? n - (int)(sizeof ".part" - 1)
               : n;
}

scs_status scs_file_creation_failed(const char *path, int error)
{
    return SCS_FAIL(SCS_ECREATE, "%.*s: cannot be created: %s; %s", scs_file_written_length(path),
                    path, strerror(error), scs_file_creation_hint(error));
}

/* Follows links: a link to a folder is as good as one. */
static int is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* One level. @param shown the whole path that was asked for, for the message */
static scs_status make_one(const char *path, const char *shown)
{
    if (is_folder(path) || mkdir(path, 0777) == 0)
        return SCS_OK;
    if (errno == EEXIST && is_folder(path)) /* another process was first */
        return SCS_OK;
    return scs_file_creation_failed(shown, errno);
}

/* Whether the folder that `prefix` stands in may be written. */
static bool is_parent_writable(char *prefix)
{
    char *slash = strrchr(prefix, '/');
    bool writable;

    if (!slash)
        return access(".", W_OK | X_OK) == 0;
    if (slash == prefix)
        return access("/", W_OK | X_OK) == 0;
    *slash = '\0';
    writable = access(prefix, W_OK | X_OK) == 0;
    *slash = '/';
    return writable;
}

/* As make_one would end. @param[out] ends true: nothing below it is there yet */
static scs_status look_at_one(char *prefix, const char *shown, bool *ends)
{
    if (is_folder(prefix))
        return SCS_OK;
    *ends = true;
    if (access(prefix, F_OK) == 0)
        return scs_file_creation_failed(shown, EEXIST);
    return is_parent_writable(prefix) ? SCS_OK : scs_file_creation_failed(shown, errno);
}

/* The same walk, ended by the first level that is missing: below it all would be made anew. */
scs_status scs_file_could_make_folder(const char *path)
{
    bool ends = false;
    char *prefix;
    scs_status st = SCS_OK;

    SCS_TRY(scs_text_copy(path, &prefix));
    for (char *at = prefix + (*prefix == '/'); *at && !ends; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        st = look_at_one(prefix, path, &ends);
        *at = '/';
    }
    if (!ends && *prefix)
        st = look_at_one(prefix, path, &ends);
    free(prefix);
    return st;
}

/* Level by level on a copy of the path, in which each "/" becomes its end for a moment. */
scs_status scs_file_make_folder(const char *path)
{
    scs_status st = SCS_OK;
    char *prefix;

    SCS_TRY(scs_text_copy(path, &prefix));
    for (char *at = prefix + (*prefix == '/'); *at && st == SCS_OK; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        st = make_one(prefix, path);
        *at = '/';
    }
    if (st == SCS_OK && *prefix)
        st = make_one(prefix, path);
    free(prefix);
    return st;
}

/* The folder that holds `path`: "." for a bare name, "/" for one at the root.
 * @param[out] folder malloc'ed */
static scs_status folder_of(const char *path, char **folder)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return scs_text_copy(".", folder);
    return scs_text_copy_n(path, slash == path ? 1 : (size_t)(slash - path), folder);
}

/* The name behind the last "/", borrowed. */
static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Whether a process with this number runs our program. That it lives is not enough: one that was
 * killed may not have been reaped yet, and numbers are used again. Without /proc any living
 * process counts: a file too many is kept rather than another run's file removed. */
static bool is_running(long pid)
{
    char path[64], own[4096], other[sizeof own];
    ssize_t n_own = readlink("/proc/self/exe", own, sizeof own), n_other;

    if (n_own < 0)
        return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
    snprintf(path, sizeof path, "/proc/%ld/exe", pid);
    n_other = readlink(path, other, sizeof other);
    if (n_other < 0)
        return errno == EACCES || errno == EPERM;
    return n_other == n_own && memcmp(own, other, (size_t)n_own) == 0;
}

/* Whether `entry` is BASE.tmp.PID of a process that is gone, or of this one: then the number was
 * used before, as we have not made ours yet. */
static bool is_stale(const char *entry, const char *base)
{
    size_t n = strlen(base);
    long pid = strncmp(entry, base, n) == 0 ? writer_of(entry + n) : 0;

    return pid > 0 && (pid == (long)getpid() || !is_running(pid));
}

/* A folder that cannot be read holds nothing that we may remove; creating the file will say what
 * is wrong with it. */
scs_status scs_file_remove_stale(const char *path)
{
    struct dirent *entry;
    char *folder;
    DIR *dir;

    SCS_TRY(folder_of(path, &folder));
    dir = opendir(folder);
    while (dir && (entry = readdir(dir)))
        if (is_stale(entry->d_name, name_of(path)))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    free(folder);
    return SCS_OK;
}

/* Of this process: two jobs that write one path do not write into each other's file. */
scs_status scs_file_temp_name(const char *path, char **temp)
{
    SCS_TRY(scs_file_remove_stale(path));
    return scs_file_path_print(temp, "%s.tmp.%ld", path, (long)getpid());
}

/* A close that fails (quota, network file system) means that the file cannot be relied on: it is
 * removed. */
scs_status scs_file_create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0)
        return scs_file_creation_failed(path, errno);
    if (close(fd) == 0)
        return SCS_OK;
    (void)unlink(path);
    return scs_file_creation_failed(path, errno);
}

/* posix_fallocate returns its error and leaves errno alone. Without room for the size it may
 * have extended the file; the caller removes it. */
scs_status scs_file_reserve(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDWR | O_CLOEXEC), error;

    if (fd < 0)
        return scs_file_creation_failed(path, errno);
    error = fstat(fd, &info) == 0 ? 0 : errno;
    if (!error && info.st_size > 0)
        error = posix_fallocate(fd, 0, info.st_size);
    if (close(fd) != 0 && !error)
        error = errno;
    return error ? scs_file_creation_failed(path, error) : SCS_OK;
}

scs_status scs_file_remove(const char *path)
{
    SCS_REQUIRE(unlink(path) == 0 || errno == ENOENT, SCS_EIO, "%.*s: cannot be removed: %s",
                scs_file_written_length(path), path, strerror(errno));
    return SCS_OK;
}

/* A write of nothing (0) counts as a failure: it would be tried for ever. */
scs_status scs_file_write_at(int fd, const char *path, const void *bytes, int64_t size, int64_t at)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, bytes, (size_t)size, at);

        if (n < 0 && errno == EINTR)
            continue;
        SCS_REQUIRE(n > 0, SCS_EIO, "%.*s: cannot be written: %s", scs_file_written_length(path),
                    path, strerror(errno));
        bytes = (const char *)bytes + n;
        size -= n;
        at += n;
    }
    return SCS_OK;
}

/* Short reads are gone on with; the end of the file is none: `got` says how far it went. */
scs_status scs_file_read_at(int fd, const char *path, void *bytes, int64_t size, int64_t at,
                            int64_t *got)
{
    *got = 0;
    while (*got < size) {
        ssize_t n = pread(fd, (char *)bytes + *got, (size_t)(size - *got), at + *got);

        if (n < 0 && errno == EINTR)
            continue;
        SCS_REQUIRE(n >= 0, SCS_EIO, "%s: cannot be read: %s", path, strerror(errno));
        if (n == 0)
            break;
        *got += n;
    }
    return SCS_OK;
}

/* fsync by path. Folders on some file systems cannot be synced (EINVAL): nothing to do about it.
 * @return errno, or 0 */
static int sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC), error = 0;

    if (fd < 0)
        return errno;
    if (fsync(fd) != 0 && !(errno == EINVAL && (flags & O_DIRECTORY)))
        error = errno;
    if (close(fd) != 0 && !error)
        error = errno;
    return error;
}

/* In this order: after a crash, either the old name or a file whose bytes are on disk. */
scs_status scs_file_commit(const char *temp, const char *path)
{
    int error = sync_path(temp, O_RDWR);
    char *folder;

    SCS_REQUIRE(!error, SCS_EIO, "%s: cannot be saved: %s", path, strerror(error));
    SCS_TRY(folder_of(path, &folder));
    if (rename(temp, path) != 0) {
        error = errno;
        free(folder);
        return scs_file_creation_failed(path, error);
    }
    error = sync_path(folder, O_RDONLY | O_DIRECTORY);
    free(folder);
    SCS_REQUIRE(!error, SCS_EIO, "%s: saved, but its folder cannot be synced: %s", path,
                strerror(error));
    return SCS_OK;
}

/* HDF5 may begin behind a block of another program's, as our models do. */
const scs_file_format *scs_file_format_of(const char *path)
{
    static const struct {
        size_t at, size;
        const char *bytes;
        scs_file_format format;
    } formats[] = {
        {0, 8, "\x89HDF\r\n\x1a\n", {"an HDF5 file", "re-save it with anndata"}},
        {512, 8, "\x89HDF\r\n\x1a\n", {"an HDF5 file", "re-save it with anndata"}},
        {0,
         4,
         "PK\x03\x04",
         {"a zip file", "unpack it, or, of a zarr store, call scripts/zarr-to-h5ad on it"}},
        {0,
         2,
         "\x1f\x8b",
         {"a gzip file",
          "unpack it, or, of what R saved (.rds), write an .h5ad with zellkonverter; "
          "only a 10x folder stays as it is, or a NAME_matrix.mtx.gz with "
          "NAME_barcodes.tsv.gz and NAME_features.tsv.gz beside it"}},
        {0,
         14,
         "%%MatrixMarket",
         {"a matrix in the form of Matrix Market",
          "one of features x cells is read by the name NAME_matrix.mtx, with NAME_barcodes.tsv and "
          "NAME_features.tsv or NAME_genes.tsv beside it"}},
    };
    unsigned char start[520];
    FILE *in = fopen(path, "re");
    size_t n = in ? fread(start, 1, sizeof start, in) : 0;

    if (in)
        (void)fclose(in);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (n >= formats[i].at + formats[i].size &&
            memcmp(start + formats[i].at, formats[i].bytes, formats[i].size) == 0)
            return &formats[i].format;
    return NULL;
}

/* stdio keeps the first failed write until fflush or ferror tell: `write` need not look. */
static scs_status write_temp(const char *temp, scs_status (*write)(void *ctx, FILE *out), void *ctx)
{
    int error = 0;
    scs_status st;
    FILE *out;

    SCS_TRY(scs_file_create(temp));
    out = fopen(temp, "w");
    if (!out)
        return scs_file_creation_failed(temp, errno);
    st = write(ctx, out);
    if (fflush(out) != 0 || ferror(out))
        error = errno ? errno : EIO;
    if (fclose(out) != 0 && !error)
        error = errno;
    if (st == SCS_OK && error)
        st = scs_file_creation_failed(temp, error);
    return st;
}

/* A failure at any step removes the temporary file, so that nothing stays but what was there
 * before. */
scs_status scs_file_write(const char *path, scs_status (*write)(void *ctx, FILE *out), void *ctx)
{
    char *temp;
    scs_status st;

    SCS_TRY(scs_file_temp_name(path, &temp));
    st = write_temp(temp, write, ctx);
    if (st == SCS_OK)
        st = scs_file_commit(temp, path);
    if (st != SCS_OK)
        (void)unlink(temp);
    free(temp);
    return st;
}
