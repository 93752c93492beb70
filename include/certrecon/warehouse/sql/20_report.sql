CREATE FUNCTION reconciliation.reconciliation_report_of(of_run bigint) RETURNS TABLE (
    run_seq bigint, run_id text, attempt integer, target text, mode text, run_day date, as_of date, status text,
    started_at timestamptz, finished_at timestamptz,
    certificate_id text, tenant_id text, certificate_name text, action_type text, resource_type text,
    resource_id text, certificate_type text, linked boolean, issued_on date, valid_until date,
    person_name text, employee_number text, ditio_employee_number text,
    findings text[], findings_in_words text, disposition text, payload jsonb,
    sent_at timestamptz, answered_at timestamptz, http_status integer, message text, acknowledged_at timestamptz,
    detail jsonb, first_run_seq bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT r.run_seq, r.run_id, r.attempt, r.target, r.mode, r.run_day, r.as_of, r.status,
           r.started_at, r.finished_at,
           c.certificate_id, c.tenant_id, c.certificate_name, c.action_type, c.resource_type,
           c.resource_id, c.certificate_type, c.linked, c.issued_on, c.valid_until,
           c.person_name, c.employee_number, c.detail ->> 'ditio_employee_number',
           c.findings,
           CASE WHEN c.findings = '{}' THEN ''
                ELSE (SELECT string_agg(coalesce(titles.by_code ->> f.code, f.code), '; ' ORDER BY f.place)
                        FROM unnest(c.findings) WITH ORDINALITY AS f (code, place)) END,
           c.disposition,
           CASE WHEN winner.yes THEN jsonb_build_object(
               'employeeNumber', coalesce(c.detail ->> 'ditio_employee_number', c.employee_number),
               'certificateType', c.certificate_type,
               'issuedDateTime', to_char(c.issued_on, 'YYYY-MM-DD"T00:00:00Z"'),
               'validUntilDateTime', to_char(c.valid_until, 'YYYY-MM-DD"T00:00:00Z"'),
               'certificateNumber', c.certificate_id) END,
           last.sent_at, last.answered_at, last.http_status, last.message,
           CASE WHEN c.disposition = 'delivered' THEN last.answered_at END,
           c.detail, c.first_run_seq
      FROM reconciliation.run AS r
      CROSS JOIN (SELECT jsonb_object_agg(k.code, k.title) FROM reconciliation.finding_catalogue AS k)
           AS titles (by_code)
      JOIN reconciliation.claim AS c
        ON c.target = r.target
       AND c.first_run_seq <= r.run_seq
       AND (c.ended_run_seq IS NULL OR c.ended_run_seq > r.run_seq)
      CROSS JOIN LATERAL (
          SELECT c.disposition IN ('delivered', 'planned', 'refused', 'rejected', 'undelivered')
      ) AS winner (yes)
      -- Ditio answers for a key, so only the claim that won the key has an answer.
      LEFT JOIN LATERAL (
          SELECT a.sent_at, a.answered_at, a.http_status, a.message
            FROM reconciliation.ditio_attempt AS a
           WHERE a.target = c.target AND a.employee_number = c.employee_number
             AND a.certificate_type = c.certificate_type AND a.run_seq <= r.run_seq
             -- What is delivered stands by its last acknowledgement, which may be older than a refusal of something else.
             -- For all else an earlier answer was to another payload.
             AND CASE WHEN c.disposition = 'delivered' THEN a.state = 'acknowledged'
                      ELSE a.run_seq >= c.first_run_seq END
           ORDER BY a.attempt_id DESC LIMIT 1
      ) AS last ON winner.yes
     WHERE r.run_seq = $1 AND r.mode = 'publish'
$$;
COMMENT ON FUNCTION reconciliation.reconciliation_report_of(bigint) IS
    'A publishing run x the claims as it left them: source, match, findings in words, disposition, payload, Ditio''s '
    'answer up to that run: to what is delivered its last acknowledgement, to all else the last one since it is so.';

CREATE VIEW reconciliation.reconciliation_report AS
SELECT report.*
  FROM (SELECT max(r.run_seq) AS run_seq
          FROM reconciliation.run AS r
         WHERE r.mode = 'publish' AND r.status <> 'running'
         GROUP BY r.target) AS latest
 CROSS JOIN LATERAL reconciliation.reconciliation_report_of(latest.run_seq) AS report;
COMMENT ON VIEW reconciliation.reconciliation_report IS
    'The report of the latest finished publishing run of each target.';
