"""Compares the penalties with torch's autograd: check.py PROGRAM. Written from the papers' definitions."""

import subprocess
import sys

import torch

F = torch.nn.functional


def hinge(z):
    return F.relu(1 - torch.sqrt(z.var(0) + 1e-4)).mean()


def covariance(z):
    x = z - z.mean(0)
    c = x.T @ x / (len(z) - 1)
    return (c.pow(2).sum() - c.diagonal().pow(2).sum()) / z.shape[1]


def uniformity(z):
    u = F.normalize(z)
    return torch.pdist(u).pow(2).mul(-2).exp().mean().log()


def log_determinant(z):
    x = z - z.mean(0)
    c = x.T @ x / (len(z) - 1)
    return -torch.logdet(c + 1e-4 * torch.eye(z.shape[1], dtype=z.dtype)) / z.shape[1]


def spectral_entropy(z):
    x = z - z.mean(0)
    p = torch.linalg.svdvals(x)[: min(len(z) - 1, z.shape[1])].pow(2)
    p = p / p.sum()
    return (p * p.log()).sum()


def alignment(a, b):
    return (F.normalize(a) - F.normalize(b)).pow(2).sum(1).mean()


def vicreg(a, b):
    return 25 * F.mse_loss(a, b) + 25 * (hinge(a) + hinge(b)) + covariance(a) + covariance(b)


def barlow_twins(a, b):
    x = (a - a.mean(0)) / a.std(0, unbiased=False)
    y = (b - b.mean(0)) / b.std(0, unbiased=False)
    k = x.T @ y / len(a)
    off = k.pow(2).sum() - k.diagonal().pow(2).sum()
    return (1 - k.diagonal()).pow(2).sum() + 0.005 * off


def info_nce(a, b):
    logits = F.normalize(a) @ F.normalize(b).T / 0.1
    own = torch.arange(len(a))
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def main():
    worst = 0.0
    for rows, cols in ((40, 12), (20, 50), (130, 100)):
        torch.manual_seed(rows)
        mix = torch.randn(cols, cols, dtype=torch.double) * 0.8 / cols**0.5
        a = torch.randn(rows, cols, dtype=torch.double) @ mix + 0.5
        b = a + 0.5 * torch.randn(rows, cols, dtype=torch.double)
        views = torch.cat([a, b]).numpy().tobytes()
        out = subprocess.run([sys.argv[1], str(rows), str(cols)], input=views, stdout=subprocess.PIPE, check=True).stdout
        got = torch.frombuffer(bytearray(out), dtype=torch.double)
        for penalty in (hinge, covariance, uniformity, log_determinant, spectral_entropy):
            worst = max(worst, compare(penalty, (a,), got))
            got = got[1 + rows * cols:]
        for penalty in (alignment, vicreg, barlow_twins, info_nce):
            worst = max(worst, compare(penalty, (a, b), got))
            got = got[1 + 2 * rows * cols:]
        assert got.numel() == 0
    print(f"largest difference from torch, relative: {worst:.1e}")
    return 0 if worst < 1e-9 else 1


def compare(penalty, views, got):
    views = [z.clone().requires_grad_() for z in views]
    value = penalty(*views)
    value.backward()
    wanted = torch.cat([value.detach().reshape(1)] + [z.grad.reshape(-1) for z in views])
    got = got[: wanted.numel()]
    error = ((got[0] - wanted[0]).abs() / wanted[0].abs()).item()
    size = wanted[1:].abs().max()
    error = max(error, ((got[1:] - wanted[1:]).abs().max() / size).item())
    print(f"{penalty.__name__:18} {tuple(views[0].shape)}: {error:.1e}")
    return error


if __name__ == "__main__":
    sys.exit(main())
