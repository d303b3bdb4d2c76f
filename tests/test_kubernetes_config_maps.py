"""The five ConfigMaps in the cluster."""

from __future__ import annotations

from components.names import Names
from components.runtime_config import config_maps
from tests.recorder import estate, settings


def test_the_five_with_every_key() -> None:
    recording = estate(runtime="kubernetes")
    config = config_maps(settings(), Names("production"))
    held = {
        "shared": config.shared,
        "api": config.api,
        "worker": config.worker,
        "redis": config.redis,
        "observability": config.observability,
    }
    assert len(recording.of_type("kubernetes:core/v1:ConfigMap")) == len(held)
    for short, values in held.items():
        config_map = recording[f"config-maps-{short}"]
        assert config_map.inputs == {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"pull-{short}-config",
                "namespace": "pull",
                "labels": {"app.kubernetes.io/part-of": "pull"},
                "annotations": {"pulumi.com/patchForce": "true"},
            },
            "data": values,
        }
        assert "namespace-account-pull-secrets-sa" in config_map.waits_for
    assert recording["config-maps-api"].inputs["data"]["PORT"] == "3001"
    assert recording["config-maps-worker"].inputs["data"]["PORT"] == "3002"
