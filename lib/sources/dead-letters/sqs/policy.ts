import { queueName, type SqsConfig } from './config'

/** The IAM policy of a role that may do what this source does, and no more. */
export function sqsPolicy({ queueUrl, sourceQueueUrl }: SqsConfig): string {
  const arn = (url: string) => `arn:aws:sqs:REGION:ACCOUNT:${queueName(url)}`
  const allow = (Sid: string, Action: string[], url: string) => ({
    Sid,
    Effect: 'Allow',
    Action,
    Resource: arn(url),
  })
  const statements = [
    allow(
      'ReadDeadLetters',
      ['sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'],
      queueUrl,
    ),
    allow('EndDeadLetters', ['sqs:DeleteMessage'], queueUrl),
    allow('SendBack', ['sqs:SendMessage', 'sqs:GetQueueAttributes'], sourceQueueUrl),
  ]
  return `${JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 2)}\n`
}
