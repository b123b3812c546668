import { z } from 'zod'
import type { ReadContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { listIncidents } from '@/lib/incidents/list-incidents'
import type { IncidentView } from '@/lib/incidents/view'
import type { KeyFilter, KeyView } from '@/lib/keys/list-keys'
import { listKeys } from '@/lib/keys/list-keys'
import type { CaseView } from '@/lib/reconcile/cases/case-view'
import { listCases } from '@/lib/reconcile/cases/cases'
import { readTrace } from '@/lib/telemetry/read/traces/trace'

/** Of each sort. */
const FOUND_MAX = 6
const FIND_TIMEOUT_MS = 2_500
const TRACE = /^[0-9a-f]{32}$/i
const PROVIDER = /^(ch|re|pi|py|txn)_\w+$/
const PREFIX_LENGTH_MIN = 3

export type FoundTrace = { traceId: string; service: string; name: string; spans: number }
export type Matches = {
  /** What was searched: trimmed, without the quotes of the header. */
  text: string
  keys: KeyView[]
  moreKeys: boolean
  traces: FoundTrace[]
  cases: CaseView[]
  moreCases: boolean
  /** Of the latest ones. */
  incidents: IncidentView[]
  /** Not all was searched in time. */
  timedOut: boolean
}

/** What a pasted text names: a key, a trace, something of the provider, a reference. */
export async function findMatches(ctx: ReadContext, raw: string): Promise<Matches> {
  const text = z
    .string()
    .trim()
    .max(500)
    .parse(raw)
    .replace(/^"(.*)"$/, '$1')
  if (text === '')
    return {
      ...{ text, keys: [], moreKeys: false, traces: [], cases: [], moreCases: false, incidents: [] },
      timedOut: false,
    }
  const searches = filtersOf(text).map((filter) =>
    listKeys(ctx, filter, { limit: FOUND_MAX }, { timeoutMs: FIND_TIMEOUT_MS }),
  )
  const [keys, traces, cases, incidents] = await Promise.all([
    Promise.all(searches.map(inTime)),
    inTime(findTrace(ctx, text)),
    inTime(listCases(ctx.db, { reference: text }, { limit: FOUND_MAX })),
    findIncidents(ctx, text),
  ])
  const found = keys.flatMap((page) => page?.items ?? [])
  return {
    text,
    keys: [...new Map(found.map((key) => [key.id, key])).values()],
    moreKeys: keys.some((page) => page !== null && page.next !== null),
    traces: traces ?? [],
    cases: cases?.items ?? [],
    moreCases: cases !== null && cases.next !== null,
    incidents,
    timedOut: [...keys, traces, cases].includes(null),
  }
}

/** Null = it took too long. */
const inTime = <T>(search: Promise<T>): Promise<T | null> =>
  search.catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'timeout') return null
    throw error
  })

function filtersOf(text: string): KeyFilter[] {
  if (TRACE.test(text)) return [{ traceId: text }, { key: text }]
  if (PROVIDER.test(text)) return [{ providerRef: text }, { key: text }]
  return [{ key: text }, { reference: text }, ...(text.length < PREFIX_LENGTH_MIN ? [] : [{ prefix: text }])]
}

async function findTrace(ctx: ReadContext, text: string): Promise<FoundTrace[]> {
  if (!TRACE.test(text)) return []
  const traceId = text.toLowerCase()
  const { spans } = await readTrace(ctx.db, traceId)
  const [first] = spans
  if (first === undefined) return []
  return [{ traceId, service: first.service, name: first.name, spans: spans.length }]
}

const INCIDENTS_SEARCHED = 50

/** By a word of the title, or the system. */
async function findIncidents(ctx: ReadContext, text: string): Promise<IncidentView[]> {
  if (text.length < PREFIX_LENGTH_MIN) return []
  const word = text.toLowerCase()
  const { items } = await listIncidents(ctx.db, {}, { limit: INCIDENTS_SEARCHED })
  return items
    .filter(({ title, system }) => `${title} ${system ?? ''}`.toLowerCase().includes(word))
    .slice(0, FOUND_MAX)
}
