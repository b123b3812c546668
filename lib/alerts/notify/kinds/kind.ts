import type { z } from 'zod'
import type { Posted } from '@/lib/outbound/post-json'
import type { Mail, MailServer } from '@/lib/outbound/send-mail'
import type { Message } from '../message'

/** What goes over the wire. */
export type Outgoing =
  | { via: 'http'; url: string; headers: Record<string, string>; body: string }
  | { via: 'smtp'; server: MailServer; mail: Mail }

/** `again` = another try may help; `failed` = it would not. */
export type Answered = 'delivered' | 'again' | 'failed'

/** Where a service is: a URL, or a host of another protocol; `plain` = without TLS. */
export type Target = { url: string } | { host: string; port: number; plain: boolean }

/** A service that can be told of alerts: what it needs, what it is sent, what its answers mean. */
export type Kind<S extends z.ZodType = z.ZodType> = {
  /** What it needs to be reached, all of it sealed. */
  secret: S
  target: (secret: z.output<S>) => Target
  /** One message, as one request or several that are sent in order. Pure. */
  render: (message: Message, secret: z.output<S>) => Outgoing[]
  answered: (posted: Posted) => Answered
  /** It shows an incident as open until it is told that it is over. */
  keepsState?: true
}

/** Keeps the types of a kind together; the table forgets them. */
export const kindOf = <S extends z.ZodType>(kind: Kind<S>): Kind => kind as unknown as Kind

/** HTTP: a redirect is not followed, and a 4xx is about what we send; too early, too many and too slow pass. */
export function httpAnswered(
  { status, kind }: Posted,
  delivered = (code: number) => code >= 200 && code < 300,
): Answered {
  if (kind === 'refused') return 'failed'
  if (status === null) return 'again'
  if (delivered(status)) return 'delivered'
  return status >= 500 || [408, 425, 429].includes(status) ? 'again' : 'failed'
}

/** At most so many characters; what was cut ends with an ellipsis. Never half a character. */
export function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  const start = text.slice(0, charsMax - 1)
  return `${/[\uD800-\uDBFF]$/.test(start) ? start.slice(0, -1) : start}…`
}

/** A base URL that a person entered, with a path of the service behind it. */
export const pathOn = (base: string, path: string): string => `${base.replace(/\/+$/, '')}${path}`
