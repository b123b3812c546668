import type { Db } from '@/lib/db'
import { type Exemplar, readExemplars } from '@/lib/telemetry/read/exemplars'
import type { Family, Sample } from './exposition'

/** An older one leads to a trace that nobody looks for. */
const WINDOW_MS = 3_600_000
/** What is ordinary needs no example. */
const ORDINARY: readonly string[] = ['executed', 'replayed']

/** Counters of duplicate effects and of outcomes that are not ordinary, each with the latest trace that it counted. */
export async function withExemplars(db: Db, now: Date, counters: readonly Family[]): Promise<Family[]> {
  const requests = counters.find(({ name }) => name === 'idemscope_requests_total')
  const outcomes = (requests?.samples ?? []).flatMap(({ labels }) => labels?.outcome ?? [])
  const window = { from: new Date(now.getTime() - WINDOW_MS), to: now }
  const { duplicateEffect, byOutcome } = await readExemplars(
    db,
    window,
    outcomes.filter((outcome) => !ORDINARY.includes(outcome)),
  )
  const exemplarOf = ({ name }: Family, { labels }: Sample): Exemplar | undefined => {
    if (name === 'idemscope_duplicate_effects_total') return duplicateEffect ?? undefined
    return name === 'idemscope_requests_total' ? byOutcome.get(labels?.outcome ?? '') : undefined
  }
  return counters.map((each) => ({
    ...each,
    samples: each.samples.map((sample) => {
      const exemplar = exemplarOf(each, sample)
      return exemplar === undefined ? sample : { ...sample, exemplar }
    }),
  }))
}
