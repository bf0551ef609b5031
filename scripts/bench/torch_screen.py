"""Screening in plain PyTorch, every cell decoded: the rival of scripts/bench/screen.

Weights and latent cells are random numbers of the right shapes: only time is asked for. Each combination moves the
500 control cells of its type, decodes them, takes means, shift and scores; all of it is written at the end.
Prints one line of JSON: combinations per second.
"""
import argparse
import json
import pathlib
import resource
import time

import h5py
import numpy as np
import torch
from torch import nn


def decoder(n_gene, n_hidden=800, n_latent=100):
    layers = []
    for i in range(2):
        layers += [nn.Linear(n_latent if i == 0 else n_hidden, n_hidden), nn.BatchNorm1d(n_hidden, eps=1e-3),
                   nn.LeakyReLU(0.01)]
    return nn.Sequential(*layers, nn.Linear(n_hidden, n_gene)).eval()


def r2(a, b):
    return np.corrcoef(a, b)[0, 1] ** 2


def screen(network, latent, control, n_perturbation, rng):
    rows, scores = [], []
    for z, mean in zip(latent, control):
        still = network(z).mean(0).numpy()
        for _ in range(n_perturbation):
            delta = torch.from_numpy(rng.standard_normal(z.shape[1]).astype(np.float32))
            moved = network(z + delta).mean(0).numpy()
            predicted = np.maximum(0, mean + moved - still)
            observed = mean[::-1]
            top = np.argpartition(-np.abs(observed - mean), 100)[:100]
            scores.append((r2(predicted, observed), r2(predicted[top], observed[top]),
                           np.corrcoef(predicted - mean, observed - mean)[0, 1]))
            rows.append((predicted, mean, predicted - mean))
    return np.array(rows), np.array(scores)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--genes", type=int, default=7000)
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--types", type=int, default=2)
    parser.add_argument("--perturbations", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    network = decoder(args.genes)
    latent = [torch.randn(args.cells, 100) for _ in range(args.types)]
    control = [rng.random(args.genes, dtype=np.float32) for _ in range(args.types)]
    with torch.no_grad():
        network(latent[0])
        start = time.perf_counter()
        rows, scores = screen(network, latent, control, args.perturbations, rng)
        with h5py.File(args.out, "w") as file:
            for i, name in enumerate(("X", "control", "shift")):
                file[name] = rows[:, i]
            file["scores"] = scores
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "per_second": args.types * args.perturbations / seconds,
                      "peak_memory_mib": peak}))


main()
