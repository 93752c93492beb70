"""What is wrong with a connection, in words for whoever fills in its form; no secret and no value of a row."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from certrecon.api.labels import (
    DITIO_HOST,
    DITIO_SCOPE,
    DITIO_TOKEN_URL,
    FOURHSE_HOST,
    FOURHSE_SCOPE,
    FOURHSE_TOKEN_URL,
    Label,
)
from certrecon.api.redaction import Redactor
from certrecon.api.vendor_errors import VendorError, parse_error
from certrecon.api.wire import Answer, Fault, FaultKind
from certrecon.errors import (
    CertreconError,
    ConnectionSettingsError,
    CredentialsError,
    ResponseFormatError,
    VendorUnavailableError,
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about each refusal of one vendor.

    Attributes:
        vendor: Its name.
        usual: What each field usually holds: the addresses, and the scope.
        user: What is wrong when the token endpoint says `invalid_grant`.
        client: What is wrong when it says `invalid_client`.
        unwanted: Why the API may refuse a token that the token endpoint gave.
        forbidden: What the API may want when it says 403.
    """

    vendor: str
    usual: dict[Label, str]
    user: str
    client: str
    unwanted: str
    forbidden: str


FOURHSE = Advice(
    vendor="4HSE",
    usual={Label.HOST: FOURHSE_HOST, Label.TOKEN_URL: FOURHSE_TOKEN_URL, Label.SCOPE: FOURHSE_SCOPE},
    user="Login or Password is wrong",
    client="Client ID or Client secret is wrong",
    unwanted="Check that Host and Token URL belong to the same 4HSE",
    forbidden="Ask an administrator of 4HSE to let this user read the project",
)
FOURHSE_BY_ACCESS_TOKEN = Advice(
    vendor="4HSE",
    usual=FOURHSE.usual,
    user=FOURHSE.user,
    client=FOURHSE.client,
    unwanted="Access token is wrong or was withdrawn. Ask 4HSE for another one",
    forbidden=FOURHSE.forbidden,
)
DITIO = Advice(
    vendor="Ditio",
    usual={Label.HOST: DITIO_HOST, Label.TOKEN_URL: DITIO_TOKEN_URL, Label.SCOPE: DITIO_SCOPE},
    user="Client ID or Client secret is wrong",
    client="Client ID or Client secret is wrong",
    unwanted=(
        f"Check that Host and Token URL belong to the same Ditio, that Scope is {DITIO_SCOPE}, and in Ditio that the "
        "client is not disabled or past its end"
    ),
    forbidden=f"Check that Scope is {DITIO_SCOPE} and, in Ditio, that the client may read employees",
)


def fault_words(advice: Advice, label: Label, url: str, fault: Fault) -> CertreconError:
    """Return the exception for an address that gave no usable answer.

    Args:
        advice: The vendor's.
        label: The field that holds the address.
        url: The address that was asked.
        fault: Why there is no answer.
    """
    what = f"{label} does not work: {advice.vendor} at {urlsplit(url).netloc} {fault.text}"
    if fault.kind in {FaultKind.MALFORMED, FaultKind.TOO_LARGE}:
        return ResponseFormatError(f"{what}. {_usual(advice, label)}")
    if fault.kind in {FaultKind.CONNECT, FaultKind.CERTIFICATE}:
        return ConnectionSettingsError(f"{what}. {_usual(advice, label)}, and that this machine may reach it")
    return VendorUnavailableError(f"{what}. Try again, and check the address if it stays so")


def refusal_words(
    advice: Advice, label: Label, url: str, answer: Answer, what: str, redactor: Redactor
) -> CertreconError:
    """Return the exception for an answer that is no success.

    Args:
        advice: The vendor's.
        label: The field that holds the address: the API's, or that of the token endpoint.
        url: The address that was asked.
        answer: The answer.
        what: What was asked for: "projects".
        redactor: Knows the secrets.
    """
    error = parse_error(answer.body, redactor, values=False)
    said = _said(answer.status, error)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return VendorUnavailableError(f"{advice.vendor} is not available at the moment: {said}. Try again later")
    if _is_no_api(answer.status):
        where = f"{label} does not work: {advice.vendor} at {urlsplit(url).netloc} answered {said}"
        return ConnectionSettingsError(f"{where}, so there is no API at this address. {_usual(advice, label)}")
    if label is Label.TOKEN_URL:
        return _no_token(advice, answer.status, error.code, said)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return CredentialsError(f"{advice.vendor} refused the token: {said}. {advice.unwanted}")
    if answer.status == HTTPStatus.FORBIDDEN:
        return CredentialsError(f"There is no right to read {what}: {said}. {advice.forbidden}")
    return ConnectionSettingsError(f"{advice.vendor} refused to list {what}: {said}")


def _no_token(advice: Advice, status: int, code: str | None, said: str) -> CertreconError:
    """Return the exception for a refusal of the token endpoint (RFC 6749, 5.2)."""
    answered = f"{advice.vendor} gave no token: {said}"
    if code == "invalid_scope":
        usual = advice.usual[Label.SCOPE]
        return CredentialsError(f"Scope is wrong: {answered}. Leave it empty, or take the usual one: {usual}")
    if code == "invalid_grant":
        return CredentialsError(f"{advice.user}: {answered}")
    if code == "invalid_client" or status == HTTPStatus.UNAUTHORIZED:
        return CredentialsError(f"{advice.client}: {answered}")
    if code in {"unauthorized_client", "unsupported_grant_type"}:
        return CredentialsError(f"The client may not ask for a token in this way: {answered}. Ask {advice.vendor}")
    return CredentialsError(f"{answered}. Check Token URL, the credentials and the scope")


def _is_no_api(status: int) -> bool:
    """Return whether a status says that nothing of the vendor's API is there; a redirect is never followed."""
    redirect = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return redirect or status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE}


def _usual(advice: Advice, label: Label) -> str:
    return f"Check it: usually it is {advice.usual[label]}"


def _said(status: int, error: VendorError) -> str:
    try:
        reason = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        reason = str(status)
    return f"{reason} ({error})" if str(error) else reason
