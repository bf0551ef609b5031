#!/usr/bin/env python3
"""Energy distance and MMD against scipy's pairwise distances.

usage: check_distance.py DUMP_DISTANCE (the program built from dump_distance.c)."""
import subprocess
import sys
import tempfile

import numpy as np
from scipy.spatial.distance import cdist, pdist

with tempfile.NamedTemporaryFile("r") as dump:
    subprocess.run([sys.argv[1], dump.name], check=True, stdout=subprocess.DEVNULL)
    lines = [line.split() for line in dump]
of = lambda name: np.array([line[1:] for line in lines if line[0] == name], float)
x, y = of("x") + of("delta"), of("y")
n, m = len(x), len(y)

energy = 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()
gamma = 1 / np.median(pdist(y, "sqeuclidean"))
kernel = lambda a, b: np.exp(-gamma * cdist(a, b, "sqeuclidean"))
mmd2 = (kernel(x, x).sum() - n) / (n * (n - 1)) + (kernel(y, y).sum() - m) / (m * (m - 1)) - 2 * kernel(x, y).mean()
for name, expected in (("energy", energy), ("mmd2", mmd2)):
    ours = of(name).item()
    print(f"{name}: {ours:.12g}, scipy {expected:.12g}")
    assert abs(ours - expected) < 1e-9 * abs(expected), name
    assert expected > 0.01, "no difference to measure"
