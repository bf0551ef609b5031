#include "src/h5safe.h"

#include "src/filters.h"
#include "src/h5close.h"
#include "src/h5safe_object.h"
#include "src/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MEMBERS_MAX = 1000000, LONGEST_PATH = 4095 };

void scs_h5_drop(hid_t id)
{
    if (id >= 0)
        (void)H5Idec_ref(id);
}

/* No printing, no plugins; the filters that are known. A library without plugin support refuses the
 * call. */
static scs_status prepare_library(void)
{
    SCS_REQUIRE(H5open() >= 0, SCS_EINTERNAL, "HDF5 does not start");
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    (void)H5PLset_loading_state(0);
    return scs_filters_register();
}

static scs_status check_regular(const char *path)
{
    struct stat s;
    FILE *file = NULL;

    SCS_REQUIRE(stat(path, &s) == 0, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    SCS_REQUIRE(S_ISREG(s.st_mode), SCS_EDATA,
                "%s: is no regular file; name one .h5ad file (zarr folders are not read)", path);
    SCS_REQUIRE(s.st_size > 0, SCS_EDATA, "%s: is empty; fetch it again", path);
    file = fopen(path, "rb");
    SCS_REQUIRE(file, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    fclose(file);
    return SCS_OK;
}

static herr_t note_truncation(unsigned n, const H5E_error2_t *error, void *truncated)
{
    (void)n;
    if (error->desc && strstr(error->desc, "truncated"))
        *(bool *)truncated = true;
    return 0;
}

/* The words for a file that HDF5 does not open. */
static scs_status not_opened(const char *path, bool truncated)
{
    if (truncated)
        return SCS_FAIL(SCS_EDATA, "%s: truncated HDF5 file (it was cut short); fetch it again",
                        path);
    if (H5Fis_hdf5(path) > 0)
        return SCS_FAIL(SCS_EDATA,
                        "%s: damaged HDF5 file, or one that another program is writing; fetch it "
                        "again or re-save it with anndata",
                        path);
    return SCS_FAIL(SCS_EDATA,
                    "%s: is not an HDF5 file; give an .h5ad file (anndata's write_h5ad makes one)",
                    path);
}

/* @param[out] truncated what HDF5's error stack says of a failure */
static hid_t open_file(const char *path, bool *truncated)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = H5I_INVALID_HID;

    if (access >= 0 && H5Pset_fapl_sec2(access) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
        H5Pset_file_locking(access, true, true) >= 0)
        file = H5Fopen(path, H5F_ACC_RDONLY, access);
    if (file < 0)
        (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_truncation, truncated);
    scs_h5_drop(access);
    return file;
}

scs_status scs_h5_open(const char *path, int64_t memory, scs_h5 *h5)
{
    bool truncated = false;

    *h5 = (scs_h5){.file = H5I_INVALID_HID, .memory = memory > 0 ? memory : (int64_t)16 << 30};
    SCS_TRY(check_regular(path));
    SCS_TRY(prepare_library());
    h5->file = open_file(path, &truncated);
    if (h5->file < 0)
        return not_opened(path, truncated);
    if (scs_text_copy(path, &h5->path) != SCS_OK) {
        scs_h5_close(h5);
        return SCS_ENOMEM;
    }
    return SCS_OK;
}

void scs_h5_close(scs_h5 *h5)
{
    if (h5->file > 0)
        (void)scs_h5_shut(h5->file);
    free(h5->path);
    *h5 = (scs_h5){.file = H5I_INVALID_HID};
}

static const char *link_kind(H5L_type_t type)
{
    return type == H5L_TYPE_SOFT       ? "a soft link"
           : type == H5L_TYPE_EXTERNAL ? "an external link into another file"
                                       : "a user-defined link";
}

/* One more part of the path; *found is false when nothing stands there. */
static scs_status look_at(const scs_h5 *h5, const char *path, bool *found)
{
    H5L_info_t info;

    *found = H5Lget_info(h5->file, path, &info, H5P_DEFAULT) >= 0;
    SCS_REQUIRE(!*found || info.type == H5L_TYPE_HARD, SCS_EDATA,
                "%s: %s is %s, which is not followed; re-save the file with anndata "
                "(read_h5ad, then write_h5ad)",
                h5->path, path, link_kind(info.type));
    return SCS_OK;
}

scs_status scs_h5_look(const scs_h5 *h5, const char *path, bool *found)
{
    char part[LONGEST_PATH + 1]; /* on the stack: whether something is there cannot fail */

    *found = true;
    SCS_REQUIRE(strlen(path) <= LONGEST_PATH, SCS_EDATA, "%s: a name of more than %d bytes in it",
                h5->path, LONGEST_PATH);
    strcpy(part, path);
    for (char *end = part; *found && *end; end++) {
        char *slash = strchr(end, '/');
        if (slash == end)
            continue;
        end = slash ? slash : end + strlen(end);
        *end = '\0';
        SCS_TRY(look_at(h5, part, found));
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

static herr_t refuse_external(const char *parent_file, const char *parent_group,
                              const char *child_file, const char *child, unsigned *flags,
                              hid_t access, void *data)
{
    (void)parent_file, (void)parent_group, (void)child_file, (void)child;
    (void)flags, (void)access, (void)data;
    return -1;
}

/* The walk has seen hard links only; this refuses what it could have missed. */
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

scs_status scs_h5_open_object(const scs_h5 *h5, const char *path, hid_t *object)
{
    bool found;
    hid_t access;

    *object = H5I_INVALID_HID;
    SCS_TRY(scs_h5_look(h5, path, &found));
    SCS_REQUIRE(found, SCS_EDATA, "%s: there is no %s in it", h5->path, path);
    access = link_access();
    SCS_REQUIRE(access >= 0, SCS_ENOMEM, "%s: no memory is left for HDF5's lists", h5->path);
    *object = H5Oopen(h5->file, *path ? path : "/", access);
    scs_h5_drop(access);
    SCS_REQUIRE(*object >= 0, SCS_EDATA,
                "%s: %s is damaged and cannot be opened; fetch the file again", h5->path, path);
    return SCS_OK;
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

typedef struct listing {
    scs_names *names;
    scs_status status;
} listing;

static herr_t add_member(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    listing *l = data;

    (void)group, (void)info;
    l->status = l->names->n < MEMBERS_MAX
                    ? scs_names_add(l->names, name)
                    : SCS_FAIL(SCS_EDATA, "more than %d members", MEMBERS_MAX);
    return l->status == SCS_OK ? 0 : -1;
}

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
