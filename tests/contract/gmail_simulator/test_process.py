"""The simulator as a process: it starts, says where it is, and ends when told to."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import requests


def test_it_writes_its_port_answers_and_ends_on_sigterm(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    words = ["-m", "infra.local.gmail", "--port-file", str(port_file), "--client-id", "crm", "--client-secret", "s"]
    process = subprocess.Popen([sys.executable, *words], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 30
        while not port_file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        url = f"http://127.0.0.1:{port_file.read_text(encoding='ascii')}"
        assert requests.get(f"{url}/_sim/health", timeout=20).json()["status"] == "ok"
        form = {"grant_type": "refresh_token", "client_id": "crm", "client_secret": "wrong"}
        assert requests.post(f"{url}/token", data=form, timeout=20).json()["error"] == "invalid_client"
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
