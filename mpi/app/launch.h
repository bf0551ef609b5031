/** How the ranks of a job come to be: what a launcher's variables say, held against what MPI says.
 * Programs of one rank each, started together by a launcher that this MPI does not know, look like
 * N jobs in one folder of results; they are refused before they write. */
#ifndef SCS_LAUNCH_H
#define SCS_LAUNCH_H

#include "mpi/job/command.h"
#include "scscreen/comm.h"

/** What started this process, by the variables that launchers set. */
typedef struct scs_launch {
    const char *variable; /**< the one that says how many processes there are, or NULL */
    long size;            /**< how many it says; 1 where nothing does */
    bool stray;           /**< it numbers this process, and not as the first */
} scs_launch;

/** Before MPI_Init, which sets some of these variables. Local. */
scs_launch scs_launch_find(void);
/** Ranks of one node speak through its memory: MPI_Init does without a look for networks, that only
 * jobs of several nodes use, and for what else there is on the node. What the user has chosen
 * (OMPI_MCA_pml, HWLOC_PLUGINS_PATH) stays. Before MPI_Init. Local. */
void scs_launch_spare_devices(const scs_launch *launch);
/** `scscreen -n 4 run my.yaml`: starts mpirun with what this program needs, prints the command,
 * and waits for it. Who asks this process to end (Ctrl-C, SIGTERM, SIGHUP) has the ranks save what
 * they have. SCS_EARG: no mpirun, or too few cores. Local.
 *  @param[out] code exit code of the job */
SCS_MUST_USE scs_status scs_launch_run(const scs_cli *cli, int argc, char **argv, int *code);
/** Tell the process that started mpirun, if one of this program did, how the job ends. The first
 * rank, once. Local. */
void scs_launch_tell_code(int code);
/** N programs of one rank each, started together by something that this MPI does not know, would
 * overwrite each other's files. SCS_EARG. Local. */
SCS_MUST_USE scs_status scs_launch_check(const scs_launch *launch, const scs_comm *comm);

#endif
