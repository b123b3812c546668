import { z } from 'zod'
import type { Posted } from '@/lib/outbound/post-json'
import type { Message } from '../message'
import { type Answered, cut, kindOf } from './kind'

const RECIPIENTS_MAX = 20
const SUBJECT_CHARS_MAX = 200

export const emailSecret = z.strictObject({
  host: z.string().trim().min(1).max(253),
  port: z.coerce.number().int().min(1).max(65_535).default(587),
  security: z.enum(['starttls', 'tls', 'none']).default('starttls'),
  username: z.string().trim().max(200).optional(),
  password: z.string().max(500).optional(),
  from: z.email(),
  to: z.array(z.email()).min(1).max(RECIPIENTS_MAX),
})

/** An SMTP server, and who is written to. */
export const email = kindOf({
  secret: emailSecret,
  target: ({ host, port, security }) => ({ host, port, plain: security === 'none' }),
  render: (message, { from, to, ...server }) => [
    {
      via: 'smtp',
      server,
      mail: {
        from,
        to,
        subject: cut(message.headline, SUBJECT_CHARS_MAX),
        text: textOf(message),
        messageId: idIn(from, message.dedupeKey),
        // Mail of one incident stands together.
        ...(message.event === 'raised' || message.event === 'test'
          ? {}
          : { inReplyTo: idIn(from, message.replaces ?? message.incident) }),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Idemscope-Incident': message.incident },
      },
    },
  ],
  answered: mailAnswered,
})

/** SMTP: a 4xx passes, a 5xx does not. */
function mailAnswered({ status, kind }: Posted): Answered {
  if (kind === 'refused') return 'failed'
  if (status === null) return 'again'
  if (status >= 200 && status < 300) return 'delivered'
  return status >= 400 && status < 500 ? 'again' : 'failed'
}

/** A Message-ID in the domain that it comes from. */
const idIn = (from: string, id: string): string =>
  `<${id.replaceAll(/[^\w.-]/g, '.')}@${from.slice(from.lastIndexOf('@') + 1)}>`

function textOf(message: Message): string {
  const facts = message.facts.map(({ label, value }) => `${label}: ${value}`)
  const examples = message.examples.map((line) => `- ${line}`)
  const changes =
    message.changes.length === 0 ? [] : ['Just before it:', ...message.changes.map((line) => `- ${line}`)]
  const links = [
    `Open: ${message.url}`,
    ...(message.acknowledgeUrl === null ? [] : [`Acknowledge: ${message.acknowledgeUrl}`]),
  ]
  const parts = [[message.text], facts, examples, changes, links]
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}
