SET LOCAL lock_timeout = '5s';

-- When the provider gave the answer, by its own clock; null = a row of another side, or staged before this column.
ALTER TABLE mirror.object ADD COLUMN observed_at timestamptz;

-- The order in which providers and ledgers were asked. It was our clock, which a jump sent back and forth; it starts above
-- any time in µs, so that what is read from now on is newer than whatever was read before.
CREATE SEQUENCE mirror.version START 9007199254740992;
