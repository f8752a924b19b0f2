r"""G25-L44: layers that contract information shrink the generalization bound by eta^(L/2).

Setting. S = Z_1..Z_n iid D; W drawn from any channel of S. A network of L layers: channels K_1..K_L, which may depend
on w, that a point passes with fresh noise at every evaluation; f_w a loss at the last layer; g_w = K_1 ... K_L f_w the
loss of a point averaged over that noise, R(w) = E_D g_w, R_S(w) its mean over S.
Statement. |E[R(W) - R_S(W)]| <= exp(-(L/2) log(1/eta)) sqrt((2 sigma^2 / n) I(S; W)).
Hypotheses. Contraction: KL(Q K_l || P K_l) <= eta KL(Q || P) for all laws of the layer's input, all l and w. f_w is
sigma-sub-Gaussian under the law of the last layer when Z ~ D, for every w; range C gives sigma = C/2.
Constants. exp(-(L/2) log(1/eta)) = eta^(L/2), sharp: bits through symmetric channels, below.
Relation. Upper bound on the absolute value of a mean.
Reference. G25-L44 (confirmed) by the account we have; XR17; Bobkov, Goetze 1999; Ahlswede, Gacs 1976.

Derivation. Let K = K_1 ... K_L. For every law Q, |E_Q g - E_D g| = |E_QK f - E_DK f| <= sqrt(2 sigma^2 KL(QK || DK))
<= sqrt(2 sigma^2 eta^L KL(Q || D)), the first bound by Donsker and Varadhan under DK. So log E_D exp(t (g - E g)) =
sup_Q {t (E_Q g - E_D g) - KL(Q || D)} <= sup_x {|t| sqrt(2 sigma^2 eta^L x) - x} = sigma^2 eta^L t^2 / 2: g_w is
eta^(L/2) sigma-sub-Gaussian under D, and CL-XR for g_w is the statement. No step mixes the kernels of two w.
Sharp: for a symmetric channel that flips with probability e, eta = (1 - 2e)^2; with f = 1{w != z} the gap is
(1 - 2e)^L = eta^(L/2) times what it is without layers, and CL-XR is sharp for leaning bits.

Readings.
1. Noisy layers and contraction of KL, as above: holds. Any eta at least the least will do, such as Dobrushin's.
2. Deterministic layers: nothing contracts but a constant (G25-L44/deterministic), as two points with different images
   keep KL(delta_a || (delta_a + delta_b)/2) = log 2. Contraction of the information itself, and noise that W was
   trained with: G25-L44/information.
3. Contraction as a Lipschitz constant: G25-L44/lipschitz.
4. sigma of the averaged loss instead of the loss at the last layer: false (G25-L44/averaged-proxy), the contraction is
   counted twice.
5. E|R - R_S|: G25-L44/absolute. Points that share a prompt: G25-L44/marginal.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from proofs_checks import cases
from proofs_checks.claim import Check, Claim, Evidence, Hypothesis, Outcome, Setting, Witness
from proofs_checks.claims.cl_xr import BITS, gaps, samples, tilted
from proofs_checks.evidence.certified import Stored, counterexample
from proofs_checks.evidence.search import largest_ratio
from proofs_checks.evidence.symbolic import identity

SOURCE = "G25 (L44)"


@dataclass(frozen=True)
class Network:
    """A law of points, a sample size, layers (L, w, k, k), a loss at the last one (w, k), the channel to W, and eta."""

    law: np.ndarray
    n: int
    layers: np.ndarray
    loss: np.ndarray
    channel: Callable[[np.ndarray], np.ndarray]
    eta: float

    @property
    def averaged(self) -> np.ndarray:
        """The loss of a point averaged over the noise, (w, k)."""
        from dkps_theory.bounds.contraction import layered_loss

        return layered_loss(list(self.layers), self.loss)

    def gaps(self, *, copies: bool = False) -> tuple[float, float, float]:
        """E gen, E|gen| and I(S; W)."""
        return gaps(self.law, self.n, self.averaged, self.channel, copies=copies)


def bit_network(errors: tuple[float, ...], n: int, tilt: float, *, mirrored: bool = False) -> Network:
    """Fair bits through symmetric channels to a predictor that leans; mirrored: one predictor's last layer flips."""
    layers = np.array([[[[1 - e, e], [e, 1 - e]]] * 2 for e in errors])
    loss = BITS[1].copy()
    if mirrored:
        layers[-1, 1], loss[1] = layers[-1, 1, :, ::-1].copy(), loss[1, ::-1].copy()
    return Network(BITS[0], n, layers, loss, tilted(tilt), max((1 - 2 * e) ** 2 for e in errors))


def random_network(case) -> Network:
    """Layers of three letters that depend on w; eta is the largest of Dobrushin's coefficients."""
    from dkps_theory.bounds.contraction import dobrushin_coefficient

    law, n, depth, loss, seed, sharpness = case
    table = np.random.default_rng(seed)
    layers = table.dirichlet(np.full(3, 0.5), (depth, len(loss), 3))

    def channel(counts):
        scores = np.exp(sharpness * table.normal(size=(len(counts), len(loss))))
        return scores / scores.sum(axis=1, keepdims=True)

    # A channel that draws its table when asked would be another one each time.
    drawn = channel(samples(law, n)[1])
    eta = max(dobrushin_coefficient(kernel) for kernel in layers.reshape(-1, 3, 3))
    return Network(law, n, layers, loss, lambda counts: drawn[: len(counts)], eta)


def networks():
    """Return a hypothesis strategy of networks of one to three layers: random ones, and bits with sharp eta."""
    from hypothesis import strategies as st

    generic = st.tuples(
        cases.integer_laws(3),
        st.integers(1, 3),
        st.integers(1, 3),
        st.sampled_from([2, 3]).flatmap(lambda w: cases.integer_arrays(w, 3, 4)).map(lambda x: (x + 4) / 8),
        st.integers(0, 2**32 - 1),
        st.sampled_from([0.1, 1.0, 30.0]),
    ).map(random_network)
    bits = st.builds(
        bit_network,
        st.sampled_from([0.05, 0.125, 0.25]).flatmap(lambda e: st.integers(1, 3).map(lambda depth: (e,) * depth)),
        st.integers(1, 4),
        st.sampled_from([0.01, 0.1, 1.0]),
        mirrored=st.booleans(),
    )
    return st.one_of(generic, bits)


def described(network: Network) -> str:
    """Print a network."""
    return f"D = {network.law}, n = {network.n}, L = {len(network.layers)}, loss {network.loss.tolist()}"


def bound(network: Network, information: float, *, variance: float = 0.25, power: float = 0.5) -> float:
    """eta^(power L) sqrt(2 variance I / n)."""
    return network.eta ** (power * len(network.layers)) * math.sqrt(2 * variance * max(information, 0.0) / network.n)


def compared(subject, setting: Setting) -> Evidence:
    """|E gen| / bound: subject is sigma^2, the power of eta^L, and whether the points are copies of one."""
    variance, power, copies = subject

    def ratio(network):
        found, _, information = network.gaps(copies=copies)
        # Rounding moves I by 1e-16: below 1e-6 that is more than the tolerance of this search.
        limit = bound(network, information, variance=variance, power=power)
        return abs(found) / limit if information > 1e-6 else 0.0

    return largest_ratio(
        networks(),
        ratio,
        setting,
        says="|E gen| / (eta^(L/2) sqrt(2 sigma^2 I / n)), sigma = 1/2: up to three noisy layers that depend on w",
        quick=150,
        full=1500,
        describe=described,
    )


def _averaged(power: float, setting: Setting) -> Evidence:
    """Log moments of the averaged loss, log E exp(t (g - E g)), over sigma^2 eta^(2 power L) t^2 / 2."""
    from hypothesis import strategies as st

    def ratio(case):
        network, t = case
        limit = network.eta ** (2 * power * len(network.layers)) * t * t / 8
        centred = network.averaged - (network.averaged @ network.law)[:, None]
        # Rounding of the logarithm, 1e-16, is to stay below the tolerance.
        return float(np.log(np.exp(t * centred) @ network.law).max()) / limit if limit > 1e-6 else 0.0

    return largest_ratio(
        st.tuples(networks(), st.sampled_from([-20.0, -3.0, -0.5, 0.1, 1.0, 8.0])),
        ratio,
        setting,
        says="log E exp(t (g - E g)) / (sigma^2 eta^L t^2 / 2) of the averaged loss, sigma = 1/2, t from -20 to 8",
        quick=150,
        full=1500,
        describe=lambda case: f"{described(case[0])}, t = {case[1]}",
    )


def _sharp(squared: int):
    """Take a bit with P(W = Z) = (1 + x)/2 behind a symmetric channel: gap^2 and the bound's square to order x^2."""

    def sides():
        import sympy

        x, e, eta = sympy.symbols("x e eta", positive=True)
        depth = sympy.Symbol("L", positive=True)
        information = ((1 + x) * sympy.log(1 + x) + (1 - x) * sympy.log(1 - x)) / 2
        leading = sympy.series(information, x, 0, 3).removeO().coeff(x, 2)
        # With f = 1{w != z} the averaged loss is e or 1 - e, and the gap (1 - 2e) x/2.
        gap = ((1 - e) - e) / 2
        printed = sympy.exp(-(depth / 2) * sympy.log(1 / eta))
        return (
            "a leaning bit behind a symmetric channel attains the bound as x -> 0; exp(-(L/2) log(1/eta)) = eta^(L/2)",
            [
                (gap**2, (1 - 2 * e) ** squared * 2 * sympy.Rational(1, 4) * leading),
                (
                    sympy.expand_log(sympy.log(printed), force=True),
                    sympy.expand_log(depth * sympy.log(eta) / 2, force=True),
                ),
            ],
        )

    return sides


def maps(letters: int, noise: float):
    """Yield every map of the letters to themselves as a channel, mixed with this share of uniform noise."""
    for image in itertools.product(range(letters), repeat=letters):
        yield (1 - noise) * np.eye(letters)[list(image)] + noise / letters


def _contracting(noise: float, _: Setting) -> Evidence:
    """Look for a contracting channel that is not constant among all maps of up to four letters.

    Two rows of a map are equal or disjoint. If all are equal it is constant. Two disjoint rows keep the divergence of
    one letter from the mean of both, which is log 2 before and after: no eta below 1.
    """
    from dkps_theory.bounds.contraction import dobrushin_coefficient

    count, found = 0, []
    for letters in (2, 3, 4):
        for channel in maps(letters, noise):
            count += 1
            # Of 0 and 1 all sums are exact. A coefficient below 1 bounds eta; 0 says constant.
            found += [channel] if 0 < dobrushin_coefficient(channel) < 1 else []
    return Evidence(
        "certified",
        Outcome.INCONCLUSIVE if found else Outcome.VACATES,
        float(len(found)),
        0.0,
        "equal",
        f"of all {count} maps of up to four letters, {len(found)} are neither constant nor keep log 2 of two points",
        n=count,
    )


def contracts(kernel: np.ndarray, eta: float) -> bool:
    """Whether KL contracts by eta < 1: by (1 - 2e)^2 in symmetric channels of bits, in others by Dobrushin's."""
    from dkps_theory.bounds.contraction import dobrushin_coefficient

    symmetric = kernel.shape == (2, 2) and np.array_equal(kernel, kernel[::-1, ::-1])
    return 0 < eta < 1 and dobrushin_coefficient(kernel) ** (2 if symmetric else 1) <= eta + 1e-12


_NOISY = Hypothesis(
    "KL contracts by eta < 1 in every layer, for every w",
    lambda w: all(contracts(kernel, w.eta) for kernel in np.concatenate(w.layers)),
)
_IN_RANGE = Hypothesis(
    "the loss at the last layer lies in [0, 1], so sigma = 1/2", lambda w: bool(w.loss.min() >= 0 and w.loss.max() <= 1)
)
_IID = Hypothesis("S is n independent draws of D", lambda w: abs(samples(w.law, w.n)[0].sum() - 1) < 1e-12)
HYPOTHESES = (_NOISY, _IN_RANGE, _IID)
WITNESS = Witness(
    "five fair bits, two layers that flip a bit with probability 1/8, a predictor that leans towards the majority",
    lambda: bit_network((0.125, 0.125), 5, 0.5),
    lambda w: w.gaps()[0] > 0 and w.gaps()[2] > 0,
)


#: What the certificates compare: the square of the (absolute) gap, and k times that of the bound with log 2 < "log2".
_AVERAGED = ("matmul", "loss", ("T", "layer"))
_GAP = ("-", ("matmul", ("matmul", _AVERAGED, ("T", "D")), "ones"), _AVERAGED)
_MEAN = ("sum", ("multiply", "joint", ("multiply", "sign", _GAP)))
_MARGINS = (("entropy_bits", ("matmul", "joint", ("T", "ones"))), ("entropy_bits", ("matmul", "each", "joint")))
_NATS = ("*", "log2", ("-", ("+", *_MARGINS), ("entropy_bits", "joint")))
STORED = {
    "observed": ("*", _MEAN, _MEAN),
    "claimed": ("*", "k", ("/", ("*", ("*", "eta", ("*", "2", "sigma2")), _NATS), "n")),
    "relation": "upper",
}

CLAIMS = (
    Claim(
        id="G25-L44",
        title="Noisy layers shrink the information bound by the root of their contraction",
        source=SOURCE,
        form="as-printed",
        reading="layers are channels with fresh noise, eta contracts KL; sigma of the loss at the last layer; |E gen|",
        statement=r"|\mathbb E[R(W)-R_S(W)]|\le e^{-\frac L2\log\frac1\eta}\sqrt{\frac{2\sigma^2}{n}I(S;W)}",
        hypotheses=HYPOTHESES,
        witness=WITNESS,
        checks=(
            Check("worlds", compared, (0.25, 0.5, False), (0.25, 1.0, False), "eta^L instead of eta^(L/2)"),
            Check("proxy", compared, (0.25, 0.5, False), (0.125, 0.5, False), "sigma^2 halved"),
            Check("independence", compared, (0.25, 0.5, False), (0.25, 0.5, True), "the n draws are copies of one"),
            Check("averaged-loss", _averaged, 0.5, 1.0, "eta^(2L) instead of eta^L"),
            Check("sharp", identity, _sharp(2), _sharp(1), "Dobrushin's 1 - 2e for the contraction (1 - 2e)^2"),
        ),
        recorded="holds",
    ),
    Claim(
        id="G25-L44/deterministic",
        title="A deterministic network contracts relative entropy",
        source=SOURCE,
        form="as-printed",
        reading="layers are maps of the previous layer, eta contracts KL, as in reading 1",
        statement=r"\mathrm{KL}(QT\|PT)\le\eta\,\mathrm{KL}(Q\|P)\ \forall P,Q,\quad \eta<1,\quad T\text{ a map}",
        hypotheses=(
            Hypothesis("the layer is a map that is not constant, and contracts KL by eta < 1", lambda _: False),
        ),
        witness=None,
        no_witness="a map that is not constant keeps KL = log 2 of a point and the mean of two points it tells apart; "
        "after a constant map no loss depends on the data",
        checks=(Check("every-map", _contracting, 0.0, 0.25, "a quarter of uniform noise"),),
        recorded="vacuous",
        repair="G25-L44/information",
    ),
    Claim(
        id="G25-L44/averaged-proxy",
        title="sigma may be that of the loss averaged over the layers' noise",
        source=SOURCE,
        form="reconstructed",
        reading="sigma of g_w, which has been through the layers already",
        statement=r"|\mathbb E[R(W)-R_S(W)]|\le\eta^{L/2}\sqrt{\frac{2\sigma_g^2}{n}I(S;W)}",
        hypotheses=HYPOTHESES,
        witness=WITNESS,
        checks=(
            Check(
                "one-bit",
                counterexample,
                Stored("g25-l44-averaged-proxy", **STORED),
                Stored("g25-l44-averaged-proxy", **STORED, replaced={"k": "4"}),
                "four times that sigma^2, which is that of the loss at the last layer",
            ),
        ),
        recorded="refuted",
        repair="G25-L44",
    ),
)
