import type { Message, MessageAttributeValue, SQSClient } from '@aws-sdk/client-sqs'
import { SourceUnavailableError } from '../../contracts'
import { unavailable } from '../../dynamodb/client/fault'
import type { SqsSecret } from './config'

export type QueueFacts = {
  count: number
  fifo: boolean
  /** Of its own dead letters. */
  redrivePolicy: { deadLetterTargetArn: string; maxReceiveCount: number } | null
  arn: string
  /** A message that nobody deletes is delivered again until then. */
  keptMs: number | null
}

export type Sent = {
  queueUrl: string
  body: string
  attributes: Record<string, MessageAttributeValue>
  fifo: { group: string; deduplicationId: string } | null
}

const BATCH = 10

/** SQS as dead letters need it. The client is loaded with the first call. */
export function openSqs(secret: SqsSecret, requestTimeoutMs: number) {
  let opened: Promise<{ sdk: typeof import('@aws-sdk/client-sqs'); client: SQSClient }> | undefined
  const open = async () => {
    const sdk = await import('@aws-sdk/client-sqs')
    const { region, endpoint, accessKeyId, secretAccessKey } = secret
    const client = new sdk.SQSClient({
      region,
      // A queue’s URL says which queue: where requests go is the address’s alone.
      useQueueUrlAsEndpoint: false,
      // A send whose answer was lost is told, not repeated.
      maxAttempts: 1,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(accessKeyId === undefined || secretAccessKey === undefined
        ? {}
        : { credentials: { accessKeyId, secretAccessKey } }),
    })
    return { sdk, client }
  }

  async function call<T>(
    work: (sdk: typeof import('@aws-sdk/client-sqs'), client: SQSClient, within: Within) => Promise<T>,
  ): Promise<T> {
    opened ??= open()
    const { sdk, client } = await opened
    return work(sdk, client, { abortSignal: AbortSignal.timeout(requestTimeoutMs) }).catch(refuse)
  }

  return {
    facts: (queueUrl: string): Promise<QueueFacts> =>
      call(async (sdk, client, within) => {
        const { Attributes = {} } = await client.send(
          new sdk.GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }),
          within,
        )
        const counts = [
          Attributes.ApproximateNumberOfMessages,
          Attributes.ApproximateNumberOfMessagesNotVisible,
          Attributes.ApproximateNumberOfMessagesDelayed,
        ]
        return {
          count: counts.reduce((sum, count) => sum + Number(count ?? 0), 0),
          fifo: Attributes.FifoQueue === 'true',
          redrivePolicy: readPolicy(Attributes.RedrivePolicy),
          arn: Attributes.QueueArn ?? '',
          keptMs: Number(Attributes.MessageRetentionPeriod) * 1_000 || null,
        }
      }),
    /** Up to ten, which nobody else is given for so long. Waits a second for some: then all of SQS’s servers are asked. */
    receive: (queueUrl: string, hiddenS: number): Promise<Message[]> =>
      call(async (sdk, client, within) => {
        const { Messages = [] } = await client.send(
          new sdk.ReceiveMessageCommand({
            QueueUrl: queueUrl,
            MaxNumberOfMessages: BATCH,
            WaitTimeSeconds: 1,
            VisibilityTimeout: hiddenS,
            MessageAttributeNames: ['All'],
            MessageSystemAttributeNames: ['All'],
          }),
          within,
        )
        return Messages
      }),
    /** Others may have them again. Those that are not given back come back by themselves. */
    async giveBack(queueUrl: string, messages: readonly Message[]): Promise<void> {
      for (let at = 0; at < messages.length; at += BATCH) {
        const Entries = messages.slice(at, at + BATCH).map(({ ReceiptHandle }, place) => ({
          Id: String(place),
          ReceiptHandle,
          VisibilityTimeout: 0,
        }))
        await call((sdk, client, within) =>
          client.send(new sdk.ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }), within),
        )
      }
    },
    send: ({ queueUrl, body, attributes, fifo }: Sent): Promise<void> =>
      call(async (sdk, client, within) => {
        await client.send(
          new sdk.SendMessageCommand({
            QueueUrl: queueUrl,
            MessageBody: body,
            MessageAttributes: attributes,
            ...(fifo === null
              ? {}
              : { MessageGroupId: fifo.group, MessageDeduplicationId: fifo.deduplicationId }),
          }),
          within,
        )
      }),
    remove: (queueUrl: string, { ReceiptHandle }: Message): Promise<void> =>
      call(async (sdk, client, within) => {
        await client.send(new sdk.DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }), within)
      }),
    /** At most a hundred. */
    queues: (): Promise<string[]> =>
      call(async (sdk, client, within) => {
        const { QueueUrls = [] } = await client.send(new sdk.ListQueuesCommand({ MaxResults: 100 }), within)
        return QueueUrls
      }),
    close(): void {
      opened?.then(({ client }) => client.destroy()).catch(() => undefined)
    },
  }
}

type Within = { abortSignal: AbortSignal }

function readPolicy(text: string | undefined): QueueFacts['redrivePolicy'] {
  if (text === undefined || text === '') return null
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(text) as Record<string, unknown>
  return { deadLetterTargetArn: String(deadLetterTargetArn), maxReceiveCount: Number(maxReceiveCount) }
}

function refuse(cause: unknown): never {
  const name = cause instanceof Error ? cause.name : ''
  if (/QueueDoesNotExist|NonExistentQueue/.test(name))
    throw new SourceUnavailableError('There is no such queue in this account and region', {
      cause,
      fault: 'schema_changed',
      refused: true,
    })
  throw unavailable(cause)
}
