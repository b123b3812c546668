-- Consumers of a source whose records end before its broker stops delivering again: [{group, topic, keptMs, horizonMs}].
ALTER TABLE messages.source_check ADD COLUMN short_consumers jsonb NOT NULL DEFAULT '[]';
