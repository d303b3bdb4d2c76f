"""A stack with protected resources is destroyed in two steps, so that nobody does it by mistake."""

from __future__ import annotations

from ops.engine.stack import OpenStack
from ops.errors import Refused
from ops.review.events import short_type


def refuse_protected(opened: OpenStack) -> None:
    """Let nothing start that the engine would give up half-way.

    Raises:
        Refused: the state holds protected resources; the text lists them and the two steps.
    """
    protected = [
        resource for resource in opened.state().get("resources", []) if resource.get("protect")
    ]
    if not protected:
        return
    listed = "\n".join(
        f"  {short_type(resource['type'])}  {resource['urn'].rpartition('::')[2]}"
        for resource in protected
    )
    if opened.cloud:
        steps = "Add --lift-protection: an up without protection then comes first."
    else:
        steps = (
            f"First set 'pull:protect: false' in Pulumi.{opened.name}.yaml in a reviewed "
            "change and run up; then run destroy again."
        )
    raise Refused(
        "protected",
        f"{len(protected)} resources of {opened.name} are protected; nothing was deleted:\n"
        f"{listed}\n{steps}",
        resources=[resource["urn"] for resource in protected],
    )


def lift(opened: OpenStack) -> None:
    """The first step: an ``up`` of a stack whose settings say that nothing is protected.

    Raises:
        Refused: that ``up`` failed.
    """
    outcome = opened.up()
    if not outcome.succeeded:
        messages = "\n".join(item.message for item in outcome.diagnostics)
        raise Refused("engine", f"Lifting the protection failed:\n{messages}")
