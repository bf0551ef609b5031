/* One verb, many fault seeds in one MPI job, after a run without faults: whatever call fails on
 * whichever rank, all ranks must return the same code with the same message, none may hang, nothing
 * may stay open, and a run that says it went well must leave the right bytes.
 *
 *      mpirun -n P agreement FIRST COUNT EVERY EXPECTED OUT FORGET -- VERB CONFIG [options]
 *
 * FIRST is 1 or more. EXPECTED: folder with the files that OUT must hold after success. FORGET: a
 * folder in OUT that is emptied after success, or "-". OUT is never emptied otherwise: a run finds
 * what failed ones left. The last line counts; exit code 1 if anything was wrong, 3 after a hang
 * (the line says which seed).
 */
#include "mpi/job/session.h"
#include "mpi/app/cli.h"
#include "src/base/fault.h"
#include "src/hdf5/h5write.h"

#include <dirent.h>
#include <ftw.h>
#include <hdf5.h>
#include <mpi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 60, WORDS = 64 }; /* seconds for one run; or SCS_PATIENCE */

typedef struct options {
    long first, count, every;
    const char *expected, *out, *forget;
    int n_word;
    char **word;
} options;

typedef struct tally {
    long done, failed, faults, wrong;
} tally;

static volatile long seed_now;
static int rank, n_rank;

static void hang(int signal)
{
    char text[128];
    int n = snprintf(text, sizeof text, "HANG: seed %ld, rank %d waits\n", seed_now, rank);

    (void)signal;
    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(4);
    _exit(3);
}

/* ---- files ---- */

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    (void)info, (void)flag, (void)walk;
    return remove(path);
}

static bool same_bytes(const char *a, const char *b)
{
    FILE *x = fopen(a, "rb"), *y = fopen(b, "rb");
    bool same = x && y;
    int c;

    while (same && (c = getc(x)) != EOF)
        same = c == getc(y);
    same = same && getc(y) == EOF;
    if (x)
        fclose(x);
    if (y)
        fclose(y);
    return same;
}

/* @return the number of files that are wrong */
static int compare_files(const options *o)
{
    char expected[4096], found[4096];
    struct dirent *entry;
    DIR *folder = opendir(o->expected);
    int wrong = 0;

    while (folder && (entry = readdir(folder))) {
        snprintf(expected, sizeof expected, "%s/%s", o->expected, entry->d_name);
        snprintf(found, sizeof found, "%s/%s", o->out, entry->d_name);
        if (entry->d_type != DT_REG || same_bytes(expected, found))
            continue;
        printf("WRONG: seed %ld ended well with another %s\n", seed_now, entry->d_name);
        wrong++;
    }
    if (folder)
        closedir(folder);
    return wrong;
}

/* No temporary file outlives a run, whatever its end. */
static int count_leftovers(const options *o)
{
    struct dirent *entry;
    DIR *folder = opendir(o->out);
    int n = 0;

    while (folder && (entry = readdir(folder)))
        if (strstr(entry->d_name, ".tmp")) {
            printf("WRONG: seed %ld left %s\n", seed_now, entry->d_name);
            n++;
        }
    if (folder)
        closedir(folder);
    return n;
}

/* ---- one seed ---- */

/* @param every of the faults, 0: none; they begin once all ranks are there to agree */
static scs_status run(const options *o, long every)
{
    char *argv[WORDS + 2] = {"scscreen"};
    int argc = 1;
    scs_preflight stage = {0};
    scs_comm *comm = NULL;
    scs_cli cli;
    scs_status status;

    for (int i = 0; i < o->n_word; i++)
        argv[argc++] = o->word[i];
    SCS_TRY(scs_cli_parse(argc, argv, &cli));
    SCS_TRY(scs_comm_create(MPI_COMM_WORLD, &comm));
    scs_fault_open(every, seed_now, rank, n_rank);
    if (rank == 0)
        scs_preflight_prepare(&stage, &cli);
    status = scs_session_run(&cli, comm, &stage);
    scs_preflight_clear(&stage);
    scs_comm_destroy(&comm);
    scs_cli_clear(&cli);
    return status;
}

/* What a rank tells the others of its end. */
typedef struct ending {
    int code;
    long open; /* HDF5 objects */
    long faults;
    char message[256], fault[256];
} ending;

static void judge(const options *o, const ending *all, tally *t)
{
    long wrong = t->wrong;

    for (int r = 0; r < n_rank; r++) {
        t->faults += all[r].faults;
        if (all[r].code != all[0].code || strcmp(all[r].message, all[0].message) != 0) {
            printf("WRONG: seed %ld: rank 0 ends with %d (%s), rank %d with %d (%s)\n", seed_now,
                   all[0].code, all[0].message, r, all[r].code, all[r].message);
            t->wrong++;
        }
        if (all[r].open != 0) {
            printf("WRONG: seed %ld: %ld HDF5 objects stay open on rank %d (%s)\n", seed_now,
                   all[r].open, r, all[r].message);
            t->wrong++;
        }
    }
    t->wrong += count_leftovers(o);
    if (all[0].code == 0) {
        t->done++;
        t->wrong += compare_files(o);
        if (strcmp(o->forget, "-") != 0)
            (void)nftw(o->forget, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    } else {
        t->failed++;
    }
    for (int r = 0; r < n_rank && (getenv("SCS_VERBOSE") || t->wrong > wrong); r++)
        if (all[r].faults > 0)
            printf("seed %ld: exit code %d %s; rank %d, %s\n", seed_now, all[0].code,
                   all[0].message, r, all[r].fault);
}

static void try_seed(const options *o, long seed, ending *all, tally *t)
{
    ending mine = {0};
    scs_status status;

    seed_now = seed;
    alarm(getenv("SCS_PATIENCE") ? (unsigned)atol(getenv("SCS_PATIENCE")) : PATIENCE);
    scs_fault_open(0, seed, rank, n_rank);
    scs_message_clear();
    status = run(o, seed ? o->every : 0);
    mine.code = scs_exit_code(status);
    mine.open = (long)H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL);
    mine.faults = (long)scs_fault_count();
    snprintf(mine.fault, sizeof mine.fault, "%s", scs_fault_last());
    if (status != SCS_OK)
        snprintf(mine.message, sizeof mine.message, "%s", scs_message());
    MPI_Gather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (rank == 0)
        judge(o, all, t);
    MPI_Barrier(MPI_COMM_WORLD);
    alarm(0);
}

static bool parse(int argc, char **argv, options *o)
{
    if (argc < 9 || strcmp(argv[7], "--") != 0 || argc - 8 > WORDS)
        return false;
    *o = (options){.first = atol(argv[1]),
                   .count = atol(argv[2]),
                   .every = atol(argv[3]),
                   .expected = argv[4],
                   .out = argv[5],
                   .forget = argv[6],
                   .n_word = argc - 8,
                   .word = argv + 8};
    return true;
}

int main(int argc, char **argv)
{
    options o;
    tally t = {0};
    ending *all;
    int provided;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &n_rank);
    if (!parse(argc, argv, &o))
        MPI_Abort(MPI_COMM_WORLD, 2);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGALRM, hang);
    all = calloc((size_t)n_rank, sizeof *all);
    try_seed(&o, 0, all, &t);
    if (t.done != 1 && rank == 0)
        MPI_Abort(MPI_COMM_WORLD, 2); /* faults would be to no avail */
    t.done = 0;
    for (long seed = o.first; seed < o.first + o.count; seed++)
        try_seed(&o, seed, all, &t);
    if (rank == 0)
        printf("\n%ld seeds: %ld went well, %ld failed alike, %ld faults, %ld wrong\n", o.count,
               t.done, t.failed, t.faults, t.wrong);
    free(all);
    MPI_Finalize();
    return rank == 0 && t.wrong > 0;
}
