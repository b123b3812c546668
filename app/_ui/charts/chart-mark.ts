/** What somebody or something did at a moment: stands above a chart. */
export type ChartMark = {
  /** Milliseconds since the epoch. */
  at: number
  kind: 'deploy' | 'action' | 'run'
  label: string
  /** Where it is told in full. */
  href: string
}
