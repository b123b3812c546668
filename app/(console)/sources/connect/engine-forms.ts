import type { EngineName } from '@/lib/sources/engines'

/** `open`: it says no secret, and is shown while it is typed. */
type SecretField = {
  name: string
  label: string
  placeholder: string
  hint: string
  optional?: true
  open?: true
}

type EngineForm = {
  label: string
  /** What its address takes; sealed as a whole when the source is connected. */
  fields: readonly SecretField[]
  search: string
  /** What its keys are kept in, and as. */
  noun: { place: string; row: string }
  nothing: { title: string; text: string }
  /** Where the text that grants the rights is run. */
  grants: string
}

const AWS_KEY: readonly SecretField[] = [
  {
    name: 'accessKeyId',
    label: 'Access key id',
    placeholder: 'AKIA…',
    hint: 'Left empty, the role is used that the console’s processes run under.',
    optional: true,
    open: true,
  },
  {
    name: 'secretAccessKey',
    label: 'Secret access key',
    placeholder: '…',
    hint: 'It is sealed when you connect, and never shown again.',
    optional: true,
  },
]

/** What a person enters to look at a store or a broker, by its engine. */
export const ENGINE_FORMS: Record<EngineName, EngineForm> = {
  postgresql: {
    label: 'PostgreSQL',
    fields: [
      {
        name: 'url',
        label: 'Connection URL',
        placeholder: 'postgres://idemscope_source:…@db/payments',
        hint: 'With a role of its own that may read. It is sealed when you connect, and never shown again.',
      },
    ],
    search: 'Look for tables of keys and messages',
    noun: { place: 'table', row: 'row' },
    nothing: {
      title: 'No table that we know by its columns',
      text: 'The role may not see its schema, or the library is another one: map any table with the adapter mapped-postgres, as docs/guides/foreign-stores.md says, or mapped-outbox, as docs/guides/messages.md says.',
    },
    grants: 'run it in the store’s database',
  },
  dynamodb: {
    label: 'DynamoDB',
    fields: [
      { name: 'region', label: 'Region', placeholder: 'eu-west-1', hint: 'Where the table is.', open: true },
      {
        name: 'table',
        label: 'Table',
        placeholder: 'payments-idempotency',
        hint: 'Left empty, a few items of each table that the role may list are looked at.',
        optional: true,
        open: true,
      },
      ...AWS_KEY,
      {
        name: 'endpoint',
        label: 'Endpoint',
        placeholder: 'https://vpce-….dynamodb.eu-west-1.vpce.amazonaws.com',
        hint: 'Only for a VPC endpoint or an emulator.',
        optional: true,
        open: true,
      },
    ],
    search: 'Look for idempotency tables',
    noun: { place: 'table', row: 'item' },
    nothing: {
      title: 'No table whose items we know by their attributes',
      text: 'The role may not list or scan it, it is empty, or its attributes have other names: map any table with the adapter dynamodb and the layout mapped, as docs/guides/foreign-dynamodb.md says.',
    },
    grants: 'attach it to the role, with its region and account',
  },
  hybrid: {
    label: 'PostgreSQL with a Redis cache',
    fields: [
      {
        name: 'url',
        label: 'Connection URL of PostgreSQL',
        placeholder: 'postgres://idemscope_source:…@db/payments',
        hint: 'It decides: its tables are read, and acted on. It is sealed when you connect, and never shown again.',
      },
      {
        name: 'cacheUrl',
        label: 'Connection URL of the cache',
        placeholder: 'rediss://idemscope_source:…@redis:6379/0',
        hint: 'The Redis that createHybridStore was given. Before a key is changed it is asked whether it still answers that key.',
      },
    ],
    search: 'Look for idempotency tables',
    noun: { place: 'table', row: 'row' },
    nothing: {
      title: 'No tables of the Idemscope SDK',
      text: 'The role may not see their schema, or the service has not called migrate() yet.',
    },
    grants: 'run it in the store’s database, and its last line in the cache',
  },
  redis: {
    label: 'Redis or Valkey',
    fields: [
      {
        name: 'url',
        label: 'Connection URL',
        placeholder: 'rediss://idemscope_source:…@redis:6379/0',
        hint: 'Of the primary: what is acted on is read and changed there. It is sealed when you connect, and never shown again.',
      },
      {
        name: 'replicaUrl',
        label: 'URL of a replica (optional)',
        placeholder: 'rediss://idemscope_source:…@replica:6379/0',
        hint: 'Walks through the keys then cost the primary nothing.',
        optional: true,
      },
    ],
    search: 'Look for idempotency keys',
    noun: { place: 'Redis', row: 'key' },
    nothing: {
      title: 'No key that we know by its value',
      text: 'The user may not see them, they are hashes, or the library is another one: map its keys with the adapter redis, as docs/guides/foreign-redis.md says.',
    },
    grants: 'run it with redis-cli on each server',
  },
  sqs: {
    label: 'Amazon SQS, dead letters',
    fields: [
      {
        name: 'region',
        label: 'Region',
        placeholder: 'eu-west-1',
        hint: 'Where the queues are.',
        open: true,
      },
      {
        name: 'queueUrl',
        label: 'URL of the dead-letter queue',
        placeholder: 'https://sqs.eu-west-1.amazonaws.com/…/orders-dlq',
        hint: 'Left empty, every queue is listed that another one’s redrive policy names.',
        optional: true,
        open: true,
      },
      ...AWS_KEY,
      {
        name: 'endpoint',
        label: 'Endpoint',
        placeholder: 'https://vpce-….sqs.eu-west-1.vpce.amazonaws.com',
        hint: 'Only for a VPC endpoint or an emulator.',
        optional: true,
        open: true,
      },
    ],
    search: 'Look for dead-letter queues',
    noun: { place: 'queue', row: 'message' },
    nothing: {
      title: 'No queue is the dead-letter queue of another one',
      text: 'The role may not list the queues, or no redrive policy names one: connect it with the adapter sqs-dead-letters, as docs/guides/messages.md says.',
    },
    grants: 'attach it to the role, with its region and account',
  },
  kafka: {
    label: 'Kafka, dead letters',
    fields: [
      {
        name: 'brokers',
        label: 'Brokers',
        placeholder: 'kafka-1:9093,kafka-2:9093',
        hint: 'host:port, several with commas.',
        open: true,
      },
      {
        name: 'tls',
        label: 'TLS',
        placeholder: 'yes',
        hint: 'yes or no; left empty, yes.',
        optional: true,
        open: true,
      },
      {
        name: 'mechanism',
        label: 'SASL mechanism',
        placeholder: 'scram-sha-512',
        hint: 'plain, scram-sha-256 or scram-sha-512 (left empty), where there is a user.',
        optional: true,
        open: true,
      },
      {
        name: 'username',
        label: 'User',
        placeholder: 'idemscope',
        hint: 'Left empty, none.',
        optional: true,
        open: true,
      },
      {
        name: 'password',
        label: 'Password',
        placeholder: '…',
        hint: 'It is sealed when you connect, and never shown again.',
        optional: true,
      },
      {
        name: 'topic',
        label: 'Topic of dead letters',
        placeholder: 'orders-dlt',
        hint: 'Left empty, every topic is listed that is named as another one’s: -dlt, .DLT, -dlq, .errors and the like.',
        optional: true,
        open: true,
      },
    ],
    search: 'Look for topics of dead letters',
    noun: { place: 'topic', row: 'message' },
    nothing: {
      title: 'No topic is named as the dead letters of another one',
      text: 'The user may not describe it, or its name is another one: connect it with the adapter kafka-dead-letters, as docs/guides/messages.md says.',
    },
    grants: 'run it as an administrator of the cluster',
  },
  rabbitmq: {
    label: 'RabbitMQ, dead letters',
    fields: [
      {
        name: 'url',
        label: 'Connection URL',
        placeholder: 'amqps://idemscope_source:…@rabbit/payments',
        hint: 'With its virtual host. It is sealed when you connect, and never shown again.',
      },
      {
        name: 'queue',
        label: 'Queue of dead letters',
        placeholder: 'orders.dead',
        hint: 'AMQP cannot list queues. One message of it is looked at, for where it died.',
        open: true,
      },
    ],
    search: 'Look at this queue',
    noun: { place: 'queue', row: 'message' },
    nothing: {
      title: 'No dead letter says where it died',
      text: 'The queue is empty or its messages were not put there by RabbitMQ: connect it with the adapter rabbitmq-dead-letters, as docs/guides/messages.md says.',
    },
    grants: 'run it with rabbitmqctl',
  },
}

export const ENGINE_CHOICES = Object.entries(ENGINE_FORMS).map(([value, { label }]) => ({ value, label }))
