'use client'

import { Bell } from 'lucide-react'
import { Popover } from 'radix-ui'
import { chipClass } from '@/app/_ui/chip'
import { PageLink } from '@/app/_ui/page-link'
import { PopoverPortal, PopoverRoot, popoverClass } from '@/app/_ui/popover'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'

export type ConditionLine = {
  id: string
  title: string
  about: string | null
  since: string
  urgent: boolean
  /** It fires as ever; nobody is notified until then. */
  silencedUntil: string | null
  /** Where it is looked into, in its own range. */
  href: string
}

/** What fires now; null = nothing can: no service sends, and no source is connected. */
export type FiringLines = readonly ConditionLine[] | null

/** What fires now, and since when. */
export function Conditions({ lines }: { lines: FiringLines }) {
  const loud = lines?.some((line) => line.silencedUntil === null)
  const look = lines?.some((line) => line.urgent) ? 'bad' : loud ? 'warn' : 'plain'
  return (
    <PopoverRoot>
      <Popover.Trigger className={chipClass(look, 'min-w-20')}>
        <Bell size={14} aria-hidden="true" /> {lines === null ? 'Not evaluated' : `${lines.length} firing`}
      </Popover.Trigger>
      <PopoverPortal>
        <Popover.Content align="start" sideOffset={6} className={popoverClass('w-90')}>
          <h2 className="px-2 pt-1 pb-2 font-semibold">Conditions</h2>
          <ConditionList lines={lines} />
          <PageLink
            href="/alerts"
            className="mt-1 flex min-h-8 items-center rounded-s px-2 font-medium text-accent-ink hover:bg-sunken"
          >
            Alerts, objectives and silences
          </PageLink>
        </Popover.Content>
      </PopoverPortal>
    </PopoverRoot>
  )
}

export function ConditionList({ lines }: { lines: FiringLines }) {
  if (lines === null)
    return (
      <p className="px-2 pb-2 text-ink-2 text-s">
        Not evaluated: no service sends telemetry and no source is connected.
      </p>
    )
  if (lines.length === 0) return <p className="px-2 pb-2 text-ink-2 text-s">None of the conditions holds.</p>
  return (
    <ul>
      {lines.map((line) => (
        <li key={line.id} className="relative flex gap-2 rounded-s px-2 py-1.5 hover:bg-sunken">
          <StateMark standing={line.urgent ? 'bad' : 'warn'} className="mt-[3px]" />
          <div className="min-w-0">
            <PageLink href={line.href} className="font-medium after:absolute after:inset-0">
              {line.title}
            </PageLink>
            <p className="break-words text-ink-2 text-s">
              {line.about !== null && `${line.about} · `}since <Time at={line.since} />,{' '}
              <Time at={line.since} kind="age" />
              {line.silencedUntil !== null && (
                <>
                  {' '}
                  · silenced until <Time at={line.silencedUntil} />
                </>
              )}
            </p>
          </div>
        </li>
      ))}
    </ul>
  )
}
