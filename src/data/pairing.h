/** Which labels of perturbations name two at once: "A+B" beside "A" and "B".
 *
 *  A pair is kept by its two singles in ascending order, whichever order its label has. All
 *  functions are Local.
 */
#ifndef SCS_PAIRING_H
#define SCS_PAIRING_H

#include "src/base/names.h"
#include "scscreen/config.h"

#include <stdbool.h>

/** Two perturbations and the label that names both. */
typedef struct scs_pair_label {
    int32_t first, second; /**< positions of labels, first < second */
    int32_t label;         /**< position of the label that names both */
} scs_pair_label;

/** Arrays are owned, the labels are not: they stay as long as the pairing. */
typedef struct scs_pairing {
    const scs_names *labels; /**< borrowed */
    const char *separator;   /**< borrowed; NULL: no label is a pair */
    scs_names name; /**< [labels->n] of each when put into a pair: "A" of "A" and "A+control" */
    bool *single;   /**< [labels->n] may be one of a pair */
    scs_pair_label *pair; /**< [n] ordered by first, second */
    int32_t n;
} scs_pairing;

/** What labels are cut at by this config: screen.pair_separator where screen.order is 2; else NULL,
 * and no label is a pair. Borrowed from the config. */
const char *scs_pairing_separator(const scs_config *config);
/** Find the labels "A+B" whose two sides are labels themselves (or "A+CONTROL", which is A alone).
 *  @param control   position of its label
 *  @param separator between the two; NULL: look for none
 *  @param[out] pairing caller clears; empty after an error
 *  @return SCS_EARG where two labels name the same perturbation, pair ("A+B" and "B+A") or larger
 *          combination, the control left out wherever it stands; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_pairing_create(const scs_names *labels, int32_t control,
                                           const char *separator, scs_pairing *pairing);
/** Free all; zeroed is let through. */
void scs_pairing_clear(scs_pairing *pairing);
/** The pair that a label names, or NULL. Borrowed. */
const scs_pair_label *scs_pairing_of(const scs_pairing *pairing, int32_t label);
/** The label that names this pair, in either order, or -1. */
int32_t scs_pairing_label(const scs_pairing *pairing, int32_t a, int32_t b);
/** The two singles that a text "A+B" names, seen together or not.
 *  @param[out] a, b ascending  @return false if it names none */
bool scs_pairing_parse(const scs_pairing *pairing, const char *text, int32_t *a, int32_t *b);
/** "A+B": the label that stands for it in the data, or made of the singles' names.
 *  @param[out] text malloc'ed, caller frees  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_pairing_text(const scs_pairing *pairing, int32_t a, int32_t b,
                                         char **text);

#endif
