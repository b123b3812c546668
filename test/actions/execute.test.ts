import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAction } from '@/lib/actions/create'
import {
  type ActionResult,
  commitIntent,
  endAction,
  execute,
  type Steps,
  settle,
} from '@/lib/actions/execute'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { silentLog } from '@/lib/log'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'

const VERB = 'lock.release'
const REASON = 'its holder is gone'

let console: TestDatabase
let ctx: Context
beforeAll(async () => {
  console = await createTestDatabase()
  const user = { id: 'admin', name: 'admin', email: 'admin@test.local', role: 'admin' }
  await console.db.prisma.user.create({ data: user })
  ctx = {
    db: console.db,
    clock: systemClock,
    log: silentLog,
    queue: noQueue,
    requestId: 'r',
    actor: { kind: 'user', userId: 'admin', name: 'admin', role: 'admin', via: 'session' },
  }
})
afterAll(() => console.close())

async function begun(): Promise<string> {
  const { action } = await commitIntent(ctx, VERB, async (tx) => ({
    kind: 'ours',
    action: await createAction(tx, ctx, { kind: 'release', state: 'executing', reason: REASON }),
    audit: { outcome: 'intent', reason: REASON },
  }))
  return action.id
}

const DONE: ActionResult = { state: 'done', result: {} }

const run = (id: string, steps: Partial<Steps<ActionResult>>) =>
  execute<ActionResult>(ctx, {
    id,
    verb: VERB,
    readAgain: async () => ({ call: async () => DONE }),
    whenOff: (off) => {
      throw off
    },
    ...steps,
  })

const read = (id: string) => console.db.prisma.action.findUniqueOrThrow({ where: { id } })
const audited = async (id: string) =>
  (await console.db.prisma.auditEntry.findMany({ where: { subject: id }, orderBy: { id: 'asc' } })).map(
    ({ outcome }) => outcome,
  )

const age = (id: string, ms: number) =>
  console.db.prisma.action.update({
    where: { id },
    data: { executedAt: new Date(systemClock.now().getTime() - ms) },
  })

type Read = Parameters<typeof settle>[1]['read']
const settlingBy = (read: Read) =>
  settle(ctx, {
    job: 'test',
    where: { kind: 'release' },
    readableAfterMs: 10_000,
    abandonedAfterMs: 60_000,
    recorded: () => ({ verb: VERB }),
    read,
  })
const settling = (reading: Awaited<ReturnType<Read>>) => settlingBy(async () => reading)

describe('intent', () => {
  test('action and audit entry are committed together, or neither', async () => {
    const id = await begun()
    expect([(await read(id)).state, await audited(id)]).toEqual(['executing', ['intent']])
    const failing = commitIntent(ctx, VERB, async (tx) => {
      await createAction(tx, ctx, { id: 'act_never', kind: 'release', state: 'executing', reason: REASON })
      throw new Error('the process dies here')
    })
    await expect(failing).rejects.toThrow('dies here')
    expect(await console.db.prisma.action.findUnique({ where: { id: 'act_never' } })).toBeNull()
    expect(await audited('act_never')).toEqual([])
  })

  test('an action that another process has taken gets no second entry', async () => {
    const id = await begun()
    const action = await read(id)
    expect(await commitIntent(ctx, VERB, async () => ({ kind: 'taken', action }))).toMatchObject({
      kind: 'taken',
    })
    expect(await audited(id)).toEqual(['intent'])
  })
})

describe('execution', () => {
  test('the intent is committed before the call, and the call is outside any transaction', async () => {
    const id = await begun()
    const { action } = await run(id, {
      readAgain: async () => ({
        call: async () => {
          // Another connection sees it, and may lock it.
          await console.db.pool.query('SELECT FROM action WHERE id = $1 FOR UPDATE NOWAIT', [id])
          return DONE
        },
      }),
    })
    expect(action.state).toBe('done')
    expect(await audited(id)).toEqual(['intent', 'done'])
  })

  test('evidence that ends it is its result; nothing is called', async () => {
    const id = await begun()
    const refused: ActionResult = { state: 'refused', result: { reason: 'gone' } }
    expect((await run(id, { readAgain: async () => refused })).ended).toBe(refused)
    expect(await read(id)).toMatchObject({ state: 'refused', result: { reason: 'gone' } })
  })

  test('an error before the call: it failed, with its audit entry, and the error goes on', async () => {
    const id = await begun()
    const broken = run(id, {
      readAgain: async () => {
        throw new AppError('forbidden', 'Your role was lowered.')
      },
    })
    await expect(broken).rejects.toMatchObject({ code: 'forbidden' })
    expect(await read(id)).toMatchObject({ state: 'failed', result: { error: 'Your role was lowered.' } })
    expect(await audited(id)).toEqual(['intent', 'failed'])
  })

  test('writes that are switched off while the evidence is read: nothing is called', async () => {
    const id = await begun()
    let called = false
    const switchedOff = run(id, {
      readAgain: async () => {
        await setKillSwitch(ctx, { on: true, reason: 'the provider looks wrong' })
        return {
          call: async () => {
            called = true
            return DONE
          },
        }
      },
    })
    await expect(switchedOff).rejects.toMatchObject({ code: 'kill_switch' })
    await setKillSwitch(ctx, { on: false, reason: 'the provider is fine again' })
    expect(called).toBe(false)
    expect((await read(id)).state).toBe('failed')
  })

  test('a call that throws may have happened: it stays executing, and is settled by reading', async () => {
    const id = await begun()
    const broken = run(id, {
      readAgain: async () => ({
        call: async () => {
          throw new Error('broken pipe')
        },
      }),
    })
    await expect(broken).rejects.toThrow('broken pipe')
    expect((await read(id)).state).toBe('executing')
    await age(id, 60_001)
    expect(await settling({ state: 'done', result: { settled: 'applied' } })).toEqual({ settled: 1, open: 0 })
    expect(await audited(id)).toEqual(['intent', 'done'])
  })

  test('what was settled by reading meanwhile stands', async () => {
    const id = await begun()
    const { action } = await run(id, {
      readAgain: async () => ({
        call: async () => {
          const found = { state: 'failed' as const, result: { settled: 'not_applied' } }
          await endAction(ctx, { id, verb: VERB, from: ['executing'], ...found })
          return DONE
        },
      }),
    })
    expect(action).toMatchObject({ state: 'failed', result: { settled: 'not_applied' } })
    expect(await audited(id)).toEqual(['intent', 'failed'])
  })
})

describe('settling by reading', () => {
  test('not before it can be read, and not while its process may still execute it', async () => {
    const [unknown, executing] = [await begun(), await begun()]
    await run(unknown, { readAgain: async () => ({ state: 'unknown', result: {} }) })
    expect((await read(unknown)).finishedAt).toBeNull()
    await age(executing, 59_000)
    expect(await settling({ state: 'failed', result: {} })).toEqual({ settled: 0, open: 0 })
    await age(unknown, 10_001)
    expect(await settling({ state: 'failed', result: {} })).toEqual({ settled: 1, open: 0 })
    expect([(await read(unknown)).state, (await read(executing)).state]).toEqual(['failed', 'executing'])
    await age(executing, 60_001)
    expect(await settling(null)).toEqual({ settled: 0, open: 1 })
    expect(await settling({ state: 'failed', result: {} })).toEqual({ settled: 1, open: 0 })
  })

  test('one that cannot be read does not hold up the others', async () => {
    const [first, second] = [await begun(), await begun()]
    await age(first, 70_000)
    await age(second, 65_000)
    const outcome = await settlingBy(async (_, { id }) => {
      if (id === first) throw new Error('the store does not answer')
      return { state: 'done', result: {} }
    })
    expect(outcome).toEqual({ settled: 1, open: 1 })
    expect([(await read(first)).state, (await read(second)).state]).toEqual(['executing', 'done'])
  })

  test('as many as a run takes, none of which can be read, do not hold up a younger one', async () => {
    for (let nth = 0; nth < 50; nth++) await age(await begun(), 70_000)
    const last = await begun()
    await age(last, 65_000)
    const run = () =>
      settlingBy(async (_, { id }) => {
        if (id !== last) throw new Error('the store is switched off')
        return { state: 'done', result: {} }
      })
    for (let turn = 0; turn < 40 && (await read(last)).state !== 'done'; turn++) await run()
    expect((await read(last)).state).toBe('done')
  })
})
