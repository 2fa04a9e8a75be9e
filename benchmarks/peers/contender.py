"""One contender as a process that lives as long as the comparison:

    contender.py {numpy|torch} {straightforward|expert}

Of each line of standard input that names a .npy file, the file is read; at an empty line it is measured. Both are
answered with one line of JSON, the second with `seconds` and the numbers of the core report. Of the ways to write the
`expert` ones, these were the fastest of those tried (whole or in blocks of rows, with one or both halves of a symmetric
product, in double or partly in float32) that keep the digits.
"""

import importlib
import json
import math
import os
import sys
import time

import numpy as np

block_rows = 8192  # of the N x N cosines, as rows of one block: 1 GiB of float32 at N = 32768


def numpy_straightforward(z):
    n, d = z.shape
    uncentred = np.linalg.svd(z, compute_uv=False)
    centred = np.linalg.svd(z - z.mean(axis=0), compute_uv=False)
    covariance = np.cov(z, rowvar=False)
    off_diagonal = ~np.eye(d, dtype=bool)
    penalty = np.square(covariance[off_diagonal]).sum() / d
    correlation = np.corrcoef(z, rowvar=False)
    rms_correlation = np.sqrt(np.square(correlation[off_diagonal]).mean())
    std = z.std(axis=0, ddof=1)
    u = z / np.linalg.norm(z, axis=1, keepdims=True)
    total = squares = 0.0
    for first in range(0, n, block_rows):
        cosines = u[first : first + block_rows] @ u.T
        rows = np.arange(len(cosines))
        cosines[rows, first + rows] = 0.0
        total += cosines.sum(dtype=np.float64)
        squares += np.square(cosines, out=cosines).sum(dtype=np.float64)
    return report(centred, uncentred, std, penalty, rms_correlation, n * (n - 1), total, squares)


def torch_straightforward(z):
    n, d = z.shape
    uncentred = torch.linalg.svdvals(z)
    centred = torch.linalg.svdvals(z - z.mean(dim=0))
    covariance = torch.cov(z.T)
    off_diagonal = ~torch.eye(d, dtype=torch.bool)
    penalty = covariance[off_diagonal].square().sum() / d
    correlation = torch.corrcoef(z.T)
    rms_correlation = correlation[off_diagonal].square().mean().sqrt()
    std = z.std(dim=0)
    u = torch.nn.functional.normalize(z, dim=1)
    total = squares = 0.0
    for first in range(0, n, block_rows):
        cosines = u[first : first + block_rows] @ u.T
        rows = torch.arange(len(cosines))
        cosines[rows, first + rows] = 0.0
        total += cosines.sum(dtype=torch.float64).item()
        squares += cosines.square_().sum(dtype=torch.float64).item()
    return report(centred, uncentred, std, penalty, rms_correlation, n * (n - 1), total, squares)


def sum_of_squares(a):
    a = a.reshape(-1)
    return float(a @ a)


def numpy_expert(z):
    n, d = z.shape
    mean = z.mean(axis=0, dtype=np.float64)
    if n <= d:
        x = z - mean
        gram = x @ x.T
        centred = np.linalg.eigvalsh(gram)
        shift = x @ mean  # of a product of rows: (x_i + m).(x_j + m)
        products = gram + (shift[:, None] + shift + mean @ mean)
        uncentred = np.linalg.eigvalsh(products)
        variance = np.einsum("ij,ij->j", x, x) / (n - 1)
        covariance_squares = sum_of_squares(gram) / (n - 1) ** 2
        x /= np.sqrt(variance)
        correlation_squares = sum_of_squares(x @ x.T) / (n - 1) ** 2
        inverse = 1.0 / np.sqrt(np.diagonal(products))
        cosines = products * inverse[:, None] * inverse
        total, cosine_squares = cosines.sum(), sum_of_squares(cosines)
    else:
        x = np.subtract(z, mean, dtype=np.float64)
        scatter = x.T @ x  # numpy sees the symmetry: dsyrk
        del x
        centred = np.linalg.eigvalsh(scatter)
        uncentred = np.linalg.eigvalsh(scatter + np.outer(n * mean, mean))
        covariance = scatter / (n - 1)
        variance = np.diagonal(covariance)
        std = np.sqrt(variance)
        covariance_squares = sum_of_squares(covariance)
        correlation_squares = sum_of_squares(covariance / std[:, None] / std)
        u = z * (1.0 / np.sqrt(np.einsum("ij,ij->i", z, z)))[:, None]  # float32 does for the moments of cosines
        total = sum_of_squares(u.sum(axis=0, dtype=np.float64))
        cosine_squares = np.square(u.T @ u, dtype=np.float64).sum()
    sums = total, cosine_squares, covariance_squares, correlation_squares
    return closed_forms(n, centred, uncentred, variance, *map(float, sums))


def symmetric_product(x):
    """x^T x by strips of columns, the lower triangle and little more: torch has no syrk. The rest is undefined."""
    d = x.shape[1]
    width = -(-d // 4)
    product = torch.empty((d, d), dtype=x.dtype)
    for first in range(0, d, width):
        last = min(first + width, d)
        product[first:last, :last] = x[:, first:last].T @ x[:, :last]
    return product


def full(lower):
    lower = lower.tril()
    return lower + lower.tril(-1).T


def torch_expert(z):
    n, d = z.shape
    x = z.double()
    mean = x.mean(dim=0)
    x -= mean
    if n <= d:
        gram = x @ x.T
        centred = torch.linalg.eigvalsh(gram)
        shift = x @ mean
        products = gram + (shift[:, None] + shift + mean @ mean)
        uncentred = torch.linalg.eigvalsh(products)
        variance = torch.linalg.vector_norm(x, dim=0).square() / (n - 1)
        covariance_squares = sum_of_squares(gram) / (n - 1) ** 2
        x /= variance.sqrt()
        correlation_squares = sum_of_squares(x @ x.T) / (n - 1) ** 2
        inverse = products.diagonal().rsqrt()
        cosines = products * inverse[:, None] * inverse
        total, cosine_squares = cosines.sum(), sum_of_squares(cosines)
    else:
        scatter = full(symmetric_product(x))
        del x
        centred = torch.linalg.eigvalsh(scatter)
        uncentred = torch.linalg.eigvalsh(scatter + torch.outer(n * mean, mean))
        covariance = scatter / (n - 1)
        variance = covariance.diagonal()
        std = variance.sqrt()
        covariance_squares = sum_of_squares(covariance)
        correlation_squares = sum_of_squares(covariance / std[:, None] / std)
        u = torch.nn.functional.normalize(z, dim=1)
        total = sum_of_squares(u.sum(dim=0).double())
        cosine_squares = full(symmetric_product(u)).double().square().sum()
    sums = total, cosine_squares, covariance_squares, correlation_squares
    return closed_forms(n, centred, uncentred, variance, *map(float, sums))


def closed_forms(n, centred, uncentred, variance, cosine_sum, cosine_squares, covariance_squares, correlation_squares):
    """The report from the eigenvalues and from sums over whole symmetric matrices, whose diagonals are known."""
    d = len(variance)
    spectrum, spectrum_uncentered = (
        np.sqrt(np.maximum(np.asarray(eigenvalues), 0.0))[::-1] for eigenvalues in (centred, uncentred)
    )
    penalty = (covariance_squares - sum_of_squares(variance)) / d
    rms_correlation = math.sqrt((correlation_squares - d) / (d * (d - 1)))
    std = np.sqrt(np.asarray(variance))
    cosines = n * (n - 1), cosine_sum - n, cosine_squares - n
    return report(spectrum, spectrum_uncentered, std, penalty, rms_correlation, *cosines)


def report(spectrum, spectrum_uncentered, std, penalty, rms_correlation, pairs, cosine_sum, cosine_squares):
    mean = cosine_sum / pairs
    return {
        "spectrum": spectrum,
        "spectrum_uncentered": spectrum_uncentered,
        "std": std,
        "covariance_penalty": penalty,
        "rms_correlation": rms_correlation,
        "cosine_mean": mean,
        "cosine_std": math.sqrt(cosine_squares / pairs - mean**2),
    }


def openblas_version():
    """Of the library that is loaded, which says so itself."""
    import ctypes

    with open("/proc/self/maps") as maps:
        paths = {line.split(maxsplit=5)[5].strip() for line in maps if "blas" in line}
    for path in sorted(paths):
        try:
            ask = ctypes.CDLL(path).openblas_get_config
        except (OSError, AttributeError):
            continue
        ask.restype = ctypes.c_char_p
        return " ".join(ask().decode().split()[:2])
    return "another BLAS than OpenBLAS"


def main():
    library, way = sys.argv[1:3]
    module = importlib.import_module(library)
    globals()[library] = module
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if library == "torch":
        module.set_grad_enabled(False)
        module.set_num_threads(threads)
    measure = globals()[f"{library}_{way}"]
    z = None
    for line in sys.stdin:
        if path := line.rstrip("\n"):
            z = np.load(path)
            z = module.from_numpy(z) if library == "torch" else z
            print("{}", flush=True)
            continue
        start = time.perf_counter()
        numbers = measure(z)
        seconds = time.perf_counter() - start
        answer = {key: np.asarray(value, dtype=float).tolist() for key, value in numbers.items()}
        answer["seconds"] = seconds
        answer["built_with"] = f"{library} {module.__version__}, {openblas_version()}"
        answer["threads"] = threads
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
