type Point = number | null

const WIDTH = 96
const HEIGHT = 22
const PAD = 1.5

/** The course of a figure without a scale, from 0. Nulls are gaps. Decoration: the figure itself stands above. */
export function Sparkline({ points, stroke }: { points: readonly Point[]; stroke: string }) {
  const max = Math.max(0, ...points.filter((point) => point !== null))
  const step = (WIDTH - 2 * PAD) / Math.max(1, points.length - 1)
  const y = (value: number) => HEIGHT - PAD - (max === 0 ? 0 : (value / max) * (HEIGHT - 2 * PAD))
  const path = points
    .map((point, index) => {
      if (point === null) return ''
      const before = index === 0 ? null : (points[index - 1] ?? null)
      const at = `${(PAD + index * step).toFixed(1)} ${y(point).toFixed(1)}`
      if (before !== null) return `L${at}`
      // A point between two gaps is a dot.
      return (points[index + 1] ?? null) === null ? `M${at}h.01` : `M${at}`
    })
    .join('')
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      aria-hidden="true"
      className="max-w-full overflow-visible"
    >
      <path
        d={path}
        fill="none"
        stroke={stroke}
        strokeWidth="1.5"
        strokeLinejoin="round"
        strokeLinecap="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  )
}
