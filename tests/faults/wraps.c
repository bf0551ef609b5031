/* The calls that may fail: one line for each, which the makefile turns into -Wl,--wrap=NAME. */
#include "tests/faults/calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NAME(params) fails with `bad` and errno, in place of being called. */
#define WRAP(kind, type, name, params, args, bad, error)                                           \
    type __real_##name params;                                                                     \
    type __wrap_##name params;                                                                     \
    type __wrap_##name params                                                                      \
    {                                                                                              \
        if (calls_hit(kind)) {                                                                     \
            errno = (error);                                                                       \
            return (bad);                                                                          \
        }                                                                                          \
        return __real_##name args;                                                                 \
    }

/* What closes does its work, and says that it failed. */
#define WRAP_CLOSE(kind, type, name, params, args, error)                                          \
    type __real_##name params;                                                                     \
    type __wrap_##name params;                                                                     \
    type __wrap_##name params                                                                      \
    {                                                                                              \
        bool hit = calls_hit(kind);                                                                \
        type code = __real_##name args;                                                            \
        if (hit)                                                                                   \
            errno = (error);                                                                       \
        return hit ? -1 : code;                                                                    \
    }

/* Memory is counted. */
#define WRAP_TAKE(type, name, params, args)                                                        \
    type __real_##name params;                                                                     \
    type __wrap_##name params;                                                                     \
    type __wrap_##name params                                                                      \
    {                                                                                              \
        if (calls_hit(CALLS_MEMORY)) {                                                             \
            errno = ENOMEM;                                                                        \
            return NULL;                                                                           \
        }                                                                                          \
        return calls_took(__real_##name args);                                                     \
    }

/* HDF5 handles are counted. */
#define WRAP_OPEN(name, params, args)                                                              \
    hid_t __real_##name params;                                                                    \
    hid_t __wrap_##name params;                                                                    \
    hid_t __wrap_##name params                                                                     \
    {                                                                                              \
        return calls_hit(CALLS_HDF5) ? -1 : calls_opened(__real_##name args);                      \
    }
#define WRAP_SHUT(name)                                                                            \
    herr_t __real_##name(hid_t id);                                                                \
    herr_t __wrap_##name(hid_t id);                                                                \
    herr_t __wrap_##name(hid_t id)                                                                 \
    {                                                                                              \
        bool hit = calls_hit(CALLS_HDF5);                                                          \
        int code = calls_shut(__real_##name(id));                                                  \
        return hit ? -1 : code;                                                                    \
    }

/* clang-format off */
#define HDF5(type, name, params, args) WRAP(CALLS_HDF5, type, name, params, args, -1, EIO)
#define HDF5_OPEN(name, params, args) WRAP_OPEN(name, params, args)
#define HDF5_CLOSE(name) WRAP_SHUT(name)

WRAP_TAKE(void *, malloc, (size_t size), (size))
WRAP_TAKE(void *, calloc, (size_t n, size_t size), (n, size))
WRAP_TAKE(char *, strdup, (const char *text), (text))

WRAP(CALLS_SYSTEM, ssize_t, read, (int fd, void *to, size_t n), (fd, to, n), -1, EIO)
WRAP(CALLS_SYSTEM, ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at), -1, EIO)
WRAP(CALLS_SYSTEM, ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n), -1, ENOSPC)
WRAP(CALLS_SYSTEM, ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at),
     (fd, from, n, at), -1, ENOSPC)
WRAP(CALLS_SYSTEM, int, fsync, (int fd), (fd), -1, EIO)
WRAP(CALLS_SYSTEM, int, rename, (const char *from, const char *to), (from, to), -1, ENOSPC)
WRAP(CALLS_SYSTEM, int, posix_fallocate, (int fd, off_t at, off_t size), (fd, at, size), ENOSPC, 0)
WRAP(CALLS_SYSTEM, int, ftruncate, (int fd, off_t size), (fd, size), -1, ENOSPC)
WRAP(CALLS_SYSTEM, int, fstat, (int fd, struct stat *info), (fd, info), -1, EIO)
WRAP(CALLS_SYSTEM, int, mkdir, (const char *path, mode_t mode), (path, mode), -1, EACCES)
WRAP(CALLS_SYSTEM, FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL, EIO)
WRAP(CALLS_SYSTEM, size_t, fread, (void *to, size_t size, size_t n, FILE *in),
     (to, size, n, in), 0, EIO)
WRAP(CALLS_SYSTEM, int, fflush, (FILE *out), (out), EOF, ENOSPC)
WRAP(CALLS_SYSTEM, FILE *, open_memstream, (char **text, size_t *size), (text, size), NULL, ENOMEM)
WRAP(CALLS_SYSTEM, DIR *, opendir, (const char *path), (path), NULL, EIO)
WRAP(CALLS_SYSTEM, int, pipe, (int fd[2]), (fd), -1, EMFILE)
WRAP(CALLS_SYSTEM, pid_t, fork, (void), (), -1, EAGAIN)
WRAP_CLOSE(CALLS_SYSTEM, int, close, (int fd), (fd), EIO)
WRAP_CLOSE(CALLS_SYSTEM, int, fclose, (FILE *file), (file), EIO)

HDF5_OPEN(H5Fcreate, (const char *path, unsigned flags, hid_t create, hid_t access),
     (path, flags, create, access))
HDF5_OPEN(H5Fopen, (const char *path, unsigned flags, hid_t access), (path, flags, access))
HDF5(htri_t, H5Fis_hdf5, (const char *path), (path))
HDF5(herr_t, H5Fflush, (hid_t id, H5F_scope_t scope), (id, scope))
HDF5(herr_t, H5Fget_filesize, (hid_t id, hsize_t *size), (id, size))
HDF5(herr_t, H5Fget_vfd_handle, (hid_t id, hid_t access, void **handle), (id, access, handle))
HDF5_OPEN(H5Gcreate2, (hid_t at, const char *name, hid_t link, hid_t create, hid_t access),
     (at, name, link, create, access))
HDF5_OPEN(H5Oopen, (hid_t at, const char *name, hid_t access), (at, name, access))
#if H5_VERSION_GE(1, 12, 0)
HDF5(herr_t, H5Lget_info2, (hid_t at, const char *name, H5L_info2_t *info, hid_t access),
     (at, name, info, access))
HDF5(herr_t, H5Literate2, (hid_t at, H5_index_t index, H5_iter_order_t order, hsize_t *i,
     H5L_iterate2_t op, void *arg), (at, index, order, i, op, arg))
#else
HDF5(herr_t, H5Lget_info, (hid_t at, const char *name, H5L_info_t *info, hid_t access),
     (at, name, info, access))
HDF5(herr_t, H5Literate, (hid_t at, H5_index_t index, H5_iter_order_t order, hsize_t *i,
     H5L_iterate_t op, void *arg), (at, index, order, i, op, arg))
#endif
HDF5_OPEN(H5Dcreate2, (hid_t at, const char *name, hid_t type, hid_t space, hid_t link,
     hid_t create, hid_t access), (at, name, type, space, link, create, access))
HDF5_OPEN(H5Dopen2, (hid_t at, const char *name, hid_t access), (at, name, access))
HDF5(herr_t, H5Dread, (hid_t id, hid_t type, hid_t mem, hid_t file, hid_t how, void *to),
     (id, type, mem, file, how, to))
HDF5(herr_t, H5Dwrite, (hid_t id, hid_t type, hid_t mem, hid_t file, hid_t how, const void *from),
     (id, type, mem, file, how, from))
HDF5(herr_t, H5Dset_extent, (hid_t id, const hsize_t *size), (id, size))
HDF5(herr_t, H5Dread_chunk, (hid_t id, hid_t how, const hsize_t *at, uint32_t *filters, void *to),
     (id, how, at, filters, to))
HDF5(herr_t, H5Dget_chunk_info_by_coord, (hid_t id, const hsize_t *at, unsigned *mask,
     haddr_t *addr, hsize_t *size), (id, at, mask, addr, size))
HDF5_OPEN(H5Dget_space, (hid_t id), (id))
HDF5_OPEN(H5Dget_type, (hid_t id), (id))
HDF5_OPEN(H5Dget_create_plist, (hid_t id), (id))
HDF5_OPEN(H5Acreate2, (hid_t at, const char *name, hid_t type, hid_t space, hid_t create,
     hid_t access), (at, name, type, space, create, access))
HDF5_OPEN(H5Aopen, (hid_t at, const char *name, hid_t access), (at, name, access))
HDF5(htri_t, H5Aexists, (hid_t at, const char *name), (at, name))
HDF5(herr_t, H5Aread, (hid_t id, hid_t type, void *to), (id, type, to))
HDF5(herr_t, H5Awrite, (hid_t id, hid_t type, const void *from), (id, type, from))
HDF5_OPEN(H5Aget_type, (hid_t id), (id))
HDF5_OPEN(H5Aget_space, (hid_t id), (id))
HDF5_OPEN(H5Screate, (H5S_class_t kind), (kind))
HDF5_OPEN(H5Screate_simple, (int rank, const hsize_t *size, const hsize_t *most),
     (rank, size, most))
HDF5(int, H5Sget_simple_extent_ndims, (hid_t id), (id))
HDF5(int, H5Sget_simple_extent_dims, (hid_t id, hsize_t *size, hsize_t *most), (id, size, most))
HDF5(hssize_t, H5Sget_simple_extent_npoints, (hid_t id), (id))
HDF5(herr_t, H5Sselect_hyperslab, (hid_t id, H5S_seloper_t op, const hsize_t *start,
     const hsize_t *stride, const hsize_t *count, const hsize_t *block), (id, op, start, stride,
     count, block))
HDF5_OPEN(H5Tcopy, (hid_t id), (id))
HDF5_OPEN(H5Tcreate, (H5T_class_t kind, size_t size), (kind, size))
HDF5_OPEN(H5Tenum_create, (hid_t base), (base))
HDF5(herr_t, H5Tenum_insert, (hid_t id, const char *name, const void *value), (id, name, value))
HDF5(herr_t, H5Tinsert, (hid_t id, const char *name, size_t at, hid_t member),
     (id, name, at, member))
HDF5(herr_t, H5Tset_size, (hid_t id, size_t size), (id, size))
HDF5(herr_t, H5Tset_cset, (hid_t id, H5T_cset_t cset), (id, cset))
HDF5_OPEN(H5Tget_member_type, (hid_t id, unsigned i), (id, i))
HDF5_OPEN(H5Pcreate, (hid_t kind), (kind))
HDF5(herr_t, H5Pset_userblock, (hid_t id, hsize_t size), (id, size))
HDF5(herr_t, H5Pset_layout, (hid_t id, H5D_layout_t layout), (id, layout))
HDF5(herr_t, H5Pset_chunk, (hid_t id, int rank, const hsize_t *size), (id, rank, size))
HDF5(herr_t, H5Pset_fclose_degree, (hid_t id, H5F_close_degree_t degree), (id, degree))
HDF5(herr_t, H5Pset_obj_track_times, (hid_t id, hbool_t yes), (id, yes))
HDF5(herr_t, H5Pset_elink_cb, (hid_t id, H5L_elink_traverse_t op, void *arg), (id, op, arg))
HDF5(int, H5Pget_chunk, (hid_t id, int n, hsize_t *size), (id, n, size))
HDF5(int, H5Pget_nfilters, (hid_t id), (id))
HDF5(int, H5Pget_external_count, (hid_t id), (id))
HDF5_CLOSE(H5Fclose)
HDF5_CLOSE(H5Gclose)
HDF5_CLOSE(H5Dclose)
HDF5_CLOSE(H5Aclose)
HDF5_CLOSE(H5Tclose)
HDF5_CLOSE(H5Sclose)
HDF5_CLOSE(H5Pclose)
HDF5_CLOSE(H5Oclose)
HDF5_CLOSE(H5Idec_ref)
/* clang-format on */

/* ---- those that are not of that shape; the makefile finds them by their comments ---- */

/* WRAP: realloc */
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size)
{
    void *grown;

    if (calls_hit(CALLS_MEMORY))
        return NULL;
    calls_gave(p);
    grown = __real_realloc(p, size);
    return calls_took(grown ? grown : p);
}

/* WRAP: posix_memalign */
int __real_posix_memalign(void **p, size_t alignment, size_t size);
int __wrap_posix_memalign(void **p, size_t alignment, size_t size);
int __wrap_posix_memalign(void **p, size_t alignment, size_t size)
{
    int error = calls_hit(CALLS_MEMORY) ? ENOMEM : __real_posix_memalign(p, alignment, size);

    if (!error)
        calls_took(*p);
    return error;
}

/* WRAP: free */
void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
    calls_gave(p);
    __real_free(p);
}

/* WRAP: open */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode = 0;

    va_start(args, flags);
    if (flags & O_CREAT)
        mode = va_arg(args, mode_t);
    va_end(args);
    if (calls_hit(CALLS_SYSTEM)) {
        errno = flags & O_CREAT ? ENOSPC : EIO;
        return -1;
    }
    return __real_open(path, flags, mode);
}
