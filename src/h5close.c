#include "src/h5close.h"

/* HDF5 runs on the main thread alone. */
static _Thread_local bool unusable;

bool scs_h5_shut(hid_t file)
{
    bool closed = H5Fclose(file) >= 0;

    unusable |= !closed;
    return closed;
}

bool scs_h5_is_unusable(void)
{
    return unusable;
}
