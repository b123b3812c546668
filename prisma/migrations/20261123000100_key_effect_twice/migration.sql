-- true: an effect of the key was found there twice, so the flags of its sightings need a look at its effects. Never taken
-- back: then the look finds nothing. NULL takes no room in a row.
ALTER TABLE telemetry.key ADD COLUMN effect_twice boolean;
UPDATE telemetry.key k SET effect_twice = true
FROM (SELECT DISTINCT key_hash, scope FROM telemetry.effect WHERE duplicate) d
WHERE k.key_hash = d.key_hash AND k.scope = d.scope;
