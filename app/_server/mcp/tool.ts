import type { z } from 'zod'
import { isRange, RANGE_MS_MAX } from '@/app/_ui/time-range'
import { pathIn } from '@/lib/alerts/about'
import type { ReadContext } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { AppError } from '@/lib/core/errors'
import { instant } from '../api/inputs'
import type { UserContext } from '../context'
import type { Draft } from './compose'

/** What a tool is given: it may see what a viewer sees, whatever the token may do elsewhere, and cannot start a run. */
export type ToolContext = ReadContext & {
  actor: Actor
  requestId: string
  /** Of the console, for links. */
  origin: string
}

export const toToolContext = (
  { db, clock, log, actor, requestId }: UserContext,
  origin: string,
): ToolContext => ({ db, clock, log, actor: { ...actor, role: 'viewer' }, requestId, origin })

export type Tool = {
  name: string
  title: string
  /** For the model that chooses a tool. */
  description: string
  input: z.ZodObject
  read(ctx: ToolContext, input: unknown): Promise<Draft>
}

/** A tool whose reading has the types of its input. */
export const tool = <S extends z.ZodObject>(
  given: Omit<Tool, 'input' | 'read'> & {
    input: S
    read(ctx: ToolContext, input: z.output<S>): Promise<Draft>
  },
): Tool => given as unknown as Tool

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export const rangeInput = {
  from: instant.optional().describe('RFC 3339, e.g. 2026-11-22T02:00:00Z. Default: one hour before `to`'),
  to: instant.optional().describe('RFC 3339. Default: now'),
}

/** The range that was asked for, and a page's path in it. Throws `invalid` where no page shows such a range. */
export function rangeAsked(asked: { from?: Date | undefined; to?: Date | undefined }, now: Date) {
  const to = wholeSecond(asked.to ?? now)
  const from = wholeSecond(asked.from ?? new Date(to.getTime() - HOUR_MS))
  if (!isRange(from, to)) {
    throw new AppError(
      'invalid',
      `from has to be before to, by ${RANGE_MS_MAX / DAY_MS} days at most. Ask for a shorter range.`,
    )
  }
  const range = { from: isoSecond(from), to: isoSecond(to) }
  return {
    from,
    to,
    said: range,
    text: `${range.from} to ${range.to}`,
    pathOf: (path: string) => pathIn(path, range),
  }
}

const wholeSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000)
const isoSecond = (at: Date): string => at.toISOString().replace('.000Z', 'Z')
