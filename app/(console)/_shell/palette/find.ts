'use server'

import { pageContext } from '@/app/_server/context'
import { type FoundTrace, findMatches } from '@/app/_server/find'
import { shortId } from '@/app/_ui/identifier'
import { KEY_STATE_LABEL } from '@/app/_ui/key-state-label'
import { INCIDENT_STATUS_LABEL } from '@/lib/core/incident-states'
import { scopeParts } from '@/lib/core/scope'
import type { IncidentView } from '@/lib/incidents/view'
import type { KeyView } from '@/lib/keys/list-keys'
import type { CaseView } from '@/lib/reconcile/cases/case-view'

export type Found = {
  id: string
  kind: 'key' | 'trace' | 'case' | 'run' | 'incident'
  title: string
  detail: string
  href: string
}
export type FindResult = { found: Found[]; timedOut: boolean }

const SHOWN_MAX = 12

/** What a pasted text names: a key, a trace, something of the provider, a reference, an id of ours. */
export async function find(raw: string): Promise<FindResult> {
  const { text, keys, traces, cases, incidents, timedOut } = await findMatches(await pageContext(), raw)
  const found = [
    ...ourOwn(text),
    ...incidents.map(incidentFound),
    ...keys.map(keyFound),
    ...traces.map(traceFound),
    ...cases.map((each) => caseFound(each, text)),
  ]
  const unique = [...new Map(found.map((each) => [each.href, each])).values()]
  return { found: unique.slice(0, SHOWN_MAX), timedOut }
}

function keyFound(row: KeyView): Found {
  const { client, endpoint } = scopeParts(row.scope)
  return {
    id: row.id,
    kind: 'key',
    title: shortId(row.key, 36, 4),
    detail: `${endpoint} · ${client} · ${KEY_STATE_LABEL[row.state]}`,
    href: `/keys/${row.id}`,
  }
}

const traceFound = ({ traceId, service, name, spans }: FoundTrace): Found => ({
  id: traceId,
  kind: 'trace',
  title: shortId(traceId, 16, 4),
  detail: `${service} · ${name} · ${spans} spans`,
  href: `/traces/${traceId}`,
})

const caseFound = (each: CaseView, text: string): Found => ({
  id: each.id,
  kind: 'case',
  title: each.title,
  detail: `${each.severity} · ${each.lifecycle} · ${text}`,
  href: `/reconciliation/cases/${each.id}`,
})

const incidentFound = ({ id, title, status, severity, openedAt }: IncidentView): Found => ({
  id,
  kind: 'incident',
  title,
  detail: `${severity.toUpperCase()} · ${INCIDENT_STATUS_LABEL[status]} · ${openedAt}`,
  href: `/incidents/${id}`,
})

/** Our own ids say what they are; their page says when there is none. */
const OWN = [
  { id: /^case_\w+$/, kind: 'case', detail: 'Case', page: '/reconciliation/cases/' },
  { id: /^run_\w+$/, kind: 'run', detail: 'Run', page: '/reconciliation/runs/' },
  { id: /^inc_\w+$/, kind: 'incident', detail: 'Incident', page: '/incidents/' },
  { id: /^lock_\w+$/, kind: 'key', detail: 'Lock', page: '/locks?lock=' },
  { id: /^key_[\w-]+$/, kind: 'key', detail: 'Key', page: '/keys/' },
] as const

const ourOwn = (text: string): Found[] =>
  OWN.filter(({ id }) => id.test(text)).map(({ kind, detail, page }) => {
    const title = detail === 'Key' ? shortId(text, 24, 4) : text
    return { id: text, kind, title, detail, href: `${page}${text}` }
  })
