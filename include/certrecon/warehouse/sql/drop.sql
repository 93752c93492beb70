-- Everything the other files of this folder make, those that depend on others first.
DROP VIEW IF EXISTS reconciliation.reconciliation_report;
DROP VIEW IF EXISTS reconciliation.report_summary;
DROP FUNCTION IF EXISTS reconciliation.reconciliation_report_of(bigint);
DROP FUNCTION IF EXISTS reconciliation.claim_as_of(bigint);
DROP VIEW IF EXISTS reconciliation.claim_current;
-- With each function go the triggers that call it.
DROP FUNCTION IF EXISTS reconciliation.refuse_change() CASCADE;
DROP FUNCTION IF EXISTS reconciliation.refuse_run_change() CASCADE;
DROP FUNCTION IF EXISTS reconciliation.refuse_past_change() CASCADE;
DROP FUNCTION IF EXISTS reconciliation.refuse_claim_change() CASCADE;
DROP FUNCTION IF EXISTS reconciliation.refuse_known_person() CASCADE;
DROP FUNCTION IF EXISTS reconciliation.wait_for_chain() CASCADE;
