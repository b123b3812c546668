/**
 * The table: `pk` and `sk`, both text. Whoever reads it needs this page only.
 *
 * | pk                                | sk                    | item                                                  |
 * | --------------------------------- | --------------------- | ----------------------------------------------------- |
 * | `k#{length of scope}:{scope}:{key}` | `k`                 | a key, live or done                                   |
 * | the same                          | `b#{fence}#{number}`  | a part of a body that is too large for one item: `b`  |
 * | `tier`                            | name                  | a retention class: `ms`                               |
 * | `scope`                           | name                  | that there is this scope; nothing else                |
 * | `hold`                            | id                    | a hold: `k` kind, its targets by name, `reason`, `by`, `at`, `ends` ms; `lifted` … |
 *
 * Attributes of a key, in the order in which they come:
 *
 * | name   | type | what                                                                                            |
 * | ------ | ---- | ----------------------------------------------------------------------------------------------- |
 * | `s`    | S    | L leased, R retryable, U unknown, C completed, F failed final, G given back                     |
 * | `f`    | N    | fencing token: epoch in µs, always above the key's earlier ones                                 |
 * | `v`    | N    | rises with every write: whoever compares `f` and `v` has compared everything that they saw      |
 * | `a`    | S    | nonce of the acquire; only while live                                                           |
 * | `o`    | S    | owner; only while live                                                                          |
 * | `n`    | N    | attempts                                                                                        |
 * | `c`    | N    | first acquire of this life, epoch in ms                                                         |
 * | `u`    | N    | lease until, epoch in ms; only while live                                                       |
 * | `h`    | N    | last heartbeat, epoch in ms; only while live                                                    |
 * | `p`    | B    | fingerprint, 16 bytes                                                                           |
 * | `t`    | S    | tier                                                                                            |
 * | `i`    | B    | trace id, 16 bytes; may be absent                                                               |
 * | `r`    | S    | last recovery point; only while live                                                            |
 * | `e`    | BOOL | given back with nothing but failed effects: the next request may say something else             |
 * | `steps`| M    | by name: `n` effect's name, `k` kind, `s` B begun, C committed, F failed, U unknown, `f` fence, |
 * |        |      | `a` nonce, `b` begun and `w` settled in µs, `p` provider key, `r` reference, `m` amount minor,  |
 * |        |      | `c` currency, `d` result as JSON, `x` known failures, `q` begun again in doubt                  |
 * | `live` | N    | 0–7, only in L, R and U: index `live` (with `c`) finds live keys by these eight partitions      |
 * | `q`    | N    | status of the stored response, from here on of a record only                                    |
 * | `d`    | S    | its headers as JSON; absent = none                                                              |
 * | `b`    | B    | its body; absent = empty, or in parts                                                           |
 * | `z`    | N    | bytes of the body when it is compressed (raw deflate)                                           |
 * | `m`    | N    | number of parts, with `g` = first 16 bytes of the SHA-256 of what they hold together            |
 * | `x`    | N    | expires, epoch in ms                                                                            |
 * | `ttl`  | N    | epoch in s, an hour after `x`: DynamoDB's own deletion, which lags by days and is never relied on |
 *
 * Times are DynamoDB's own, by the `Date` of its replies (server-clock.ts). A lease that passed may be taken over from
 * `u` + CLOCK_MARGIN_MS on. To release a key, write `s` = R, `u` = now and a higher `f` where `f` and `v` are as seen, and
 * add 1 to `v`; never delete an item of a live key.
 */
export const KEY_ITEM = 'k'
export const TIER_PARTITION = 'tier'
export const SCOPE_PARTITION = 'scope'
export const HOLD_PARTITION = 'hold'
export const LIVE_INDEX = 'live'
export const TTL_ATTRIBUTE = 'ttl'
export const LIVE_SHARDS = 8

/** How far clocks of two processes may be apart after they were corrected by DynamoDB's `Date`, which has whole seconds. */
export const CLOCK_MARGIN_MS = 2_000
/** Between the end of an item and its deletion, so that nobody who reads it by a slow clock misses it. */
export const TTL_LAG_MS = 3_600_000
/** An item has 400 KB, names and steps included. */
export const PART_BYTES = 350_000
/** What a response may have by default, which leaves room for its steps. */
export const RESPONSE_BYTES_MAX = 262_144

export type ItemKey = { pk: string; sk: string }

/** With the length of the scope no two pairs of scope and key are one text. */
export const partitionOf = ({ scope, key }: { scope: string; key: string }): string =>
  `k#${scope.length}:${scope}:${key}`

export const keyItemOf = (target: { scope: string; key: string }): ItemKey => ({
  pk: partitionOf(target),
  sk: KEY_ITEM,
})

export const partKeyOf = (pk: string, fence: bigint, part: number): ItemKey => ({
  pk,
  sk: `b#${fence}#${part}`,
})

/** When DynamoDB may delete what ends at `endMs`. */
export const ttlOf = (endMs: number): number => Math.ceil((endMs + TTL_LAG_MS) / 1000)
