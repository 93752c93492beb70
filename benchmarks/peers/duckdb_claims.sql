-- The joins, findings and dispositions of a first night, written for DuckDB; {as_of}, {soon}, {rules} and the like
-- are filled in by duckdb_claims.py from the same settings that the pipeline reads.
SET preserve_insertion_order = false;

CREATE MACRO day_of(x) AS
    CASE WHEN length(x) = 10 AND x[5] = '-' AND x[8] = '-' AND x[1:4] <> '0000' THEN try_cast(x AS DATE) END;
CREATE MACRO day_state(x) AS
    CASE WHEN x IS NULL OR trim(x) = '' THEN 0 WHEN day_of(x) IS NOT NULL THEN 2 ELSE 1 END;
CREATE MACRO loose(x) AS
    regexp_replace(regexp_replace(x, '^\s*([0-9]{{2}})\.([0-9]{{2}})\.([0-9]{{4}})\s*$', '\3-\2-\1'),
                   '^\s*([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})([T ].*)?$', '\1');
CREATE MACRO present(x) AS CASE WHEN trim(x) <> '' THEN x END;
CREATE MACRO number_of(x) AS
    CASE WHEN trim(nfc_normalize(x)) <> '' AND length(trim(nfc_normalize(x))) <= 255 THEN trim(nfc_normalize(x)) END;
CREATE MACRO flag(x) AS coalesce(lower(trim(x)) IN ('false', '0'), false);
CREATE MACRO fold(x) AS
    replace(replace(replace(replace(replace(replace(replace(replace(
        strip_accents(lower(strip_accents(x))), 'ø', 'o'), 'æ', 'ae'), 'đ', 'd'), 'ð', 'd'), 'ł', 'l'), 'þ', 'th'),
        'ß', 'ss'), 'œ', 'oe');
CREATE MACRO tokens(x) AS
    list_filter(regexp_split_to_array(fold(coalesce(x, '')), '[^\p{{L}}\p{{N}}]+'), lambda t: t <> '');
-- rapidfuzz's ratio counts insertions and deletions; DuckDB only has edits, from which they follow for short names.
CREATE MACRO indels(a, b) AS
    CASE WHEN length(a) = length(b) AND damerau_levenshtein(a, b) = 1 AND levenshtein(a, b) = 2 THEN 2
         ELSE 2 * levenshtein(a, b) - abs(length(a) - length(b)) END;
CREATE MACRO alike(a, b) AS 1 - indels(a, b) / (length(a) + length(b)) >= 0.85;
CREATE MACRO some_alike(g, og) AS
    list_has_any(g, og)
    OR list_bool_or(list_transform(g, lambda a: coalesce(list_bool_or(list_transform(og, lambda b: alike(a, b))), false)));
CREATE MACRO straight(g, f, og, o) AS list_has_any(f, o) AND coalesce(some_alike(g, og), false);
CREATE MACRO agree(g, f, og, o) AS straight(g, f, og, o) OR straight(f, g, og, o) OR straight(g, f, o, og);

CREATE VIEW certificates AS {certificates};
CREATE VIEW links AS {links};
CREATE VIEW persons AS {persons};
CREATE VIEW employees AS {employees};

CREATE TABLE employee AS
SELECT number_of(employee_number) AS number, count(*) AS carriers, any_value(employee_number) AS ditio_number,
       any_value(tokens(first_name)) AS given, any_value(tokens(last_name)) AS family,
       any_value(day_of(loose(birth_date))) AS born,
       any_value(coalesce(lower(trim(disabled)) IN ('true', '1'), false)
                 OR (coalesce(day_of(loose(end_date)) < {as_of}, day_state(loose(end_date)) = 1)
                     AND NOT coalesce(lower(trim(ended_open)) = 'true', false))) AS inactive
  FROM employees WHERE number_of(employee_number) IS NOT NULL GROUP BY 1;

CREATE TABLE person AS
SELECT project_id, person_id, number_of(number) AS number, first_name, last_name,
       tokens(first_name) AS given, tokens(last_name) AS family, day_of(loose(birth_date)) AS born,
       flag(owned_active) OR flag(parent_active) AS historicised
  FROM persons;

CREATE TABLE shared AS
SELECT DISTINCT one.number
  FROM person AS one JOIN person AS other ON one.number = other.number AND one.person_id < other.person_id
 WHERE NOT agree(one.given, one.family, other.given, other.family);

CREATE TABLE matched AS
SELECT p.project_id, p.person_id, p.number, p.historicised, p.first_name, p.last_name, s.number IS NOT NULL AS shared,
       coalesce(e.carriers, 0) AS employees,
       CASE WHEN e.carriers = 1 THEN e.inactive ELSE false END AS inactive,
       CASE WHEN e.carriers = 1 THEN agree(p.given, p.family, e.given, e.family) ELSE true END AS names_agree,
       CASE WHEN e.carriers = 1 AND p.born IS NOT NULL AND e.born IS NOT NULL
            THEN CASE WHEN p.born = e.born THEN 1 ELSE 2 END ELSE 0 END AS births
  FROM person AS p LEFT JOIN employee AS e USING (number) LEFT JOIN shared AS s USING (number);

CREATE TABLE certificate AS
WITH read AS (
    SELECT certificate_id, tenant_id, name, action_type, resource_type, resource_id, warning, date_expire,
           day_state(date_release) AS issued_state, day_of(date_release) AS issued,
           day_state(date_expire) AS own_state, day_of(date_expire) AS own,
           CASE WHEN regexp_full_match(validity, '[0-9]+(\.0+)?')
                THEN least(coalesce(try_cast(split_part(validity, '.', 1) AS BIGINT), 4000000), 4000000) ELSE 0 END AS units,
           validity_unit
      FROM certificates
), derived AS (
    SELECT *, CASE validity_unit WHEN 'YEAR' THEN units * 12 WHEN 'MONTH' THEN units END AS months,
           own_state = 0 AND issued_state = 2 AND units > 0 AND validity_unit IN ('YEAR', 'MONTH', 'DAY') AS is_derived
      FROM read
), dated AS (
    SELECT *, CASE WHEN NOT is_derived THEN NULL
                   WHEN coalesce(months, 0) > 119988 OR units > 3652058 THEN NULL
                   WHEN months IS NOT NULL THEN CAST(issued + to_months(CAST(months AS INTEGER)) AS DATE)
                   ELSE issued + CAST(units AS INTEGER) END AS later
      FROM derived
)
SELECT certificate_id, tenant_id, name, action_type, resource_type, resource_id, warning, date_expire, issued_state, issued,
       CASE WHEN own_state <> 0 THEN own_state WHEN NOT is_derived THEN 0
            WHEN later IS NULL OR year(later) > 9999 THEN 1 ELSE 2 END AS expiry_state,
       CASE WHEN own_state <> 0 THEN own ELSE later END AS expiry,
       CASE WHEN own_state <> 0 THEN 2 WHEN is_derived THEN 3 ELSE 0 END AS expiry_source
  FROM dated;

CREATE TABLE joined AS
WITH expiring AS (
    SELECT c.certificate_id, c.tenant_id, {link_rule} AS rule, l.action_type AS link_type, c.action_type AS own_type,
           CASE WHEN day_state(l.date_expire) <> 0 THEN day_state(l.date_expire) ELSE c.expiry_state END AS state,
           CASE WHEN day_state(l.date_expire) <> 0 THEN day_of(l.date_expire) ELSE c.expiry END AS expiry,
           CASE WHEN day_state(l.date_expire) <> 0 THEN 1 ELSE c.expiry_source END AS source,
           coalesce(present(l.date_expire), c.date_expire) AS received
      FROM links AS l JOIN certificate AS c ON c.certificate_id = l.certificate_id AND c.tenant_id = l.tenant_id
)
SELECT e.certificate_id, e.tenant_id, r.certificate_type, min(coalesce(r.years, 50)) AS years,
       min(CASE state WHEN 1 THEN source
                      WHEN 2 THEN 1099511627776 + (epoch(expiry)::BIGINT // 86400 + 1000000) * 8 + source
                      ELSE 1152921504606846976 END) AS governing,
       coalesce(min(CASE WHEN state = 2 THEN expiry END) <> max(CASE WHEN state = 2 THEN expiry END), false)
       OR coalesce(min(CASE WHEN state = 1 THEN received END) <> max(CASE WHEN state = 1 THEN received END), false)
       OR (bool_or(state = 1) AND bool_or(state = 2)) AS disagrees,
       bool_or(coalesce(link_type, '') <> coalesce(own_type, '')) AS type_disagrees,
       bool_or(coalesce(link_type IN ({published}), false)) AS some_published
  FROM expiring AS e LEFT JOIN (VALUES {rules}) AS r (rule, certificate_type, years) USING (rule)
 GROUP BY ALL;

COPY (
WITH linked AS (
    SELECT *, true AS linked,
           CASE WHEN governing < 100 THEN 1 WHEN governing >= 1152921504606846976 THEN 0 ELSE 2 END AS state,
           CASE WHEN governing < 100 THEN governing WHEN governing >= 1152921504606846976 THEN 0
                ELSE governing % 8 END AS source,
           CASE WHEN governing >= 100 AND governing < 1152921504606846976
                THEN DATE '1970-01-01' + CAST((governing - 1099511627776) // 8 - 1000000 AS INTEGER) END AS expiry
      FROM joined
), bare AS (
    SELECT c.certificate_id, c.tenant_id, r.certificate_type, coalesce(r.years, 50) AS years, false AS disagrees,
           false AS type_disagrees, true AS some_published, false AS linked, c.expiry_state AS state,
           c.expiry_source AS source, c.expiry
      FROM (SELECT c.*, {bare_rule} AS rule FROM certificate AS c ANTI JOIN links AS l
                ON c.certificate_id = l.certificate_id AND c.tenant_id = l.tenant_id) AS c
      LEFT JOIN (VALUES {rules}) AS r (rule, certificate_type, years) USING (rule)
), everything AS (
    SELECT certificate_id, tenant_id, certificate_type, years, disagrees, type_disagrees, some_published, linked, state,
           source, expiry FROM linked
    UNION ALL SELECT * FROM bare
), facts AS (
    SELECT e.*, c.name, c.action_type, c.resource_type, c.resource_id, c.warning, c.issued_state, c.issued, m.number,
           m.first_name, m.last_name, coalesce(present(c.resource_type) = 'PERSON', m.person_id IS NOT NULL) AS is_person,
           coalesce(c.action_type IN ({published}), false) AND e.some_published AS published,
           m.person_id IS NOT NULL AS known, coalesce(m.historicised, false) AS historicised,
           coalesce(m.shared, false) AS shared, coalesce(m.employees, 0) AS employees,
           coalesce(m.inactive, false) AS inactive, coalesce(m.names_agree, true) AS names_agree,
           coalesce(m.births, 0) AS births
      FROM everything AS e JOIN certificate AS c USING (certificate_id, tenant_id)
      LEFT JOIN matched AS m ON m.person_id = c.resource_id AND m.project_id = c.tenant_id
), applied AS (
    SELECT *, is_person AND published AS applicable, is_person AND published AND known AND employees = 1 AS single,
           issued_state = 2 AND state = 2 AS both_dates
      FROM facts
), found AS (
    SELECT *, list_filter([{findings}], lambda code: code IS NOT NULL) AS findings FROM applied
), judged AS (
    SELECT *, CASE WHEN NOT applicable THEN 'not_applicable'
                   WHEN list_has_any(findings, [{critical}]) THEN 'blocked'
                   WHEN NOT linked THEN 'held' END AS first_three
      FROM found
)
SELECT certificate_id, certificate_type, tenant_id, name, action_type, resource_type, resource_id, first_name, last_name,
       number AS employee_number, issued AS issued_on, expiry AS valid_until, linked, findings,
       coalesce(first_three, CASE row_number() OVER (PARTITION BY first_three IS NULL, number, certificate_type
                                                     ORDER BY expiry DESC, issued DESC, certificate_id)
                             WHEN 1 THEN 'planned' ELSE 'superseded' END) AS disposition
  FROM judged
) TO '{output}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);
