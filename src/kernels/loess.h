/** Local regression of y on x (loess: Cleveland and Devlin, Journal of the American Statistical
 *  Association 1988): a smooth curve through a cloud of points, here the variance of genes over
 *  their mean.
 *
 *  At a place z a parabola is fitted to the nearest `span` of the points with tricube weights
 *  (1 - (d/h)^3)^3, h the distance of the farthest of them. As in netlib's dloess, which R and
 *  scikit-misc build on, this is done at some places only: the ends, half a per cent of the range
 *  outside of the data, and medians that halve the points until at most span n / 5 lie between two;
 *  from place to place runs the cubic that has the parabolas' values and slopes there. A median is
 *  one of the points. Values are those of R 4.2.2 and scikit-misc 0.5.3 (scanpy's loess) to 1e-6.
 *  O(n log n + places span n) time, O(n) memory. Deterministic. Local.
 */
#ifndef SCS_LOESS_H
#define SCS_LOESS_H

#include "scscreen/status.h"

/** The curve's value at each point.
 *
 *  Where fewer than three different x have any weight a line or a constant stands for the parabola.
 *  @param x, y [n] finite; n >= 0  @param span in (0, 1]: share of the points
 *  @param[out] fitted [n]  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_loess_fit(const double *x, const double *y, int64_t n, double span,
                                      double *fitted);

#endif
