import { createLoader, createSerializer, parseAsIsoDateTime, parseAsStringLiteral } from 'nuqs/server'

// What a page looks at, in the URL: the same for every page, restored by reload, Back and another browser.

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

export const PRESETS = {
  '15m': { label: 'Last 15 minutes', short: '15 min', ms: 15 * MINUTE_MS },
  '1h': { label: 'Last 1 hour', short: '1 h', ms: HOUR_MS },
  '6h': { label: 'Last 6 hours', short: '6 h', ms: 6 * HOUR_MS },
  '24h': { label: 'Last 24 hours', short: '24 h', ms: DAY_MS },
  '7d': { label: 'Last 7 days', short: '7 d', ms: 7 * DAY_MS },
} as const
export type Preset = keyof typeof PRESETS
export const PRESET_NAMES = Object.keys(PRESETS) as Preset[]

/** Roll-ups are kept longer, but a wider range than this says nothing at 3 am. */
export const RANGE_MS_MAX = 31 * DAY_MS

export const rangeParsers = {
  range: parseAsStringLiteral(PRESET_NAMES).withDefault('1h'),
  from: parseAsIsoDateTime,
  to: parseAsIsoDateTime,
}

export const ZONES = ['utc', 'local'] as const
export type Zone = (typeof ZONES)[number]
export const zoneParser = parseAsStringLiteral(ZONES).withDefault('utc')

/** Parameters that go along from page to page. */
const KEPT_PARAMETERS = ['range', 'from', 'to', 'tz'] as const

/** A path of the console with the range and the zone that are looked at (`now`); what it says itself stays. */
export function withKept(href: string, now: URLSearchParams): string {
  const [path = '', own = ''] = href.split('?')
  const query = new URLSearchParams(own)
  for (const name of KEPT_PARAMETERS) {
    const value = now.get(name)
    if (value !== null && !query.has(name)) query.set(name, value)
  }
  return withQuery(path, query)
}

/** A place within the page comes last. */
export function withQuery(path: string, query: URLSearchParams): string {
  const [page = '', place] = path.split('#')
  return `${page}${query.size === 0 ? '' : `?${query}`}${place === undefined ? '' : `#${place}`}`
}

export const loadRange = createLoader(rangeParsers)
export const writeRange = createSerializer(rangeParsers)

export type TimeRange = {
  from: Date
  to: Date
  /** Ends now and moves on; an absolute range stands still. */
  live: boolean
  preset: Preset | null
}

type Asked = { range: Preset; from: Date | null; to: Date | null }

/** An absolute range that makes no sense counts as none. */
export function resolveRange(asked: Asked, now: Date): TimeRange {
  const { from, to } = asked
  if (from !== null && to !== null && isRange(from, to)) return { from, to, live: false, preset: null }
  return { from: new Date(now.getTime() - PRESETS[asked.range].ms), to: now, live: true, preset: asked.range }
}

export const isRange = (from: Date, to: Date): boolean =>
  to.getTime() > from.getTime() && to.getTime() - from.getTime() <= RANGE_MS_MAX
