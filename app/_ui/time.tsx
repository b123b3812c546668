'use client'

import { ageText, agoText, isAhead } from '@/lib/core/format-figure'
import { classNames } from './class-names'
import { clockText, dayClockText, fullText, sameDay, secondsText, zoneText } from './format-time'
import { useNow } from './now-clock'
import { useHydrated, useZone } from './zone'

type Kind =
  /** 4 min */
  | 'age'
  /** 4 min ago */
  | 'ago'
  /** 4 min ago, where there is room; on a phone 4 min */
  | 'brief ago'
  /** 02:42 UTC, with its day when that is not today */
  | 'clock'
  /** 02:42, when the zone is said beside it */
  | 'bare'
  /** 02:42:07 UTC */
  | 'seconds'

/** A moment. Its title says it in full, in UTC and in the browser's zone; so does TimeTips on focus and tap. */
export function Time({ at, kind = 'clock', className }: { at: string; kind?: Kind; className?: string }) {
  const zone = useZone()
  const hydrated = useHydrated()
  const now = useNow()
  const date = new Date(at)
  const ageMs = now - date.getTime()
  const title = hydrated ? `${fullText(date, 'utc')} · ${fullText(date, 'local')}` : fullText(date, 'utc')
  const text = {
    age: () => ageText(ageMs),
    ago: () => agoText(ageMs),
    'brief ago': () => (
      <>
        {ageText(ageMs)}
        {!isAhead(ageMs) && <span className="max-md:hidden"> ago</span>}
      </>
    ),
    bare: () => clockText(date, zone),
    seconds: () => `${secondsText(date, zone)} ${zoneText(date, zone)}`,
    clock: () => {
      const today = sameDay(date, new Date(now), zone)
      return `${today ? clockText(date, zone) : dayClockText(date, zone)} ${zoneText(date, zone)}`
    },
  }[kind]()
  const relative = kind === 'age' || kind === 'ago' || kind === 'brief ago'
  return (
    <time
      dateTime={at}
      title={title}
      // An age says neither zone: its tip must be within reach of the keyboard, and above a row's own link.
      tabIndex={relative ? 0 : undefined}
      className={classNames(relative && 'relative z-[1]', className)}
    >
      {text}
    </time>
  )
}
