import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { type Clock, systemClock } from '../clock'
import type { Consumer } from '../consume'
import type { ConsumedMessage, Disposition } from './delivery'

export type SqsConsumerOptions = {
  client: SQSClient
  queueUrl: string
  consumer: Consumer
  /** How long a message is hidden while it is worked on; it is prolonged at half of it. Default 30 s. */
  visibilityTimeoutS?: number
  /** How long a parked message stays hidden; by its receive count it goes to the dead-letter queue. Default 15 min. */
  parkedS?: number
  /** Default 20 s. */
  waitTimeS?: number
  clock?: Clock
}

export type SqsConsumer = {
  /** Receives and handles one batch; returns how many messages came. */
  pollOnce(signal?: AbortSignal): Promise<number>
  /** Compares the queue's retention with that of the records: the consumer warns where it is longer. */
  checkRetention(): Promise<void>
}

const BATCH = 10
const VISIBILITY_S_MAX = 43_200

/** Messages of a group are handled one after the other, in their order; groups, and messages without one, beside each other. */
export function createSqsConsumer(options: SqsConsumerOptions): SqsConsumer {
  const { client, queueUrl, consumer, clock = systemClock } = options
  const { visibilityTimeoutS = 30, parkedS = 900, waitTimeS = 20 } = options
  const hide = ({ ReceiptHandle }: Message, VisibilityTimeout: number) =>
    client.send(new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout }))

  async function handle(message: Message): Promise<boolean> {
    const stop = keepHidden(message)
    let ended: Disposition
    try {
      ended = await consumer.handle(toMessage(message))
    } finally {
      stop()
    }
    if (ended.kind === 'done') {
      await client.send(
        new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }),
      )
      return true
    }
    const forS = ended.kind === 'parked' ? parkedS : Math.ceil(ended.delayMs / 1000)
    await hide(message, Math.min(VISIBILITY_S_MAX, forS))
    return false
  }

  function keepHidden(message: Message): () => void {
    let cancel = () => {}
    const schedule = () => {
      cancel = clock.after(
        visibilityTimeoutS * 500,
        () => {
          // What is not prolonged is delivered again: its lease holds it off.
          hide(message, visibilityTimeoutS).catch(() => {})
          schedule()
        },
        'background',
      )
    }
    schedule()
    return () => cancel()
  }

  return {
    async pollOnce(signal) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: BATCH,
          WaitTimeSeconds: waitTimeS,
          VisibilityTimeout: visibilityTimeoutS,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['All'],
        }),
        signal === undefined ? {} : { abortSignal: signal },
      )
      const handleGroup = async (group: Message[]) => {
        let blocked = false
        for (const message of group) {
          // What is behind it is given back at once, and comes after it.
          if (blocked) await hide(message, 0)
          else blocked = !(await handle(message))
        }
      }
      await Promise.all(groupsOf(Messages, ({ Attributes }) => Attributes?.MessageGroupId).map(handleGroup))
      return Messages.length
    },
    async checkRetention() {
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['MessageRetentionPeriod'] }),
      )
      consumer.expectRedelivery(Number(Attributes?.MessageRetentionPeriod ?? 0) * 1000)
    },
  }
}

/** Of an event source mapping with `ReportBatchItemFailures`. */
export type SqsLambdaEvent = { Records: SqsLambdaRecord[] }

export type SqsLambdaRecord = {
  messageId: string
  body: string
  attributes: Record<string, string | undefined>
  messageAttributes: Record<string, { stringValue?: string | undefined }>
}

export type SqsLambdaAnswer = { batchItemFailures: { itemIdentifier: string }[] }

/** A Lambda handler: what was not applied is named, and in a FIFO queue all behind it of its group. */
export function sqsLambdaHandler(consumer: Consumer): (event: SqsLambdaEvent) => Promise<SqsLambdaAnswer> {
  return async ({ Records }) => {
    const failed: string[] = []
    const handleGroup = async (group: SqsLambdaRecord[]) => {
      let blocked = false
      for (const record of group) {
        blocked = blocked || (await consumer.handle(fromRecord(record))).kind !== 'done'
        if (blocked) failed.push(record.messageId)
      }
    }
    await Promise.all(groupsOf(Records, ({ attributes }) => attributes.MessageGroupId).map(handleGroup))
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) }
  }
}

function groupsOf<T>(messages: readonly T[], groupOf: (message: T) => string | undefined): T[][] {
  const groups = new Map<unknown, T[]>()
  for (const message of messages) {
    const name = groupOf(message) ?? message
    groups.set(name, [...(groups.get(name) ?? []), message])
  }
  return [...groups.values()]
}

const fromRecord = ({ messageId, body, attributes, messageAttributes }: SqsLambdaRecord): ConsumedMessage =>
  toMessage({
    MessageId: messageId,
    Body: body,
    Attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, value ?? ''])),
    MessageAttributes: Object.fromEntries(
      Object.entries(messageAttributes).map(([name, { stringValue }]) => [
        name,
        { DataType: 'String', StringValue: stringValue },
      ]),
    ),
  })

function toMessage({ MessageId = '', Body = '', Attributes, MessageAttributes }: Message): ConsumedMessage {
  const read = (name: string) => MessageAttributes?.[name]?.StringValue
  const attempt = Number(Attributes?.ApproximateReceiveCount ?? 1)
  return {
    // A producer without ids of its own: SQS keeps its own over deliveries.
    id: read('message-id') ?? MessageId,
    type: read('message-type'),
    headers: readHeaders(read('message-headers')),
    payload: Buffer.from(Body, read('message-encoding') === 'base64' ? 'base64' : 'utf8'),
    deliveryAttempt: attempt,
    redelivered: attempt > 1,
  }
}

/** Anybody may write to a queue. */
function readHeaders(text: string | undefined): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}')
    if (typeof parsed !== 'object' || parsed === null) return {}
    return Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === 'string'))
  } catch {
    return {}
  }
}
