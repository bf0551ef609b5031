/** What model.h5 holds and where: shared by its writer, its reader and its check. All functions are
 * Local.
 *
 *      state_dict/NAME    float32, torch's own layout, scGen's own names
 *      var_names          genes
 *      config             YAML of the run, one text
 *      atlas/species, cell_types, conditions       names
 *      atlas/group        int64 [n_group, 5] species, cell type, condition, held out, count
 *      atlas/mean ...     the arrays of scs_atlas, [n_group, ...]
 *      attributes: / profile; atlas control (position in conditions) */
#ifndef SCS_CHECKPOINT_PARTS_H
#define SCS_CHECKPOINT_PARTS_H

#include "scscreen/checkpoint.h"
#include "src/h5safe.h"

enum { SCS_GROUP_COLUMNS = 5, SCS_ATLAS_ARRAYS = 5, SCS_TENSOR_PATH_MAX = 96, SCS_LAYERS_MAX = 8 };

/** One numeric array of the atlas. */
typedef struct scs_atlas_array {
    const char *path;
    hid_t type;  /**< H5T_NATIVE_DOUBLE, _FLOAT or _INT32 */
    size_t size; /**< bytes of an element */
    void *data;  /**< [rows, cols]; borrowed from the atlas */
    int64_t rows, cols;
} scs_atlas_array;

/** @param[out] array [SCS_ATLAS_ARRAYS] */
void scs_atlas_arrays(const scs_atlas *atlas, scs_atlas_array *array);
/** Read with the shape checked, NaN and Inf refused. @param[out] out [rows, cols] */
SCS_MUST_USE scs_status scs_atlas_array_read(const scs_h5 *h5, const scs_atlas_array *array,
                                             void *out);

/** "state_dict/NAME". @param[out] path [SCS_TENSOR_PATH_MAX] */
void scs_tensor_path(const char *name, char *path);
int64_t scs_tensor_size(const scs_tensor *tensor);
/** Read with the shape checked, NaN and Inf refused. @param[out] values [scs_tensor_size], torch's
 * order */
SCS_MUST_USE scs_status scs_tensor_read(const scs_h5 *h5, const scs_tensor *tensor, float *values);

#endif
