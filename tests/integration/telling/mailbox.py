"""A real SMTP server on loopback that keeps every mail it is given."""

from __future__ import annotations

import email
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

SMTP_NOTIFIER = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"


@dataclass
class Mailbox:
    """What was delivered, and what the server answers.

    Attributes:
        mails: Every mail, in the order they came.
        refuses: Whether the server refuses each mail from now on.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refuses: bool = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self.refuses:
            return "554 5.7.1 no mail today"
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(cast("EmailMessage", email.message_from_bytes(content, policy=default)))
        return "250 2.0.0 ok"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["subject"]) for mail in self.mails]

    @property
    def bodies(self) -> list[str]:
        return [body_of(mail) for mail in self.mails]

    def environment(self, *entries: dict[str, Any]) -> dict[str, str]:
        """What a process needs so that its notifiers send here; one entry that hears of everything by default."""
        connection = {
            "conn_type": "smtp", "host": "127.0.0.1", "port": self.port,
            "extra": {"disable_ssl": True, "disable_tls": True, "timeout": 5, "retry_limit": 0},
        }  # fmt: skip
        return {
            "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(connection),
            "CERTRECON_NOTIFIERS": json.dumps(list(entries) or [by_mail()]),
        }


def by_mail(**more: Any) -> dict[str, Any]:
    """An entry of `CERTRECON_NOTIFIERS` for e-mail."""
    kwargs = {"to": ["hse@example.com"], "from_email": "airflow@example.com"}
    return {"class": SMTP_NOTIFIER, "kwargs": kwargs | more.pop("kwargs", {}), **more}


def body_of(mail: EmailMessage) -> str:
    """The text of a mail's one part."""
    part = next(part for part in mail.walk() if not part.is_multipart())
    return cast("bytes", part.get_payload(decode=True)).decode()


@contextmanager
def running_mailbox() -> Iterator[Mailbox]:
    """Run the server on a free port of loopback."""
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        mailbox.port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
