/** One thing to do. `{from}`, `{to}` and `{service}` are the alert's own; words in backticks are code. */
export type Step = {
  head: string
  text: string
  /** The page on which it is done; the range goes along. */
  link?: { label: string; path: string }
  /** The same through the API. */
  command?: string
}
export type Runbook = { id: string; title: string; when: string; steps: readonly Step[] }

export const CASES = (name: string) => `GET /api/v1/reconciliation/cases?class=${name}`
export const DRY_RUN = 'POST /api/v1/reconciliation/runs {"from": "{from}", "to": "{to}", "dryRun": true}'
