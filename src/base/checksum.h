/** SHA-256 of texts and files (libmd), XXH3 of large inputs (libxxhash), and the checksum that a
 * file of ours carries in itself.
 *
 *  Three uses, three promises:
 *  - of an input file, for provenance: a result names the files it was made from. A large one is
 *    hashed in leaves, by all ranks, so that no process reads all of it; by XXH3-128, which tells
 *    files apart that differ by accident, at the speed of memory. It does not hold against somebody
 *    who makes a file so that it has another one's checksum.
 *  - of a text or an array in memory.
 *  - of a checkpoint or state file of ours, inside it: HDF5 1.10 crashes on some damaged files,
 *    so damage is found before HDF5 sees the file.
 *
 *  The inner checksum stands in the file's first 512 bytes, which HDF5 leaves to the application
 *  (its user block; every HDF5 reader skips them):
 *
 *      scscreen sealed file
 *      sha256:HEX
 *      of SIZE bytes from byte 512 on; open it with any HDF5 reader
 *
 *  then zeros. SIZE is that of the file without the block, so that a file cut short differs as
 *  well.
 *
 *  All functions are Local; files are read in small pieces.
 */
#ifndef SCS_CHECKSUM_H
#define SCS_CHECKSUM_H

#include "src/base/names.h"

#include <stdbool.h>

/** Room for the text of a checksum, its kind and its NUL. */
enum { SCS_CHECKSUM_MAX = 96 };

/** "sha256:HEX" of `size` bytes. @param[out] out [SCS_CHECKSUM_MAX] */
void scs_checksum_bytes(const void *bytes, int64_t size, char *out);

/** "sha256:HEX" of a whole file; for one above 2 GiB "sha256-ends:HEX" of its size (int64_t, native
 * byte order) and its first and last 64 MiB: so models made by earlier versions name their inputs,
 * and small files still are named.
 *  @param[out] out [SCS_CHECKSUM_MAX]
 *  @return SCS_OK, SCS_EDATA when it cannot be read or changes meanwhile, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_checksum_file(const char *path, char *out);
/** "sha256-tree:HEX", the SHA-256 of a file's size (8 bytes, little-endian) and of the SHA-256 of
 * each of its leaves: so models made by earlier versions name large inputs.
 *  @param[out] out [SCS_CHECKSUM_MAX]  @return as scs_checksum_file */
SCS_MUST_USE scs_status scs_checksum_file_tree(const char *path, char *out);

/* ---- of a file in leaves, which several processes can share ---- */

/** Bytes of a leaf; the last one of a file may be shorter. Bytes of a leaf's digest, its XXH3-128
 * in canonical form (big-endian), which is the same on all machines. */
enum { SCS_CHECKSUM_LEAF = 1 << 20, SCS_CHECKSUM_DIGEST = 16 };

/** Bytes of a file. SCS_EDATA. */
SCS_MUST_USE scs_status scs_checksum_size(const char *path, int64_t *size);
/** Leaves of a file of `size` bytes. */
int64_t scs_checksum_n_leaf(int64_t size);
/** Leaves [leaf, leaf + n) of a file of `size` bytes.
 *  @param[out] digest [n, SCS_CHECKSUM_DIGEST]
 *  @return SCS_OK, SCS_EDATA when it cannot be read or became shorter, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_checksum_leaves(const char *path, int64_t size, int64_t leaf, int64_t n,
                                            uint8_t *digest);
/** "xxh3-tree:HEX", the XXH3-128 of all leaves' digests, with the file's size as its seed.
 *  @param digest [scs_checksum_n_leaf(size), SCS_CHECKSUM_DIGEST]
 *  @param[out] out [SCS_CHECKSUM_MAX] */
void scs_checksum_root(int64_t size, const uint8_t *digest, char *out);

/* ---- within a file ---- */

/** Bytes at the start of a file that are kept free for its own checksum; HDF5 wants a power of two,
 * at least 512. */
enum { SCS_CHECKSUM_BLOCK = 512 };

/** Write the checksum of a complete file into its first SCS_CHECKSUM_BLOCK bytes. Nothing may be
 * written to the file afterwards. SCS_EIO, SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_checksum_file_write(const char *path);
/** What tells a file from others: the checksum that stands in it, or for a file without one that of
 * its bytes. Does not look whether the file is whole.
 *  @param[out] out [SCS_CHECKSUM_MAX]  @return as scs_checksum_file */
SCS_MUST_USE scs_status scs_checksum_file_identity(const char *path, char *out);
/** Whether a file is as it was when its checksum was written.
 *
 *  A file without a checksum passes if none is required (a plain HDF5 file: its reader says what is
 *  wrong with it, if anything), unless HDF5's signature stands only behind the block: then the
 * block was there and is damaged.
 *  @return SCS_OK, SCS_EDATA (unreadable, damaged, or no checksum though `required`), SCS_ENOMEM */
SCS_MUST_USE scs_status scs_checksum_file_check(const char *path, bool required);

#endif
