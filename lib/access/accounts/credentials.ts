import { randomInt, randomUUID } from 'node:crypto'
import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import type { Tx } from '@/lib/db'
import { notify } from '@/lib/live-events'

/** No letter that is read as another. */
const CODE_ALPHABET = 'ABCDEFGHJKMNPQRSTVWXYZ23456789'
const CODE_CHARACTERS = 8

/**
 * Sets an account's password and ends its other sessions. While somebody else held what signed it in, its tokens end too:
 * nothing that was made before opens it any more, and the code that confirms its person is shown to it alone.
 */
export async function replaceCredentials(
  tx: Tx,
  ctx: Acting,
  user: { id: string },
  given: { hashedPassword: string; now: Date; keepSessionId?: string },
): Promise<void> {
  const { hashedPassword, now, keepSessionId } = given
  const password = { password: hashedPassword, updatedAt: now }
  const changed = await tx.account.updateMany({
    where: { userId: user.id, providerId: 'credential' },
    data: password,
  })
  if (changed.count === 0) {
    await tx.account.create({
      data: {
        ...password,
        id: randomUUID(),
        accountId: user.id,
        providerId: 'credential',
        userId: user.id,
        createdAt: now,
      },
    })
  }
  await tx.session.deleteMany({
    where: { userId: user.id, ...(keepSessionId === undefined ? {} : { id: { not: keepSessionId } }) },
  })
  const held = await tx.principalLink.count({ where: { principalId: user.id, holds: true } })
  if (held > 0) await endWhatWasMade(tx, ctx, user.id)
  await tx.user.update({
    where: { id: user.id },
    data: { confirmCode: held > 0 ? newCode() : null, updatedAt: now },
  })
}

type Acting = Pick<Context, 'actor' | 'clock' | 'requestId'>

/**
 * Tokens, and proposals that wait: whoever else was in the account may have made them, and they would count as its
 * person's. After the password is written, which a token that is being made holds up.
 */
export async function endWhatWasMade(tx: Tx, ctx: Acting, userId: string): Promise<void> {
  const now = ctx.clock.now()
  await tx.apikey.updateMany({ where: { referenceId: userId }, data: { enabled: false, updatedAt: now } })
  const result = { reason: 'The account that proposed it was taken over by its person.' }
  const ended = await tx.action.updateManyAndReturn({
    where: { proposerId: userId, state: 'proposed' },
    data: { state: 'rejected', finishedAt: now, result, version: { increment: 1 } },
    select: { id: true },
  })
  // That writes be switched on again was asked for, too.
  await tx.$executeRaw`
    UPDATE setting SET value = jsonb_set(value, '{pending}', 'null'), version = version + 1, updated_at = ${now}
    WHERE key = 'kill_switch' AND value->'pending'->>'byId' = ${userId}`
  for (const { id } of ended) {
    await notify(tx, { kind: 'action', id })
    const entry = { verb: 'action.end', subject: id, outcome: 'rejected', reason: result.reason }
    await tx.auditEntry.create({ data: auditRow(ctx, entry) })
  }
}

function newCode(): string {
  const letters = Array.from(
    { length: CODE_CHARACTERS },
    () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)],
  )
  return `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`
}
