import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { evaluateConditions } from '@/lib/alerts/evaluate/evaluate'
import { addReceiver } from '@/lib/alerts/notify/add-receiver'
import { deliverDue } from '@/lib/alerts/notify/deliver'
import { planNotifications } from '@/lib/alerts/notify/plan'
import type { SystemContext } from '@/lib/context'
import { type Clock, type manualClock, systemClock } from '@/lib/core/clock'
import { closeDatabase, openDatabase } from '@/lib/db'
import { silentLog } from '@/lib/log'
import type { Received } from '../alerts/webhook'
import { apiClient, signIn } from '../support/api'
import { startDemo, until } from '../support/demo'
import { noQueue } from '../support/no-queue'
import { makeThrowAwayFolder } from '../support/throw-away-folder'

// A demo whose alerts a webhook is told of, and its console on a clock that the test moves.

/** The data of a console that knows one receiver before anything happens: copied for each demo. */
export async function prepareConsole(hookUrl: string): Promise<string> {
  const folder = makeThrowAwayFolder('paged')
  const demo = await startDemo({ seed: '1', durationS: 1, faultRate: 0, folder, empty: true })
  await addPager(demo.runtime.databaseUrl, hookUrl)
  await demo.stop()
  return folder
}

/** A receiver that wakes somebody, at a webhook. */
export async function addPager(databaseUrl: string, hookUrl: string): Promise<void> {
  const db = openDatabase(databaseUrl, 2)
  const actor = { kind: 'user', userId: 'usr_test', name: 'Ada', role: 'admin', via: 'session' } as const
  const ctx = { db, clock: systemClock, log: silentLog, queue: noQueue, actor, requestId: 'req_paged' }
  await addReceiver(ctx, { name: 'pager', url: hookUrl, paging: true, reason: 'the pager of the team' })
  await closeDatabase(db)
}

export type PagedDemo = Awaited<ReturnType<typeof startPagedDemo>>

export async function startPagedDemo(
  prepared: string,
  traffic: { seed: string; durationS: number; rate: number; faultRate: number; fault?: string },
) {
  const folder = makeThrowAwayFolder('paged')
  // With its owners: PostgreSQL runs as a user of its own.
  spawnSync('cp', ['-a', `${prepared}/.`, folder])
  const demo = await startDemo({ ...traffic, folder, stores: 'postgresql' })
  const db = openDatabase(demo.runtime.databaseUrl, 8)
  return {
    demo,
    /** The console, as a process of it with this clock would see it. */
    at: (clock: Clock): SystemContext => ({
      db,
      clock,
      log: silentLog,
      queue: noQueue,
    }),
    viewer: apiClient(demo.url, { token: await demo.token('viewer') }),
    async stop() {
      await closeDatabase(db)
      await demo.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const MINUTE_MS = 60_000

/** As often as a worker would at first, then ever more seldom: hours have to pass. */
const stepMs = (passedMs: number): number => {
  if (passedMs < 20 * MINUTE_MS) return MINUTE_MS / 4
  return passedMs < 90 * MINUTE_MS ? MINUTE_MS : 5 * MINUTE_MS
}

type Passing = { minutesMin?: number; minutesMax: number; isEnough: () => boolean }

/** Evaluates and tells as time goes on, until it is enough or the time is over. Minutes pass in seconds. */
export async function letTimePass(
  paged: PagedDemo,
  clock: ReturnType<typeof manualClock>,
  { minutesMin = 0, minutesMax, isEnough }: Passing,
): Promise<void> {
  const ctx = paged.at(clock)
  const startMs = clock.now().getTime()
  for (let passedMs = 0; passedMs < minutesMax * MINUTE_MS; passedMs = clock.now().getTime() - startMs) {
    await evaluateConditions(ctx)
    await planNotifications(ctx)
    await deliverDue(ctx)
    if (passedMs >= minutesMin * MINUTE_MS && isEnough()) return
    clock.advance(stepMs(passedMs))
  }
}

/** Two people do for every open case the first thing that it offers, until none is open. */
export async function mendAll({ demo }: PagedDemo): Promise<void> {
  const [operator, approver] = await Promise.all(
    demo.signIns().map(async (person) => apiClient(demo.url, { cookie: await signIn(demo.url, person) })),
  )
  if (operator === undefined || approver === undefined) throw new Error('the demo has two sign-ins')
  const reason = 'what the demo broke, as its case offers'
  const tried = new Set<string>()
  const open = async () =>
    (await operator.all('reconciliation/cases')).filter(({ lifecycle }) => lifecycle !== 'resolved')
  const mend = async (found: { id: string; fixes: string[]; version: number }) => {
    const kind = found.fixes.find((each) => !tried.has(`${found.id} ${each}`))
    if (kind === undefined) return
    tried.add(`${found.id} ${kind}`)
    const proposal = await operator.post(`reconciliation/cases/${found.id}/proposals`, { kind, reason })
    const { id, state, evidenceHash } = proposal.body
    if (state === 'proposed') await approver.post(`actions/${id}/approve`, { evidenceHash })
  }
  await until(
    async () => {
      const cases = await open()
      for (const found of cases) await mend(found)
      return cases.length === 0
    },
    240_000,
    () => 'cases stay open',
  )
}

/** What was told, in words: the kind, and what became of it. */
export const toldOf = (received: readonly Received[], event: string): string[] =>
  received.flatMap(({ body }) => (body.event === event ? [body.alert.kind as string] : []))
