/** How a prediction is put together from what is decoded: screen.decode and screen.magnitude. All
 *  functions are Local. scs_predict itself is in scscreen/screen.h. */
#ifndef SCS_PREDICT_H
#define SCS_PREDICT_H

#include "scscreen/screen.h"

/** A mode of screen.decode. A new one is a value of scs_decode_method, its word in the key table,
 * its row in src/screen/predict.c and its formula in scs_predict. */
typedef struct scs_decode_mode {
    const char *name;
    bool needs_baseline; /**< adds the decoder's change to the observed control: the control cells
                            are decoded too, without delta */
    bool uses_magnitude; /**< scs_method.magnitude says how large that change is */
    bool uses_share;     /**< mixes it with the sources' own change in gene space: scs_method.blend
                            of it, the rest theirs */
} scs_decode_mode;

/** NULL past the end. @param decode scs_decode_method */
const scs_decode_mode *scs_predict_mode_at(int decode);
/** The decoder's share of the change, 1 where the mode mixes none. */
double scs_predict_share(const scs_method *method);
/** "auto", "decoder", "sources". @param magnitude scs_magnitude */
const char *scs_predict_magnitude_name(int magnitude);

/** The method that adds the sources' own change in gene space to the control, and decodes nothing:
 * a blend without the network. */
scs_method scs_predict_in_gene_space(scs_method method);

#endif
