/* The program from main to exit code.
 *
 *    parse argv -> [serial: one process does it and is done]
 *               -> rank 0 reads config and metadata -> MPI_Init -> communicator, threads -> session
 *                 -> verb
 *
 *  Exit codes are those of scs_exit_code: 0 done, 64 usage or config, 65 data refused, 70 internal,
 *  73 cannot create, 74 input or output, 75 stopped and resumable.
 *
 *  Reading comes before MPI_Init (mpi/job/preflight.h says why); whether it went well is said only
 *  when all ranks know it, in one line from rank 0, and every rank ends with the same exit code.
 *  Nothing here calls exit(): main returns, so that MPI_Finalize is reached whenever MPI works. */
#include "mpi/app/cli.h"
#include "mpi/app/launch.h"
#include "mpi/comm/threads.h"
#include "mpi/job/session.h"
#include "mpi/job/stop.h"
#include "src/base/instrument.h"
#include "src/hdf5/h5write.h"
#include "src/kernels/blas.h"

#include <mpi.h>
#include <stdlib.h>
#include <unistd.h>

/* The one place where a failure becomes a line on stderr and an exit code. SCSCREEN_TRACE adds the
 * trace of calls.
 *  @param prints this process writes the line */
static int finish(scs_status status, bool prints)
{
    if (status != SCS_OK && prints) {
        fprintf(stderr, "scscreen: %s: %s\n", status == SCS_ESTOP ? "stopped" : "error",
                scs_message());
        if (getenv("SCSCREEN_TRACE"))
            fprintf(stderr, "%s\n", scs_trace());
    }
    return scs_exit_code(status);
}

/* Verbs and options that need no other rank: the first process does them, the others have nothing
 * to do. Nor is MPI started for them. */
static bool is_serial(const scs_cli *cli)
{
    return cli->help || cli->version || cli->print_config ||
           (cli->verb->serial && (!cli->verb->is_serial || cli->verb->is_serial(cli)));
}

/* --print-config: the effective config, or the defaults without a file. */
static scs_status print_config(const scs_cli *cli)
{
    scs_config *config = NULL;
    char *yaml = NULL;
    scs_status status;

    SCS_GO(status, cli->file && !cli->verb->two_files
                       ? scs_config_load(cli->file, cli->sets, cli->n_set, &config, NULL)
                       : scs_config_parse("", "", cli->sets, cli->n_set, &config));
    SCS_GO(status, scs_config_print(config, &yaml));
    fputs(yaml, stdout);
done:
    free(yaml);
    scs_config_destroy(&config);
    return status;
}

/* One of the first process' tasks. */
static scs_status run_serial(const scs_cli *cli)
{
    if (cli->help)
        scs_cli_help(cli, stdout);
    else if (cli->version)
        scs_cli_version(stdout);
    else if (cli->print_config)
        return print_config(cli);
    else
        return cli->verb->serial(cli);
    return SCS_OK;
}

/* Past the exit handlers, where HDF5 would crash over a file that it could not close; the error
 * line has been written. */
static void leave_if_unusable(int code)
{
    if (!scs_h5_is_unusable())
        return;
    fflush(NULL);
    SCS_LEAVE(code);
}

/* A core type that this processor cannot execute, or that computes wrongly, is left out: OpenBLAS
 * reads it while the program is loaded, so the program begins again without it. Before MPI_Init,
 * as exec ends nothing then. */
static void check_blas(char **argv)
{
    const char *core = getenv("OPENBLAS_CORETYPE");

    if (!core || scs_blas_works())
        return;
    if (scs_preflight_is_first())
        fprintf(stderr,
                "scscreen: warning: OPENBLAS_CORETYPE=%.40s does not work on this processor; "
                "OpenBLAS chooses for itself\n",
                core);
    unsetenv("OPENBLAS_CORETYPE");
    execv("/proc/self/exe", argv);
}

/* SERIALIZED: the writer of a screen calls MPI from a thread of its own, in turn with the main
 * thread. Where MPI offers less, it does without (mpi/screen/screen_run.c). */
static int run_parallel(const scs_cli *cli, int *argc, char ***argv)
{
    scs_preflight preflight = {0};
    scs_comm *comm = NULL;
    scs_launch launch = scs_launch_find(); /* as it was launched: MPI_Init sets variables */
    int provided, code, rank = 0;
    scs_status status;
    bool joined, first = scs_preflight_is_first();

    scs_launch_spare_devices(&launch);
    scs_stop_signals_open();
    if (first)
        scs_preflight_prepare(&preflight, cli);
    if (MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS)
        return finish(SCS_FAIL(SCS_EINTERNAL, "MPI_Init failed"), true);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    status = scs_comm_create(MPI_COMM_WORLD, &comm);
    if (status == SCS_OK)
        status = scs_launch_check(&launch, comm);
    joined = status == SCS_OK;
    if (joined)
        status = scs_threads_set(comm);
    if (status == SCS_OK)
        status = scs_session_run(cli, comm, &preflight);
    code = finish(status, rank == 0 && (joined || first));
    if (rank == 0)
        scs_launch_tell_code(code);
    scs_preflight_clear(&preflight);
    scs_comm_destroy(&comm);
    leave_if_unusable(code);
    MPI_Finalize();
    return code;
}

/* The first process does serial tasks; under mpirun the others return 0 at once. */
int main(int argc, char **argv)
{
    scs_cli cli;
    scs_status status = scs_cli_parse(argc, argv, &cli);
    int code;

    /* Parallel file systems often have no flock; results are renamed into place, so nobody reads
     * half a file. */
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    if (status != SCS_OK)
        code = finish(status, scs_preflight_is_first());
    else if (!is_serial(&cli) && cli.ranks) {
        status = scs_launch_run(&cli, argc, argv, &code);
        code = status == SCS_OK ? code : finish(status, scs_preflight_is_first());
    } else if (!is_serial(&cli)) {
        check_blas(argv);
        code = run_parallel(&cli, &argc, &argv);
    } else
        code = scs_preflight_is_first() ? finish(run_serial(&cli), true) : 0;
    scs_cli_clear(&cli);
    leave_if_unusable(code);
    return code;
}
