import { dynamoPolicy } from '@/sdk/stores/dynamodb/policy'
import type { NativeDynamoConfig } from './config'

/** The region and the account are the owner's to fill in. */
const PLACEHOLDER = { region: 'us-east-1', account: '000000000000' }

/** The SDK's own policy for the console. */
export function nativeDynamoPolicy({ table }: NativeDynamoConfig): string {
  const { region, account } = PLACEHOLDER
  const policy = dynamoPolicy({
    tableArn: `arn:aws:dynamodb:${region}:${account}:table/${table}`,
    for: 'console',
  })
  const text = JSON.stringify(policy, null, 2)
  return `${text.replaceAll(`:${region}:${account}:`, ':REGION:ACCOUNT:')}\n`
}
