/** The key that a user meant by another word, for messages that help and for options that are
 * called as keys are.
 *
 *  Scientists come from other programs, whose names for the same things they write: those of
 *  scanpy, scvi-tools, scGen, pertpy, PyTorch and scikit-learn are listed here beside the key of
 *  each. A word is never taken for a key by itself: what is found is offered, and the user writes
 *  it.
 *
 *  All functions are Local and know nothing but the table of keys.
 */
#ifndef SCS_KEY_MEANT_H
#define SCS_KEY_MEANT_H

#include "src/config/key.h"

/** The full name of the key that goes by another word elsewhere: "lr" is train.learning_rate,
 * "n_epochs" train.epochs. Case and "_" do not matter, nor the usual "n_", "max_", "_size", "_key".
 * NULL: none. @param word without a section  @param[out] out [size]  @return out or NULL */
const char *scs_key_meant(const char *word, char *out, size_t size);
/** Word i of those that scs_key_meant knows beside the names of keys, NULL past their end. */
const char *scs_key_meant_word(int i);
/** What a user may have meant: the key of this name in another section, one nearly of this name in
 * the same section, scs_key_meant, else the full name or section nearest by edit distance; NULL
 * where nothing is near. @param[out] out [size]  @return out or NULL */
const char *scs_key_meant_nearest(const char *wrong, char *out, size_t size);

#endif
