/** The rules of screen.shift and the modes of screen.decode: one row for each, with its word, its
 *  value and all that other files ask about one.
 *
 *  The key table takes its words from these rows, so that a rule that can be written in a config
 *  has properties, and one that has none cannot be written. How a rule weighs groups is in
 *  src/screen/shift.c, what a mode adds up in src/screen/predict.c: each has a place for every
 *  value, counted when it is compiled.
 *
 *  Constant data: nothing here fails but by returning NULL. All functions are Local.
 */
#ifndef SCS_RULE_H
#define SCS_RULE_H

#include "src/config/key.h"

/** A rule of screen.shift: how one species' groups are weighed. A new one is a value of
 *  scs_shift_method before SCS_SHIFT_AUTO, its row in src/config/rule.c and its function in
 *  src/screen/shift.c. */
typedef struct scs_rule_shift {
    scs_word word;         /**< first: the key table reads rows as words */
    bool needs_pairs;      /**< learns from types with control and perturbed cells; else from any
                              perturbed and any control cells of the species */
    bool needs_mixed;      /**< scs_method.mixed, and then its weights are over all species */
    bool uses_power;       /**< scs_method.power is its own */
    bool uses_latent;      /**< its weights go by where controls lie in latent space */
    bool uses_convergence; /**< scs_method.convergence is its own */
    bool learns;           /**< its weights have seen which cells are perturbed */
    bool tried_by_auto;    /**< `auto` compares it with the others, and weighs it among them */
} scs_rule_shift;

/** A mode of screen.decode. A new one is a value of scs_decode_method, its row in
 * src/config/rule.c and its formula in scs_predict. */
typedef struct scs_rule_decode {
    scs_word word;       /**< first, as above */
    bool needs_baseline; /**< adds the decoder's change to the observed control: the control cells
                            are decoded too, without delta */
    bool uses_magnitude; /**< scs_method.magnitude says how large that change is */
    bool uses_share;     /**< mixes it with the sources' own change in gene space: scs_method.blend
                            of it */
} scs_rule_decode;

/** [SCS_SHIFT_AUTO + 2] by value; `auto` has a word and no property; the last row has no word. */
extern const scs_rule_shift scs_rule_shifts[];
/** [SCS_N_DECODE + 1] by value; the last row has no word. */
extern const scs_rule_decode scs_rule_decodes[];

/** NULL for SCS_SHIFT_AUTO and past the end. @param shift scs_shift_method */
const scs_rule_shift *scs_rule_shift_at(int shift);
/** NULL past the end. @param decode scs_decode_method */
const scs_rule_decode *scs_rule_decode_at(int decode);

#endif
