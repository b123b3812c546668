-- What open cases rest on stays when a source reads other records, but not under the source's own id: a record of the new place
-- with the same id would not be written over it, and the old one would be judged as the new. The caller holds the mirror of
-- the system.
CREATE FUNCTION set_apart(source text, ended text) RETURNS void LANGUAGE sql AS $$
  UPDATE mirror.object SET source_id = ended WHERE source_id = source
$$;

-- Where that has happened already, the newest ended reading of the source has them.
UPDATE mirror.object o SET source_id = e.id
FROM (SELECT DISTINCT ON (source_id) id, source_id, at FROM ended_reading WHERE NOT removed ORDER BY source_id, at DESC) e
WHERE o.source_id = e.source_id AND o.staged_at <= e.at;
