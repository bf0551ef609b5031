/** Files that may be gzip-compressed, read as what they hold: by zlib, where it was there when this
 *  was built; without it a compressed file is refused. All functions are Local.
 */
#ifndef SCS_GZFILE_H
#define SCS_GZFILE_H

#include "scscreen/status.h"

/** An open file. */
typedef struct scs_gzfile scs_gzfile;

/** Open for reading. SCS_EDATA where it cannot be read, or is compressed and there is no zlib;
 *  SCS_ENOMEM. @param[out] file NULL after an error */
SCS_MUST_USE scs_status scs_gzfile_open(const char *path, scs_gzfile **file);
/** The next bytes of the content; fewer than `room` only at its end. SCS_EDATA where the file is
 *  damaged or cut short. @param[out] got 0: the end */
SCS_MUST_USE scs_status scs_gzfile_read(scs_gzfile *file, void *out, int64_t room, int64_t *got);
/** Go to a byte of the content; of a compressed file all before it is inflated. SCS_EDATA. */
SCS_MUST_USE scs_status scs_gzfile_seek(scs_gzfile *file, int64_t at);
/** NULL is let through. */
void scs_gzfile_close(scs_gzfile **file);

#endif
