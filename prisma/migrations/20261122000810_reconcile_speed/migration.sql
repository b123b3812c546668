-- The match reads one side at a time, and counts the provider's rows that have no operation from the index alone.
DROP INDEX mirror.object_seq_loose;
CREATE INDEX object_seq_loose ON mirror.object (system, side, seq) WHERE operation_id IS NULL;

-- Objects of the other mode, which never pair up.
CREATE INDEX object_other_mode ON mirror.object (system, seq)
  WHERE operation_id IS NULL AND side = 'provider' AND data->>'modeMix' IS DISTINCT FROM 'false';
