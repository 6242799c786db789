"""Where Java or an emulator is missing, the program says so and names the command that installs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.emulators import find_toolchain
from infra.local.errors import MissingToolError
from infra.local.processes import ROOT


@pytest.fixture
def real_java() -> Path:
    return find_toolchain(os.environ).environment["PATH"].split(":")[0] / Path("java")


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_up_ends_with_code_2_and_the_commands_when_everything_is_missing(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "infra.local", "up", "--run-dir", str(tmp_path)]
    ended = subprocess.run(
        argv, capture_output=True, text=True, cwd=ROOT, env={"PATH": str(tmp_path)}, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "apt-get install default-jre-headless" in ended.stderr
    assert "gcloud components install cloud-firestore-emulator pubsub-emulator" in ended.stderr
    assert "apt-get install google-cloud-cli-firestore-emulator google-cloud-cli-pubsub-emulator" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_only_what_is_missing_is_asked_for(tmp_path: Path, real_java: Path) -> None:
    executable(tmp_path / "cloud_firestore_emulator", "exit 0")
    caller = {"PATH": str(tmp_path), "JAVA_HOME": str(real_java.resolve().parents[1])}
    with pytest.raises(MissingToolError) as error:
        find_toolchain(caller)
    assert "gcloud components install pubsub-emulator" in str(error.value)
    assert "Java 11 or later (neither" not in str(error.value)
    assert "Firestore emulator (" not in str(error.value)


def test_an_old_java_is_no_java(tmp_path: Path) -> None:
    executable(tmp_path / "java", """echo 'openjdk version "1.8.0_402"' >&2""")
    with pytest.raises(MissingToolError, match="neither JAVA_HOME nor PATH leads to one"):
        find_toolchain({"PATH": str(tmp_path)})


def test_a_wrong_java_home_does_not_hide_the_java_on_the_path(tmp_path: Path) -> None:
    executable(tmp_path / "java", """echo 'openjdk version "21.0.2" 2024-01-16' >&2""")
    executable(tmp_path / "cloud_firestore_emulator", "exit 0")
    executable(tmp_path / "cloud-pubsub-emulator", "exit 0")
    found = find_toolchain({"PATH": str(tmp_path), "JAVA_HOME": "/nowhere"})
    assert "JAVA_HOME" not in found.environment
    assert found.pubsub == tmp_path / "cloud-pubsub-emulator"


def test_the_emulators_are_found_beside_the_real_gcloud(tmp_path: Path) -> None:
    sdk = tmp_path / "google-cloud-sdk"
    gcloud = executable(sdk / "bin" / "gcloud", "exit 1")
    firestore = executable(sdk / "platform/cloud-firestore-emulator/cloud_firestore_emulator", "exit 0")
    executable(sdk / "platform/pubsub-emulator/bin/cloud-pubsub-emulator", "exit 0")
    executable(tmp_path / "path" / "java", """echo 'openjdk version "17.0.1"' >&2""")
    (tmp_path / "path" / "gcloud").symlink_to(gcloud)
    assert find_toolchain({"PATH": str(tmp_path / "path")}).firestore == firestore


def test_gcloud_is_asked_where_its_place_tells_nothing(tmp_path: Path) -> None:
    sdk = tmp_path / "elsewhere"
    executable(sdk / "platform/cloud-firestore-emulator/cloud_firestore_emulator", "exit 0")
    pubsub = executable(sdk / "platform/pubsub-emulator/bin/cloud-pubsub-emulator", "exit 0")
    executable(tmp_path / "bin" / "java", """echo 'openjdk version "17.0.1"' >&2""")
    executable(tmp_path / "bin" / "gcloud", f"echo {sdk}")
    assert find_toolchain({"PATH": str(tmp_path / "bin")}).pubsub == pubsub
