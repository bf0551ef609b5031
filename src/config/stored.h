/** The config that a file was made with, beside the present one: models, training states and
 *  unfinished screens each hold theirs as text (scs_config_print_affecting). All functions are
 *  Local.
 */
#ifndef SCS_STORED_H
#define SCS_STORED_H

#include "scscreen/config.h"

#include <stddef.h>

/** A stored config, and what to say where it differs. All texts are borrowed. */
typedef struct scs_stored {
    const char *path;      /**< of the file that holds it, for messages */
    const char *text;      /**< of the config */
    int affects;           /**< scs_affects bits: the keys that have to agree */
    int64_t n_shard;       /**< what the file has, which train.shards: auto stands for; 0: as the
                              config says */
    bool exact;            /**< the texts are known to differ: named is whatever does, be it a path
                              or a value that means the same */
    const char *was;       /**< "the model was made with" another configuration: ... */
    const char *otherwise; /**< "or train again": what may be done but to set that back */
} scs_stored;

/** What differs, as scs_config_differences has it; "" where `now` agrees (scs_stored_check says
 * when). SCS_EARG where the stored text is damaged. @param[out] out [size] */
SCS_MUST_USE scs_status scs_stored_differences(const scs_stored *stored, const scs_config *now,
                                               char *out, size_t size);
/** Whether `now` agrees with a stored config. What `auto` stands for was found when the file was
 * made, so that it agrees with whatever stands there; data.target_sum is compared only where one of
 * the two scales cells by it, and paths are not, since files are known by their checksums. SCS_EARG
 * with the keys that differ. */
SCS_MUST_USE scs_status scs_stored_check(const scs_stored *stored, const scs_config *now);

#endif
