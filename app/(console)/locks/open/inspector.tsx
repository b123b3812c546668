'use client'

import {
  BookOpen,
  CreditCard,
  Fingerprint,
  GanttChart,
  HeartOff,
  HeartPulse,
  type LucideIcon,
  RotateCw,
  Timer,
  TimerOff,
  X,
} from 'lucide-react'
import { type ReactNode, useEffect, useRef } from 'react'
import { buttonClass } from '@/app/_ui/button'
import { classNames } from '@/app/_ui/class-names'
import { CopyButton } from '@/app/_ui/copy-button'
import { moneyText } from '@/app/_ui/money-text'
import { PageLink, QueryLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import { dotted, scopeParts } from '@/lib/core/scope'
import { HoldLink } from '../../_page/hold-link'
import { objectText, providerSays } from '../labels'
import type { OpenLock, Permit } from '../read-locks'
import { LockActions } from './lock-actions'

type Props = { open: OpenLock | null; permit: Permit; proposal: ReactNode }

const FRAME =
  'min-w-0 rounded-m border border-line bg-surface shadow-card xl:sticky xl:top-15 xl:max-h-[calc(100dvh-76px)] xl:overflow-y-auto'
/** Where there is no room beside the table it lies over it. */
const OVER =
  'max-xl:fixed max-xl:inset-y-12 max-xl:right-0 max-xl:z-30 max-xl:w-104 max-xl:max-w-full max-xl:overflow-y-auto max-xl:rounded-none max-xl:shadow-raised max-md:bottom-14 max-md:w-full'

/** The open lock: what is known of it, what may be done, and the form to do it. */
export function Inspector({ open, permit, proposal }: Props) {
  if (open === null) {
    return (
      <aside
        aria-label="Lock"
        className={classNames(FRAME, 'px-4 py-8 text-center max-xl:order-first max-xl:py-4')}
      >
        <p className="font-medium">There is no such lock</p>
        <p className="mt-1 text-ink-2">It may be older than what is kept, or the link is cut off.</p>
        <QueryLink set={{ lock: null }} className={buttonClass('plain', 'mt-3')}>
          Show the list
        </QueryLink>
      </aside>
    )
  }
  return <OpenInspector key={open.lock.id} open={open} permit={permit} proposal={proposal} />
}

function OpenInspector({ open, permit, proposal }: Props & { open: OpenLock }) {
  const { lock, ledger, keepsHolds, rules } = open
  const { client, endpoint } = scopeParts(lock.scope)
  const frame = useRef<HTMLElement>(null)
  useEffect(() => {
    // Over the table it is where one reads on.
    if (!window.matchMedia('(min-width: 80rem)').matches) frame.current?.focus()
  }, [])
  return (
    <aside ref={frame} tabIndex={-1} aria-label="Lock" className={classNames(FRAME, OVER, 'outline-none')}>
      <header className="flex items-start gap-1 px-4 pt-3.5">
        <div className="min-w-0 flex-1">
          <h2 className="break-all font-mono font-semibold">
            <PageLink href={`/keys/${lock.keyId}`} look="plain">
              {lock.key}
            </PageLink>
          </h2>
          <p className="mt-0.5 text-ink-2 text-s">
            {dotted(endpoint, client, lock.sourceName, `attempt ${lock.attempts}`)}
          </p>
        </div>
        <CopyButton text={lock.key} label="Copy the key" iconOnly />
        <QueryLink
          set={{ lock: null }}
          scroll={false}
          aria-label="Close"
          data-escape
          className="grid size-7 shrink-0 place-items-center rounded-s text-ink-3 hover:bg-sunken hover:text-ink max-md:size-11"
        >
          <X size={16} aria-hidden="true" />
        </QueryLink>
      </header>
      {keepsHolds && (
        <div className="px-4 pt-3">
          <HoldLink source={lock.source} scope={lock.scope} keyText={lock.key} />
        </div>
      )}
      <LockActions lock={lock} rules={rules} permit={permit} proposal={proposal}>
        <Evidence lock={lock} ledger={ledger} />
      </LockActions>
    </aside>
  )
}

type EvidenceFact = { icon: LucideIcon; name: string; detail?: string; value: ReactNode }

function Evidence({ lock, ledger }: Pick<OpenLock, 'lock' | 'ledger'>) {
  const alive = lock.state === 'leased'
  const facts: EvidenceFact[] = [
    alive
      ? { icon: Timer, name: 'Lease runs until', value: <Time at={lock.leaseUntil} kind="seconds" /> }
      : { icon: TimerOff, name: 'Lease ended', value: <Time at={lock.leaseUntil} kind="ago" /> },
    {
      icon: alive ? HeartPulse : HeartOff,
      name: lock.heartbeatAt === lock.acquiredAt ? 'Taken, no heartbeat since' : 'Last heartbeat',
      value: <Time at={lock.heartbeatAt} kind="ago" />,
    },
    {
      icon: GanttChart,
      name: lock.step === null ? 'Trace' : `Trace, stopped after ${lock.step}`,
      value:
        lock.traceId === null ? (
          'none recorded'
        ) : (
          <PageLink href={`/traces/${lock.traceId}`} look="link">
            open
          </PageLink>
        ),
    },
    ...providerFacts(lock.providerAnswer),
    { icon: BookOpen, name: 'Ledger', value: ledgerText(ledger) },
    {
      icon: Fingerprint,
      name: 'Fencing token',
      value: (
        <span className="font-mono text-s" title={lock.fence}>
          {lock.fence.length > 9 ? `…${lock.fence.slice(-6)}` : lock.fence}
        </span>
      ),
    },
    { icon: RotateCw, name: 'Checked', value: <Time at={lock.checkedAt} kind="ago" /> },
  ]
  return (
    <section className="mt-3">
      <h3 className="mb-1 text-ink-2">Evidence</h3>
      <dl>
        {facts.map(({ icon: Icon, name, detail, value }) => (
          <div
            key={detail ?? name}
            className="flex min-h-9 items-center gap-3 border-line border-b py-1.5 last:border-b-0"
          >
            <Icon size={14} aria-hidden="true" className="shrink-0 text-ink-3" />
            <dt className="min-w-0 flex-1">
              {name}
              {detail !== undefined && (
                <span className="block truncate font-mono text-ink-3 text-xs" title={detail}>
                  {detail}
                </span>
              )}
            </dt>
            <dd className="max-w-[60%] break-words text-right">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function ledgerText(ledger: OpenLock['ledger']): string {
  if (ledger === null) return 'not connected'
  if (ledger.length === 0) return 'no row'
  return ledger
    .map(({ kind, amount, reversed }) =>
      [kind, amount !== null && moneyText(amount), reversed && 'reversed'].filter(Boolean).join(' '),
    )
    .join(', ')
}

const KIND = { charge: 'Charge', refund: 'Refund', payment: 'Payment' } as const

function providerFacts(answer: OpenLock['lock']['providerAnswer']): EvidenceFact[] {
  if (answer.kind !== 'found' && answer.kind !== 'possible')
    return [{ icon: CreditCard, name: 'Provider', value: providerSays(answer).whole }]
  return answer.objects.map((object) => ({
    icon: CreditCard,
    name: `${KIND[object.kind]} ${answer.kind === 'found' ? 'carries this key' : object.kind === 'payment' ? 'is still open' : 'without a key'}`,
    detail: object.id,
    value: objectText(object),
  }))
}
