import { backoffMs } from '../client/backoff'
import { abortAfter } from '../clock'
import { traceSend } from '../telemetry/message-spans'
import { createListener } from './listener'
import type { OutboxMessage } from './message'
import type { PublishResult } from './publisher'
import { type RelayOptions, type RelaySettings, resolveRelayOptions } from './relay-options'
import { NOTHING, type RelayRound } from './relay-round'
import { createUpkeep } from './relay-upkeep'
import { sendInOrder } from './send-in-order'
import {
  type Claim,
  type Failure,
  type OutboxDatabase,
  openOutboxDatabase,
  type ReadFrom,
} from './statements'

export type { RelayOptions } from './relay-options'
export type { RelayRound } from './relay-round'
export type { HorizonHolder } from './statements'

export type Relay = {
  /** Claims, publishes and marks one batch. Throws when the database cannot be reached. */
  runOnce(): Promise<RelayRound>
  /** Goes on until it is stopped. */
  start(): void
  /** Resolves when what was under way is marked. Pool and publisher are the caller's. */
  stop(): Promise<void>
}

/** After something was done a relay looks again so soon: a stream of messages is sent in small batches, not one by one. */
const LINGER_MS = 10
/** And falls asleep after so long without any. */
const DOZE_AFTER_MS = 1_000
const TROUBLE_BACKOFF = { backoffBaseMs: 250, backoffMaxMs: 30_000 }
/** A lease is given up by this share of it earlier, by this process's own clock. */
const LEASE_SHARE = 0.75

/**
 * Publishes what was committed to the outbox, at least once and in order for each key. Any number may run: they lease lanes. A
 * broker that is down costs no message an attempt; a message that it refuses holds back its own key only.
 */
export function createRelay(options: RelayOptions): Relay {
  const settings = resolveRelayOptions(options)
  const { clock, pollMs, random, owner, onError } = settings
  const db = openOutboxDatabase(settings.pool, settings.schema)
  const upkeep = createUpkeep(settings, db)
  let running: Promise<void> | null = null
  let stopping = false
  let wake = () => {}
  let woken = false
  const listener = createListener(settings.pool, settings.schema, () => {
    woken = true
    wake()
  })

  async function runOnce(): Promise<RelayRound> {
    const from = await upkeep.keep()
    const untilMs = clock.nowMs() + settings.leaseMs * LEASE_SHARE
    const claim = await db.claim(owner, settings, from)
    if (claim === null) return upkeep.look({ ...NOTHING, kind: 'idle' })
    const { results, unavailable } = await send(settings, claim, untilMs)
    return upkeep.look(await settle(settings, db, claim, results, unavailable, from))
  }

  async function loop(): Promise<void> {
    let troubles = 0
    let asleep = false
    let activeAtMs = clock.nowMs()
    while (!stopping) {
      if (settings.listen) await listener.ensure().catch(onError)
      const wasWoken = woken
      woken = false
      const round = await runOnce().catch((error: unknown) => ({ ...NOTHING, unavailable: error }))
      if (round.unavailable !== null) {
        onError(round.unavailable)
        troubles += 1
        await pause(backoffMs(TROUBLE_BACKOFF, troubles, null, random))
        continue
      }
      troubles = 0
      const nowMs = clock.nowMs()
      if (round.kind === 'worked' || wasWoken) activeAtMs = nowMs
      const dozes = settings.listen && nowMs - activeAtMs >= DOZE_AFTER_MS
      if (dozes !== asleep) {
        asleep = dozes
        // What was published before this was seen has told nobody: look once more.
        await upkeep.setAsleep(asleep).catch(onError)
        continue
      }
      if (round.sent + round.parked >= settings.batch / 2) continue
      await pause(nowMs - activeAtMs < DOZE_AFTER_MS ? LINGER_MS : pollMs)
    }
  }

  async function pause(delayMs: number): Promise<void> {
    if (stopping || woken) return
    await new Promise<void>((resolve) => {
      const cancel = clock.after(delayMs, resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })
    wake = () => {}
  }

  return {
    runOnce,
    start() {
      running ??= loop()
    },
    async stop() {
      stopping = true
      wake()
      await running
      listener.close()
      await db.forget(owner).catch(onError)
    },
  }
}

/** Until the lease may be another's: what is published after that would be published twice for sure. */
function send(settings: RelaySettings, claim: Claim, untilMs: number) {
  const { publisher, clock, publishTimeoutMs } = settings
  const publish = async (batch: readonly OutboxMessage[]): Promise<PublishResult[]> => {
    if (clock.nowMs() >= untilMs)
      throw new Error('the lease of this batch ends: the rest is left to the next round')
    const late = new Error(`the broker did not answer within ${publishTimeoutMs} ms`)
    const timeout = abortAfter(clock, publishTimeoutMs, late)
    try {
      const aborted = new Promise<never>((_, reject) => {
        timeout.signal.addEventListener('abort', () => reject(late))
      })
      return await Promise.race([
        traceSend(publisher.system, batch, () => publisher.publish(batch, timeout.signal)),
        aborted,
      ])
    } finally {
      timeout.cancel()
    }
  }
  return sendInOrder(claim.messages, publish, publisher)
}

async function settle(
  settings: RelaySettings,
  db: OutboxDatabase,
  claim: Claim,
  results: ReadonlyMap<string, PublishResult>,
  unavailable: unknown,
  from: ReadFrom,
): Promise<RelayRound> {
  const sent: string[] = []
  const failures: Failure[] = []
  for (const { id, attempt } of claim.messages) {
    const result = results.get(id)
    if (result?.kind === 'confirmed') sent.push(id)
    if (result?.kind !== 'refused') continue
    const dead = result.permanent === true || attempt >= settings.attemptsMax
    const retryMs = dead ? null : backoffMs(settings, attempt, null, settings.random)
    failures.push({ id, error: result.error, retryMs })
  }
  const marked = await db.settle(claim.fence, sent, failures, settings.batch, from)
  const dead = failures.filter(({ retryMs }) => retryMs === null).length
  const worked = claim.messages.length + claim.parked > 0
  return {
    kind: worked ? 'worked' : 'held_back',
    sent: sent.length,
    retried: failures.length - dead,
    dead,
    parked: claim.parked,
    stale: sent.length + failures.length - marked,
    unavailable,
  }
}
