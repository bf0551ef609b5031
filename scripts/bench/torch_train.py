"""scGen's network in plain PyTorch, the data dense and in memory: the rival of scripts/bench/train.

Prints one line of JSON: cells per second over the measured window and the peak memory.
"""
import argparse
import json
import resource
import time

import h5py
import numpy as np
import torch
from torch import nn


def read_dense(path, normalize):
    """X [n_cell, n_gene] float32 of an .h5ad file with a CSR matrix."""
    with h5py.File(path, "r") as file:
        group = file["X"]
        shape = tuple(group.attrs["shape"]) if "shape" in group.attrs else group.shape
        if isinstance(group, h5py.Dataset):
            x = group[:].astype(np.float32)
        else:
            indptr, indices, data = group["indptr"][:], group["indices"][:], group["data"][:]
            x = np.zeros(shape, np.float32)
            x[np.repeat(np.arange(shape[0]), np.diff(indptr)), indices] = data
    if normalize == "log1p":
        x *= 1e4 / x.sum(1, keepdims=True)
        np.log1p(x, out=x)
    return torch.from_numpy(x)


def blocks(n_in, n_hidden):
    layers = []
    for i in range(2):
        layers += [nn.Linear(n_in if i == 0 else n_hidden, n_hidden),
                   nn.BatchNorm1d(n_hidden, momentum=0.01, eps=1e-3), nn.LeakyReLU(0.01), nn.Dropout(0.2)]
    return nn.Sequential(*layers)


class Network(nn.Module):
    def __init__(self, n_gene, n_hidden, n_latent):
        super().__init__()
        self.encoder = blocks(n_gene, n_hidden)
        self.mean = nn.Linear(n_hidden, n_latent)
        self.variance = nn.Linear(n_hidden, n_latent)
        self.decoder = blocks(n_latent, n_hidden)
        self.out = nn.Linear(n_hidden, n_gene)

    def forward(self, x):
        h = self.encoder(x)
        mean, variance = self.mean(h), torch.exp(self.variance(h)) + 1e-4
        z = mean + variance.sqrt() * torch.randn_like(mean)
        kl = 0.5 * (variance + mean * mean - 1 - variance.log()).sum(1)
        return self.out(self.decoder(z)), kl


def train(x, batch, seconds, fused):
    network = Network(x.shape[1], 800, 100)
    adam = torch.optim.Adam(network.parameters(), lr=1e-3, eps=0.01, weight_decay=1e-6,
                            **({"fused": True} if fused else {}))
    cells, start, warm = 0, None, 0
    while True:
        order = torch.randperm(len(x))
        for first in range(0, len(x), batch):
            part = x[order[first:first + batch]]
            if len(part) < 3:
                continue
            predicted, kl = network(part)
            loss = (0.5 * ((predicted - part) ** 2).sum(1) + 0.5 * 5e-5 * kl).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            loss.item()
            cells += len(part)
            warm += 1
            if start is None and warm >= 2:
                start, cells = time.perf_counter(), 0
            elif start is not None and time.perf_counter() - start > seconds:
                return cells / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--normalize", default="none")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fused", action="store_true", help="PyTorch's own fused Adam")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    rate = train(read_dense(args.file, args.normalize), args.batch, args.seconds, args.fused)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cells_per_second": rate, "peak_memory_mib": peak}))


if __name__ == "__main__":
    main()
