"""Google's Firestore and Pub/Sub emulators: where they are installed, how they start, what is set up in them."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.errors import MissingToolError, StackError
from infra.local.processes import loopback_session

_MINIMUM_JAVA = 11
# Both live for minutes and are waited for: compile little, collect simply. Halves their start on two cores.
_JVM_FLAGS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@dataclass(frozen=True, slots=True)
class Emulator:
    """One emulator: its launcher below the Cloud SDK's root and on PATH, and the packages that hold it."""

    name: str
    in_sdk: str
    on_path: str
    component: str
    package: str


FIRESTORE = Emulator(
    name="Firestore emulator",
    in_sdk="platform/cloud-firestore-emulator/cloud_firestore_emulator",
    on_path="cloud_firestore_emulator",
    component="cloud-firestore-emulator",
    package="google-cloud-cli-firestore-emulator",
)
PUBSUB = Emulator(
    name="Pub/Sub emulator",
    in_sdk="platform/pubsub-emulator/bin/cloud-pubsub-emulator",
    on_path="cloud-pubsub-emulator",
    component="pubsub-emulator",
    package="google-cloud-cli-pubsub-emulator",
)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What was found: the two launchers, and the environment in which they find Java."""

    firestore: Path
    pubsub: Path
    environment: Mapping[str, str]


def find_toolchain(caller: Mapping[str, str]) -> Toolchain:
    """Look for Java and both emulators; MissingToolError names all that is missing, and how to get it."""
    java = find_java(caller)
    root = find_sdk(caller)
    firestore, pubsub = (find_launcher(emulator, root, caller) for emulator in (FIRESTORE, PUBSUB))
    if java and firestore and pubsub:
        return Toolchain(firestore, pubsub, _environment(java, caller))
    missing = [emulator for emulator, found in ((FIRESTORE, firestore), (PUBSUB, pubsub)) if not found]
    raise MissingToolError(_advice(missing, java_is_missing=java is None))


def find_java(caller: Mapping[str, str]) -> Path | None:
    """A Java of version 11 or later: JAVA_HOME's, else the one on PATH."""
    home = caller.get("JAVA_HOME")
    candidates = [Path(home, "bin", "java")] if home else []
    if on_path := shutil.which("java", path=caller.get("PATH", "")):
        candidates.append(Path(on_path))
    return next((java for java in candidates if _java_version(java) >= _MINIMUM_JAVA), None)


def find_sdk(caller: Mapping[str, str]) -> Path | None:
    """The Cloud SDK's root: beside the real gcloud, else CLOUDSDK_ROOT_DIR, else what gcloud itself says."""
    gcloud = shutil.which("gcloud", path=caller.get("PATH", ""))
    candidates = [Path(gcloud).resolve().parents[1]] if gcloud else []
    if root := caller.get("CLOUDSDK_ROOT_DIR"):
        candidates.append(Path(root))
    found = next((root for root in candidates if (root / "platform").is_dir()), None)
    return found or (_ask_gcloud(gcloud, caller) if gcloud else None)


def find_launcher(emulator: Emulator, root: Path | None, caller: Mapping[str, str]) -> Path | None:
    """The emulator's launcher in the Cloud SDK, else on PATH."""
    if root and (launcher := root / emulator.in_sdk).is_file():
        return launcher
    on_path = shutil.which(emulator.on_path, path=caller.get("PATH", ""))
    return Path(on_path) if on_path else None


def create_topic(pubsub: str, topic: str) -> None:
    """Create a topic (`projects/…/topics/…`) in the Pub/Sub emulator at `host:port`."""
    _put(f"http://{pubsub}/v1/{topic}", {})


def create_push_subscription(pubsub: str, subscription: str, topic: str, push_to: str) -> None:
    """Push a topic's messages to a URL, with the deadline and back-off that the deployment uses."""
    body = {
        "topic": topic,
        "pushConfig": {"pushEndpoint": push_to},
        "ackDeadlineSeconds": 600,
        "retryPolicy": {"minimumBackoff": "1s", "maximumBackoff": "60s"},
    }
    _put(f"http://{pubsub}/v1/{subscription}", body)


def _put(url: str, body: object) -> None:
    response = loopback_session().put(url, json=body, timeout=10)
    if not response.ok:
        raise StackError(f"The Pub/Sub emulator refused PUT {url} ({response.status_code}): {response.text.strip()}")


def _java_version(java: Path) -> int:
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return 0
    version = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(version[1]) if version else 0


def _ask_gcloud(gcloud: str, caller: Mapping[str, str]) -> Path | None:
    argv = [gcloud, "info", "--format=value(installation.sdk_root)"]
    try:
        answer = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30, env=dict(caller))
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(answer.stdout.strip())


def _environment(java: Path, caller: Mapping[str, str]) -> dict[str, str]:
    """One launcher takes `java` from PATH, the other from JAVA_HOME where that is set: lead both to the same."""
    flags = f"{caller.get('JAVA_TOOL_OPTIONS', '')} {_JVM_FLAGS}".strip()
    path = f"{java.parent}:{caller.get('PATH', '')}"
    without_home = {name: value for name, value in caller.items() if name not in ("JAVA_HOME", "JAVA")}
    return {**without_home, "PATH": path, "JAVA_TOOL_OPTIONS": flags}


def _advice(missing: list[Emulator], *, java_is_missing: bool) -> str:
    parts = ["The local stack needs Google's emulators and Java 11 or later. What is missing here:"]
    if java_is_missing:
        parts += ["", "Java 11 or later (neither JAVA_HOME nor PATH leads to one). Install it with one of"]
        parts += ["    sudo apt-get install default-jre-headless", "    brew install openjdk"]
    if missing:
        parts += ["", f"{' and '.join(one.name for one in missing)} (looked in the Cloud SDK, then on PATH). Either"]
        parts += [f"    gcloud components install {' '.join(one.component for one in missing)}"]
        parts += ["or, where the Cloud SDK came as a Debian package,"]
        parts += [f"    sudo apt-get install {' '.join(one.package for one in missing)}"]
        parts += ["The Cloud SDK itself: https://cloud.google.com/sdk/docs/install"]
    return "\n".join(parts)
