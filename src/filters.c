#include "src/filters.h"

#include "src/lzf.h"

enum { FILTER_LZF = 32000 }; /* registered with The HDF Group by h5py */

/* HDF5's own deflate: exported by its library, in no header. NULL where it is not, and then chunks
 * are believed. */
extern const H5Z_class2_t H5Z_DEFLATE[1] __attribute__((weak));

static _Thread_local size_t expected;

void scs_filters_expect(int64_t chunk)
{
    expected = chunk > 0 ? (size_t)chunk : 0;
}

bool scs_filter_compresses(H5Z_filter_t id)
{
    return id == H5Z_FILTER_DEFLATE || id == FILTER_LZF;
}

bool scs_filter_is_known(H5Z_filter_t id)
{
    return scs_filter_compresses(id) || id == H5Z_FILTER_SHUFFLE || id == H5Z_FILTER_FLETCHER32;
}

bool scs_filter_inflates_to(void *stored, size_t size, size_t chunk)
{
    static const unsigned level = 6; /* has no meaning for the way back */
    size_t room = size, n = chunk;

    /* cppcheck-suppress knownConditionTrueFalse ; a library without zlib lacks the symbol */
    if (H5Z_DEFLATE)
        n = H5Z_DEFLATE->filter(H5Z_FLAG_REVERSE, 1, &level, size, &room, &stored);
    H5free_memory(stored);
    return n >= chunk;
}

/* Decodes *buffer; the new length, 0 = failure. As HDF5's own filters it gives back another buffer.
 * The factor: a variable-length element takes 8 bytes in memory, 16 in the file. The rest: a
 * checksum that was appended before the compression. */
static size_t lzf(unsigned flags, size_t n_value, const unsigned *values, size_t size,
                  size_t *buffer_size, void **buffer)
{
    size_t room = 2 * expected + 64;
    void *out = (flags & H5Z_FLAG_REVERSE) ? H5allocate_memory(room, true) : NULL;
    int64_t n = out ? scs_lzf_decode(*buffer, size, out, room) : -1;

    (void)n_value, (void)values;
    if (n < 0 || (size_t)n < expected) {
        H5free_memory(out);
        return 0;
    }
    H5free_memory(*buffer);
    *buffer = out;
    *buffer_size = room;
    return (size_t)n;
}

scs_status scs_filters_register(void)
{
    static const H5Z_class2_t lzf_class = {
        H5Z_CLASS_T_VERS, FILTER_LZF, 0, 1, "lzf", NULL, NULL, lzf};

    SCS_REQUIRE(H5Zregister(&lzf_class) >= 0, SCS_EINTERNAL, "HDF5 does not take the LZF filter");
    return SCS_OK;
}
