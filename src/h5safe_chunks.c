/* HDF5 1.10 does not check that a chunk decodes to as many bytes as it reads from it. LZF is
 * guarded where it is decoded (src/filters.c); what is stored plain must be long enough, what is
 * deflated is inflated once to see. */
#include "src/h5safe_object.h"

#include "src/filters.h"

/* The chunks of a dataset. */
typedef struct grid {
    hid_t dataset;
    hsize_t dim[2], chunk[2];
    size_t bytes;            /* of a chunk */
    H5Z_filter_t compressor; /* deflate, LZF, or none */
    unsigned skipped;        /* the bit in a chunk's mask that says that it is not compressed */
} grid;

/* @return false when the filters compress twice */
static bool find_compressor(hid_t creation, grid *g)
{
    int n = H5Pget_nfilters(creation), found = 0;

    for (int i = 0; i < n && i < 32; i++) {
        unsigned flags, config;
        size_t n_value = 0;
        H5Z_filter_t id =
            H5Pget_filter2(creation, (unsigned)i, &flags, &n_value, NULL, 0, NULL, &config);
        if (!scs_filter_compresses(id))
            continue;
        g->compressor = id;
        g->skipped = 1u << i;
        found++;
    }
    return found <= 1;
}

static bool inflates(const grid *g, const hsize_t at[2], hsize_t size)
{
    uint32_t mask;
    void *stored = NULL;

    if (size > g->bytes + g->bytes / 8 + 4096) /* deflate never adds as much */
        return false;
    stored = H5allocate_memory(size, false);
    if (stored && H5Dread_chunk(g->dataset, H5P_DEFAULT, at, &mask, stored) >= 0)
        return scs_filter_inflates_to(stored, size, g->bytes);
    H5free_memory(stored);
    return false;
}

/* Also true of a chunk that was never written: it reads as the fill value. */
static bool covers(const grid *g, const hsize_t at[2])
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

static bool rows_covered(const grid *g, hsize_t first, hsize_t end)
{
    hsize_t at[2];

    for (at[0] = first / g->chunk[0] * g->chunk[0]; at[0] < end; at[0] += g->chunk[0])
        for (at[1] = 0; at[1] < g->dim[1]; at[1] += g->chunk[1])
            if (!covers(g, at))
                return false;
    return true;
}

/* @param[out] g chunk[0] is 0 when the dataset is not chunked */
static bool describe(hid_t dataset, const scs_h5_shape *shape, grid *g)
{
    hid_t creation = H5Dget_create_plist(dataset);
    bool good = creation >= 0;

    *g = (grid){.dataset = dataset, .chunk = {0, 1}, .compressor = H5Z_FILTER_NONE};
    g->dim[0] = (hsize_t)shape->dim[0];
    g->dim[1] = (hsize_t)shape->dim[1];
    if (shape->chunk0 > 0)
        good = H5Pget_chunk(creation, shape->rank, g->chunk) == shape->rank &&
               find_compressor(creation, g);
    g->bytes = g->chunk[0] * g->chunk[1] * shape->size; /* checked when the dataset was opened */
    scs_h5_drop(creation);
    return good;
}

scs_status scs_h5_check_chunks(const scs_h5 *h5, const char *path, hid_t dataset,
                               const scs_h5_shape *shape, int64_t first, int64_t n)
{
    grid g;
    bool good = describe(dataset, shape, &g);

    if (good && g.chunk[0] > 0)
        good = rows_covered(&g, (hsize_t)first, (hsize_t)(first + n));
    SCS_REQUIRE(good, SCS_EDATA,
                "%s: %s is damaged: a chunk does not decode to its full length; fetch it again",
                h5->path, path);
    return SCS_OK;
}
