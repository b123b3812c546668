import type { Attributes } from '@opentelemetry/api'
import type { ConsumedMessage, Disposition } from './consumers/delivery'
import { StoreUnavailableError } from './errors'
import { fingerprintRequest } from './fingerprint/fingerprint'
import { hashKey } from './key-hash'
import { scopeName } from './keys/scope'
import { acquireWaiting } from './run/acquire-waiting'
import type { IdempotencyContext } from './run/context'
import type { Exchange } from './run/exchange'
import { type IdempotentOptions, resolveOptions, type Settings } from './run/options'
import { runHeld } from './run/run-held'
import { warnOfUsage } from './run/usage-warning'
import type { AcquiredOrExpired } from './stores/store'
import { acquiredAttributes } from './telemetry'
import { type MessageTelemetry, traceMessage } from './telemetry/message-telemetry'

export type { ConsumedMessage, Disposition } from './consumers/delivery'

export type ConsumeOptions<Tx> = {
  store: IdempotentOptions<Tx>['store']
  /** Who consumes: each group applies a message once. No slash or space. */
  group: string
  /** No space. */
  topic: string
  keySecret: string
  /** As `messaging.system`: kafka, aws_sqs, rabbitmq. */
  system?: string
  /** How long the broker may deliver a message again. Records that are kept for less are warned of. */
  redeliveryHorizonMs?: number
} & Pick<
  IdempotentOptions<Tx>,
  | 'tier'
  | 'leaseMs'
  | 'heartbeatMs'
  | 'executionDeadlineMs'
  | 'owner'
  | 'clock'
  | 'random'
  | 'onUsageWarning'
  | 'recordRawKey'
>

/** As a request's, but for `transaction`, whose work need not answer. */
export type ConsumeContext<Tx> = Omit<IdempotencyContext<Tx, ConsumedMessage>, 'transaction' | 'extra'> & {
  /** The handler's own rows and the message's record: both or neither. */
  transaction(work: (tx: Tx) => Promise<void>): Promise<void>
}

export type ConsumeHandler<Tx> = (
  message: ConsumedMessage,
  context: ConsumeContext<Tx>,
) => Promise<void> | void

export type Consumer = {
  readonly group: string
  readonly topic: string
  /** Applies a message once; says what to answer the broker. Throws only on bugs. */
  handle(message: ConsumedMessage): Promise<Disposition>
  /** What is known of the broker: warned of, once, when records are kept for less. */
  expectRedelivery(horizonMs: number): void
}

const FAILED_DELAY_MS = 1_000
const FAILED_DELAY_MS_MAX = 60_000
const UNAVAILABLE_DELAY_MS = 1_000
const DELAY_MS_MIN = 100
const DELAY_MS_MAX = 30_000

/**
 * The inbox: a message is a request whose key is its id and whose scope is `{group}/CONSUME {topic}`, with the same lease, fence,
 * effects and record. On PostgreSQL the handler's rows and the record commit together (`context.transaction`).
 */
export function consume<Tx = unknown>(options: ConsumeOptions<Tx>, handler: ConsumeHandler<Tx>): Consumer {
  const { group, topic, system, redeliveryHorizonMs, ...rest } = options
  // Named here, so that a wrong name stops the start and not a message.
  scopeName('CONSUME', { caller: group, route: `/${topic}` })
  const scope = `${group}/CONSUME ${topic}`
  const settings = resolveOptions<Tx>({
    ...rest,
    scope: () => ({ caller: group, route: `/${topic}` }),
  })
  const retention = watchRetention(settings, redeliveryHorizonMs ?? 0)

  async function handle(message: ConsumedMessage): Promise<Disposition> {
    if (!/^[\x21-\x7e]{1,255}$/.test(message.id)) return { kind: 'parked', reason: 'no_id' }
    const facts = { topic, storeSystem: settings.store.system, headers: message.headers }
    return traceMessage({ ...facts, attributes: attributesOf(message) }, (telemetry) =>
      serve(message, telemetry),
    )
  }

  async function serve(message: ConsumedMessage, telemetry: MessageTelemetry): Promise<Disposition> {
    const request = toRequest(topic, message)
    const wanted = {
      scope,
      key: message.id,
      tier: settings.tier,
      fingerprint: fingerprintRequest(request, message.payload),
      owner: settings.owner,
      leaseMs: settings.leaseMs,
      traceId: telemetry.traceId,
      retry: message.redelivered === true,
    }
    let acquired: AcquiredOrExpired
    try {
      ;({ acquired } = await acquireWaiting(
        settings,
        { ...wanted, otherFingerprints: () => [], mayBegin: true },
        telemetry,
      ))
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      telemetry.recordError(error)
      telemetry.outcome('store_error')
      return { kind: 'later', reason: 'store_unavailable', delayMs: UNAVAILABLE_DELAY_MS, error }
    }
    telemetry.set(acquiredAttributes(acquired, settings.leaseMs))
    if (acquired.kind !== 'acquired' && acquired.kind !== 'takeover')
      return answerDuplicate(acquired, telemetry)
    const exchange: Exchange<Tx, ConsumedMessage> = {
      settings,
      scope,
      request,
      extra: message,
      keyHash: hashKey(settings.keySecret, message.id),
      handle: async (context) => {
        await handler(message, toConsumeContext(context))
        return DONE()
      },
    }
    try {
      await runHeld(exchange, message.id, acquired, { ...telemetry, set: retention.reading(telemetry.set) })
    } catch (error) {
      telemetry.recordError(error)
      return { kind: 'later', reason: 'failed', delayMs: failedDelayMs(settings, acquired.attempt), error }
    }
    return afterExecution(settings, telemetry)
  }

  const attributesOf = (message: ConsumedMessage): Attributes => ({
    ...(system === undefined ? {} : { 'messaging.system': system }),
    'messaging.consumer.group.name': group,
    'messaging.message.id': message.id,
    'idempotency.scope.name': scope,
    'idempotency.store.system': settings.store.system,
    'idempotency.key.hash': hashKey(settings.keySecret, message.id),
    ...settings.store.attributes?.(),
    ...(settings.recordRawKey ? { 'idempotency.key': message.id } : {}),
    ...(message.deliveryAttempt === undefined
      ? {}
      : { 'idempotency.delivery.attempt': message.deliveryAttempt }),
    ...(message.redelivered === undefined ? {} : { 'idempotency.delivery.redelivered': message.redelivered }),
  })

  return { group, topic, handle, expectRedelivery: retention.expect }
}

const DONE = () => new Response(null, { status: 204 })

/** What the core compares and carries: content and type, under the topic. */
function toRequest(topic: string, { type = '', headers, payload }: ConsumedMessage): Request {
  const url = new URL(`http://messages.invalid/${encodeURIComponent(topic)}`)
  url.searchParams.set('type', type)
  const contentType = headers['content-type']
  return new Request(url, {
    method: 'POST',
    headers: contentType === undefined ? {} : { 'content-type': contentType },
    body: payload.byteLength === 0 ? null : Uint8Array.from(payload),
  })
}

const toConsumeContext = <Tx>(context: IdempotencyContext<Tx, ConsumedMessage>): ConsumeContext<Tx> => ({
  ...context,
  async transaction(work) {
    await context.transaction(async (tx) => {
      await work(tx)
      return DONE()
    })
  },
})

function answerDuplicate(
  acquired: Exclude<AcquiredOrExpired, { kind: 'acquired' | 'takeover' }>,
  telemetry: MessageTelemetry,
): Disposition {
  switch (acquired.kind) {
    case 'replay':
      telemetry.outcome('replayed')
      telemetry.linkOriginal(acquired.traceId)
      return { kind: 'done', replayed: true }
    case 'in_progress':
      telemetry.outcome('in_progress')
      return { kind: 'later', reason: 'in_progress', delayMs: clamp(acquired.leaseLeftMs) }
    case 'held':
      telemetry.outcome('held')
      return { kind: 'later', reason: 'held', delayMs: clamp(acquired.hold.leftMs) }
    case 'unknown':
      telemetry.outcome('in_progress')
      return { kind: 'parked', reason: 'unknown' }
    case 'mismatch':
      telemetry.outcome('mismatch')
      return { kind: 'parked', reason: 'mismatch' }
    case 'expired':
      throw new Error('the id of a message does not expire')
  }
}

/** The core has written, and said, how the execution ended. */
function afterExecution<Tx>(settings: Settings<Tx>, telemetry: MessageTelemetry): Disposition {
  const { outcome, state } = telemetry.last()
  if (outcome === 'held') return { kind: 'later', reason: 'held', delayMs: DELAY_MS_MAX }
  if (outcome === 'stale') return { kind: 'later', reason: 'stale', delayMs: clamp(settings.leaseMs) }
  if (outcome === 'store_error')
    return { kind: 'later', reason: 'store_unavailable', delayMs: clamp(settings.leaseMs) }
  if (state === 'completed') return { kind: 'done', replayed: false }
  return { kind: 'later', reason: 'deadline', delayMs: clamp(settings.leaseMs) }
}

const clamp = (delayMs: number) => Math.min(DELAY_MS_MAX, Math.max(DELAY_MS_MIN, Math.ceil(delayMs)))

/** Doubles with each attempt; half of it is jitter, so that messages that failed together do not come back together. */
function failedDelayMs<Tx>({ random }: Settings<Tx>, attempt: number): number {
  const boundMs = Math.min(FAILED_DELAY_MS_MAX, FAILED_DELAY_MS * 2 ** Math.min(attempt - 1, 10))
  return Math.round(boundMs * (0.5 + random() / 2))
}

/** Compares how long records live, as the store writes it, with how long the broker may deliver again. */
function watchRetention<Tx>(settings: Settings<Tx>, horizonMs: number) {
  let expectedMs = horizonMs
  let warned = false
  return {
    expect(horizonMs: number) {
      expectedMs = Math.max(expectedMs, horizonMs)
    },
    reading: (set: (attributes: Attributes) => void) => (attributes: Attributes) => {
      set(attributes)
      const createdAt = attributes['idempotency.record.created_at']
      const expiresAt = attributes['idempotency.record.expires_at']
      if (warned || typeof createdAt !== 'string' || typeof expiresAt !== 'string') return
      // A little longer than the retention: the handler's own time is in it.
      const keptMs = Date.parse(expiresAt) - Date.parse(createdAt)
      if (keptMs >= expectedMs) return
      warned = true
      warnOfUsage(
        settings,
        `tier ${settings.tier} keeps records for ${Math.round(keptMs / 1000)} s, but the broker may deliver a message again for ` +
          `${Math.round(expectedMs / 1000)} s: what comes after the record has expired is applied a second time`,
      )
    },
  }
}
