import { AsyncLocalStorage } from 'node:async_hooks'
import type pg from 'pg'
import { countWaiting, describeUnderWay, noteLost } from './in-order'
import { somethingMoves, wake } from './wake'

/** An operating system process of the world: it can be killed, or stand still as in a long garbage collection. */
export type Process = {
  name: string
  dead: boolean
  frozen: boolean
  clients: Set<pg.Client>
  holdsRead: HoldsRead
}

/** The last read of the store's holds that a process was answered: as of when it is, and whether it has asked since. */
export type HoldsRead = { ofMs: number; unanswered: boolean }

export const createProcess = (name: string): Process => ({
  name,
  dead: false,
  frozen: false,
  clients: new Set(),
  holdsRead: { ofMs: Number.NEGATIVE_INFINITY, unanswered: false },
})

/** What goes wrong at one call of a strand: it never arrives, or its answer is lost after it was done. */
export type Fault = { at: number; kind: 'unsent' | 'lost' }

/** One thing that a process does. It stands still before each call to the outside, and before each answer. */
export type Strand = {
  name: string
  process: Process
  /** How many calls it may still make before it waits for its next turn. */
  pointsLeft: number
  calls: number
  fault: Fault | null
  waiting: { label: string; go: () => void }[]
  /** Timers that it awaits. */
  sleeping: number
  inFlight: number
  /** When its last statement was sent, by the store's clock. */
  sentMs: number
  ended: boolean
}

const storage = new AsyncLocalStorage<Strand>()
let strands: Strand[] = []

export const currentStrand = (): Strand | undefined => storage.getStore()
/** Does something that is no part of the story: what the invariants read. */
export async function outside<T>(work: () => Promise<T>): Promise<T> {
  const strand = currentStrand()
  if (strand === undefined) return work()
  strand.inFlight += 1
  try {
    return await storage.exit(work)
  } finally {
    strand.inFlight -= 1
    wake()
  }
}
export const allStrands = (): readonly Strand[] => strands
/** Every call and every answer of this history, in order. */
let calls: string[] = []
export const allCalls = (): readonly string[] => calls
export const forgetStrands = (): void => {
  strands = []
  calls = []
}

/** Begins something in a process. `work` never rejects into the void: its end is noted, and its error handed to `failed`. */
export function spawn(
  name: string,
  process: Process,
  options: { points: number; fault?: Fault | null },
  work: () => Promise<void>,
  failed: (error: unknown) => void = () => {},
): Strand {
  const strand: Strand = {
    name,
    process,
    pointsLeft: options.points,
    calls: 0,
    fault: options.fault ?? null,
    waiting: [],
    sleeping: 0,
    inFlight: 0,
    sentMs: 0,
    ended: false,
  }
  strands.push(strand)
  storage.run(strand, () => {
    work()
      .catch(failed)
      .finally(() => {
        strand.ended = true
      })
  })
  return strand
}

/** A heartbeat or a deadline: it runs beside what set it, and is never held back. */
export function spawnTimer(of: Strand, fire: () => unknown): void {
  const name = `${of.name}, timer`
  spawn(name, of.process, { points: Number.POSITIVE_INFINITY }, async () => {
    await fire()
  })
}

const NEVER = new Promise<never>(() => {})
export const never = (): Promise<never> => NEVER

/** Waits for the strand's turn; a dead process waits for ever. */
export async function turn(strand: Strand, label: string): Promise<void> {
  calls.push(`${strand.name}: ${label}`)
  if (strand.process.dead) return never()
  if (strand.pointsLeft > 0 && !strand.process.frozen) {
    strand.pointsLeft -= 1
    return
  }
  await new Promise<void>((go) => {
    strand.waiting.push({ label, go })
  })
  if (strand.process.dead) return never()
}

/** Which fault this call has. */
export function faultOf(strand: Strand): Fault['kind'] | null {
  strand.calls += 1
  return strand.fault?.at === strand.calls ? strand.fault.kind : null
}

/** Lets a strand go on for some points. */
export function resume(strand: Strand, points: number): void {
  strand.pointsLeft = Math.max(0, points - strand.waiting.length)
  const waiting = strand.waiting
  strand.waiting = []
  for (const { go } of waiting) go()
}

export function kill(process: Process): void {
  process.dead = true
  for (const client of process.clients) breakConnection(client)
}

const broken = new WeakSet<pg.Client>()
/** What was under way on it does not arrive. */
export const isBroken = (client: pg.Client): boolean => broken.has(client)

export function breakConnection(client: pg.Client): void {
  broken.add(client)
  // pg gives no public way to lose a connection.
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
  noteLost(client)
}

/** A bound of the real clock: a history in which nothing moves for so long is a fault of the simulation. */
const STUCK_MS = 300_000

/** Everybody waits for a turn, a timer or a lock of the database. */
export async function settle(): Promise<void> {
  const until = performance.now() + STUCK_MS
  for (let quiet = 0; quiet < 3; ) {
    await new Promise((next) => setImmediate(next))
    const busy = strands.filter(isBusy)
    if (busy.length === 0) {
      quiet += 1
      continue
    }
    quiet = 0
    if (busy.every(({ inFlight }) => inFlight > 0)) {
      const inFlight = busy.reduce((sum, strand) => sum + strand.inFlight, 0)
      if ((countWaiting() ?? 0) >= inFlight) return
      await somethingMoves()
    }
    if (performance.now() > until)
      throw new Error(
        `nothing moves: ${busy.map(({ name, inFlight, waiting, sleeping, process, calls }) => JSON.stringify({ name, inFlight, waiting: waiting.length, sleeping, frozen: process.frozen, calls })).join(', ')}\n${await outside(describeUnderWay)}`,
      )
  }
}

function isBusy(strand: Strand): boolean {
  if (strand.process.dead) return false
  if (strand.ended) return strand.inFlight > 0
  return strand.inFlight > 0 || (strand.waiting.length === 0 && strand.sleeping === 0)
}
