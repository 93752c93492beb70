"""Switching faults on and off: how often, where, by the control API and on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from certrecon_sandbox.faults.catalogue import KINDS
from certrecon_sandbox.faults.fault import FaultError
from certrecon_sandbox.faults.wanted import parse_fault
from tests.integration.sandbox.raw import CERTIFICATES, EMPLOYEES, Raw

# --- switching -----------------------------------------------------------------------------------------


def test_every_kind_is_tried_here() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_faults*.py"))
    assert [kind for kind in KINDS if f'"{kind}"' not in source] == []


def test_times_and_after(raw: Raw) -> None:
    raw.switch_on(CERTIFICATES, "status", status=500, after=1, times=2)
    assert [raw.index().status for _ in range(5)] == [200, 500, 500, 200, 200]


def test_chance_is_seeded(raw: Raw) -> None:
    def tried(seed: int) -> list[int | None]:
        raw.client.control("DELETE", "/faults")
        raw.switch_on(CERTIFICATES, "status", chance=0.5, seed=seed)
        return [raw.index().status for _ in range(12)]

    assert tried(1) == tried(1) != tried(2)
    assert set(tried(1)) == {200, 503}


def test_endpoints_and_patterns(raw: Raw) -> None:
    raw.switch_on("4hse.*.index", "status")
    assert raw.index().status == raw.index(path="/4hse/v2/person/index").status == 503
    assert raw.ask("GET", EMPLOYEES).status == 200


def test_two_faults_at_once(raw: Raw) -> None:
    """The first one is the outer one."""
    raw.switch_on(CERTIFICATES, "truncated", share=0.1)
    raw.switch_on(CERTIFICATES, "extra_fields")
    rows = raw.index().body
    assert b"undocumented" not in rows
    raw.client.control("DELETE", "/faults/" + str(raw.client.control("GET", "/faults")["switched"][0]["number"]))
    assert b"undocumented" in raw.index().body


def test_what_is_switched_on(raw: Raw) -> None:
    raw.switch_on(CERTIFICATES, "latency", seconds=0.0, times=1)
    raw.index()
    raw.index()
    shown = raw.client.control("GET", "/faults")
    assert [kind["kind"] for kind in shown["kinds"]] == list(KINDS)
    switched = shown["switched"][0]
    assert (switched["seen"], switched["hits"], switched["seconds"], switched["where"]) == (2, 1, 0.0, "request")
    raw.client.control("POST", "/reset", json={"what": ["faults"]})
    assert raw.client.control("GET", "/faults")["switched"] == []


WRONG = {
    "no such kind": ({"endpoint": CERTIFICATES, "kind": "gremlins"}, "unknown kind of fault 'gremlins'"),
    "no such endpoint": ({"endpoint": "certificates", "kind": "reset"}, "'certificates' is neither an endpoint"),
    "no endpoint": ({"kind": "reset"}, "None is neither an endpoint"),
    "no such parameter": ({"endpoint": CERTIFICATES, "kind": "status", "code": 5}, "status has no parameter 'code'"),
    "no number": ({"endpoint": CERTIFICATES, "kind": "status", "status": "bad"}, "status must be a whole number"),
    "negative": ({"endpoint": CERTIFICATES, "kind": "latency", "seconds": -1}, "seconds must be a number"),
    "no such word": ({"endpoint": CERTIFICATES, "kind": "cut_body", "how": "saw"}, "how must be one of reset, close"),
    "negative times": ({"endpoint": CERTIFICATES, "kind": "reset", "times": -1}, "times must be a whole number"),
    "half a time": ({"endpoint": CERTIFICATES, "kind": "reset", "after": 0.5}, "after must be a whole number"),
    "too likely": ({"endpoint": CERTIFICATES, "kind": "reset", "chance": 2}, "chance must be a number from 0 to 1"),
    "wrong place": ({"endpoint": "ditio.token", "kind": "clamp"}, "clamp makes no sense at ditio.token"),
}


@pytest.mark.parametrize(("wanted", "words"), WRONG.values(), ids=WRONG)
def test_wrong_faults_are_refused(raw: Raw, wanted: dict[str, Any], words: str) -> None:
    answer = requests.post(raw.client.server.urls["control_url"] + "/faults", json=wanted, timeout=10)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert raw.client.control("GET", "/faults")["switched"] == []


def test_the_control_api_describes_its_faults(raw: Raw) -> None:
    described = requests.get(raw.client.server.urls["base_url"] + "/openapi.json", timeout=10).json()
    body = described["paths"]["/control/faults"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert [one["title"] for one in body["oneOf"]] == list(KINDS)
    assert body["oneOf"][0]["properties"]["seconds"] == {"type": "number", "default": 1.0}


# --- the command line ----------------------------------------------------------------------------------


def test_faults_on_the_command_line() -> None:
    fault = parse_fault("4hse.certificate.index=status:status=502,times=3,after=1")
    shown = fault.as_dict()
    wanted = {"endpoint": CERTIFICATES, "kind": "status", "status": 502, "times": 3, "after": 1}
    assert wanted.items() <= shown.items()
    assert parse_fault("ditio.*=reset").as_dict()["times"] is None


@pytest.mark.parametrize("text", ["reset", "4hse.token=", "4hse.token=status:502", "4hse.token=status:=3", "=reset"])
def test_wrong_faults_on_the_command_line(text: str) -> None:
    with pytest.raises(FaultError, match=r"is no fault|neither an endpoint"):
        parse_fault(text)


def test_a_fault_from_the_start(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "certrecon_sandbox", "--certificates", "0", "--ready-file", str(ready)]
    process = subprocess.Popen([*command, "--fault", "ditio.token=html:status=200", "--fault", "4hse.*=reset"])
    try:
        end = time.monotonic() + 30
        while not ready.exists() and time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        facts = json.loads(ready.read_text())
        answer = requests.post(facts["ditio_token_url"], timeout=10)
        assert (answer.status_code, answer.text[:15]) == (200, "<!DOCTYPE html>")
        with pytest.raises(requests.ConnectionError):
            requests.post(facts["fourhse_token_url"], timeout=10)
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_a_wrong_fault_does_not_start() -> None:
    command = [sys.executable, "-m", "certrecon_sandbox", "--fault", "4hse.token=gremlins"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert "unknown kind of fault 'gremlins'" in ended.stderr
