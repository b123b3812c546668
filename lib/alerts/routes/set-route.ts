import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { toJsonObject } from '@/lib/core/json-value'
import { reasonSchema } from '@/lib/core/reason'
import type { Tx } from '@/lib/db'
import { Prisma } from '@/prisma/generated/client'
import { INTERVAL_MS, REMIND_MS } from '../notify/timing'
import { ROUTES_MAX, type RouteView, routeView } from './list'
import { quietSchema } from './quiet'

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export const routeTermsSchema = z.strictObject({
  name: z.string().trim().min(1).max(60),
  severity: z.enum(SEVERITIES).nullable().default(null).describe('null = both'),
  kinds: z
    .array(z.enum(CONDITION_KINDS, `one of ${CONDITION_KINDS.join(', ')}`))
    .max(CONDITION_KINDS.length)
    .default([])
    .describe('None = all'),
  systems: z.array(z.string().trim().min(1).max(200)).max(50).default([]).describe('None = all'),
  quiet: quietSchema.nullable().default(null).describe('Hours in which it holds back; null = none'),
  intervalMs: z
    .int()
    .min(10 * SECOND_MS)
    .max(DAY_MS)
    .default(INTERVAL_MS)
    .describe('At most one message of a group in this time'),
  remindMs: z
    .int()
    .min(5 * 60 * SECOND_MS)
    .max(7 * DAY_MS)
    .nullable()
    .default(REMIND_MS)
    .describe('How often what nobody acknowledged is repeated; null = never'),
})
type RouteTerms = z.output<typeof routeTermsSchema>

export const addRouteSchema = routeTermsSchema.extend({
  receiverId: z.string().max(64),
  reason: reasonSchema,
})
export const changeRouteSchema = routeTermsSchema.extend({
  version: z.int().min(1).describe('The one that was looked at: 409 when another is in force'),
  reason: reasonSchema,
})

/** Sends some alerts to a receiver from now on. Its first route takes the place of "everything". */
export async function addRoute(ctx: Context, raw: z.input<typeof addRouteSchema>): Promise<RouteView> {
  authorise(ctx, 'receiver.manage')
  const { receiverId, reason, ...terms } = addRouteSchema.parse(raw)
  return ctx.db.prisma.$transaction(async (tx) => {
    await lockRoutes(tx)
    const receiver = await tx.receiver.findFirst({ where: { id: receiverId, removedAt: null } })
    if (receiver === null) throw new AppError('not_found', `There is no receiver ${receiverId}.`)
    const held = await tx.notificationRoute.findMany({ where: { endedAt: null } })
    if (held.length >= ROUTES_MAX)
      throw new AppError('unprocessable', `There are ${ROUTES_MAX} routes: remove one first.`)
    refuseNameTwice(held, terms.name)
    const position = Math.max(0, ...held.map((route) => route.position)) + 1
    return write(tx, ctx, { id: newId('rte'), version: 1, receiverId, position, terms, reason, before: null })
  })
}

/** Another version of a route takes the place of the one that was looked at. Alerts that fire are not told anew. */
export async function changeRoute(
  ctx: Context,
  id: string,
  raw: z.input<typeof changeRouteSchema>,
): Promise<RouteView> {
  authorise(ctx, 'receiver.manage')
  const { version, reason, ...terms } = changeRouteSchema.parse(raw)
  return ctx.db.prisma.$transaction(async (tx) => {
    await lockRoutes(tx)
    const row = await end(tx, ctx, id, version)
    const others = await tx.notificationRoute.findMany({ where: { endedAt: null } })
    refuseNameTwice(others, terms.name)
    const { receiverId, position } = row
    return write(tx, ctx, {
      id,
      version: row.version + 1,
      receiverId,
      position,
      terms,
      reason,
      before: routeView(row),
    })
  })
}

export const removeRouteSchema = z.strictObject({ version: z.int().min(1), reason: reasonSchema })

/** Ends a route. A receiver without any is told of everything again. What it was told is told to the end. */
export async function removeRoute(
  ctx: Context,
  id: string,
  raw: z.input<typeof removeRouteSchema>,
): Promise<RouteView> {
  authorise(ctx, 'receiver.manage')
  const { version, reason } = removeRouteSchema.parse(raw)
  return ctx.db.prisma.$transaction(async (tx) => {
    await lockRoutes(tx)
    const before = routeView(await end(tx, ctx, id, version))
    await append(tx, ctx, { verb: 'route.remove', subject: id, outcome: 'done', reason, before })
    return before
  })
}

const lockRoutes = (tx: Tx) =>
  tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('alerts.route', 0))`

async function end(tx: Tx, ctx: Context, id: string, version: number) {
  const [row] = await tx.notificationRoute.updateManyAndReturn({
    where: { id, version, endedAt: null },
    data: { endedAt: ctx.clock.now() },
  })
  if (row !== undefined) return row
  const current = await tx.notificationRoute.findFirst({ where: { id, endedAt: null } })
  if (current === null) throw new AppError('not_found', `There is no route ${id}.`)
  throw new AppError('conflict', `Version ${current.version} of the route is in force by now.`, {
    meta: { reason: 'stale_version', current: routeView(current) },
  })
}

function refuseNameTwice(held: readonly { name: string }[], name: string): void {
  if (held.some((other) => other.name === name))
    throw new AppError('conflict', `There is a route ${name} already.`)
}

type Written = {
  id: string
  version: number
  receiverId: string
  position: number
  terms: RouteTerms
  reason: string
  before: RouteView | null
}

async function write(tx: Tx, ctx: Context, written: Written): Promise<RouteView> {
  const { id, version, receiverId, position, terms, reason, before } = written
  const row = await tx.notificationRoute.create({
    data: {
      ...terms,
      id,
      version,
      receiverId,
      position,
      quiet: terms.quiet === null ? Prisma.DbNull : toJsonObject(terms.quiet),
      createdBy: ctx.actor.kind === 'user' ? ctx.actor.userId : actorLabel(ctx.actor),
      createdAt: ctx.clock.now(),
    },
  })
  const after = routeView(row)
  await append(tx, ctx, {
    verb: before === null ? 'route.add' : 'route.change',
    subject: id,
    outcome: 'done',
    reason,
    ...(before === null ? {} : { before }),
    after,
  })
  return after
}
