"""What is new in a run, and for how long nothing has succeeded: on a real PostgreSQL, night after night."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine, text

from certrecon.telling.news import RunNews, is_newest_night, read_news, without_vendor_words
from certrecon.telling.occasions import Occasion
from certrecon.telling.silence import read_silence
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.runs import read_run

TARGET, OTHER = "t" * 64, "u" * 64
DAY = dt.datetime(2026, 3, 2, 2, 30, tzinfo=dt.UTC)
_RUN = text("""
    INSERT INTO reconciliation.run
           (run_id, attempt, target, mode, trigger, run_day, as_of, scope, status, failure, started_at, finished_at,
            settings_sha256, code_version, sent, withdrawn, dispositions)
    VALUES (:run_id, 1, :target, :mode, 'scheduled', CAST(:at AS date), CAST(:at AS date),
            CAST(:scope AS jsonb), :status, :failure, :at,
            CASE WHEN :status = 'running' THEN NULL ELSE CAST(:at AS timestamptz) + interval '10 minutes' END,
            's', 'test', 0, 0, CAST(:dispositions AS jsonb)) RETURNING run_seq""")
_ATTEMPT = text("""
    INSERT INTO reconciliation.ditio_attempt
           (run_seq, batch_id, target, employee_number, certificate_type, payload_sha256, sent_at, state)
    VALUES (:run, 'b', :target, :number, 'Crane', :payload, now(), :state)""")
_UPSERT = text("""
    INSERT INTO reconciliation.ditio_upsert
           (target, employee_number, certificate_type, certificate_id, payload, payload_sha256, state, run_seq)
    VALUES (:target, :number, 'Crane', 'c', '{}', :payload, :state, :run)
    ON CONFLICT (target, employee_number, certificate_type)
    DO UPDATE SET state = excluded.state, payload_sha256 = excluded.payload_sha256, run_seq = excluded.run_seq""")
_END_WITHDRAWN = text("""
    UPDATE reconciliation.withdrawn_upsert SET ended_run_seq = :run
     WHERE ended_run_seq IS NULL AND employee_number = :number""")
_WITHDRAW = text("""
    INSERT INTO reconciliation.withdrawn_upsert (target, employee_number, certificate_type, reason, first_run_seq)
    VALUES (:target, :number, 'Crane', :reason, :run)""")


@dataclass
class Nights:
    """Runs one after the other, a day apart, of one target or several."""

    engine: Engine
    at: dt.datetime = DAY
    runs: list[int] = field(default_factory=list)

    def night(
        self,
        answers: dict[str, tuple[str, str]] | None = None,
        *,
        withdraws: dict[str, str] | None = None,
        supports: tuple[str, ...] = (),
        failure: str | None = None,
        mode: str = "publish",
        tenants: str = "[]",
        target: str = TARGET,
        status: str | None = None,
        dispositions: str = '{"rejected": 1}',
    ) -> RunNews | None:
        """A run; `answers` are payload and state by number, `withdraws` reasons by number."""
        status = status or ("failed" if failure else "succeeded")
        self.at += dt.timedelta(days=1)
        run = {
            "run_id": f"r{self.at:%d%H}{target[:1]}{mode}{len(self.runs)}",
            "target": target,
            "mode": mode,
            "at": self.at,
        }
        run |= {"scope": f'{{"tenant_ids": {tenants}}}', "status": status, "failure": failure}
        run["dispositions"] = dispositions
        with transaction(self.engine) as conn:
            seq = conn.execute(_RUN, run).scalar_one()
            for number, (payload, state) in (answers or {}).items():
                values = {"run": seq, "target": target, "number": number, "state": state}
                values["payload"] = hashlib.sha256(payload.encode()).hexdigest()
                conn.execute(_ATTEMPT, values)
                conn.execute(_UPSERT, values)
            for number in (*supports, *(withdraws or {})):
                conn.execute(_END_WITHDRAWN, {"run": seq, "number": number})
            for number, reason in (withdraws or {}).items():
                conn.execute(_WITHDRAW, {"run": seq, "target": target, "number": number, "reason": reason})
            self.runs.append(seq)
            return read_news(conn, seq)


@pytest.fixture
def nights(warehouse: Engine) -> Nights:
    return Nights(warehouse)


NO, YES = "rejected", "acknowledged"
REFUSED = '{"refused": 12, "delivered": 3}'


@pytest.mark.parametrize(
    ("answers", "new"),
    [
        pytest.param([{"1": ("a", NO), "2": ("a", NO), "3": ("a", YES)}], [2], id="refused for the first time"),
        pytest.param([{"1": ("a", NO)}, {"1": ("a", NO)}, {"1": ("a", NO)}], [1, 0, 0], id="refused again is no news"),
        pytest.param([{"1": ("a", NO)}, {}, {"1": ("a", NO)}], [1, 0, 0], id="nor after a night that did not try"),
        pytest.param([{"1": ("a", NO)}, {"1": ("b", NO)}], [1, 1], id="somebody corrected it, and it is refused again"),
        pytest.param([{"1": ("a", NO)}, {"1": ("a", YES)}, {"1": ("a", NO)}], [1, 0, 1], id="taken in between: new again"),
        pytest.param([{"1": ("a", NO)}, {"2": ("a", NO)}], [1, 1], id="another worker's row"),
    ],
)  # fmt: skip
def test_a_rejection_is_told_once(nights: Nights, answers: list[dict[str, tuple[str, str]]], new: list[int]) -> None:
    news = [nights.night(one) for one in answers]
    assert [one.new_rejections for one in news if one] == new
    assert [Occasion.NEW_REJECTIONS in one.occasions for one in news if one] == [count > 0 for count in new]


def test_a_row_refused_twice_in_a_run_and_then_taken_is_no_news(nights: Nights) -> None:
    nights.night({"1": ("a", NO)}, status="running")
    with transaction(nights.engine) as conn:
        values = {"run": nights.runs[0], "target": TARGET, "number": "1", "state": YES, "payload": "x"}
        conn.execute(_ATTEMPT, values)
        conn.execute(_UPSERT, values)
        conn.execute(text("UPDATE reconciliation.run SET status = 'succeeded', finished_at = now()"))
        news = read_news(conn, nights.runs[0])
    assert news is not None
    assert news.occasions == ()


def test_a_withdrawal_is_told_once_whatever_its_reason_becomes(nights: Nights) -> None:
    told = [
        nights.night(withdraws={"1": "deleted", "2": "unlinked"}),
        nights.night(),
        nights.night(withdraws={"1": "blocked:NAME_MISMATCH"}),
        nights.night(supports=("2",)),
        nights.night(withdraws={"2": "unlinked"}),
    ]
    assert [one.new_withdrawals for one in told if one] == [2, 0, 0, 0, 1]
    assert [bool(one.occasions) for one in told if one] == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("nights_before", "failure", "new"),
    [
        pytest.param([{}], "Ditio answered 401.", True, id="the first failure"),
        pytest.param([{"failure": "Ditio answered 401."}], "Ditio answered 401.", False, id="the same again"),
        pytest.param([{"failure": "3 of 9 rows (x)."}], "12 of 40 rows (y).", False, id="the same with other numbers and words"),
        pytest.param([{"failure": "Ditio answered 401."}], "4HSE answered 401.", True, id="another reason"),
        pytest.param([{"failure": "Ditio answered 401."}, {}], "Ditio answered 401.", True, id="again after a success"),
        pytest.param(
            [{"failure": "Ditio answered 401."}, {"mode": "dry_run"}], "Ditio answered 401.", False, id="a dry run is no success"
        ),
        pytest.param(
            [{"failure": "Ditio answered 401."}, {"tenants": '["p"]'}], "Ditio answered 401.", False,
            id="nor is a run of one project",
        ),
        pytest.param(
            [{"failure": "Ditio answered 401."}, {"failure": "abandoned: run 7 took the target over"}],
            "Ditio answered 401.", False, id="nor is one that was taken over",
        ),
        pytest.param([{"failure": "Ditio answered 401.", "target": OTHER}], "Ditio answered 401.", True, id="of another company"),
    ],
)  # fmt: skip
def test_a_failure_is_told_once_as_long_as_it_lasts(
    nights: Nights, nights_before: list[dict[str, str]], failure: str, new: bool
) -> None:
    for one in nights_before:
        nights.night(**one)  # type: ignore[arg-type]
    news = nights.night(failure=failure)
    assert news is not None
    assert (Occasion.RUN_FAILED in news.occasions) is new


def test_nothing_is_told_of_a_run_that_is_not_finalised(nights: Nights) -> None:
    assert nights.night({"1": ("a", NO)}, status="running") is None
    with transaction(nights.engine) as conn:
        assert read_news(conn, 999) is None


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("Ditio answered 403 (Ola (Nordmann) is 12), which is no fault.", "Ditio answered 403, which is no fault."),
        ("Got (a) Ola Nordmann (b). Run again.", "Got. Run again."),
        ("It said (and was cut", "It said"),
        ("The connection 'x' is missing.", "The connection 'x' is missing."),
    ],
)
def test_words_of_a_vendor_are_not_told(sentence: str, told: str) -> None:
    assert without_vendor_words(sentence) == told


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param([], None, id="nothing was ever run"),
        pytest.param([{}], (1, 23.8), id="the last success"),
        pytest.param([{}, {"failure": "x"}, {"failure": "y"}], (1, 71.8), id="failures since then"),
        pytest.param([{}, {"mode": "dry_run"}], (1, 47.8), id="a dry run is no success"),
        pytest.param([{}, {"tenants": '["p"]'}], (1, 47.8), id="a run of one project is no success"),
        pytest.param([{}, {"status": "succeeded_with_rejects"}], (2, 23.8), id="with rejects is one"),
        pytest.param([{}, {"dispositions": REFUSED}], (1, 47.8), id="a refused plan, or one without answer, is none"),
        pytest.param([{}, *[{"dispositions": REFUSED}] * 3, {}], (5, 23.8), id="until one is approved"),
        pytest.param([{"dispositions": REFUSED}, {"dispositions": REFUSED}], (None, 48.0), id="refused from the first one on"),
        pytest.param([{"status": "running"}], (None, 24.0), id="the first one was opened and never ended"),
        pytest.param([{"failure": "x"}, {"failure": "y"}], (None, 48.0), id="never, since the first one began"),
        pytest.param([{}, {}, {"target": OTHER}], (3, 23.8), id="after a move to another company it alone counts"),
        pytest.param([{}, {"target": OTHER, "failure": "x"}], (None, 24.0), id="and had no success yet"),
        pytest.param([{}, {"target": OTHER, "mode": "dry_run"}], (1, 47.8), id="a dry run at another one is no move"),
        pytest.param([{}, {"target": OTHER, "tenants": '["p"]'}], (1, 47.8), id="nor is a run of one project"),
        pytest.param([{}, {"target": OTHER}, {"failure": "x"}], (1, 71.8), id="back at the first one"),
    ],
)  # fmt: skip
def test_how_long_nothing_has_succeeded(
    nights: Nights, runs: list[dict[str, str]], expected: tuple[int | None, float] | None
) -> None:
    for one in runs:
        nights.night(**one)  # type: ignore[arg-type]
    with transaction(nights.engine) as conn:
        found = read_silence(conn, nights.at + dt.timedelta(days=1))
    numbers = {run: number for number, run in enumerate(nights.runs, 1)}
    assert (found and (numbers.get(found.success_run_seq or 0), round(found.hours, 1))) == expected


@pytest.mark.parametrize(
    ("runs", "newest"),
    [
        pytest.param([{}], [True], id="the only night"),
        pytest.param([{}, {"failure": "x"}], [False, True], id="a later night, failed ones too"),
        pytest.param([{}, {"mode": "dry_run"}], [True, False], id="a dry run must not look like a drop"),
        pytest.param([{}, {"tenants": '["p"]'}], [True, False], id="nor a run of one project"),
        pytest.param([{}, {"target": OTHER}], [True, True], id="each company by itself"),
        pytest.param([{}, {"status": "running"}], [True, False], id="a night that has not ended says nothing yet"),
    ],
)
def test_the_newest_night_shows_how_things_are(nights: Nights, runs: list[dict[str, str]], newest: list[bool]) -> None:
    for one in runs:
        nights.night(**one)  # type: ignore[arg-type]
    with transaction(nights.engine) as conn:
        records = [read_run(conn, run_seq) for run_seq in nights.runs]
        assert [is_newest_night(conn, record) for record in records if record] == newest
