import { randomInt, randomUUID } from 'node:crypto'
import type { Context } from '@/lib/context'
import type { Tx } from '@/lib/db'

/** No letter that is read as another. */
const CODE_ALPHABET = 'ABCDEFGHJKMNPQRSTVWXYZ23456789'
const CODE_CHARACTERS = 8

/**
 * Sets an account's password and ends its other sessions. While somebody else held what signed it in, its tokens end too:
 * nothing that was made before opens it any more, and the code that confirms its person is shown to it alone.
 */
export async function replaceCredentials(
  tx: Tx,
  ctx: Acting & { endOpenRequests: EndOpenRequests },
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
 * Ends what an account asked for that waits for another person. The app hands it to the verbs that need it: `lib/actions`,
 * where it stands, and this room do not import each other.
 */
export type EndOpenRequests = (tx: Tx, ctx: Acting, userId: string) => Promise<void>

/**
 * Tokens, and what waits for another person: whoever else was in the account may have made them, and they would count as
 * its person's. After the password is written, which a token that is being made holds up.
 */
export async function endWhatWasMade(
  tx: Tx,
  ctx: Acting & { endOpenRequests: EndOpenRequests },
  userId: string,
): Promise<void> {
  const ended = { enabled: false, updatedAt: ctx.clock.now() }
  await tx.apikey.updateMany({ where: { referenceId: userId }, data: ended })
  await ctx.endOpenRequests(tx, ctx, userId)
}

function newCode(): string {
  const letters = Array.from(
    { length: CODE_CHARACTERS },
    () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)],
  )
  return `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`
}
