/**
 * The outbox in the service's database (migration 0003), for everything that reads it: relays, and the console.
 *
 * `idem_outbox`, one row a message, partitioned by day (UTC) of its id: `idem_outbox_YYYYMMDD`, `idem_outbox_default` for days
 * that nobody has made ahead.
 *
 * | column       | meaning                                                                                                 |
 * | ------------ | ------------------------------------------------------------------------------------------------------- |
 * | `id`         | UUIDv7 of the database's clock, at publishing; the broker's deduplication id and the consumer's key     |
 * | `xid`        | the transaction that published it (xid8): it is read once no older one that has written is open         |
 * | `seq`        | order of publishing; of one key, that of its transactions where one followed the other                  |
 * | `lane`       | 0–31, the same for all messages of one key of a topic; a relay leases lanes                             |
 * | `state`      | P pending, R failed and retried at `retry_at`, W waits behind an older message of its key, S sent, D dead, X discarded by a person |
 * | `attempts`   | how often the broker has refused or confirmed it                                                        |
 * | `topic`, `key`, `type`, `headers`, `payload` | as published; `headers` has `content-type` and the producer's `traceparent` |
 * | `created_at`, `settled_at` | published; sent or dead                                                                   |
 * | `error`      | why the last attempt failed; kept with a dead message                                                   |
 *
 * A message that is to be published again gets a new `seq` and `xid`, state P and no attempts: relays do not look behind.
 * `idem_outbox_redrive` does it, `idem_outbox_discard` ends one; both only as `idem_outbox_version` was seen. The headers
 * `idemscope-action`, `-replaces` and `-replaced-by` say who did it, and what a changed message stands for.
 *
 * `idem_outbox_lane`: who publishes a lane now (`owner`, `lease_until`, `fence`). A mark with an older fence changes nothing.
 * `idem_outbox_relay`: relays with when they were last seen (every 10 s while they live); `asleep` = it waits for NOTIFY.
 */

/** What relays listen to; the payload is the schema. */
export const CHANNEL = 'idem_outbox'
