# Sourced by the scripts: Open MPI as root (containers) and with more ranks than processors.
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# Several ranks on few cores must not spin against each other, and a container's hostname need not resolve.
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
