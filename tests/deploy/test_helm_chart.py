"""deploy/helm/relapse-cds: Kubernetes' own schemas accept what it renders, and nobody gets too much."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from flask import Flask

from cds_service.app import create_app
from cds_service.app_state import parts_of
from cds_service.settings.model import ENVIRONMENT_PREFIX, Settings
from cds_service.settings.secret_files import SECRETS_VARIABLE

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "relapse-cds"
HELM = ROOT / ".cache" / "tools" / "bin" / "helm"
SCHEMAS = ROOT / ".cache" / "tools" / "kubernetes"
VERSIONS = ["v1.29.0", "v1.37.0"]
NEEDED = "publicUrl=https://cds.example.org"
EVERYTHING = ",".join(
    [
        "ingress.enabled=true", "ingress.host=cds.example.org", "ingress.tlsSecret=tls",
        "ingress.className=nginx", "tracing.endpoint=http://otlp:4318", "secrets.certificateAuthority=ca",
        "image.pullSecrets={registry}", "nodeSelector.disk=ssd", "podAnnotations.team=cds",
        "ingress.annotations.note=kept", "replicas=3",
    ]
)  # fmt: skip
FOR_THE_INSIDE = {"/metrics", "/operator/", "/readyz"}
"""Paths that the ingress does not hand on."""

pytestmark = pytest.mark.skipif(
    not HELM.is_file() or not SCHEMAS.is_dir(),
    reason="THE HELM CHART IS NOT TESTED: run .ci/parts/deployment_tools.sh first",
)
Manifest = dict[str, Any]


@pytest.fixture
def app() -> Iterator[Flask]:
    made = create_app(Settings.embedded())
    yield made
    parts_of(made).close()


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(HELM), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def rendered(*values: str, version: str = "1.37.0") -> list[Manifest]:
    settings = [part for value in values for part in ("--set", value)]
    done = helm("template", "site", str(CHART), "--kube-version", version, *settings)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def of_kind(manifests: list[Manifest], kind: str) -> Manifest:
    (found,) = [one for one in manifests if one["kind"] == kind]
    return found


def pods(manifests: list[Manifest]) -> Iterator[Manifest]:
    for one in manifests:
        if one["kind"] in ("Deployment", "Job"):
            yield one["spec"]["template"]["spec"]


def faults(manifest: Manifest, version: str) -> list[str]:
    """What Kubernetes' strict schema of that version says against a manifest."""
    schema = json.loads((SCHEMAS / version / "definitions.json").read_text())
    group, _, api = manifest["apiVersion"].rpartition("/")
    names = [
        name
        for name, one in schema["$defs"].items()
        if {"group": group, "kind": manifest["kind"], "version": api}
        in one.get("x-kubernetes-group-version-kind", [])
    ]
    assert len(names) == 1, f"{version} knows no {manifest['apiVersion']} {manifest['kind']}"
    validator = jsonschema_rs.validator_for({"$defs": schema["$defs"], "$ref": f"#/$defs/{names[0]}"})
    return [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}"
        for error in validator.iter_errors(manifest)
    ]


def test_the_chart_has_no_fault_that_helm_finds() -> None:
    done = helm("lint", str(CHART), "--strict", "--set", NEEDED)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [NEEDED, f"{NEEDED},{EVERYTHING}"], ids=["defaults", "everything"])
def test_kubernetes_accepts_what_is_rendered(values: str, version: str) -> None:
    manifests = rendered(values, version=version)
    assert {one["kind"] for one in manifests} >= {
        "ConfigMap", "Deployment", "Job", "Service", "PodDisruptionBudget", "NetworkPolicy",
    }  # fmt: skip
    assert [(one["kind"], fault) for one in manifests for fault in faults(one, version)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "replicas"), "two"),
        (("spec", "strategy", "rollingUpdate", "maxUnavailables"), 0),
        (("spec", "template", "spec", "automountServiceAccountTokens"), False),
    ],
)
def test_the_schemas_find_what_is_misspelt(path: tuple[str, ...], value: object) -> None:
    deployment = of_kind(rendered(NEEDED), "Deployment")
    place = deployment
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert faults(deployment, "v1.37.0") != []


@pytest.mark.parametrize(
    "values",
    [
        "replicas=2",
        "publicUrl=http://cds.example.org",
        "publicUrl=https://cds.example.org/",
        f"{NEEDED},replica=3",
        f"{NEEDED},replicas=0",
        f"{NEEDED},image.digest=sha256:abc",
        f"{NEEDED},ingress.enabled=true",
        f"{NEEDED},terminationGracePeriodSeconds=5",
        f"{NEEDED},secrets.pseudonymSecret=in-the-values",
    ],
)
def test_values_that_cannot_work_are_refused(values: str) -> None:
    done = helm("template", "site", str(CHART), "--kube-version", "1.37.0", "--set", values)
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr


def test_pods_have_nobodys_rights() -> None:
    specs = list(pods(rendered(f"{NEEDED},{EVERYTHING}")))
    assert len(specs) == 2
    for spec in specs:
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


def test_secrets_are_named_and_never_written() -> None:
    manifests = rendered(f"{NEEDED},{EVERYTHING}")
    assert [one for one in manifests if one["kind"] == "Secret"] == []
    for spec in pods(manifests):
        environment = [one for container in spec["containers"] for one in container["env"]]
        assert [one for one in environment if "valueFrom" in one] == []
        values = {one["name"]: one["value"] for one in environment}
        mounts = [one for container in spec["containers"] for one in container["volumeMounts"]]
        assert values[SECRETS_VARIABLE] in {mount["mountPath"] for mount in mounts}


def test_every_variable_is_a_key_of_the_service() -> None:
    known = {f"{ENVIRONMENT_PREFIX}{key.upper()}" for key in Settings.model_fields}
    known |= {SECRETS_VARIABLE, f"{ENVIRONMENT_PREFIX}CONFIG", "OTEL_EXPORTER_OTLP_ENDPOINT"}
    for spec in pods(rendered(f"{NEEDED},{EVERYTHING}")):
        assert {one["name"] for container in spec["containers"] for one in container["env"]} <= known


def test_a_rolling_update_takes_no_pod_away_before_another_is_ready() -> None:
    manifests = rendered(NEEDED)
    spec = of_kind(manifests, "Deployment")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    drain = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= drain + 30
    assert of_kind(manifests, "PodDisruptionBudget")["spec"]["minAvailable"] >= 1
    job = of_kind(manifests, "Job")
    assert "pre-upgrade" in job["metadata"]["annotations"]["helm.sh/hook"]
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["store", "migrate"]


def test_probes_ask_paths_that_exist(app: Flask) -> None:
    (container,) = of_kind(rendered(NEEDED), "Deployment")["spec"]["template"]["spec"]["containers"]
    client = app.test_client()
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert client.get(container[probe]["httpGet"]["path"]).status_code == 200


def test_the_budget_and_the_policy_are_of_the_pods_that_run() -> None:
    manifests = rendered(NEEDED)
    labels = of_kind(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        of_kind(manifests, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        of_kind(manifests, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        of_kind(manifests, "Service")["spec"]["selector"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    migration = of_kind(manifests, "Job")["spec"]["template"]["metadata"]["labels"]
    service_selector = of_kind(manifests, "Service")["spec"]["selector"]
    assert not service_selector.items() <= migration.items(), "no call goes to the migration"
    assert of_kind(manifests, "NetworkPolicy")["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_the_ingress_hands_on_every_path_but_those_for_the_inside(app: Flask) -> None:
    rules = of_kind(rendered(f"{NEEDED},{EVERYTHING}"), "Ingress")["spec"]["rules"]
    paths = [(one["path"], one["pathType"]) for one in rules[0]["http"]["paths"]]
    served = {rule.rule for rule in app.url_map.iter_rules()}

    def handed_on(route: str) -> bool:
        return any(
            route == path or (kind == "Prefix" and route.startswith(f"{path}/")) for path, kind in paths
        )

    assert {route for route in served if not handed_on(route)} == FOR_THE_INSIDE
