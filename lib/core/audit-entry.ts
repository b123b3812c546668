import { type Actor, actorId, actorLabel } from './actor'
import { type JsonValue, toJsonValue } from './json-value'

/** Who did what to what, and how it ended. `before` and `after` never hold secrets. */
export type AuditInput = {
  /** e.g. `lock.release`, `run.start`. */
  verb: string
  /** The id of what it was done to. */
  subject: string
  /** e.g. `intent`, `done`, `refused`, `unknown`. */
  outcome: string
  reason?: string | undefined
  before?: unknown
  after?: unknown
}

export type AuditRow = {
  at: Date
  actor: string
  actorId: string | null
  via: string
  verb: string
  subject: string
  outcome: string
  reason: string | null
  before?: JsonValue & object
  after?: JsonValue & object
  requestId: string | null
}

/** The row that an entry becomes. Insert it in the transaction of the change that it tells of. */
export function auditRow(
  ctx: { actor: Actor; clock: { now(): Date }; requestId: string },
  input: AuditInput,
): AuditRow {
  const { actor } = ctx
  return {
    at: ctx.clock.now(),
    actor: actorLabel(actor),
    actorId: actorId(actor),
    via:
      actor.kind === 'system'
        ? `job:${actor.job}`
        : actor.via === 'token'
          ? `token:${actor.tokenId}`
          : actor.via,
    verb: input.verb,
    subject: input.subject,
    outcome: input.outcome,
    reason: input.reason ?? null,
    ...(input.before === undefined ? {} : { before: asObject(input.before) }),
    ...(input.after === undefined ? {} : { after: asObject(input.after) }),
    requestId: ctx.requestId,
  }
}

const asObject = (value: unknown): JsonValue & object => {
  const json = toJsonValue(value)
  return json !== null && typeof json === 'object' ? json : { value: json }
}
