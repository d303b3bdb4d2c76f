"""The namespace with its standard, the priorities, and the accounts of workloads."""

from __future__ import annotations

from tests.recorder import estate

LABELS = {"app.kubernetes.io/part-of": "pull"}
OURS = {"pulumi.com/patchForce": "true"}


def test_namespace_enforces_the_restricted_standard() -> None:
    namespace = estate(runtime="kubernetes")["namespace-namespace"]
    assert namespace.inputs == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "pull",
            "labels": {
                **LABELS,
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/enforce-version": "v1.34",
                "pod-security.kubernetes.io/audit": "restricted",
                "pod-security.kubernetes.io/audit-version": "v1.34",
                "pod-security.kubernetes.io/warn": "restricted",
                "pod-security.kubernetes.io/warn-version": "v1.34",
            },
            "annotations": OURS,
        },
    }
    assert namespace.protect
    assert "cluster-cluster" in namespace.waits_for


def test_users_come_before_tasks() -> None:
    recording = estate(runtime="kubernetes")
    for name, value, description in (
        ("pull-api", 100_000, "Users wait for the API"),
        ("pull-worker", 10_000, "A worker's tasks wait in Temporal meanwhile"),
    ):
        priority = recording[f"namespace-priority-{name}"]
        assert priority.inputs == {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name, "labels": LABELS, "annotations": OURS},
            "value": value,
            "preemptionPolicy": "PreemptLowerPriority",
            "description": description,
        }
        assert "namespace-namespace" in priority.waits_for


def test_each_account_stands_for_one_at_google() -> None:
    recording = estate(runtime="kubernetes")
    for name, google, made_as in (
        ("pull-secrets-sa", "pull-external-secrets", "identity-external-secrets"),
        ("pull-api-sa", "pull-api-origin", "identity-api-origin"),
        ("pull-temporal-worker-sa", "pull-temporal-worker", "identity-temporal-worker"),
    ):
        account = recording[f"namespace-account-{name}"]
        email = f"{google}@pull-production.iam.gserviceaccount.com"
        assert account.inputs == {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": name,
                "namespace": "pull",
                "labels": LABELS,
                "annotations": {**OURS, "iam.gke.io/gcp-service-account": email},
            },
            "automountServiceAccountToken": False,
        }
        assert "namespace-priority-pull-api" in account.waits_for
        binding = recording[f"namespace-account-{name}-identity"]
        assert binding.inputs == {
            "serviceAccountId": f"<{made_as}.name>",
            "role": "roles/iam.workloadIdentityUser",
            "member": f"serviceAccount:pull-production.svc.id.goog[pull/{name}]",
        }
        assert "cluster-cluster" in binding.waits_for
