import { expect, test } from 'vitest'
import type { IntentSource, LeasePage, LeaseRow } from '@/lib/sources/contracts'
import { readAllLeases } from '@/lib/sources/read-all-leases'

/** What a SCAN gives: pages of any size, empty ones among them, a key perhaps twice. */
function scanning(pages: string[][], truncated = false): Pick<IntentSource, 'readLeases'> {
  return {
    readLeases: async ({ cursor }): Promise<LeasePage> => {
      const place = cursor === undefined || cursor === null ? 0 : Number(cursor)
      const leases = (pages[place] ?? []).map((key) => ({ scope: 'a/POST /b', key }) as LeaseRow)
      const next = place + 1 < pages.length ? String(place + 1) : null
      return { now: new Date(place), leases, truncated: truncated && next === null, next }
    },
  }
}

const all = (pages: string[][], max = 100, truncated = false) =>
  readAllLeases(scanning(pages, truncated) as IntentSource, max)

test('a store that scans is read to its end: each key once, as of the first page', async () => {
  const { leases, now, truncated } = await all([['a', 'b'], [], ['b', 'c']])
  expect(leases.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
  expect([now.getTime(), truncated]).toEqual([0, false])
})

test('more than asked for proves no absence', async () => {
  expect(await all([['a', 'b'], ['c'], ['d']], 2)).toMatchObject({ truncated: true })
  expect(await all([['a'], ['b']], 10, true)).toMatchObject({ truncated: true })
})
