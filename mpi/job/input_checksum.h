/** The checksum by which models, results and states name an input file. */
#ifndef SCS_INPUT_CHECKSUM_H
#define SCS_INPUT_CHECKSUM_H

#include "src/base/checksum.h"
#include "scscreen/comm.h"

/** Of a file of at most this many bytes as `sha256sum` has it, "sha256:HEX"; of a larger one
 * "xxh3-tree:HEX" (src/base/checksum.h), of which each rank hashes its part. */
enum { SCS_INPUT_CHECKSUM_WHOLE = 16 << 20 };

/** The same on any number of ranks. SCS_EDATA where the file cannot be read or becomes shorter,
 * SCS_EIO, SCS_ENOMEM. Collective.
 *  @param path where it names a part (scs_file_split_part), the whole file counts; of a 10x folder
 *         the checksums of its files are hashed
 *  @param[out] out [SCS_CHECKSUM_MAX] */
SCS_MUST_USE scs_status scs_input_checksum(scs_comm *comm, const char *path, char *out);
/** Whether a file's checksum is the one that a model holds, which an earlier version may have made
 * in another way: then the file is read whole. SCS_EDATA, SCS_ENOMEM. Local.
 *  @param now what scs_input_checksum has made */
SCS_MUST_USE scs_status scs_input_checksum_compare(const char *path, const char *now,
                                                   const char *stored, bool *same);
/** Of an input that is not read for it: of its size, its time of change and at most eight MiB of
 * its bytes. @param[out] out [SCS_CHECKSUM_MAX]  @return SCS_EDATA where it cannot be read. Local.
 */
SCS_MUST_USE scs_status scs_input_checksum_quick(const char *path, char *out);

#endif
