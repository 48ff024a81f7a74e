"""The stack of deploy/compose.yaml, started from the images that .ci/parts/images.sh builds."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.auth import AuthBase

from tests.cds_service.auth.forge import ec_key
from tests.deploy.signing import Signed

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / ".cache" / "images"
COMPOSE = IMAGES / "tools" / "bin" / "podman-compose"
TENANT, ISS, HOST = "general-hospital", "https://ehr.example.org/fhir", "cds.example.org"
START_SECONDS = 120.0


def is_built() -> bool:
    """Whether the images were built here and this user can start them."""
    return (IMAGES / "relapse-cds.tar").is_file() and COMPOSE.is_file() and os.geteuid() == 0


class Stack:
    """PostgreSQL, the service and nginx, each in its container, under a name of this run's own."""

    def __init__(self, directory: Path) -> None:
        self.name = f"relapse-cds-test-{secrets.token_hex(3)}"
        self.directory = directory
        self.port = _free_port()
        self.key = ec_key("stack")
        self._prepare()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def session(self) -> requests.Session:
        """A session that signs what it sends to the service, as the EHR does."""
        session = requests.Session()
        # A variable of the environment that names certificates would win over those named here.
        session.trust_env = False
        session.verify = str(self.directory / "secrets" / "tls" / "tls.crt")
        session.auth = self.signed
        return session

    @property
    def signed(self) -> AuthBase:
        return Signed(self.key, ISS, self.url, f"https://{HOST}")

    def start(self) -> None:
        """Starts the services in their order. Podman checks health by systemd, which may not run here, so
        the health checks are run by hand."""
        for service in ("postgresql", "relapse-cds", "nginx"):
            self._compose("up", "--detach", "--no-deps", "--no-build", service)
            if service != "nginx":
                self.wait_until_healthy(service)
        self.wait_for(self._answers, "nginx")

    def stop(self) -> None:
        """Ends every container and removes the volume and the network."""
        self._compose("down", "--volumes", "--timeout", "30")

    def restart(self, service: str) -> None:
        self.podman("restart", "--time", "30", self.container(service))
        self.wait_until_healthy(service)

    def wait_until_healthy(self, service: str) -> None:
        self.wait_for(lambda: self.is_healthy(service), service)

    def container(self, service: str) -> str:
        return f"{self.name}_{service}_1"

    def is_healthy(self, service: str) -> bool:
        """What the health check of the image or of compose.yaml says."""
        return self.podman("healthcheck", "run", self.container(service), check=False).returncode == 0

    def wait_for(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + START_SECONDS
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not get ready:\n{self.logs()}")
            time.sleep(0.5)

    def run_in(self, service: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command inside a container, as the user of the container."""
        return self.podman("exec", self.container(service), *command, check=check)

    def podman(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return _run(["podman", *arguments], self._environ(), check=check)

    def inspected(self, service: str) -> dict[str, Any]:
        inspected: dict[str, Any] = json.loads(self.podman("inspect", self.container(service)).stdout)[0]
        return inspected

    def logs(self) -> str:
        names = [self.container(service) for service in ("postgresql", "relapse-cds", "nginx")]
        told = {name: self.podman("logs", "--tail", "40", name, check=False) for name in names}
        return "\n".join(f"--- {name}\n{one.stdout}{one.stderr}" for name, one in told.items())

    def _answers(self) -> bool:
        try:
            return self.session.get(f"{self.url}/readyz", timeout=120, auth=None).status_code == 200
        except (requests.RequestException, urllib3.exceptions.HTTPError):
            return False

    def _prepare(self) -> None:
        """What deploy/compose/prepare.sh makes, and the configuration of one EHR."""
        script = ROOT / "deploy" / "compose" / "prepare.sh"
        _run(["sh", str(script), str(self.directory / "secrets")], dict(os.environ))
        site = self.directory / "site"
        site.mkdir()
        (site / "ehr.jwks.json").write_text(json.dumps({"keys": [self.key.jwk()]}))
        (site / "site.toml").write_text(
            f'public_url = "https://{HOST}"\nexplain = true\n\n[[tenants]]\nid = "{TENANT}"\niss = "{ISS}"\n'
            'jwks_file = "ehr.jwks.json"\n'
        )
        for path in (self.directory, site):
            path.chmod(0o755)

    def _compose(self, *arguments: str) -> None:
        command = [str(COMPOSE), "--file", str(ROOT / "deploy" / "compose.yaml"), "--project-name", self.name]
        _run([*command, *arguments], self._environ())

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "HOME": str(self.directory),
            "CONTAINERS_CONF": str(IMAGES / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(IMAGES / "storage.conf"),
            "RELAPSE_CDS_IMAGE": "localhost/relapse-cds:ci",
            "POSTGRESQL_IMAGE": "localhost/postgresql:ci",
            "NGINX_IMAGE": "localhost/nginx:ci",
            "RELAPSE_CDS_PORT": str(self.port),
            "RELAPSE_CDS_SITE": str(self.directory / "site"),
            "RELAPSE_CDS_SECRET_FILES": str(self.directory / "secrets"),
        }


def _run(
    command: list[str], environ: dict[str, str], *, check: bool = True
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
