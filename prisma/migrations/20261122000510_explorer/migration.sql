-- The explorer over many millions of keys: by prefix, by trace, and counted by state without reading them all.
CREATE INDEX object_key_prefix ON mirror.object (key text_pattern_ops) WHERE side = 'intent' AND kind = 'key';
CREATE INDEX object_key_trace  ON mirror.object ((data->>'traceId'))
  WHERE side = 'intent' AND kind = 'key' AND data->>'traceId' IS NOT NULL;
CREATE INDEX object_key_state  ON mirror.object (status, expires_at) WHERE side = 'intent' AND kind = 'key' AND gone_at IS NULL;
