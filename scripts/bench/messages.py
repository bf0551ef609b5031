"""The messages of a training step, by arithmetic and as SimGrid's SMPI simulates them.

A step is a list of pieces (kind, bytes, how many):

    agree      an int of all ranks, reduced                          latency x log2(ranks), twice
    sum        a sum of so many bytes, gathered from all ranks and added up by each; from 128 KiB on in slices
    exchange   from each rank to each other one its share of so many bytes: gradients, new weights, entries
    allgather  so many bytes, of which each rank has its share, to all: activations

by arithmetic (ranks - 1) x latency + bytes x (1 - 1 / ranks) / bandwidth for the last two. A rank has a node and a
link of its own, the network in between holds nothing up.
"""
import math
import pathlib
import subprocess

root = pathlib.Path(__file__).resolve().parent.parent.parent
WHOLE = 1 << 17  # bytes of a sum that is made in slices: mpi/comm/comm.c
SOURCES = ["src/base/status.c", "src/data/team.c", "src/data/shard.c", "src/model/layout.c", "src/model/output.c",
           "src/kernels/entries.c", "mpi/comm/comm.c", "mpi/comm/collectives.c", "mpi/comm/comm_team.c",
           "mpi/comm/shared_memory.c"]
PLATFORM = """<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="cluster" prefix="n" suffix="" radical="0-{last}" speed="1Gf" bw="{bandwidth}Bps" lat="{latency}s"
           sharing_policy="SPLITDUPLEX"/>
</platform>
"""


def segments(genes, hidden, latent):
    """Weights of the first layer; of all between; of the output layer; its biases."""
    sizes = [(hidden, hidden), (hidden, latent), (hidden, latent), (latent, hidden), (hidden, hidden)]
    middle = hidden + sum(a * b + b for a, b in sizes) + 4 * 2 * hidden
    return [genes * hidden, middle, hidden * genes, genes]


def is_factored(genes, hidden, density, batch):
    """As scs_output_factors decides."""
    dense = 3 * batch * genes * hidden
    return 2 * 2.5 * density * batch * genes * hidden + 1.5 * hidden**2 * (genes + batch) < dense


def pieces(genes, hidden, latent, density, batch, ranks):
    """The messages of one step."""
    first, middle, out, bias = (4 * n for n in segments(genes, hidden, latent))
    triangle, rows = 4 * hidden * (hidden + 1), 4 * batch * hidden
    factored, splits = is_factored(genes, hidden, density, batch), 2 * batch <= genes
    splits = splits or not factored
    made = [("agree", 4, 1), ("sum", 16 * hidden, 8), ("sum", 48, 1)]
    if factored:
        made += [("sum", triangle + 8 * hidden, 1), ("sum", triangle, 1)]
    else:
        made += [("exchange", rows, 1)]
    if splits:
        entries = batch * genes * density / ranks
        made += [("sum", 8 * ranks, 1), ("agree", 4, 2), ("exchange", batch * genes / 128 / ranks, 1),
                 ("exchange", entries, 1), ("exchange", 4 * entries, 1), ("allgather", rows, 3 if factored else 2)]
    made += [("exchange", n, 1 if splits and i != 1 else 2) for i, n in enumerate([first, middle, out, bias])]
    return made


def arithmetic(kind, size, ranks, latency, bandwidth):
    """Seconds of one piece."""
    if kind == "agree":
        return 2 * math.log2(ranks) * latency
    if kind == "sum" and size <= WHOLE:
        return (ranks - 1) * (latency / 2 + size / bandwidth)
    if kind == "sum":
        return 2 * arithmetic("exchange", size, ranks, latency, bandwidth)
    return (ranks - 1) * latency + size * (1 - 1 / ranks) / bandwidth


def build(folder, config):
    """scripts/bench/simulated_ranks.c and what it simulates. @param config folder of config.h"""
    flags = ["-O2", "-fopenmp", "-std=gnu11", f"-I{root}", f"-I{root}/include", f"-I{config}"]
    objects = []
    for source in ["scripts/bench/simulated_ranks.c", *SOURCES]:
        objects.append(str(folder / (pathlib.Path(source).stem + ".o")))
        hidden = ["-fvisibility=hidden", "-ffunction-sections"] if source in SOURCES else []
        subprocess.run(["smpicc", *flags, *hidden, "-c", root / source, "-o", objects[-1]], check=True)
    subprocess.run(["smpicc", "-o", folder / "simulated_ranks", *objects, "-Wl,--wrap=scs_allocate",
                    "-Wl,--gc-sections", "-lgomp", "-lm"], check=True)


def simulate(folder, ranks, latency, bandwidth, *words):
    """Simulated seconds of what simulated_ranks is asked for. A message passes two links."""
    platform, hosts = folder / "platform.xml", folder / "hosts"
    platform.write_text(PLATFORM.format(last=ranks - 1, bandwidth=bandwidth, latency=latency / 2))
    hosts.write_text("".join(f"n{i}\n" for i in range(ranks)))
    done = subprocess.run(["smpirun", "-np", str(ranks), "-platform", platform, "-hostfile", hosts,
                           "--cfg=smpi/simulate-computation:no", "--cfg=smpi/privatization:no",
                           "--cfg=smpi/shared-malloc:global", "--cfg=smpi/shared-malloc-blocksize:67108864",
                           "--cfg=smpi/coll-selector:ompi",
                           "--log=root.thres:error", folder / "simulated_ranks", *map(str, words)],
                          env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return float(done.stdout)
