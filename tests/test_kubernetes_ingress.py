"""The way in: address, certificate, ingress, and the two names in front."""

from __future__ import annotations

from tests.recorder import estate

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
ZONE = "00000000000000000000000000000d01"


def test_ingress() -> None:
    ingress = estate(runtime="kubernetes")["ingress-ingress"]
    backend = {"service": {"name": "pull-api", "port": {"name": "http"}}}
    assert ingress.inputs == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "pull-ingress",
            "namespace": "pull",
            "labels": {"app.kubernetes.io/part-of": "pull"},
            "annotations": {
                "pulumi.com/patchForce": "true",
                "kubernetes.io/ingress.class": "gce",
                "kubernetes.io/ingress.allow-http": "false",
                "kubernetes.io/ingress.global-static-ip-name": "pull-production-api",
                "ingress.gcp.kubernetes.io/pre-shared-cert": "pull-production-82786e72",
            },
        },
        "spec": {
            "rules": [
                {
                    "host": host,
                    "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
                }
                for host in ("api-cluster.pull.com", "api.pull.com")
            ]
        },
    }
    assert {"cluster-worker-all-deployment", "ingress-certificate"} <= ingress.waits_for


def test_certificate_and_address() -> None:
    recording = estate(runtime="kubernetes")
    assert recording["ingress-certificate"].inputs == {
        "project": "pull-production",
        "name": "pull-production-82786e72",
        "managed": {"domains": ["api-cluster.pull.com"]},
    }
    assert recording["ingress-address"].inputs == {
        "project": "pull-production",
        "name": "pull-production-api",
        "addressType": "EXTERNAL",
        "ipVersion": "IPV4",
    }


def test_another_domain_is_another_certificate_beside_the_old_one() -> None:
    recording = estate(runtime="both", kubernetes={"api": {"domain": "other.pull.com"}})
    name = recording["ingress-certificate"].inputs["name"]
    assert name != "pull-production-82786e72"
    annotations = recording["ingress-ingress"].inputs["metadata"]["annotations"]
    assert annotations["ingress.gcp.kubernetes.io/pre-shared-cert"] == name


def test_the_apis_name_leads_to_the_cluster_when_that_is_the_runtime() -> None:
    recording = estate(runtime="kubernetes")
    own, front = recording["ingress-dns"], recording["ingress-api-dns"]
    assert own.inputs == {
        "zoneId": ZONE,
        "name": "api-cluster.pull.com",
        "type": "A",
        "content": "<ingress-address.address>",
        "proxied": False,
        "ttl": 300,
        "comment": "API in the cluster, answered by Google's load balancer",
    }
    assert front.inputs == {
        "zoneId": ZONE,
        "name": "api.pull.com",
        "type": "CNAME",
        "content": "api-cluster.pull.com",
        "proxied": True,
        "ttl": 1,
        "comment": "API, answered by the cluster",
    }
    assert own.protect
    assert front.protect
    # A name is one type of record at a time.
    assert front.delete_before_replace
    assert front.waits_for == {"ingress-dns"}


def test_with_both_the_worker_keeps_the_apis_name() -> None:
    recording = estate(runtime="both")
    names = {resource.inputs["name"]: resource.name for resource in recording.of_type(RECORD)}
    assert names == {
        "api.pull.com": "api-dns",
        "api-cluster.pull.com": "ingress-dns",
        "app.pull.com": "web-dns",
    }
    assert recording["api-dns"].delete_before_replace
