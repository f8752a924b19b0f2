"""Slow twins of the fast code: plain loops that read like the equations, in NumPy and Python numbers only.

The sums are written for any kind of number, so the same code runs on floats and, exactly, on fractions. Arrays are
nested sequences here: x[i][j][k][a] is coordinate a of replicate k of model i's answers to query j.
"""

from __future__ import annotations

import numpy as np


def mean_embedding(responses):
    """X_ij = (1/r) sum_k x_ijk, for one model and query."""
    r = len(responses)
    return [sum(x[a] for x in responses) / r for a in range(len(responses[0]))]


def mean_embeddings(x):
    """X, for all models and queries; r may differ from cell to cell."""
    return [[mean_embedding(cell) for cell in model] for model in x]


def scatter(responses):
    """sum_k ||x_k - X||^2."""
    centre = mean_embedding(responses)
    return sum(sum((x[a] - centre[a]) ** 2 for a in range(len(x))) for x in responses)


def gamma_estimate(responses):
    """The unbiased estimate of trace Sigma from r >= 2 responses."""
    return scatter(responses) / (len(responses) - 1)


def squared_distance(first, second):
    """||X_i - X_i'||_F^2 for two models' mean embeddings (m, p)."""
    total = 0
    for x, y in zip(first, second, strict=True):
        for a, b in zip(x, y, strict=True):
            total += (a - b) ** 2
    return total


def scale(normalisation, m):
    """c(m)."""
    return {"sqrt-m": m**-0.5, "m": 1 / m, "none": 1.0}[normalisation]


def dissimilarities(means, normalisation="sqrt-m", exponent=1.0):
    """D_ii' = c ||X_i - X_i'||_F^e."""
    n, m = len(means), len(means[0])
    D = np.zeros((n, n))
    for i in range(n):
        for k in range(n):
            distance = float(squared_distance(means[i], means[k])) ** 0.5
            D[i, k] = scale(normalisation, m) * distance**exponent
    return D


def debiased_squared_distance(means, gamma, counts, i, k):
    """||X_i - X_k||^2 - sum_j (gamma_ij / r_ij + gamma_kj / r_kj); c^2 times this is the unbiased D^2."""
    noise = sum(gamma[i][j] / counts[i][j] + gamma[k][j] / counts[k][j] for j in range(len(means[i])))
    return squared_distance(means[i], means[k]) - noise


def gram(D):
    """B = -1/2 H D^2 H with H = I - 11'/n."""
    n = len(D)
    H = np.eye(n) - np.ones((n, n)) / n
    return -0.5 * H @ (np.asarray(D) ** 2) @ H


def classical_mds(D, d):
    """U_d S_d^{1/2} from the d largest eigenvalues of B, negative ones taken as 0."""
    values, vectors = np.linalg.eigh(gram(D))
    top = np.argsort(values)[::-1][:d]
    return np.stack([vectors[:, t] * np.sqrt(max(values[t], 0.0)) for t in top], axis=1)


def raw_stress(z, D):
    """sigma(z) = sum over ordered pairs of (||z_i - z_k|| - D_ik)^2."""
    total = 0.0
    for i in range(len(D)):
        for k in range(len(D)):
            distance = sum((a - b) ** 2 for a, b in zip(z[i], z[k], strict=True)) ** 0.5
            total += (distance - D[i][k]) ** 2
    return total


def orthogonal_alignment(source, target):
    """The polar factor of source' target: the minimiser of ||source W - target||_F over orthogonal W."""
    left, _, right = np.linalg.svd(np.asarray(source).T @ np.asarray(target))
    return left @ right


def aligned(source, target):
    """Move source onto target by the best orthogonal matrix."""
    return np.asarray(source) @ orthogonal_alignment(source, target)


def pairwise_error(estimate, truth):
    """max over pairs of | ||psi^_i - psi^_k|| - ||psi_i - psi_k|| |."""
    worst = 0.0
    for i in range(len(truth)):
        for k in range(len(truth)):
            a = np.linalg.norm(np.asarray(estimate[i]) - np.asarray(estimate[k]))
            b = np.linalg.norm(np.asarray(truth[i]) - np.asarray(truth[k]))
            worst = max(worst, abs(a - b))
    return worst


def gaussian_density(x, mean, covariance):
    """(2 pi)^(-d/2) det(Sigma)^(-1/2) exp(-(x - mu)' Sigma^{-1} (x - mu) / 2)."""
    residual = np.asarray(x) - np.asarray(mean)
    square = residual @ np.linalg.inv(covariance) @ residual
    return np.exp(-square / 2) / np.sqrt(np.linalg.det(2 * np.pi * np.asarray(covariance)))


def em_step(points, weights, means, covariances, floor):
    """One E and one M step of a Gaussian mixture: (mean log density before it, new weights, means, covariances)."""
    n, d, k = len(points), len(points[0]), len(weights)
    terms = [[weights[c] * gaussian_density(x, means[c], covariances[c]) for c in range(k)] for x in points]
    log_likelihood = sum(np.log(sum(row)) for row in terms) / n
    shares = [[term / sum(row) for term in row] for row in terms]
    new = []
    for c in range(k):
        count = sum(shares[i][c] for i in range(n))
        mean = sum(shares[i][c] * np.asarray(points[i]) for i in range(n)) / count
        residuals = [np.asarray(x) - mean for x in points]
        scatter = sum(shares[i][c] * np.outer(residuals[i], residuals[i]) for i in range(n)) / count
        new.append((count / n, mean, scatter + floor * np.eye(d)))
    return log_likelihood, *map(np.asarray, zip(*new, strict=True))
