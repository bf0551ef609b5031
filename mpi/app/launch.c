/* Launchers set variables in the processes that they start; MPI_Init of another MPI ignores them
 * and makes a job of one rank. Nothing is sent: there is no one to send it to.
 *
 * Why `scscreen -n` exists: which options mpirun needs differs between MPIs and places (root in a
 * container, ranks that wait on few cores, the time that Slurm leaves for a save), and a user
 * should not have to know. The command is printed, so that it can be copied into a job script. What
 * the ranks return is what this process returns. */
#include "mpi/app/launch.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char open_mpi_size[] = "OMPI_COMM_WORLD_SIZE";
static const char slurm_size[] = "SLURM_STEP_NUM_TASKS";

/* Of the launcher next to the process first: mpirun may run in a step of Slurm. */
static const char *const sizes[] = {open_mpi_size, "PMI_SIZE", "MV2_COMM_WORLD_SIZE", slurm_size,
                                    NULL};

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

/* Whether Open MPI's mpirun started all ranks on this node, or nothing started this process. */
static bool is_on_one_node(const scs_launch *launch)
{
    const char *here = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");

    if (launch->variable)
        return here && strcmp(launch->variable, open_mpi_size) == 0 && atol(here) == launch->size;
    for (const char *const *v = ranks; *v; v++)
        if (getenv(*v))
            return false;
    return true;
}

/* Open MPI's `cm` asks the libraries of several networks for adapters, which takes 0.2 s where
 * there are none: two thirds of MPI_Init; `ucx` takes 2 MiB a rank. Other MPIs do not read the
 * variable. The plugins of hwloc, by which an MPI learns of cores, look for more in each rank: they
 * read the PCI bus, start OpenCL, call on X servers, and their libraries take another 2 MiB; cores
 * and memory are found without them. */
void scs_launch_spare_devices(const scs_launch *launch)
{
    if (!is_on_one_node(launch))
        return;
    setenv("OMPI_MCA_pml", "^cm,ucx", 0);
    setenv("HWLOC_PLUGINS_PATH", "/dev/null", 0);
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

/* ---- scscreen -n RANKS ---- */

enum { WORDS = 1024, PATH_SIZE = 4096, CPUS = 4096 };

/* The command that is started. */
typedef struct mpirun_command {
    char program[PATH_SIZE], self[PATH_SIZE], ranks[24];
    const char *word[WORDS + 1];
    int n;
} mpirun_command;

/* What does not fit is dropped: add_program has refused so many words before. */
static void add(mpirun_command *c, const char *word)
{
    if (c->n < WORDS)
        c->word[c->n++] = word;
    c->word[c->n] = NULL;
}

#ifdef SCS_MPIRUN
/* Whether `name` in a folder of PATH is this file. */
static bool is_on_path(const char *name, const char *file)
{
    const char *path = getenv("PATH");
    struct stat wanted, found;
    char at[PATH_SIZE];

    if (!path || stat(file, &wanted) != 0)
        return false;
    for (size_t n; *path; path += n + (path[n] != '\0')) {
        n = strcspn(path, ":");
        snprintf(at, sizeof at, "%.*s/%s", (int)n, path, name);
        if (access(at, X_OK) == 0 && stat(at, &found) == 0)
            return found.st_ino == wanted.st_ino && found.st_dev == wanted.st_dev;
    }
    return false;
}
#endif

/* The mpirun of the MPI that this program is built with, as configure found it; by its name where
 * that is enough, because Open MPI takes one that is called by its path for one in a place of its
 * own. */
static void find_mpirun(char *program)
{
    snprintf(program, PATH_SIZE, "mpirun");
#ifdef SCS_MPIRUN
    const char *slash = strrchr(SCS_MPIRUN, '/'), *name = slash ? slash + 1 : SCS_MPIRUN;

    if (access(SCS_MPIRUN, X_OK) == 0)
        snprintf(program, PATH_SIZE, "%s", is_on_path(name, SCS_MPIRUN) ? name : SCS_MPIRUN);
#endif
}

/* Those of Open MPI; MPICH's mpirun takes all of it as it is. */
static void add_options(mpirun_command *c, const scs_cli *cli)
{
    snprintf(c->ranks, sizeof c->ranks, "%d", cli->ranks);
    add(c, c->program);
#ifdef OMPI_MAJOR_VERSION
    add(c, "-q"); /* our error line says it all */
    if (geteuid() == 0)
        add(c, "--allow-run-as-root");
    if (cli->oversubscribe)
        add(c, "--oversubscribe");
    add(c, "--mca"); /* ranks that wait do not take the processor from those that work */
    add(c, "mpi_yield_when_idle");
    add(c, "1");
    /* Seconds until SIGTERM, and from there to SIGKILL, where Slurm signals mpirun itself.
     * Elsewhere nobody does, and mpirun waits so long after each error, too. */
    if (OMPI_MAJOR_VERSION < 5 && getenv("SLURM_JOB_ID")) {
        add(c, "--mca");
        add(c, "odls_base_sigkill_timeout");
        add(c, "12");
    }
#endif
    add(c, "-n");
    add(c, c->ranks);
}

/* All words but those for us. */
static scs_status add_program(mpirun_command *c, int argc, char **argv)
{
    ssize_t n = readlink("/proc/self/exe", c->self, sizeof c->self - 1);

    SCS_REQUIRE(n > 0, SCS_EARG, "-n: this program's own path is not known: %s", strerror(errno));
    SCS_REQUIRE(argc < WORDS / 2, SCS_EARG, "-n: more than %d words", WORDS / 2);
    c->self[n] = '\0';
    add(c, c->self);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-n") == 0 || strcmp(argv[i], "--ranks") == 0)
            i++;
        else if (strcmp(argv[i], "--oversubscribe") != 0)
            add(c, argv[i]);
    return SCS_OK;
}

/* As a shell takes it. */
static void print(const mpirun_command *c)
{
    fprintf(stderr, "scscreen:");
    for (int i = 0; i < c->n; i++) {
        const char *w = c->word[i];

        if (*w && strspn(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                            "-_./=+,:%@") == strlen(w)) {
            fprintf(stderr, " %s", w);
            continue;
        }
        fprintf(stderr, " '");
        for (; *w; w++)
            fprintf(stderr, *w == '\'' ? "'\\''" : "%c", *w);
        fputc('\'', stderr);
    }
    fputc('\n', stderr);
}

/* Cores that this process may use; 0: unknown. mpirun counts them, not their hardware threads. */
static int count_cores(void)
{
    char path[128];
    bool seen[CPUS] = {false};
    cpu_set_t set;
    int n = 0;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && cpu < CPUS; cpu++) {
        int core = cpu; /* the first of its threads stands for it */
        FILE *list;

        if (!CPU_ISSET(cpu, &set))
            continue;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
                 cpu);
        list = fopen(path, "r");
        if (list) {
            if (fscanf(list, "%d", &core) != 1 || core < 0 || core >= CPUS)
                core = cpu;
            fclose(list);
        }
        n += !seen[core];
        seen[core] = true;
    }
    return n;
}

/* Where nobody else says which machines there are, Open MPI's mpirun would refuse, in a page of
 * text, and MPICH's would start ranks that wait for each other at full speed. */
static scs_status check_cores(const scs_cli *cli)
{
    static const char *const others[] = {"SLURM_JOB_ID",
                                         "PBS_NODEFILE",
                                         "LSB_HOSTS",
                                         "PE_HOSTFILE",
                                         "OMPI_MCA_orte_default_hostfile",
                                         "PRTE_MCA_prte_default_hostfile",
                                         "OMPI_MCA_rmaps_base_oversubscribe",
                                         NULL};
    int cores = count_cores();

    for (const char *const *v = others; *v; v++)
        if (getenv(*v))
            return SCS_OK;
    SCS_REQUIRE(cli->oversubscribe || cores < 1 || cli->ranks <= cores, SCS_EARG,
                "-n %d: this machine has %d core%s; give at most %d, or --oversubscribe",
                cli->ranks, cores, cores > 1 ? "s" : "", cores);
    return SCS_OK;
}

/* A group of its own: Ctrl-C is for us, who ask for a save; mpirun would give the ranks a second.
 * Should we be killed, it is asked as well. */
static void become(const mpirun_command *c, const sigset_t *mask)
{
    int null = open("/dev/null", O_RDONLY);

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (null >= 0)
        (void)dup2(null, STDIN_FILENO);
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(c->word[0], (char *const *)(uintptr_t)c->word);
    fprintf(stderr,
            "scscreen: error: %s: cannot be started: %s; put the folder of this MPI's mpirun into "
            "PATH\n",
            c->word[0], strerror(errno));
    _exit(scs_exit_code(SCS_EARG));
}

/* The first time it asks for a save; once more from the keyboard ends it at once: nobody catches
 * SIGUSR2. */
static void pass_on(pid_t mpirun, int number, int *asked)
{
    if (*asked && number != SIGINT)
        return; /* Slurm sends SIGTERM twice */
    if (*asked == 0)
        fprintf(stderr, "scscreen: %s: saving, then the end; Ctrl-C %s ends it at once\n",
                number == SIGINT ? "Ctrl-C" : strsignal(number),
                number == SIGINT ? "once more" : "now");
#ifdef OMPI_MAJOR_VERSION
    (void)kill(mpirun, *asked ? SIGUSR2 : SIGUSR1);
#else
    (void)kill(mpirun, *asked ? SIGINT : SIGUSR1);
#endif
    ++*asked;
}

/* ---- the first rank's own exit code ---- */

/* MPICH's mpirun, once it has passed a signal on, may end with 0 whatever its ranks ended with. So
 * the first rank tells its code itself, through a pipe that it finds by this variable; on another
 * machine, or in another space of processes, it does not find it, and mpirun's word stands. */
static const char code_variable[] = "SCSCREEN_CODE";

/* @param[out] ends of the pipe, -1: there is none */
static void open_code_pipe(int ends[2])
{
    char path[64];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        ends[0] = ends[1] = -1;
        return;
    }
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getpid(), ends[1]);
    (void)setenv(code_variable, path, 1);
}

static void close_code_pipe(const int ends[2])
{
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
    (void)unsetenv(code_variable);
}

void scs_launch_tell_code(int code)
{
    const char *path = getenv(code_variable);
    uint8_t byte = (uint8_t)code;
    int pipe = path ? open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    ssize_t written = pipe >= 0 ? write(pipe, &byte, 1) : 0;

    (void)written; /* where it failed mpirun's word stands */
    if (pipe >= 0)
        (void)close(pipe);
}

/* Where mpirun ended well the first rank's code is the job's. A process that our SIGUSR1 met before
 * it knew what to do with it had done nothing yet.
 *  @param told end of the pipe to read from */
static int exit_code(int status, int asked, int told)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    uint8_t byte;

    if (code == 0 && told >= 0 && read(told, &byte, 1) == 1)
        code = byte;
    return asked && code == 128 + SIGUSR1 ? scs_exit_code(SCS_ESTOP) : code;
}

/* Signals are blocked and taken one by one: none is lost between looking and sleeping.
 * @return the job's exit code */
static int wait_for(pid_t mpirun, const sigset_t *signals, int told)
{
    int asked = 0, status = 0;

    for (;;) {
        int number = sigwaitinfo(signals, NULL);

        if (number == SIGCHLD && waitpid(mpirun, &status, WNOHANG) == mpirun)
            return exit_code(status, asked, told);
        if (number > 0 && number != SIGCHLD)
            pass_on(mpirun, number, &asked);
    }
}

/* Signals are blocked before the fork, so that one that comes meanwhile waits for wait_for. */
scs_status scs_launch_run(const scs_cli *cli, int argc, char **argv, int *code)
{
    const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD};
    scs_launch launch = scs_launch_find();
    sigset_t signals, before;
    mpirun_command *c;
    scs_status status;
    pid_t mpirun;
    int ends[2] = {-1, -1};

    SCS_REQUIRE(!launch.variable || (launch.size < 2 && strncmp(launch.variable, "OMPI", 4) != 0),
                SCS_EARG, "-n %d under another launcher: give the number of ranks to one of them",
                cli->ranks);
    SCS_TRY(check_cores(cli));
    SCS_TRY(SCS_ALLOC(c, 1));
    find_mpirun(c->program);
    add_options(c, cli);
    SCS_GO(status, add_program(c, argc, argv));
    if (!cli->quiet)
        print(c);
    fflush(NULL);
    (void)sigemptyset(&signals);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        (void)sigaddset(&signals, caught[i]);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    open_code_pipe(ends);
    mpirun = fork();
    if (mpirun == 0)
        become(c, &before);
    SCS_GO(status,
           mpirun > 0 ? SCS_OK : SCS_FAIL(SCS_EINTERNAL, "-n: no process: %s", strerror(errno)));
    *code = wait_for(mpirun, &signals, ends[0]);
done:
    close_code_pipe(ends);
    free(c);
    return status;
}
