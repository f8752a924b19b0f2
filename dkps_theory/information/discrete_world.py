r"""A finite world of the reverse-bottleneck process: every quantity of G25's bounds by enumeration, in nats.

The process and its variables are those of :mod:`dkps_theory.information.reverse_bottleneck`. S_anchor, e_M, g, M, eps
and S_gen are samples: tuples, one entry for each point; the letters of the other variables are anything hashable.
Answers add as whole numbers or fractions, or modulo a whole number k.

Because the world is finite, every claimed relation is checked when a world is made: which variables are functions of
which, that the points of each sample are iid given what the process says they are, and the chains

    S_anchor - p - (e_p, e_M, eps),   p - e_p - e_M,   (e_p, e_M) - p - eps,
    all but W - S_gen - W,            all but W_anchor - S_anchor - W_anchor.

With probabilities and losses that are fractions, so are risks, errors and total variations, and ``world.law.enclosure``
has certified information quantities.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, final

import numpy as np

from dkps_theory._validate import InputError, require, shown, whole_number
from dkps_theory.bounds.generalization import Number
from dkps_theory.information import _world_parts as parts
from dkps_theory.information._atoms import finite_number
from dkps_theory.information.joint_law import JointLaw
from dkps_theory.information.reverse_bottleneck import ReverseBottleneckWorld

#: A law: probabilities of the letters 0..k-1, or letter -> probability.
Law = Mapping[Hashable, Number] | Sequence[Number] | np.ndarray
#: A channel: a function of a letter, a mapping from letters, or a table with a row for each letter. What it gives is a
#: list, an array or a mapping, which is a law, or anything else, which is the letter that comes out.
Channel = Callable[[Any], Any] | Mapping[Any, Any] | Sequence[Any] | np.ndarray
Loss = Callable[[Any, Any], Number]

_SHARED = ("p", "e_p")  # all that the points of one S_gen share


@final
@dataclass(frozen=True, eq=False)
class DiscreteWorld(ReverseBottleneckWorld):
    """A joint law of the process, checked, with the loss that training is judged by.

    Parameters
    ----------
    law
        Joint law of S_anchor, p, e_p, h, e_M, g, M, eps, S_gen, W and W_anchor. A sample of one point may be that
        point instead of a tuple.
    modulus
        k when answers add modulo k; h, g, M and S_gen then lie in 0..k-1.
    loss
        l(w, z) for letters w of W and W_anchor and data letters z; None for a world without a learning side.

    Raises
    ------
    InputError
        When the law lacks a variable or breaks a relation of the process; the message says which. Later, where the loss
        gives no finite number.

    Notes
    -----
    Source: G25 (arXiv:2410.01720), generation as confirmed, factors (D41) as reconstructed.

    Examples
    --------
    Two fair bits, one from the prompt and one from the model, and a learner that keeps their exclusive or: I(S_gen; W)
    is log 2 although neither factor alone says anything about W.

    >>> world = DiscreteWorld.build(
    ...     data_law=[0.5, 0.5], prompt=lambda s: s[0], model_factor=[0.5, 0.5], g=lambda e: 2 * e,
    ...     training=lambda s: s[0] % 2 ^ s[0] // 2,
    ... )
    >>> log_2 = float(np.log(2))
    >>> round(world.synthetic_information / log_2, 9), round(abs(world.b_syn), 9)
    (1.0, 0.0)
    >>> round(world.information_gain / world.model_entropy, 9), round(world.least_delta / log_2, 9)
    (1.0, 1.0)
    """

    law: JointLaw
    modulus: int | None = None
    loss: Loss | None = None

    def __post_init__(self) -> None:
        if self.modulus is not None:
            whole_number("modulus", self.modulus, 1)
        parts.check_law(self.law, self.modulus)
        known = self.loss is None or callable(self.loss)
        require(known, f"loss: got {shown(self.loss)}; it must be a function l(w, z), or None")

    @classmethod
    def build(
        cls,
        *,
        data_law: Law,
        training: Channel,
        anchors: int = 1,
        prompt: Channel = lambda sample: sample,
        prompt_factor: Channel = lambda p: p,
        h: Channel = lambda e: e,
        model_factor: Law | Channel = (1,),
        g: Channel = lambda e: e,
        curation: Law | Channel = (1,),
        synthetic: int = 1,
        modulus: int | None = None,
        anchor_training: Channel | None = None,
        loss: Loss | np.ndarray | Sequence[Sequence[Number]] | None = None,
    ) -> DiscreteWorld:
        """Return the world of these parts.

        Parameters
        ----------
        data_law
            D, the law of one anchor point.
        training, anchor_training
            Channels of the tuples S_gen and S_anchor to W and W'. Without the second, W' comes from the same one.
        anchors, synthetic
            m and n, at least 1.
        prompt
            Channel of the tuple S_anchor to p; by default p is the sample.
        prompt_factor
            Channel of p to e_p; by default e_p = p.
        h, g
            Functions of e_p and of one point's e_M, with values that are whole numbers or fractions; by default the
            identity.
        model_factor
            Law of one point's e_M, or for dependent factors a channel of e_p; by default 0.
        curation
            Law of one point's eps, or a channel of p; by default 0.
        modulus
            k when answers add modulo k.
        loss
            A function l(w, z), or a table (w, z) for letters that are whole numbers from 0.

        Raises
        ------
        InputError
            When a law is no law, a channel lacks a letter or a row, or answers are not numbers that add exactly.
        """
        m, n = whole_number("anchors", anchors, 1), whole_number("synthetic", synthetic, 1)
        k = None if modulus is None else whole_number("modulus", modulus, 1)
        law = JointLaw.independent(S_anchor=parts.iid(parts.read_law("data_law", data_law), m))
        law = parts.then(law, "p", "S_anchor", prompt, "prompt")
        law = parts.then(law, "e_p", "p", prompt_factor, "prompt_factor")
        h_of = parts.read_function("h", h, parts.letters_of(law, "e_p"), k)
        law = law.derive("h", "e_p", lambda e: h_of[e])
        law = parts.then(law, "e_M", "e_p", model_factor, "model_factor", size=n)
        factors = dict.fromkeys(e for (sample,), _ in parts.atoms(law, "e_M") for e in parts.points(sample))
        g_of = parts.read_function("g", g, list(factors), k)
        law = law.derive("g", "e_M", lambda sample: tuple(g_of[e] for e in sample))
        law = law.derive("M", ("h", "g"), lambda shift, sample: parts.added(sample, (shift,) * n, k))
        law = parts.then(law, "eps", "p", curation, "curation", size=n)
        law = law.derive("S_gen", ("M", "eps"), lambda answers, noise: parts.added(answers, noise, k))
        law = parts.then(law, "W", "S_gen", training, "training")
        again = ("training", training) if anchor_training is None else ("anchor_training", anchor_training)
        law = parts.then(law, "W_anchor", "S_anchor", again[1], f"{again[0]} on the anchors")
        return cls(law, k, loss if loss is None or callable(loss) else parts.table_loss(loss))

    @property
    def anchors(self) -> int:
        """m, the number of anchor points."""
        return len(parts.points(parts.letters_of(self.law, "S_anchor")[0]))

    @property
    def synthetic(self) -> int:
        """n, the number of synthetic points."""
        return len(parts.points(parts.letters_of(self.law, "S_gen")[0]))

    @property
    def data_law(self) -> dict[Hashable, Number]:
        """D: data letter -> probability."""
        return self._one_point("S_anchor", ())[()]

    def answer_laws(self, *, given_prompt: bool = True) -> dict[tuple[Hashable, ...], dict[Hashable, Number]]:
        """D_M, the law of one answer: by (p, e_p), or under the key () the marginal one."""
        return self._one_point("M", _SHARED if given_prompt else ())

    def synthetic_laws(self, *, given_prompt: bool = True) -> dict[tuple[Hashable, ...], dict[Hashable, Number]]:
        """D_gen, the law of one point of S_gen: by (p, e_p), or under the key () the marginal one."""
        return self._one_point("S_gen", _SHARED if given_prompt else ())

    @property
    def loss_range(self) -> Number:
        """C, the range of the loss over the letters of W and W_anchor and over all data, answers and curated points."""
        laws = (self.data_law, self.answer_laws(given_prompt=False)[()], self.synthetic_laws(given_prompt=False)[()])
        points = {z for law in laws for z in law}
        learned = {*parts.letters_of(self.law, "W"), *parts.letters_of(self.law, "W_anchor")}
        losses = [self._loss(w, z) for w in learned for z in points]
        return max(losses) - min(losses)

    def tv_model(self, *, given_prompt: bool = True) -> Number:
        """TV(D, D_M), its mean over (p, e_p) or of the marginal law of an answer."""
        answers = self.answer_laws(given_prompt=given_prompt)
        return self._mean_variation(dict.fromkeys(answers, self.data_law), answers)

    def tv_curation(self, *, given_prompt: bool = True) -> Number:
        """TV(D_M, D_gen), its mean over (p, e_p) or of the marginal laws."""
        return self._mean_variation(*(f(given_prompt=given_prompt) for f in (self.answer_laws, self.synthetic_laws)))

    def tv_direct(self, *, given_prompt: bool = True) -> Number:
        """TV(D, D_gen), its mean over (p, e_p) or of the marginal law of a point."""
        points = self.synthetic_laws(given_prompt=given_prompt)
        return self._mean_variation(dict.fromkeys(points, self.data_law), points)

    @property
    def true_risk(self) -> Number:
        """E R_D(W)."""
        return self._true_risk("W")

    def generated_risk(self, *, given_prompt: bool = True) -> Number:
        """E R_gen(W), with R_gen(w) = E l(w, Z) under D_gen given (p, e_p) or under the marginal one."""
        laws, names = self.synthetic_laws(given_prompt=given_prompt), _SHARED if given_prompt else ()
        return self.law.expectation(lambda w, *key: self._risk(w, laws[key]), "W", *names)

    @property
    def empirical_risk(self) -> Number:
        """E R^_gen(W), the mean loss of W on S_gen."""
        return self._empirical_risk("S_gen", "W")

    @property
    def absolute_generalization_error(self) -> Number:
        """E|R_D(W) - R^_gen(W)|."""
        return self._absolute_error("S_gen", "W", {(): self.data_law}, ())

    def absolute_generated_error(self, *, given_prompt: bool = True) -> Number:
        """E|R_gen(W) - R^_gen(W)|."""
        laws = self.synthetic_laws(given_prompt=given_prompt)
        return self._absolute_error("S_gen", "W", laws, _SHARED if given_prompt else ())

    @property
    def anchor_true_risk(self) -> Number:
        """E R_D(W')."""
        return self._true_risk("W_anchor")

    @property
    def anchor_empirical_risk(self) -> Number:
        """E R^_anchor(W'), the mean loss of W' on S_anchor."""
        return self._empirical_risk("S_anchor", "W_anchor")

    @property
    def absolute_anchor_generalization_error(self) -> Number:
        """E|R_D(W') - R^_anchor(W')|."""
        return self._absolute_error("S_anchor", "W_anchor", {(): self.data_law}, ())

    def _one_point(self, sample: str, given: tuple[str, ...]) -> dict[tuple[Hashable, ...], dict[Hashable, Number]]:
        """Law of the first point, the same as of every other, by the letters of ``given``."""
        return parts.conditional(self.law, sample, given, lambda letter: parts.points(letter)[0])

    def _mean_variation(self, first: dict, second: dict) -> Number:
        names = () if () in first else _SHARED
        return self.law.expectation(lambda *key: parts.variation(first[key], second[key]), *names)

    def _loss(self, w: Hashable, z: Hashable) -> Number:
        if self.loss is None:
            raise InputError("loss: this world has none; give one to have risks and errors")
        value = self.loss(w, z)
        number = finite_number(value)
        if number is None:
            raise InputError(f"loss at w = {shown(w)}, z = {shown(z)}: got {shown(value)}; it must be a finite number")
        return number

    def _risk(self, w: Hashable, law: dict[Hashable, Number]) -> Number:
        return sum(weight * self._loss(w, z) for z, weight in law.items())

    def _mean_loss(self, w: Hashable, sample: Hashable) -> Number:
        points = parts.points(sample)
        total = sum(self._loss(w, z) for z in points)
        return (Fraction(total) if isinstance(total, numbers.Rational) else total) / len(points)

    def _true_risk(self, learned: str) -> Number:
        law = self.data_law
        return self.law.expectation(lambda w: self._risk(w, law), learned)

    def _empirical_risk(self, sample: str, learned: str) -> Number:
        return self.law.expectation(self._mean_loss, learned, sample)

    def _absolute_error(self, sample: str, learned: str, laws: dict, names: tuple[str, ...]) -> Number:
        def error(w: Hashable, s: Hashable, *key: Hashable) -> Number:
            return abs(self._risk(w, laws[key]) - self._mean_loss(w, s))

        return self.law.expectation(error, learned, sample, *names)
