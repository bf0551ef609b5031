/* Chunks of a list as they are stored, decoded here (h5stream.h).
 *
 * A stream holds one chunk as it is stored and one decoded; the rules of h5read.c have compared a
 * chunk's declared size with the memory budget. How it is decoded is h5filter.c's; nothing is
 * trusted to give the full length.
 *
 * What this does not know (other filters, damaged or missing chunks) is left to h5read.c, which
 * either reads it or says what is wrong: there is one set of messages. */
#include "src/hdf5/h5stream.h"

#include "src/hdf5/h5filter.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

struct scs_h5stream {
    const scs_h5 *h5;
    const char *path;
    scs_h5stream_type type;
    hid_t dataset, stored_type, memory_type;
    scs_h5_shape shape;
    size_t width;                  /* bytes of a number in memory */
    bool converts;                 /* the file's type is another */
    bool decodes;                  /* chunks of a kind that is decoded here */
    scs_h5filter_decoder *decoder; /* NULL: chunks are not compressed */
    size_t shuffled; /* bytes of an element whose bytes were shuffled; 0: they were not */
    int64_t chunk;   /* elements of a chunk; 0: not chunked */
    size_t bytes;    /* of a chunk, decoded */
    int64_t at;      /* the chunk that `values` holds, -1: none */
    uint8_t *stored, *values, *other; /* a chunk as it is stored, decoded, and scratch */
    size_t room;                      /* bytes of `stored` */
};

/* ---- open ---- */

static hid_t type_in_memory(scs_h5stream_type type)
{
    return type == SCS_H5_INT32   ? H5T_NATIVE_INT32
           : type == SCS_H5_INT64 ? H5T_NATIVE_INT64
                                  : H5T_NATIVE_FLOAT;
}

/* What anndata and h5py write: nothing or one compression, after a shuffle or not.
 * @param[out] compressor H5Z_FILTER_NONE: none
 * @return whether chunks are decoded here */
static bool find_filters(scs_h5stream *s, hid_t creation, H5Z_filter_t *compressor)
{
    int n = H5Pget_nfilters(creation);

    *compressor = H5Z_FILTER_NONE;
    for (int i = 0; i < n; i++) {
        unsigned flags, config, value[8] = {0};
        size_t n_value = sizeof value / sizeof *value;
        H5Z_filter_t id =
            H5Pget_filter2(creation, (unsigned)i, &flags, &n_value, value, 0, NULL, &config);

        if (*compressor != H5Z_FILTER_NONE)
            return false;
        if (id == H5Z_FILTER_SHUFFLE && s->shuffled == 0 && n_value > 0 &&
            value[0] == s->shape.size)
            s->shuffled = value[0];
        else if (scs_h5filter_compresses(id))
            *compressor = id;
        else
            return false;
    }
    return n >= 0;
}

/* Only after the dataset's chunks were judged by scs_h5_open_dataset. */
static scs_status prepare_chunks(scs_h5stream *s)
{
    hid_t creation = H5Dget_create_plist(s->dataset);
    size_t wide = s->width > s->shape.size ? s->width : s->shape.size;
    H5Z_filter_t compressor;
    bool known = creation >= 0 && find_filters(s, creation, &compressor);

    scs_h5_drop(creation);
    s->chunk = s->shape.chunk[0];
    s->bytes = (size_t)s->chunk * s->shape.size;
    s->room = s->bytes + s->bytes / 8 + 4096; /* no compression adds as much */
    s->decodes = known;
    if (!known)
        return SCS_OK;
    if (compressor != H5Z_FILTER_NONE)
        SCS_TRY(scs_h5filter_open(compressor, &s->decoder));
    SCS_TRY(SCS_ALLOC(s->stored, (int64_t)s->room));
    SCS_TRY(SCS_ALLOC(s->values, s->chunk * (int64_t)wide));
    return s->shuffled > 1 ? SCS_ALLOC(s->other, (int64_t)s->bytes) : SCS_OK;
}

/* The same words as h5read.c's for lists: a reader does not see which of the two has read. */
static scs_status check_type(const scs_h5stream *s)
{
    bool integer = s->shape.type == H5T_INTEGER || s->shape.type == H5T_ENUM;

    SCS_REQUIRE(integer || (s->type == SCS_H5_FLOAT && s->shape.type == H5T_FLOAT), SCS_EDATA,
                "%s: %s must hold %s", s->h5->path, s->path,
                s->type == SCS_H5_FLOAT ? "numbers" : "integers");
    SCS_REQUIRE(s->shape.rank == 1, SCS_EDATA, "%s: %s must have 1 dimension(s), not %d",
                s->h5->path, s->path, s->shape.rank);
    return SCS_OK;
}

/* An integer file type is read as floats too: counts are most often stored so. */
static scs_status open_stream(scs_h5stream *s)
{
    SCS_TRY(scs_h5_open_dataset(s->h5, s->path, &s->dataset, &s->shape));
    SCS_TRY(check_type(s));
    s->memory_type = type_in_memory(s->type);
    s->stored_type = H5Dget_type(s->dataset);
    SCS_REQUIRE(s->stored_type >= 0, SCS_EDATA, "%s: %s is damaged", s->h5->path, s->path);
    s->width = H5Tget_size(s->memory_type);
    s->converts = H5Tequal(s->stored_type, s->memory_type) <= 0;
    return s->shape.chunk[0] > 0 ? prepare_chunks(s) : SCS_OK;
}

scs_status scs_h5stream_open(const scs_h5 *h5, const char *path, scs_h5stream_type type,
                             scs_h5stream **stream)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*stream, 1));
    **stream = (scs_h5stream){.h5 = h5,
                              .path = path,
                              .type = type,
                              .dataset = H5I_INVALID_HID,
                              .stored_type = H5I_INVALID_HID,
                              .at = -1};
    st = open_stream(*stream);
    if (st != SCS_OK)
        scs_h5stream_close(stream);
    return st;
}

/* NULL, and what was opened in part, are let through. */
void scs_h5stream_close(scs_h5stream **stream)
{
    scs_h5stream *s = *stream;

    if (!s)
        return;
    scs_h5filter_close(&s->decoder);
    scs_h5_drop(s->stored_type);
    scs_h5_drop(s->dataset);
    free(s->stored);
    free(s->values);
    free(s->other);
    free(s);
    *stream = NULL;
}

/* ---- decode ---- */

/* Byte b of element i stands at b n + i. */
static void unshuffle(const uint8_t *from, size_t n, size_t size, uint8_t *to)
{
    for (size_t b = 0; b < size; b++)
        for (size_t i = 0; i < n; i++)
            to[i * size + b] = from[b * n + i];
}

/* Whether chunks are stored as they are read: no filter. */
static bool is_plain(const scs_h5stream *s)
{
    return !s->decoder && s->shuffled <= 1;
}

/* From the stored bytes to the chunk's bytes.
 * @return false: not to its full length */
static bool decode(scs_h5stream *s, size_t size, uint8_t *values)
{
    uint8_t *to = s->shuffled > 1 ? s->other : values;
    bool good;

    if (s->decoder)
        good = scs_h5filter_decode(s->decoder, s->stored, size, to, s->bytes);
    else {
        good = size == s->bytes;
        if (good)
            memcpy(to, s->stored, s->bytes);
    }
    if (good && s->shuffled > 1)
        unshuffle(s->other, (size_t)s->chunk, s->shuffled, values);
    return good;
}

/* Chunk number `index`, as numbers in memory. @param[out] values room for the chunk, in the file's
 * type and in memory's  @return false: h5read.c is to read it */
static bool load(scs_h5stream *s, int64_t index, uint8_t *values)
{
    hsize_t first = (hsize_t)(index * s->chunk), size = 0;
    uint32_t skipped = 0;

    if (H5Dget_chunk_storage_size(s->dataset, &first, &size) < 0 || size == 0 || size > s->room ||
        (is_plain(s) && size != s->bytes) ||
        H5Dread_chunk(s->dataset, H5P_DEFAULT, &first, &skipped, is_plain(s) ? values : s->stored) <
            0 ||
        skipped != 0 || (!is_plain(s) && !decode(s, size, values)))
        return false;
    return !s->converts || H5Tconvert(s->stored_type, s->memory_type, (size_t)s->chunk, values,
                                      NULL, H5P_DEFAULT) >= 0;
}

/* m elements of chunk `index`, which stays for the rest of them. Where all of it is wanted, and
 * takes no more room in the file, it comes to where it is wanted. @return as load */
static bool read_chunk(scs_h5stream *s, int64_t index, int64_t skip, int64_t m, uint8_t *to)
{
    if (s->at != index) {
        if (m == s->chunk && s->shape.size <= s->width)
            return load(s, index, to);
        s->at = -1;
        if (!load(s, index, s->values))
            return false;
        s->at = index;
    }
    memcpy(to, s->values + (size_t)skip * s->width, (size_t)m * s->width);
    return true;
}

/* ---- read ---- */

/* Elements that are contiguous or compact in the file: HDF5 reads them into place. */
static scs_status read_whole(scs_h5stream *s, int64_t first, int64_t n, void *out)
{
    hsize_t start = (hsize_t)first, count = (hsize_t)n;
    hid_t space = H5Dget_space(s->dataset), memory = H5Screate_simple(1, &count, NULL);
    herr_t done = -1;

    if (space >= 0 && memory >= 0 &&
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0)
        done = H5Dread(s->dataset, s->memory_type, memory, space, H5P_DEFAULT, out);
    scs_h5_drop(memory);
    scs_h5_drop(space);
    return done >= 0 ? SCS_OK : scs_h5_refuse(s->h5, s->path, "is damaged and cannot be read");
}

/* By the way of every other dataset, with its checks and messages. */
static scs_status read_checked(const scs_h5stream *s, int64_t first, int64_t n, void *out)
{
    switch (s->type) {
    case SCS_H5_INT32:
        return scs_h5_read_int32(s->h5, s->path, first, n, out);
    case SCS_H5_INT64:
        return scs_h5_read_int64(s->h5, s->path, first, n, out);
    default:
        return scs_h5_read_float(s->h5, s->path, first, n, out);
    }
}

/* A chunk at a time; one that cannot be decoded here is read the checked way, and the next is tried
 * here again. The bounds are checked first, as a damaged pointer list asks for any rows at all. */
scs_status scs_h5stream_read(scs_h5stream *s, int64_t first, int64_t n, void *out)
{
    uint8_t *to = out;

    SCS_REQUIRE(first >= 0 && n >= 0 && first <= s->shape.dim[0] && n <= s->shape.dim[0] - first,
                SCS_EDATA, "%s: %s ends early: it has %lld rows, %lld + %lld are needed",
                s->h5->path, s->path, (long long)s->shape.dim[0], (long long)first, (long long)n);
    if (n == 0)
        return SCS_OK;
    if (s->chunk == 0)
        return read_whole(s, first, n, out);
    while (n > 0) {
        int64_t index = first / s->chunk, skip = first % s->chunk;
        int64_t m = n < s->chunk - skip ? n : s->chunk - skip;

        if (!s->decodes || !read_chunk(s, index, skip, m, to)) {
            m = s->decodes ? m : n;
            SCS_TRY(read_checked(s, first, m, to));
        }
        to += (size_t)m * s->width;
        first += m;
        n -= m;
    }
    return SCS_OK;
}
