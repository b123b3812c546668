type Props = {
  label: string
  /** Recharts gives where the line is drawn. */
  viewBox?: { x?: number; y?: number }
  /** The label stands on the side that has room. */
  side: 'left' | 'right'
}

/** The head of a deploy's line: a ring and the version. */
export function DeployMark({ label, viewBox, side }: Props) {
  const { x = 0, y = 0 } = viewBox ?? {}
  return (
    <g>
      <circle cx={x} cy={y - 6} r={3.5} fill="var(--surface)" stroke="var(--ink-2)" strokeWidth={1.5} />
      <text
        x={side === 'left' ? x - 8 : x + 8}
        y={y - 2}
        textAnchor={side === 'left' ? 'end' : 'start'}
        style={{ fill: 'var(--ink-2)' }}
      >
        {label}
      </text>
    </g>
  )
}
