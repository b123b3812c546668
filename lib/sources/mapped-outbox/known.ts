import type { MappedOutboxConfig } from './config'

type Known = {
  library: string
  adapter: 'mapped-outbox' | 'mapped-dead-letters'
  config: Omit<Partial<MappedOutboxConfig>, 'topic'> & {
    topic?: { column: string; prefix?: string } | { literal: string }
  }
}

/** Columns by how they are spelt in their table: `MessageId`, `message_id` and `messageid` are one name. */
type Named = ReadonlyMap<string, string>

const plain = (name: string): string => name.toLowerCase().replaceAll('_', '')
const has = (named: Named, ...names: string[]): boolean => names.every((name) => named.has(name))

/**
 * Pure: which library writes a table of messages with these columns; null = none that we know. The columns are those of
 * CAP (DotNetCore.CAP.PostgreSql, IStorageInitializer), MassTransit (EntityFrameworkCoreIntegration: OutboxMessage, InboxState)
 * and Debezium (outbox event router); then of outboxes that services write by hand.
 */
export function knownMessages(table: string, columns: readonly string[]): Known | null {
  const named = new Map(columns.map((name) => [plain(name), name]))
  for (const look of [cap, massTransitOutbox, massTransitInbox, debezium, byHand]) {
    const found = look(named, table)
    if (found !== null) return found
  }
  return null
}

/** A column that is there. */
const at = (named: Named, name: string): string => named.get(name) ?? name

function cap(named: Named): Known | null {
  if (!has(named, 'id', 'version', 'name', 'content', 'retries', 'added', 'expiresat', 'statusname'))
    return null
  const received = named.has('group')
  const c = (name: string) => at(named, name)
  return {
    library: received ? 'CAP, received' : 'CAP, published',
    adapter: received ? 'mapped-dead-letters' : 'mapped-outbox',
    config: {
      columns: {
        ...{ id: c('id'), payload: c('content'), createdAt: c('added'), attempts: c('retries') },
        ...(received ? { group: c('group') } : {}),
      },
      topic: { column: c('name') },
      headers: { column: c('content'), member: 'Headers' },
      messageId: { header: 'cap-msg-id' },
      errorHeader: 'cap-exception',
      state: {
        kind: 'values',
        column: c('statusname'),
        pending: ['Scheduled', 'Delayed', 'Queued'],
        retrying: ['Failed'],
        sent: ['Succeeded'],
        dead: [],
        discarded: [],
      },
      // FailedRetryCount of CAP’s options.
      deadFromAttempts: 50,
      redrive: { set: { [c('statusname')]: 'Scheduled', [c('retries')]: '0', [c('expiresat')]: null } },
      reasons: {
        discard:
          'CAP has no state for a message that is given up on purpose: it tries it no more, and deletes it once ExpiresAt has passed.',
      },
    },
  }
}

function massTransitOutbox(named: Named): Known | null {
  if (
    !has(
      named,
      'sequencenumber',
      'messageid',
      'messagetype',
      'body',
      'senttime',
      'outboxid',
      'inboxmessageid',
    )
  )
    return null
  const c = (name: string) => at(named, name)
  return {
    library: 'MassTransit, outbox',
    adapter: 'mapped-outbox',
    config: {
      columns: {
        id: c('sequencenumber'),
        type: c('messagetype'),
        payload: c('body'),
        createdAt: c('senttime'),
      },
      messageId: { column: c('messageid') },
      topic: named.has('destinationaddress') ? { column: c('destinationaddress') } : { literal: 'outbox' },
      ...(named.has('headers') ? { headers: { column: c('headers') } } : {}),
      state: { kind: 'deleted' },
      reasons: {
        redrive: 'MassTransit tries an unsent message for ever and deletes what is sent: none is dead.',
        discard:
          'MassTransit sends the rows of an outbox in order under its own lock: one that is taken out is skipped unseen.',
      },
    },
  }
}

function massTransitInbox(named: Named): Known | null {
  if (!has(named, 'messageid', 'consumerid', 'lockid', 'receivecount', 'consumed', 'delivered')) return null
  const c = (name: string) => at(named, name)
  const reason =
    'It is a record of what was received, without the message: redrive from the error queue of the broker.'
  return {
    library: 'MassTransit, inbox',
    adapter: 'mapped-dead-letters',
    config: {
      columns: {
        ...{ id: c('id'), createdAt: c('received'), attempts: c('receivecount'), group: c('consumerid') },
      },
      messageId: { column: c('messageid') },
      topic: { literal: 'inbox' },
      state: { kind: 'marker', sentAt: c('consumed') },
      reasons: { redrive: reason, discard: reason },
    },
  }
}

function debezium(named: Named): Known | null {
  if (!has(named, 'id', 'aggregatetype', 'aggregateid', 'type', 'payload')) return null
  // One that somebody marks is an outbox of a service’s own.
  if (SENT.some((name) => named.has(name))) return null
  const c = (name: string) => at(named, name)
  const reason = 'Debezium publishes what is inserted, from the log: publish it again through the service.'
  return {
    library: 'Debezium outbox event router',
    adapter: 'mapped-outbox',
    config: {
      columns: {
        ...{ id: c('id'), key: c('aggregateid'), type: c('type'), payload: c('payload') },
        ...createdOf(named),
      },
      topic: { column: c('aggregatetype'), prefix: 'outbox.event.' },
      state: { kind: 'unmarked' },
      reasons: { redrive: reason, discard: reason },
    },
  }
}

const SENT = ['publishedat', 'processedat', 'sentat', 'dispatchedat', 'deliveredat']
const IDS = ['id', 'eventid', 'messageid', 'outboxid']
const TYPES = ['eventtype', 'type', 'eventname', 'messagetype', 'name']
const TOPICS = ['topic', 'destination', 'channel', 'aggregatetype', ...TYPES]
const KEYS = ['key', 'messagekey', 'partitionkey', 'aggregateid', 'entityid', 'orderingkey']
const PAYLOADS = ['payload', 'payloadjson', 'eventdata', 'data', 'body', 'content']
const CREATED = ['createdat', 'occurredat', 'recordedat', 'insertedat', 'timestamp']
const ATTEMPTS = ['attempts', 'retrycount', 'attemptcount', 'retries']
const ERRORS = ['lasterror', 'error', 'errormessage', 'failurereason']

const first = (named: Named, names: readonly string[]): string | undefined =>
  names.flatMap((name) => named.get(name) ?? [])[0]

function createdOf(named: Named): { createdAt?: string } {
  const createdAt = first(named, CREATED)
  return createdAt === undefined ? {} : { createdAt }
}

/** `outbox` with a mark of what was sent, `event_log` without one. A name is asked for too: such columns are everywhere. */
function byHand(named: Named, table: string): Known | null {
  const isOutbox = /outbox/i.test(table)
  if (!isOutbox && !/(^|_)events?_?log$|^eventlog$/i.test(table)) return null
  const [id, payload, topic] = [first(named, IDS), first(named, PAYLOADS), first(named, TOPICS)]
  if (id === undefined || payload === undefined || topic === undefined) return null
  const [key, type, attempts, error] = [KEYS, TYPES, ATTEMPTS, ERRORS].map((names) => first(named, names))
  const sentAt = first(named, SENT)
  const failedAt = first(named, ['failedat', 'deadat'])
  // Whether such a log is published from, and by whom, no column says.
  const marked = sentAt !== undefined
  return {
    library: isOutbox ? 'outbox of a service’s own' : 'event log of a service’s own',
    adapter: 'mapped-outbox',
    config: {
      columns: {
        id,
        payload,
        ...(key === undefined ? {} : { key }),
        ...(type === undefined ? {} : { type }),
        ...(attempts === undefined ? {} : { attempts }),
        ...(error === undefined ? {} : { error }),
        ...createdOf(named),
      },
      topic: { column: topic },
      state: marked
        ? { kind: 'marker', sentAt, ...(failedAt === undefined ? {} : { failedAt }) }
        : { kind: 'unmarked' },
      // What a publisher of one’s own looks at, and so what sends a message once more, is known where it has a mark of failure only.
      ...(marked && failedAt !== undefined
        ? {
            redrive: {
              set: { [failedAt]: null, ...(attempts === undefined ? {} : { [attempts]: '0' }) },
            },
          }
        : {}),
    },
  }
}
