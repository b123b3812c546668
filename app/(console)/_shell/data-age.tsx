'use client'

import { chipClass } from '@/app/_ui/chip'
import { useNow } from '@/app/_ui/now-clock'
import { StateMark } from '@/app/_ui/state-mark'
import { durationText } from '@/lib/core/format-figure'
import { useConnection } from './live'

export type DataAgeProps = {
  /** When telemetry last arrived from any service; null = never. */
  receivedAt: string | null
  /** Services that have been silent beyond their limit, of all. */
  silent: number
  services: number
}

/** How old what one sees is. A broken live connection is said here first. */
export function DataAge({ receivedAt, silent, services }: DataAgeProps) {
  const now = useNow()
  const connection = useConnection()
  const width = 'min-w-26 max-md:min-w-0'
  if (connection !== 'live') {
    return (
      <span className={chipClass('warn', width)}>
        <StateMark standing="stale" /> {connection === 'stale' ? 'Stale' : 'Reconnecting'}
      </span>
    )
  }
  if (receivedAt === null) {
    return (
      <span className={chipClass('plain', width)}>
        <StateMark standing="unknown" /> No data yet
      </span>
    )
  }
  const age = durationText(now - new Date(receivedAt).getTime())
  if (silent === services) {
    return (
      <span className={chipClass('warn', width)} title="No service sends telemetry">
        <StateMark standing="stale" /> Silent {age}
      </span>
    )
  }
  return (
    <span
      className={chipClass(silent > 0 ? 'warn' : 'plain', width)}
      title={
        silent > 0 ? `${silent} of ${services} services are silent` : `${services} services send telemetry`
      }
    >
      <StateMark standing={silent > 0 ? 'warn' : 'ok'} /> {age} old
    </span>
  )
}
