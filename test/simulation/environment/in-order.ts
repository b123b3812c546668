import type pg from 'pg'
import { wake } from './wake'

/*
 * Statements are sent one at a time, and an answer arrives before the next one is sent, so that no order follows from how
 * busy the machine is. A statement that waits for a lock lets the others through, and is answered in its place once the
 * lock is free.
 */

type Sent = {
  client: pg.Client | null
  send: () => Promise<unknown>
  /** It does nothing else. */
  takesLock: boolean
  isDone: boolean
  arrive: () => void
}

const queue: Sent[] = []
const underWay = new Set<Sent>()
/** Server processes whose connection is lost: they end what they are at, and then let go what they hold. */
const ending = new Set<number>()
let isSending = false
/** Whatever is under way waits for a lock. */
let isQuiet = true
let somethingIsDone = () => {}

export type ReadBackends = (pids: readonly number[]) => Promise<Map<number, { waits: boolean }>>
/** What server processes are at, for whoever reads why nothing moves. */
export type DescribeBackends = (pids: readonly number[]) => Promise<string[]>
let readBackends: ReadBackends = async () => new Map()
let describeBackends: DescribeBackends = async () => []
export const setBackends = (read: ReadBackends, describe: DescribeBackends): void => {
  readBackends = read
  describeBackends = describe
}

/** Sends once it is its turn. The answer arrives once everything that it has set free is answered too, or waits again. */
export async function inOrder<T>(
  client: pg.Client | null,
  send: () => Promise<T>,
  { takesLock = false } = {},
): Promise<T> {
  let answer: Promise<T> | undefined
  await new Promise<void>((arrive) => {
    const sent = { client, takesLock, isDone: false, arrive, send: () => (answer = send()) }
    queue.push(sent)
    void sendAll()
  })
  return answer as Promise<T>
}

export function noteLost(client: pg.Client): void {
  const pid = pidOf(client)
  if (pid === null) return
  ending.add(pid)
  isQuiet = false
  void sendAll()
}

/** How many statements wait for a lock; null = something is on its way. */
export const countWaiting = (): number | null => (isSending ? null : underWay.size)

/** What is under way, and what the server does about it. */
export async function describeUnderWay(): Promise<string> {
  const sent = [...underWay].map(({ client, isDone }) => ({ pid: pidOf(client), isDone }))
  const pids = [...sent.flatMap(({ pid }) => pid ?? []), ...ending]
  const state = { sent, ending: [...ending], queued: queue.length, isSending, isQuiet }
  return [JSON.stringify(state), ...(await describeBackends(pids))].join('\n')
}

async function sendAll(): Promise<void> {
  if (isSending) return
  isSending = true
  while (!isQuiet || queue.length > 0) {
    if (!isQuiet) await untilQuiet()
    isQuiet = true
    for (const sent of underWay) {
      if (!sent.isDone) continue
      arrive(sent)
      // What follows from one answer is asked before the next one comes: Prisma sends what is asked at one moment as the
      // first who asks, and another would then wait for that one's turns.
      await new Promise((next) => setImmediate(next))
    }
    const next = queue.shift()
    if (next !== undefined) start(next)
  }
  isSending = false
  wake()
}

function arrive(sent: Sent): void {
  underWay.delete(sent)
  sent.arrive()
}

function start(sent: Sent): void {
  underWay.add(sent)
  isQuiet = false
  const done = () => {
    sent.isDone = true
    isQuiet = false
    somethingIsDone()
    void sendAll()
  }
  sent.send().then(done, done)
}

async function untilQuiet(): Promise<void> {
  for (let asks = ending.size > 0; ; asks = true) {
    const open = [...underWay].filter(({ isDone }) => !isDone)
    if (open.length + ending.size === 0) return
    // What one was answered may have been what another waits for.
    if ((asks || open.length < underWay.size) && (await allWait(open))) return
    if (open.every(({ isDone }) => !isDone)) await untilSomethingIsDone()
  }
}

/** The last that was sent takes a lock: it is answered at once, or waits. */
function isAtLock(): boolean {
  const last = [...underWay].at(-1)
  return last !== undefined && !last.isDone && last.takesLock
}

async function allWait(open: readonly Sent[]): Promise<boolean> {
  const pids = open.map(({ client }) => pidOf(client)).filter((pid) => pid !== null)
  const backends = await readBackends([...pids, ...ending])
  for (const pid of ending) if (!backends.has(pid)) ending.delete(pid)
  const moving = [...backends.values()].filter(({ waits }) => !waits)
  return moving.length === 0 && backends.size === open.length + ending.size
}

function untilSomethingIsDone(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ending.size > 0 || isAtLock() ? 1 : NOTHING_MOVES_MS)
    somethingIsDone = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}
/** After so long it is asked who waits for a lock. */
const NOTHING_MOVES_MS = 4

/** Its server process; null = it is not connected yet. */
const pidOf = (client: pg.Client | null): number | null =>
  (client as unknown as { processID: number | null } | null)?.processID ?? null
