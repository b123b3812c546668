import type { Pool } from 'pg'
import { createRelay, type OutboxMessage, type Publisher } from '../../../sdk/outbox'
import { createWebhookPublisher } from '../../../sdk/publishers/webhook'
import { toService } from '../../messages'
import { divertHeader, report } from '../fault-points'

/** Seldom: the demo has a message a second, and each look costs two statements. */
const lookMs = 1000
/** A message that its consumer refuses four times is dead some five seconds later, before the lease of a dead consumer has run out. */
const patience = { attemptsMax: 4, backoffBaseMs: 250, backoffMaxMs: 500 } as const
const leaseMs = 20_000
/** Of a relay that is to be killed: its lanes are soon another's. */
const victimLeaseMs = 3000

export interface RelayGiven {
  readonly pool: Pool
  /** Where the consumers are: this process. */
  readonly url: string
  readonly secret: string
}

/** One for all: a relay that was killed is the same one when it runs again. */
const owner = 'payments-relay'

/** Publishes what was committed, inside the service's process. The parent may have it wait. Returns how to end it. */
export function startRelay({ pool, url, secret }: RelayGiven): () => Promise<void> {
  const relay = createRelay({
    pool,
    publisher: createWebhookPublisher({ url: routeFrom(url), secret }),
    owner,
    leaseMs,
    ...patience,
  })
  let stopped = false
  let pauses = 0
  let round: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  const look = async () => {
    if (stopped) return
    if (pauses === 0) {
      round = relay.runOnce().catch((error: unknown) => console.error('relay:', String(error)))
      await round
    }
    if (!stopped) timer = setTimeout(() => void look(), lookMs)
  }
  process.on('message', (message) => {
    const { type } = toService.parse(message)
    if (type === 'pause-relay') {
      pauses += 1
      void round.then(() => report({ type: 'relay-paused' }))
    }
    if (type === 'resume-relay') pauses -= 1
  })
  void look()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await round
    await relay.stop()
  }
}

/** Publishes for another process until a message of a key has gone out, and never marks that batch: the parent kills it there. */
export function publishAndHang(
  { pool, secret }: Omit<RelayGiven, 'url'>,
  { url, key }: { url: string; key: string },
): void {
  const webhook = createWebhookPublisher({ url: routeFrom(url), secret })
  const publisher: Publisher = {
    ...webhook,
    async publish(messages, signal) {
      const results = await webhook.publish(messages, signal)
      if (!messages.some((message) => message.key === key)) return results
      report({ type: 'reached', point: 'before-mark' })
      return new Promise(() => undefined)
    },
  }
  const relay = createRelay({ pool, publisher, owner, leaseMs: victimLeaseMs, listen: false, pollMs: 50 })
  relay.start()
}

/** The consumer of a message's topic. The first delivery of one that a fault diverts goes elsewhere. */
function routeFrom(base: string) {
  const diverted = new Set<string>()
  return ({ id, topic, headers }: OutboxMessage): string => {
    const own = `${base}/messages/${topic}`
    const divert = headers[divertHeader]
    if (divert === undefined || diverted.has(id)) return own
    diverted.add(id)
    const [to = '', fault = ''] = divert.split(' ')
    return `${to === 'here' ? own : `${to}/messages/${topic}`}?fault=${fault}`
  }
}
