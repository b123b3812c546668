import { z } from 'zod'
import { CONDITION_KINDS, SEVERITIES } from '@/lib/core/condition-kinds'
import type { Db } from '@/lib/db'
import type { NotificationRoute } from '@/prisma/generated/client'
import { quietSchema } from './quiet'

/** More than these are another tool's work. */
export const ROUTES_MAX = 100

/** A route as the API and the console show it. */
export type RouteView = ReturnType<typeof routeView>

export const routeView = (row: NotificationRoute) => ({
  id: row.id,
  version: row.version,
  receiverId: row.receiverId,
  name: row.name,
  severity: z.enum(SEVERITIES).nullable().parse(row.severity),
  // A kind of another version of the console matches nothing here.
  kinds: CONDITION_KINDS.filter((kind) => row.kinds.includes(kind)),
  systems: row.systems,
  quiet: row.quiet === null ? null : quietSchema.parse(row.quiet),
  intervalMs: row.intervalMs,
  remindMs: row.remindMs,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
})

/** The routes in force, in their order: of a receiver's routes the first that matches decides. */
export async function listRoutes(db: Db): Promise<RouteView[]> {
  const rows = await db.prisma.notificationRoute.findMany({
    where: { endedAt: null, receiver: { removedAt: null } },
    orderBy: { position: 'asc' },
    take: ROUTES_MAX,
  })
  return rows.map(routeView)
}
