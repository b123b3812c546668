import type { WaterfallRow } from '@/lib/core/waterfall-row'

/** key, depth, name, place of the service, start and duration in ms, failed, mark. */
type Packed = [string, number, string, number, number, number, 0 | 1, 0 | 1 | 2]
export type PackedRows = { services: string[]; rows: Packed[] }

const MARKS = [null, 'key', 'effect'] as const

/** To microseconds: finer is not seen, and would be most of what is sent. */
const micro = (ms: number): number => Math.round(ms * 1000) / 1000

/** 10,000 spans on their way to the browser: names of fields and services once, not 10,000 times. Pure. */
export function packRows(rows: readonly WaterfallRow[]): PackedRows {
  const places = new Map<string, number>()
  const packed = rows.map((row): Packed => {
    const place = places.get(row.service) ?? places.size
    places.set(row.service, place)
    const { key, depth, name, startMs, durationMs, failed } = row
    const mark = row.mark === 'effect' ? 2 : row.mark === 'key' ? 1 : 0
    return [key, depth, name, place, micro(startMs), micro(durationMs), failed ? 1 : 0, mark]
  })
  return { services: [...places.keys()], rows: packed }
}

/** Those that are in sight. */
export const unpackRows = ({ services, rows }: PackedRows, from: number, to: number): WaterfallRow[] =>
  rows.slice(from, to).map(([key, depth, name, place, startMs, durationMs, failed, mark]) => ({
    key,
    depth,
    name,
    service: services[place] ?? '',
    startMs,
    durationMs,
    failed: failed === 1,
    mark: MARKS[mark],
  }))
