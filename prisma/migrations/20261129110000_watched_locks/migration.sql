-- Since when, by the store's own clock, the store has had a lock exactly as it is: a lease whose stamps lie in the
-- future says nothing of time, so its holder is watched instead.
ALTER TABLE "lock" ADD COLUMN "unchanged_since" TIMESTAMPTZ(3);
