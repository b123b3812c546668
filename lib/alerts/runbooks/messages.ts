import type { Runbook } from './runbook'

export const OUTBOX_LATE: Runbook = {
  id: 'outbox-late',
  title: 'Messages are not published',
  when: 'Messages wait in an outbox for longer than the limit, or no relay is left to publish them.',
  steps: [
    {
      head: 'Does a relay live?',
      text: 'Messages shows the relays of {service} with when each was last seen. None: start one (`npm run relay`, or the service that has it). Nothing is lost meanwhile: what was committed waits.',
      link: { label: 'Open Messages', path: '/messages' },
      command: 'GET /api/v1/messages',
    },
    {
      head: 'Is publishing held back?',
      text: 'A relay reads only below the oldest transaction that has written and is open, of any database of the cluster. Its process, user and begin are named there: end it, or commit the prepared one.',
      link: { label: 'Open Messages', path: '/messages' },
    },
    {
      head: 'Does the broker answer?',
      text: 'A broker that is down costs no message an attempt: the relay backs off to 30 s. The log of the relay between {from} and {to} has its error.',
    },
    {
      head: 'Is it one key?',
      text: 'A message that is refused holds back its own key only, until it is sent or dead: “retried or behind one that is” counts those.',
    },
    {
      head: 'Do not',
      text: 'delete rows of the outbox, or publish them by hand: consumers drop a second delivery only under the same id.',
    },
  ],
}

export const DEAD_MESSAGES: Runbook = {
  id: 'dead-messages',
  title: 'Messages are dead',
  when: 'More messages were given up than the limit.',
  steps: [
    {
      head: 'One cause or many?',
      text: 'Messages groups them by what they died of: error, place in the code and topic. A group that began with a deploy of {service} between {from} and {to} is the deploy.',
      link: { label: 'Open the dead messages', path: '/messages' },
      command: 'GET /api/v1/messages/groups',
    },
    {
      head: 'Mend the cause first.',
      text: 'What is sent again before dies again, and is published behind younger messages of its key.',
    },
    {
      head: 'Send again what no consumer applied.',
      text: 'Each message is checked against the record of each consumer: what was applied everywhere is discarded instead; in progress, unknown, or without a record that is old enough to have expired is refused, with the consumer that says so.',
      link: { label: 'Open the dead messages', path: '/messages' },
      command: 'POST /api/v1/messages/redrive {"filter": {"fingerprint": "…"}, "dryRun": true}',
    },
    {
      head: 'Refused as unknown?',
      text: 'Settle its key first: Locks has it, with what the provider says.',
      link: { label: 'Open the stuck locks', path: '/locks' },
    },
  ],
}
