/* Launchers set variables in the processes that they start; MPI_Init of another MPI ignores them
 * and makes a job of one rank. Nothing is sent: there is no one to send it to. */
#include "mpi/app/launch.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char slurm_size[] = "SLURM_STEP_NUM_TASKS";

/* Of the launcher next to the process first: mpirun may run in a step of Slurm. */
static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE",
                                    slurm_size, NULL};

/* PMIx numbers processes, but does not say in a variable how many there are. */
static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                    "MV2_COMM_WORLD_RANK", NULL};

/* The number of processes is that of the innermost launcher. */
scs_launch scs_launch_find(void)
{
    scs_launch launch = {.size = 1};

    for (const char *const *v = sizes; *v && !launch.variable; v++)
        if (getenv(*v)) {
            launch.variable = *v;
            launch.size = atol(getenv(*v));
        }
    for (const char *const *v = ranks; *v; v++)
        launch.stray |= getenv(*v) && atol(getenv(*v)) > 0;
    return launch;
}

/* "Open MPI v4.1.4" and the like. @param[out] name [MPI_MAX_LIBRARY_VERSION_STRING] */
static const char *mpi_name(char *name)
{
    int length;

    if (MPI_Get_library_version(name, &length) != MPI_SUCCESS)
        return "another MPI";
    name[strcspn(name, ",\n")] = '\0';
    return name;
}

/* More than one rank: MPI knew its launcher. One rank, where the variables name more: SCS_EARG
 * in each of the programs, with what to start it with. */
scs_status scs_launch_check(const scs_launch *launch, const scs_comm *comm)
{
    char name[MPI_MAX_LIBRARY_VERSION_STRING], number[24];

    snprintf(number, sizeof number, "%ld", launch->size);
    if (scs_comm_size(comm) > 1 || (launch->size < 2 && !launch->stray))
        return SCS_OK;
    SCS_REQUIRE(!launch->variable || strcmp(launch->variable, slurm_size) != 0, SCS_EARG,
                "srun started %ld tasks, but MPI does not join them: use srun --mpi=pmix, or "
                "mpirun in its place",
                launch->size);
    return SCS_FAIL(SCS_EARG,
                    "the launcher of another MPI started %s programs of one rank each: this "
                    "scscreen is built with %s; start it with the mpirun of that one",
                    launch->size > 1 ? number : "several", mpi_name(name));
}
