#include "mpi/comm_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* The kilobytes that a line of a file in /proc/self tells, 0 without such a line. */
static double proc_kib(const char *path, const char *key)
{
    FILE *in = fopen(path, "r");
    char line[256];
    long long value = 0;

    while (in && fgets(line, sizeof line, in))
        if (strncmp(line, key, strlen(key)) == 0)
            value = atoll(line + strlen(key));
    if (in)
        fclose(in);
    return (double)value;
}

/* What other ranks' peaks count as well of the memory that ranks of a node share. */
static double counted_twice(void)
{
    double whole = proc_kib("/proc/self/status", "RssShmem:");
    double share = proc_kib("/proc/self/smaps_rollup", "Pss_Shmem:");

    return share > 0 && share < whole ? whole - share : 0;
}

scs_status scs_peak_memory(scs_comm *comm, double *sum)
{
    struct rusage usage;
    double mine;

    getrusage(RUSAGE_SELF, &usage);
    mine = ((double)usage.ru_maxrss - counted_twice()) / 1024;
    SCS_MPI(MPI_Reduce(&mine, sum, 1, MPI_DOUBLE, MPI_SUM, 0, comm->mpi));
    return SCS_OK;
}
