REVOKE ALL ON ALL TABLES IN SCHEMA reconciliation FROM certrecon_writer, certrecon_auditor;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA reconciliation FROM certrecon_writer, certrecon_auditor;

GRANT USAGE ON SCHEMA reconciliation TO certrecon_writer, certrecon_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA reconciliation TO certrecon_writer, certrecon_auditor;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA reconciliation TO certrecon_writer, certrecon_auditor;

GRANT INSERT ON
    reconciliation.run, reconciliation.claim, reconciliation.claim_person, reconciliation.dangling_link,
    reconciliation.ditio_upsert, reconciliation.ditio_attempt, reconciliation.withdrawn_upsert, reconciliation.approval,
    reconciliation.evidence_purge, reconciliation.pseudonymisation, reconciliation.removal,
    reconciliation.settings_version, reconciliation.finding_catalogue, reconciliation.webhook_address,
    reconciliation.change_hint, reconciliation.linking, reconciliation.created_link
    TO certrecon_writer;
GRANT UPDATE (status, failure, finished_at, certificates, links, persons, employees, claims, sent, withdrawn, tenants,
              dispositions, findings, guards, evidence_uri, inputs_sha256, outcome_sha256, records, chain_no,
              previous_sha256, chain_sha256)
    ON reconciliation.run TO certrecon_writer;
GRANT UPDATE (ended_run_seq, resource_id, person_name, employee_number, detail, pseudonymisation_id, pseudonym_sha256)
    ON reconciliation.claim TO certrecon_writer;
-- The names of persons whose claims are pseudonymised; a trigger keeps all others.
GRANT DELETE ON reconciliation.claim_person TO certrecon_writer;
GRANT UPDATE (ended_run_seq) ON reconciliation.withdrawn_upsert TO certrecon_writer;
GRANT UPDATE (ended_run_seq) ON reconciliation.dangling_link TO certrecon_writer;
GRANT UPDATE ON reconciliation.ditio_upsert TO certrecon_writer;
GRANT UPDATE (severity, owner, title, advice, overridable) ON reconciliation.finding_catalogue TO certrecon_writer;
GRANT UPDATE (revoked_at, revoked_by) ON reconciliation.webhook_address TO certrecon_writer;
GRANT UPDATE (settled_run_seq) ON reconciliation.change_hint TO certrecon_writer;
-- Hints are removed when they are as old as evidence may become.
GRANT DELETE ON reconciliation.change_hint TO certrecon_writer;
-- Opening a run may set its number above those of the evidence store.
GRANT UPDATE ON SEQUENCE reconciliation.run_run_seq_seq TO certrecon_writer;
