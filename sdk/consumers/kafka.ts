import { type Clock, sleep, systemClock } from '../clock'
import type { Consumer } from '../consume'
import type { ConsumedMessage, Disposition } from './delivery'

/** Of kafkajs and Confluent's KafkaJS interface. */
export type KafkaConsumer = {
  commitOffsets(offsets: { topic: string; partition: number; offset: string }[]): Promise<void>
}

export type KafkaDelivery = {
  topic: string
  partition: number
  message: {
    offset: string
    key: Buffer | string | null
    value: Buffer | null
    headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined> | undefined
  }
  heartbeat(): Promise<void>
}

export type KafkaHandlerOptions = {
  consumer: Consumer
  kafka: KafkaConsumer
  /**
   * Puts a message aside, e.g. onto a topic of its own; its offset is committed afterwards. `failed` = it failed `attemptsMax` times.
   */
  park: (
    message: ConsumedMessage,
    reason: 'unknown' | 'mismatch' | 'no_id' | 'failed',
    delivery: KafkaDelivery,
  ) => Promise<void>
  /** A message holds its partition back until it is applied, or parked after so many failures. Default 10. */
  attemptsMax?: number
  /** How often the group hears of a member at work; below its session timeout. Default 3 s. */
  heartbeatMs?: number
  clock?: Clock
}

/**
 * For `consumer.run({ autoCommit: false, eachMessage: … })`: commits an offset only after its message was applied. After a rebalance
 * another member may be given a message that is still under way here: its lease is what keeps it from being applied twice.
 */
export function kafkaEachMessage(options: KafkaHandlerOptions): (delivery: KafkaDelivery) => Promise<void> {
  const { consumer, kafka, park, attemptsMax = 10, heartbeatMs = 3_000, clock = systemClock } = options
  return async (delivery) => {
    const { topic, partition } = delivery
    const message = toMessage(delivery)
    const beat = beatWhile(delivery, clock, heartbeatMs)
    try {
      for (let failures = 0; ; ) {
        const ended: Disposition = await consumer.handle(message)
        beat.check()
        if (ended.kind === 'done') break
        if (ended.kind === 'parked') {
          await park(message, ended.reason, delivery)
          break
        }
        if (ended.reason === 'failed' && ++failures >= attemptsMax) {
          await park(message, 'failed', delivery)
          break
        }
        await sleep(clock, ended.delayMs)
        beat.check()
      }
    } finally {
      beat.stop()
    }
    await kafka.commitOffsets([
      { topic, partition, offset: (BigInt(delivery.message.offset) + 1n).toString() },
    ])
  }
}

/** A heartbeat that fails says that the partition is another member's: nothing of it is committed here any more. */
function beatWhile({ heartbeat }: KafkaDelivery, clock: Clock, everyMs: number) {
  let lost: unknown = null
  let stopped = false
  let cancel = () => {}
  const schedule = () => {
    cancel = clock.after(
      everyMs,
      () => {
        heartbeat()
          .catch((error: unknown) => {
            lost ??= error
          })
          .finally(() => {
            if (!stopped) schedule()
          })
      },
      'background',
    )
  }
  schedule()
  return {
    check() {
      if (lost !== null) throw lost
    },
    stop() {
      stopped = true
      cancel()
    },
  }
}

function toMessage({ topic, partition, message }: KafkaDelivery): ConsumedMessage {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    const [one] = Array.isArray(value) ? value : [value]
    if (one !== undefined) headers[name.toLowerCase()] = one.toString()
  }
  return {
    // A producer without ids of its own: the place in the log is the same in every delivery.
    id: headers['message-id'] ?? `${topic}/${partition}/${message.offset}`,
    type: headers['message-type'],
    headers,
    payload: message.value ?? new Uint8Array(),
  }
}
