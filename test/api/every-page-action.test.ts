import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { changeRole, withdrawLink } from '@/app/(console)/settings/actions'
import { invite } from '@/lib/access/accounts/invite'
import { setKillSwitch, writesOff } from '@/lib/actions/kill-switch'
import { peopleOf } from '../access/people'
import { type Console, createConsole, REASON, session } from './console-fixture'

/** What holds for each server action of the pages, those that come later included. */

let asked = new Headers()
vi.mock('next/headers', () => ({ headers: async () => asked }))
vi.mock('next/cache', () => ({ revalidatePath: () => undefined }))

let console: Console
let people: ReturnType<typeof peopleOf>
beforeAll(async () => {
  console = await createConsole()
  asked = new Headers(session(console.cookies.admin))
  people = peopleOf(console.db, console.app.clock)
  await setKillSwitch(await people.as('admin'), { on: true, reason: REASON })
})
afterAll(() => console.close())

const input = (fields: Record<string, string> = {}) => ({ requestId: randomUUID(), reason: REASON, fields })
/** How an action is called: what the dialog asked for, what it is about, or fields of its own. */
const plain = () => [input()]
const of = () => ['none', input()]
const onSeen = () => [{ id: 'none', revision: 1 }, input()]
const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-01T01:00:00Z' }
const draft = { engine: 'postgresql', secret: { url: 'postgres://nowhere' }, adapter: 'native', config: '{}' }
const changed = { id: 'none', version: 1, system: 'payments', region: '', config: '{}', secret: {} }
const seen = { id: 'lock_none', seen: 'v' }

/** What is refused while writes are off. */
const CHANGES: Record<string, () => unknown[]> = {
  '_decide/approve': () => ['none', 'hash', input()],
  'alerts/saveSilence': () => [{ form: {}, evidenceHash: 'hash' }, input()],
  'alerts/endSilence': of,
  'alerts/sendTest': () => ['none', randomUUID()],
  'alerts/saveReceiver': () => ['webhook', input()],
  'alerts/saveRoute': plain,
  'alerts/saveRouteChange': () => [{ id: 'none', version: 1 }, input()],
  'alerts/dropRoute': () => [{ id: 'none', version: 1 }, input()],
  'alerts/acknowledgeAlert': of,
  'alerts/unacknowledgeAlert': of,
  'holds/endHold': () => [{ source: 'none', id: 'none' }, input()],
  'alerts/dropReceiver': of,
  'alerts/terms/proposeTermsRule': () => [0, input()],
  'alerts/terms/retireTermsRule': () => [0, 'none', input()],
  'locks/operateLock': () => [{ verb: 'release', reason: REASON, ...seen }],
  'locks/proposeFailure': () => [seen, input()],
  'locks/carryOut': () => [[{ verb: 'release', snapshotId: 'none' }], REASON],
  'messages/carryOutMessages': () => ['redrive', 'none', REASON],
  'messages/actOnMessage': () => [
    { verb: 'discard', sourceId: 'none', place: 'none', version: 'v' },
    input(),
  ],
  'now/startDryRun': () => [range],
  'reconciliation/startReconciliation': () => [range, input()],
  'reconciliation/repeatForReal': of,
  'reconciliation/case-list/triageMany': () => ['acknowledge', [], input()],
  'reconciliation/cases/[id]/proposeFix': () => ['none', 'refund', input()],
  'reconciliation/cases/[id]/comment': of,
  'reconciliation/cases/[id]/acknowledge': of,
  'reconciliation/cases/[id]/assign': of,
  'reconciliation/cases/[id]/undo': of,
  'reconciliation/cases/[id]/snooze': of,
  'reconciliation/cases/[id]/closeByHand': of,
  'reconciliation/rules/proposeRule': () => [0, input()],
  'reconciliation/rules/retireRule': () => [0, 'none', input()],
  'settings/letIn': of,
  'settings/rename': of,
  'settings/confirm': of,
  'settings/inviteUser': () => [{}, REASON],
  'settings/newLink': () => ['none', REASON],
  'settings/mint': () => [{}],
  'settings/saveTraceLink': plain,
  'sources/connect/connect': () => [draft, input()],
  'sources/[id]/change/change': () => [changed, input()],
  'sources/remove': () => [{ id: 'none', version: 1, name: 'none' }, input()],
  'sources/switchOff': of,
  'sources/switchOn': of,
  'storage/dryRunCollection': plain,
  'storage/collectNow': plain,
  'storage/propose': of,
  'storage/proposeSeen': () => [{}, input()],
  'storage/saveCapacity': of,
  'storage/cost/savePrice': of,
  'storage/restore': of,
}

/** What only contains or runs an incident works while they are off, and so does what only reads. */
const WORKS: Record<string, () => unknown[]> = {
  '_decide/reject': of,
  '_decide/withdraw': of,
  'locks/abortRun': () => ['none'],
  'holds/saveHold': plain,
  'incidents/openByHand': plain,
  'incidents/acknowledgeSeen': onSeen,
  'incidents/mitigateSeen': onSeen,
  'incidents/closeSeen': onSeen,
  'incidents/reopenSeen': onSeen,
  'incidents/setSeveritySeen': onSeen,
  'incidents/takeRole': () => [{ id: 'none', revision: 1 }, 'commander', input()],
  'incidents/leaveRole': () => [{ id: 'none', revision: 1 }, 'commander', input()],
  'incidents/writeNote': of,
  'reconciliation/cancel': of,
  'settings/changeRole': of,
  'settings/lockOut': of,
  'settings/withdrawLink': of,
  'settings/revoke': of,
  'settings/changePassword': () => [{}],
  'settings/endSession': of,
  'settings/endOtherSessions': plain,
  'settings/switchWritesOff': plain,
  'invitation/accept': () => ['none', 'a password of nobody'],

  'invitation/look': () => ['none'],
  '_shell/palette/find': () => ['none'],
  'alerts/lookAtSilence': () => [{}],
  'alerts/terms/lookAtTerms': () => [{}],
  'audit/verifyAudit': () => [],
  'locks/selectAllMatching': () => [{}],
  'locks/previewSelection': () => ['release', {}],
  'messages/previewMessages': () => ['redrive', { topic: 'none' }],
  'reconciliation/case-list/selectAllMatching': () => [''],
  'reconciliation/rules/previewRule': () => [{}],
  'sources/connect/detect': () => [draft],
  'sources/connect/look': () => [draft],
  'sources/[id]/change/lookAt': () => [changed],
}
/** Tried on its own: it ends the state that the others are tried in. */
const SWITCH_ON = 'settings/switchWritesOn'

const APP = new URL('../../app/', import.meta.url)
const FILES = readdirSync(APP, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /\.tsx?$/.test(file) && readFileSync(new URL(file, APP), 'utf8').startsWith("'use server'"),
)

type Action = (...args: unknown[]) => Promise<unknown>
async function readActions(): Promise<Map<string, Action>> {
  const actions = new Map<string, Action>()
  for (const file of FILES) {
    const folder = file.replace(/^\(\w+\)\//, '').replace(/\/[^/]+$/, '')
    for (const [name, action] of Object.entries<Action>(await import(new URL(file, APP).href)))
      actions.set(`${folder}/${name}`, action)
  }
  return actions
}

test('each action is one that changes something, one that contains, or one that reads', async () => {
  const known = [...Object.keys(CHANGES), ...Object.keys(WORKS), SWITCH_ON]
  expect([...(await readActions()).keys()].toSorted()).toEqual(known.toSorted())
})

async function call(name: string, args: () => unknown[]): Promise<unknown> {
  const action = (await readActions()).get(name)
  if (action === undefined) throw new Error(`no action ${name}`)
  return action(...args())
}

describe('while writes are off', () => {
  test.each(Object.entries(CHANGES))('%s is refused', async (name, args) => {
    expect(await call(name, args)).toMatchObject({
      kind: 'not_done',
      code: 'kill_switch',
      why: expect.stringContaining(`admin switched all writes off: ${REASON}`),
    })
  })

  test.each(Object.entries(WORKS))('%s is not', async (name, args) => {
    expect(await call(name, args)).not.toMatchObject({ code: 'kill_switch' })
  })
})

test('a link is withdrawn and a role is lowered on the page while writes are off; none is raised', async () => {
  const { db } = console
  const admin = await people.as('admin')
  const { userId } = await invite(admin, { email: 'invited@test.local', name: 'Invited', reason: REASON })
  const open = () => db.prisma.invitation.count({ where: { userId, endedAt: null } })
  expect(await open()).toBe(1)
  expect(await withdrawLink(userId, input())).toMatchObject({ kind: 'done' })
  expect(await open()).toBe(0)

  const { userId: operatorId } = await people.as('operator')
  const role = async () => (await people.as('operator')).actor
  expect(await changeRole(operatorId, input({ role: 'approver' }))).toMatchObject({ code: 'kill_switch' })
  expect(await role()).toMatchObject({ role: 'operator' })
  expect(await changeRole(operatorId, input({ role: 'viewer' }))).toMatchObject({ kind: 'done' })
  expect(await role()).toMatchObject({ role: 'viewer' })

  const verbs = await db.prisma.auditEntry.findMany({
    where: {
      subject: { in: [userId, operatorId] },
      verb: { in: ['user.withdraw_invitation', 'user.set_role'] },
    },
    orderBy: { id: 'asc' },
  })
  expect(verbs.map(({ verb, actor, reason }) => ({ verb, actor, reason }))).toEqual([
    { verb: 'user.withdraw_invitation', actor: 'admin', reason: REASON },
    { verb: 'user.set_role', actor: 'admin', reason: REASON },
  ])
})

test('an administrator alone switches writes on again on the page', async () => {
  expect(await call(SWITCH_ON, plain)).toMatchObject({ kind: 'done' })
  expect(await writesOff(console.db)).toBeNull()
})
