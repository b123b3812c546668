import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { moneyText } from '@/app/_ui/money-text'
import { ShortId } from '@/app/_ui/short-id'
import type { Column } from '@/app/_ui/table'
import { TableCard } from '@/app/_ui/table-card'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import { type EffectLine, effectLines } from '@/lib/keys/key-effects'
import type { EffectState } from '@/lib/sources/contracts'
import type { KeyPage } from './read-key'

const STATE_TONE: Record<EffectState, BadgeTone> = {
  begun: 'warn',
  committed: 'ok',
  failed: 'plain',
  unknown: 'bad',
}

const COLUMNS: Column<EffectLine>[] = [
  { head: 'Step', cell: ({ step }) => step },
  { head: 'Effect', cell: ({ name }) => name },
  { head: 'State', cell: EffectBadge },
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
  const lines = effectLines(page.detail, page.effects)
  return (
    <TableCard
      id="effects"
      title="Steps and effects"
      aside={plural(lines.length, 'effect')}
      empty="No side effect of this key is known."
      columns={COLUMNS}
      rows={lines}
      rowId={({ reference, step, begunAt }) => `${reference} ${step} ${begunAt}`}
      look={() => ({ className: 'whitespace-nowrap' })}
      lines={1}
      scrolls="Table of effects"
    />
  )
}

function EffectBadge({ stored, duplicate, outcome }: EffectLine) {
  if (stored !== null) return <Badge tone={STATE_TONE[stored]}>{stored}</Badge>
  return duplicate ? (
    <Badge tone="bad">duplicate</Badge>
  ) : (
    <Badge tone="warn">{outcome}, not in the store</Badge>
  )
}
