/** Reading HDF5 under the rules of src/hdf5/h5read.h: files, paths and groups, chunks,
 *  datasets, numbers.
 *
 *  The order within a read: the path is walked (scs_h5_look), the object opened without
 *  following anything (scs_h5_open_object), a dataset's storage, filters, shape, type and sizes
 *  checked (check_dataset), its chunks checked (check_chunks), and only then is H5Dread called.
 *  Nothing is kept from one read to the next but the open file.
 */
#include "src/hdf5/h5read.h"

#include "src/base/file.h"
#include "src/base/names.h"
#include "src/base/sandbox.h"
#include "src/base/text.h"
#include "src/hdf5/h5filter.h"
#include "src/hdf5/h5write.h"

#include <errno.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- files ---- */

void scs_h5_drop(hid_t id)
{
    if (id >= 0)
        (void)H5Idec_ref(id);
}

/* No printing, no plugins; the filters that are known. A library without plugin support refuses
 * the call for them, which is as good. */
static scs_status prepare_library(void)
{
    SCS_REQUIRE(H5open() >= 0, SCS_EINTERNAL, "HDF5 does not start");
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    (void)H5PLset_loading_state(0);
    (void)H5set_free_list_limits(0, 0, 0, 0, 0, 0); /* what it frees is free */
    return scs_h5filter_register();
}

/* A folder with one of the files that zarr keeps at the root of a store. */
static bool is_zarr(const char *path)
{
    static const char *const roots[] = {"zarr.json", ".zgroup", ".zmetadata"};
    char file[4096];
    struct stat s;

    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        snprintf(file, sizeof file, "%.4000s/%s", path, roots[i]);
        if (stat(file, &s) == 0)
            return true;
    }
    return false;
}

/* What the system says of the file, before HDF5 sees it: HDF5's own words for a folder or a
 * missing file are of no help. */
static scs_status check_regular(const char *path)
{
    struct stat s;
    FILE *file = NULL;

    SCS_REQUIRE(stat(path, &s) == 0, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    SCS_REQUIRE(!is_zarr(path), SCS_EDATA,
                "%s: is a zarr store, not .h5ad; convert it, a piece at a time: "
                "scripts/zarr-to-h5ad %s FILE.h5ad",
                path, path);
    SCS_REQUIRE(S_ISREG(s.st_mode), SCS_EDATA,
                "%s: is no regular file, and no folder with a matrix.mtx in it; name one file",
                path);
    SCS_REQUIRE(s.st_size > 0, SCS_EDATA, "%s: is empty; fetch it again", path);
    file = fopen(path, "rb");
    SCS_REQUIRE(file, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    fclose(file);
    return SCS_OK;
}

/* What HDF5's error stack says of a failure. */
typedef struct why {
    bool truncated, in_use, newer;
} why;

/* H5Ewalk2's visitor: what a line of the error stack is about. HDF5 tells it in words alone. */
static herr_t note_why(unsigned n, const H5E_error2_t *error, void *arg)
{
    why *w = arg;

    (void)n;
    if (error->desc) {
        w->truncated |= strstr(error->desc, "truncated") != NULL;
        w->newer |= strstr(error->desc, "version number") != NULL;
        w->in_use |= strstr(error->desc, "already open for write") != NULL;
    }
    return 0;
}

/* Whether the file's own header is of HDF5 1.8 or later, which h5py writes with libver alone: a
 * version that is not known is a newer one then, else damage. */
static bool has_late_superblock(const char *path)
{
    const char *part;
    char *name = NULL;
    FILE *file = scs_file_split_part(path, &name, &part) == SCS_OK ? fopen(name, "rb") : NULL;
    unsigned char head[9] = {0};
    bool late = file && fread(head, 1, sizeof head, file) == sizeof head && head[8] >= 2;

    if (file)
        fclose(file);
    free(name);
    return late;
}

static scs_status written_for_newer(const char *file, const char *what)
{
    return SCS_FAIL(SCS_EDATA,
                    "%s: %s is written for a newer HDF5; re-save it with libver=('v110','v110') "
                    "(h5py.File), or with anndata's write_h5ad, which needs none",
                    file, what);
}

/* HDF5's stack of errors may know why; what it says is put into words that help. */
scs_status scs_h5_refuse(const scs_h5 *h5, const char *path, const char *words)
{
    why w = {0};

    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_why, &w);
    if (w.newer && has_late_superblock(h5->path))
        return written_for_newer(h5->path, path);
    return SCS_FAIL(SCS_EDATA, "%s: %s %s; fetch the file again", h5->path, path, words);
}

/* The words for a file that HDF5 does not open: cut short, damaged (or being written), or no
 * HDF5 at all. */
static scs_status not_opened(const char *path, const why *w)
{
    const scs_file_format *format = scs_file_format_of(path);

    if (w->in_use)
        return SCS_FAIL(SCS_EDATA,
                        "%s: is marked as being written; wait for the program that writes it, or, "
                        "if that was ended, take the mark off: h5clear -s %s (Debian: hdf5-tools)",
                        path, path);
    if (w->newer && has_late_superblock(path))
        return written_for_newer(path, "it");
    if (w->truncated)
        return SCS_FAIL(SCS_EDATA, "%s: truncated HDF5 file (it was cut short); fetch it again",
                        path);
    if (H5Fis_hdf5(path) > 0)
        return SCS_FAIL(SCS_EDATA,
                        "%s: damaged HDF5 file, or one that another program is writing; fetch it "
                        "again or re-save it with anndata",
                        path);
    if (format)
        return SCS_FAIL(SCS_EDATA, "%s: is %s, not HDF5; %s", path, format->what, format->advice);
    return SCS_FAIL(SCS_EDATA,
                    "%s: is not an HDF5 file; give an .h5ad file (anndata's write_h5ad makes one)",
                    path);
}

/* HDF5 keeps what it has read of a file's own structure, by default 2 MiB at first: for a dataset
 * in thousands of chunks, on every rank, pages of their addresses that are not asked for again. */
static bool limit_cache(hid_t access)
{
    H5AC_cache_config_t cache = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};

    if (H5Pget_mdc_config(access, &cache) < 0)
        return false;
    cache.set_initial_size = true;
    cache.initial_size = cache.min_size = cache.max_size = 1 << 18;
    cache.incr_mode = H5C_incr__off;
    cache.flash_incr_mode = H5C_flash_incr__off;
    cache.decr_mode = H5C_decr__off;
    return H5Pset_mdc_config(access, &cache) >= 0;
}

/* H5F_CLOSE_STRONG: whatever is left open goes with the file. Locking as HDF5 does it, but not
 * on file systems without locks. Plain reads of the system (sec2), whatever driver the
 * environment names.
 * @param[out] w why not */
static hid_t open_file(const char *path, why *w)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = H5I_INVALID_HID;

    if (access >= 0 && H5Pset_fapl_sec2(access) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
        H5Pset_file_locking(access, true, true) >= 0 && limit_cache(access))
        file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (file < 0)
        (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_why, w);
    scs_h5_drop(access);
    return file;
}

/* Without a memory budget 16 GiB, the default of data.memory. */
scs_status scs_h5_open(const char *path, int64_t memory, scs_h5 *h5)
{
    why w = {0};
    const char *part;
    char *file = NULL;
    scs_status st;

    *h5 = (scs_h5){.file = H5I_INVALID_HID, .memory = memory > 0 ? memory : (int64_t)16 << 30};
    SCS_GO(st, scs_file_split_part(path, &file, &part));
    SCS_GO(st, check_regular(file));
    SCS_GO(st, prepare_library());
    h5->file = open_file(file, &w);
    SCS_GO(st, h5->file < 0
                   ? not_opened(file, &w)
                   : scs_text_copy_n(path, (size_t)scs_file_known_length(path), &h5->path));
done:
    free(file);
    if (st != SCS_OK)
        scs_h5_close(h5);
    return st;
}

/* Zeroed and half-opened ones are let through: 0 is no open id. */
void scs_h5_close(scs_h5 *h5)
{
    if (h5->group > 0)
        scs_h5_drop(h5->group);
    if (h5->file > 0)
        (void)scs_h5_shut(h5->file);
    free(h5->path);
    *h5 = (scs_h5){.file = H5I_INVALID_HID};
}

/* ---- paths and groups ---- */

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

/* A group of more members, or a longer path, is no file of anndata's. */
enum { MEMBERS_MAX = 1000000, LONGEST_PATH = 4095 };

/* For messages. */
static const char *link_kind(H5L_type_t type)
{
    return type == H5L_TYPE_SOFT       ? "a soft link"
           : type == H5L_TYPE_EXTERNAL ? "an external link into another file"
                                       : "a user-defined link";
}

/* What paths are relative to. */
static hid_t start_of(const scs_h5 *h5)
{
    return h5->group > 0 ? h5->group : h5->file;
}

/* One more component of the path; *found is false when nothing stands there. */
static scs_status look_at(const scs_h5 *h5, const char *path, bool *found)
{
    H5L_info_t info;

    *found = H5Lget_info(start_of(h5), path, &info, H5P_DEFAULT) >= 0;
    SCS_REQUIRE(!*found || info.type == H5L_TYPE_HARD, SCS_EDATA,
                "%s: %s is %s, which is not followed; re-save the file with anndata "
                "(read_h5ad, then write_h5ad)",
                h5->path, path, link_kind(info.type));
    return SCS_OK;
}

/* Component by component, since HDF5 itself would follow a soft or external link in the middle. The
 * copy is on the stack: whether something is there cannot fail for want of memory. */
scs_status scs_h5_look(const scs_h5 *h5, const char *path, bool *found)
{
    char prefix[LONGEST_PATH + 1];

    *found = true;
    SCS_REQUIRE(strlen(path) <= LONGEST_PATH, SCS_EDATA, "%s: a name of more than %d bytes in it",
                h5->path, LONGEST_PATH);
    strcpy(prefix, path);
    for (char *end = prefix; *found && *end; end++) {
        char *slash = strchr(end, '/');
        if (slash == end)
            continue;
        end = slash ? slash : end + strlen(end);
        *end = '\0';
        SCS_TRY(look_at(h5, prefix, found));
        if (!slash)
            break;
        *end = '/';
    }
    return SCS_OK;
}

bool scs_h5_exists(const scs_h5 *h5, const char *path)
{
    bool found = false;

    return scs_h5_look(h5, path, &found) == SCS_OK && found;
}

/* HDF5's callback for external links: none is followed. */
static herr_t refuse_external(const char *parent_file, const char *parent_group,
                              const char *child_file, const char *child, unsigned *flags,
                              hid_t access, void *data)
{
    (void)parent_file, (void)parent_group, (void)child_file, (void)child;
    (void)flags, (void)access, (void)data;
    return -1;
}

/* The walk has seen hard links only; this refuses what it could have missed, if the file changes
 * meanwhile. */
static hid_t link_access(void)
{
    hid_t access = H5Pcreate(H5P_LINK_ACCESS);

    if (access >= 0 &&
        (H5Pset_elink_cb(access, refuse_external, NULL) < 0 || H5Pset_nlinks(access, 1) < 0)) {
        scs_h5_drop(access);
        return H5I_INVALID_HID;
    }
    return access;
}

/* The empty path is where paths start. Opened without a type in mind: what it is comes later. */
scs_status scs_h5_open_object(const scs_h5 *h5, const char *path, hid_t *object)
{
    bool found;
    hid_t access;
    scs_status st;

    *object = H5I_INVALID_HID;
    SCS_TRY(scs_h5_look(h5, path, &found));
    SCS_REQUIRE(found, SCS_EDATA, "%s: there is no %s in it", h5->path, path);
    access = link_access();
    SCS_REQUIRE(access >= 0, SCS_ENOMEM, "%s: no memory is left for HDF5's lists", h5->path);
    *object = H5Oopen(start_of(h5), *path ? path : ".", access);
    st = *object >= 0 ? SCS_OK : scs_h5_refuse(h5, path, "is damaged and cannot be opened");
    scs_h5_drop(access);
    return st;
}

bool scs_h5_is_group(const scs_h5 *h5, const char *path)
{
    hid_t object;
    bool group;

    if (!scs_h5_exists(h5, path) || scs_h5_open_object(h5, path, &object) != SCS_OK)
        return false;
    group = H5Iget_type(object) == H5I_GROUP;
    scs_h5_drop(object);
    return group;
}

bool scs_h5_is_null(const scs_h5 *h5, const char *path)
{
    hid_t object, space;
    bool null = false;

    if (!scs_h5_exists(h5, path) || scs_h5_open_object(h5, path, &object) != SCS_OK)
        return false;
    if (H5Iget_type(object) == H5I_DATASET) {
        space = H5Dget_space(object);
        null = H5Sget_simple_extent_type(space) == H5S_NULL;
        scs_h5_drop(space);
    }
    scs_h5_drop(object);
    return null;
}

/* Paths are then looked up from the group; the file stays open beside it. */
scs_status scs_h5_enter(scs_h5 *h5, const char *group)
{
    hid_t object;

    SCS_REQUIRE(scs_h5_is_group(h5, group), SCS_EDATA, "%s: there is no group %s in it", h5->path,
                group);
    SCS_TRY(scs_h5_open_object(h5, group, &object));
    if (h5->group > 0)
        scs_h5_drop(h5->group);
    h5->group = object;
    return SCS_OK;
}

/* What add_member adds to, and how that went: H5Literate only passes an int. */
typedef struct listing {
    scs_names *names;
    scs_status status;
} listing;

/* H5Literate's visitor; -1 ends the walk. */
static herr_t add_member(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    listing *l = data;

    (void)group, (void)info;
    l->status = l->names->n < MEMBERS_MAX
                    ? scs_names_add(l->names, name)
                    : SCS_FAIL(SCS_EDATA, "more than %d members", MEMBERS_MAX);
    return l->status == SCS_OK ? 0 : -1;
}

/* A status cannot pass through HDF5's iteration, so it is kept beside it. */
scs_status scs_h5_members(const scs_h5 *h5, const char *path, scs_names *names)
{
    listing l = {names, SCS_OK};
    hid_t group;
    herr_t done = -1;

    SCS_TRY(scs_h5_open_object(h5, path, &group));
    if (H5Iget_type(group) == H5I_GROUP)
        done = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, add_member, &l);
    scs_h5_drop(group);
    if (l.status != SCS_OK)
        return scs_context(l.status, "%s: %s: ", h5->path, path);
    SCS_REQUIRE(done >= 0, SCS_EDATA, "%s: %s is damaged, or no group", h5->path, path);
    return SCS_OK;
}

/* ---- chunks: whether they hold what HDF5 will read from them ---- */

/* The chunks of a dataset. HDF5 1.10 does not check that a chunk decodes to as many bytes as it
 * reads from it. LZF is guarded where it is decoded; what is stored plain must be long enough,
 * and what is deflated is inflated once to see. */
typedef struct chunks {
    hid_t dataset;
    hsize_t dim[2], chunk[2];
    size_t bytes;            /* of a chunk */
    H5Z_filter_t compressor; /* deflate, LZF, or none */
    unsigned skipped;        /* the bit in a chunk's mask that says that it is not compressed */
} chunks;

/* A chunk may skip a filter, by a bit in its mask: which bit is the compressor's place among the
 * filters.
 * @return false when the filters compress twice */
static bool find_compressor(hid_t creation, chunks *g)
{
    int n = H5Pget_nfilters(creation), found = 0;

    for (int i = 0; i < n && i < 32; i++) {
        unsigned flags, config;
        size_t n_value = 0;
        H5Z_filter_t id =
            H5Pget_filter2(creation, (unsigned)i, &flags, &n_value, NULL, 0, NULL, &config);
        if (!scs_h5filter_compresses(id))
            continue;
        g->compressor = id;
        g->skipped = 1u << i;
        found++;
    }
    return found <= 1;
}

/* Read one chunk as it is stored, and inflate it. */
static bool inflates(const chunks *g, const hsize_t at[2], hsize_t size)
{
    uint32_t mask;
    void *stored = NULL;

    if (size > g->bytes + g->bytes / 8 + 4096) /* deflate never adds as much */
        return false;
    stored = H5allocate_memory(size, false);
    if (stored && H5Dread_chunk(g->dataset, H5P_DEFAULT, at, &mask, stored) >= 0)
        return scs_h5filter_inflates_to(stored, size, g->bytes);
    H5free_memory(stored);
    return false;
}

/* Whether the chunk at these coordinates is long enough. Also true of a chunk that was never
 * written: it reads as the fill value. */
static bool covers(const chunks *g, const hsize_t at[2])
{
    unsigned mask = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t size = 0;

    if (H5Dget_chunk_info_by_coord(g->dataset, at, &mask, &address, &size) < 0)
        return false;
    if (address == HADDR_UNDEF)
        return true;
    if (g->compressor == H5Z_FILTER_NONE || (mask & g->skipped))
        return size >= g->bytes;
    return g->compressor != H5Z_FILTER_DEFLATE || inflates(g, at, size);
}

/* All chunks that positions [first, end) along an axis lie in: rows (0) or columns (1). */
static bool all_covered(const chunks *g, int axis, hsize_t first, hsize_t end)
{
    hsize_t from[2] = {0, 0}, to[2] = {g->dim[0], g->dim[1]}, at[2];

    from[axis] = first / g->chunk[axis] * g->chunk[axis];
    to[axis] = end;
    for (at[0] = from[0]; at[0] < to[0]; at[0] += g->chunk[0])
        for (at[1] = from[1]; at[1] < to[1]; at[1] += g->chunk[1])
            if (!covers(g, at))
                return false;
    return true;
}

/* @param[out] g chunk[0] is 0 when the dataset is not chunked
 * @return false when its chunks cannot be checked */
static bool describe(hid_t dataset, const scs_h5_shape *shape, chunks *g)
{
    hid_t creation = H5Dget_create_plist(dataset);
    bool good = creation >= 0;

    *g = (chunks){.dataset = dataset, .chunk = {0, 1}, .compressor = H5Z_FILTER_NONE};
    g->dim[0] = (hsize_t)shape->dim[0];
    g->dim[1] = (hsize_t)shape->dim[1];
    if (shape->chunk[0] > 0)
        good = H5Pget_chunk(creation, shape->rank, g->chunk) == shape->rank &&
               find_compressor(creation, g);
    g->bytes = g->chunk[0] * g->chunk[1] * shape->size; /* checked when the dataset was opened */
    scs_h5_drop(creation);
    return good;
}

/* A block of a dataset: rows [first, first + n) with all columns, or such columns with all rows. */
typedef struct block {
    int64_t first, n;
    int rank; /* what the caller takes the dataset for */
    int axis; /* 0 rows, 1 columns */
} block;

/* Whether the chunks of a block hold what HDF5 will read from them; b->n > 0. */
static scs_status check_chunks(const scs_h5 *h5, const char *path, hid_t dataset,
                               const scs_h5_shape *shape, const block *b)
{
    chunks g;
    bool good = describe(dataset, shape, &g);

    if (good && g.chunk[0] > 0)
        good = all_covered(&g, b->axis, (hsize_t)b->first, (hsize_t)(b->first + b->n));
    SCS_REQUIRE(good, SCS_EDATA,
                "%s: %s is damaged: a chunk does not decode to its full length; fetch it again",
                h5->path, path);
    return SCS_OK;
}

/* ---- datasets: the rules that each must keep before a byte of it is read ---- */

/* A dataset that declares much more than it stores would fill the memory from a small file. What
 * is smaller than this is harmless whatever it declares. */
static const int64_t BOMB_BYTES = 64 << 20;

enum { BOMB_RATIO = 1000 }; /* deflate reaches 1030, on zeros alone */

/* Before memory is asked for: a damaged file may declare any size. */
scs_status scs_h5_budget(const scs_h5 *h5, const char *path, int64_t n, size_t size, int64_t *bytes)
{
    bool over = __builtin_mul_overflow(n, size, bytes);

    SCS_REQUIRE(!over && n >= 0 && *bytes <= h5->memory, SCS_EDATA,
                "%s: %s declares %lld elements of %zu bytes, more than data.memory (%lld MiB); "
                "raise it if the file is right",
                h5->path, path, (long long)n, size, (long long)(h5->memory >> 20));
    return SCS_OK;
}

/* From here on filters are plugins, which h5py has from the package hdf5plugin alone. */
enum { REGISTERED_FILTERS = 256 };

/* Only filters that are known: of another one neither its decoder nor its failure modes are
 * ours. */
static scs_status check_filters(const scs_h5 *h5, const char *path, hid_t creation)
{
    int n = H5Pget_nfilters(creation);

    SCS_REQUIRE(n >= 0, SCS_EDATA, "%s: %s has damaged filters", h5->path, path);
    for (int i = 0; i < n; i++) {
        char name[64] = "";
        unsigned flags, config;
        size_t n_value = 0;
        H5Z_filter_t id = H5Pget_filter2(creation, (unsigned)i, &flags, &n_value, NULL, sizeof name,
                                         name, &config);
        const char *library = scs_h5filter_library(id);

        SCS_REQUIRE(scs_h5filter_is_known(id), SCS_EDATA,
                    "%s: %s is compressed with filter %d (%.63s), which is not read%s%s; rewrite "
                    "the file: %sanndata.read_h5ad(...).write_h5ad(..., compression=\"gzip\")",
                    h5->path, path, id, *name ? name : "unnamed",
                    library ? ", since scscreen was built without " : "", library ? library : "",
                    id < REGISTERED_FILTERS ? "" : "import hdf5plugin; ");
        if (h5->plugin && scs_h5filter_plugin(id))
            *h5->plugin = scs_h5filter_plugin(id);
    }
    return SCS_OK;
}

/* Data of other files are not read, whatever the file asks for: what a path is allowed to see is
 * the user's decision, not the file's. */
static scs_status check_layout(const scs_h5 *h5, const char *path, hid_t creation)
{
    H5D_layout_t layout = H5Pget_layout(creation);

    SCS_REQUIRE(layout != H5D_VIRTUAL, SCS_EDATA,
                "%s: %s is a virtual dataset over other files, which are not followed; re-save "
                "the file with anndata",
                h5->path, path);
    SCS_REQUIRE(layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED,
                SCS_EDATA, "%s: %s has an unknown storage layout", h5->path, path);
    SCS_REQUIRE(H5Pget_external_count(creation) == 0, SCS_EDATA,
                "%s: %s keeps its data in external files, which are not followed; re-save the "
                "file with anndata",
                h5->path, path);
    return SCS_OK;
}

/* Bytes of one chunk, which HDF5 holds in memory as a whole, and its rows. 0 where the dataset
 * is not chunked. */
static scs_status chunk_size(const scs_h5 *h5, const char *path, hid_t creation,
                             scs_h5_shape *shape, int64_t *bytes)
{
    hsize_t dim[H5S_MAX_RANK];
    int64_t n = 1;
    int rank;

    *bytes = 0;
    if (H5Pget_layout(creation) != H5D_CHUNKED)
        return SCS_OK;
    rank = H5Pget_chunk(creation, H5S_MAX_RANK, dim);
    SCS_REQUIRE(rank == shape->rank && rank > 0 && dim[0] <= INT64_MAX, SCS_EDATA,
                "%s: %s has damaged chunks", h5->path, path);
    for (int i = 0; i < rank; i++) {
        SCS_REQUIRE(!__builtin_mul_overflow(n, dim[i], &n), SCS_EDATA, "%s: %s has absurd chunks",
                    h5->path, path);
        shape->chunk[i] = (int64_t)dim[i];
    }
    return scs_h5_budget(h5, path, n, shape->size, bytes);
}

/* @param bytes declared, of the dataset or of one chunk, whichever is more */
static scs_status check_bomb(const scs_h5 *h5, const char *path, hid_t dataset, int64_t bytes)
{
    uint64_t stored = H5Dget_storage_size(dataset);

    SCS_REQUIRE(bytes <= BOMB_BYTES || (uint64_t)bytes / BOMB_RATIO <= stored, SCS_EDATA,
                "%s: %s declares %lld MiB but stores %llu bytes: this is no real data", h5->path,
                path, (long long)(bytes >> 20), (unsigned long long)stored);
    return SCS_OK;
}

/* Rank and dimensions; those that a dataset does not have are 1. */
static scs_status get_dims(const scs_h5 *h5, const char *path, hid_t dataset, scs_h5_shape *shape)
{
    hsize_t dim[H5S_MAX_RANK] = {0};
    hid_t space = H5Dget_space(dataset);
    H5S_class_t kind = H5Sget_simple_extent_type(space);

    shape->rank = H5Sget_simple_extent_ndims(space);
    if (shape->rank >= 0 && H5Sget_simple_extent_dims(space, dim, NULL) < 0)
        shape->rank = -1;
    scs_h5_drop(space);
    SCS_REQUIRE(kind != H5S_NULL, SCS_EDATA, "%s: %s is empty (null)", h5->path, path);
    SCS_REQUIRE(shape->rank >= 0 && shape->rank <= 2, SCS_EDATA,
                "%s: %s must have 1 or 2 dimensions, not %d", h5->path, path, shape->rank);
    for (int i = 0; i < 2; i++) {
        shape->dim[i] = i < shape->rank ? (int64_t)dim[i] : 1;
        SCS_REQUIRE(shape->dim[i] >= 0, SCS_EDATA, "%s: %s has an absurd size", h5->path, path);
    }
    return SCS_OK;
}

/* Class and size of an element. Sizes of numbers are checked because HDF5 converts them in
 * buffers of its own. */
static scs_status get_type(const scs_h5 *h5, const char *path, hid_t dataset, scs_h5_shape *shape)
{
    hid_t type = H5Dget_type(dataset);
    bool number;

    shape->type = H5Tget_class(type);
    shape->size = H5Tget_size(type);
    shape->is_signed = shape->type == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    shape->variable_length = shape->type == H5T_STRING && H5Tis_variable_str(type) > 0;
    scs_h5_drop(type);
    number = shape->type == H5T_INTEGER || shape->type == H5T_FLOAT || shape->type == H5T_ENUM;
    SCS_REQUIRE(shape->type != H5T_NO_CLASS && shape->size > 0 && (!number || shape->size <= 16),
                SCS_EDATA, "%s: %s has a damaged type", h5->path, path);
    return SCS_OK;
}

/* All rules in turn. Storage is judged before the space is asked for: a virtual dataset opens
 * its sources then. */
static scs_status check_dataset(const scs_h5 *h5, const char *path, hid_t dataset, hid_t creation,
                                scs_h5_shape *shape)
{
    int64_t n, bytes, chunk;

    SCS_REQUIRE(creation >= 0, SCS_EDATA, "%s: %s is damaged", h5->path, path);
    SCS_TRY(check_layout(h5, path, creation));
    SCS_TRY(check_filters(h5, path, creation));
    SCS_TRY(get_dims(h5, path, dataset, shape));
    SCS_TRY(get_type(h5, path, dataset, shape));
    SCS_REQUIRE(!__builtin_mul_overflow(shape->dim[0], shape->dim[1], &n), SCS_EDATA,
                "%s: %s has an absurd size", h5->path, path);
    SCS_TRY(scs_h5_budget(h5, path, n, shape->size, &bytes));
    SCS_TRY(chunk_size(h5, path, creation, shape, &chunk));
    scs_h5filter_expect(chunk);
    return check_bomb(h5, path, dataset, bytes > chunk ? bytes : chunk);
}

/* The creation list says how the dataset is stored; it is read before any data, and dropped on
 * all ways out. */
scs_status scs_h5_open_dataset(const scs_h5 *h5, const char *path, hid_t *dataset,
                               scs_h5_shape *shape)
{
    hid_t creation = H5I_INVALID_HID;
    scs_status st = SCS_OK;

    *shape = (scs_h5_shape){0};
    SCS_GO(st, scs_h5_open_object(h5, path, dataset));
    if (H5Iget_type(*dataset) != H5I_DATASET)
        SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: %s is no dataset", h5->path, path));
    creation = H5Dget_create_plist(*dataset);
    SCS_GO(st, check_dataset(h5, path, *dataset, creation, shape));
done:
    scs_h5_drop(creation);
    if (st != SCS_OK) {
        scs_h5_drop(*dataset);
        *dataset = H5I_INVALID_HID;
    }
    return st;
}

scs_status scs_h5_shape_of(const scs_h5 *h5, const char *path, scs_h5_shape *shape)
{
    hid_t dataset;

    SCS_TRY(scs_h5_open_dataset(h5, path, &dataset, shape));
    scs_h5_drop(dataset);
    return SCS_OK;
}

/* Value i of an enumeration, whatever integers it is made of. */
static bool enum_value(hid_t type, hid_t base, unsigned i, int64_t *value)
{
    union {
        int64_t whole;
        char room[16]; /* get_type looked at the size */
    } at = {0};

    if (H5Tget_member_value(type, i, at.room) < 0 ||
        H5Tconvert(base, H5T_NATIVE_INT64, 1, at.room, NULL, H5P_DEFAULT) < 0)
        return false;
    *value = at.whole;
    return true;
}

static scs_status enum_members(const scs_h5 *h5, const char *path, hid_t type, scs_names *names,
                               int64_t *value, int n)
{
    hid_t base = H5Tget_super(type);
    scs_status st = SCS_OK;

    for (int i = 0; st == SCS_OK && i < n; i++) {
        char *name = H5Tget_member_name(type, (unsigned)i);

        st = name && enum_value(type, base, (unsigned)i, &value[i])
                 ? scs_names_add(names, name)
                 : SCS_FAIL(SCS_EDATA, "%s: %s has a damaged type", h5->path, path);
        H5free_memory(name);
    }
    scs_h5_drop(base);
    return st;
}

scs_status scs_h5_enum_members(const scs_h5 *h5, const char *path, scs_names *names,
                               int64_t **value)
{
    scs_h5_shape shape;
    hid_t dataset, type;
    scs_status st;
    int n;

    *value = NULL;
    SCS_TRY(scs_h5_open_dataset(h5, path, &dataset, &shape));
    type = H5Dget_type(dataset);
    n = shape.type == H5T_ENUM ? H5Tget_nmembers(type) : -1;
    if (n < 0 || n > 1000000)
        SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: %s has a damaged type", h5->path, path));
    SCS_GO(st, SCS_ALLOC(*value, n > 0 ? n : 1));
    SCS_GO(st, enum_members(h5, path, type, names, *value, n));
done:
    scs_h5_drop(type);
    scs_h5_drop(dataset);
    return st;
}

/* ---- numbers ---- */

/* A scalar reads as a list of one. */
static bool is_scalar(const scs_h5_shape *shape, const block *b)
{
    return shape->rank == 0 && b->rank == 1;
}

/* Type, rank and rows are what the caller takes them for. @param float_too whether floats will
 * do */
static scs_status check_block(const scs_h5 *h5, const char *path, const scs_h5_shape *shape,
                              const block *b, bool float_too)
{
    bool integer = shape->type == H5T_INTEGER || shape->type == H5T_ENUM;

    SCS_REQUIRE(integer || (float_too && shape->type == H5T_FLOAT), SCS_EDATA,
                "%s: %s must hold %s", h5->path, path, float_too ? "numbers" : "integers");
    SCS_REQUIRE(shape->rank == b->rank || is_scalar(shape, b), SCS_EDATA,
                "%s: %s must have %d dimension(s), not %d", h5->path, path, b->rank, shape->rank);
    SCS_REQUIRE(b->first >= 0 && b->n >= 0 && b->first <= shape->dim[b->axis] &&
                    b->n <= shape->dim[b->axis] - b->first,
                SCS_EDATA, "%s: %s ends early: it has %lld %s, %lld + %lld are needed", h5->path,
                path, (long long)shape->dim[b->axis], b->axis ? "columns" : "rows",
                (long long)b->first, (long long)b->n);
    return SCS_OK;
}

/* The read itself; HDF5 converts to the memory type. @return < 0 for a failure */
static herr_t transfer(hid_t dataset, const scs_h5_shape *shape, const block *b, hid_t type,
                       void *out)
{
    hsize_t start[2] = {0, 0};
    hsize_t count[2] = {(hsize_t)shape->dim[0], (hsize_t)shape->dim[1]};
    hid_t space = H5Dget_space(dataset), memory;
    herr_t done = -1;

    start[b->axis] = (hsize_t)b->first;
    count[b->axis] = (hsize_t)b->n;
    memory = H5Screate_simple(b->rank, count, NULL);
    if (is_scalar(shape, b))
        done = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out);
    else if (space >= 0 && memory >= 0 &&
             H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        done = H5Dread(dataset, type, memory, space, H5P_DEFAULT, out);
    scs_h5_drop(memory);
    scs_h5_drop(space);
    return done;
}

/* Nothing to read is no failure, even of a dataset without columns. */
static scs_status read_checked(const scs_h5 *h5, const char *path, hid_t dataset,
                               const scs_h5_shape *shape, const block *b, hid_t type, void *out)
{
    if (b->n == 0 || shape->dim[!b->axis] == 0)
        return SCS_OK;
    /* they fit: the dataset's bytes were multiplied with checks when it was opened */
    scs_sandbox_allow(b->n * shape->dim[!b->axis] * (int64_t)shape->size);
    SCS_TRY(check_chunks(h5, path, dataset, shape, b));
    return transfer(dataset, shape, b, type, out) >= 0
               ? SCS_OK
               : scs_h5_refuse(h5, path, "is damaged and cannot be read");
}

/* Open, check, read, drop: a dataset is opened anew for every block, so that no state is kept
 * between calls. */
static scs_status read_block(const scs_h5 *h5, const char *path, block b, hid_t type,
                             bool float_too, void *out)
{
    scs_h5_shape shape;
    hid_t dataset;
    scs_status st = SCS_OK;

    SCS_TRY(scs_h5_open_dataset(h5, path, &dataset, &shape));
    SCS_GO(st, check_block(h5, path, &shape, &b, float_too));
    SCS_GO(st, read_checked(h5, path, dataset, &shape, &b, type, out));
done:
    scs_h5_drop(dataset);
    return st;
}

scs_status scs_h5_read_int64(const scs_h5 *h5, const char *path, int64_t first, int64_t n,
                             int64_t *out)
{
    return read_block(h5, path, (block){first, n, 1, 0}, H5T_NATIVE_INT64, false, out);
}

scs_status scs_h5_read_int32(const scs_h5 *h5, const char *path, int64_t first, int64_t n,
                             int32_t *out)
{
    return read_block(h5, path, (block){first, n, 1, 0}, H5T_NATIVE_INT32, false, out);
}

/* Where it cannot be read again the clipped number stands: the caller is about to fail anyway. */
int64_t scs_h5_unclipped(const scs_h5 *h5, const char *path, int64_t at, int32_t value)
{
    int64_t wide;

    if (value != INT32_MIN && value != INT32_MAX)
        return value;
    return scs_h5_read_int64(h5, path, at, 1, &wide) == SCS_OK ? wide : value;
}

scs_status scs_h5_read_float(const scs_h5 *h5, const char *path, int64_t first, int64_t n,
                             float *out)
{
    return read_block(h5, path, (block){first, n, 1, 0}, H5T_NATIVE_FLOAT, true, out);
}

scs_status scs_h5_read_double(const scs_h5 *h5, const char *path, int64_t first, int64_t n,
                              double *out)
{
    return read_block(h5, path, (block){first, n, 1, 0}, H5T_NATIVE_DOUBLE, true, out);
}

scs_status scs_h5_read_rows(const scs_h5 *h5, const char *path, int64_t row0, int64_t n, float *out)
{
    return read_block(h5, path, (block){row0, n, 2, 0}, H5T_NATIVE_FLOAT, true, out);
}

scs_status scs_h5_read_columns(const scs_h5 *h5, const char *path, int64_t column0, int64_t n,
                               float *out)
{
    return read_block(h5, path, (block){column0, n, 2, 1}, H5T_NATIVE_FLOAT, true, out);
}

scs_status scs_h5_read_rows_double(const scs_h5 *h5, const char *path, int64_t row0, int64_t n,
                                   double *out)
{
    return read_block(h5, path, (block){row0, n, 2, 0}, H5T_NATIVE_DOUBLE, true, out);
}

scs_status scs_h5_read_rows_int64(const scs_h5 *h5, const char *path, int64_t row0, int64_t n,
                                  int64_t *out)
{
    return read_block(h5, path, (block){row0, n, 2, 0}, H5T_NATIVE_INT64, false, out);
}
