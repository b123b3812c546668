import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, apiClient, signIn } from '../support/api'
import { type RunningDemo, startDemo, type Truth, until } from '../support/demo'
import { processesOf } from '../support/processes'
import { expectTruth } from './verdicts'

/** Acting over the API on real faults: release, complete, refund, with two people. */

let demo: RunningDemo
let operator: Api
let approver: Api
let truth: Truth[]

beforeAll(async () => {
  demo = await startDemo({ seed: '42', durationS: 60 })
  const [operatorSignIn, approverSignIn] = demo.signIns()
  operator = apiClient(demo.url, {
    cookie: await signIn(demo.url, operatorSignIn ?? { email: '', password: '' }),
  })
  approver = apiClient(demo.url, {
    cookie: await signIn(demo.url, approverSignIn ?? { email: '', password: '' }),
  })
})
afterAll(() => demo?.stop())

const faultOf = (name: string): Truth => {
  const all = truth.filter((candidate) => candidate.class === name)
  // What a consumer left has no client that could retry it.
  const fault = all.find(({ request }) => request !== undefined) ?? all[0]
  if (fault === undefined) throw new Error(`no ${name} in the truth file`)
  return fault
}

const reason = 'worker killed at the demo’s word, provider checked'

async function lockOf(fault: Truth) {
  const locks = await operator.all('locks')
  const lock = locks.find(({ scope, key }) => scope === fault.scope && key === fault.key)
  expect(lock, `lock of ${fault.scope} ${fault.key}`).toBeDefined()
  return lock
}

/** The client's retry, byte for byte as it was sent first. */
async function retry({ request, key }: Truth) {
  if (request === undefined) throw new Error('the truth file has no request')
  const answer = await fetch(`${demo.runtime.serviceUrl}${request.path}`, {
    method: request.method,
    headers: {
      authorization: `Bearer demo_key_${request.caller}`,
      'content-type': 'application/json',
      'idempotency-key': `"${key}"`,
    },
    body: request.body,
  })
  return {
    status: answer.status,
    replayed: answer.headers.get('idempotent-replayed'),
    body: await answer.json(),
  }
}

async function settled(actionId: string) {
  await until(
    async () =>
      !['executing', 'approved', 'unknown'].includes((await operator.get(`actions/${actionId}`)).state),
    60_000,
    () => `action ${actionId} did not end`,
  )
  return operator.get(`actions/${actionId}`)
}

test('every fault in its class, and nothing else', async () => {
  await expectTruth(demo, operator)
  truth = demo.truth()
  console.log(
    'resident MiB:',
    processesOf(demo.folder).map(({ name, residentMib }) => `${name.slice(0, 90)} ${residentMib}`),
  )
})

test('a stuck key is released, and the client’s retry executes once', async () => {
  const fault = faultOf('stuck_no_effect')
  const lock = await lockOf(fault)
  expect(lock.verdict).toBe('release')
  const body = { ids: [lock.id], seen: { [lock.id]: lock.version }, reason }
  const answer = await operator.post('locks/release', body, 'release-once')
  expect(answer.status).toBe(200)
  expect(answer.body.items[0].state).toBe('done')
  // A double click is the same action.
  expect((await operator.post('locks/release', body, 'release-once')).body).toEqual(answer.body)

  const first = await retry(fault)
  expect(first).toMatchObject({ status: 201, replayed: null })
  expect(await retry(fault)).toEqual({ ...first, replayed: 'true' })
})

test('a stuck key is completed, and its retry replays the provider’s charge', async () => {
  const fault = faultOf('stuck_effect_done')
  const lock = await lockOf(fault)
  expect(lock.verdict).toBe('complete')
  const answer = await operator.post('locks/complete', {
    ids: [lock.id],
    seen: { [lock.id]: lock.version },
    reason,
  })
  expect(answer.status).toBe(200)
  expect(answer.body.items[0].state).toBe('done')
  const replay = await retry(fault)
  expect(replay).toMatchObject({ status: 201, replayed: 'true' })
  expect(replay.body.charge).toBe(fault.effectIds[0])
})

test('a stale version is a conflict and changes nothing', async () => {
  const fault = truth.filter(({ class: name }) => name === 'stuck_no_effect')[1] ?? faultOf('stuck_no_effect')
  const lock = await lockOf(fault)
  const answer = await operator.post('locks/release', {
    ids: [lock.id],
    seen: { [lock.id]: 'stale' },
    reason,
  })
  expect(answer.status).toBe(409)
  expect((await lockOf(fault)).version).toBe(lock.version)
})

test('a duplicate is refunded once, by two people', async () => {
  const fault = faultOf('duplicate_same_key')
  const cases = await operator.all('reconciliation/cases?class=duplicate_same_key')
  const found = cases.find(({ subject }) => subject.key === fault.key)
  const proposal = await operator.post(`reconciliation/cases/${found.id}/proposals`, {
    kind: 'refund',
    reason,
  })
  expect(proposal.status).toBe(201)
  const { id, evidenceHash } = proposal.body

  expect((await operator.post(`actions/${id}/approve`, { evidenceHash })).status).toBe(403)
  expect((await approver.post(`actions/${id}/approve`, { evidenceHash: 'f'.repeat(64) })).status).toBe(409)

  const both = await Promise.all([0, 1].map(() => approver.post(`actions/${id}/approve`, { evidenceHash })))
  expect(both.map(({ status }) => status)).toContain(200)
  expect((await settled(id)).state).toBe('done')

  const secrets = (await import(`${demo.folder}/secrets.json`, { with: { type: 'json' } })).default
  const headers = { authorization: `Bearer ${secrets.providerReadKey}` }
  const refunds = await fetch(`${demo.runtime.providerUrl}/v1/refunds?limit=100`, { headers }).then(
    (answer) => answer.json(),
  )
  const ours = refunds.data.filter(
    ({ metadata }: { metadata: Record<string, string> }) => metadata.idemscope_action === id,
  )
  expect(ours).toHaveLength(1)
  expect(fault.effectIds).toContain(ours[0].charge)
  await until(
    async () => (await operator.get(`reconciliation/cases/${found.id}`)).lifecycle === 'resolved',
    60_000,
    () => 'the case of the refunded duplicate did not resolve',
  )
})

test('a proposer cannot approve their own proposal, whatever their role', async () => {
  const cases = await operator.all('reconciliation/cases?class=duplicate_same_key')
  const open = cases.find(({ lifecycle }) => lifecycle !== 'resolved')
  const proposal = await approver.post(`reconciliation/cases/${open.id}/proposals`, {
    kind: 'refund',
    reason,
  })
  expect(proposal.status).toBe(201)
  const own = await approver.post(`actions/${proposal.body.id}/approve`, {
    evidenceHash: proposal.body.evidenceHash,
  })
  expect(own.status).toBe(403)
})

test('a missing posting is booked, and the case closes', async () => {
  const [found] = await operator.all('reconciliation/cases?class=ledger_missing')
  const proposal = await operator.post(`reconciliation/cases/${found.id}/proposals`, {
    kind: 'book_ledger',
    reason,
  })
  const { id, evidenceHash } = proposal.body
  expect((await approver.post(`actions/${id}/approve`, { evidenceHash })).status).toBe(200)
  expect((await settled(id)).state).toBe('done')
  await until(
    async () => (await operator.get(`reconciliation/cases/${found.id}`)).lifecycle === 'resolved',
    60_000,
    () => 'the case of the booked charge did not resolve',
  )
})

test('every step is in the audit, and the chain holds', async () => {
  const steps = new Set((await operator.all('audit')).map(({ verb, outcome }) => `${verb} ${outcome}`))
  for (const step of ['lock.release done', 'lock.complete done']) expect(steps).toContain(step)
  for (const kind of ['refund', 'book_ledger']) {
    for (const outcome of ['proposed', 'approved', 'done'])
      expect(steps).toContain(`correction.${kind} ${outcome}`)
  }
  await until(
    async () => (await operator.get('audit/verify')).unsealed === 0,
    60_000,
    () => 'entries were not sealed',
  )
  expect(await operator.get('audit/verify')).toMatchObject({ ok: true })
})
