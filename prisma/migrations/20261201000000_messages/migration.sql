-- Messages of the outboxes and dead letters that the console reads: only lib/messages queries this schema.
CREATE SCHEMA messages;

-- What each topic of a source was like when it was last looked at in a minute.
CREATE TABLE messages.topic_minute (
  minute           timestamptz NOT NULL,
  oldest_unsent_at timestamptz,
  oldest_dead_at   timestamptz,
  unsent           bigint,                           -- NULL = the source cannot tell, here and below
  retrying         bigint,
  dead             bigint,
  published        bigint,                           -- in the minute before
  source_id        text NOT NULL,
  topic            text NOT NULL,
  PRIMARY KEY (source_id, minute, topic)
);

-- The last look at each source.
CREATE TABLE messages.source_check (
  checked_at      timestamptz NOT NULL,
  source_at       timestamptz NOT NULL,              -- the source's own clock then
  held_back_since timestamptz,
  dead_listed     integer NOT NULL,
  dead_more       boolean NOT NULL,                  -- it has more dead ones than are listed
  at_least        boolean NOT NULL,                  -- its counts were cut
  source_id       text    PRIMARY KEY,
  held_back_by    text,
  relays          jsonb                              -- NULL = it has none that it could show
);

-- Dead letters as they were last read. `seen` is what a change compares.
CREATE TABLE messages.dead_letter (
  published_at timestamptz,
  died_at      timestamptz,
  checked_at   timestamptz NOT NULL,
  gone_at      timestamptz,                          -- it is dead no more: sent again, discarded or collected
  attempts     integer NOT NULL,
  size_bytes   integer NOT NULL,
  id           text    PRIMARY KEY,
  source_id    text    NOT NULL,
  place        text    NOT NULL,                     -- names it in its source
  version      text    NOT NULL,
  topic        text    NOT NULL,
  fingerprint  text    NOT NULL,                     -- of what it was given up for
  title        text    NOT NULL,                     -- the same in words
  message_id   text,
  key          text,
  type         text,
  group_name   text,
  error        text,
  trace_id     text,
  UNIQUE (source_id, place)
);
CREATE INDEX dead_letter_open ON messages.dead_letter (died_at, id) WHERE gone_at IS NULL;
CREATE INDEX dead_letter_gone ON messages.dead_letter (gone_at) WHERE gone_at IS NOT NULL;
