#include "mpi/scalapack.h"

int scs_mesh_rows(int n_rank)
{
    int n_row = 1;

    for (int r = 1; r * r <= n_rank; r++)
        n_row = n_rank % r == 0 ? r : n_row;
    return n_row;
}

scs_status scs_mesh_open(scs_comm *comm, int block, scs_mesh *mesh)
{
    int n = scs_comm_size(comm), n_row = scs_mesh_rows(n);

    *mesh = (scs_mesh){.comm = comm, .block = block};
    mesh->handle = mesh->context = Csys2blacs_handle(scs_comm_mpi(comm));
    Cblacs_gridinit(&mesh->context, "R", n_row, n / n_row);
    Cblacs_gridinfo(mesh->context, &mesh->n_row, &mesh->n_col, &mesh->row, &mesh->col);
    SCS_REQUIRE(mesh->n_row == n_row && mesh->row >= 0, SCS_EINTERNAL,
                "BLACS made no grid of %d x %d processes", n_row, n / n_row);
    return SCS_OK;
}

void scs_mesh_close(scs_mesh *mesh)
{
    if (!mesh->comm)
        return;
    if (mesh->row >= 0)
        Cblacs_gridexit(mesh->context);
    Cfree_blacs_system_handle(mesh->handle);
    *mesh = (scs_mesh){0};
}

int64_t scs_mesh_count(int64_t n, int block, int at, int n_process)
{
    int64_t blocks = n / block, mine = blocks / n_process * block, rest = blocks % n_process;

    return mine + (at < rest ? block : at == rest ? n % block : 0);
}

int64_t scs_mesh_global(int64_t local, int block, int at, int n_process)
{
    return (local / block * n_process + at) * block + local % block;
}

int64_t scs_mesh_local(int64_t global, int block, int at, int n_process)
{
    int64_t of = global / block;

    return of % n_process == at ? of / n_process * block + global % block : -1;
}
