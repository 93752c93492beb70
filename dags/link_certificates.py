"""By hand: links certificates that have no effect on compliance to an action in 4HSE, once a person approved it."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, TriggerRule, chain

from certrecon_plugin.habits import TASK_DEFAULTS
from certrecon_plugin.operators.linking import (
    AskOperator,
    CheckOperator,
    FinishOperator,
    HintOperator,
    LinkOperator,
    LinkTask,
    LookOperator,
    ReadBackOperator,
)
from certrecon_plugin.telling.callbacks import tell_of_failed_linking

PARAMS = {
    "certificate_ids": Param(
        [],
        type="array",
        items={"type": "string", "minLength": 1},
        minItems=1,
        title="Certificates",
        description_md="Ids of 4HSE certificates without a CertificateAction, one a line. The worklist has them, and "
        "starts this DAG with those that you tick there.",
    ),
    "action_id": Param(
        None,
        type=["null", "string"],
        title="Action, by id",
        description_md="The id of the 4HSE action to which all of them are to be linked, as in the address of the "
        "action in 4HSE.",
    ),
    "action_code": Param(
        None,
        type=["null", "string"],
        title="Action, by code",
        description_md="Or its code, where the certificates' project has one action of that code. Where it has several "
        "(one an office), nothing is linked, and the message has their ids.",
    ),
    "date_expire": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Expiry of the links",
        description_md="Empty: each certificate's own. A link cannot expire after its certificate does.",
    ),
    "dry_run": Param(
        False,
        type="boolean",
        title="Only say what would be linked",
        description_md="Looks at the certificates and says in the log of *look* what would become of each. Nobody is "
        "asked, and nothing is written.",
    ),
}

DOC = """
### Link certificates

**Purpose.** A certificate in 4HSE without a CertificateAction has no effect on compliance and is not sent to Ditio.
This DAG ties such certificates to an action: it looks at them, asks a person, creates the CertificateActions in 4HSE,
reads them back, and has the certificates taken through the reconciliation. It is the only DAG that writes to 4HSE, and
off unless the setting `linking.enabled` is true.

**Owner.** The HSE integration team. HSE staff decide which action a certificate belongs to.

**When it waits.** The task *ask* shows the list to a person, under *Browse, Required Actions*. Without an answer in
time, or with *Refuse*, nothing is written.

**When it fails.** The task *finish* says what was linked and what was not. Every created link is on the record in the
table `created_link`. Clear the task *link* to go on: it looks first what is there, and never creates a link twice.
"""

with DAG(
    dag_id="link_certificates",
    schedule=None,
    catchup=False,
    allowed_run_types=["manual"],
    max_active_runs=1,
    is_paused_upon_creation=True,
    params=PARAMS,
    default_args=TASK_DEFAULTS,
    on_failure_callback=tell_of_failed_linking,
    tags=["hse", "certificates", "linking"],
    doc_md=DOC,
):
    check = CheckOperator(task_id=LinkTask.CHECK.value, retries=0)
    look = LookOperator(task_id=LinkTask.LOOK.value)
    # A worker lost at the moment of the answer lets the question be asked again.
    ask = AskOperator(task_id=LinkTask.ASK.value, retries=2, retry_delay=timedelta(seconds=10))
    link = LinkOperator(task_id=LinkTask.LINK.value)
    read_back = ReadBackOperator(task_id=LinkTask.READ_BACK.value, trigger_rule=TriggerRule.ALL_DONE)
    hint = HintOperator(task_id=LinkTask.HINT.value, trigger_rule=TriggerRule.ALL_DONE)
    finish = FinishOperator(task_id=LinkTask.FINISH.value, trigger_rule=TriggerRule.ALL_DONE)

    chain(check, look, ask, link, read_back, hint, finish)
