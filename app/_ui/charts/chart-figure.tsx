import type { ReactNode } from 'react'
import { CHART_HEIGHT } from './outcome-point'

type Props = {
  /** What the figure shows, for whoever cannot see it. */
  caption: string
  columns: readonly string[]
  rows: readonly (readonly string[])[]
  legend: ReactNode
  children: ReactNode
}

/** A chart, its legend, and the same figures as a table for screen readers. */
export function ChartFigure({ caption, columns, rows, legend, children }: Props) {
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
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([first, ...rest]) => (
              <tr key={first}>
                <th scope="row">{first}</th>
                {rest.map((cell, index) => (
                  <td key={columns[index + 1]}>{cell}</td>
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
