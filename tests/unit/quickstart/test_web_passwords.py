"""The web UI's passwords are made by us, so that Airflow prints none of them into its log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from certrecon_quickstart.__main__ import web_passwords
from certrecon_quickstart.errors import QuickstartError
from certrecon_quickstart.project import Project
from certrecon_quickstart.web_passwords import FILE, USERS, complete_passwords


def variables(file: Path, users: str = "admin:admin,auditor:viewer") -> dict[str, str]:
    return {USERS: users, FILE: str(file)}


def test_every_user_gets_a_password_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    assert complete_passwords(variables(file)) == ["admin", "auditor"]
    made = json.loads(file.read_text(encoding="utf-8"))
    assert sorted(made) == ["admin", "auditor"]
    assert all(len(password) > 20 for password in made.values())
    assert len(set(made.values())) == 2


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    complete_passwords(variables(file))
    assert file.stat().st_mode & 0o077 == 0


def test_who_has_a_password_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    file.write_text(json.dumps({"admin": "long since typed by somebody"}), encoding="utf-8")
    assert complete_passwords(variables(file, "admin:admin, nightly:op")) == ["nightly"]
    assert json.loads(file.read_text(encoding="utf-8"))["admin"] == "long since typed by somebody"
    assert complete_passwords(variables(file, "admin:admin,nightly:op")) == []


@pytest.mark.parametrize("missing", [USERS, FILE])
def test_what_is_not_set_is_named(tmp_path: Path, missing: str) -> None:
    with pytest.raises(QuickstartError, match=missing):
        complete_passwords(variables(tmp_path / "passwords.json") | {missing: ""})


@pytest.mark.parametrize("text", ["{", "[]", '"admin"'])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "passwords.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(QuickstartError, match="delete it"):
        complete_passwords(variables(file))
    assert file.read_text(encoding="utf-8") == text


def test_the_command_says_whose_but_not_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = variables(tmp_path / "passwords.json")
    for said in ("Made passwords for admin, auditor.\n", "Every user has a password.\n"):
        assert web_passwords(Project.of_checkout(), given, []) == 0
        assert capsys.readouterr().out == said
