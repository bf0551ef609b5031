"""scGen's network in plain PyTorch until its prediction is good enough: the rival of scripts/bench/quality.

Trains without one cell type's stimulated cells and predicts them after every epoch: shift of the other types weighted by
closeness (1 / d^2 of squared distances of control means in latent space), added to the observed control mean through the
decoder. Prints one line of JSON; the seconds are those of training alone.
"""
import argparse
import json
import time

import h5py
import numpy as np
import torch

from torch_train import Network, read_dense


def labels(path, column):
    with h5py.File(path, "r") as file:
        group = file["obs"][column]
        return group["categories"].asstr()[:][group["codes"][:]]


class Task:
    """@param x [cells, genes]"""

    def __init__(self, x, cell_type, condition, args):
        self.of = lambda t, c: (cell_type == t) & (condition == c)
        held = self.of(args.held_out, args.stimulated)
        self.args, self.keep = args, torch.from_numpy(~held)
        self.train = x[self.keep]
        self.control = x[torch.from_numpy(self.of(args.held_out, args.control))]
        self.control_mean = self.control.mean(0).numpy().astype(float)
        self.observed = x[torch.from_numpy(held)].mean(0).numpy().astype(float)
        cell_type, condition = cell_type[~held], condition[~held]
        self.of_train = lambda t, c: (cell_type == t) & (condition == c)
        self.others = [t for t in np.unique(cell_type)
                       if self.of_train(t, args.stimulated).any() and self.of_train(t, args.control).any()]

    @torch.no_grad()
    def predict(self, network):
        network.eval()
        encode = lambda cells: network.mean(network.encoder(cells))
        z = torch.cat([encode(part) for part in self.train.split(2048)]).numpy()
        still = encode(self.control)
        mean = lambda t, c: z[self.of_train(t, c)].mean(0)
        control = np.array([mean(t, self.args.control) for t in self.others])
        shift = np.array([mean(t, self.args.stimulated) for t in self.others]) - control
        weight = 1 / ((control - still.numpy().mean(0)) ** 2).sum(1) ** 2
        moved = still + torch.from_numpy(np.average(shift, axis=0, weights=weight)).float()
        decode = lambda latent: network.out(network.decoder(latent)).mean(0).numpy()
        change = decode(moved) - decode(still)
        network.train()
        return np.maximum(0, self.control_mean + change)

    def scores(self, predicted):
        r = lambda a, b: np.corrcoef(a, b)[0, 1]
        return {"r2_all": r(predicted, self.observed) ** 2,
                "delta_pearson": r(predicted - self.control_mean, self.observed - self.control_mean)}


def train(task, args):
    network = Network(task.train.shape[1], args.hidden, args.latent)
    adam = torch.optim.Adam(network.parameters(), lr=1e-3, eps=0.01, weight_decay=1e-6,
                            **({"fused": True} if args.fused else {}))
    seconds = 0
    for epoch in range(1, args.epochs + 1):
        start = time.perf_counter()
        for rows in torch.randperm(len(task.train)).split(args.batch):
            if len(rows) < 3:
                continue
            part = task.train[rows]
            predicted, kl = network(part)
            loss = (0.5 * ((predicted - part) ** 2).sum(1) + 0.5 * 5e-5 * kl).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        seconds += time.perf_counter() - start
        scores = task.scores(task.predict(network))
        reached = scores["r2_all"] >= args.r2_all and scores["delta_pearson"] >= args.delta_pearson
        if reached or seconds > args.max_seconds:
            break
    return scores | {"reached": bool(reached), "epochs": epoch, "seconds": seconds}


def main():
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    add("file")
    add("--held-out", required=True)
    add("--control", default="control")
    add("--stimulated", default="stimulated")
    add("--r2-all", type=float, required=True)
    add("--delta-pearson", type=float, required=True)
    add("--hidden", type=int, default=800)
    add("--latent", type=int, default=100)
    add("--batch", type=int, default=32)
    add("--epochs", type=int, default=100, help="at most")
    add("--max-seconds", type=float, default=1e9, help="of training, after which it gives up")
    add("--threads", type=int, default=2)
    add("--seed", type=int, default=1)
    add("--fused", action="store_true", help="PyTorch's own fused Adam")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    task = Task(read_dense(args.file, "none"), labels(args.file, "cell_type"), labels(args.file, "condition"), args)
    print(json.dumps(train(task, args)))


if __name__ == "__main__":
    main()
