import { expect } from 'vitest'
import { storeNames } from '@/demo/stores/names'
import { faultNames, messageFaultNames } from '@/demo/traffic/faults/registry'
import type { Api } from '../support/api'
import { type RunningDemo, type Truth, until } from '../support/demo'
import { expectMessages } from './message-verdicts'

type Verdict = {
  class: string
  scope: string | null
  key: string | null
  effectIds: string[]
  reference: string | null
}

const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

/** What the truth file says that the console must report. */
const expected = (truth: Truth[]): Verdict[] =>
  truth
    .filter((fault) => fault.class !== 'none')
    .map(({ class: name, scope, key, effectIds, reference }) => ({
      class: name,
      scope,
      key,
      effectIds,
      // Without an effect no side has heard of the business reference: only the client knows it.
      reference: effectIds.length === 0 ? null : reference,
    }))
    .toSorted(byText)

/** What it reports: every case, resolved and pending ones included. */
async function reported(api: Api): Promise<Verdict[]> {
  const cases = await api.all('reconciliation/cases')
  return cases
    .map((item) => ({
      class: item.class,
      scope: item.subject.scope,
      key: item.subject.key,
      effectIds: item.subject.effectIds,
      reference: item.subject.reference,
    }))
    .toSorted(byText)
}

/** Traffic has ended and its last scripts with it. */
async function untilTrafficEnded(demo: RunningDemo, seconds: number): Promise<void> {
  await until(
    async () => {
      const answer = await fetch(`${demo.url}/readyz`)
      return /traffic-ended/.test(await answer.text())
    },
    seconds * 1000,
    () => 'the traffic did not end',
  )
}

/** A minute on a machine of its own; on a busy one the wait says nothing about the verdicts. */
const QUIET_WAIT_MS = 180_000

/** Waits until the verdicts equal the truth. Returns the seconds it took, for the log. */
async function untilQuiet(demo: RunningDemo, api: Api): Promise<number> {
  const startedAt = performance.now()
  const truth = JSON.stringify(expected(demo.truth()))
  await until(
    async () =>
      JSON.stringify(await reported(api)) === truth || performance.now() - startedAt > QUIET_WAIT_MS,
    QUIET_WAIT_MS + 10_000,
    () => 'unreachable',
  )
  return (performance.now() - startedAt) / 1000
}

/** Resolves after another reconciliation run has begun and ended: nothing new may come of it. */
async function untilAnotherRun(api: Api): Promise<void> {
  const last = async () => (await api.get('runs?kind=reconciliation&state=done&limit=1')).items[0]?.createdAt
  const before = await last()
  let runs = 0
  let seen = before
  await until(
    async () => {
      const now = await last()
      if (now !== seen) {
        seen = now
        runs++
      }
      return runs >= 2
    },
    180_000,
    () => 'no reconciliation run ended',
  )
}

/** Waits until the traffic has ended and everything of the truth file is reported, whatever else is. */
export async function untilFound(demo: RunningDemo, api: Api): Promise<void> {
  await untilTrafficEnded(demo, 300)
  const texts = (verdicts: Verdict[]) => verdicts.map((verdict) => JSON.stringify(verdict))
  await until(
    async () => {
      const found = new Set(texts(await reported(api)))
      return texts(expected(demo.truth())).every((verdict) => found.has(verdict))
    },
    QUIET_WAIT_MS,
    () => 'not every fault was found',
  )
}

/** Waits until the traffic has ended and all is quiet, then: every fault of the truth file in its class, and nothing else. */
export async function expectTruth(demo: RunningDemo, api: Api): Promise<void> {
  await untilTrafficEnded(demo, 300)
  const quietAfterS = await untilQuiet(demo, api)
  await untilAnotherRun(api)
  const truth = demo.truth()
  const kinds = [...new Set(truth.map(({ fault }) => fault))]
  console.log(
    `ready after ${demo.readyAfterS.toFixed(0)} s; ${truth.length} faults of ${kinds.length} kinds; quiet after ${quietAfterS.toFixed(0)} s`,
  )
  expect(await reported(api)).toEqual(expected(truth))
  await expectMessages(demo, api)
  expect(kinds).toHaveLength(faultNames.length + messageFaultNames.length)
  for (const kind of faultNames) {
    const inStores = new Set(truth.filter(({ fault }) => fault === kind).map(({ store }) => store))
    expect([...inStores].toSorted(), kind).toEqual([...storeNames].toSorted())
  }
}
