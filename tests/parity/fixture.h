/** Numbers out of the parity fixtures, by plain HDF5 calls: the fixtures are trusted. */
#ifndef SCS_TESTS_FIXTURE_H
#define SCS_TESTS_FIXTURE_H

#include <hdf5.h>
#include <stdint.h>

/** Open parity/`name` of the real data; ends the program loudly when that fails. */
hid_t fixture_open(const char *name);
/** All values of the dataset `format`, ... (printf) as floats; the caller frees. Ends the program
 *  when it is not there.
 *  @param[out] n how many; may be NULL */
float *fixture_values(hid_t file, int64_t *n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** A number kept as an attribute of a group. */
double fixture_attribute(hid_t file, const char *group, const char *name);

#endif
