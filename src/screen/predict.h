/** How a prediction is put together from what is decoded: screen.decode and screen.magnitude. All
 *  functions are Local. scs_predict itself is in scscreen/screen.h. */
#ifndef SCS_PREDICT_H
#define SCS_PREDICT_H

#include "scscreen/screen.h"

/** The decoder's share of the change, 1 where the mode mixes none. */
double scs_predict_share(const scs_method *method);
/** The factor of the sources' own change: 0 where the mode mixes none, 1 without the decoder. */
double scs_predict_own_share(const scs_method *method, const scs_evidence *from);

/** The method that adds the sources' own change in gene space to the control, and decodes nothing:
 * a blend without the network. */
scs_method scs_predict_in_gene_space(scs_method method);

#endif
