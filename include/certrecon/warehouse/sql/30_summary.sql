CREATE VIEW reconciliation.report_summary AS
SELECT r.run_seq, m.measure, m.value
  FROM reconciliation.run AS r
 CROSS JOIN LATERAL (
        VALUES ('certificates', r.certificates), ('links', r.links), ('persons', r.persons),
               ('employees', r.employees), ('claims', r.claims), ('sent', r.sent), ('withdrawn', r.withdrawn)
      ) AS m (measure, value)
 WHERE m.value IS NOT NULL
UNION ALL
SELECT r.run_seq, d.disposition, coalesce((r.dispositions ->> d.disposition)::numeric, 0)
  FROM reconciliation.run AS r
 CROSS JOIN (
        VALUES ('not_applicable'), ('blocked'), ('held'), ('superseded'), ('delivered'), ('planned'), ('refused'),
               ('rejected'), ('undelivered')
      ) AS d (disposition)
 WHERE r.dispositions IS NOT NULL
UNION ALL
SELECT r.run_seq, 'finding:' || f.code, f.value::numeric
  FROM reconciliation.run AS r
 CROSS JOIN LATERAL jsonb_each_text(r.findings) AS f (code, value)
UNION ALL
SELECT r.run_seq, 'tenant:' || t.tenant_id || ':' || n.dataset, n.value::numeric
  FROM reconciliation.run AS r
 CROSS JOIN LATERAL jsonb_each(r.tenants) AS t (tenant_id, counts)
 CROSS JOIN LATERAL jsonb_each_text(
        CASE WHEN jsonb_typeof(t.counts) = 'object' THEN t.counts ELSE '{}'::jsonb END
      ) AS n (dataset, value)
 WHERE jsonb_typeof(t.counts -> n.dataset) = 'number';
COMMENT ON VIEW reconciliation.report_summary IS
    'The control totals of every run, a row a measure. A total that a failed run never reached has no row.';
