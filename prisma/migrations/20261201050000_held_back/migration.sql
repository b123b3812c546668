-- Of what waits in an outbox: how much an open transaction holds back, and the first of it.
ALTER TABLE messages.source_check ADD COLUMN held_back_unsent bigint, ADD COLUMN held_back_oldest_at timestamptz;
