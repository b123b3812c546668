import type { z } from 'zod'
import type { Verb } from '@/lib/core/permissions'
import type { UserContext } from '../context'

export type RouteContext = UserContext & { request: Request }

type Shape = z.ZodObject
type Output<S> = S extends z.ZodType ? z.output<S> : undefined

/** What a handler answers when all is well. */
export type Answer = { status: 200 | 201 | 202; body: unknown } | FileAnswer

/** A file that is sent while it is made. */
export type FileAnswer = { status: 200; contentType: string; name: string; chunks: AsyncIterable<string> }

type Common<P, Q, B> = {
  /** Below /api/v1, with its parameters in braces. */
  path: string
  summary: string
  description?: string
  tag: Tag
  /** The verb of the role table that it needs. The verb checks it again. */
  verb: Verb
  params?: P
  query?: Q
  body?: B
  /** The handler parses the body, by better means than the schema of the document; it gets it as it came. */
  parsesItself?: true
  /** It only contains: stops, rejects or revokes something. The kill switch must not stand in its way. */
  worksWhenWritesAreOff?: true
  /** Its answer holds a secret that is told once: it is not kept for a second asking, which has to be refused. */
  toldOnce?: true
  /** What it answers when all is well, by status. */
  responses: Partial<
    Record<200 | 201 | 202, { description: string; schema: z.ZodType; contentType?: string }>
  >
}

export type RouteInput<P, Q, B> = { params: Output<P>; query: Output<Q>; body: Output<B> }

export type Route = Common<Shape, Shape, z.ZodType> & {
  method: 'GET' | 'POST'
  handle(ctx: RouteContext, input: { params: unknown; query: unknown; body: unknown }): Promise<Answer>
}

export const TAGS = {
  Measures: 'The ten measures and their series.',
  Insight: 'Callers, the cost of storage, the summary for the management.',
  Keys: 'Idempotency keys, the locks on them, and holds.',
  Effects: 'Side effects that happened twice, or that no record answers for.',
  Actions: 'What the console does to the outside: intent, approval, result.',
  Messages: 'Outboxes and dead letters: what is unsent, what died, and sending it again.',
  Runs: 'Jobs: staging, reconciliation, collection, bulk actions.',
  Reconciliation: 'Cases that the sides disagree about.',
  Retention: 'Collection of expired records.',
  Alerts: 'What fires and fired, silences, receivers of notifications.',
  Incidents: 'Alerts of one cause, and what people do about them.',
  Audit: 'Who did what, why, chained.',
  Sources: 'Stores, ledgers, providers and processes.',
  Settings: 'The kill switch.',
  Live: 'Server-sent events.',
} as const
export type Tag = keyof typeof TAGS

/** A read. Its handler's input has the types of its schemas. */
export function get<P extends Shape | undefined = undefined, Q extends Shape | undefined = undefined>(
  route: Common<P, Q, undefined> & {
    handle(ctx: RouteContext, input: RouteInput<P, Q, undefined>): Promise<Answer>
  },
): Route {
  return { ...route, method: 'GET' } as unknown as Route
}

/** A mutation: it needs an `Idempotency-Key`, and acts once for each. */
export function post<P extends Shape | undefined = undefined, B extends z.ZodType | undefined = undefined>(
  route: Common<P, undefined, B> & {
    handle(ctx: RouteContext, input: RouteInput<P, undefined, B>): Promise<Answer>
  },
): Route {
  return { ...route, method: 'POST' } as unknown as Route
}

export const ok = (body: unknown): Answer => ({ status: 200, body })
export const created = (body: unknown): Answer => ({ status: 201, body })
export const accepted = (body: unknown): Answer => ({ status: 202, body })
