import { apiAs } from './api-as'
import { expect } from './console-test'

export const REASON = 'its holder was killed, seen in the log of the service'

type Lock = {
  id: string
  key: string
  state: string
  verdict: string
  version: string
  goneAt: string | null
}

const stuck = async (verdict?: string): Promise<Lock[]> =>
  (await apiAs().all(`locks?stuckOnly=true${verdict ? `&verdict=${verdict}` : ''}`)) as Lock[]

/** The locks of a client, once the console has seen `count` of them. */
export async function locksOf(
  client: string,
  count: number,
  state: string,
  verdict?: string,
): Promise<Lock[]> {
  const reader = apiAs()
  let found: Lock[] = []
  await expect
    .poll(
      async () => {
        const all = (await reader.all(`locks?state=${state}`)) as (Lock & { scope: string })[]
        found = all.filter(
          (lock) => lock.scope.startsWith(`${client}/`) && (verdict ?? lock.verdict) === lock.verdict,
        )
        return found.length
      },
      { timeout: 45_000 },
    )
    .toBeGreaterThanOrEqual(count)
  return found
}

/** Locks whose holder died, of a client of the test's own (`leaveStuckKeys`): nobody else touches them. */
export const stuckOf = (client: string, count: number): Promise<Lock[]> =>
  locksOf(client, count, 'lease_expired', 'release')

/** The demo's faults leave stuck locks behind; some may have to come first. */
export async function someStuck(count: number, verdict?: string): Promise<Lock[]> {
  let found: Lock[] = []
  await expect
    .poll(
      async () => {
        found = await stuck(verdict)
        return found.length
      },
      { timeout: 50_000 },
    )
    .toBeGreaterThanOrEqual(count)
  return found
}
