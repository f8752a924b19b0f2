"""``verify`` as a user types it: listing, selection, exit codes, JSON by its schema, the page."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest

from dkps_theory.cli import main
from proofs_checks import registry, seeds
from proofs_checks.census import bound_slack, false_verdict, least_slack, schema
from proofs_checks.claim import Evidence, Judgement, Outcome
from proofs_checks.evidence.monte_carlo import coverage

CHEAP = "A24-R1"


def test_list_shows_every_claim_and_judges_none(capsys):
    assert main(["verify", "--list"]) == 0
    listed = capsys.readouterr().out
    assert all(claim_id in listed for claim_id in registry.all_claims())


def test_globs_select_in_registry_order():
    assert [claim.id for claim in registry.select(["A24-R1*"])] == ["A24-R1", "A24-R1/repaired"]
    assert len(registry.select([])) == len(registry.all_claims())


def test_unknown_claim_names_the_nearest_one(capsys):
    assert main(["verify", "A25-DEG"]) == 2
    message = capsys.readouterr().err
    assert "unknown claim 'A25-DEG'; did you mean 'A25-DEF'?" in message
    assert len(message.strip().splitlines()) == 1


def test_json_is_valid_and_the_page_is_self_contained(tmp_path, capsys):
    assert main(["verify", CHEAP, "--json", str(tmp_path / "v.json"), "--html", str(tmp_path / "v.html")]) == 0
    document = json.loads((tmp_path / "v.json").read_text())
    jsonschema.validate(document, schema())
    (claim,) = document["claims"]
    assert (claim["verdict"], claim["recorded"], claim["repair"]) == ("refuted", "refuted", "A24-R1/repaired")
    assert claim["evidence"][0]["teeth"] is True
    page = (tmp_path / "v.html").read_text()
    assert "<math" in page
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "refuted" in capsys.readouterr().out


def test_a_recorded_verdict_changed_by_hand_exits_1(monkeypatch, capsys):
    claims = dict(registry.all_claims())
    claims[CHEAP] = dataclasses.replace(claims[CHEAP], recorded="holds")
    monkeypatch.setattr(registry, "all_claims", lambda: claims)
    assert main(["verify", CHEAP]) == 1
    assert "recorded holds, found refuted" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_runs(option, tmp_path, capsys):
    assert main(["verify", CHEAP, option, str(tmp_path)]) == 2
    (tmp_path / "file").write_text("kept")
    assert main(["verify", CHEAP, option, str(tmp_path / "file" / "v")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "kept"


def test_the_page_shows_certificates_derivations_slack_and_error_rates(tmp_path):
    assert main(["verify", "CL-CENTRE*", "DK-M8/one", "DK-M8/golden", "--html", str(tmp_path / "v.html")]) == 0
    page = (tmp_path / "v.html").read_text()
    assert page.count("Setting, constants and derivation") == 2
    assert "Certificate of four-models" in page
    assert "sum_squares(" in page
    assert "classical lemmas" in page
    assert 'id="slack-' in page
    assert "probability that chance turned a verdict" in page
    assert 'href="#claim-DK-M8--golden"' in page
    assert 'id="claim-DK-M8--golden"' in page


def test_the_chance_of_a_false_verdict_counts_what_could_refute():
    refuting = made_up(kind="monte-carlo", alpha=1e-9)
    illustrating, searching = made_up(kind="monte-carlo", alpha=1.0), made_up(kind="search", alpha=0.0)
    claim = registry.find(CHEAP)
    judgement = Judgement(claim, "refuted", (refuting, refuting, illustrating, searching), (), 0.0)
    assert false_verdict([judgement, judgement]) == pytest.approx(4e-9)


def test_slack_is_that_of_bounds_and_no_ratio_of_coverages():
    measured, counted = coverage(99, 100, "made up", slack=700.0), coverage(99, 100, "made up")
    assert bound_slack(measured) == 700
    assert bound_slack(counted) is None
    assert least_slack([counted, measured, made_up(kind="search", slack=800.0)]) == 700


def made_up(**fields):
    return Evidence(outcome=Outcome.SUPPORTS, observed=0.0, claimed=1.0, relation="upper", detail="made up", **fields)


def test_many_seeds_are_summed_up_and_a_verdict_that_differs_is_named(tmp_path, monkeypatch, capsys):
    path = tmp_path / "deep" / "seeds.json"
    assert seeds.main(["--seeds", "2", "--json", str(path), CHEAP]) == 0
    document = json.loads(path.read_text())
    assert (document["seeds"], document["different"], document["claims"]) == ([1, 2], [], 1)
    claims = dict(registry.all_claims())
    claims[CHEAP] = dataclasses.replace(claims[CHEAP], recorded="holds")
    monkeypatch.setattr(registry, "all_claims", lambda: claims)
    assert seeds.main(["--seeds", "1", "--json", str(path), CHEAP]) == 1
    assert json.loads(path.read_text())["different"][0]["claim"] == CHEAP
    assert f"not as recorded: {CHEAP}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--seeds", "0", CHEAP], "it must be at least 1"), (["A25-DEG"], "did you mean 'A25-DEF'?")],
)
def test_seeds_refuses_wrong_input_in_one_line(arguments, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        seeds.main([*arguments, "--json", str(tmp_path / "seeds.json")])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "seeds.json").exists()
