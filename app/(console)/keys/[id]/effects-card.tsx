import { Badge, type BadgeTone } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { plural } from '@/app/_ui/format-figure'
import { moneyText } from '@/app/_ui/money-text'
import { ShortId } from '@/app/_ui/short-id'
import { lineCellClass, stillHeadClass, tableClass } from '@/app/_ui/table'
import { Time } from '@/app/_ui/time'
import type { EffectState } from '@/lib/sources/contracts'
import type { KeyPage } from './read-key'

const STATE_TONE: Record<EffectState, BadgeTone> = {
  begun: 'warn',
  committed: 'ok',
  failed: 'plain',
  unknown: 'bad',
}

const HEADS = ['Step', 'Effect', 'State', 'Provider’s id', 'Amount', 'Begun', 'Seen by'] as const

/** The steps that the store recorded, and the effects that spans and the provider add to them. */
export function EffectsCard({ page: { detail, effects } }: { page: KeyPage }) {
  const known = new Set(detail.effects.map(({ reference }) => reference).filter((id) => id !== null))
  const beside = effects.filter(({ effectId, step }) =>
    effectId === '' ? !detail.effects.some((each) => each.step === step) : !known.has(effectId),
  )
  const count = detail.effects.length + beside.length
  return (
    <Card id="effects" title="Steps and effects" aside={plural(count, 'effect')}>
      {count === 0 ? (
        <p className="px-4 pb-4 text-ink-2">No side effect of this key is known.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className="relative overflow-x-auto pb-1" aria-label="Table of effects" tabIndex={0}>
          <table className={tableClass}>
            <thead>
              <tr>
                {HEADS.map((name) => (
                  <th key={name} scope="col" className={stillHeadClass()}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="whitespace-nowrap">
              {detail.effects.map((effect) => (
                <tr key={`${effect.step} ${effect.begunAt}`}>
                  <td className={lineCellClass()}>{effect.step}</td>
                  <td className={lineCellClass()}>{effect.name}</td>
                  <td className={lineCellClass()}>
                    <Badge tone={STATE_TONE[effect.state]}>{effect.state}</Badge>
                  </td>
                  <td className={lineCellClass()}>
                    {effect.reference === null ? '—' : <ShortId id={effect.reference} />}
                  </td>
                  <td className={lineCellClass()}>
                    {effect.amount === null ? '—' : moneyText(effect.amount)}
                  </td>
                  <td className={lineCellClass()}>
                    <Time at={effect.begunAt} kind="seconds" />
                  </td>
                  <td className={lineCellClass('text-ink-2')}>
                    store{effect.providerKeyed ? ', provider keyed' : ''}
                  </td>
                </tr>
              ))}
              {beside.map((effect) => (
                <tr key={`${effect.effectId} ${effect.step} ${effect.time.toISOString()}`}>
                  <td className={lineCellClass()}>{effect.step}</td>
                  <td className={lineCellClass()}>{effect.name}</td>
                  <td className={lineCellClass()}>
                    <Badge tone={effect.duplicate ? 'bad' : 'warn'}>
                      {effect.duplicate ? 'duplicate' : `${effect.outcome}, not in the store`}
                    </Badge>
                  </td>
                  <td className={lineCellClass()}>
                    {effect.effectId === '' ? '—' : <ShortId id={effect.effectId} />}
                  </td>
                  <td className={lineCellClass()}>
                    {effect.amount === null
                      ? '—'
                      : moneyText({
                          minor: effect.amount.minor.toString(),
                          currency: effect.amount.currency,
                        })}
                  </td>
                  <td className={lineCellClass()}>
                    <Time at={effect.time.toISOString()} kind="seconds" />
                  </td>
                  <td className={lineCellClass('text-ink-2')}>{effect.witnesses.join(', ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Card>
  )
}
