import { apiClient, signIn } from '../support/api'
import { expect } from './console-test'
import { person } from './people'

export type Case = {
  id: string
  class: string
  triage?: string
  subject: { scope: string | null; key: string | null; reference: string | null }
}

export async function api(role: 'operator' | 'approver' = 'operator') {
  const url = process.env.BASE_URL ?? ''
  return apiClient(url, { cookie: await signIn(url, person(role)) })
}

const OPEN = 'lifecycle=new,persisting,reopened&limit=100'

export const openOf = async (name: string, more = ''): Promise<Case[]> =>
  (await (await api()).get(`reconciliation/cases?class=${name}&${OPEN}${more}`)).items

/** Waits until the demo's faults have brought so many open cases of a class. */
export async function waitForOpen(name: string, count: number): Promise<void> {
  await expect
    .poll(async () => (await openOf(name, '&triage=open')).length, { timeout: 110_000, intervals: [1_000] })
    .toBeGreaterThanOrEqual(count)
}
