import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { Db, Tx } from '@/lib/db'

const KEY = 'kill_switch'

const valueSchema = z.object({ on: z.boolean(), reason: z.string(), by: z.string(), at: z.iso.datetime() })
export type KillSwitch = {
  on: boolean
  reason: string | null
  by: string | null
  at: string | null
  version: number
}

const inputSchema = z.object({ on: z.boolean(), reason: reasonSchema })

const prismaOf = (dbOrTx: Db | Tx): Pick<Tx, 'setting'> => ('prisma' in dbOrTx ? dbOrTx.prisma : dbOrTx)

export async function readKillSwitch(dbOrTx: Db | Tx): Promise<KillSwitch> {
  const row = await prismaOf(dbOrTx).setting.findUnique({ where: { key: KEY } })
  if (row === null) return { on: false, reason: null, by: null, at: null, version: 0 }
  return { ...valueSchema.parse(row.value), version: row.version }
}

/** Called again immediately before every write to the outside. Throws `kill_switch`. */
export async function assertWritesEnabled(dbOrTx: Db | Tx): Promise<void> {
  const { on, reason, by, at } = await readKillSwitch(dbOrTx)
  if (on)
    throw new AppError('kill_switch', `${by} switched all writes off: ${reason}`, { meta: { by, since: at } })
}

export async function setKillSwitch(ctx: Context, raw: z.input<typeof inputSchema>): Promise<KillSwitch> {
  authorise(ctx, 'kill_switch.set')
  const { on, reason } = inputSchema.parse(raw)
  const now = ctx.clock.now()
  const value = { on, reason, by: actorLabel(ctx.actor), at: now.toISOString() }
  return ctx.db.prisma.$transaction(async (tx) => {
    const before = await readKillSwitch(tx)
    const row = await tx.setting.upsert({
      where: { key: KEY },
      create: { key: KEY, value, updatedAt: now, updatedBy: value.by },
      update: { value, version: { increment: 1 }, updatedAt: now, updatedBy: value.by },
    })
    await append(tx, ctx, {
      verb: 'kill_switch.set',
      subject: KEY,
      outcome: on ? 'on' : 'off',
      reason,
      before,
      after: value,
    })
    await tx.$executeRaw`SELECT pg_notify('idemscope', '{"kind":"kill_switch"}')`
    return { ...value, version: row.version }
  })
}
