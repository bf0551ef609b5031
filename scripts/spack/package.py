# Recipe for Spack, from 0.22 on; doc/cluster.md says how to use it.
import os

try:  # from Spack 1.0 on
    from spack_repo.builtin.build_systems.autotools import AutotoolsPackage
except ImportError:  # before, spack.package brings it
    pass

from spack.package import *


class Scscreen(AutotoolsPackage):
    """Distributed training of scGen and in-silico perturbation screens over single-cell atlases:
    every cell type, perturbation and species of .h5ad files, with MPI."""

    homepage = "https://doi.org/10.1038/s41592-019-0494-8"
    # The tarball of `make dist`, in the folder where spack is called.
    url = f"file://{os.getcwd()}/scscreen-0.1.0.tar.xz"
    manual_download = True

    license("BSD-3-Clause")

    version("0.1.0")

    depends_on("c", type="build")
    depends_on("autoconf@2.69:", type="build")
    depends_on("automake", type="build")
    depends_on("m4", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi@3:")
    depends_on("hdf5@1.10:+mpi")
    depends_on("openblas")
    depends_on("netlib-scalapack")
    depends_on("libyaml")
    depends_on("libmd@1.0.4:")
    depends_on("xxhash@0.8.0:")
    depends_on("libdeflate")
    depends_on("zlib")
    depends_on("zstd")
    depends_on("lz4")
    depends_on("c-blosc@1.16:")
    depends_on("random123@1.13:", type="build")
    depends_on("cunit", type=("build", "test"))

    def configure_args(self):
        return [f"CC={self.spec['mpi'].mpicc}"]

    def check(self):
        """Tests that need neither a launcher nor a Python with anndata."""
        tests = make("-s", "list-unit-tests", output=str)
        make("check", f"TESTS={tests.strip()}")
