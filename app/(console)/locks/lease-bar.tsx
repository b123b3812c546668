import { durationText } from '@/lib/core/format-figure'

const WIDTH = 72
const HEIGHT = 7
/** The lease takes the first half; what is beyond is drawn to a logarithmic scale. */
const LEASE_AT = WIDTH / 2

type Props = { heldMs: number; leaseMs: number; longestMs: number }

/** How long a key is held, with the end of its lease marked. */
export function LeaseBar({ heldMs, leaseMs, longestMs }: Props) {
  const past = heldMs > leaseMs
  const width = past
    ? LEASE_AT + beyond(heldMs, leaseMs, longestMs)
    : (heldMs / Math.max(1, leaseMs)) * LEASE_AT
  const words = past
    ? `${durationText(heldMs - leaseMs)} past its lease`
    : `its lease runs ${durationText(leaseMs - heldMs)} more`
  return (
    <svg
      role="img"
      aria-label={words}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      className="mt-1 block"
    >
      <title>{words}</title>
      <rect width={WIDTH} height={HEIGHT} rx={2} fill="var(--sunken)" />
      <rect
        width={Math.max(2, width)}
        height={HEIGHT}
        rx={2}
        fill={past ? 'var(--warning)' : 'var(--processing)'}
      />
      <rect x={LEASE_AT - 0.75} width={1.5} height={HEIGHT} fill="var(--ink)" />
    </svg>
  )
}

function beyond(heldMs: number, leaseMs: number, longestMs: number): number {
  const base = Math.max(1, leaseMs)
  const most = Math.log1p(Math.max(longestMs, heldMs) / base)
  const least = Math.log1p(1)
  if (most <= least) return 2
  const share = (Math.log1p(heldMs / base) - least) / (most - least)
  return Math.max(2, Math.min(1, share) * (WIDTH - LEASE_AT))
}
