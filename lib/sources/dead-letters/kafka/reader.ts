import { randomUUID } from 'node:crypto'
import type { Consumer, Kafka, KafkaMessage } from 'kafkajs'

export type Reader = ReturnType<typeof createReader>

type Request = { topic: string; partition: number; from: bigint; to: bigint }

const IDLE_MS = 30_000
const WAIT_MS = 100
/** Fetches without a record: what is left up to the end are marks of transactions, which are no records. */
const EMPTY_FETCHES = 5

/**
 * Reads by offset, in a group of its own that commits nothing: no other group is touched. Joining takes seconds, so the consumer
 * stays for a while for the next read; one read at a time.
 */
export function createReader(kafka: Kafka, topics: readonly string[], timeoutMs: number) {
  let running: Promise<Consumer> | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined
  let current: { request: Request; records: KafkaMessage[]; empty: number; done: () => void } | undefined

  async function start(): Promise<Consumer> {
    const consumer = kafka.consumer({
      groupId: `idemscope.${randomUUID()}`,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: WAIT_MS,
      retry: { retries: 2, restartOnFailure: async () => false },
    })
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.GROUP_JOIN, () => resolve())
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        running = undefined
        reject(payload.error)
      })
    })
    joined.catch(() => undefined)
    consumer.on(consumer.events.FETCH, ({ payload: { numberOfBatches } }) => {
      if (current === undefined || numberOfBatches > 0) return
      current.empty += 1
      if (current.empty >= EMPTY_FETCHES) current.done()
    })
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [...topics], fromBeginning: false })
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          const { request, records, done } = current ?? {}
          if (request?.topic !== batch.topic || request.partition !== batch.partition) return
          if (current !== undefined) current.empty = 0
          for (const message of batch.messages) {
            const offset = BigInt(message.offset)
            // What was fetched before the seek may still come.
            const next =
              records?.at(-1) === undefined ? request.from : BigInt(records.at(-1)?.offset ?? 0) + 1n
            if (offset >= next && offset < request.to) records?.push(message)
          }
          if (BigInt(batch.lastOffset()) >= request.to - 1n && records !== undefined) done?.()
        },
      })
      await joined
      return consumer
    } catch (error) {
      await consumer.disconnect().catch(() => undefined)
      throw error
    }
  }

  async function stop(): Promise<void> {
    clearTimeout(idle)
    const stopping = running
    running = undefined
    await stopping?.then((consumer) => consumer.disconnect()).catch(() => undefined)
  }

  async function readNow(request: Request): Promise<KafkaMessage[]> {
    if (request.from >= request.to) return []
    clearTimeout(idle)
    running ??= start()
    try {
      const consumer = await running
      const records: KafkaMessage[] = []
      let late: NodeJS.Timeout | undefined
      await new Promise<void>((resolve, reject) => {
        late = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
        current = { request, records, empty: 0, done: resolve }
        consumer.seek({
          topic: request.topic,
          partition: request.partition,
          offset: request.from.toString(),
        })
      }).finally(() => {
        clearTimeout(late)
        current = undefined
      })
      return records
    } catch (error) {
      await stop()
      throw error
    } finally {
      idle = setTimeout(() => void stop(), IDLE_MS)
      idle.unref()
    }
  }

  return {
    read(request: Request): Promise<KafkaMessage[]> {
      const next = turn.then(() => readNow(request))
      turn = next.catch(() => undefined)
      return next
    },
    close: stop,
  }
}
