'use client'

import { chipClass } from '@/app/_ui/chip'
import { useNow } from '@/app/_ui/now-clock'
import { StateMark } from '@/app/_ui/state-mark'
import { durationText } from '@/lib/core/format-figure'
import type { Standing } from '@/lib/core/verdict'
import { useConnection } from './live'

export type DataAgeProps = {
  /** When telemetry last arrived from any service; null = never. */
  receivedAt: string | null
  /** Services that have been silent beyond their limit, of all. */
  silent: number
  services: number
}

/** How old what one sees is. A broken live connection is said here first. */
export function DataAge(props: DataAgeProps) {
  const { tone, standing, text, title } = lookOf(props, useConnection(), useNow())
  return (
    <span className={chipClass(tone, 'min-w-26 max-md:min-w-0')} title={title}>
      <StateMark standing={standing} says={null} /> <span className="truncate">{text}</span>
    </span>
  )
}

type Look = { tone: 'plain' | 'warn'; standing: Standing; text: string; title?: string }

function lookOf(data: DataAgeProps, connection: ReturnType<typeof useConnection>, now: number): Look {
  const { receivedAt, silent, services } = data
  if (connection !== 'live')
    return { tone: 'warn', standing: 'stale', text: connection === 'stale' ? 'Stale' : 'Reconnecting' }
  if (receivedAt === null) return { tone: 'plain', standing: 'unknown', text: 'No data yet' }
  const age = durationText(now - new Date(receivedAt).getTime())
  if (silent === services)
    return { tone: 'warn', standing: 'stale', text: `Silent ${age}`, title: 'No service sends telemetry' }
  const text = `${age} old`
  if (silent > 0)
    return { tone: 'warn', standing: 'warn', text, title: `${silent} of ${services} services are silent` }
  return { tone: 'plain', standing: 'ok', text, title: `${services} services send telemetry` }
}
