import type { Clock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import type { Log } from '@/lib/log'
import type { Encoding } from '@/lib/telemetry/decode/answer'
import { decodeJson } from '@/lib/telemetry/decode/json'
import { decodeProtobuf } from '@/lib/telemetry/decode/protobuf'
import { MalformedError } from '@/lib/telemetry/decode/span'
import { type Interpreted, interpret } from '@/lib/telemetry/interpret/interpret'
import { storeSpans } from './store-spans'

export type Outcome =
  | { kind: 'stored'; rejected: number; reasons: string[] }
  | { kind: 'malformed'; message: string }
  /** the database did not take it: the exporter should try again */
  | { kind: 'unavailable' }
  /** it can never be stored: a fault of ours */
  | { kind: 'failed' }

type Waiting = { bytes: Buffer; encoding: Encoding; settle: (outcome: Outcome) => void }
type Decoded = { waiting: Waiting; interpreted: Interpreted }

export type CommitterOptions = {
  db: Db
  clock: Clock
  log: Log
  hash: (key: string) => string
  onCommit: (spans: number) => void
}

/** Two, so that one decodes while the other waits for its COMMIT; keys are locked in order, so they cannot deadlock. */
const WRITERS = 2
/** Requests that wait are stored together up to this many bytes: one COMMIT for all of them. */
const GROUP_BYTES = 2 * 1024 * 1024
const GROUP_REQUESTS = 64

/**
 * Group commit: what arrives while a transaction runs goes into the next. Bodies wait as bytes, which the budget
 * counts, and are decoded only when a writer is free, so decoded spans exist for at most WRITERS groups.
 */
export class Committer {
  readonly #options: CommitterOptions
  readonly #queue: Waiting[] = []
  #writing = 0
  #idle: (() => void)[] = []

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  /** Resolves after COMMIT, or with why not. Never rejects. */
  submit(bytes: Buffer, encoding: Encoding): Promise<Outcome> {
    return new Promise((settle) => {
      this.#queue.push({ bytes, encoding, settle })
      this.#pump()
    })
  }

  /** Resolves when nothing waits or is being written. */
  drain(): Promise<void> {
    if (this.#writing === 0 && this.#queue.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #pump(): void {
    while (this.#writing < WRITERS && this.#queue.length > 0) {
      this.#writing += 1
      void this.#write(this.#takeGroup()).finally(() => {
        this.#writing -= 1
        this.#pump()
        if (this.#writing === 0) for (const resolve of this.#idle.splice(0)) resolve()
      })
    }
  }

  #takeGroup(): Waiting[] {
    let bytes = 0
    let requests = 0
    for (const { bytes: body } of this.#queue) {
      if (requests > 0 && (bytes + body.length > GROUP_BYTES || requests >= GROUP_REQUESTS)) break
      bytes += body.length
      requests += 1
    }
    return this.#queue.splice(0, requests)
  }

  async #write(group: Waiting[]): Promise<void> {
    const decoded = group.flatMap((waiting) => this.#decode(waiting))
    const result = await storeSpans(
      this.#options,
      decoded.flatMap(({ interpreted }) => interpreted.accepted),
    )
    if (result.kind === 'refused' && decoded.length > 1) {
      // One of them is at fault; each by itself, so that the others are stored.
      for (const each of decoded)
        this.#settle(each, await storeSpans(this.#options, each.interpreted.accepted))
      return
    }
    for (const each of decoded) this.#settle(each, result)
  }

  #decode(waiting: Waiting): Decoded[] {
    const { clock, hash, log } = this.#options
    try {
      const spans = waiting.encoding === 'json' ? decodeJson(waiting.bytes) : decodeProtobuf(waiting.bytes)
      return [{ waiting, interpreted: interpret(spans, clock, hash) }]
    } catch (error) {
      if (error instanceof MalformedError) waiting.settle({ kind: 'malformed', message: error.message })
      else {
        log.error({ err: error }, 'a body could not be decoded')
        waiting.settle({ kind: 'failed' })
      }
      return []
    }
  }

  #settle({ waiting, interpreted }: Decoded, result: Awaited<ReturnType<typeof storeSpans>>): void {
    if (result.kind === 'stored') {
      const { rejected, reasons } = interpreted
      waiting.settle({ kind: 'stored', rejected, reasons })
    } else {
      waiting.settle({ kind: result.kind === 'refused' ? 'failed' : 'unavailable' })
    }
  }
}
