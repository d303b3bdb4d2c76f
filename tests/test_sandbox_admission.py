"""What the sandbox rejects as an API server does; ``tests/test_cluster.py`` asks a real server."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from sandbox.cloud import ApiError, Cloud
from sandbox.schema import check, schema_of

GOOD: Final[dict[str, dict[str, Any]]] = {
    manifest["kind"]: manifest
    for manifest in yaml.safe_load_all("""\
apiVersion: v1
kind: Namespace
metadata: {name: admission}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: admission}
value: 1000000000
preemptionPolicy: Never
---
apiVersion: v1
kind: ConfigMap
metadata: {name: admission, namespace: default}
data: {A_KEY.x-1: value}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: admission
  namespace: default
  labels: {app.kubernetes.io/name: api, empty: ""}
  annotations: {pull.com/checksum: any text}
spec:
  replicas: 0
  selector: {matchLabels: {app: api}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: api}}
    spec:
      terminationGracePeriodSeconds: 20
      securityContext: {seccompProfile: {type: RuntimeDefault}}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: topology.kubernetes.io/zone
          whenUnsatisfiable: DoNotSchedule
          nodeTaintsPolicy: Honor
          labelSelector: {matchLabels: {app: api}}
      containers:
        - name: api
          image: api:1
          env: [{name: A, value: a}, {name: B.b-b, value: b}]
          ports:
            - {name: http, containerPort: 3001, protocol: TCP}
            - {name: metrics, containerPort: 9090, protocol: TCP}
          resources: {requests: {cpu: 500m, memory: 0.5Gi}, limits: {cpu: "1", memory: 1e9}}
          livenessProbe: {httpGet: {path: /, port: http}}
          lifecycle: {preStop: {sleep: {seconds: 20}}}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes: [{name: tmp, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: admission, namespace: default}
spec:
  type: ClusterIP
  selector: {app: api}
  ports: [{name: http, port: 80, targetPort: http}, {name: more, port: 81, targetPort: 9090}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: admission, namespace: default}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  minReplicas: 4
  maxReplicas: 4
  metrics:
    - type: External
      external:
        metric: {name: "prometheus.googleapis.com|depth|gauge"}
        target: {type: AverageValue, averageValue: "50"}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: admission, namespace: default}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: api}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: admission, namespace: default}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: admission, namespace: default}
spec:
  rules:
    - host: api.pull.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: api, port: {name: http}}}
""")
}

_POD: Final = "spec.template.spec"
_CONTAINER: Final = f"{_POD}.containers.0"
_SPREAD: Final = f"{_POD}.topologySpreadConstraints.0"

_CHANGES: Final[tuple[tuple[str, str, Any], ...]] = (
    ("Namespace", "metadata.name", "a.b"),
    ("PriorityClass", "value", 1_000_000_001),
    ("PriorityClass", "preemptionPolicy", "Sometimes"),
    ("ConfigMap", "data", {"A KEY": "value"}),
    ("Deployment", "metadata.name", "Api"),
    ("Deployment", "metadata.labels", {"-app": "api"}),
    ("Deployment", "metadata.labels", {"app": "an api"}),
    ("Deployment", "metadata.labels", {"app": "a" * 64}),
    ("Deployment", "metadata.annotations", {"a b": ""}),
    ("Deployment", "spec.replicas", -1),
    ("Deployment", "spec.selector.matchLabels", {"app": "web"}),
    ("Deployment", "spec.strategy.rollingUpdate.maxSurge", 0),
    ("Deployment", f"{_POD}.restartPolicy", "Never"),
    ("Deployment", f"{_POD}.terminationGracePeriodSeconds", 19),
    ("Deployment", f"{_POD}.securityContext.seccompProfile.type", "Default"),
    ("Deployment", f"{_SPREAD}.maxSkew", 0),
    ("Deployment", f"{_SPREAD}.whenUnsatisfiable", "Never"),
    ("Deployment", f"{_SPREAD}.nodeTaintsPolicy", "Maybe"),
    ("Deployment", f"{_CONTAINER}.image", ""),
    ("Deployment", f"{_CONTAINER}.env.1.name", "A"),
    ("Deployment", f"{_CONTAINER}.env.1.name", "B=b"),
    ("Deployment", f"{_CONTAINER}.ports.1.name", "http"),
    ("Deployment", f"{_CONTAINER}.ports.1.name", "metrics-of-a-pod"),
    ("Deployment", f"{_CONTAINER}.ports.1.containerPort", 3001),
    ("Deployment", f"{_CONTAINER}.ports.1.containerPort", 65536),
    ("Deployment", f"{_CONTAINER}.resources.limits.memory", "4GB"),
    ("Deployment", f"{_CONTAINER}.livenessProbe", {"periodSeconds": 1}),
    ("Deployment", f"{_CONTAINER}.livenessProbe.tcpSocket", {"port": 1}),
    ("Deployment", f"{_CONTAINER}.livenessProbe.httpGet.port", 0),
    ("Deployment", f"{_CONTAINER}.volumeMounts.0.name", "other"),
    ("Deployment", "spec.selector", {}),
    ("Deployment", "spec.strategy", {"type": "Canary"}),
    ("Deployment", f"{_CONTAINER}.name", "an api"),
    ("Deployment", f"{_CONTAINER}.imagePullPolicy", "Sometimes"),
    ("Deployment", f"{_CONTAINER}.resources.requests.cpu", "2"),
    ("Deployment", f"{_CONTAINER}.resources.requests.memory", "1Gi"),
    ("Deployment", f"{_CONTAINER}.livenessProbe.successThreshold", 2),
    ("Deployment", f"{_CONTAINER}.livenessProbe.periodSeconds", -1),
    ("Deployment", f"{_CONTAINER}.livenessProbe.timeoutSeconds", -1),
    ("Deployment", f"{_CONTAINER}.livenessProbe.initialDelaySeconds", -1),
    ("Deployment", f"{_POD}.volumes.0.name", "TMP"),
    ("Ingress", "spec.rules.0.http.paths.0.pathType", "Regex"),
    ("ConfigMap", "data", {"large": "x" * 2**21}),
    ("Service", "metadata.name", "1api"),
    ("Service", "metadata.name", "a.b"),
    ("Service", "spec.type", "Cluster"),
    ("Service", "spec.ports.0.port", 0),
    ("Service", "spec.ports.0.targetPort", 65536),
    ("Service", "spec.ports.1.name", "http"),
    ("Service", "spec.ports.1.name", ""),
    ("Service", "spec.ports.1.port", 80),
    ("HorizontalPodAutoscaler", "spec.minReplicas", 0),
    ("HorizontalPodAutoscaler", "spec.minReplicas", 5),
    ("HorizontalPodAutoscaler", "spec.metrics.0.external.metric.name", "custom/depth"),
    ("PodDisruptionBudget", "spec.minAvailable", 1),
    ("NetworkPolicy", "spec.policyTypes.0", "Out"),
    ("NetworkPolicy", "spec.egress.0.to.0.ipBlock.cidr", "10.0.0.0/40"),
    ("NetworkPolicy", "spec.egress.0.to.0.ipBlock.cidr", "10.0.0.1/8"),
    ("NetworkPolicy", "spec.egress.0.to.0.ipBlock.cidr", "11.0.0.0/8"),
    ("NetworkPolicy", "spec.egress.0.to.0.ipBlock.cidr", "10.0.0.0/8"),
    ("Ingress", "spec.rules.0.host", "Api.pull.com"),
    ("Ingress", "spec.rules.0.host", "10.0.0.1"),
    ("Ingress", "spec.rules.0.http.paths.0.path", "api"),
)


def _wrong() -> Iterator[Any]:
    for kind, path, value in _CHANGES:
        manifest = copy.deepcopy(GOOD[kind])
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        parent: Any = manifest
        for step in steps:
            parent = parent[step]
        parent[last] = value
        yield pytest.param(manifest, id=f"{kind}-{path.rpartition('0.')[2]}-{value}"[:60])


WRONG: Final = list(_wrong())


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path)
    yield cloud
    cloud.close()


def create(cloud: Cloud, manifest: dict[str, Any]) -> None:
    group = manifest["apiVersion"] if "/" in manifest["apiVersion"] else "core/v1"
    token = f"kubernetes:{group}:{manifest['kind']}"
    inputs, failures = check(manifest, schema_of(token).inputs)
    assert failures == []
    cloud.create("urn", token, inputs, {})


@pytest.mark.parametrize("kind", GOOD)
def test_valid_objects_are_accepted(cloud: Cloud, kind: str) -> None:
    create(cloud, GOOD[kind])


@pytest.mark.parametrize("manifest", WRONG)
def test_invalid_objects_are_rejected(cloud: Cloud, manifest: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="Error 400"):
        create(cloud, manifest)
