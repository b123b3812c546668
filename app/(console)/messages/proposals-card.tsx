import { z } from 'zod'
import { Card } from '@/app/_ui/card'
import { PageLink } from '@/app/_ui/page-link'
import type { ActionView } from '@/lib/actions/view'
import { plural } from '@/lib/core/format-figure'
import { type Names, nameIn } from '@/lib/core/names'
import { MESSAGE_ACTION_KINDS } from '@/lib/core/states'
import { CONSUMER_STATES } from '@/lib/messages/dedup/consumer-answer'
import { ProposedChange } from '../_decide/decision'
import { STATE } from './[source]/[place]/consumers-card'
import { VERB } from './act/labels'
import type { MessagesData } from './read-page'

type Props = Pick<MessagesData, 'proposals' | 'me' | 'mayDecide' | 'place' | 'names'> & { people: Names }

/** What waits for a second person: selections, and messages of routes on which money moves. */
export function ProposalsCard({ proposals, ...rest }: Props) {
  if (proposals.length === 0) return null
  return (
    <Card id="proposals" title="Waiting for a second person" aside={`${proposals.length}`}>
      {proposals.map((action) => (
        <Proposal key={action.id} action={action} {...rest} />
      ))}
    </Card>
  )
}

const ofSelection = z.object({ count: z.number(), money: z.number() })
const ofMessage = z.object({
  messageId: z.string().nullable(),
  topic: z.string(),
  seen: z.object({ place: z.string() }),
  payloadHash: z.string().nullable(),
  consumers: z.array(z.object({ group: z.string(), state: z.enum(CONSUMER_STATES) })),
})

function Proposal({
  action,
  people,
  me,
  mayDecide,
  place,
  names,
}: Omit<Props, 'proposals'> & { action: ActionView }) {
  const verb = z.enum(MESSAGE_ACTION_KINDS).parse(action.kind)
  const selection = ofSelection.safeParse(action.evidence)
  const message = ofMessage.safeParse(action.evidence)
  const count = selection.success ? selection.data.count : 1
  const what = `${VERB[verb].name.toLowerCase()} of ${plural(count, 'message')}`
  const facts = selection.success
    ? [
        { label: 'Messages', value: plural(count, 'message') },
        { label: 'Of those, where money moves', value: String(selection.data.money) },
      ]
    : message.success
      ? [
          {
            label: 'Message',
            value: (
              <PageLink
                href={`/messages/${action.source ?? ''}/${encodeURIComponent(message.data.seen.place)}`}
                look="link"
                className="break-all font-mono text-s"
              >
                {message.data.messageId ?? message.data.seen.place}
              </PageLink>
            ),
          },
          { label: 'Topic', value: `${message.data.topic} of ${nameIn(names, action.source ?? '')}` },
          {
            label: 'Consumers',
            value: message.data.consumers
              .map(({ group, state }) => `${group}: ${STATE[state].label}`)
              .join(', '),
          },
          {
            label: 'Content',
            value:
              message.data.payloadHash === null
                ? 'as it was'
                : `changed, ${message.data.payloadHash.slice(0, 12)}`,
          },
        ]
      : []
  return (
    <ProposedChange
      label={`Proposed ${what}`}
      what={what}
      {...{ action, people, me, facts }}
      forbidden={mayDecide}
      approval={{
        opener: `Approve ${verb}`,
        title: `${VERB[verb].name} ${plural(count, 'message')} in ${place}`,
        lead: `${VERB[verb].lead} Each message and the records of its consumers are read again first; what has changed is left as it is.`,
        confirm: `${VERB[verb].name} ${plural(count, 'message')} in ${place}`,
        typed: { label: 'How many', expected: String(count) },
      }}
    />
  )
}
