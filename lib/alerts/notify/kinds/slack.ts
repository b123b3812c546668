import { z } from 'zod'
import { canonicalJson } from '@/lib/core/canonical-json'
import type { Message } from '../message'
import { cut, httpAnswered, kindOf } from './kind'

/** Limits of Block Kit: https://docs.slack.dev/reference/block-kit/blocks */
const HEADER_CHARS_MAX = 150
const SECTION_CHARS_MAX = 3_000
const FIELD_CHARS_MAX = 2_000

export const slackSecret = z.strictObject({ url: z.string() })

/** An incoming webhook of Slack, or of what understands the same. */
export const slack = kindOf({
  secret: slackSecret,
  target: ({ url }) => ({ url }),
  render: (message, { url }) => [
    {
      via: 'http',
      url,
      headers: {},
      body: canonicalJson({ text: fallback(message), blocks: blocks(message) }),
    },
  ],
  // A proxy may answer 200 as well: Slack says "ok".
  answered: (posted) => httpAnswered(posted, (status) => status === 200 && posted.body?.trim() === 'ok'),
})

const fallback = ({ headline, text }: Message): string =>
  cut(escapeText(`${headline}. ${text}`), SECTION_CHARS_MAX)

function blocks(message: Message): unknown[] {
  const links = [
    `<${message.url}|Open in Idemscope>`,
    ...(message.acknowledgeUrl === null ? [] : [`<${message.acknowledgeUrl}|Acknowledge>`]),
  ]
  return [
    { type: 'header', text: { type: 'plain_text', text: cut(message.headline, HEADER_CHARS_MAX) } },
    section(message.text),
    ...(message.facts.length === 0
      ? []
      : [
          {
            type: 'section',
            fields: message.facts.map(({ label, value }) => ({
              type: 'mrkdwn',
              text: cut(`*${escapeText(label)}*\n${escapeText(value)}`, FIELD_CHARS_MAX),
            })),
          },
        ]),
    ...(message.examples.length === 0
      ? []
      : [section(message.examples.map((line) => `• ${line}`).join('\n'))]),
    ...(message.changes.length === 0
      ? []
      : [section(`Just before it:\n${message.changes.map((line) => `• ${line}`).join('\n')}`)]),
    { type: 'section', text: { type: 'mrkdwn', text: links.join('  ·  ') } },
  ]
}

const section = (text: string) => ({
  type: 'section',
  text: { type: 'mrkdwn', text: cut(escapeText(text), SECTION_CHARS_MAX) },
})

/** Three characters are Slack's own: https://docs.slack.dev/messaging/formatting-message-text */
const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
