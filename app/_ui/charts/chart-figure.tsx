import type { ReactNode } from 'react'
import { CHART_HEIGHT } from './outcome-point'

type Props = {
  /** What the figure shows, for whoever cannot see it. */
  caption: string
  /** Besides the time. */
  columns: readonly string[]
  rows: readonly { at: number; cells: readonly string[] }[]
  legend: ReactNode
  children: ReactNode
}

/** A chart, its legend, and the same figures as a table for screen readers. */
export function ChartFigure({ columns, rows, legend, children, ...shown }: Props) {
  const caption = `${shown.caption}, times in UTC`
  return (
    <figure className="relative px-4 pb-3">
      <figcaption className="sr-only">{caption}</figcaption>
      <div className="flex min-h-6 flex-wrap items-center gap-x-4 text-ink-2 text-xs">{legend}</div>
      <div style={{ height: CHART_HEIGHT }}>{children}</div>
      {/* A table does not shrink to one pixel: what is around it does. */}
      <div className="sr-only">
        <table>
          <caption>{caption}</caption>
          <thead>
            <tr>
              {['Time', ...columns].map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ at, cells }) => (
              <tr key={at}>
                <th scope="row">{new Date(at).toISOString().slice(0, 16)}</th>
                {cells.map((cell, place) => (
                  <td key={columns[place]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  )
}

export function LegendItem({ fill, children }: { fill: string; children: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <span aria-hidden="true" className="size-2.5 rounded-[3px]" style={{ background: fill }} />
      {children}
    </span>
  )
}

/** A piece of a line as it is drawn, for its legend. */
export const LineSample = ({ stroke, dash = '' }: { stroke?: string; dash?: string }) => (
  <svg width="22" height="8" aria-hidden="true">
    <path d="M0 4H22" stroke={stroke} strokeDasharray={dash} strokeWidth="2" />
  </svg>
)
