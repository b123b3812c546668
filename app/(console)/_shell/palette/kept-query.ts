import { KEPT_PARAMETERS } from '@/app/_ui/time-range'

/** Range and zone as they stand in the address bar, to go along to another page. */
export function keptQuery(): string {
  const now = new URLSearchParams(window.location.search)
  const kept = new URLSearchParams()
  for (const name of KEPT_PARAMETERS) {
    const value = now.get(name)
    if (value !== null) kept.set(name, value)
  }
  return kept.size === 0 ? '' : `?${kept}`
}
