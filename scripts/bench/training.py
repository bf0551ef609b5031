"""Runs of the program that benchmarks time: simulated cells, and training until a window of seconds has passed."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time


def simulate(build, folder, genes, cells):
    """A file of 14 groups with density 0.081, counts; one file for each number of genes."""
    target = folder / str(genes)
    subprocess.run([build / "scscreen", "simulate", "--dir", target, "--genes", str(round(genes * 0.98)), "--cells",
                    str(cells), "--cell_types", "7", "--perturbations", "1", "--species", "1", "--counts",
                    str(round(genes * 0.1286))], check=True, capture_output=True)
    return {"file": target / "species_a.h5ad", "normalize": "log1p", "name": f"{genes} genes"}


def config_text(data, batch):
    return f"""data:
  inputs: [{data['file']}]
  normalize: {data['normalize']}
model: {{profile: scgen2}}
train: {{batch: {batch}, epochs: 1000000, validation: 0, monitor: reference, patience: 1000000}}
"""


def epochs_of(events):
    if not events.exists():
        return []
    rows = []
    for line in events.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:  # still being written
            break
    return [row for row in rows if row.get("event") == "epoch"]


def run_scscreen(build, ranks, threads, data, batch, seconds, folder):
    """The first epoch warms up; the run ends once the others together have taken the window."""
    work = pathlib.Path(tempfile.mkdtemp(dir=folder))
    (work / "run.yaml").write_text(config_text(data, batch))
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), OMPI_ALLOW_RUN_AS_ROOT="1",
               OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_PROC_BIND="false",
               OMPI_MCA_mpi_yield_when_idle="1")
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), build / "scscreen", "train",
               "run.yaml", "--quiet"]
    child = subprocess.Popen(command, cwd=work, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    rows = []
    while child.poll() is None and sum(row["seconds"] for row in rows[1:]) < seconds:
        time.sleep(0.2)
        rows = epochs_of(work / "results" / "events.jsonl")
    child.terminate()
    words = child.communicate()[0].decode()
    shutil.rmtree(work)
    if len(rows) < 2:
        sys.exit(f"scscreen did not train:\n{words}")
    return {"cells_per_second": sum(row["cells"] for row in rows[1:]) / sum(row["seconds"] for row in rows[1:]),
            "peak_memory_mib": rows[-1]["peak_memory_mib"]}
