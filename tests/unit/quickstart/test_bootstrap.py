from __future__ import annotations

import re
from pathlib import Path

import pytest

from certrecon_quickstart.bootstrap import (
    SetupError,
    check_python,
    fingerprint,
    locked_entry,
    parse_pip_settings,
    run,
    uv_environment,
)

ROOT = Path(__file__).resolve().parents[3]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 14)])
def test_python_new_enough(version: tuple[int, int]) -> None:
    check_python(version)
    assert (ROOT / "pyproject.toml").read_text(encoding="utf-8").count('requires-python = ">=3.11,<3.15"') == 1


@pytest.mark.parametrize("version", [(3, 10), (3, 9), (2, 7)])
def test_python_too_old(version: tuple[int, int]) -> None:
    with pytest.raises(SetupError, match=r"Python 3\.11 or newer is needed, this is"):
        check_python(version)


@pytest.mark.parametrize("line", [line for line in REQUIREMENTS if line and not line.startswith("#")])
def test_every_direct_requirement_is_exact_reasoned_and_locked(line: str) -> None:
    pin, _, reason = line.partition("  # ")
    name, _, version = re.sub(r"\[.*?\]", "", pin.partition(" ;")[0]).partition("==")
    assert len(reason) > 10
    assert re.search(rf"^{re.escape(name)}(\[\w+\])?=={re.escape(version)}[ \\;]", LOCK, re.MULTILINE | re.IGNORECASE)


def test_lock_is_complete_and_names_no_place() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", LOCK)
    assert len(entries) > 100
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"https?:|file:|--index|--find-links|^#(?!\s)|/home/|/root/", LOCK, re.MULTILINE)


def test_locked_entry_is_one_package_with_its_hashes() -> None:
    entry = "uv==1.0 ; python_version > '3' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    assert locked_entry(f"{entry}    # via -r x\nuvicorn==2 \\\n", "uv") == entry
    assert locked_entry(LOCK, "uv").startswith("uv==")


def test_locked_entry_missing() -> None:
    with pytest.raises(SetupError, match="make lock"):
        locked_entry("uvicorn==2 \\\n    --hash=sha256:aa\n", "uv")


def test_pip_settings_environment_wins_over_files() -> None:
    listing = (
        ":env:.find-links='/wheels /more'\nglobal.find-links='/old'\n"
        "install.index-url='https://mirror/simple'\nnot a setting\ndownload.timeout='9'\n"
    )
    assert parse_pip_settings(listing) == {
        "find-links": ["/wheels", "/more"],
        "index-url": ["https://mirror/simple"],
    }


def test_uv_looks_where_pip_looks(tmp_path: Path) -> None:
    settings = {
        "index-url": ["https://mirror/simple"],
        "extra-index-url": ["https://a", "https://b"],
        "find-links": ["/wheels", "/more"],
        "cert": ["/ca.pem"],
        "retries": ["3"],
    }
    found = uv_environment({"HOME": str(tmp_path), "SSL_CERT_FILE": "/mine.pem"}, settings, tmp_path)
    assert found["UV_DEFAULT_INDEX"] == "https://mirror/simple"
    assert found["UV_INDEX"] == "https://a https://b"
    assert found["UV_FIND_LINKS"] == "/wheels,/more"
    assert found["SSL_CERT_FILE"] == "/mine.pem", "what the caller set stays"
    assert "UV_CACHE_DIR" not in found


def test_uv_without_a_home_stays_in_the_checkout(tmp_path: Path) -> None:
    found = uv_environment({"HOME": "/nonexistent"}, {}, tmp_path)
    assert found["UV_CACHE_DIR"] == str(tmp_path / "var" / "cache" / "uv")


def test_fingerprint_follows_files_and_place(tmp_path: Path) -> None:
    seen = set()
    for place, lock, project in [("a", "1", "1"), ("a", "2", "1"), ("a", "2", "2"), ("b", "2", "2")]:
        root = tmp_path / place
        root.mkdir(exist_ok=True)
        files = (root / "requirements.lock", root / "pyproject.toml")
        for file, text in zip(files, (lock, project), strict=True):
            file.write_text(text)
        assert fingerprint(root, *files) == fingerprint(root, *files)
        seen.add(fingerprint(root, *files))
    assert len(seen) == 4


def test_a_program_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(SetupError, match="/nonexistent/uv cannot be started"):
        run(["/nonexistent/uv", "pip"], {})
