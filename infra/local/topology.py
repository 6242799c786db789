"""Which programs make up the stack, on which ports, and how each is started."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local import settings
from infra.local.emulators import Toolchain
from infra.local.processes import Service, accepts_tcp, answers_http, free_ports
from infra.local.run_dir import RunDir

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback port of each part."""

    gateway: int
    gmail: int
    issuer: int
    relay: int
    storage: int
    firestore: int
    pubsub: int
    tasks: int
    tasks_control: int
    smtp: int


def choose_ports(gateway: int | None) -> Ports:
    """Free ports for all parts; the gateway's may be given."""
    first, *others = free_ports(len(Ports.__dataclass_fields__))
    return Ports(gateway or first, *others)


def endpoints(ports: Ports, gmail: str | None) -> settings.Endpoints:
    """The addresses that belong to the ports; `gmail` is the URL of another Gmail than the simulator."""
    return settings.Endpoints(
        gateway=_url(ports.gateway),
        gmail=gmail.rstrip("/") if gmail else _url(ports.gmail),
        issuer=_url(ports.issuer),
        relay=_url(ports.relay),
        storage=_url(ports.storage),
        firestore=f"{HOST}:{ports.firestore}",
        pubsub=f"{HOST}:{ports.pubsub}",
        tasks=f"{HOST}:{ports.tasks}",
        tasks_control=_url(ports.tasks_control),
        smtp=f"{HOST}:{ports.smtp}",
    )


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often the scheduler calls `renew_watches`, in seconds: the safety poll and the renewal."""

    poll_seconds: float = 60.0
    renew_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Topology:
    """All that decides how the programs are started; `services` lists them."""

    ports: Ports
    endpoints: settings.Endpoints
    tools: Toolchain
    schedule: Schedule
    functions_source: Path
    service_key: Path
    run_dir: RunDir
    environment: Mapping[str, str]

    def services(self) -> list[Service]:
        """Every program, the slow ones first; a Gmail elsewhere needs none here."""
        simulated = self.endpoints.gmail == _url(self.ports.gmail)
        return [
            self._firestore(),
            self._pubsub(),
            self._gateway(),
            *([self._gmail()] if simulated else []),
            self._tasks(),
            self._small_services(),
            self._storage(),
        ]

    def _firestore(self) -> Service:
        port = self.ports.firestore
        argv = [str(self.tools.firestore), "start", f"--host={HOST}", f"--port={port}"]
        return Service("firestore", argv, self.tools.environment, self._log("firestore"), answers_http(_url(port)))

    def _pubsub(self) -> Service:
        port = self.ports.pubsub
        argv = [str(self.tools.pubsub), f"--host={HOST}", f"--port={port}"]
        return Service("pubsub", argv, self.tools.environment, self._log("pubsub"), answers_http(_url(port)))

    def _gateway(self) -> Service:
        argv = self._module("gateway", port=self.ports.gateway, source=self.functions_source)
        ready = answers_http(f"{self.endpoints.gateway}/healthz")
        return Service("gateway", argv, self.environment, self._log("gateway"), ready)

    def _gmail(self) -> Service:
        argv = self._module("gmail", port=self.ports.gmail, pubsub=self.endpoints.pubsub)
        return Service("gmail", argv, self.environment, self._log("gmail"), accepts_tcp(self.ports.gmail))

    def _tasks(self) -> Service:
        ports = {"port": self.ports.tasks, "control_port": self.ports.tasks_control}
        argv = self._module("tasks", **ports, signing_key=self.service_key)
        for queue in (settings.DELIVERY_QUEUE, settings.BACKGROUND_QUEUE):
            argv += ["--queue", f"{queue}:{json.dumps(settings.QUEUE_LIMITS)}"]
        return Service("tasks", argv, self.environment, self._log("tasks"), accepts_tcp(self.ports.tasks))

    def _small_services(self) -> Service:
        argv = self._module(
            "small_services",
            issuer_port=self.ports.issuer,
            relay_port=self.ports.relay,
            smtp_port=self.ports.smtp,
            signing_key=self.service_key,
            mail=self.run_dir.mail,
            poll_seconds=self.schedule.poll_seconds,
            renew_seconds=self.schedule.renew_seconds,
        )
        name = "small-services"
        return Service(name, argv, self.environment, self._log(name), answers_http(f"{self.endpoints.issuer}/jwks"))

    def _storage(self) -> Service:
        argv = self._module("storage", port=self.ports.storage, bucket=settings.BUCKET)
        ready = answers_http(f"{self.endpoints.storage}/")
        return Service("storage", argv, self.environment, self._log("storage"), ready)

    def _log(self, name: str) -> Path:
        return self.run_dir.logs / f"{name}.log"

    @staticmethod
    def _module(name: str, **options: object) -> list[str]:
        flags = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", str(value))]
        return [sys.executable, "-m", f"infra.local.{name}", *flags]


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"
