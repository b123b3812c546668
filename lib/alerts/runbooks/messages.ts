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

export const HELD_BACK: Runbook = {
  id: 'publishing-held-back',
  title: 'An open transaction holds messages back',
  when: 'A transaction that has written is open on the PostgreSQL server of {service}, and messages wait behind it for longer than the limit.',
  steps: [
    {
      head: 'Which one?',
      text: 'Messages names its application, user, database and process, and since when it is open. It may be in any database of the server. A prepared transaction has a name instead of a process.',
      link: { label: 'Open Messages', path: '/messages' },
      command: 'GET /api/v1/messages',
    },
    {
      head: 'Do the relays live?',
      text: 'They do, unless “No relay publishes” fires too: starting more of them changes nothing. A message that commits late must not be passed over, so nothing newer is published before that transaction ends. Nothing is lost.',
    },
    {
      head: 'End it.',
      text: 'Ask its owner first: its work is lost. `SELECT pg_terminate_backend(pid)`; of a prepared one `COMMIT PREPARED` or `ROLLBACK PREPARED`. Publishing goes on within a second.',
    },
    {
      head: 'Why was it open?',
      text: 'A call to another service inside a transaction, a session left idle, a migration, a long import. `idle_in_transaction_session_timeout` ends the next idle one by itself. Everything of {service} that was published since {from} came late.',
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

export const CONSUMER_RETENTION: Runbook = {
  id: 'consumer-retention',
  title: 'Records end before a redelivery may come',
  when: 'A consumer of {service} keeps its records for less time than its broker may deliver a message again.',
  steps: [
    {
      head: 'Which consumer?',
      text: 'Messages names it, with how long it keeps its records and how long a message may come again.',
      link: { label: 'Open Messages', path: '/messages' },
      command: 'GET /api/v1/messages',
    },
    {
      head: 'Keep its records for longer.',
      text: 'Give its tier a TTL of at least the broker’s time, or let the broker keep messages for less. Records that are there keep their own end.',
      link: { label: 'Open the retention', path: '/storage' },
    },
    {
      head: 'Did it happen?',
      text: 'A message that came after its record had ended was applied twice: the duplicate effects between {from} and {to} show it.',
      link: { label: 'Open the duplicate effects', path: '/effects?kind=duplicate' },
    },
    {
      head: 'Is the time wrong?',
      text: 'A consumer’s `redeliveryHorizonMs` in the configuration of its source goes before what the queue says.',
      link: { label: 'Open the sources', path: '/sources' },
    },
  ],
}
