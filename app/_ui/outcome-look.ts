/** How one request of a key ended, as a lane and a badge show it. */
export type OutcomeLook = { label: string; fill: string; tone: 'plain' | 'bad' | 'warn' | 'ok' | 'accent' }

const LOOKS: Record<string, OutcomeLook> = {
  executed: { label: 'executed', fill: 'var(--executed)', tone: 'accent' },
  takeover: { label: 'took over', fill: 'var(--warning)', tone: 'warn' },
  replayed: { label: 'replayed', fill: 'var(--replayed)', tone: 'plain' },
  waited: { label: 'waited, replayed', fill: 'var(--replayed)', tone: 'plain' },
  in_progress: { label: 'in progress, 409', fill: 'var(--conflict)', tone: 'plain' },
  mismatch: { label: 'other payload, 422', fill: 'var(--conflict)', tone: 'warn' },
  bypassed: { label: 'bypassed', fill: 'var(--warning)', tone: 'warn' },
  stale: { label: 'fenced off', fill: 'var(--warning)', tone: 'warn' },
  store_error: { label: 'store error', fill: 'var(--bad)', tone: 'bad' },
  held: { label: 'held, 503', fill: 'var(--processing)', tone: 'plain' },
  observed: { label: 'seen', fill: 'var(--replayed)', tone: 'plain' },
}

/** Senders may name outcomes that we do not know: shown as they are. */
export const outcomeLook = (outcome: string): OutcomeLook =>
  LOOKS[outcome] ?? { label: outcome.replaceAll('_', ' '), fill: 'var(--replayed)', tone: 'plain' }
