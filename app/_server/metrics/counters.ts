import { readConsoleMeasures } from '@/lib/alerts/read-measures'
import { DAY_MS, floorMinute } from '@/lib/telemetry/window'
import type { Services } from '../services'
import { type Family, family, type Sample, seriesOf } from './exposition'
import { countedFamilies } from './measures'

/** Late spans change minutes of the past; those before are counted once and kept. */
const OPEN_MS = DAY_MS
const FOLD_AFTER_MS = 2 * DAY_MS

type Kept = { name: Family['name']; sample: Sample; carried: number; told: number }
type State = { from: Date; series: Map<string, Kept> }

const states = new WeakMap<Services, State>()
/** One reader at a time: two that fold would count a day twice. */
let reading: Promise<unknown> = Promise.resolve()

/**
 * What was counted since this process started. It never falls: a late span may show that a request counted as one outcome
 * was another, and Prometheus would take the smaller figure for a restart and count all of it again.
 */
export function readCounters(app: Services, now: Date): Promise<Family[]> {
  const mine = reading.then(() => count(app, now))
  reading = mine.catch(() => undefined)
  return mine
}

async function count(app: Services, now: Date): Promise<Family[]> {
  const state = states.get(app) ?? { from: floorMinute(app.startedAt), series: new Map() }
  states.set(app, state)
  if (now.getTime() - state.from.getTime() > FOLD_AFTER_MS) {
    const to = floorMinute(new Date(now.getTime() - OPEN_MS))
    for (const { kept, value } of await readInto(app, state, to)) kept.carried += value
    state.from = to
  }
  for (const { kept, value } of await readInto(app, state, now))
    kept.told = Math.max(kept.told, kept.carried + value)
  return families(state)
}

async function readInto(app: Services, { from, series }: State, to: Date) {
  const counted = countedFamilies(await readConsoleMeasures(app, { from, to }))
  return counted.flatMap(({ name, samples }) =>
    samples.map((sample) => {
      const id = seriesOf(name, sample)
      const kept = series.get(id) ?? { name, sample, carried: 0, told: 0 }
      series.set(id, kept)
      return { kept, value: sample.value }
    }),
  )
}

function families({ series }: State): Family[] {
  const byName = new Map<Family['name'], Sample[]>()
  for (const { name, sample, told } of series.values()) {
    const samples = byName.get(name) ?? []
    samples.push({ ...sample, value: told })
    byName.set(name, samples)
  }
  return [...byName].map(([name, samples]) => family(name, samples))
}
