import { z } from 'zod'

/** What an operator can hold in one store. */
export const HOLD_KINDS = ['route', 'caller', 'step', 'key', 'store'] as const
export type HoldKind = (typeof HOLD_KINDS)[number]

/** A hold ends by itself after this long, unless it says otherwise. */
export const HOLD_MINUTES_DEFAULT = 30
export const HOLD_MINUTES_MAX = 24 * 60
/** As the store keeps it. */
export const HOLD_REASON_MAX = 500

const route = z.string().regex(/^[A-Z]+ \/\S{0,300}$/, 'a method and a route, like POST /v1/payments')

export const holdTargetSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('route'), route }),
  z.strictObject({
    kind: z.literal('caller'),
    caller: z.string().regex(/^[^/\s]{1,128}$/, 'the caller part of a scope: no slash, no space'),
  }),
  z.strictObject({
    kind: z.literal('step'),
    step: z.string().regex(/^[\x21-\x7e]{1,100}$/, 'the name of a step, without spaces'),
    route: route.nullable().default(null).describe('Only there; null = on every route'),
  }),
  z.strictObject({
    kind: z.literal('key'),
    scope: z.string().min(1).max(512),
    key: z.string().min(1).max(255),
  }),
  z.strictObject({ kind: z.literal('store') }),
])
export type HoldTarget = z.output<typeof holdTargetSchema>

/** "POST /v1/payments", "step charge of POST /v1/payments". */
export function holdText(target: HoldTarget): string {
  switch (target.kind) {
    case 'route':
      return target.route
    case 'caller':
      return `caller ${target.caller}`
    case 'step':
      return target.route === null ? `step ${target.step}` : `step ${target.step} of ${target.route}`
    case 'key':
      return `key ${target.key} of ${target.scope}`
    case 'store':
      return 'the whole store'
  }
}
