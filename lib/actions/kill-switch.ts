import { z } from 'zod'
import { assertStillIn } from '@/lib/assert-still-in'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { roleAllows } from '@/lib/core/permissions'
import { reasonSchema } from '@/lib/core/reason'
import type { Db, Tx } from '@/lib/db'
import { notify } from '@/lib/live-events'
import { approvalExpiresAt, assertPersonMay, assertTwoPeople, readStanding } from './approval'

const KEY = 'kill_switch'

/** An approver who wants writes on again; it takes a second one. */
const requestSchema = z.object({
  by: z.string(),
  byId: z.string(),
  reason: z.string(),
  at: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
})
const valueSchema = z.object({
  on: z.boolean(),
  reason: z.string(),
  by: z.string(),
  at: z.iso.datetime(),
  pending: requestSchema.nullable().default(null),
})
type Value = z.infer<typeof valueSchema>

export type KillSwitch = {
  on: boolean
  reason: string | null
  by: string | null
  at: string | null
  /** Who asks for writes to be switched on again, until when a second approver can agree. */
  pending: z.infer<typeof requestSchema> | null
  version: number
}

const inputSchema = z.object({ on: z.boolean(), reason: reasonSchema })

const prismaOf = (dbOrTx: Db | Tx): Pick<Tx, 'setting'> => ('prisma' in dbOrTx ? dbOrTx.prisma : dbOrTx)

export async function readKillSwitch(dbOrTx: Db | Tx): Promise<KillSwitch> {
  const row = await prismaOf(dbOrTx).setting.findUnique({ where: { key: KEY } })
  if (row === null) return { on: false, reason: null, by: null, at: null, pending: null, version: 0 }
  return { ...valueSchema.parse(row.value), version: row.version }
}

/** Read again immediately before every call to the outside: who switched writes off and why; null = they are on. */
export async function writesOff(dbOrTx: Db | Tx): Promise<AppError | null> {
  const { on, reason, by, at } = await readKillSwitch(dbOrTx)
  if (!on) return null
  return new AppError('kill_switch', `${by} switched all writes off: ${reason}`, { meta: { by, since: at } })
}

/** Throws `kill_switch`. */
export async function assertWritesEnabled(dbOrTx: Db | Tx): Promise<void> {
  const off = await writesOff(dbOrTx)
  if (off !== null) throw off
}

/**
 * Switching writes off takes one person, and works always. Switching them on takes an administrator, or two approvers
 * who are two people: the first asks, the second agrees within 15 minutes.
 */
export async function setKillSwitch(ctx: Context, raw: z.input<typeof inputSchema>): Promise<KillSwitch> {
  authorise(ctx, 'kill_switch.set')
  const { on, reason } = inputSchema.parse(raw)
  // Looked up before the transaction: many who ask at once would wait in it for each other's connections.
  const seen = on ? null : await readKillSwitch(ctx.db)
  const pending = seen?.on === true ? await askOrAgree(ctx, seen, reason) : null
  return ctx.db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('idemscope.kill_switch', 0))`
    const before = await readKillSwitch(tx)
    const at = ctx.clock.now().toISOString()
    const switched: Value = { on, reason, by: actorLabel(ctx.actor), at, pending: null }
    if (on || !before.on) return write(tx, ctx, before, switched, on ? 'on' : 'off')
    if (before.version !== seen?.version)
      throw new AppError('conflict', 'The switch was changed meanwhile: look at it again.')
    if (pending === null) return write(tx, ctx, before, switched, 'off')
    const { by, at: since, reason: why } = valueSchema.parse(before)
    return write(tx, ctx, before, { on: true, reason: why, by, at: since, pending }, 'proposed')
  })
}

/** Null = this person's word is enough now; else what they ask for. */
async function askOrAgree(ctx: Context, before: KillSwitch, reason: string): Promise<KillSwitch['pending']> {
  const { userId: byId, role } = await assertPersonMay(ctx, 'kill_switch.set')
  if (roleAllows(role, 'user.manage')) return null
  const now = ctx.clock.now()
  const { pending } = before
  if (pending !== null && new Date(pending.expiresAt) > now && (await maySwitch(ctx.db, pending.byId))) {
    if (pending.byId === byId)
      throw new AppError(
        'conflict',
        'You have asked already: another approver, or an administrator, has to agree.',
      )
    await assertTwoPeople(ctx.db, pending.byId, byId)
    await assertStillIn(ctx.db.prisma, ctx.actor)
    return null
  }
  const expiresAt = approvalExpiresAt(now).toISOString()
  return { by: actorLabel(ctx.actor), byId, reason, at: now.toISOString(), expiresAt }
}

/** Ends an account's request to switch writes on, if one waits. */
export async function endRequestToSwitchOn(tx: Tx, now: Date, userId: string): Promise<void> {
  await tx.$executeRaw`
    UPDATE setting SET value = jsonb_set(value, '{pending}', 'null'), version = version + 1, updated_at = ${now}
    WHERE key = ${KEY} AND value->'pending'->>'byId' = ${userId}`
}

/** Who asked, and was locked out or lowered since, is no second approver. */
async function maySwitch(db: Db, userId: string): Promise<boolean> {
  const { banned, roles } = await readStanding(db, userId)
  return !banned && roles.every((role) => roleAllows(role, 'kill_switch.set'))
}

async function write(
  tx: Tx,
  ctx: Context,
  before: KillSwitch,
  value: Value,
  outcome: 'on' | 'off' | 'proposed',
): Promise<KillSwitch> {
  const stamp = { updatedAt: ctx.clock.now(), updatedBy: actorLabel(ctx.actor) }
  const row = await tx.setting.upsert({
    where: { key: KEY },
    create: { key: KEY, value, ...stamp },
    update: { value, version: { increment: 1 }, ...stamp },
  })
  const { reason } = value.pending ?? value
  await append(tx, ctx, { verb: 'kill_switch.set', subject: KEY, outcome, reason, before, after: value })
  await notify(tx, { kind: 'kill_switch' })
  return { ...value, version: row.version }
}
