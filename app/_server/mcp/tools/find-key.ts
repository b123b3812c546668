import { z } from 'zod'
import { KEY_STATE_LABEL } from '@/app/_ui/key-state-label'
import { redactText, redactUrls } from '@/lib/core/redact'
import type { KeyView } from '@/lib/keys/list-keys'
import { text } from '../../api/inputs'
import { findMatches } from '../../find'
import type { Item } from '../compose'
import { quote } from '../quote'
import { tool } from '../tool'
import { caseItem } from './describe-case'

export const findKey = tool({
  name: 'find_key',
  title: 'Find a key',
  description:
    'What a text names: an idempotency key or how it begins (three characters or more), a business reference, a trace id (32 hex digits), or a provider’s id (ch_…, re_…, pi_…). Answers keys as last staged, traces and cases.',
  input: z.strictObject({
    text: text.describe('The key, reference, trace id or provider’s id, without quotes'),
  }),
  async read(ctx, input) {
    const { keys, moreKeys, traces, cases, moreCases, timedOut } = await findMatches(ctx, input.text)
    const path = isSecret(input.text) ? '/keys' : `/keys?${new URLSearchParams({ key: input.text })}`
    return {
      title: 'Find a key',
      path,
      lines: [
        `Searched for ${quote(input.text)}.`,
        ...(timedOut
          ? ['Not everything was searched in time: nothing found is no proof. Ask for the whole key.']
          : []),
      ],
      data: { timedOut },
      sections: [
        {
          name: 'keys',
          heading: 'Keys',
          items: keys.map((key) => keyItem(key, ctx.origin)),
          uncounted: moreKeys,
          path,
        },
        {
          name: 'traces',
          heading: 'Traces',
          items: traces.map(({ traceId, service, name, spans }) => ({
            text: `${quote(service)} ${quote(name)}, ${spans} spans. ${ctx.origin}/traces/${traceId}`,
            data: { traceId, service, spans },
          })),
          path: '/traces',
        },
        {
          name: 'cases',
          heading: 'Cases of this reference',
          items: cases.map((each) => caseItem(each, ctx.origin)),
          uncounted: moreCases,
          path: '/reconciliation',
        },
      ],
    }
  },
})

/** A key that looks like a credential is not shown; its id, which has it inside, is not either. */
const isSecret = (key: string): boolean => redactUrls(redactText(key)) !== key

function keyItem(key: KeyView, origin: string): Item {
  const shown = isSecret(key.key) ? null : `/keys/${key.id}`
  const facts = [
    KEY_STATE_LABEL[key.state],
    ...(key.attempts === null ? [] : [`attempt ${key.attempts}`]),
    ...(key.status === null ? [] : [`answered ${key.status}`]),
    ...(key.reference === null ? [] : [`reference ${quote(key.reference)}`]),
    `made ${key.createdAt}`,
  ]
  const link = shown === null ? '' : ` ${origin}${shown}`
  return {
    text: `${quote(key.key)} of ${quote(key.scope)}: ${facts.join(', ')}.${link}`,
    data: {
      ...(shown === null ? {} : { id: key.id }),
      key: key.key,
      scope: key.scope,
      state: key.state,
      status: key.status,
      reference: key.reference,
    },
  }
}
