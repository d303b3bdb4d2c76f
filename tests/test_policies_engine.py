"""The pack in the real engine: previews and updates of both stacks, and what it rejects."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from policies.framework.graph import StackRule
from policies.rules import RULES
from tests import policy_harness as harness
from tests.policy_harness import ROOT

PACK: Final = ROOT / "policies"


@pytest.mark.parametrize("stack", ["production", "staging"])
def test_a_clean_stack_passes_its_preview_and_its_update(stack: str, tmp_path: Path) -> None:
    """The engine reports that every rule was evaluated."""
    config = PACK / f"config.{stack}.json"
    off = harness.disabled(stack)
    for run in harness.run(stack, tmp_path, PACK, config, "preview", "up"):
        assert run.succeeded, run.error
        assert not run.violations()
        resource_rules, stack_rules = run.evaluated()
        assert stack_rules >= {rule.id for rule in RULES if isinstance(rule, StackRule)} - off
        expected = {rule.id for rule in RULES if not isinstance(rule, StackRule)} - off
        assert resource_rules >= expected


def test_without_a_configuration_production_rules_apply(tmp_path: Path) -> None:
    """The environment has no other source, so staging cannot pass as production."""
    (run,) = harness.run("staging", tmp_path, PACK, None, "preview")
    assert not run.succeeded
    found = {violation["policyName"] for violation in run.violations()}
    assert {"runbook-names", "runbook-environment", "runbook-postgres", "kms-protected"} <= found
    assert all(violation["enforcementLevel"] == "mandatory" for violation in run.violations())
    (run,) = harness.run("production", tmp_path, PACK, None, "preview")
    assert run.succeeded, run.error


def test_production_fails_with_the_configuration_of_staging(tmp_path: Path) -> None:
    config = PACK / "config.staging.json"
    (run,) = harness.run("production", tmp_path, PACK, config, "preview")
    assert not run.succeeded
    found = {violation["policyName"] for violation in run.violations()}
    assert found == {
        rule.id
        for rule in RULES
        if "environment" in rule.settings
        and rule.id not in ("stack-cluster-consistent", "stack-policies-enforced")
    }, "every rule about the environment, except those about a cluster and about Pulumi Cloud"
