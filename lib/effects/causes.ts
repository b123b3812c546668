import { caseTitle } from '@/lib/core/case-classes'
import { type MoneyJson, sumMoneyJson } from '@/lib/core/money'
import { scopeParts } from '@/lib/core/scope'
import type { UnseenEffect } from './confirmed-unseen'
import type { CausedEffect } from './read-causes'

/** An effect as the list beside the causes shows it. */
export type EffectLine = {
  id: string
  at: string
  effectIds: string[]
  step: string | null
  scope: string | null
  key: string | null
  sourceId: string | null
  traceId: string | null
  amount: MoneyJson | null
  caseId: string | null
  /** Its case's class in words. */
  verdict: string | null
}

/** Effects that came from the same operation of the same build. */
export type Cause = {
  id: string
  operation: string
  effect: string
  /** "payments 1.4.2"; null = no span told. */
  build: string | null
  effects: EffectLine[]
  confirmed: number
  keys: number
  clients: string[]
  amounts: MoneyJson[]
  firstAt: string
  lastAt: string
}

type Tagged = { line: EffectLine; operation: string; effect: string; build: string | null }

/** Grouped by operation × service version, the most effects first. */
export function groupCauses(seen: readonly CausedEffect[], unseen: readonly UnseenEffect[]): Cause[] {
  const groups = new Map<string, Tagged[]>()
  for (const tagged of [...seen.map(fromSpan), ...unseen.map(fromCase)]) {
    const id = [tagged.operation, tagged.effect, tagged.build ?? ''].join(' · ')
    groups.set(id, [...(groups.get(id) ?? []), tagged])
  }
  return [...groups]
    .map(([id, members]) => toCause(id, members))
    .sort((a, b) => b.effects.length - a.effects.length || (a.lastAt < b.lastAt ? 1 : -1))
}

function toCause(id: string, members: readonly Tagged[]): Cause {
  const lines = members.map(({ line }) => line).sort((a, b) => (a.at < b.at ? 1 : -1))
  const times = lines.map(({ at }) => at)
  const [first] = members
  return {
    id,
    operation: first?.operation ?? '',
    effect: first?.effect ?? '',
    build: first?.build ?? null,
    effects: lines,
    confirmed: lines.filter(({ caseId }) => caseId !== null).length,
    keys: countKeys(lines),
    clients: [
      ...new Set(lines.flatMap(({ scope }) => (scope === null ? [] : [scopeParts(scope).client]))),
    ].sort(),
    amounts: sumAmounts(lines),
    firstAt: times.at(-1) ?? '',
    lastAt: times[0] ?? '',
  }
}

/** One key may have several effects too many; one that is known by its hash only is told apart by its trace. */
const countKeys = (lines: readonly EffectLine[]): number =>
  new Set(lines.map(({ scope, key, id }) => (key === null ? id : `${scope} ${key}`))).size

export const sumAmounts = (lines: readonly { amount: MoneyJson | null }[]): MoneyJson[] =>
  sumMoneyJson(lines.flatMap(({ amount }) => amount ?? []))

const verdictOf = (name: string | null): string | null => (name === null ? null : caseTitle(name))

function fromSpan(effect: CausedEffect): Tagged {
  const { id, at, effectId, step, scope, key, sourceId, traceId, amount, caseId } = effect
  return {
    operation: scopeParts(scope).endpoint,
    effect: effect.name,
    build: effect.service === '' ? null : `${effect.service} ${effect.version}`.trim(),
    line: {
      ...{ id, at, step, scope, key, sourceId, traceId, amount, caseId },
      effectIds: effectId === '' ? [] : [effectId],
      verdict: verdictOf(effect.class),
    },
  }
}

function fromCase(effect: UnseenEffect): Tagged {
  const { caseId, at, scope, key, sourceId, effectIds, amount } = effect
  return {
    operation: scope === null ? 'No record of a request' : scopeParts(scope).endpoint,
    effect: effectIds.some((id) => id.startsWith('re_')) ? 'stripe.refund' : 'stripe.charge',
    build: null,
    line: {
      ...{ id: caseId, at, scope, key, sourceId, effectIds, amount, caseId },
      step: null,
      traceId: null,
      verdict: verdictOf(effect.class),
    },
  }
}
