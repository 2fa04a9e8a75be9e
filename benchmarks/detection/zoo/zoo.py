"""Trains small encoders of many families on a CPU and writes their embeddings with the truth about each.

    python3 zoo.py FOLDER [FAMILY ...] [--seed N]

Needs torch and numpy. Seeds are fixed. Each encoder takes seconds and all of them some minutes on one core. FOLDER gets NAME.npy (float32, N x D),
NAME.labels.npy (int64) and zoo.json: name, family, shape, `collapsed` (yes, no, arguable), the kinds of verdict that are
right, accuracies, and why.

The truth comes from construction (what keeps an objective from collapsing was taken away, or rows were put on one point)
and from accuracy: the 5-nearest-neighbour accuracy of a set is compared with that of its intact twin. A set that lost a
third of what its twin has beyond chance has collapsed, one that lost less than a sixth has not, and between the two
it is arguable. No number of the library takes part.
"""

import argparse
import json
import os
import zlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
FAMILIES = {}
DIGITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../examples/data/digits_pixels.npy")


def family(function):
    FAMILIES[function.__name__] = function
    return function


def knn(Z, labels, k=5):
    """Accuracy on the second half of the rows by the k nearest of the first, columns as they are."""
    Z = torch.as_tensor(np.asarray(Z), dtype=torch.float64)
    y = torch.as_tensor(np.asarray(labels))
    half = len(Z) // 2
    near = torch.cdist(Z[half:], Z[:half]).topk(k, largest=False).indices
    votes = y[:half][near]
    return float((votes.mode(1).values == y[half:]).double().mean())


def chance(labels):
    return float(np.unique(labels, return_counts=True)[1].max() / len(labels))


class Zoo:
    def __init__(self, folder, seed):
        self.folder, self.seed, self.entries = folder, seed, []
        os.makedirs(folder, exist_ok=True)

    def add(self, family, name, Z, truth, kinds=(), labels=None, why="", twin=None, cone=True):
        """`twin` is the accuracy of the intact twin; with it and labels the accuracy has the last word on `truth`."""
        Z = np.ascontiguousarray(Z.detach().numpy() if torch.is_tensor(Z) else Z, dtype=np.float32)
        if not np.isfinite(Z).all():
            print("not finite:", name, flush=True)
            return float("nan")
        order = np.random.default_rng(1).permutation(len(Z))
        Z = Z[order]
        labels = None if labels is None else np.asarray(labels, dtype=np.int64)[order]
        accuracy = None if labels is None else knn(Z, labels)
        if twin is not None and accuracy is not None:
            base = chance(labels)
            kept = (accuracy - base) / max(twin - base, 1e-9)
            if truth == "yes" and kept > 2 / 3:
                truth = "arguable"
            if truth == "no" and kept < 5 / 6:
                truth = "arguable"
        np.save(os.path.join(self.folder, name + ".npy"), Z)
        if labels is not None:
            np.save(os.path.join(self.folder, name + ".labels.npy"), labels)
        self.entries.append(dict(name=name, file=name + ".npy", labels=name + ".labels.npy" if labels is not None else None,
                                 system=family, rows=Z.shape[0], dims=Z.shape[1], collapsed=truth, kinds=list(kinds),
                                 cone_allowed=cone, knn_accuracy=accuracy, linear_probe=None, why=why))
        return accuracy


# Data ------------------------------------------------------------------------------------------------------------------


def digits():
    X = np.load(DIGITS).astype(np.float32) / 16
    y = np.load(os.path.join(os.path.dirname(DIGITS), "labels/digits.npy"))
    return torch.tensor(X), torch.tensor(y, dtype=torch.long)


def shapes(n, side, rng):
    """Discs, squares, crosses, bars, rings and diagonals at random places and sizes; the label is the shape."""
    yy, xx = np.mgrid[0:side, 0:side].astype(np.float32)
    out = np.zeros((n, 1, side, side), np.float32)
    labels = rng.integers(0, 6, n)
    for i, kind in enumerate(labels):
        cx, cy, r = rng.uniform(5, side - 5), rng.uniform(5, side - 5), rng.uniform(2.5, 5)
        dx, dy = xx - cx, yy - cy
        d = np.hypot(dx, dy)
        inside = np.maximum(abs(dx), abs(dy)) <= r
        mask = [d <= r, inside, inside & ((abs(dx) <= 1) | (abs(dy) <= 1)), (abs(dx) <= r) & (abs(dy) <= 1),
                (d <= r) & (d >= r - 1.5), inside & (abs(dx - dy) <= 1.2)][kind]
        out[i, 0] = mask * rng.uniform(0.5, 1) + 0.05 * rng.standard_normal((side, side))
    return torch.tensor(out), torch.tensor(labels)


def mixture(n, classes, dims, rng, spread=1.0, informative=None):
    informative = informative or dims
    centres = rng.standard_normal((classes, informative)) * 1.5
    y = rng.integers(0, classes, n)
    core = centres[y] + spread * rng.standard_normal((n, informative))
    X = core @ rng.standard_normal((informative, dims)) / np.sqrt(informative) + 0.3 * rng.standard_normal((n, dims))
    return torch.tensor(X.astype(np.float32)), torch.tensor(y)


# Encoders --------------------------------------------------------------------------------------------------------------


def mlp(sizes, norm="none", last=None, act=nn.ReLU):
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(a, b))
        if i + 2 < len(sizes):
            if norm == "bn":
                layers.append(nn.BatchNorm1d(b))
            if norm == "ln":
                layers.append(nn.LayerNorm(b))
            layers.append(act())
    if last is not None:
        layers.append(last)
    return nn.Sequential(*layers)


def conv(dims, norm=True):
    bn = (lambda c: nn.BatchNorm2d(c)) if norm else (lambda c: nn.Identity())
    return nn.Sequential(nn.Conv2d(1, 16, 3, 2, 1), bn(16), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), bn(32), nn.ReLU(),
                         nn.Flatten(), nn.Linear(32 * 25, dims))


class Unit(nn.Module):
    def forward(self, x):
        return F.normalize(x, dim=1)


def evaluated(net, X):
    net.eval()
    with torch.no_grad():
        Z = net(X)
    net.train()
    return Z


def shift_digits(X):
    """One pixel in some direction, and noise."""
    img = F.pad(X.view(-1, 1, 8, 8), (1, 1, 1, 1))
    out = torch.empty_like(X)
    place = torch.randint(0, 9, (len(X),))
    for p in range(9):
        at = place == p
        a, b = divmod(p, 3)
        out[at] = img[at][:, 0, a:a + 8, b:b + 8].reshape(-1, 64)
    return out + 0.1 * torch.randn_like(out)


def shift_shapes(X):
    dx, dy = int(torch.randint(-2, 3, (1,))), int(torch.randint(-2, 3, (1,)))
    gain = 0.6 + 0.8 * torch.rand(len(X), 1, 1, 1)
    return torch.roll(X, (dx, dy), (2, 3)) * gain + 0.1 * torch.randn_like(X)


# Objectives of two views -----------------------------------------------------------------------------------------------


def variance(z):
    return F.relu(1 - (z.var(0) + 1e-4).sqrt()).mean()


def covariance(z):
    c = torch.cov(z.T)
    return (c.pow(2).sum() - c.diagonal().pow(2).sum()) / z.shape[1]


def vicreg(a, b, inv=25.0, var=25.0, cov=1.0):
    return (inv * F.mse_loss(a, b) + var * (variance(a) + variance(b)) / 2 + cov * (covariance(a) + covariance(b)))


def barlow(a, b, off=0.02):
    n = lambda z: (z - z.mean(0)) / (z.std(0) + 1e-5)
    k = n(a).T @ n(b) / len(a)
    on = (k.diagonal() - 1).pow(2).sum()
    return on + off * (k.pow(2).sum() - k.diagonal().pow(2).sum())


def infonce(a, b, t=0.2):
    a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    logits = a @ b.T / t
    goal = torch.arange(len(a))
    return (F.cross_entropy(logits, goal) + F.cross_entropy(logits.T, goal)) / 2


def align(a, b):
    return (F.normalize(a, dim=1) - F.normalize(b, dim=1)).pow(2).sum(1).mean()


def two_views(net, X, view, loss, steps, lr=3e-3, batch=256, decay=0.0):
    opt = torch.optim.Adam(net.parameters(), lr=lr, weight_decay=decay)
    for _ in range(steps):
        x = X[torch.randint(0, len(X), (batch,))]
        value = loss(net(view(x)), net(view(x)))
        opt.zero_grad()
        value.backward()
        opt.step()
    return net


def byol(net, dims, X, view, steps, predictor=True, stop=True, momentum=0.99, lr=3e-3):
    """momentum 0: SimSiam."""
    import copy
    target = copy.deepcopy(net)
    head = mlp([dims, max(16, dims // 2), dims], "bn") if predictor else nn.Identity()
    opt = torch.optim.Adam(list(net.parameters()) + list(head.parameters()), lr=lr)
    for _ in range(steps):
        x = X[torch.randint(0, len(X), (256,))]
        a, b = view(x), view(x)
        teacher = net if momentum == 0 else target
        with torch.set_grad_enabled(not stop):
            ta, tb = teacher(a), teacher(b)
        value = align(head(net(a)), tb) + align(head(net(b)), ta)
        opt.zero_grad()
        value.backward()
        opt.step()
        if momentum > 0:
            with torch.no_grad():
                for p, q in zip(target.parameters(), net.parameters()):
                    p.mul_(momentum).add_(q, alpha=1 - momentum)
    return net


def self_supervised(zoo, tag, X, y, view, build, rows, widths, steps):
    """All objectives, whole and ablated, on one kind of data."""
    for dims in widths:
        def run(name, loss, truth, kinds=(), twin=None, why="", net=None, **more):
            torch.manual_seed(zlib.crc32(f"{tag}{name}{dims}{zoo.seed}".encode()))
            net = two_views(net or build(dims), X, view, loss, steps, **more)
            return zoo.add(tag, f"{tag}_{name}_d{dims}", evaluated(net, X)[:rows], truth, kinds, y[:rows], why, twin)

        complete, few = ["complete_collapse"], ["dimensional_collapse", "complete_collapse"]
        sim = run("simclr02", lambda a, b: infonce(a, b, 0.2), "no", why="InfoNCE")
        run("simclr05", lambda a, b: infonce(a, b, 0.5), "no", twin=sim, why="InfoNCE")
        run("simclr_alone", align, "yes", complete + few, sim, "positives only")
        vic = run("vicreg", vicreg, "no", why="whole")
        run("vicreg_nocov", lambda a, b: vicreg(a, b, cov=0), "yes", few, vic, "no covariance term")
        run("vicreg_novar", lambda a, b: vicreg(a, b, var=0, cov=0), "yes", complete, vic, "invariance alone")
        bar = run("barlow", barlow, "no", why="whole")
        run("barlow_nooff", lambda a, b: barlow(a, b, 0), "yes", few, bar, "no off-diagonal")
        run("decay", lambda a, b: vicreg(a, b, var=0, cov=0), "arguable", complete, vic,
            "invariance and weight decay: noise about 0, which the rows alone do not tell", decay=1e-2)
        torch.manual_seed(7 + dims + zoo.seed)
        zoo.add(tag, f"{tag}_untrained_d{dims}", evaluated(build(dims), X)[:rows], "no", labels=y[:rows], why="untrained")
        for name, truth, args in (("byol", "no", {}), ("byol_nopred", "yes", dict(predictor=False)),
                                  ("simsiam", "no", dict(momentum=0)), ("simsiam_nostop", "yes", dict(momentum=0, stop=False))):
            torch.manual_seed(11 + dims + zoo.seed)
            net = byol(build(dims), dims, X, view, steps, **args)
            got = zoo.add(tag, f"{tag}_{name}_d{dims}", evaluated(net, X)[:rows], truth,
                          complete + few if truth == "yes" else (), y[:rows], name, sim if truth == "no" else max(whole, sim))
            if truth == "no":
                whole = got


@family
def ssl_digits(zoo):
    X, y = digits()
    self_supervised(zoo, "ssl_digits", X, y, shift_digits, lambda d: mlp([64, 128, d], "bn"), 1024, (32, 256), 300)


@family
def ssl_backbone(zoo):
    """Rectified features before the head."""
    X, y = digits()
    for dims in (64, 512):
        for name, loss in (("simclr", infonce), ("vicreg", vicreg), ("barlow", barlow)):
            torch.manual_seed(dims + len(name) + zoo.seed)
            back = mlp([64, 128, dims], "bn", nn.ReLU())
            two_views(nn.Sequential(back, mlp([dims, 64, 32], "bn")), X, shift_digits, loss, 200)
            zoo.add("ssl_backbone", f"backbone_{name}_d{dims}", evaluated(back, X)[:1024], "no", labels=y[:1024], why="ReLU backbone before the head")


@family
def ssl_shapes(zoo):
    X, y = shapes(2048, 20, np.random.default_rng(5 + zoo.seed))
    self_supervised(zoo, "ssl_shapes", X, y, shift_shapes, conv, 1024, (48,), 120)


# Labels ----------------------------------------------------------------------------------------------------------------


def supervised_net(body, dims, classes, X, y, steps, batch=128, lr=2e-3, decay=0.0, weight=None):
    head = nn.Linear(dims, classes)
    opt = torch.optim.Adam(list(body.parameters()) + list(head.parameters()), lr=lr, weight_decay=decay)
    for _ in range(steps):
        at = torch.randint(0, len(X), (batch,))
        value = F.cross_entropy(head(body(X[at])), y[at], weight)
        opt.zero_grad()
        value.backward()
        opt.step()
    return body


@family
def supervised(zoo):
    X, y = digits()
    train, test = slice(0, 1197), slice(1197, 1797)
    kinds = ["cluster_collapse", "dimensional_collapse"]
    for norm, last, dims in (("none", nn.ReLU, 128), ("bn", nn.ReLU, 1024), ("ln", nn.LayerNorm, 64), ("bn", Unit, 256),
                             ("none", None, 16), ("none", nn.Tanh, 64), ("bn", nn.Sigmoid, 48)):
        for steps in (0, 15, 80, 400):
            torch.manual_seed(dims + steps + zoo.seed)
            end = None if last is None else (nn.LayerNorm(dims) if last is nn.LayerNorm else last())
            body = supervised_net(mlp([64, 128, dims], norm, end), dims, 10, X[train], y[train], steps)
            name = f"digits_{norm}_{last.__name__.lower() if last else 'linear'}_{steps}"
            early = last is nn.Sigmoid and steps < 80  # near a point, which a half at every unit is
            zoo.add("supervised", name, evaluated(body, X)[test], "arguable" if early else "no", ["complete_collapse"], y[test], "10 classes, held-out rows")
        zoo.add("supervised", name + "_train", evaluated(body, X)[train], "arguable", kinds, y[train], "rows trained on: at class means")
    for classes, dims, informative in ((2, 32, 8), (3, 64, 10), (20, 64, 20), (100, 128, 30), (200, 32, 30)):
        X2, y2 = mixture(3000, classes, 40, np.random.default_rng(classes + zoo.seed), 0.8, informative)
        for steps in (10, 400):
            torch.manual_seed(classes + steps + zoo.seed)
            body = supervised_net(mlp([40, 96, dims], "none", nn.ReLU() if classes != 20 else None), dims, classes, X2[:2000], y2[:2000], steps)
            late = classes <= 3 and steps == 400
            zoo.add("supervised", f"mixture{classes}_{steps}", evaluated(body, X2)[2000:], "arguable" if late else "no",
                    kinds if late else (), y2[2000:], "few classes ask for few directions" if late else f"{classes} classes")
    # Two classes of digits.
    two = (y % 2)
    for steps in (10, 40, 400):
        torch.manual_seed(steps + zoo.seed)
        body = supervised_net(mlp([64, 128, 64], "none", nn.ReLU()), 64, 2, X[train], two[train], steps)
        zoo.add("supervised", f"digits_even_odd_{steps}", evaluated(body, X)[test], "arguable" if steps > 10 else "no", kinds,
                two[test], "2 classes ask for one direction")
    # Depth without normalisation.
    for depth in (4, 8, 16):
        torch.manual_seed(depth + zoo.seed)
        net = mlp([64] + [128] * depth, "none", nn.ReLU())
        for m in net:
            if isinstance(m, nn.Linear):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
                nn.init.zeros_(m.bias)
        inputs = knn(X[test], y[test])
        zoo.add("supervised", f"untrained_depth{depth}", evaluated(net, X)[test], "no", ["complete_collapse"], y[test], "untrained, deep", inputs)


@family
def imbalance(zoo):
    """Classes of very different sizes, and regression onto few targets."""
    X, y = digits()
    keep = torch.cat([torch.nonzero(y == c)[: (150 if c < 5 else 5), 0] for c in range(10)])
    torch.manual_seed(3 + zoo.seed)
    body = supervised_net(mlp([64, 128, 64], "none", nn.ReLU()), 64, 10, X[keep], y[keep], 300, decay=1e-3)
    zoo.add("imbalance", "digits_minority", evaluated(body, X)[1197:], "arguable", ["class_collapse"], y[1197:], "5 classes of 5 rows each")
    for share in (0.5, 0.7, 0.9):
        rng = np.random.default_rng(4 + zoo.seed)
        main = rng.permutation(np.nonzero(y.numpy() == 3)[0])
        rest = rng.permutation(np.nonzero(y.numpy() != 3)[0])[: int(len(main) * (1 - share) / share)]
        at = np.concatenate([main, rest])
        torch.manual_seed(5 + zoo.seed)
        body = supervised_net(mlp([64, 128, 64], "none", nn.ReLU()), 64, 10, X, y, 60)
        zoo.add("imbalance", f"digits_mostly_one_{int(100 * share)}", evaluated(body, X)[at], "no", labels=y[at], why="most rows are of one class")
    for targets in (1, 2, 8):
        Xr, _ = mixture(1500, 1, 30, np.random.default_rng(targets), 1.0, 12)
        torch.manual_seed(targets + zoo.seed)
        W = torch.randn(30, targets)
        goal = torch.tanh(Xr @ W / 4)
        for steps in (30, 400):
            body, head = mlp([30, 64, 64], "none", nn.ReLU()), nn.Linear(64, targets)
            opt = torch.optim.Adam(list(body.parameters()) + list(head.parameters()), lr=3e-3)
            for _ in range(steps):
                b = torch.randint(0, 1500, (128,))
                loss = F.mse_loss(head(body(Xr[b])), goal[b])
                opt.zero_grad(); loss.backward(); opt.step()
            zoo.add("imbalance", f"regression{targets}_{steps}", evaluated(body, Xr)[:1000], "no" if targets == 8 or steps == 30 else "arguable",
                    ["dimensional_collapse"], None, "regression")


@family
def tables(zoo):
    rng = np.random.default_rng(21 + zoo.seed)
    for classes, dims, informative in ((2, 12, 6), (3, 30, 10), (5, 60, 40), (4, 20, 20)):
        X, y = mixture(800, classes, dims, rng, 0.7, informative)
        X = X.numpy()
        zoo.add("tables", f"table{dims}", X, "no", labels=y, why="columns of one unit")
        std = (X - X.mean(0)) / X.std(0)
        zoo.add("tables", f"table{dims}_standardised", std, "no", labels=y)
        units = 10.0 ** rng.uniform(-3, 3, dims)
        zoo.add("tables", f"table{dims}_units", X * units, "no", labels=y, why="units differ", cone=True)
        zoo.add("tables", f"table{dims}_units_offset", (std + rng.uniform(1, 6, dims)) * units, "no", labels=y, why="units differ, positive values")
        zoo.add("tables", f"table{dims}_lognormal", np.exp(std), "no", labels=y, why="positive columns with long tails")
        zoo.add("tables", f"table{dims}_counts", rng.poisson(np.exp(0.7 * std)), "no", labels=y, why="counts")
    y = rng.integers(0, 6, 900)
    hot = np.zeros((900, 24)); hot[np.arange(900), y] = 1
    for j in range(3):
        hot[np.arange(900), 6 * (j + 1) + rng.integers(0, 6, 900)] = 1
    zoo.add("tables", "one_hot", hot, "no", labels=y, why="four one-hot columns")
    X, y = digits()
    zoo.add("tables", "pixels", X[:1000], "no", labels=y[:1000], why="raw pixels")
    P = rng.dirichlet(np.full(10, 0.3), 1000)
    zoo.add("tables", "simplex", P, "no", labels=P.argmax(1), why="distributions over ten classes")
    P = rng.dirichlet(np.full(50, 0.1), 1000)
    zoo.add("tables", "topics", P, "no", labels=P.argmax(1) % 5, why="mixtures of topics")


@family
def autoencoders(zoo):
    X, y = digits()
    rows = slice(0, 1024)
    inputs = knn(X[rows], y[rows])
    for dims, last in ((4, None), (16, None), (64, None), (256, nn.ReLU), (64, nn.Tanh), (128, nn.Sigmoid)):
        torch.manual_seed(dims + zoo.seed)
        enc, dec = mlp([64, 128, dims], "none", last() if last else None), mlp([dims, 128, 64])
        opt = torch.optim.Adam(list(enc.parameters()) + list(dec.parameters()), lr=2e-3)
        for _ in range(300):
            b = torch.randint(0, len(X), (128,))
            loss = F.mse_loss(dec(enc(X[b] + 0.1 * torch.randn(128, 64))), X[b])
            opt.zero_grad(); loss.backward(); opt.step()
        zoo.add("autoencoders", f"ae_{last.__name__.lower() if last else 'linear'}_d{dims}", evaluated(enc, X)[rows], "no", labels=y[rows], why="denoising")
    for beta in (0.0, 0.01, 0.1, 1.0, 10.0):
        for dims in (16, 64):
            torch.manual_seed(dims + zoo.seed)
            enc, dec = mlp([64, 128, 2 * dims]), mlp([dims, 128, 64])
            opt = torch.optim.Adam(list(enc.parameters()) + list(dec.parameters()), lr=2e-3)
            for _ in range(400):
                b = torch.randint(0, len(X), (128,))
                m, s = enc(X[b]).chunk(2, 1)
                kl = 0.5 * (m.pow(2) + s.exp() - 1 - s).sum(1).mean()
                loss = (dec(m + (s / 2).exp() * torch.randn_like(m)) - X[b]).pow(2).sum(1).mean() + beta * kl
                opt.zero_grad(); loss.backward(); opt.step()
            m, s = evaluated(enc, X).chunk(2, 1)
            active = int((m.var(0) > 0.01).sum())
            dead = active < 0.25 * dims
            zoo.add("autoencoders", f"vae_b{beta}_d{dims}_mu", m[rows], "arguable" if active < dims else "no", ["dimensional_collapse", "complete_collapse"],
                    y[rows], f"{active} of {dims} active units", None if dead else inputs)
            zoo.add("autoencoders", f"vae_b{beta}_d{dims}_z", (m + (s / 2).exp() * torch.randn_like(m))[rows], "arguable" if active < dims else "no",
                    ["dimensional_collapse", "complete_collapse"], y[rows], f"samples; {active} of {dims} active units", None if dead else inputs)


# Sequences, words, graphs ----------------------------------------------------------------------------------------------


def corpus(n, length, vocabulary, topics, rng):
    """Sentences of a bigram grammar for each topic."""
    tables = rng.dirichlet(np.full(vocabulary, 0.05), (topics, vocabulary))
    common = rng.dirichlet(np.full(vocabulary, 0.05), vocabulary)
    y = rng.integers(0, topics, n)
    out = np.zeros((n, length), np.int64)
    out[:, 0] = rng.integers(0, vocabulary, n)
    for t in range(1, length):
        for i in range(n):
            p = (tables[y[i]] if rng.random() < 0.6 else common)[out[i, t - 1]]
            out[i, t] = np.searchsorted(p.cumsum(), rng.random()).clip(0, vocabulary - 1)
    return torch.tensor(out), torch.tensor(y)


class Language(nn.Module):
    def __init__(self, vocabulary, dims, layers, length, residual=True):
        super().__init__()
        self.embed, self.place = nn.Embedding(vocabulary, dims), nn.Parameter(0.1 * torch.randn(length, dims))
        self.blocks = nn.ModuleList(nn.TransformerEncoderLayer(dims, 4, 2 * dims, 0.0, batch_first=True, norm_first=True) for _ in range(layers))
        self.end, self.out, self.residual = nn.LayerNorm(dims), nn.Linear(dims, vocabulary), residual
        self.mask = torch.triu(torch.full((length, length), float("-inf")), 1)

    def states(self, x):
        h = self.embed(x) + self.place
        all_states = [h]
        for block in self.blocks:
            if self.residual:
                h = block(h, self.mask)
            else:  # attention alone, without skip connections: loses rank doubly exponentially with depth
                h = block.self_attn(h, h, h, attn_mask=None, need_weights=False)[0]
            all_states.append(h)
        return all_states


@family
def language(zoo):
    text, topic = corpus(1500, 16, 60, 6, np.random.default_rng(31 + zoo.seed))
    rng = np.random.default_rng(0)
    for dims, layers in ((32, 2), (96, 3)):
        torch.manual_seed(dims + zoo.seed)
        net = Language(60, dims, layers, 16)
        opt = torch.optim.Adam(net.parameters(), lr=2e-3)
        for step in range(221):
            if step in (0, 220):
                with torch.no_grad():
                    states = net.states(text[:600])
                for depth, h in enumerate(states[1:] + [net.end(states[-1]).detach()], 1):
                    name = f"lm_d{dims}_step{step}_layer{depth}"
                    at = rng.permutation(600 * 15)[:1000]
                    tokens, nexts = h[:, :15].reshape(-1, dims)[at], text[:600, :15].reshape(-1)[at]
                    zoo.add("language", name + "_tokens", tokens, "no", labels=nexts % 10, why="hidden states of tokens")
                    zoo.add("language", name + "_mean", h.mean(1), "no", labels=topic[:600], why="mean over the sentence")
                zoo.add("language", f"lm_d{dims}_step{step}_table", net.embed.weight, "no", why="the table of tokens")
            b = torch.randint(0, len(text), (48,))
            logits = net.out(net.end(net.states(text[b])[-1]))[:, :-1]
            loss = F.cross_entropy(logits.reshape(-1, 60), text[b][:, 1:].reshape(-1))
            opt.zero_grad(); loss.backward(); opt.step()
    for layers in (1, 4, 8):
        torch.manual_seed(layers + zoo.seed)
        net = Language(60, 64, layers, 16, residual=False)
        with torch.no_grad():
            h = net.states(text[:80])[-1].reshape(-1, 64)[:1024]
        zoo.add("language", f"attention_alone_{layers}", h, "arguable", ["complete_collapse", "dimensional_collapse"], None,
                "attention without skip connections: equal within a sentence, which the rows alone do not tell")


@family
def words(zoo):
    text, _ = corpus(3000, 16, 300, 8, np.random.default_rng(41 + zoo.seed))
    pairs = torch.cat([torch.stack([text[:, :-d].reshape(-1), text[:, d:].reshape(-1)], 1) for d in (1, 2)])
    counts = torch.bincount(text.reshape(-1), minlength=300).float()
    for dims in (16, 64, 200):
        for name, negatives in (("sgns", 5), ("sgns_alone", 0)):
            torch.manual_seed(dims + zoo.seed)
            a, b = nn.Embedding(300, dims), nn.Embedding(300, dims)
            nn.init.normal_(a.weight, 0, 0.1); nn.init.normal_(b.weight, 0, 0.1)
            opt = torch.optim.Adam(list(a.parameters()) + list(b.parameters()), lr=1e-2)
            for _ in range(400):
                p = pairs[torch.randint(0, len(pairs), (512,))]
                va, vb = a(p[:, 0]), b(p[:, 1])
                loss = F.softplus(-(va * vb).sum(1)).mean()
                if negatives:
                    n = torch.multinomial(counts ** 0.75, 512 * negatives, True).view(512, negatives)
                    loss = loss + F.softplus((va[:, None] * b(n)).sum(2)).sum(1).mean()
                opt.zero_grad(); loss.backward(); opt.step()
            zoo.add("words", f"{name}_d{dims}", a.weight, "no" if negatives else "yes" if dims == 16 else "arguable",
                    () if negatives else ["complete_collapse", "dimensional_collapse"], None,
                    "skip-gram with negative sampling" if negatives else "no negatives: the beginning and a common direction")
    M = torch.zeros(300, 300)
    M.index_put_((pairs[:, 0], pairs[:, 1]), torch.ones(len(pairs)), accumulate=True)
    M = M + M.T
    pmi = (M * M.sum() / (M.sum(0)[None] * M.sum(1)[:, None]).clamp(min=1)).clamp(min=1).log()
    U, S, _ = torch.linalg.svd(pmi)
    for dims in (20, 100):
        zoo.add("words", f"ppmi_svd_d{dims}", U[:, :dims] * S[:dims].sqrt(), "no", why="SVD of positive pointwise mutual information")
        zoo.add("words", f"ppmi_svd_full_d{dims}", U[:, :dims] * S[:dims], "no", why="same, not damped")
    target = M.clamp(min=0.5).log()
    for dims in (32,):
        torch.manual_seed(9 + zoo.seed)
        a, b, ba, bb = (nn.Parameter(0.1 * torch.randn(300, dims)), nn.Parameter(0.1 * torch.randn(300, dims)), nn.Parameter(torch.zeros(300, 1)), nn.Parameter(torch.zeros(1, 300)))
        opt = torch.optim.Adam([a, b, ba, bb], lr=2e-2)
        weight = (M / 50).clamp(max=1) ** 0.75
        for _ in range(300):
            loss = (weight * (a @ b.T + ba + bb - target) ** 2).sum() / 300
            opt.zero_grad(); loss.backward(); opt.step()
        zoo.add("words", f"glove_d{dims}", a + b, "no", why="GloVe")


@family
def graphs(zoo):
    rng = np.random.default_rng(51 + zoo.seed)
    n, classes = 800, 5
    y = rng.integers(0, classes, n)
    same = y[:, None] == y[None]
    A = (rng.random((n, n)) < np.where(same, 0.04, 0.006)).astype(np.float32)
    A = np.maximum(np.triu(A, 1), np.triu(A, 1).T) + np.eye(n, dtype=np.float32)
    d = A.sum(1)
    A = torch.tensor(A / np.sqrt(d[:, None] * d[None]))
    X = torch.tensor((np.eye(classes)[y] @ rng.standard_normal((classes, 32)) * 0.5 + rng.standard_normal((n, 32))).astype(np.float32))
    yt = torch.tensor(y)
    for kind, depths in (("plain", (1, 2, 8, 32)), ("residual", (2, 8, 32)), ("pairnorm", (8,))):
        for depth in depths:
            for trained in (False, True):
                if trained and depth > 8:
                    continue
                torch.manual_seed(depth + zoo.seed)
                Ws = nn.ModuleList([nn.Linear(32 if i == 0 else 64, 64) for i in range(depth)])
                head = nn.Linear(64, classes)

                def encode():
                    h = X
                    for i, W in enumerate(Ws):
                        new = torch.relu(A @ W(h))
                        h = h + new if kind == "residual" and i > 0 else new
                        if kind == "pairnorm":
                            h = h - h.mean(0)
                            h = h / h.pow(2).sum(1).mean().sqrt().clamp(min=1e-9) * 4
                    return h
                if trained:
                    opt = torch.optim.Adam(list(Ws.parameters()) + list(head.parameters()), lr=5e-3)
                    for _ in range(80):
                        loss = F.cross_entropy(head(encode())[: n // 2], yt[: n // 2])
                        opt.zero_grad(); loss.backward(); opt.step()
                with torch.no_grad():
                    Z = encode()
                accuracy = knn(Z.numpy(), y)
                bad = kind == "plain" and depth == 32
                truth = "yes" if bad else ("no" if accuracy > 0.8 else "arguable")
                zoo.add("graphs", f"gcn_{kind}_{depth}{'_trained' if trained else ''}", Z, truth, ["complete_collapse", "dimensional_collapse"], y,
                        "over-smoothed" if bad else "graph convolution")
    for steps in (2, 10, 200):
        Z = X.clone()
        for _ in range(steps):
            Z = A @ Z
        zoo.add("graphs", f"smoothed_{steps}", Z, "yes" if steps == 200 else "arguable" if steps == 10 else "no",
                ["complete_collapse", "dimensional_collapse"], y, "propagation alone")


# Recommenders, values, prototypes, metrics, federated -------------------------------------------------------------------


@family
def recommenders(zoo):
    rng = np.random.default_rng(61 + zoo.seed)
    users, items, true = 600, 500, 12
    P, Q = rng.standard_normal((users, true)), rng.standard_normal((items, true))
    pop = 0.7 * rng.standard_normal(items)
    score = torch.tensor(((P @ Q.T) / np.sqrt(true) + pop).astype(np.float32))
    seen = torch.rand(users, items) < torch.sigmoid(2 * score - 2)
    taste = torch.tensor(P[:, :4].argmax(1))
    liked = seen.nonzero()
    for dims in (16, 64, 256):
        for name in ("bpr", "softmax", "mse", "alone"):
            torch.manual_seed(dims + zoo.seed)
            u, v = nn.Parameter(0.1 * torch.randn(users, dims)), nn.Parameter(0.1 * torch.randn(items, dims))
            opt = torch.optim.Adam([u, v], lr=1e-2)
            for _ in range(300):
                p = liked[torch.randint(0, len(liked), (1024,))]
                a, b = u[p[:, 0]], v[p[:, 1]]
                if name == "bpr":
                    loss = F.softplus((a * v[torch.randint(0, items, (1024,))]).sum(1) - (a * b).sum(1)).mean() + 1e-3 * (a.pow(2).sum(1) + b.pow(2).sum(1)).mean()
                elif name == "softmax":
                    loss = F.cross_entropy(F.normalize(a[:256], dim=1) @ F.normalize(b[:256], dim=1).T / 0.2, torch.arange(256))
                elif name == "mse":
                    loss = ((u @ v.T - score) ** 2).mean() + 1e-4 * (u.pow(2).sum() + v.pow(2).sum()) / users
                else:
                    loss = align(a, b)
                opt.zero_grad(); loss.backward(); opt.step()
            good = name != "alone"
            for side, Z in (("users", u), ("items", v)):
                zoo.add("recommenders", f"{name}_{side}_d{dims}", Z, "no" if good else "yes", () if good else ["complete_collapse", "dimensional_collapse"],
                        None, name if good else "positives only")
    # Two towers on features.
    Xu, Xi = torch.tensor(P.astype(np.float32)), torch.tensor(Q.astype(np.float32))
    for name in ("inbatch", "alone"):
        torch.manual_seed(1 + zoo.seed)
        a, b = mlp([true, 64, 32]), mlp([true, 64, 32])
        opt = torch.optim.Adam(list(a.parameters()) + list(b.parameters()), lr=3e-3)
        for _ in range(300):
            p = liked[torch.randint(0, len(liked), (256,))]
            za, zb = F.normalize(a(Xu[p[:, 0]]), dim=1), F.normalize(b(Xi[p[:, 1]]), dim=1)
            loss = F.cross_entropy(za @ zb.T / 0.1, torch.arange(256)) if name == "inbatch" else (za - zb).pow(2).sum(1).mean()
            opt.zero_grad(); loss.backward(); opt.step()
        for side, Z in (("users", F.normalize(a(Xu), dim=1)), ("items", F.normalize(b(Xi), dim=1))):
            zoo.add("recommenders", f"towers_{name}_{side}", Z, "no" if name == "inbatch" else "yes", ["complete_collapse", "dimensional_collapse"], None, name)


@family
def values(zoo):
    """Value networks on a grid world: four rooms, rewards at goals, states as noisy pixels."""
    side = 12
    rng = np.random.default_rng(71 + zoo.seed)
    cells = [(i, j) for i in range(side) for j in range(side)]
    base = rng.standard_normal((len(cells), 40)).astype(np.float32) * 0.3
    place = np.array([[np.exp(-((i - a) ** 2 + (j - b) ** 2) / 8) for a in range(1, side, 3) for b in range(1, side, 3)] for i, j in cells], np.float32)
    S = torch.tensor(np.concatenate([place, base], 1))
    nxt = torch.tensor([[cells.index((min(max(i + di, 0), side - 1), min(max(j + dj, 0), side - 1))) for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0))] for i, j in cells])
    room = torch.tensor([2 * (i >= side // 2) + (j >= side // 2) for i, j in cells])
    for name, reward_cells, steps, gamma in (("dense", range(0, 144, 9), 400, 0.9), ("sparse", (143,), 400, 0.95), ("none", (), 800, 0.99), ("untrained", (), 0, 0.9)):
        R = torch.zeros(len(cells)); R[list(reward_cells)] = 1
        for dims in (64, 256):
            torch.manual_seed(dims + zoo.seed)
            body, head = mlp([S.shape[1], 128, dims], "none", nn.ReLU()), nn.Linear(dims, 4)
            opt = torch.optim.Adam(list(body.parameters()) + list(head.parameters()), lr=2e-3)
            for _ in range(steps):
                b = torch.randint(0, len(cells), (128,))
                a = torch.randint(0, 4, (128,))
                with torch.no_grad():
                    goal = R[nxt[b, a]] + gamma * head(body(S[nxt[b, a]])).max(1).values
                loss = F.mse_loss(head(body(S[b])).gather(1, a[:, None])[:, 0], goal)
                opt.zero_grad(); loss.backward(); opt.step()
            X = S.repeat(4, 1); X = X + 0.05 * torch.randn_like(X)
            zoo.add("values", f"td_{name}_d{dims}", evaluated(body, X), "no" if name in ("dense", "untrained") else "arguable", ["dimensional_collapse", "complete_collapse"],
                    room.repeat(4), f"temporal differences, reward {name}")


@family
def prototypes(zoo):
    X, y = digits()
    rows = slice(0, 1024)
    twin = None
    for name, centre, sharpen in (("dino", True, 0.04), ("dino_nocentre", False, 0.04), ("dino_nosharpen", True, 1.0)):
        torch.manual_seed(2 + zoo.seed)
        import copy
        net, head = mlp([64, 128, 48], "none"), nn.Linear(48, 32)
        teacher, teacher_head, c = copy.deepcopy(net), copy.deepcopy(head), torch.zeros(32)
        opt = torch.optim.Adam(list(net.parameters()) + list(head.parameters()), lr=2e-3)
        for _ in range(400):
            x = X[torch.randint(0, len(X), (256,))]
            a, b = shift_digits(x), shift_digits(x)
            with torch.no_grad():
                t = teacher_head(teacher(b))
                goal = F.softmax(((t - c) if centre else t) / sharpen, 1)
                c = 0.9 * c + 0.1 * t.mean(0)
            loss = -(goal * F.log_softmax(head(net(a)) / 0.1, 1)).sum(1).mean()
            opt.zero_grad(); loss.backward(); opt.step()
            with torch.no_grad():
                for p, q in zip(list(teacher.parameters()) + list(teacher_head.parameters()), list(net.parameters()) + list(head.parameters())):
                    p.mul_(0.98).add_(q, alpha=0.02)
        with torch.no_grad():
            Z = net(X[rows]); out = F.softmax(head(Z) / 0.1, 1)
        kinds = ["complete_collapse", "dimensional_collapse", "cluster_collapse"]
        got = zoo.add("prototypes", name, Z, "no" if name == "dino" else "yes", kinds, y[rows], name, twin)
        zoo.add("prototypes", name + "_probabilities", out, "no" if name == "dino" else "yes", kinds, y[rows], name, twin)
        twin = twin or got
    for codes, name in ((64, "vq64"), (16, "vq16"), (256, "vq256")):
        torch.manual_seed(codes + zoo.seed)
        enc = mlp([64, 128, 16])
        H = evaluated(enc, X)
        H = (H - H.mean(0)) / H.std(0)
        C = H[torch.randperm(len(H))[:codes]].clone()
        for _ in range(10):
            at = torch.cdist(H, C).argmin(1)
            for k in range(codes):
                if (at == k).any():
                    C[k] = H[at == k].mean(0)
        zoo.add("prototypes", name + "_quantised", C[at][rows], "no" if codes >= 64 else "arguable", ["cluster_collapse"], y[rows], f"{len(set(at.tolist()))} codes in use")
        zoo.add("prototypes", name + "_codebook", C, "no", why="the codes")
    for used in (1, 2, 3):
        zoo.add("prototypes", f"vq_used{used}", C[:used][torch.randint(0, used, (1024,))], "yes",
                ["complete_collapse", "cluster_collapse", "partial_collapse", "dimensional_collapse"], why=f"{used} of 64 codes in use")


@family
def metric(zoo):
    X, y = digits()
    rows = slice(0, 1024)
    for name in ("supcon", "triplet", "arcface", "contrast_pairs", "hardest"):
        for dims in (32, 128):
            torch.manual_seed(dims + zoo.seed)
            net = mlp([64, 128, dims], "none", Unit())
            W = nn.Parameter(torch.randn(10, dims))
            opt = torch.optim.Adam(list(net.parameters()) + [W], lr=2e-3)
            for _ in range(250):
                b = torch.randint(0, len(X), (128,))
                z, t = net(X[b] + 0.05 * torch.randn(128, 64)), y[b]
                same = (t[:, None] == t[None]).float()
                eye = torch.eye(128)
                d2 = torch.cdist(z, z).pow(2)
                if name == "supcon":
                    logits = z @ z.T / 0.2 - 1e9 * eye
                    lp = F.log_softmax(logits, 1)
                    loss = -((same - eye) * lp).sum(1).div((same - eye).sum(1).clamp(min=1)).mean()
                elif name == "arcface":
                    loss = F.cross_entropy(16 * (z @ F.normalize(W, dim=1).T - 0.2 * F.one_hot(t, 10)), t)
                elif name == "contrast_pairs":
                    loss = ((same - eye) * d2).sum() / same.sum() + ((1 - same) * F.relu(1 - d2.clamp(min=1e-9).sqrt()) ** 2).sum() / (1 - same).sum()
                else:
                    d = (d2 + 1e-9).sqrt()
                    positive = (d * same).max(1).values if name == "hardest" else (d * (same - eye)).sum(1) / (same - eye).sum(1).clamp(min=1)
                    far = d + 10 * same
                    negative = far.min(1).values if name == "hardest" else (d * (1 - same)).sum(1) / (1 - same).sum(1)
                    loss = F.relu(positive - negative + 0.3).mean()
                opt.zero_grad(); loss.backward(); opt.step()
            zoo.add("metric", f"{name}_d{dims}", evaluated(net, X)[rows], "arguable" if name in ("supcon", "arcface") else "no",
                    ["cluster_collapse"], y[rows], name + ", rows trained on")
    # Identities: many classes of few rows each.
    rng = np.random.default_rng(81 + zoo.seed)
    for ids, each, spread in ((40, 8, 0.3), (100, 10, 0.5), (12, 60, 0.3), (25, 20, 0.1)):
        who = np.repeat(np.arange(ids), each)
        Z = rng.standard_normal((ids, 64))[who] + spread * rng.standard_normal((ids * each, 64))
        Z /= np.linalg.norm(Z, axis=1, keepdims=True)
        zoo.add("metric", f"identities_{ids}x{each}", Z, "no" if ids >= 25 else "arguable", ["cluster_collapse"], who, "a good metric encoder, many identities")
    torch.manual_seed(8 + zoo.seed)
    net = mlp([64, 128, 64], "none", Unit())
    opt = torch.optim.SGD(net.parameters(), lr=0.5)
    for _ in range(300):
        b = torch.randint(0, len(X), (128,))
        z, t = net(X[b]), y[b]
        d = (torch.cdist(z, z).pow(2) + 1e-9).sqrt()
        same = (t[:, None] == t[None]).float()
        loss = F.relu((d * same).max(1).values - (d + 10 * same).min(1).values + 1.0).mean()
        opt.zero_grad(); loss.backward(); opt.step()
    Z = evaluated(net, X)[rows]
    zoo.add("metric", "hardest_to_the_margin", Z, "yes" if knn(Z, y[rows]) < 0.5 else "arguable", ["complete_collapse"], y[rows], "hardest triplets")


@family
def federated(zoo):
    X, y = digits()
    for name, skew in (("iid", False), ("skewed", True)):
        for rounds in (3, 15):
            torch.manual_seed(rounds + zoo.seed)
            import copy
            net = nn.Sequential(mlp([64, 128, 64], "none", nn.ReLU()), nn.Linear(64, 10))
            order = torch.argsort(y) if skew else torch.randperm(len(y))
            parts = order[: 1790].view(10, 179)
            for _ in range(rounds):
                states = []
                for part in parts:
                    local = copy.deepcopy(net)
                    opt = torch.optim.SGD(local.parameters(), lr=0.1, momentum=0.9)
                    for _ in range(15):
                        b = part[torch.randint(0, len(part), (64,))]
                        loss = F.cross_entropy(local(X[b]), y[b])
                        opt.zero_grad(); loss.backward(); opt.step()
                    states.append(local.state_dict())
                net.load_state_dict({k: sum(s[k] for s in states) / len(states) for k in states[0]})
            Z = evaluated(net[0], X)[:1024]
            acc = knn(Z, y[:1024])
            zoo.add("federated", f"fed_{name}_{rounds}", Z, "no" if acc > 0.8 else "arguable", ["dimensional_collapse"], y[:1024], "average of ten clients")
            Z = evaluated(local[0], X)[:1024]
            zoo.add("federated", f"fed_{name}_{rounds}_client", Z, "no" if knn(Z, y[:1024]) > 0.8 else "arguable", ["dimensional_collapse"], y[:1024], "one client")


# Good ones spoilt in part ----------------------------------------------------------------------------------------------


@family
def partial(zoo):
    rng = np.random.default_rng(91 + zoo.seed)
    X, y = digits()
    hosts = [e for e in zoo.entries if e["collapsed"] == "no" and e["system"] != "partial" and e["rows"] >= 500 and e["dims"] >= 16]
    hosts = [hosts[i] for i in rng.permutation(len(hosts))[:24]]
    hosts = hosts or [None]
    shares = (0.1, 0.2, 0.5, 0.8, 0.9, 0.99)
    ways = ("point", "point_noise6", "point_noise3", "zero", "short", "outlier", "gathered", "column", "two_points")
    for i, host in enumerate(hosts):
        Z = np.load(os.path.join(zoo.folder, host["file"])) if host else X.numpy()
        for j in range(5):
            way, share = ways[(2 * i + j) % len(ways)], shares[(i + j) % len(shares)]
            W = Z.astype(np.float64).copy()
            n, spread = len(W), W.std(0).mean()
            at = rng.permutation(n)[: int(round(share * n))]
            name, truth, kinds = f"{way}_{int(round(100 * share))}_{host['name'] if host else 'pixels'}", "yes", ["partial_collapse"]
            if way.startswith("point"):
                W[at] = W[at[0]] + {"point": 0, "point_noise6": 1e-6, "point_noise3": 1e-3}[way] * spread * rng.standard_normal((len(at), W.shape[1]))
            elif way == "zero":
                W[at] = 0
            elif way == "short":
                W[at] *= 1e-4
            elif way == "two_points":
                half = len(at) // 2
                W[at[:half]], W[at[half:]] = W[at[0]], W[at[-1]]
                truth = "yes" if share >= 0.2 else "arguable"
                kinds = ["partial_collapse", "cluster_collapse"]
            elif way == "outlier":
                W[at[0]] *= 1000
                name, truth, kinds = f"outlier_{i}_{j}", "no", []
            elif way == "gathered":
                W = np.repeat(W[: n // 8], 8, 0)
                name, truth, kinds = f"gathered_{i}_{j}", "no", []
            else:
                W[:, rng.integers(W.shape[1])] += 60 * W.std()
                name, truth, kinds = f"column_{i}_{j}", "no", []
            zoo.add("partial", name, W, truth, kinds, None, f"{way} from {host['name'] if host else 'pixels'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("families", nargs="*", default=list(FAMILIES))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    zoo = Zoo(arguments.folder, arguments.seed)
    for name in arguments.families or list(FAMILIES):
        before = len(zoo.entries)
        FAMILIES[name](zoo)
        print(name, len(zoo.entries) - before, flush=True)
        with open(os.path.join(zoo.folder, "zoo.json"), "w") as out:
            json.dump(zoo.entries, out, indent=1)


if __name__ == "__main__":
    main()
