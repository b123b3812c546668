const WIDTH = 96
const HEIGHT = 20
const BARS_MAX = 24
const GAP = 2
const BAR_MAX = 10

/** How long each stuck lock has been held, the newest first. Decoration: the oldest is said in words. */
export function AgeBars({ ages, fill }: { ages: readonly number[]; fill: string }) {
  const shown = [...ages]
    .sort((a, b) => b - a)
    .slice(0, BARS_MAX)
    .reverse()
  const oldest = Math.max(1, shown.at(-1) ?? 0)
  const width = Math.min(BAR_MAX, WIDTH / Math.max(1, shown.length) - GAP)
  const bars = shown.map((age, place) => ({
    x: place * (width + GAP),
    height: Math.max(2, (age / oldest) * HEIGHT),
  }))
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      {bars.map(({ x, height }) => (
        <rect key={x} x={x} y={HEIGHT - height} width={width} height={height} rx={1} fill={fill} />
      ))}
    </svg>
  )
}
