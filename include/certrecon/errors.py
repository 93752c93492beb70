"""Every exception of the project, grouped by what can be done about it.

Catch a group, raise a leaf. The message of each is one or two sentences for an operator: what
happened, to which row, setting or connection, and what to do next. No message carries a secret, a
vendor's whole answer or a person's data.

| group | what can be done | Airflow |
|---|---|---|
| `FixableError` | somebody changes a setting, a connection or a parameter, then runs again | fails at once |
| `PassingError` | nothing; the same call later may succeed | retries |
| `SourceError` | the read was not whole; the next run reads again | fails at once |
| `IntegrityError` | the run contradicts itself or was taken over: nothing may be sent or loaded | fails at once |
| `UnknownOutcomeError` | somebody looks whether it was done, and only then sends it again | fails at once |
| `PublishingError` | publishing ended before every row was acknowledged; the next run goes on | fails at once |
"""

from __future__ import annotations


class CertreconError(Exception):
    """The root of the project's exceptions."""


class FixableError(CertreconError):
    """Somebody must change something before the same run can succeed."""


class SettingsError(FixableError):
    """A settings key or value is wrong; the message names both."""


class ParameterError(FixableError):
    """A run parameter is unknown or wrong; the message names it."""


class ConnectionSettingsError(FixableError):
    """An Airflow connection is missing or lacks a part; the message names both."""


class CredentialsError(FixableError):
    """A vendor refused the credentials (401) or the right to do this (403), or its token endpoint gave no token.

    Attributes:
        status: The HTTP status of the answer, where it was the answer to a request.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep the status beside the message."""
        super().__init__(message)
        self.status = status


class RequestRefusedError(FixableError):
    """A vendor refused a request (any other 4xx); the message carries the vendor's words.

    Attributes:
        status: The HTTP status of the answer.
    """

    def __init__(self, message: str, status: int) -> None:
        """Keep the status beside the message."""
        super().__init__(message)
        self.status = status


class RequirementError(FixableError):
    """What was to be sent breaks a documented requirement; nothing was sent.

    Attributes:
        fields: The fields at fault, by the vendor's names.
    """

    def __init__(self, message: str, fields: tuple[str, ...]) -> None:
        """Keep the fields beside the message."""
        super().__init__(message)
        self.fields = fields


class GuardTrippedError(FixableError):
    """A guard stopped publishing and nobody could be asked."""


class LinksRefusedError(FixableError):
    """Certificates were not linked: 4HSE refused, or they changed since somebody approved; the message names them."""


class PassingError(CertreconError):
    """Something outside was not available; the same call may succeed later."""


class VendorUnavailableError(PassingError):
    """A vendor did not answer usefully (5xx, broken connection, time-out) within all retries.

    Attributes:
        status: The HTTP status of the last answer; None where there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep the status beside the message."""
        super().__init__(message)
        self.status = status


class RateLimitedError(PassingError):
    """A vendor kept answering 429 within all retries."""


class WarehouseUnavailableError(PassingError):
    """PostgreSQL could not be reached."""


class StillSendingError(PassingError):
    """Another process sends to the same target, as after a scheduler that died without its tasks."""


class TargetBusyError(PassingError):
    """Another run works on the same target, and this one gives way."""


class LinksUnfinishedError(PassingError):
    """Creating links got no answer within all tries; the next try looks first what is there, and goes on."""


class NotToldError(PassingError):
    """No notifier got a message through; the message names them."""


class SourceError(CertreconError):
    """What a vendor answered cannot be taken as the whole truth."""


class IncompleteReadError(SourceError):
    """Control totals of a dataset did not agree within all reads; the message has the numbers."""


class ResponseFormatError(SourceError):
    """A successful answer was not in the documented form."""


class NoticeError(SourceError):
    """A webhook's body does not tell which entity changed."""


class IntegrityError(CertreconError):
    """The run contradicts itself; nothing may be published or loaded."""


class AccountingError(IntegrityError):
    """Totals of claims, dispositions and certificates do not add up."""


class RuleEvaluationError(IntegrityError):
    """A Great Expectations expectation raised instead of giving a result."""


class EvidenceError(IntegrityError):
    """An evidence file is missing or does not have the sealed digest."""


class LinkDiffersError(IntegrityError):
    """A link that was created is not in 4HSE as it was created."""


class RunTakenOverError(IntegrityError):
    """The run is no longer the running one of its target: clear the whole run."""


class UnknownOutcomeError(CertreconError):
    """A writing request got no answer and must not be repeated blindly: it may have been done.

    Attributes:
        row_id: The id by which to look whether it was done; None where no id was sent.
    """

    def __init__(self, message: str, row_id: str | None = None) -> None:
        """Keep the id beside the message."""
        super().__init__(message)
        self.row_id = row_id


class PublishingError(CertreconError):
    """Publishing ended with rows that Ditio has not acknowledged."""


class PublishingStoppedError(PublishingError):
    """A refusal that is no row's fault, or too many rejected rows, stopped publishing."""


class RowsUndeliveredError(PublishingError):
    """Some rows got no answer within all retries."""
