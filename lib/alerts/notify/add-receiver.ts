import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { reasonSchema } from '@/lib/core/reason'
import { env } from '@/lib/env'
import { checkHost, checkUrl } from '@/lib/outbound/check-url'
import { sealSecret } from '@/lib/sources/credentials'
import { alertmanagerSecret } from './kinds/alertmanager'
import { emailSecret } from './kinds/email'
import type { Target } from './kinds/kind'
import { opsgenieSecret } from './kinds/opsgenie'
import { pagerdutySecret } from './kinds/pagerduty'
import { slackSecret } from './kinds/slack'
import { KINDS } from './kinds/table'
import { newSigningSecret } from './kinds/webhook'
import { RECEIVERS_MAX, type ReceiverView, receiverView } from './receivers'

const common = {
  name: z.string().trim().min(1).max(60),
  paging: z
    .boolean()
    .default(false)
    .describe('It wakes somebody: what it delivers of duplicates counts for M10'),
  reason: reasonSchema,
}
const url = z.string().trim().min(1).max(2_000).describe('Sealed when it is saved, never given back')

/** What a receiver of each kind is made of; without a kind it is a webhook. Its secrets are sealed when it is saved. */
export const addReceiverSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('webhook').optional(), ...common, url }),
  z.strictObject({ kind: z.literal('slack'), ...common, ...slackSecret.shape, url }),
  z.strictObject({ kind: z.literal('pagerduty'), ...common, ...pagerdutySecret.shape }),
  z.strictObject({ kind: z.literal('opsgenie'), ...common, ...opsgenieSecret.shape }),
  z.strictObject({ kind: z.literal('alertmanager'), ...common, ...alertmanagerSecret.shape, url }),
  z.strictObject({ kind: z.literal('email'), ...common, ...emailSecret.shape }),
])

/** `signingSecret` is told this once, and kept sealed; null = messages of this kind are not signed. */
export type AddedReceiver = ReceiverView & { signingSecret: string | null }

/** Tells another receiver from now on. What leads to an address of ours that no setting allows is refused. */
export async function addReceiver(
  ctx: Context,
  raw: z.input<typeof addReceiverSchema>,
): Promise<AddedReceiver> {
  authorise(ctx, 'receiver.manage')
  const { kind = 'webhook', name, paging, reason, ...given } = addReceiverSchema.parse(raw)
  const signingSecret = kind === 'webhook' ? newSigningSecret() : null
  const secret = KINDS[kind].secret.parse(signingSecret === null ? given : { ...given, signingSecret })
  const host = await hostOf(KINDS[kind].target(secret))
  const id = newId('rcv')
  const after = { kind, name, host, paging }
  const sealed = sealSecret(credentialsKey(), id, secret)
  return ctx.db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('alerts.receiver', 0))`
    const held = await tx.receiver.findMany({ where: { removedAt: null }, select: { name: true } })
    if (held.length >= RECEIVERS_MAX)
      throw new AppError('unprocessable', `There are ${RECEIVERS_MAX} receivers: remove one first.`)
    if (held.some((other) => other.name === name))
      throw new AppError('conflict', `There is a receiver ${name} already.`)
    const row = await tx.receiver.create({
      data: {
        id,
        ...after,
        secret: sealed,
        createdBy: ctx.actor.kind === 'user' ? ctx.actor.userId : ctx.actor.job,
        createdAt: ctx.clock.now(),
      },
    })
    await append(tx, ctx, { verb: 'receiver.add', subject: id, outcome: 'done', reason, after })
    return { ...receiverView(row), signingSecret }
  })
}

/** All that is shown of where a receiver is. Throws `unprocessable` for what may not be reached. */
async function hostOf(target: Target): Promise<string> {
  credentialsKey()
  const { IDEMSCOPE_OUTBOUND_ALLOW: allow } = env()
  const checking =
    'url' in target
      ? checkUrl(target.url, allow).then((checked) => ({ inner: false, ...checked }))
      : checkHost(target.host, allow)
  const checked = await checking.catch((cause: unknown) => {
    const what = 'url' in target ? 'The host of the URL' : `The host ${target.host}`
    throw new AppError('unprocessable', `${what} cannot be resolved.`, { cause })
  })
  if (checked.kind === 'refused') throw new AppError('unprocessable', checked.why)
  if ('url' in target) return new URL(target.url).host
  if (target.plain && !checked.inner)
    throw new AppError('unprocessable', `${target.host} is outside: it must be TLS.`)
  return `${target.host}:${target.port}`
}

function credentialsKey(): string {
  const { IDEMSCOPE_CREDENTIALS_KEY: key } = env()
  if (key === undefined)
    throw new AppError('invalid', 'IDEMSCOPE_CREDENTIALS_KEY is not set: the receiver cannot be sealed.')
  return key
}
