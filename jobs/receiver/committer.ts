import type { Encoding, Signal } from '@/lib/telemetry/decode/answer'
import { MalformedError, type Rejections } from '@/lib/telemetry/decode/span'
import { decodeAndInterpret, type InterpretedAny } from '@/lib/telemetry/ingest/read-request'
import { type Stored, type StoreOptions, storeTogether } from '@/lib/telemetry/ingest/store-requests'
import { FairQueue, type Sender } from './fair-queue'

export type Outcome =
  | { kind: 'stored'; rejections: Rejections }
  | { kind: 'malformed'; message: string }
  /** the database did not take it: the exporter should try again */
  | { kind: 'unavailable' }
  /** it can never be stored: a fault of ours */
  | { kind: 'failed' }

type Waiting = {
  sender: Sender
  bytes: Buffer
  signal: Signal
  encoding: Encoding
  settle: (outcome: Outcome) => void
}
type Decoded = { waiting: Waiting; interpreted: InterpretedAny }

export type CommitterOptions = StoreOptions & { hash: (key: string) => string }

/**
 * While one group is decoded, the others are written and wait for the disk. Keys are locked in order, so writers cannot
 * deadlock.
 */
const WRITERS = 3
/** Requests that wait are stored together up to this many bytes: one COMMIT for all of them. */
const GROUP_BYTES = 1024 * 1024
const GROUP_REQUESTS = 64
/** What is rendered takes more than its bytes: a body that is larger than this is written alone. */
const WRITING_BYTES_MAX = 4 * GROUP_BYTES

/**
 * Group commit: what arrives while transactions run goes into the next, and each writer takes its share of it. Bodies
 * wait as bytes, which the budget counts, and are decoded only when a writer is free, one at a time: decoded spans exist
 * for one body, and what is rendered of them for at most WRITING_BYTES_MAX, or for one body.
 */
export class Committer {
  readonly #options: CommitterOptions
  readonly #queue = new FairQueue<Waiting>()
  readonly #writing = new Set<readonly Waiting[]>()
  #idle: (() => void)[] = []
  /** resolves when nothing is being decoded */
  #decoding: Promise<unknown> = Promise.resolve()

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  /** Resolves after COMMIT, or with why not. Never rejects. */
  submit(request: Omit<Waiting, 'settle'>): Promise<Outcome> {
    return new Promise((settle) => {
      this.#queue.push(request.sender, { ...request, settle })
      this.#pump()
    })
  }

  /** Resolves when nothing waits or is being written. */
  drain(): Promise<void> {
    if (this.#writing.size === 0 && this.#queue.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #pump(): void {
    while (this.#writing.size < WRITERS) {
      const group = this.#takeGroup()
      if (group.length === 0) return
      this.#writing.add(group)
      void this.#write(group).finally(() => {
        this.#writing.delete(group)
        this.#pump()
        if (this.#writing.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
      })
    }
  }

  /** Empty when nothing waits, or when what is next has to wait for room. */
  #takeGroup(): Waiting[] {
    const writing = [...this.#writing].flat()
    const writingBytes = writing.reduce((sum, each) => sum + each.bytes.length, 0)
    const share = Math.ceil((this.#queue.length + writing.length) / WRITERS)
    const requestsMax = Math.min(share, GROUP_REQUESTS)
    const group: Waiting[] = []
    let bytes = 0
    for (;;) {
      const next = this.#queue.take((item) => {
        const inGroup = bytes + item.bytes.length
        const first = group.length === 0
        const hasRoom = (first && writing.length === 0) || writingBytes + inGroup <= WRITING_BYTES_MAX
        return hasRoom && (first || (group.length < requestsMax && inGroup <= GROUP_BYTES))
      })
      if (next === undefined) return group
      group.push(next)
      bytes += next.bytes.length
    }
  }

  async #write(group: Waiting[]): Promise<void> {
    const decoded: Decoded[] = []
    for (const waiting of group) {
      const own = this.#decoding.then(() => this.#decode(waiting))
      this.#decoding = own
      decoded.push(...(await own))
    }
    for (const signal of ['traces', 'logs'] as const)
      await this.#store(decoded.filter(({ waiting }) => waiting.signal === signal))
  }

  async #store(decoded: Decoded[]): Promise<void> {
    if (decoded.length === 0) return
    const result = await storeTogether(
      this.#options,
      decoded.map(({ interpreted }) => interpreted),
    )
    if (result.kind === 'refused' && decoded.length > 1) {
      // One of them is at fault; each by itself, so that the others are stored.
      for (const each of decoded) settle(each, await storeTogether(this.#options, [each.interpreted]))
      return
    }
    for (const each of decoded) settle(each, result)
  }

  /** Never rejects. */
  async #decode(waiting: Waiting): Promise<Decoded[]> {
    const { clock, hash, log } = this.#options
    try {
      return [{ waiting, interpreted: await decodeAndInterpret(waiting, clock, hash) }]
    } catch (error) {
      if (error instanceof MalformedError) waiting.settle({ kind: 'malformed', message: error.message })
      else {
        log.error({ err: error }, 'a body could not be decoded')
        waiting.settle({ kind: 'failed' })
      }
      return []
    }
  }
}

function settle({ waiting, interpreted }: Decoded, result: Stored): void {
  if (result.kind === 'stored') {
    waiting.settle({ kind: 'stored', rejections: interpreted.rejections })
  } else {
    waiting.settle({ kind: result.kind === 'refused' ? 'failed' : 'unavailable' })
  }
}
