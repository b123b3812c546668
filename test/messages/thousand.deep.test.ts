import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { executeMessageSnapshot } from '@/lib/messages/bulk/execute-snapshot'
import { snapshotMessages } from '@/lib/messages/bulk/snapshot-messages'
import { checkMessages } from '@/lib/messages/check-messages'
import { listDeadLetters } from '@/lib/messages/read/dead-letters'
import { approveMessage } from '@/lib/messages/verbs/decide-message'
import { settleMessages } from '@/lib/messages/verbs/settle-messages'
import { createQueue, type Queue } from '@/lib/queue'
import { requeueLost } from '@/lib/runs/requeue-lost'
import { wholeOrSample } from '../support/whole-or-sample'
import { killWorker, startWorker } from '../support/worker'
import {
  acquireMessage,
  actionsOf,
  applyMessage,
  CREDENTIALS_KEY,
  createMessagesFixture,
  deadMessages,
  letGo,
  loseEnd,
  type MessagesFixture,
  REASON,
  statesOf,
} from './messages-fixture'

/** Letters in each hundredth of them. */
const HUNDREDTH = wholeOrSample(10, 4)
const of = (hundredths: number) => hundredths * HUNDREDTH

const WAIT = { timeout: 120_000, interval: 100 }

let fixture: MessagesFixture
let queue: Queue
let operator: Context
let approver: Context
const workers: ChildProcess[] = []
beforeAll(async () => {
  fixture = await createMessagesFixture()
  queue = createQueue(fixture.console.db.url, { worker: false })
  operator = { ...(await fixture.as('operator')), queue }
  approver = { ...(await fixture.as('approver')), queue }
})
afterAll(async () => {
  for (const worker of workers) await killWorker(worker)
  await queue.boss.stop({ graceful: false }).catch(() => undefined)
  await fixture.close()
})

const addWorker = () =>
  startWorker(workers, fixture.console.db.url, CREDENTIALS_KEY, {
    IDEMSCOPE_REDRIVE_PER_SECOND: '1000',
  })

const runOf = (id: string) => fixture.console.db.prisma.run.findUniqueOrThrow({ where: { id } })
const runIdOf = (action: { result: unknown }) => (action.result as { runId: string }).runId

async function propose(snapshotId: string) {
  const proposed = await executeMessageSnapshot(operator, snapshotId, REASON)
  if (proposed.kind !== 'proposed') throw new Error(proposed.kind)
  return proposed.action
}

const approve = ({ id, evidenceHash }: { id: string; evidenceHash: string | null }) =>
  approveMessage(approver, { actionId: id, evidenceHash: evidenceHash ?? '' })

const tally = (values: readonly string[]) =>
  Object.fromEntries([...new Set(values)].map((each) => [each, values.filter((one) => one === each).length]))

test(`a redrive of ${of(100)} dead letters, its worker killed in the middle, treats each as its consumer’s record says`, async () => {
  const fresh = await deadMessages(fixture, of(90))
  const old = await deadMessages(fixture, of(10), { age: '25 hours' })
  const take = (from: number, count: number) => fresh.slice(from, from + count)
  const [applied, unknown, running, retried, ...rest] = [
    take(of(0), of(30)),
    take(of(30), of(10)),
    take(of(40), of(10)),
    take(of(50), of(5)),
    take(of(55), of(35)),
  ]
  for (const id of applied) await applyMessage(fixture, id)
  for (const id of unknown) await loseEnd(fixture, id, 'mail.send')
  for (const id of running) await acquireMessage(fixture, id)
  for (const id of retried) await letGo(fixture, id)
  await checkMessages(fixture.system)

  // The look: what is done to each, frozen; more than a hundred takes a second person.
  const redrive = await snapshotMessages(operator, 'redrive', { topic: 'orders' })
  expect(redrive).toMatchObject({ count: of(40), money: 0, needsSecondPerson: true })
  expect(Object.fromEntries(redrive.excluded.map(({ reason, count }) => [reason, count]))).toEqual({
    applied: of(30),
    expired: of(10),
    unknown: of(10),
    in_progress: of(10),
  })
  const { items: letters } = await listDeadLetters(fixture.console.db, {}, { limit: 2_000 })
  const ids = letters.flatMap(({ id, messageId }) => (applied.includes(messageId ?? '') ? [id] : []))
  const discard = await snapshotMessages(operator, 'discard', { ids })
  expect(discard).toMatchObject({ count: of(30), needsSecondPerson: true })
  const proposal = await propose(redrive.snapshotId)
  expect(await propose(redrive.snapshotId)).toMatchObject({ id: proposal.id })
  await expect(
    approveMessage(operator, { actionId: proposal.id, evidenceHash: proposal.evidenceHash ?? '' }),
  ).rejects.toMatchObject({ code: 'forbidden' })

  // What changes between the look and the act is found at the act. What arrives later is no part of it.
  const [late = [], begun = []] = [rest.flat().slice(0, of(4)), rest.flat().slice(of(4), of(6))]
  for (const id of late) await applyMessage(fixture, id)
  for (const id of begun) await acquireMessage(fixture, id)
  const [arrived] = await deadMessages(fixture, 1)
  await checkMessages(fixture.system)

  const first = await addWorker()
  await queue.boss.start()
  const broken = rest.flat()[of(20)] ?? ''
  const blocker = await fixture.service.connect()
  await blocker.query('BEGIN')
  await blocker.query('SELECT FROM idem_outbox WHERE id = $1 FOR UPDATE', [broken])
  const runId = runIdOf(await approve(proposal))
  const stuck = async () =>
    (
      await fixture.service.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%idem_outbox_redrive%'`,
      )
    ).rowCount
  await expect.poll(stuck, WAIT).toBe(1)

  // It dies with its statement under way, which the server still carries out.
  await killWorker(first)
  await blocker.query('ROLLBACK')
  blocker.release()
  await expect.poll(async () => (await statesOf(fixture))[broken], WAIT).toBe('P')
  const before = await actionsOf(operator, { runId })
  expect(before.length).toBeLessThan(of(40))
  expect(before.at(-1)).toMatchObject({ key: broken, state: 'executing' })

  await addWorker()
  await fixture.console.db.pool.query(
    `UPDATE run SET lease_until = clock_timestamp() - interval '1 s' WHERE id = $1`,
    [runId],
  )
  await requeueLost({ ...fixture.system, queue })
  await expect.poll(async () => (await runOf(runId)).state, WAIT).toBe('done')
  expect((await runOf(runId)).counts).toMatchObject({
    done: of(34) - 1,
    refused: of(6),
    unknown: 1,
    failed: 0,
    total: of(40),
  })

  // In words, for whoever reads the list.
  const { failures } = (await runOf(runId)).counts as { failures: { reason: string; text: string }[] }
  const text = failures.find(({ reason }) => reason === 'applied')?.text
  expect(text).toMatch(/^[A-Z].+ .+\.$/)

  // What nobody heard the end of is found by reading.
  await fixture.console.db.pool.query(
    `UPDATE action SET executed_at = executed_at - interval '5 minutes' WHERE run_id = $1 AND state = 'executing'`,
    [runId],
  )
  expect(await settleMessages(fixture.system)).toEqual({ settled: 1, open: 0 })
  const actions = await actionsOf(operator, { runId })
  expect(new Set(actions.map(({ key }) => key)).size).toBe(of(40))
  expect(tally(actions.map(({ state }) => state))).toEqual({ done: of(34), refused: of(6) })
  const reasons = actions.flatMap(({ state, result }) =>
    state === 'refused' ? [(result as { reason: string }).reason] : [],
  )
  expect(tally(reasons)).toEqual({ applied: of(4), in_progress: of(2) })

  const discardRun = runIdOf(await approve(await propose(discard.snapshotId)))
  await expect.poll(async () => (await runOf(discardRun)).state, WAIT).toBe('done')
  expect((await runOf(discardRun)).counts).toMatchObject({ done: of(30), total: of(30) })

  const states = await statesOf(fixture)
  expect(tally(Object.values(states))).toEqual({ P: of(34), X: of(30), D: of(36) + 1 })
  const inState = (ids: readonly string[]) => tally(ids.map((id) => states[id] ?? ''))
  expect(inState(applied)).toEqual({ X: of(30) })
  expect(inState([...unknown, ...running, ...old, ...late, ...begun, arrived ?? ''])).toEqual({
    D: of(36) + 1,
  })
  expect(inState(retried)).toEqual({ P: of(5) })
}, 300_000)
