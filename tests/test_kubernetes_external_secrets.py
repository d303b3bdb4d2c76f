"""External Secrets: what is copied into the cluster, from where, and by whom."""

from __future__ import annotations

from components.secrets.catalogue import secrets_for
from components.workloads import Service, WorkerType
from tests.recorder import estate

LABELS = {"app.kubernetes.io/part-of": "pull"}
OURS = {"pulumi.com/patchForce": "true"}
KYC = {"cpu": 1, "memory_gib": 1, "min_instances": 2, "max_instances": 2}


def test_the_store_signs_in_by_workload_identity() -> None:
    store = estate(runtime="kubernetes")["external-secrets-store"]
    assert store.inputs == {
        "apiVersion": "external-secrets.io/v1",
        "kind": "SecretStore",
        "metadata": {
            "name": "pull-gcp-secret-store",
            "namespace": "pull",
            "labels": LABELS,
            "annotations": OURS,
        },
        "spec": {
            "provider": {
                "gcpsm": {
                    "projectID": "pull-production",
                    "auth": {
                        "workloadIdentity": {"serviceAccountRef": {"name": "pull-secrets-sa"}}
                    },
                }
            }
        },
    }
    assert "external-secrets-operator" in store.waits_for


def test_one_key_for_each_variable_that_a_workload_in_the_cluster_reads() -> None:
    secret = estate(runtime="kubernetes")["external-secrets-secret"]
    variables = sorted(
        variable.name for variable in secrets_for(Service.API_ORIGIN, WorkerType.ALL)
    )
    assert {"JWT_SECRET", "DATABASE_URL", "KALSHI_API_SECRET"} <= set(variables)
    assert secret.inputs == {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": "pull-secrets",
            "namespace": "pull",
            "labels": LABELS,
            "annotations": {
                **OURS,
                "pull.com/password-generation": "1",
                "pulumi.com/waitFor": "condition=Ready",
            },
        },
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"name": "pull-gcp-secret-store", "kind": "SecretStore"},
            "target": {
                "name": "pull-secrets",
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
            },
            "data": [
                {
                    "secretKey": variable,
                    "remoteRef": {
                        "key": f"pull-production-{variable.lower().replace('_', '-')}",
                        "version": "latest",
                    },
                }
                for variable in variables
            ],
        },
    }
    assert secret.waits_for == {"external-secrets-store"}


def test_ids_and_versions_of_the_stack_file_are_followed() -> None:
    section = {"ids": {"JWT_SECRET": "JWT_SECRET_PRODUCTION"}, "versions": {"JWT_SECRET": "7"}}
    spec = estate(runtime="kubernetes", secrets=section)["external-secrets-secret"].inputs["spec"]
    (jwt,) = (entry["remoteRef"] for entry in spec["data"] if entry["secretKey"] == "JWT_SECRET")
    assert jwt == {"key": "JWT_SECRET_PRODUCTION", "version": "7"}


def test_the_operator_reads_what_it_copies_and_nothing_else() -> None:
    recording = estate(runtime="kubernetes", workers={"fleet": {"all": None, "kyc": KYC}})
    readable = {
        grant.inputs["secretId"]
        for grant in recording.of_type("gcp:secretmanager/secretIamMember:SecretIamMember")
        if grant.inputs["member"] == "<identity-external-secrets.member>"
    }
    spec = recording["external-secrets-secret"].inputs["spec"]
    assert readable == {entry["remoteRef"]["key"] for entry in spec["data"]}
    assert "pull-production-persona-api-key" in readable
    assert "pull-production-kalshi-api-key" not in readable


def test_pods_read_no_secret_of_secret_manager() -> None:
    readers = {
        grant.inputs["member"]
        for grant in estate(runtime="kubernetes").of_type(
            "gcp:secretmanager/secretIamMember:SecretIamMember"
        )
    }
    assert readers == {"<identity-external-secrets.member>"}


def test_the_operator_is_restricted_to_the_namespace() -> None:
    release = estate(runtime="kubernetes")["external-secrets-operator"].inputs
    assert (release["chart"], release["version"]) == ("external-secrets", "1.3.2")
    assert release["namespace"] == "external-secrets"
    assert release["values"]["scopedNamespace"] == "pull"
    assert release["values"]["scopedRBAC"] is True
