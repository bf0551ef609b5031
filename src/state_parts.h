/** What a state file holds and where: shared by its writer and its readers. All functions are
 * Local.
 *
 *      epoch, steps_done, step, best_epoch, n_shard, n_param, n_running    int64
 *      sum_objective, sum_reconstruction, sum_kl, sum_cells, seconds, best    float64
 *      config, data, program    one text each
 *      param, running, m, v; best_param, best_running    float32, each with the attribute sha256
 *
 * m and v are Adam's moments, gathered from all ranks. */
#ifndef SCS_STATE_PARTS_H
#define SCS_STATE_PARTS_H

#include "src/state.h"
#include "src/checksum.h"
#include "src/h5safe.h"
#include "src/training.h"

enum { SCS_STATE_INTS = 7, SCS_STATE_NUMBERS = 6, SCS_STATE_TEXTS = 3, SCS_STATE_VECTORS = 6 };

typedef struct scs_state_int {
    const char *name;
    int64_t *value, least; /**< borrowed from the state; the smallest that is allowed */
} scs_state_int;

typedef struct scs_state_number {
    const char *name;
    double *value;
} scs_state_number;

typedef struct scs_state_text {
    const char *name;
    char **value;
} scs_state_text;

/** A vector that every rank holds, or (m, v) of which each holds a slice. */
typedef struct scs_state_vector {
    const char *name;
    float *values; /**< [n] borrowed from the training; of a slice only [hi - lo] */
    int64_t n;
    bool sliced;
} scs_state_vector;

/** @param[out] ints [SCS_STATE_INTS] */
void scs_state_ints(scs_state *state, scs_state_int *ints);
/** @param[out] numbers [SCS_STATE_NUMBERS] */
void scs_state_numbers(scs_state *state, scs_state_number *numbers);
/** @param[out] texts [SCS_STATE_TEXTS] */
void scs_state_texts(scs_state *state, scs_state_text *texts);
/** @param[out] vectors [SCS_STATE_VECTORS]  @return how many: the best weights only where there are
 * any */
int scs_state_vectors(const scs_training *training, int64_t best_epoch, scs_state_vector *vectors);

/** Read one vector and compare its checksum with `sum` (NULL: with the file's own attribute, only
 * before MPI_Init or in a file that passed scs_seal_check). SCS_EDATA. @param[out] out [n] */
SCS_MUST_USE scs_status scs_state_read_vector(const scs_h5 *h5, const char *name, int64_t n,
                                              const char *sum, float *out);

#endif
