'use server'

import { z } from 'zod'
import { pageContext, type UserContext } from '@/app/_server/context'
import { shortId } from '@/app/_ui/identifier'
import { KEY_STATE_LABEL } from '@/app/_ui/key-state-label'
import { AppError } from '@/lib/core/errors'
import { scopeParts } from '@/lib/core/scope'
import type { KeyFilter } from '@/lib/keys/list-keys'
import { listKeys } from '@/lib/keys/list-keys'
import { listCases } from '@/lib/reconcile/cases/cases'
import { readTrace } from '@/lib/telemetry/read/traces/trace'

export type Found = {
  id: string
  kind: 'key' | 'trace' | 'case' | 'run'
  title: string
  detail: string
  href: string
}
export type FindResult = { found: Found[]; timedOut: boolean }

const SHOWN = 6
const FIND_TIMEOUT_MS = 2_500

/** What a pasted text names: a key, a trace, something of the provider, a reference, an id of ours. */
export async function find(raw: string): Promise<FindResult> {
  const ctx = await pageContext()
  const text = z
    .string()
    .trim()
    .max(500)
    .parse(raw)
    .replace(/^"(.*)"$/, '$1')
  if (text === '') return { found: [], timedOut: false }
  const answers = await Promise.allSettled([
    ...filtersOf(text).map((filter) => findKeys(ctx, filter)),
    findTrace(ctx, text),
    findCases(ctx, text),
  ])
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  for (const answer of answers) {
    if (answer.status === 'rejected' && !isTimeout(answer.reason)) throw answer.reason
  }
  const unique = [...new Map([...ourOwn(text), ...found].map((each) => [each.href, each])).values()]
  return { found: unique.slice(0, SHOWN * 2), timedOut: answers.some(({ status }) => status === 'rejected') }
}

const isTimeout = (error: unknown): boolean => error instanceof AppError && error.code === 'timeout'

const TRACE = /^[0-9a-f]{32}$/i
const PROVIDER = /^(ch|re|pi|py|txn)_\w+$/
const PREFIX_LENGTH_MIN = 3

function filtersOf(text: string): KeyFilter[] {
  if (TRACE.test(text)) return [{ traceId: text }, { key: text }]
  if (PROVIDER.test(text)) return [{ providerRef: text }, { key: text }]
  return [{ key: text }, { reference: text }, ...(text.length < PREFIX_LENGTH_MIN ? [] : [{ prefix: text }])]
}

async function findKeys(ctx: UserContext, filter: KeyFilter): Promise<Found[]> {
  const { items } = await listKeys(ctx, filter, { limit: SHOWN }, { timeoutMs: FIND_TIMEOUT_MS })
  return items.map((row) => {
    const { client, endpoint } = scopeParts(row.scope)
    return {
      id: row.id,
      kind: 'key',
      title: shortId(row.key, 36, 4),
      detail: `${endpoint} · ${client} · ${KEY_STATE_LABEL[row.state]}`,
      href: `/keys/${row.id}`,
    }
  })
}

async function findTrace(ctx: UserContext, text: string): Promise<Found[]> {
  if (!TRACE.test(text)) return []
  const traceId = text.toLowerCase()
  const { spans } = await readTrace(ctx.db, traceId)
  const [first] = spans
  if (first === undefined) return []
  return [
    {
      id: traceId,
      kind: 'trace',
      title: shortId(traceId, 16, 4),
      detail: `${first.service} · ${first.name} · ${spans.length} spans`,
      href: `/traces/${traceId}`,
    },
  ]
}

async function findCases(ctx: UserContext, text: string): Promise<Found[]> {
  const { items } = await listCases(ctx.db, { reference: text }, { limit: SHOWN })
  return items.map((each) => ({
    id: each.id,
    kind: 'case',
    title: each.title,
    detail: `${each.severity} · ${each.lifecycle} · ${text}`,
    href: `/reconciliation/cases/${each.id}`,
  }))
}

/** Our own ids say what they are; their page says when there is none. */
const OWN = [
  { id: /^case_\w+$/, kind: 'case', detail: 'Case', page: '/reconciliation/cases/' },
  { id: /^run_\w+$/, kind: 'run', detail: 'Run', page: '/reconciliation/runs/' },
  { id: /^lock_\w+$/, kind: 'key', detail: 'Lock', page: '/locks?lock=' },
  { id: /^key_[\w-]+$/, kind: 'key', detail: 'Key', page: '/keys/' },
] as const

const ourOwn = (text: string): Found[] =>
  OWN.filter(({ id }) => id.test(text)).map(({ kind, detail, page }) => {
    const title = detail === 'Key' ? shortId(text, 24, 4) : text
    return { id: text, kind, title, detail, href: `${page}${text}` }
  })
