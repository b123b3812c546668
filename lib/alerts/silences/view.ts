import { z } from 'zod'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'
import type { Silence } from '@/prisma/generated/client'
import { ALERTS } from '../about'

export const SILENCE_STATES = ['active', 'scheduled', 'ended'] as const
export type SilenceState = (typeof SILENCE_STATES)[number]

/** A silence as the API and the console show it. */
export type SilenceView = ReturnType<typeof silenceView>

export function silenceView(row: Silence, now: Date) {
  return {
    id: row.id,
    state: stateOf(row, now),
    kind: row.kind === null ? null : z.enum(CONDITION_KINDS).parse(row.kind),
    subject: row.subject,
    prefix: row.prefix,
    environment: row.environment,
    startsAt: row.startsAt.toISOString(),
    endsAt: row.endsAt.toISOString(),
    reason: row.reason,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    expiredAt: row.expiredAt?.toISOString() ?? null,
    expiredBy: row.expiredBy,
    expiredReason: row.expiredReason,
  }
}

function stateOf(row: Silence, now: Date): SilenceState {
  if (row.expiredAt !== null || row.endsAt <= now) return 'ended'
  return row.startsAt > now ? 'scheduled' : 'active'
}

/** Whether it held at some moment of a time. `to` is null while the time goes on. */
export function heldDuring(silence: SilenceView, from: string, to: string | null): boolean {
  const end =
    silence.expiredAt !== null && silence.expiredAt < silence.endsAt ? silence.expiredAt : silence.endsAt
  return silence.startsAt < end && end > from && (to === null || silence.startsAt < to)
}

/** What it matches, in words. */
export function silenceText({ kind, subject, prefix, environment }: SilenceView): string {
  const what = kind === null ? 'Every alert' : ALERTS[kind].title
  const of = subject === null ? '' : prefix ? ` of ${subject}…` : ` of ${subject}`
  return `${what}${of}${environment === null ? '' : ` in ${environment}`}`
}
