import type { DetectedLayout } from '../../contracts'
import { openSqs } from './client'
import { queueName, type SqsSecret } from './config'

const TIMEOUT_MS = 5_000

/** Queues that are another one’s dead-letter queue, by the redrive policies of up to a hundred. Receives nothing. */
export async function detectQueues(secret: SqsSecret): Promise<DetectedLayout[]> {
  const sqs = openSqs(secret, TIMEOUT_MS)
  try {
    const urls = await sqs.queues()
    const facts = await Promise.all(urls.map(async (url) => ({ url, ...(await sqs.facts(url)) })))
    return facts.flatMap(({ url: sourceQueueUrl, redrivePolicy }) => {
      const dead = facts.find(({ arn }) => arn !== '' && arn === redrivePolicy?.deadLetterTargetArn)
      if (dead === undefined || (secret.queueUrl ?? dead.url) !== dead.url) return []
      const config = { queueUrl: dead.url, sourceQueueUrl }
      return [
        {
          adapter: 'sqs-dead-letters',
          library: `Dead letters of ${queueName(sourceQueueUrl)}`,
          place: queueName(dead.url),
          config,
          rowsEstimate: dead.count,
        },
      ]
    })
  } finally {
    sqs.close()
  }
}
