import { moneyText } from '@/app/_ui/money-text'
import { outcomeLook } from '@/app/_ui/outcome-look'
import { actionState, actionText } from '@/lib/actions/describe-action'
import type { ActionView } from '@/lib/actions/view'
import { auditOf } from '@/lib/alerts/now/marks'
import { caseTitle } from '@/lib/core/case-classes'
import { plural } from '@/lib/core/format-figure'
import type { MoneyJson } from '@/lib/core/money'
import type { MessageRow } from '@/lib/sources/contracts'
import type { Execution } from './read-executions'

export type MessageEvent = {
  /** null = it happened before all others, when is not known. */
  at: string | null
  title: string
  detail: string | null
  link: { href: string; label: string } | null
}

type Known = {
  message: Pick<MessageRow, 'publishedAt' | 'settledAt' | 'traceId' | 'attempts' | 'state' | 'key'>
  executions: readonly Execution[]
  actions: readonly ActionView[]
}

/** From its publication to what consumers, books, reconciliation and people made of it, the oldest first. */
export function eventsOf({ message, executions, actions }: Known): MessageEvent[] {
  const events = [...ofMessage(message), ...executions.flatMap(ofExecution), ...actions.map(ofAction)]
  return events.toSorted((a, b) => timeOf(a) - timeOf(b))
}

const timeOf = ({ at }: MessageEvent): number => (at === null ? 0 : Date.parse(at))

const SETTLED: Partial<Record<MessageRow['state'], string>> = {
  sent: 'Handed to the broker',
  dead: 'Given up',
  discarded: 'Discarded',
}

function ofMessage({ publishedAt, settledAt, traceId, attempts, state, key }: Known['message']) {
  const published: MessageEvent = {
    at: publishedAt?.toISOString() ?? null,
    title: 'Published',
    detail: key === null ? null : `key ${key}`,
    link: traceId === null ? null : { href: `/traces/${traceId}`, label: 'its trace' },
  }
  if (settledAt === null) return [published]
  const settled: MessageEvent = {
    at: settledAt.toISOString(),
    title: SETTLED[state] ?? 'Settled',
    detail: attempts === 0 ? null : `after ${plural(attempts, 'attempt')}`,
    link: null,
  }
  return [published, settled]
}

const withMoney = (text: string, amount: MoneyJson | null): string =>
  amount === null ? text : `${text}, ${moneyText(amount)}`

function ofExecution({ group, keyId, detail, effects, ledger }: Execution): MessageEvent[] {
  const link = { href: `/keys/${keyId}`, label: 'its key' }
  const held = new Set(detail.providerObjects.map(({ id }) => id))
  return [
    ...(detail.createdAt === null
      ? []
      : [{ at: detail.createdAt, title: `${group} took it`, detail: detail.scope, link }]),
    ...detail.keyedRequests.map(({ time, outcome, attempt, traceId }) => ({
      at: time.toISOString(),
      title: `${group}: ${outcomeLook(outcome).label}`,
      detail: attempt === null ? null : `attempt ${attempt}`,
      link: { href: `/traces/${traceId}`, label: 'its trace' },
    })),
    ...effects
      // What only the provider told of is among its objects.
      .filter(({ stored, reference }) => stored !== null || reference === null || !held.has(reference))
      .map(({ begunAt, step, name, outcome, duplicate, amount, reference }) => ({
        at: begunAt,
        title: withMoney(`${group}: ${name} ${duplicate ? 'once more' : outcome}`, amount),
        detail: reference === null ? `step ${step}` : `step ${step}, ${reference}`,
        link,
      })),
    ...detail.providerObjects.map(({ createdAt, kind, status, id, amount }) => ({
      at: createdAt.toISOString(),
      title: withMoney(`Provider: ${kind} ${status}`, amount),
      ...{ detail: id, link },
    })),
    ...ledger.map(({ bookedAt, kind, id, amount, reversed }) => ({
      at: bookedAt,
      title: withMoney(`Ledger: ${kind}${reversed ? ', reversed' : ''}`, amount),
      ...{ detail: id, link },
    })),
    ...detail.cases
      .filter(({ lifecycle }) => lifecycle !== 'resolved')
      .map(({ id, firstSeen, severity, class: name }) => ({
        at: firstSeen.toISOString(),
        title: `Case opened: ${caseTitle(name)}`,
        detail: severity,
        link: { href: `/reconciliation/cases/${id}`, label: 'the case' },
      })),
  ]
}

const ofAction = (action: ActionView): MessageEvent => ({
  at: action.createdAt,
  title: `${actionText(action)}: ${actionState(action).toLowerCase()}`,
  detail: action.reason === '' ? null : `“${action.reason}”`,
  link: { href: auditOf(action.id), label: 'audit' },
})
