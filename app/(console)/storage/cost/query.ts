import { createLoader, parseAsString } from 'nuqs/server'

export const loadQuery = createLoader({
  /** As they are typed: 24 h. */
  ttlA: parseAsString,
  ttlB: parseAsString,
  endpoint: parseAsString,
  source: parseAsString,
})

const UNIT_MS: Record<string, number> = { min: 60_000, h: 3_600_000, d: 86_400_000 }
const DURATION = /^(\d{1,5}(?:\.\d{1,3})?)\s*(min|h|d)$/i

/** 90 min, 24 h, 7 d; null = none of these, or nothing. */
export function parseDuration(text: string): number | null {
  const [, amount, unit = ''] = DURATION.exec(text.trim()) ?? []
  const ms = Math.round(Number(amount) * (UNIT_MS[unit.toLowerCase()] ?? 0))
  return ms > 0 ? ms : null
}
