import { mkdirSync } from 'node:fs'
import { apiAs } from './api-as'
import { expect } from './console-test'

export type Case = {
  id: string
  class: string
  firstSeen: string
  triage?: string
  evidence: { refund?: string[] | null }
  subject: { scope: string | null; key: string | null; reference: string | null; effectIds: string[] }
}

/** The set-up empties it: a folder for each case that a test acts on. */
export const claimsFolder = '.test/e2e-claims'

const OPEN = 'lifecycle=new,persisting,reopened&limit=100'

export const openOf = async (name: string, more = ''): Promise<Case[]> =>
  (await apiAs().get(`reconciliation/cases?class=${name}&${OPEN}${more}`)).items

/** Waits until the demo's faults have brought so many open cases of a class. */
export async function waitForOpen(name: string, count: number): Promise<void> {
  await expect
    .poll(async () => (await openOf(name, '&triage=open')).length, { timeout: 110_000, intervals: [1_000] })
    .toBeGreaterThanOrEqual(count)
}

/** The latest run that a person started with these parameters. */
export async function startedRun(params: Record<string, unknown>): Promise<{ id: string }> {
  const { items } = await apiAs().get('runs?kind=reconciliation&byPeople=true&limit=50')
  const run = items.find((each: { params: Record<string, unknown> }) =>
    Object.entries(params).every(([name, value]) => each.params[name] === value),
  )
  expect(run, `a run about ${JSON.stringify(params)}`).toBeDefined()
  return run
}

/** A double charge whose duplicate the evidence names. */
export const decided = ({ evidence }: Case): boolean => evidence.refund?.length === 1

/** An open case that no other test acts on; the demo's faults bring them. */
export async function openCase(name: string, fits: (found: Case) => boolean = () => true): Promise<Case> {
  let claimed: Case | undefined
  await expect
    .poll(
      async () => {
        claimed = (await openOf(name)).find((each) => fits(each) && claim(each))
        return claimed?.id
      },
      { timeout: 55_000 },
    )
    .toBeDefined()
  if (claimed === undefined) throw new Error(`no open ${name}`)
  return claimed
}

/** False when another test has it, in whichever process. */
function claim({ id }: Case): boolean {
  try {
    mkdirSync(`${claimsFolder}/${id}`)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}
