"""``verify`` as a user types it: listing, selection, exit codes, JSON by its schema, the page."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest

from dkps_theory.cli import main
from proofs_checks import registry
from proofs_checks.census import schema

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
