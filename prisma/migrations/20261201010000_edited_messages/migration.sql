-- What a proposal would publish in place of a dead message: apart from the proposal, since it may hold what no list should show.
CREATE TABLE messages.edited (
  at        timestamptz NOT NULL,
  action_id text        PRIMARY KEY,
  payload   bytea       NOT NULL
);
