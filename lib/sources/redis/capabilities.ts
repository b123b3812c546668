import { durationText } from '@/lib/core/format-figure'
import type { StoreCapabilities } from '../contracts'
import type { Library, RedisConfig } from './config'

/** What comes true when a holder that was given up comes back. Each was run with the library. */
const COMES_BACK: Record<Library, string> = {
  powertools:
    'A holder that comes back overwrites the next one’s record; one that throws deletes it, so that a third request executes.',
  'node-idempotency':
    'A holder that comes back overwrites the next one’s record; one that fails leaves its error, which is replayed.',
  'express-idempotency':
    'A holder that comes back overwrites the next one’s record; one that answers an error deletes it, so that a third request executes.',
  mapped: 'A holder that comes back writes over whatever is there: nothing compares a token.',
}

const NO_LEASE =
  'The library keeps no lease: nothing in the store tells that a holder is dead. Such a key is stuck until it expires, unless requestMs says how long a request can run.'

/** What is safe with this library, and why the rest is not offered. Nothing here can be made safe against a holder that comes back. */
export function capabilitiesOf(config: RedisConfig, readOnly: boolean): StoreCapabilities {
  const { library, mapping, requestMs } = config
  const hasLease =
    library === 'powertools' ||
    requestMs !== undefined ||
    (library === 'mapped' && mapping.leaseUntil !== undefined)
  const replays = library !== 'mapped' || mapping.replays
  const refused = readOnly ? 'It was opened to be looked at.' : hasLease ? null : NO_LEASE
  const openText =
    library === 'powertools'
      ? ' A key without in_progress_expiration is not stuck: the next request takes it over.'
      : ''
  return {
    canRelease: refused === null,
    canComplete: refused === null && replays,
    canFail: false,
    canCollect: false,
    casStrength: 'value',
    zombieSafe: false,
    providerKeyed: config.providerKeyed,
    collection: 'by_engine',
    writesBeginLives: true,
    reading: readingText(config),
    reasons: {
      zombie: COMES_BACK[library],
      release: refused ?? `Compares the value and its expiry, and deletes the key.${openText}`,
      complete:
        refused ??
        (replays
          ? 'Compares the value and its expiry, and writes what the library replays.'
          : 'The mapping says that the service does not answer with what is stored.'),
      fail: 'The library keeps no final error that an operator could store.',
      collect: 'Redis deletes expired keys itself.',
    },
  }
}

function readingText({ pattern, walkEveryMs }: RedisConfig): string {
  const again = `again every ${durationText(walkEveryMs)}`
  return pattern.startsWith('{')
    ? `The whole store is walked through with pauses, ${again}: its keys have no prefix that changes could be told by.`
    : `The store is walked through once, with pauses; then Redis tells which keys change. Where it may not be asked to, ${again}.`
}
