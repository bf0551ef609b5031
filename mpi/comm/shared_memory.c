/* Memory files without a name (memfd_create): nothing is left behind by a killed job, and no size
 * limit of /dev/shm applies. MPI's own shared windows lie in files of the session directory; these
 * do not. Ranks find each other's files through /proc/PID/fd, once, after one exchange of 32 bytes
 * a rank; then all agree whether it worked everywhere, so that all ranks take the same path ever
 * after. */
#include "mpi/comm/shared_memory.h"

#include "mpi/comm/collectives.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* A page behind the block says whose it is: a process number may mean another process elsewhere.
 * Where the system has huge pages for such files, they want this alignment. */
enum { TRAILER = 4096, HUGE_PAGE = 2 << 20 };

/* Whole pages for the block, and one for the token. */
static int64_t file_size(int64_t size)
{
    return (size + TRAILER - 1) / TRAILER * TRAILER + TRAILER;
}

/* In the last page of the mapping. */
static uint64_t *token_of(void *block, int64_t size)
{
    return (uint64_t *)((char *)block + file_size(size) - TRAILER);
}

/* The file at an address that is a multiple of a huge page's size: more is reserved than is
 * needed, the file is mapped into it, and the ends are given back. NULL where it fails. */
static void *map_file(int fd, int64_t size)
{
    size_t length = (size_t)file_size(size);
    char *space = mmap(NULL, length + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;
    void *block;

    if (space == MAP_FAILED)
        return NULL;
    before = (size_t)(-(uintptr_t)space % HUGE_PAGE);
    block = mmap(space + before, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    if (before)
        munmap(space, before);
    munmap(space + before + length, HUGE_PAGE - before);
    if (block == MAP_FAILED) {
        munmap(space + before, length);
        return NULL;
    }
    (void)madvise(block, length, MADV_HUGEPAGE);
    return block;
}

/* NULL is let through. */
static void unmap(void *block, int64_t size)
{
    if (block)
        munmap(block, (size_t)file_size(size));
}

/* This rank's block, or NULL with mine->fd -1 where the system has no such files or no room. The
 * descriptor stays open until all ranks have looked (try_sharing). */
static void *make_block(int64_t size, scs_shared_card *mine)
{
    void *block = NULL;
    int fd = memfd_create("scscreen", MFD_CLOEXEC);

    *mine = (scs_shared_card){.pid = getpid(), .fd = -1, .size = size};
    if (fd < 0)
        return NULL;
    if (getrandom(&mine->token, sizeof mine->token, 0) == (ssize_t)sizeof mine->token &&
        ftruncate(fd, file_size(size)) == 0)
        block = map_file(fd, size);
    if (!block) {
        close(fd);
        return NULL;
    }
    *token_of(block, size) = mine->token;
    mine->fd = fd;
    return block;
}

/* Another rank's block, or NULL: the process may be out of sight (a container), or its number may
 * mean another process here; then size or token differ. */
static void *find_block(const scs_shared_card *other)
{
    char path[64];
    struct stat st;
    void *block = NULL;
    int fd;

    if (other->fd < 0)
        return NULL;
    snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)other->pid, (long long)other->fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && st.st_size == file_size(other->size))
        block = map_file(fd, other->size);
    close(fd);
    if (block && *token_of(block, other->size) != other->token) {
        unmap(block, other->size);
        block = NULL;
    }
    return block;
}

/* @return whether all of the node's blocks are there */
static bool find_blocks(const scs_comm *comm, scs_shared_memory *shared)
{
    bool found = shared->block[comm->rank] != NULL;

    for (int32_t r = 0; r < comm->size && found; r++)
        if (r != comm->rank && comm->node[r] == comm->node[comm->rank]) {
            shared->block[r] = find_block(&shared->card[r]);
            found = shared->block[r] != NULL;
        }
    return found;
}

/* The kernel frees a block when its last mapping goes. */
static void unmap_all(scs_shared_memory *shared)
{
    for (int32_t r = 0; r < shared->n_rank; r++) {
        unmap(shared->block[r], shared->card[r].size);
        shared->block[r] = NULL;
    }
}

/* All ranks share, or none does. Descriptors are closed after the agreement, when everybody has
 * mapped what there is; the mappings stay. */
static scs_status try_sharing(scs_comm *comm, int64_t size, scs_shared_memory *shared)
{
    scs_shared_card mine;
    int found, all_found = 0;
    scs_status st;

    shared->block[comm->rank] = make_block(size, &mine);
    SCS_GO(st, scs_comm_mpi_status(MPI_Allgather(&mine, sizeof mine, MPI_BYTE, shared->card,
                                                 sizeof mine, MPI_BYTE, comm->mpi),
                                   "MPI_Allgather"));
    found = find_blocks(comm, shared);
    SCS_GO(st,
           scs_comm_mpi_status(MPI_Allreduce(&found, &all_found, 1, MPI_INT, MPI_MIN, comm->mpi),
                               "MPI_Allreduce"));
    shared->together = all_found;
done:
    if (mine.fd >= 0)
        close((int)mine.fd);
    if (!shared->together)
        unmap_all(shared);
    return st;
}

/* 32 bytes a rank. */
static scs_status allocate_lists(const scs_comm *comm, scs_shared_memory *shared)
{
    *shared = (scs_shared_memory){.n_rank = comm->size, .rank = comm->rank};
    SCS_TRY(SCS_ALLOC(shared->block, comm->size));
    return SCS_ALLOC(shared->card, comm->size);
}

/* The heap instead, where a system (a container without /proc of the others, no memfd) shares
 * nothing: gradients then travel by messages, with the same bits. */
static scs_status own_block(scs_comm *comm, int64_t size, scs_shared_memory *shared)
{
    char *block;
    scs_status st = SCS_ALLOC(block, size);

    shared->block[comm->rank] = block;
    return scs_comm_agree(comm, st);
}

/* One rank alone has nobody to share with and takes its block from the heap. */
scs_status scs_shared_memory_create(scs_comm *comm, int64_t size, scs_shared_memory *shared)
{
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, allocate_lists(comm, shared)));
    if (comm->size > 1)
        SCS_GO(st, try_sharing(comm, size, shared));
    if (!shared->together)
        SCS_GO(st, own_block(comm, size, shared));
done:
    if (st != SCS_OK)
        scs_shared_memory_clear(shared);
    return st;
}

/* A block that is shared is unmapped, one that is not is freed. */
void scs_shared_memory_clear(scs_shared_memory *shared)
{
    if (shared->block && shared->together)
        unmap_all(shared);
    else if (shared->block)
        free(shared->block[shared->rank]);
    free(shared->block);
    free(shared->card);
    *shared = (scs_shared_memory){0};
}
