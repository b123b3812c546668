/** What somebody or something did at a moment: stands above a chart. */
export type ChartMark = {
  /** Milliseconds since the epoch. */
  at: number
  /** What a person did, what was deployed, what the schedule ran. */
  kind: 'action' | 'deploy' | 'run'
  label: string
  /** Where it is told in full. */
  href: string
}
