"""The pack under the real engine: both stacks, previews and updates, and what it stops."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from policies.graph import StackRule
from policies.rules import RULES
from tests import policy_harness as harness
from tests.policy_harness import ROOT

PACK: Final = ROOT / "policies"


@pytest.mark.parametrize("stack", ["production", "staging"])
def test_a_clean_stack_passes_its_preview_and_its_update(stack: str, tmp_path: Path) -> None:
    """And the engine says that every rule was asked."""
    config = PACK / f"config.{stack}.json"
    off = harness.disabled(stack)
    for run in harness.run(stack, tmp_path, PACK, config, "preview", "up"):
        assert run.succeeded, run.words
        assert not run.violations()
        resource_rules, stack_rules = run.judged()
        assert stack_rules >= {one.id for one in RULES if isinstance(one, StackRule)} - off
        asked = {one.id for one in RULES if not isinstance(one, StackRule)} - off
        assert resource_rules >= asked


def test_without_a_configuration_a_stack_is_held_to_production(tmp_path: Path) -> None:
    """The environment comes from nowhere else, so that staging cannot pass for production."""
    (run,) = harness.run("staging", tmp_path, PACK, None, "preview")
    assert not run.succeeded
    found = {violation["policyName"] for violation in run.violations()}
    assert {"runbook-names", "runbook-environment", "runbook-postgres", "kms-protected"} <= found
    assert all(one["enforcementLevel"] == "mandatory" for one in run.violations())
    (run,) = harness.run("production", tmp_path, PACK, None, "preview")
    assert run.succeeded, run.words


def test_production_cannot_be_had_with_the_rules_of_staging(tmp_path: Path) -> None:
    config = PACK / "config.staging.json"
    (run,) = harness.run("production", tmp_path, PACK, config, "preview")
    assert not run.succeeded
    found = {violation["policyName"] for violation in run.violations()}
    assert found == {"runbook-names", "runbook-environment", "runbook-addresses"}
