-- Each index of the explorer is paid for by every row that is staged: one serves two searches where it can
-- (docs/decisions/034-the-explorers-indexes.md).

-- By key and by how it begins; equality needs no other.
DROP INDEX mirror.object_key;
DROP INDEX mirror.object_key_prefix;
CREATE INDEX object_key ON mirror.object (key text_pattern_ops, scope) WHERE key IS NOT NULL;

-- The last changed first, of all and of one scope; both grow at their end.
CREATE INDEX object_key_recent ON mirror.object (seq) WHERE side = 'intent' AND kind = 'key' AND gone_at IS NULL;
CREATE INDEX object_key_scope  ON mirror.object (scope, seq) WHERE side = 'intent' AND kind = 'key' AND gone_at IS NULL;
