/* Preloaded: each collective call's name, count, datatype, operation and root, as this rank makes
 * it. Tests only.
 *
 *      SCS_COLLECTIVES=FOLDER    one file per communicator and rank, FOLDER/COMMUNICATOR@RANK, with
 * a line per call; its first line holds the number of ranks
 *
 * All ranks of a communicator have to write the same lines (tests/mpi/collectives.sh compares). A
 * communicator is named by its ancestry ("world.2-0": the second made of world, rank 0 of world
 * being its lowest), so that names agree between ranks. Counts that may differ between ranks are
 * not written (alltoallv, files). */
#include <fcntl.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMS = 256, NAME = 256 };

typedef struct known {
    MPI_Comm comm;
    char name[NAME];
    int children, file;
} known;

typedef struct open_file {
    MPI_File handle;
    known *of;
} open_file;

typedef struct open_window {
    MPI_Win handle;
    known *of;
} open_window;

static known comms[COMMS];
static open_file files[COMMS];
static open_window windows[COMMS];
static int n_comm, world_rank;
static const char *folder;

/* ---- names ---- */

static int lowest_in_world(MPI_Comm comm)
{
    MPI_Group world, mine;
    int n, *ranks, *there, lowest;

    PMPI_Comm_group(MPI_COMM_WORLD, &world);
    PMPI_Comm_group(comm, &mine);
    PMPI_Group_size(mine, &n);
    ranks = malloc(2 * (size_t)n * sizeof *ranks);
    there = ranks + n;
    for (int i = 0; i < n; i++)
        ranks[i] = i;
    PMPI_Group_translate_ranks(mine, n, ranks, world, there);
    lowest = there[0];
    for (int i = 1; i < n; i++)
        lowest = there[i] < lowest ? there[i] : lowest;
    free(ranks);
    PMPI_Group_free(&world);
    PMPI_Group_free(&mine);
    return lowest;
}

static known *find(MPI_Comm comm)
{
    for (int i = 0; i < n_comm; i++)
        if (comms[i].comm == comm)
            return &comms[i];
    return NULL;
}

static void say(known *k, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A handle may be used again after it was freed: the newer meaning counts. */
static void know(MPI_Comm comm, const char *name)
{
    known *k = find(comm);
    char path[4096];
    int size;

    if (!folder || comm == MPI_COMM_NULL || (!k && n_comm == COMMS))
        return;
    if (!k)
        k = &comms[n_comm++];
    else
        close(k->file);
    *k = (known){.comm = comm};
    snprintf(k->name, sizeof k->name, "%s", name);
    snprintf(path, sizeof path, "%s/%s@%d", folder, name, world_rank);
    k->file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    PMPI_Comm_size(comm, &size);
    say(k, "%d ranks", size);
}

static void know_child(MPI_Comm parent, MPI_Comm child)
{
    known *k = find(parent);
    char name[NAME + 32];

    if (!k)
        return;
    k->children++;
    if (child == MPI_COMM_NULL)
        return;
    snprintf(name, sizeof name, "%s.%d-%d", k->name, k->children, lowest_in_world(child));
    know(child, name);
}

static void say(known *k, const char *format, ...)
{
    char line[512];
    va_list args;
    int n;

    if (!k || k->file < 0)
        return;
    va_start(args, format);
    n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    n = n < (int)sizeof line - 1 ? n : (int)sizeof line - 2;
    line[n++] = '\n';
    if (write(k->file, line, (size_t)n) != n)
        k->file = -1;
}

static const char *type_name(MPI_Datatype type, char *text)
{
    int length = 0;

    if (type == MPI_DATATYPE_NULL)
        return "none";
    PMPI_Type_get_name(type, text, &length);
    return length ? text : "unnamed";
}

static const char *op_name(MPI_Op op)
{
    return op == MPI_SUM    ? "sum"
           : op == MPI_MAX  ? "max"
           : op == MPI_MIN  ? "min"
           : op == MPI_BOR  ? "bor"
           : op == MPI_BAND ? "band"
           : op == MPI_LOR  ? "lor"
           : op == MPI_LAND ? "land"
                            : "other";
}

#define SAY(comm, ...) say(find(comm), __VA_ARGS__)
#define TYPE(type) type_name((type), (char[MPI_MAX_OBJECT_NAME]){0})

/* ---- begin and end ---- */

static void begin(void)
{
    folder = getenv("SCS_COLLECTIVES");
    PMPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
    know(MPI_COMM_WORLD, "world");
}

int MPI_Init(int *argc, char ***argv)
{
    int code = PMPI_Init(argc, argv);

    begin();
    return code;
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    int code = PMPI_Init_thread(argc, argv, required, provided);

    begin();
    return code;
}

int MPI_Finalize(void)
{
    SAY(MPI_COMM_WORLD, "finalize");
    return PMPI_Finalize();
}

/* ---- communicators ---- */

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *made)
{
    int code;

    SAY(comm, "comm_dup");
    code = PMPI_Comm_dup(comm, made);
    know_child(comm, *made);
    return code;
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *made)
{
    int code;

    SAY(comm, "comm_split");
    code = PMPI_Comm_split(comm, color, key, made);
    know_child(comm, *made);
    return code;
}

int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *made)
{
    int code;

    SAY(comm, "comm_split_type %d", type);
    code = PMPI_Comm_split_type(comm, type, key, info, made);
    know_child(comm, *made);
    return code;
}

int MPI_Comm_create(MPI_Comm comm, MPI_Group group, MPI_Comm *made)
{
    int code;

    SAY(comm, "comm_create");
    code = PMPI_Comm_create(comm, group, made);
    know_child(comm, *made);
    return code;
}

int MPI_Comm_free(MPI_Comm *comm)
{
    known *k = find(*comm);

    say(k, "comm_free");
    if (k)
        k->comm = MPI_COMM_NULL;
    return PMPI_Comm_free(comm);
}

/* ---- collectives ---- */

int MPI_Barrier(MPI_Comm comm)
{
    SAY(comm, "barrier");
    return PMPI_Barrier(comm);
}

int MPI_Bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
    SAY(comm, "bcast %d %s root %d", count, TYPE(type), root);
    return PMPI_Bcast(data, count, type, root, comm);
}

int MPI_Reduce(const void *send, void *recv, int count, MPI_Datatype type, MPI_Op op, int root,
               MPI_Comm comm)
{
    SAY(comm, "reduce %d %s %s root %d", count, TYPE(type), op_name(op), root);
    return PMPI_Reduce(send, recv, count, type, op, root, comm);
}

int MPI_Allreduce(const void *send, void *recv, int count, MPI_Datatype type, MPI_Op op,
                  MPI_Comm comm)
{
    SAY(comm, "allreduce %d %s %s", count, TYPE(type), op_name(op));
    return PMPI_Allreduce(send, recv, count, type, op, comm);
}

int MPI_Scan(const void *send, void *recv, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
    SAY(comm, "scan %d %s %s", count, TYPE(type), op_name(op));
    return PMPI_Scan(send, recv, count, type, op, comm);
}

int MPI_Exscan(const void *send, void *recv, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
    SAY(comm, "exscan %d %s %s", count, TYPE(type), op_name(op));
    return PMPI_Exscan(send, recv, count, type, op, comm);
}

int MPI_Gather(const void *send, int n_send, MPI_Datatype send_type, void *recv, int n_recv,
               MPI_Datatype recv_type, int root, MPI_Comm comm)
{
    SAY(comm, "gather %d %s root %d", n_send, TYPE(send_type), root);
    return PMPI_Gather(send, n_send, send_type, recv, n_recv, recv_type, root, comm);
}

int MPI_Gatherv(const void *send, int n_send, MPI_Datatype send_type, void *recv, const int *n_recv,
                const int *at, MPI_Datatype recv_type, int root, MPI_Comm comm)
{
    SAY(comm, "gatherv %s root %d", TYPE(send_type), root);
    return PMPI_Gatherv(send, n_send, send_type, recv, n_recv, at, recv_type, root, comm);
}

int MPI_Scatter(const void *send, int n_send, MPI_Datatype send_type, void *recv, int n_recv,
                MPI_Datatype recv_type, int root, MPI_Comm comm)
{
    SAY(comm, "scatter %d %s root %d", n_recv, TYPE(recv_type), root);
    return PMPI_Scatter(send, n_send, send_type, recv, n_recv, recv_type, root, comm);
}

int MPI_Allgather(const void *send, int n_send, MPI_Datatype send_type, void *recv, int n_recv,
                  MPI_Datatype recv_type, MPI_Comm comm)
{
    SAY(comm, "allgather %d %s", n_recv, TYPE(recv_type));
    return PMPI_Allgather(send, n_send, send_type, recv, n_recv, recv_type, comm);
}

/* Every rank names all ranks' counts: their sum, weighted by rank. */
int MPI_Allgatherv(const void *send, int n_send, MPI_Datatype send_type, void *recv,
                   const int *n_recv, const int *at, MPI_Datatype recv_type, MPI_Comm comm)
{
    long long sum = 0;
    int size;

    PMPI_Comm_size(comm, &size);
    for (int r = 0; r < size; r++)
        sum = 31 * sum + n_recv[r];
    SAY(comm, "allgatherv %llx %s", sum, TYPE(recv_type));
    return PMPI_Allgatherv(send, n_send, send_type, recv, n_recv, at, recv_type, comm);
}

int MPI_Alltoall(const void *send, int n_send, MPI_Datatype send_type, void *recv, int n_recv,
                 MPI_Datatype recv_type, MPI_Comm comm)
{
    SAY(comm, "alltoall %d %s", n_send, TYPE(send_type));
    return PMPI_Alltoall(send, n_send, send_type, recv, n_recv, recv_type, comm);
}

int MPI_Alltoallv(const void *send, const int *n_send, const int *send_at, MPI_Datatype send_type,
                  void *recv, const int *n_recv, const int *recv_at, MPI_Datatype recv_type,
                  MPI_Comm comm)
{
    SAY(comm, "alltoallv %s", TYPE(send_type));
    return PMPI_Alltoallv(send, n_send, send_at, send_type, recv, n_recv, recv_at, recv_type, comm);
}

/* ---- windows ---- */

int MPI_Win_allocate(MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, void *base,
                     MPI_Win *win)
{
    int code;

    SAY(comm, "win_allocate unit %d", unit);
    code = PMPI_Win_allocate(size, unit, info, comm, base, win);
    for (int i = 0; i < COMMS && code == MPI_SUCCESS; i++)
        if (!windows[i].of) {
            windows[i] = (open_window){*win, find(comm)};
            break;
        }
    return code;
}

int MPI_Win_free(MPI_Win *win)
{
    for (int i = 0; i < COMMS; i++)
        if (windows[i].of && windows[i].handle == *win) {
            say(windows[i].of, "win_free");
            windows[i].of = NULL;
        }
    return PMPI_Win_free(win);
}

/* ---- files ---- */

static known *of_file(MPI_File file)
{
    for (int i = 0; i < COMMS; i++)
        if (files[i].of && files[i].handle == file)
            return files[i].of;
    return NULL;
}

int MPI_File_open(MPI_Comm comm, const char *path, int mode, MPI_Info info, MPI_File *file)
{
    int code;

    SAY(comm, "file_open %d", mode);
    code = PMPI_File_open(comm, path, mode, info, file);
    for (int i = 0; i < COMMS && code == MPI_SUCCESS; i++)
        if (!files[i].of) {
            files[i] = (open_file){*file, find(comm)};
            break;
        }
    return code;
}

int MPI_File_close(MPI_File *file)
{
    say(of_file(*file), "file_close");
    for (int i = 0; i < COMMS; i++)
        if (files[i].of && files[i].handle == *file)
            files[i].of = NULL;
    return PMPI_File_close(file);
}

int MPI_File_set_size(MPI_File file, MPI_Offset size)
{
    say(of_file(file), "file_set_size %lld", (long long)size);
    return PMPI_File_set_size(file, size);
}

int MPI_File_sync(MPI_File file)
{
    say(of_file(file), "file_sync");
    return PMPI_File_sync(file);
}

int MPI_File_set_view(MPI_File file, MPI_Offset at, MPI_Datatype unit, MPI_Datatype type,
                      const char *layout, MPI_Info info)
{
    say(of_file(file), "file_set_view");
    return PMPI_File_set_view(file, at, unit, type, layout, info);
}

int MPI_File_write_at_all(MPI_File file, MPI_Offset at, const void *data, int count,
                          MPI_Datatype type, MPI_Status *status)
{
    say(of_file(file), "file_write_at_all");
    return PMPI_File_write_at_all(file, at, data, count, type, status);
}

int MPI_File_read_at_all(MPI_File file, MPI_Offset at, void *data, int count, MPI_Datatype type,
                         MPI_Status *status)
{
    say(of_file(file), "file_read_at_all");
    return PMPI_File_read_at_all(file, at, data, count, type, status);
}
