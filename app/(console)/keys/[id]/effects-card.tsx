import type { ReactNode } from 'react'
import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { moneyText } from '@/app/_ui/money-text'
import { ShortId } from '@/app/_ui/short-id'
import { type Column, Table } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import { type MoneyJson, moneyToJson } from '@/lib/core/money'
import type { EffectState } from '@/lib/sources/contracts'
import type { KeyPage } from './read-key'

const STATE_TONE: Record<EffectState, BadgeTone> = {
  begun: 'warn',
  committed: 'ok',
  failed: 'plain',
  unknown: 'bad',
}

type Line = {
  step: string
  name: string
  state: ReactNode
  reference: string | null
  amount: MoneyJson | null
  begunAt: string
  seenBy: string
}

const COLUMNS: Column<Line>[] = [
  { head: 'Step', cell: ({ step }) => step },
  { head: 'Effect', cell: ({ name }) => name },
  { head: 'State', cell: ({ state }) => state },
  {
    head: 'Provider’s id',
    cell: ({ reference }) => (reference === null ? '—' : <ShortId id={reference} />),
  },
  { head: 'Amount', cell: ({ amount }) => (amount === null ? '—' : moneyText(amount)) },
  { head: 'Begun', cell: ({ begunAt }) => <Time at={begunAt} kind="seconds" /> },
  { head: 'Seen by', className: 'text-ink-2', cell: ({ seenBy }) => seenBy },
]

/** The steps that the store recorded, and the effects that spans and the provider add to them. */
export function EffectsCard({ page }: { page: KeyPage }) {
  const lines = linesOf(page)
  return (
    <Card
      id="effects"
      title="Steps and effects"
      aside={plural(lines.length, 'effect')}
      empty={lines.length === 0 && 'No side effect of this key is known.'}
    >
      <Table
        columns={COLUMNS}
        rows={lines}
        id={({ reference, step, begunAt }) => `${reference} ${step} ${begunAt}`}
        look={() => ({ className: 'whitespace-nowrap' })}
        lines={1}
        scrolls="Table of effects"
      />
    </Card>
  )
}

function linesOf({ detail, effects }: KeyPage): Line[] {
  const known = new Set(detail.effects.map(({ reference }) => reference).filter((id) => id !== null))
  const beside = effects.filter(({ effectId, step }) =>
    effectId === '' ? !detail.effects.some((each) => each.step === step) : !known.has(effectId),
  )
  return [
    ...detail.effects.map(({ step, name, state, reference, amount, begunAt, providerKeyed }) => ({
      ...{ step, name, reference, amount, begunAt },
      state: <Badge tone={STATE_TONE[state]}>{state}</Badge>,
      seenBy: `store${providerKeyed ? ', provider keyed' : ''}`,
    })),
    ...beside.map(({ step, name, duplicate, outcome, effectId, amount, time, witnesses }) => ({
      ...{ step, name },
      state: (
        <Badge tone={duplicate ? 'bad' : 'warn'}>
          {duplicate ? 'duplicate' : `${outcome}, not in the store`}
        </Badge>
      ),
      reference: effectId === '' ? null : effectId,
      amount: amount === null ? null : moneyToJson(amount),
      begunAt: time.toISOString(),
      seenBy: witnesses.join(', '),
    })),
  ]
}
