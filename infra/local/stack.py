"""The local stack as one thing: start it, use it, stop it, and never leave a process behind."""

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local import emulators, settings, topology
from infra.local.errors import StackError
from infra.local.processes import ROOT, Child, Guard, Startup, is_free
from infra.local.run_dir import RunDir
from infra.local.topology import Schedule, Topology
from infra.local.watch import Watch

DEFAULT_RUN_DIR = ROOT / "infra" / "local" / ".run"
DEFAULT_FUNCTIONS = ROOT / "functions" / "main.py"
_READY_WITHIN_SECONDS = 60.0


class LocalStack:
    """Starts every part on entering and stops every part on leaving; no end of it, not even kill -9, leaves any behind.

    `gmail_endpoint` (else GMAIL_API_ENDPOINT of `environ`) puts another Gmail than the simulator behind the functions,
    with OAUTH_* of `environ` where they differ from the usual paths below it. `env_overrides` change single settings
    of the functions. Raises StackError, whose message tells a person what to do.
    """

    def __init__(
        self,
        *,
        run_dir: Path = DEFAULT_RUN_DIR,
        gateway_port: int | None = None,
        gmail_endpoint: str | None = None,
        functions_source: Path = DEFAULT_FUNCTIONS,
        env_overrides: Mapping[str, str] | None = None,
        schedule: Schedule | None = None,
        environ: Mapping[str, str] = os.environ,
    ):
        self.run_dir = RunDir(run_dir)
        self.took: dict[str, float] = {}
        self._gateway_port = gateway_port
        self._other_gmail = gmail_endpoint or environ.get("GMAIL_API_ENDPOINT")
        self._functions_source = functions_source.resolve()
        self._overrides = dict(env_overrides or {})
        self._schedule = schedule or Schedule()
        self._environ = dict(environ)
        self._children: list[Child] = []
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start all parts side by side, wait until they are healthy, set them up and publish `stack.json`."""
        began = time.monotonic()
        tools = emulators.find_toolchain(self._environ)
        guard = self._take_run_dir()
        self._configure()
        self._start_children(tools, guard)
        self._set_up_pubsub()
        self._publish()
        self._keep_watch(guard)
        self.took["everything"] = time.monotonic() - began

    def stop(self) -> None:
        """End all processes and give the run directory up; harmless when repeated."""
        self._exits.close()

    def wait(self) -> None:
        """Return never; raise StackError when a part is gone that cannot be started again."""
        raise self._watch.trouble.get()

    def describe(self) -> dict[str, object]:
        """What `stack.json` holds: the endpoints, the process ids, the logs and the functions' settings."""
        at = self.endpoints
        return {
            "project": settings.PROJECT,
            "gateway": at.gateway,
            "gmail": at.gmail,
            "issuer": at.issuer,
            "relay": at.relay,
            "storage": at.storage,
            "firestore": at.firestore,
            "pubsub": at.pubsub,
            "tasks": at.tasks,
            "tasksControl": at.tasks_control,
            "smtp": at.smtp,
            "mail": str(self.run_dir.mail),
            "logs": str(self.run_dir.logs),
            "supervisor": os.getpid(),
            "pids": {child.service.name: child.pid for child in self._children},
            "env": self.env,
        }

    def _take_run_dir(self) -> Guard:
        self._exits.callback(self.run_dir.release)
        guard = Guard(self.run_dir.claim())
        self._exits.callback(self._end_children, guard)
        self._exits.callback(self.run_dir.withdraw)
        return guard

    def _configure(self) -> None:
        if not self._functions_source.is_file():
            raise StackError(f"There are no functions at {self._functions_source}: name the main.py to serve.")
        if self._gateway_port and not is_free(self._gateway_port):
            raise StackError(f"Port {self._gateway_port} is taken: end what listens there, or choose one with --port.")
        keys = settings.load_keys(self.run_dir.keys)
        self._ports = topology.choose_ports(self._gateway_port)
        self._service_key = keys.service_key
        self.endpoints = topology.endpoints(self._ports, self._other_gmail)
        oauth = self._environ if self._other_gmail else {}
        self.env = settings.functions_environment(self.endpoints, keys, oauth=oauth, overrides=self._overrides)

    def _start_children(self, tools: emulators.Toolchain, guard: Guard) -> None:
        plan = Topology(
            ports=self._ports,
            endpoints=self.endpoints,
            tools=tools,
            schedule=self._schedule,
            functions_source=self._functions_source,
            service_key=self._service_key,
            run_dir=self.run_dir,
            environment=settings.process_environment(self._environ, self.env),
        )
        for service in plan.services():
            self._children.append(Child(service, guard))
        startup = Startup(self._children, _READY_WITHIN_SECONDS)
        startup.wait()
        self.took = startup.took

    def _set_up_pubsub(self) -> None:
        pubsub = self.endpoints.pubsub
        emulators.create_topic(pubsub, settings.TOPIC)
        push_to = f"{self.endpoints.relay}/sync_mailbox"
        emulators.create_push_subscription(pubsub, settings.SUBSCRIPTION, settings.TOPIC, push_to)

    def _publish(self) -> None:
        self.run_dir.publish(self.describe())

    def _keep_watch(self, guard: Guard) -> None:
        self._watch = Watch(self._children, guard, "gateway", self._publish)
        self._watch.start()
        self._exits.callback(self._watch.stop)

    def _end_children(self, guard: Guard) -> None:
        guard.end_all(child.pid for child in self._children)
        for child in self._children:
            child.wait()
        guard.wait()
        self._children.clear()
