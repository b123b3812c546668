import { Fragment } from 'react'
import { buttonClass } from '@/app/_ui/button'
import { classNames } from '@/app/_ui/class-names'
import { PageLink } from '@/app/_ui/page-link'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import type { NowVerdict, Piece } from '@/lib/alerts/now/verdict'
import type { VerdictAction } from '@/lib/alerts/now/verdict-actions'
import type { Standing, Tone } from '@/lib/core/verdict'
import { DryRunButton } from './dry-run-button'

const LOOK: Record<Tone, { standing: Standing; frame: string; edge: string; ink: string }> = {
  bad: { standing: 'bad', frame: 'border-bad-line', edge: 'bg-bad', ink: 'text-bad-ink' },
  warn: { standing: 'warn', frame: 'border-warn-line', edge: 'bg-warning', ink: 'text-warn-ink' },
  ok: { standing: 'ok', frame: 'border-line', edge: 'bg-processing', ink: 'text-ink' },
  unknown: { standing: 'unknown', frame: 'border-line', edge: 'bg-line-strong', ink: 'text-ink' },
}

type Props = {
  verdict: NowVerdict
  /** Where one goes from here, the most urgent first. */
  actions: readonly VerdictAction[]
  /** What a dry run would compare; null = there is nothing to compare. */
  dryRun: { from: string; to: string; forbidden: string | null } | null
}

export function VerdictCard({ verdict, actions, dryRun }: Props) {
  const { standing, frame, edge, ink } = LOOK[verdict.tone]
  return (
    <section
      aria-label="Verdict"
      className={classNames(
        'relative flex min-h-[94px] items-center justify-between gap-x-6 gap-y-3 overflow-hidden rounded-m border bg-surface py-3 pr-4 pl-6 shadow-card',
        'max-lg:flex-col max-lg:items-start max-md:pl-5',
        frame,
      )}
    >
      <span aria-hidden="true" className={classNames('absolute inset-y-0 left-0 w-1', edge)} />
      <div className="min-w-0 max-w-[76ch]">
        <p
          className={classNames(
            'flex items-baseline gap-2 text-balance font-semibold text-[1.0625rem] leading-6',
          )}
        >
          <StateMark standing={standing} size={16} className="relative top-0.5" />
          <span>
            <span className={ink}>
              <Pieces of={verdict.lead} />
            </span>
            <Pieces of={verdict.rest} />
          </span>
        </p>
        {verdict.about.length > 0 && (
          <p className="mt-1 text-ink-2 text-s">
            {verdict.about.map((pieces) => (
              <Fragment key={keyOf(pieces)}>
                <Pieces of={pieces} />{' '}
              </Fragment>
            ))}
          </p>
        )}
      </div>
      <div className="flex shrink-0 flex-wrap items-start gap-2 max-lg:flex-row-reverse max-lg:justify-end">
        {dryRun !== null && <DryRunButton {...dryRun} />}
        {[...actions].reverse().map(({ label, href }, place) => (
          <PageLink
            key={href}
            href={href}
            className={buttonClass(place === actions.length - 1 ? 'primary' : 'plain')}
          >
            {label}
          </PageLink>
        ))}
      </div>
    </section>
  )
}

const keyOf = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : piece.at)).join('')

function Pieces({ of }: { of: readonly Piece[] }) {
  return of.map((piece) =>
    typeof piece === 'string' ? (
      <Fragment key={piece}>{piece}</Fragment>
    ) : (
      <Time key={piece.at} at={piece.at} />
    ),
  )
}
