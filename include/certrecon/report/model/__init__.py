"""The report of a run as one frozen, typed model; summary, page, workbook and CSV only render it.

Nothing in it depends on when or where it is made: the same evidence gives the same report.
"""

from certrecon.report.model.changes import CHANGES, Change, ChangeRow, Changes, Told
from certrecon.report.model.head import (
    ApprovalNote,
    ChainHead,
    PreviousRun,
    RunHead,
    SettingChange,
    SettingsChanges,
)
from certrecon.report.model.inputs import (
    ANSWERS,
    DANGLING,
    DOUBTFUL,
    EARLIER_PAYLOADS,
    LEDGER_AFTER,
    RUNS,
    WITHDRAWN_SINCE,
    ReportInputs,
)
from certrecon.report.model.outlook import Outlook, TrendRun
from certrecon.report.model.report import RunReport
from certrecon.report.model.sending import DoubtfulRow, GuardNote, PlanReport, PlanRow
from certrecon.report.model.totals import Control, DatasetTotal, FindingCount, Flow, FlowEdge, FlowNode
from certrecon.report.model.work import (
    AnyRow,
    ClaimRow,
    DanglingRow,
    Excerpt,
    Refusal,
    UnmappedRow,
    UnmatchedRow,
    WithdrawnRow,
    WorkGroup,
    WorkList,
)

__all__ = [
    "ANSWERS",
    "CHANGES",
    "DANGLING",
    "DOUBTFUL",
    "EARLIER_PAYLOADS",
    "LEDGER_AFTER",
    "RUNS",
    "WITHDRAWN_SINCE",
    "AnyRow",
    "ApprovalNote",
    "ChainHead",
    "Change",
    "ChangeRow",
    "Changes",
    "ClaimRow",
    "Control",
    "DanglingRow",
    "DatasetTotal",
    "DoubtfulRow",
    "Excerpt",
    "FindingCount",
    "Flow",
    "FlowEdge",
    "FlowNode",
    "GuardNote",
    "Outlook",
    "PlanReport",
    "PlanRow",
    "PreviousRun",
    "Refusal",
    "ReportInputs",
    "RunHead",
    "RunReport",
    "SettingChange",
    "SettingsChanges",
    "Told",
    "TrendRun",
    "UnmappedRow",
    "UnmatchedRow",
    "WithdrawnRow",
    "WorkGroup",
    "WorkList",
]
