-- Objects of a provider without a key, by time: each check of the locks asks whether there is any (lib/mirror/read/untagged*).
-- Where all carry one the index is empty, and the question costs nothing however much the provider holds.
CREATE INDEX object_untagged ON mirror.object (source_id, occurred_at)
  WHERE side = 'provider' AND (key IS NULL OR scope IS NULL) AND action_id IS NULL;
