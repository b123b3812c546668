import { z } from 'zod'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import { RECEIVER_KINDS } from '@/lib/core/receiver-kinds'
import type { Db } from '@/lib/db'
import type { Prisma } from '@/prisma/generated/client'
import { EVENTS } from './message'

export const DELIVERY_STATES = ['waiting', 'delivered', 'failed', 'silenced'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

export type DeliveryFilter = {
  state?: readonly DeliveryState[] | undefined
  receiver?: string | undefined
  /** An alert that it is about. */
  alert?: string | undefined
}

const cursorShape = z.tuple([z.iso.datetime(), z.string()])

const WITH_TRIES = {
  receiver: { select: { name: true, kind: true } },
  group: { select: { kind: true, system: true, severity: true } },
  tries: { orderBy: { number: 'asc' } },
} satisfies Prisma.DeliveryInclude
type Row = Prisma.DeliveryGetPayload<{ include: typeof WITH_TRIES }>

/** A message, and what became of it. */
export type DeliveryView = ReturnType<typeof deliveryView>

/** Every message to a receiver, newest first: what was sent, and what each try was answered. */
export async function listDeliveries(
  db: Db,
  { state, receiver, alert }: DeliveryFilter,
  page: PageInput,
): Promise<Page<DeliveryView>> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, cursorShape)
  const rows = await db.prisma.delivery.findMany({
    where: {
      ...(state === undefined ? {} : { state: { in: [...state] } }),
      ...(receiver === undefined ? {} : { receiverId: receiver }),
      ...(alert === undefined ? {} : { notifications: { some: { episodeId: alert } } }),
      ...(after === undefined
        ? {}
        : {
            OR: [
              { createdAt: { lt: new Date(after[0]) } },
              { createdAt: new Date(after[0]), id: { gt: after[1] } },
            ],
          }),
    },
    include: WITH_TRIES,
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
    take: page.limit + 1,
  })
  return toPage(rows.map(deliveryView), page.limit, (row) => [row.createdAt, row.id])
}

/** What was said, where it was sent already. */
const messageSchema = z.object({
  headline: z.string().nullable().default(null),
  text: z.string().nullable().default(null),
  count: z.number().nullable().default(null),
  examples: z.array(z.string()).default([]),
})
const resultSchema = z.object({
  status: z.number().nullable().default(null),
  error: z.string().nullable().default(null),
  body: z.string().nullable().default(null),
  durationMs: z.number().nullable().default(null),
})

const deliveryView = (row: Row) => ({
  id: row.id,
  event: z.enum(EVENTS).parse(row.event),
  state: z.enum(DELIVERY_STATES).parse(row.state),
  receiverId: row.receiverId,
  receiver: row.receiver.name,
  receiverKind: z.enum(RECEIVER_KINDS).parse(row.receiver.kind),
  // What another version of the console evaluated may be unknown here.
  kind: z.enum(CONDITION_KINDS).nullable().catch(null).parse(row.group.kind),
  system: row.group.system === '' ? null : row.group.system,
  severity: row.group.severity,
  incident: row.incident,
  dedupeKey: row.dedupeKey,
  message: messageSchema.parse(row.message),
  createdAt: row.createdAt.toISOString(),
  /** Of the next try, while it waits. */
  dueAt: row.state === 'waiting' ? row.dueAt.toISOString() : null,
  finishedAt: row.finishedAt?.toISOString() ?? null,
  tries: row.tries.map(({ at, accepted, result }) => ({
    at: at.toISOString(),
    accepted,
    ...resultSchema.parse(result),
  })),
})
