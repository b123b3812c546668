-- A row that was understood, but that its feed had passed: it was found by its id only.
ALTER TABLE mirror.unreadable ADD COLUMN late boolean NOT NULL DEFAULT false;
