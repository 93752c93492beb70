CREATE FUNCTION reconciliation.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = format(
        '%s of %s is refused: its rows are a record and stay as they were written', TG_OP, TG_TABLE_NAME);
END $$;
COMMENT ON FUNCTION reconciliation.refuse_change() IS 'Refuses a statement on a table whose rows never change.';

CREATE FUNCTION reconciliation.refuse_run_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = CASE
        WHEN OLD.status <> 'running' THEN format('run %s is finalised: its row never changes', OLD.run_seq)
        ELSE format('run %s is open: what it was opened with never changes', OLD.run_seq) END;
END $$;
COMMENT ON FUNCTION reconciliation.refuse_run_change() IS 'Refuses a change of a run''s row, and says why.';

CREATE FUNCTION reconciliation.refuse_past_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = format(
        '%s %s is on the record: of its row only ended_run_seq is set, and once',
        TG_TABLE_NAME, to_jsonb(OLD) ->> TG_ARGV[0]);
END $$;
COMMENT ON FUNCTION reconciliation.refuse_past_change() IS
    'Refuses a change of a row that lasts over runs; the argument names its key.';

CREATE FUNCTION reconciliation.refuse_claim_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = format(
        'claim %s is on the record: of its row only ended_run_seq is set, and once; in an ended row a pseudonym takes '
        'the place of the person, and once', OLD.claim_id);
END $$;
COMMENT ON FUNCTION reconciliation.refuse_claim_change() IS 'Refuses a change of a claim that is neither its end nor '
    'its pseudonymisation.';

CREATE FUNCTION reconciliation.refuse_known_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.resource_id IS NULL OR EXISTS (
        SELECT FROM reconciliation.claim AS c
         WHERE c.target = OLD.target AND left(c.resource_id, 160) = OLD.resource_id) THEN
        RAISE EXCEPTION USING MESSAGE = format(
            '%s of %s is refused: its rows are a record and stay while a claim names the person',
            TG_OP, TG_TABLE_NAME);
    END IF;
    RETURN OLD;
END $$;
COMMENT ON FUNCTION reconciliation.refuse_known_person() IS 'Lets the name of a person go whom no claim names.';

CREATE FUNCTION reconciliation.wait_for_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('certrecon chain'));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION reconciliation.wait_for_chain() IS
    'Lets a run that is being finalised count the rows of a table before one is added.';

CREATE TRIGGER run_stays BEFORE DELETE OR TRUNCATE ON reconciliation.run
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER run_is_finalised BEFORE UPDATE ON reconciliation.run
    FOR EACH ROW
    WHEN (OLD.status <> 'running'
          OR (OLD.run_seq, OLD.run_id, OLD.attempt, OLD.target, OLD.mode, OLD.trigger, OLD.triggered_by, OLD.run_day,
              OLD.as_of, OLD.scope, OLD.started_at, OLD.settings_sha256, OLD.code_version)
             IS DISTINCT FROM
             (NEW.run_seq, NEW.run_id, NEW.attempt, NEW.target, NEW.mode, NEW.trigger, NEW.triggered_by, NEW.run_day,
              NEW.as_of, NEW.scope, NEW.started_at, NEW.settings_sha256, NEW.code_version))
    EXECUTE FUNCTION reconciliation.refuse_run_change();

CREATE TRIGGER claim_stays BEFORE DELETE OR TRUNCATE ON reconciliation.claim
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER claim_only_ends BEFORE UPDATE ON reconciliation.claim
    FOR EACH ROW
    WHEN ((OLD.claim_id, OLD.target, OLD.certificate_id, OLD.certificate_type, OLD.tenant_id, OLD.certificate_name,
           OLD.action_type, OLD.resource_type, OLD.issued_on, OLD.valid_until, OLD.linked, OLD.disposition,
           OLD.findings, OLD.first_run_seq, OLD.row_sha256, OLD.since_run_seq)
          IS DISTINCT FROM
          (NEW.claim_id, NEW.target, NEW.certificate_id, NEW.certificate_type, NEW.tenant_id, NEW.certificate_name,
           NEW.action_type, NEW.resource_type, NEW.issued_on, NEW.valid_until, NEW.linked, NEW.disposition,
           NEW.findings, NEW.first_run_seq, NEW.row_sha256, NEW.since_run_seq)
          OR NOT (
              (OLD.ended_run_seq IS NULL AND NEW.ended_run_seq IS NOT NULL
               AND (OLD.resource_id, OLD.person_name, OLD.employee_number, OLD.detail, OLD.pseudonymisation_id,
                    OLD.pseudonym_sha256)
                   IS NOT DISTINCT FROM
                   (NEW.resource_id, NEW.person_name, NEW.employee_number, NEW.detail, NEW.pseudonymisation_id,
                    NEW.pseudonym_sha256))
              OR
              (OLD.ended_run_seq IS NOT NULL AND NEW.ended_run_seq IS NOT DISTINCT FROM OLD.ended_run_seq
               AND OLD.pseudonymisation_id IS NULL AND NEW.pseudonymisation_id IS NOT NULL
               AND NEW.pseudonym_sha256 IS NOT NULL
               AND coalesce(NEW.resource_id ~ '^pseudonym-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', false)
               AND NEW.person_name IS NULL AND NEW.employee_number IS NULL
               AND NEW.detail IS NOT DISTINCT FROM
                   jsonb_set(OLD.detail, '{ditio_employee_number}', 'null', false))))
    EXECUTE FUNCTION reconciliation.refuse_claim_change();

CREATE TRIGGER withdrawn_stays BEFORE DELETE OR TRUNCATE ON reconciliation.withdrawn_upsert
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER withdrawn_only_ends BEFORE UPDATE ON reconciliation.withdrawn_upsert
    FOR EACH ROW
    WHEN (OLD.ended_run_seq IS NOT NULL OR NEW.ended_run_seq IS NULL
          OR (OLD.withdrawn_id, OLD.target, OLD.employee_number, OLD.certificate_type, OLD.certificate_id, OLD.reason,
              OLD.first_run_seq)
             IS DISTINCT FROM
             (NEW.withdrawn_id, NEW.target, NEW.employee_number, NEW.certificate_type, NEW.certificate_id, NEW.reason,
              NEW.first_run_seq))
    EXECUTE FUNCTION reconciliation.refuse_past_change('withdrawn_id');

CREATE TRIGGER dangling_stays BEFORE DELETE OR TRUNCATE ON reconciliation.dangling_link
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER dangling_only_ends BEFORE UPDATE ON reconciliation.dangling_link
    FOR EACH ROW
    WHEN (OLD.ended_run_seq IS NOT NULL OR NEW.ended_run_seq IS NULL
          OR (OLD.dangling_id, OLD.target, OLD.tenant_id, OLD.certificate_action_id, OLD.certificate_id,
              OLD.action_name, OLD.action_type, OLD.first_run_seq)
             IS DISTINCT FROM
             (NEW.dangling_id, NEW.target, NEW.tenant_id, NEW.certificate_action_id, NEW.certificate_id,
              NEW.action_name, NEW.action_type, NEW.first_run_seq))
    EXECUTE FUNCTION reconciliation.refuse_past_change('dangling_id');

CREATE TRIGGER ledger_stays BEFORE DELETE OR TRUNCATE ON reconciliation.ditio_upsert
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER attempt_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation.ditio_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER approval_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation.approval
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER purge_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation.evidence_purge
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER removal_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation.removal
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER settings_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation.settings_version
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER installation_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation.installation
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER person_stays BEFORE UPDATE OR TRUNCATE ON reconciliation.claim_person
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER known_person_stays BEFORE DELETE ON reconciliation.claim_person
    FOR EACH ROW EXECUTE FUNCTION reconciliation.refuse_known_person();
CREATE TRIGGER pseudonymisation_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation.pseudonymisation
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();

CREATE TRIGGER linking_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation.linking
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();
CREATE TRIGGER created_link_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation.created_link
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.refuse_change();

CREATE TRIGGER purge_waits BEFORE INSERT ON reconciliation.evidence_purge
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.wait_for_chain();
CREATE TRIGGER removal_waits BEFORE INSERT ON reconciliation.removal
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.wait_for_chain();
CREATE TRIGGER pseudonymisation_waits BEFORE INSERT ON reconciliation.pseudonymisation
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.wait_for_chain();
CREATE TRIGGER linking_waits BEFORE INSERT ON reconciliation.linking
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.wait_for_chain();
CREATE TRIGGER created_link_waits BEFORE INSERT ON reconciliation.created_link
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.wait_for_chain();
-- Whoever pseudonymises holds the chain's lock: nobody's claims come back while their name goes.
CREATE TRIGGER claim_waits BEFORE INSERT ON reconciliation.claim
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation.wait_for_chain();
