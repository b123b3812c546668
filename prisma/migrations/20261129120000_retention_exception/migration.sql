-- Why two people let a policy collect rows that can still be replayed. NULL = it may not: policies from before are kept
-- to the floor from now on.
ALTER TABLE retention_policy ADD COLUMN exception text;
