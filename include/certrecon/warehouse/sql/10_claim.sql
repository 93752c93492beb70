CREATE VIEW reconciliation.claim_current AS
SELECT * FROM reconciliation.claim WHERE ended_run_seq IS NULL;
COMMENT ON VIEW reconciliation.claim_current IS 'The claims as the last publishing run of each target left them.';

CREATE FUNCTION reconciliation.claim_as_of(run_seq bigint) RETURNS SETOF reconciliation.claim
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT c.*
      FROM reconciliation.claim AS c
     WHERE c.target = (SELECT r.target FROM reconciliation.run AS r WHERE r.run_seq = $1)
       AND c.first_run_seq <= $1
       AND (c.ended_run_seq IS NULL OR c.ended_run_seq > $1)
$$;
COMMENT ON FUNCTION reconciliation.claim_as_of(bigint) IS 'The claims of a run''s target as that run left them.';
